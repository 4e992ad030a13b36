"""What the orders and events of trading libraries say: recorded, or in plain classes that store what theirs store.

Recorded with ccxt 4.5.90, alpaca-py 0.44.0, ib_async 2.1.0, nautilus_trader 1.221.0 and backtrader 1.9.78.123.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from otel_trading.orders import Fill, read_event


def plain(module: str, name: str, **members: Any) -> Any:
    """An object of a class of that module and name, which stores these."""
    made = type(name, (), {"__module__": module})()
    made.__dict__.update(members)
    return made


# The "Trade structure" of ccxt's manual.
TRADE = {
    "info": {},
    "id": "12345-67890:09876/54321",
    "timestamp": 1502962946216,
    "symbol": "ETH/BTC",
    "order": "12345-67890:09876/54320",
    "type": "limit",
    "side": "buy",
    "takerOrMaker": "taker",
    "price": 0.06917684,
    "amount": 1.5,
    "cost": 0.10376526,
    "fee": {"cost": 0.0015, "currency": "ETH", "rate": 0.002},
}


def test_trade_of_ccxt_is_a_fill_of_the_order_that_it_names() -> None:
    report = read_event(TRADE)
    assert (report.status, report.id, report.symbol, report.side) == ("partially_filled", TRADE["order"], "ETH/BTC", "buy")
    assert report.execution == Fill(1.5, 0.06917684, TRADE["id"], "taker", ((0.0015, "ETH"),), "buy", "ETH/BTC")


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        *[("open", 0.0, "new"), ("open", 1.0, "partially_filled"), ("closed", 2.0, "filled"), ("closed", 1.0, "canceled")],
        *[("canceled", 1.0, "canceled"), ("canceling", 0.0, "pending_cancel"), ("expired", 0.0, "expired")],
        *[("rejected", 0.0, "rejected"), ("as the venue says", 0.0, "unknown")],
    ],
)
def test_order_of_ccxt(status, filled, expected) -> None:
    order = {"id": "1", "clientOrderId": "c", "status": status, "amount": 2.0, "filled": filled, "average": 10.0, "trades": []}
    assert (read_event(order).status, read_event(order).client_id) == (expected, "c")


class Word(str, Enum):
    """As alpaca-py's TradeEvent and OrderStatus."""

    FILL, PARTIAL, NEW, REPLACED, RESTATED, HELD = "fill", "partial_fill", "new", "replaced", "restated", "held"


def alpaca(event: object, status: str, filled: str = "0", **more: Any) -> Any:
    order = plain(
        "alpaca.trading.models",
        "Order",
        id=UUID("61e69015-8549-4bfd-b9c3-01e75843f47d"),
        client_order_id="eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4",
        symbol="AAPL",
        qty="15",
        filled_qty=filled,
        filled_avg_price="150.25" if filled != "0" else None,
        type="market",
        side="buy",
        status=status,
    )
    return plain(
        "alpaca.trading.models", "TradeUpdate", event=event, order=order, **{"execution_id": None, "price": None, **more}
    )


@pytest.mark.parametrize(
    ("event", "status", "expected"),
    [
        *[(Word.NEW, "new", "new"), ("accepted", "accepted", "new"), ("pending_new", "pending_new", "pending_new")],
        *[("canceled", "canceled", "canceled"), ("expired", "expired", "expired"), ("rejected", "rejected", "rejected")],
        *[(Word.REPLACED, "replaced", "canceled"), ("pending_cancel", "pending_cancel", "pending_cancel")],
        *[(Word.RESTATED, "new", "new"), ("invented", "held", "pending_new"), ("invented", "invented too", "unknown")],
    ],
)
def test_update_of_alpaca(event, status, expected) -> None:
    report = read_event(alpaca(event, status))
    assert (report.status, report.execution, report.symbol) == (expected, None, "AAPL")
    assert (report.id, report.client_id) == ("61e69015-8549-4bfd-b9c3-01e75843f47d", "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4")


def test_fill_of_alpaca_has_the_execution_beside_the_order() -> None:
    execution = UUID("2f63ea93-423d-4169-b3f6-3fdafc10c418")
    report = read_event(alpaca(Word.PARTIAL, "partially_filled", "5", execution_id=execution, price=150.25, qty=5.0))
    assert (report.status, report.filled, report.average) == ("partially_filled", Decimal(5), Decimal("150.25"))
    assert report.execution == Fill(5.0, 150.25, str(execution), side="buy", symbol="AAPL")


class Fills(NamedTuple):
    """As ib_async's Fill."""

    contract: object
    execution: object
    commissionReport: object  # noqa: N815 - ib_async's name
    time: object = None


