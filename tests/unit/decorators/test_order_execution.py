"""What `order_execution` records of an order, from the arguments of the call and from what came back."""
# ruff: noqa: ARG001, ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from otel_trading import recording
from otel_trading.decorators import order_execution
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog, faults

FILLED = {
    # a ccxt order, after its manual's "Order structure"
    "id": "12345-67890:09876/54321",
    "clientOrderId": "abcdef-ghijklmnop-qrstuvwxyz",
    "status": "closed",
    "symbol": "BTC/USDT",
    "type": "limit",
    "timeInForce": "GTC",
    "side": "buy",
    "price": 100.0,
    "average": 100.5,
    "amount": 2.0,
    "filled": 2.0,
    "remaining": 0.0,
    "cost": 201.0,
    "trades": [
        {"id": "t-1", "amount": 0.5, "price": 100.0, "takerOrMaker": "maker", "fee": {"cost": -0.01, "currency": "USDT"}},
        {"id": "t-2", "amount": 1.5, "price": 100.6666, "takerOrMaker": "taker", "fee": {"cost": 0.15, "currency": "BNB"}},
    ],
    "fee": {"currency": "USDT", "cost": 0.14},
    "info": {},
}


class Account:
    """Keeps the fills that it gets."""

    def __init__(self, name: str = "main", currency: str = "EUR") -> None:
        self.name, self.currency = name, currency
        self.fills: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def fill(self, *what: Any, **details: Any) -> None:
        self.fills.append((what, details))


def answers(result: object, **settings: Any) -> Any:
    """A function that sends an order, and returns `result`."""

    @order_execution(**{"venue": "kraken", "strategy": "sma", **settings})
    def place_order(symbol=None, side=None, quantity=None, price=None, order_type=None, mid=None, order_id=None) -> object:
        return result

    return place_order


@pytest.mark.usefixtures("no_faults")
def test_everything_about_a_filled_order(recorded, clock) -> None:
    """The worked example: 0.5 at 100 and 1.5 at 100.6666 against a mid of 100 is 50.0 bps adverse, at a cost of 1 USDT."""

    @order_execution(venue="kraken", strategy="sma")
    def place_order(symbol, side, quantity, price=None, order_type="market", mid=None) -> dict[str, Any]:
        clock.sleep(0.25)
        return FILLED

    assert place_order("BTC/USDT", "buy", 2.0, 100.0, "limit", mid=100.0) is FILLED
    at, sma = {"venue.name": "kraken"}, {"strategy.name": "sma"}
    order = {**at, **sma, "order.type": "limit", "order.side": "buy"}
    fill = {**at, **sma, "order.side": "buy", "instrument.symbol": "BTC/USDT"}
    usdt, bnb = {"currency": "USDT"}, {"currency": "BNB"}
    assert recorded.all() == {
        "order.duration": [({**at, **sma, "order.operation": "submit", "order.status": "filled"}, (1, 0.25))],
        "order.submissions": [(order, 1)],
        "orders": [({**order, "order.status": "filled"}, 1)],
        "fills": [({**fill, "fill.liquidity": "maker"}, 1), ({**fill, "fill.liquidity": "taker"}, 1)],
        "fill.notional": [({**at, **sma, **usdt, "order.side": "buy"}, (2, pytest.approx(200.9999)))],
        "volume": [({**fill, **usdt}, pytest.approx(200.9999))],
        "fees": [({**at, **sma, **bnb}, 0.15)],
        "rebates": [({**at, **sma, **usdt}, 0.01)],
        "slippage": [({**fill, "slippage.direction": "adverse"}, (1, pytest.approx(50.0)))],
        "slippage_cost": [({**at, **sma, **usdt, "instrument.symbol": "BTC/USDT"}, pytest.approx(1.0))],
    }


