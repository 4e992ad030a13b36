"""Where `order_execution` finds the order: in the arguments of the call, and in what came back."""
# ruff: noqa: ARG001 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from otel_trading import recording
from otel_trading.decorators import order_execution
from tests.unit.decorators.orders import FILLED, answers


class Side(str, Enum):
    BUY = "buy"


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