Fills.__name__ = "Fill"
Fills.__module__ = "ib_async.objects"


def trade(status: str, code: int = 0, message: str = "", **more: Any) -> Any:
    entry = plain("ib_async.objects", "TradeLogEntry", status=status, message=message, errorCode=code)
    return plain(
        "ib_async.order",
        "Trade",
        contract=SimpleNamespace(symbol="AAPL", localSymbol="AAPL"),
        order=SimpleNamespace(orderId=7, action="BUY", totalQuantity=3.0, orderType="LMT", tif="DAY"),
        orderStatus=SimpleNamespace(status=status, filled=0.0, avgFillPrice=0.0),
        fills=[],
        log=[entry],
        **more,
    )


@pytest.mark.parametrize(
    ("status", "code", "message", "expected", "reason"),
    [
        (
            "Cancelled",
            201,
            "Error 201, reqId 7: Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. ... insufficient equity",
            "rejected",
            "insufficient_funds",
        ),
        (
            "Cancelled",
            110,
            "The price does not conform to the minimum price variation for this contract.",
            "rejected",
            "invalid_order",
        ),
        ("Cancelled", 103, "Duplicate order id", "rejected", "duplicate"),
        ("Inactive", 201, "Exchange is closed.", "rejected", "market_closed"),
        ("Inactive", 0, "", "rejected", "other"),
        ("Cancelled", 202, "Order Canceled - reason:", "canceled", None),
        ("Cancelled", 0, "", "canceled", None),
        ("ApiCancelled", 0, "", "canceled", None),
        ("PreSubmitted", 399, "Order will not be placed at the exchange until 09:30", "new", None),
        ("PendingSubmit", 0, "", "pending_new", None),
    ],
)
def test_trade_of_interactive_brokers(status, code, message, expected, reason) -> None:
    """A rejected order is reported as cancelled: the error's code in the log tells them apart."""
    report = read_event(trade(status, code, message))
    assert (report.status, report.reject_reason, report.id, report.symbol, report.side) == (
        expected,
        reason,
        "7",
        "AAPL",
        "buy",
    )


def test_fill_of_interactive_brokers() -> None:
    execution = SimpleNamespace(execId="0001f4e8.1", side="BOT", shares=3.0, price=9.5, orderId=7, lastLiquidity=2)
    reported = SimpleNamespace(execId="0001f4e8.1", commission=1.0, currency="USD")
    contract = SimpleNamespace(symbol="AAPL", localSymbol="AAPL")
    report = read_event(Fills(contract, execution, reported))
    assert (report.status, report.id) == ("partially_filled", "7")
    assert report.execution == Fill(3.0, 9.5, "0001f4e8.1", "taker", ((1.0, "USD"),), "buy", "AAPL")
    pending = SimpleNamespace(execId="", commission=0.0, currency="")
    assert read_event(Fills(contract, execution, pending)).execution.fees == ()


class OrderSide(IntEnum):
    """As nautilus_trader's, whose enums are numbers."""

    BUY, SELL = 1, 2


class Liquidity(IntEnum):
    MAKER, TAKER = 1, 2


class OrderType(IntEnum):
    MARKET, LIMIT, STOP_MARKET = 1, 2, 3


def identifier(name: str, value: str) -> Any:
    return plain("nautilus_trader.model.identifiers", name, value=value)


def nautilus(event: str, **more: Any) -> Any:
    return plain(
        "nautilus_trader.model.events.order",
        event,
        client_order_id=identifier("ClientOrderId", "O-20210410-022422-001-001-1"),
        instrument_id=identifier("InstrumentId", "AUD/USD.SIM"),
        **{"venue_order_id": identifier("VenueOrderId", "1"), **more},
    )


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        *[("OrderInitialized", "pending_new"), ("OrderSubmitted", "pending_new"), ("OrderEmulated", "pending_new")],
        *[("OrderReleased", "pending_new"), ("OrderAccepted", "new"), ("OrderTriggered", "new"), ("OrderDenied", "rejected")],
        *[("OrderRejected", "rejected"), ("OrderCanceled", "canceled"), ("OrderExpired", "expired"), ("OrderUpdated", "new")],
        *[("OrderPendingUpdate", "pending_replace"), ("OrderPendingCancel", "pending_cancel"), ("OrderModifyRejected", "new")],
        *[("OrderCancelRejected", "new"), ("OrderFilled", "partially_filled"), ("OrderSomethingNew", "unknown")],
    ],
)
def test_event_of_nautilus(event, expected) -> None:
    report = read_event(nautilus(event, reason="Exceeds MAX_NOTIONAL_PER_ORDER"))
    assert report.status == expected
    if event != "OrderSomethingNew":
        assert (report.id, report.client_id, report.symbol) == ("1", "O-20210410-022422-001-001-1", "AUD/USD.SIM")
        assert read_event({"type": event, "client_order_id": "O-1", "venue_order_id": None}).status == expected