@pytest.mark.usefixtures("no_faults")
def test_submission_counts_before_the_answer_comes(recorded) -> None:
    """An order that hangs is seen as sent."""

    @order_execution(venue="kraken")
    async def place_order(symbol: str, side: str) -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        task = asyncio.ensure_future(place_order("BTC/USDT", "buy"))
        await asyncio.sleep(0)
        assert recorded.one("order.submissions", side="buy") == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert recorded.one("orders", status="unknown") == 1
    assert recorded.one("order.duration", type="canceled")[0] == 1


@pytest.mark.parametrize(
    ("result", "status", "ended"),
    [
        ("OQCLML-BW3P3-BUCMWZ", "new", False),
        (123456, "new", False),
        (True, "new", False),
        (None, "pending_new", False),
        ({"id": "1", "status": "open", "amount": 2, "filled": 0}, "new", False),
        ({"id": "1", "status": "open", "amount": 2, "filled": 1}, "partially_filled", False),
        ({"id": "1", "status": "canceled"}, "canceled", True),
        ({"id": "1", "status": "expired"}, "expired", True),
        ({"id": "1", "status": "rejected"}, "rejected", True),
        ({"id": "1", "status": "something the venue invented"}, "unknown", True),
        (False, "unknown", True),
        ((1, 2), "unknown", True),
        ({}, "unknown", True),
        (object(), "unknown", True),
    ],
)
def test_status_of_what_is_returned(recorded, result, status, ended) -> None:
    """A resting order is not at its end; what is not understood is unknown, and says so once."""
    assert answers(result)("BTC/USDT", "buy") is result
    assert recorded.one("order.duration", operation="submit", status=status)[0] == 1
    assert recorded.one("orders", status=status) == (1 if ended else None)
    assert not faults.errors


def test_what_is_not_understood_is_said_once(recorded, caplog) -> None:
    for _ in range(3):
        answers((1, 2))("BTC/USDT", "buy")
    assert caplog.text.count("an order's result of type tuple") == 1
    assert recorded.one("orders", status="unknown") == 3


