"""What `order_execution` makes of fills: money in its currency, slippage against a price, and what an account gets."""
# ruff: noqa: ARG001, ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from otel_trading.decorators import order_execution
from otel_trading.metrics import catalog, faults
from tests.unit.decorators.orders import FILLED, Account, answers


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
def test_a_price_below_zero_is_a_price(recorded) -> None:
    """Oil at -37.63 USD on 20 April 2020: the account has the position, and the value of what was traded is counted unsigned."""
    account = Account()
    answers({"id": "1", "status": "filled", "filled": 2, "average": -37.63}, currency="USD", account=account)("CL", "buy")
    ((given, _),) = account.fills
    assert given == ("CL", "buy", 2, -37.63)
    assert recorded.one("volume", currency="USD") == pytest.approx(75.26)


@pytest.mark.usefixtures("recorded")
def test_a_filled_order_without_a_price_is_said_to_be_missing_until_its_fills_are_told(caplog) -> None:
    """Once, and not of one whose fills were told before."""
    account, order = Account(), {"id": "1", "status": "closed", "amount": 2.0, "filled": 2.0, "symbol": "X/USD", "side": "buy"}
    place = answers(order, account=account)
    place("X/USD", "buy")
    place("X/USD", "buy")
    assert [record.getMessage().count("nothing said at which price") for record in caplog.records] == [1]
    answers({**order, "average": 10.0}, operation="query", account=account)()
    assert [given for given, _ in account.fills] == [("X/USD", "buy", 2.0, 10.0)]
    faults.reset()
    caplog.clear()
    answers(order, operation="query", account=account)()
    assert not caplog.records


@pytest.mark.parametrize(
    "answer", [{"status": "closed", "filled": 2.0}, {"status": "canceled", "filled": 0.0}], ids=["no price", "crossed"]
)
@pytest.mark.usefixtures("recorded")
def test_fills_of_an_order_that_ended_at_once_go_to_its_account_whoever_tells_of_them(answer) -> None:
    """Its answer has no price, or not the fill that crossed the end; a query that names no account has it."""
    account, order = Account(), {"id": "1", "amount": 2.0, "symbol": "X/USD", "side": "buy"}
    answers({**order, **answer}, account=account)("X/USD", "buy")
    assert not account.fills
    answers({**order, "status": answer["status"], "filled": 2.0, "average": 10.0}, operation="query", strategy=None)()
    assert [given for given, _ in account.fills] == [("X/USD", "buy", 2.0, 10.0)]