def test_denied_order_of_nautilus_was_refused_by_a_risk_check() -> None:
    report = read_event(nautilus("OrderDenied", venue_order_id=None, reason="anything"))
    assert (report.id, report.reject_reason) == ("O-20210410-022422-001-001-1", "risk_limit")


FILL = Fill(Decimal("0.5"), Decimal("1.25"), "E-1", "taker", ((Decimal("0.02"), "USD"),), "sell", "AUD/USD.SIM")


def test_fill_of_nautilus_as_an_object() -> None:
    """Quantities are whole numbers of the smallest unit, 10^-16 in a build of high precision; enums are numbers."""

    def number(name: str, raw: int, **more: Any) -> Any:
        return plain("nautilus_trader.model.objects", name, raw=raw, **more)

    event = nautilus(
        "OrderFilled",
        trade_id=identifier("TradeId", "E-1"),
        order_side=OrderSide.SELL,
        order_type=OrderType.STOP_MARKET,
        last_qty=number("Quantity", 5 * 10**15, precision=1),
        last_px=number("Price", 125 * 10**14, precision=2),
        commission=number("Money", 2 * 10**14, currency=SimpleNamespace(code="USD")),
        liquidity_side=Liquidity.TAKER,
    )
    report = read_event(event)
    assert (report.execution, report.side, report.type) == (FILL, "sell", "stop_market")


def test_fill_of_nautilus_as_its_dict() -> None:
    """What `OrderFilled.to_dict` returned."""
    report = read_event(
        {
            "type": "OrderFilled",
            "trader_id": "TESTER-000",
            "strategy_id": "S-001",
            "instrument_id": "AUD/USD.SIM",
            "client_order_id": "O-1",
            "venue_order_id": "1",
            "account_id": "SIM-000",
            "trade_id": "E-1",
            "position_id": None,
            "order_side": "SELL",
            "order_type": "LIMIT",
            "last_qty": "0.5",
            "last_px": "1.25",
            "currency": "USD",
            "commission": "0.02 USD",
            "liquidity_side": "TAKER",
            "ts_event": 0,
            "info": {},
            "reconciliation": False,
        }
    )
    assert (report.execution, report.side, report.type, report.id, report.client_id) == (FILL, "sell", "limit", "1", "O-1")


class OrderBase:
    """As backtrader's, whose orders have their terms in `params`."""

    __module__ = "backtrader.order"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


class SellOrder(OrderBase):
    __module__ = "backtrader.order"
    ordtype = 1


@pytest.mark.parametrize(
    ("status", "executed", "expected", "reason"),
    [
        *[(0, 0, "pending_new", None), (1, 0, "pending_new", None), (2, 0, "new", None), (3, -1, "partially_filled", None)],
        *[(4, -3, "filled", None), (5, 0, "canceled", None), (6, 0, "expired", None)],
        *[
            (7, 0, "rejected", "insufficient_funds"),
            (8, 0, "rejected", "other"),
            (9, 0, "unknown", None),
            (-1, 0, "unknown", None),
        ],
    ],
)
def test_order_of_backtrader(status, executed, expected, reason) -> None:
    """Its status is a number; what it sells is negative."""
    order = SellOrder()
    order.__dict__.update(
        ref=17,
        status=status,
        created=SimpleNamespace(size=-3, price=100.0),
        executed=SimpleNamespace(size=executed, price=100.0 if executed else 0.0, comm=0.5 if executed else 0.0),
        params=SimpleNamespace(exectype=2, data=SimpleNamespace(_name="GOOG")),
    )
    report = read_event(order)
    assert (report.status, report.reject_reason, report.id) == (expected, reason, "17")
    assert (report.symbol, report.side, report.type, report.quantity) == ("GOOG", "sell", "limit", 3)
    assert (report.filled, report.average) == ((abs(executed), 100.0) if executed else (0, None))
    assert report.fees == (((0.5, None),) if executed else ())


@pytest.mark.parametrize("told", [None, 3.5, object(), [], {}, "", {"order": object(), "price": 1}, {"type": "OrderFilled"}])
def test_whatever_is_told_is_read(told) -> None:
    assert read_event(told).status in {"unknown", "pending_new", "partially_filled"}