@pytest.mark.parametrize(
    ("raised", "error_type", "status", "reason"),
    [
        (TimeoutError(), "timeout", "unknown", None),
        (ConnectionResetError(), "network", "unknown", None),
        (ConnectionRefusedError(), "network", "rejected", "other"),
        (type("InsufficientFunds", (Exception,), {})(), "insufficient_funds", "rejected", "insufficient_funds"),
        (type("Strange", (Exception,), {})(), "Strange", "unknown", None),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_exception_says_what_became_of_the_order(recorded, raised, error_type, status, reason) -> None:
    """A time-out leaves the order unknown, never rejected."""

    @order_execution(venue="kraken")
    def place_order(symbol: str, side: str) -> None:
        raise raised

    with pytest.raises(type(raised)) as caught:
        place_order("BTC/USDT", "buy")
    assert caught.value is raised
    ((known, count),) = recorded.points("orders")
    assert (known["order.status"], known.get("order.reject_reason"), count) == (status, reason, 1)
    ((known, _),) = recorded.points("order.duration")
    assert known["error.type"] == error_type
    assert "order.status" not in known


@pytest.mark.usefixtures("no_faults")
def test_client_of_the_users_own_can_be_told(recorded) -> None:
    class ApiError(Exception):
        pass

    class NotAllowedError(ApiError):
        pass

    @order_execution(venue="kraken", errors={ApiError: "other", "NotAllowedError": "auth"})
    def place_order(symbol: str, side: str) -> None:
        raise NotAllowedError

    with pytest.raises(NotAllowedError):
        place_order("BTC/USDT", "buy")
    assert recorded.one("orders", status="rejected", reject_reason="auth") == 1


class Side(str, Enum):
    BUY = "buy"


class Type(Enum):
    STOP_LIMIT = 3


@dataclass
class OrderRequest:
    """After alpaca-py's LimitOrderRequest."""

    symbol: str = "AAPL"
    qty: float = 3.0
    side: Side = Side.BUY
    type: str = "limit"
    limit_price: float = 10.0


class Exchange:
    id = "kraken"


ARGUMENTS = {
    "by position": (lambda f: f("AAPL", "buy", 3, 10.0, "limit"), "symbol, side, quantity, price=None, order_type=None"),
    "by name": (
        lambda f: f(order_type="limit", qty=3, ticker="AAPL", action="BUY", limit_price=10),
        "ticker, action, qty, limit_price, order_type",
    ),
    "by keyword only": (lambda f: f(symbol="AAPL", is_buy=True, type="LMT"), "*, symbol, is_buy, type"),
    "enums": (lambda f: f("AAPL", Side.BUY, "Limit"), "symbol, side, order_type"),
    "request object": (lambda f: f(OrderRequest()), "order_data"),
    "request dict": (lambda f: f({"symbol": "AAPL", "side": "buy", "type": "limit"}), "request"),
    "variadic": (lambda f: f("AAPL", side="buy", type="limit"), "symbol, **params"),
    "everything variadic": (lambda f: f(symbol="AAPL", side="buy", type="limit"), "*args, **kwargs"),
    "a price makes it a limit order": (lambda f: f("AAPL", "buy", price="10"), "symbol, side, price"),
    "sign": (lambda f: f("AAPL", 1, "limit"), "symbol, direction, order_type"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
@pytest.mark.usefixtures("no_faults")
def test_order_is_found_in_the_arguments(recorded, case) -> None:
    call, parameters = ARGUMENTS[case]
    space: dict[str, Any] = {}
    exec(f"def place_order({parameters}): return 'id'", space)  # noqa: S102 - the cases are right above
    call(order_execution(venue="kraken")(space["place_order"]))
    call(order_execution(venue="kraken")(space["place_order"]))  # and again, when the series is known
    assert recorded.points("order.submissions") == [({"venue.name": "kraken", "order.side": "buy", "order.type": "limit"}, 2)]
    recording.configure(recording.Options(symbol_on_durations=True))
    call(order_execution(venue="kraken")(space["place_order"]))
    assert recorded.one("order.submissions", instrument__symbol="AAPL", side="buy", type="limit") == 1


@pytest.mark.usefixtures("no_faults")
def test_order_is_found_where_the_decorator_is_told(recorded) -> None:
    @order_execution(venue="a", arguments={"symbol": "what", "side": "how.way", "type": "how.kind"})
    def by_mapping(what, how) -> str:
        return "id"

    @order_execution(venue="b", arguments=lambda what, **_: {"side": what[0], "type": what[1]})
    def by_function(what, other=None) -> str:
        return "id"

    @order_execution(venue="c", side="sell", order_type="market", symbol="AAPL")
    def by_constants(quantity) -> str:
        return "id"

    @order_execution
    def by_exchange(exchange, side) -> str:
        return "id"

    by_mapping("AAPL", {"way": "sell", "kind": "market"})
    by_function(("sell", "market"), 1)
    by_constants(1)
    by_exchange(Exchange(), "sell")
    by_exchange(type("Instance", (), {})(), "sell")
    assert recorded.points("order.submissions") == [
        ({"venue.name": venue, "order.side": "sell", "order.type": "market"}, 1) for venue in "abc"
    ] + [({"venue.name": venue, "order.side": "sell", "order.type": "other"}, 1) for venue in ("kraken", "unknown")]


@pytest.mark.usefixtures("no_faults")
def test_order_is_found_through_another_decorator(recorded) -> None:
    """One that takes anything and was wrapped after `functools.wraps`: the names are those of the function inside."""

    def retried(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @order_execution(venue="kraken")
    @retried
    def place_order(symbol, side, order_type="limit") -> str:
        return "id"

    place_order("AAPL", "sell", "market")
    place_order("AAPL", side="sell", order_type="market")
    assert recorded.points("order.submissions") == [({"venue.name": "kraken", "order.side": "sell", "order.type": "market"}, 2)]


@pytest.mark.usefixtures("no_faults")
def test_what_the_arguments_do_not_say_the_answer_may(recorded) -> None:
    answers(FILLED)()
    assert recorded.one("orders", side="buy", type="limit", status="filled") == 1
    assert recorded.one("volume", instrument__symbol="BTC/USDT", side="buy") == pytest.approx(200.9999)


@pytest.mark.parametrize(
    ("symbol", "currency", "account", "expected"),
    [
        ("BTC/USDT", "USD", "EUR", "USDT"),
        ("BTC/USD:BTC", "USD", "EUR", "BTC"),
        ("AAPL", "USD", "EUR", "USD"),
        ("AAPL", None, "EUR", "EUR"),
        ("BRK/B", None, "EUR", "EUR"),
        ("AAPL", None, None, "XXX"),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_currency_of_money(recorded, symbol, currency, account, expected) -> None:
    """That of the symbol, else that of the decorator, else the account's, else ISO 4217's code for none."""
    keeper = Account(currency=account) if account else None
    answers({"id": "1", "status": "closed", "filled": 2, "average": 10}, currency=currency, account=keeper)(symbol, "buy")
    assert [known["currency"] for known, _ in recorded.points("volume")] == [expected]


@pytest.mark.usefixtures("no_faults")
def test_inverse_contract_is_worth_quantity_over_price(recorded) -> None:
    """1,000 contracts of 1 USD at 50,000 USD are 0.02 BTC; sold at 49,500, 100 bps below, they cost 1000/49500 - 0.02 BTC."""
    result = {"id": "1", "status": "closed", "filled": 1000, "average": 49_500.0}
    answers(result)("BTC/USD:BTC", "sell", mid=50_000.0)
    assert recorded.one("volume", currency="BTC") == pytest.approx(1000 / 49_500)
    assert [value for _, value in recorded.points("slippage")] == [(1, pytest.approx(100.0))]
    assert [value for _, value in recorded.points("slippage_cost")] == [pytest.approx(1000 / 49_500 - 1000 / 50_000)]


@pytest.mark.usefixtures("no_faults")
def test_contracts_have_a_multiplier(recorded) -> None:
    account = Account()
    answers({"id": "1", "status": "filled", "filled": 2, "average": 4000}, multiplier=50, currency="USD", account=account)(
        "ES", "buy"
    )
    assert recorded.one("volume", currency="USD") == 400_000
    assert account.fills[0][1]["multiplier"] == 50


@pytest.mark.usefixtures("no_faults")
def test_account_gets_each_fill_once_with_the_numbers_as_they_were(recorded) -> None:
    """Decimal text stays exact; the same execution told again is not a second one."""
    account = Account()
    result = {
        "id": "1",
        "status": "filled",
        "fills": [
            {"tradeId": 7, "qty": "0.10000000", "price": "64250.10", "commission": "0.00000100", "commissionAsset": "BNB"}
        ],
    }
    place = answers(result, account=account)
    place("BTC/USDT", "buy")
    place("BTC/USDT", "buy")
    assert account.fills == [
        (
            ("BTC/USDT", "buy", Decimal("0.10000000"), Decimal("64250.10")),
            {"fee": Decimal("0.00000100"), "fee_currency": "BNB", "multiplier": 1, "execution_id": "7"},
        )
    ]
    assert [value for _, value in recorded.points("fills")] == [1]


def test_account_gets_its_fills_before_anything_is_configured(recorded) -> None:
    """The bot decides by its account: whether anybody looks at metrics makes no difference to it."""
    catalog.attach("idle")
    account = Account()
    answers(FILLED, account=account)("BTC/USDT", "buy")
    assert len(account.fills) == 2
    assert recorded.all() == {}


def test_account_that_fails_does_not_fail_the_order(recorded) -> None:
    class Broken(Account):
        def fill(self, *what: Any, **details: Any) -> None:
            raise OSError("disk full")

    assert answers(FILLED, account=Broken())("BTC/USDT", "buy") is FILLED
    assert faults.errors == {("account", "OSError"): 2}
    assert recorded.one("orders", status="filled") == 1


@pytest.mark.usefixtures("no_faults")
def test_order_told_by_its_totals_counts_what_was_added(recorded) -> None:
    """Submitted and partly filled, then queried twice: the fills are the differences, and the order ends once."""
    account = Account()
    told = [
        {"id": "1", "status": "open", "amount": 3, "filled": 1, "average": 100.0, "fee": {"cost": 0.1, "currency": "USDT"}},
        {"id": "1", "status": "closed", "amount": 3, "filled": 3, "average": 110.0, "fee": {"cost": 0.4, "currency": "USDT"}},
        {"id": "1", "status": "closed", "amount": 3, "filled": 3, "average": 110.0, "fee": {"cost": 0.4, "currency": "USDT"}},
    ]
    for operation, result in zip(("submit", "query", "query"), told, strict=True):
        answers(result, operation=operation, account=account)("BTC/USDT", "buy")
    assert [what[2:] for what, _ in account.fills] == [(1, 100.0), (2.0, pytest.approx(115.0))]
    assert recorded.one("volume", currency="USDT") == pytest.approx(330.0)
    assert recorded.one("fees", currency="USDT") == pytest.approx(0.4)
    assert recorded.one("orders", status="filled") == 1
    assert recorded.one("order.submissions") == 1
    assert recorded.one("order.duration", operation="query", status="filled")[0] == 2


@pytest.mark.usefixtures("no_faults")
def test_order_told_by_totals_and_then_by_fills_counts_once(recorded) -> None:
    answers({"id": "1", "status": "open", "amount": 2, "filled": 0.5, "average": 100.0})("BTC/USDT", "buy")
    answers({**FILLED, "id": "1"}, operation="query")("BTC/USDT", "buy")
    assert recorded.one("volume", currency="USDT") == pytest.approx(200.9999)


@pytest.mark.usefixtures("no_faults")
def test_order_told_by_fills_and_then_by_totals_counts_once(recorded) -> None:
    answers({**FILLED, "id": "1", "status": "open", "filled": 0.5, "trades": FILLED["trades"][:1]})("BTC/USDT", "buy")
    answers({"id": "1", "status": "closed", "amount": 2, "filled": 2, "average": 100.49995}, operation="query")(
        "BTC/USDT", "buy"
    )
    assert recorded.one("volume", currency="USDT") == pytest.approx(200.9999)


@pytest.mark.usefixtures("no_faults")
def test_unknown_order_that_is_resolved_counts_again(recorded) -> None:
    answers({"id": "1", "status": "lost in translation"})("BTC/USDT", "buy")
    query = answers({"id": "1", "status": "canceled"}, operation="query")
    query("BTC/USDT", "buy")
    query("BTC/USDT", "buy")
    assert recorded.one("orders", status="unknown") == 1
    assert recorded.one("orders", status="canceled") == 1


@pytest.mark.usefixtures("no_faults")
def test_cancel_counts_the_end_of_the_order_that_it_names(recorded) -> None:
    """No submission; the order's id is that of the arguments where the answer has none; None says nothing of the order."""
    answers("1")("BTC/USDT", "buy")
    cancel = answers({"status": "canceled"}, operation="cancel")
    cancel(order_id="1")
    cancel(order_id="1")
    answers(None, operation="cancel")(order_id="2")
    assert recorded.one("order.submissions") == 1
    assert recorded.one("orders", status="canceled") == 1
    assert recorded.one("order.duration", operation="cancel", status="canceled")[0] == 2
    assert [value[0] for known, value in recorded.points("order.duration") if "order.status" not in known] == [1]


@pytest.mark.usefixtures("no_faults")
def test_failed_cancel_says_nothing_of_the_order(recorded) -> None:
    @order_execution(venue="kraken", operation="cancel")
    def cancel(order_id: str) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        cancel("1")
    assert recorded.points("orders") == []
    assert recorded.one("order.duration", operation="cancel", type="timeout")[0] == 1


@pytest.mark.usefixtures("no_faults")
def test_reference_price_is_asked_before_the_call(recorded) -> None:
    """The book moves while the order is on its way: what counts is the mid when it was decided."""
    book = {"mid": 100.0}

    @order_execution(venue="kraken", reference_price=lambda symbol, **_: book["mid"])
    def place_order(symbol: str, side: str) -> dict[str, Any]:
        book["mid"] = 200.0
        return {"id": "1", "status": "closed", "filled": 1, "average": 99.0}

    place_order("BTC/USDT", "buy")
    assert recorded.points("slippage")[0][1] == (1, pytest.approx(100.0))
    assert recorded.points("slippage")[0][0]["slippage.direction"] == "favorable"
    assert [value for _, value in recorded.points("slippage_cost")] == [pytest.approx(-1.0)]


@pytest.mark.usefixtures("no_faults")
def test_reference_price_may_be_any_parameter(recorded) -> None:
    @order_execution(venue="kraken", reference_price="quote.mid")
    def place_order(symbol: str, side: str, quote: dict[str, float]) -> dict[str, Any]:
        return {"id": "1", "status": "closed", "filled": 1, "average": 101.0}

    place_order("BTC/USDT", "sell", {"mid": 100.0})
    assert recorded.points("slippage")[0][1] == (1, pytest.approx(100.0))


def test_reference_price_that_cannot_be_had_is_none(recorded) -> None:
    place_order = order_execution(venue="kraken", reference_price=lambda **_: 1 / 0)(lambda symbol, side: FILLED)
    assert place_order("BTC/USDT", "buy") is FILLED
    assert recorded.points("slippage") == []
    assert recorded.one("orders", status="filled") == 1
    assert faults.errors == {("order_execution.reference_price", "ZeroDivisionError"): 1}


@pytest.mark.usefixtures("no_faults")
def test_result_may_be_converted(recorded) -> None:
    """For a client whose orders hide their data: what is returned stays what it was."""

    class Order:
        @property
        def state(self) -> str:
            return "FILLED"

    @order_execution(venue="kraken", result=lambda order: {"id": "1", "status": order.state})
    def place_order(symbol: str, side: str) -> Order:
        return order

    order = Order()
    assert place_order("BTC/USDT", "buy") is order
    assert recorded.one("orders", status="filled") == 1


@dataclass
class Fill:
    """After ib_async's Fill and Execution."""

    execution: object
    commissionReport: object  # noqa: N815 - ib_async's name


@dataclass
class Plain:
    """Anything with attributes."""

    values: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.__dict__.update(self.values)


@pytest.mark.usefixtures("no_faults")
def test_trade_of_ib_async_is_understood(recorded) -> None:
    """Nested objects: `trade.orderStatus.status`, `trade.order.action`, `trade.fills[].execution`."""
    trade = Plain(
        {
            "contract": Plain({"symbol": "AAPL", "localSymbol": "AAPL"}),
            "order": Plain(
                {"orderId": 7, "action": "BUY", "totalQuantity": 3.0, "orderType": "LMT", "lmtPrice": 10.0, "tif": "DAY"}
            ),
            "orderStatus": Plain({"status": "Filled", "filled": 3.0, "avgFillPrice": 9.5}),
            "fills": [
                Fill(
                    Plain({"execId": "0001f4e8.1", "shares": 3.0, "price": 9.5}), Plain({"commission": 1.0, "currency": "USD"})
                )
            ],
        }
    )
    answers(trade, currency="USD")()
    assert recorded.one("orders", side="buy", type="limit", status="filled") == 1
    assert recorded.one("volume", instrument__symbol="AAPL", currency="USD") == 28.5
    assert recorded.one("fees", currency="USD") == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"operation": "buy"}, "operation is one of submit"),
        ({"side": "up or down"}, "side is buy or sell"),
        ({"multiplier": 0}, "multiplier is the units"),
        ({"arguments": {"colour": "symbol"}}, "colour is no field of an order"),
        ({"arguments": {"symbol": "nowhere"}}, "symbol is to be read from 'nowhere', but the parameters are symbol, side"),
        ({"reference_price": "nowhere"}, "reference_price is to be read from 'nowhere'"),
        ({"errors": {ValueError: "bad luck"}}, "bad luck is no reason of a rejection"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_written(settings, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        order_execution(venue="kraken", **settings)(lambda symbol, side: None)
