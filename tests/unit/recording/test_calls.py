"""The plain recording calls: each series with its attributes and value, and nothing ever raised into the caller."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pytest

from otel_trading import recording
from otel_trading.metrics import catalog, faults

AT = {"venue.name": "kraken"}


@pytest.mark.usefixtures("no_faults")
def test_order(recorded) -> None:
    recording.record_order(venue="kraken", side="BUY", type="LMT", status="closed", latency=0.125, strategy="s")
    order = {**AT, "strategy.name": "s", "order.type": "limit", "order.side": "buy"}
    assert recorded.all() == {
        "order.submissions": [(order, 1)],
        "order.duration": [({**AT, "strategy.name": "s", "order.operation": "submit", "order.status": "filled"}, (1, 0.125))],
        "orders": [({**order, "order.status": "filled"}, 1)],
    }


@pytest.mark.usefixtures("no_faults")
def test_resting_order_has_not_ended(recorded) -> None:
    recording.record_order(venue="kraken", side="sell", type="market", status="open")
    assert recorded.points("orders") == []
    assert recorded.one("order.submissions", side="sell") == 1


@pytest.mark.usefixtures("no_faults")
def test_order_told_twice_by_its_id_counts_once(recorded) -> None:
    for status in ("new", "partially_filled", "filled", "filled"):
        recording.record_order(venue="kraken", side="buy", type="limit", status=status, order_id="1")
    assert recorded.one("order.submissions") == 1
    assert recorded.one("orders", status="filled") == 1


@pytest.mark.usefixtures("no_faults")
def test_rejected_order_has_a_reason(recorded) -> None:
    recording.record_order(venue="kraken", side="buy", type="limit", status="rejected", reject_reason="insufficient balance")
    recording.record_order(venue="kraken", side="buy", type="limit", status="rejected")
    assert recorded.one("orders", reject_reason="insufficient_funds") == 1
    assert recorded.one("orders", reject_reason="other") == 1


@pytest.mark.usefixtures("no_faults")
def test_fill(recorded) -> None:
    recording.record_fill(
        venue="kraken",
        symbol="AAPL",
        side="sell",
        quantity=Decimal("0.5"),
        price="200",
        fee=1,
        currency="USD",
        liquidity="maker",
        strategy="s",
        account="main",
    )
    by = {**AT, "strategy.name": "s", "account.name": "main"}
    fill = {**by, "order.side": "sell", "instrument.symbol": "AAPL"}
    usd = {"currency": "USD"}
    assert recorded.all() == {
        "fills": [({**fill, "fill.liquidity": "maker"}, 1)],
        "fill.notional": [({**by, **usd, "order.side": "sell"}, (1, 100.0))],
        "volume": [({**fill, **usd}, 100.0)],
        "fees": [({**by, **usd}, 1.0)],
    }


@pytest.mark.usefixtures("no_faults")
def test_currency_that_is_said_comes_before_that_of_the_symbol(recorded) -> None:
    recording.record_fill(venue="kraken", symbol="BTC/USDT", side="buy", quantity=1, price=2, currency="USD", fee=-0.5)
    assert recorded.one("volume", currency="USD") == 2
    assert recorded.one("rebates", currency="USD") == 0.5


@pytest.mark.usefixtures("no_faults")
def test_execution_counts_once(recorded) -> None:
    def tell(**more: Any) -> None:
        recording.record_fill(
            **{"venue": "kraken", "symbol": "A/USD", "side": "buy", "quantity": 1, "price": 1, "execution_id": "7", **more}
        )

    tell()
    tell()
    tell(symbol="B/USD")  # some venues number the trades of each symbol from one
    tell(venue="binance")
    tell(account="other")
    tell(side="sell")  # the other side of a trade with oneself
    assert sum(count for _, count in recorded.points("fills")) == 5


@pytest.mark.usefixtures("no_faults")
def test_account_object_gets_the_fill(recorded) -> None:
    class Account:
        name, currency = "main", "EUR"

        def fill(self, *what: Any, **details: Any) -> None:
            self.got = (what, details)

    account = Account()
    recording.record_fill(venue="kraken", symbol="SAP", side="buy", quantity=2, price=3, account=account, multiplier=10)
    assert account.got == (
        ("SAP", "buy", 2, 3),
        {"fee": 0, "fee_currency": None, "multiplier": 10, "execution_id": None},
    )
    assert recorded.one("volume", account__name="main", currency="EUR") == 60


@pytest.mark.parametrize(("quantity", "price"), [("many", 1), (1, None), (float("nan"), 1), (1, float("inf")), (object(), 1)])
def test_fill_without_numbers_is_dropped_and_counted(recorded, quantity, price) -> None:
    recording.record_fill(venue="kraken", symbol="A/USD", side="buy", quantity=quantity, price=price)
    assert recorded.all() == {}
    assert faults.dropped == {"not_a_number": 1}


@pytest.mark.usefixtures("no_faults")
def test_inference(recorded) -> None:
    recording.record_inference(0.25, model="m", version="1", label="up", score=-0.5, strategy="s")
    recording.record_inference(0.25, model="m", version="1", strategy="s")
    recording.record_inference(0.5, model="m", version="1", strategy="s", error=TimeoutError())
    model = {"model.name": "m", "model.version": "1", "strategy.name": "s"}
    assert recorded.all() == {
        "inference.duration": [(model, (2, 0.5)), ({**model, "error.type": "timeout"}, (1, 0.5))],
        "predictions": [({**model, "prediction.label": "up"}, 1), (model, 1)],
        "prediction.score": [({**model, "prediction.direction": "short"}, (1, 0.5))],
    }


@pytest.mark.parametrize(
    ("said", "direction"),
    [
        *[("long", "long"), ("SHORT", "short"), ("flat", "flat"), ("buy", "long"), ("sell", "short"), ("hold", "flat")],
        *[
            (1, "long"),
            (-1, "short"),
            (0, "flat"),
            (0.7, "long"),
            (np.float32(-0.1), "short"),
            ("bullish", "long"),
            ("?", "flat"),
        ],
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_signal(recorded, said, direction) -> None:
    recording.record_signal("s", said, symbol="BTC/USD")
    assert recorded.points("signals") == [({"strategy.name": "s", "signal.direction": direction}, 1)]


@pytest.mark.usefixtures("no_faults")
def test_market_data(recorded) -> None:
    recording.record_market_data("book", venue="kraken", symbol="BTC/USD", at=1_700_000_000.5)
    stream = {**AT, "stream.name": "book"}
    assert recorded.all() == {
        "market_data.last_update.time": [({**stream, "instrument.symbol": "BTC/USD"}, 1_700_000_000.5)],
        "stream.messages": [(stream, 1)],
    }


@pytest.mark.parametrize(
    ("events", "connected", "reconnects"),
    [
        ("connected", 1, None),
        ("disconnected", 0, None),
        ("connected disconnected", 0, None),
        ("connected disconnected disconnected disconnected connected", 1, 1),  # ccxt reports one loss three times
        ("connected connected", 1, None),
        ("disconnected connected", 1, None),
        ("connected disconnected reconnected", 1, 1),
        ("reconnected", 1, 1),
        ("connected disconnected connected disconnected connected", 1, 2),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_stream_events(request, recorded, events, connected, reconnects) -> None:
    """A reconnect is counted from the connection, not from the losses; the first connection is none."""
    name = request.node.name
    for event in events.split():
        recording.record_stream_event(name, event, venue="kraken")
    assert recorded.one("stream.connected", stream__name=name) == connected
    assert recorded.one("stream.reconnects", stream__name=name) == reconnects


@pytest.mark.usefixtures("no_faults")
def test_message_that_is_no_market_data(recorded) -> None:
    recording.record_stream_event("orders", "message", venue="kraken")
    assert recorded.all() == {"stream.messages": [({**AT, "stream.name": "orders"}, 1)]}


def test_unknown_stream_event_is_reported(recorded) -> None:
    recording.record_stream_event("orders", "exploded", venue="kraken")  # pyright: ignore[reportArgumentType]
    assert recorded.all() == {}
    assert faults.errors == {("record_stream_event", "ValueError"): 1}


@pytest.mark.usefixtures("no_faults")
def test_venue(recorded) -> None:
    recording.set_venue_connected("kraken", True)
    assert recorded.points("venue.connected") == [(AT, 1)]
    recording.set_venue_connected("kraken", False)
    assert recorded.points("venue.connected") == [(AT, 0)]


class Level(Enum):
    HIGH = "high"
    WARN = 2


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("critical", "critical"),
        ("ERROR", "critical"),
        (Level.HIGH, "critical"),
        ("warn", "warning"),
        (Level.WARN, "warning"),
        ("info", "info"),
        ("?", "warning"),
        (3, "warning"),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_alert(recorded, said, severity) -> None:
    recording.record_alert(said)
    assert recorded.points("alerts") == [({"alert.severity": severity}, 1)]


@pytest.mark.parametrize(
    ("error", "kind"), [(ValueError("x"), "ValueError"), (TimeoutError, "timeout"), ("stale data", "stale data")]
)
@pytest.mark.usefixtures("no_faults")
def test_error(recorded, error, kind) -> None:
    recording.record_error("data_feed", error)
    assert recorded.points("errors") == [({"component.name": "data_feed", "error.type": kind}, 1)]


class Hostile:
    """Raises whatever is done with it."""

    def _harm(self, *_: object) -> Any:
        raise RuntimeError("hostile")

    __str__ = __repr__ = __eq__ = __hash__ = __bool__ = __float__ = __iter__ = __len__ = _harm


CALLS = {
    "record_order": (
        recording.record_order,
        {
            "venue": "v",
            "side": "buy",
            "type": "limit",
            "status": "new",
            "symbol": "s",
            "latency": 1,
            "strategy": "s",
            "order_id": "1",
        },
    ),
    "record_fill": (
        recording.record_fill,
        {
            "venue": "v",
            "symbol": "s",
            "side": "buy",
            "quantity": 1,
            "price": 1,
            "fee": 1,
            "currency": "USD",
            "liquidity": "maker",
            "execution_id": "1",
            "account": "a",
            "multiplier": 1,
        },
    ),
    "record_inference": (
        recording.record_inference,
        {"seconds": 1, "model": "m", "version": "1", "label": "l", "score": 1, "strategy": "s"},
    ),
    "record_signal": (recording.record_signal, {"strategy": "s", "direction": "long", "symbol": "s"}),
    "record_market_data": (recording.record_market_data, {"stream": "s", "venue": "v", "symbol": "s", "at": 1}),
    "record_stream_event": (recording.record_stream_event, {"stream": "s", "event": "message", "venue": "v"}),
    "set_venue_connected": (recording.set_venue_connected, {"venue": "v", "connected": True}),
    "record_alert": (recording.record_alert, {"severity": "info", "strategy": "s"}),
    "record_error": (recording.record_error, {"component": "c", "error": "e"}),
}
BAD = [
    None,
    Hostile(),
    float("nan"),
    float("inf"),
    Decimal("NaN"),
    -1,
    "x" * 100_000,
    "\ud800",
    [],
    {},
    object(),
    np.array([1, 2]),
    10**400,
    b"\xff",
    type,
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: type(bad).__name__)
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.usefixtures("recorded")
def test_no_call_ever_raises(name, bad) -> None:
    """Whatever one of its arguments is."""
    call, arguments = CALLS[name]
    for spoilt in arguments:
        assert call(**{**arguments, spoilt: bad}) is None


@pytest.mark.parametrize("name", CALLS)
def test_calls_before_anything_is_configured_are_forgotten(recorded, name) -> None:
    """Counts begin with `configure()`: an order or a fill of before neither counts nor is it remembered as counted."""
    catalog.attach("idle")
    call, arguments = CALLS[name]
    call(**arguments)
    if name in {"record_order", "record_fill"}:
        from otel_trading.orders import seen

        assert seen["v", "a"].execution(("s", "buy", "1"))
        assert seen["v", None].submission("1")
    assert not faults.errors
    assert recorded.all() == {}


@pytest.mark.usefixtures("no_faults")
def test_symbol_is_on_durations_only_by_the_option(recorded) -> None:
    def tell() -> None:
        recording.record_order(venue="kraken", symbol="BTC/USD", side="buy", type="limit", status="filled", latency=1)
        recording.record_inference(1, model="m", symbol="BTC/USD", label="up")
        recording.record_signal("s", "long", symbol="BTC/USD")

    tell()
    assert not [known for points in recorded.all().values() for known, _ in points if "instrument.symbol" in known]
    recording.configure(recording.Options(symbol_on_durations=True))
    tell()
    for name in ("order.duration", "order.submissions", "orders", "inference.duration", "predictions", "signals"):
        assert recorded.one(name, instrument__symbol="BTC/USD") in {1, (1, 1.0)}


@pytest.mark.usefixtures("no_faults")
def test_fill_that_was_told_without_the_account_is_still_new_to_it(recorded) -> None:
    """Recorded once, by the account's name; handed over once, when the account itself is there."""

    class Account:
        name, currency = "main", "USD"

        def __init__(self) -> None:
            self.fills = 0

        def fill(self, *_: Any, **__: Any) -> None:
            self.fills += 1

    account = Account()
    for given in ("main", account, account):
        recording.record_fill(venue="v", symbol="A/USD", side="buy", quantity=1, price=1, execution_id="1", account=given)
    assert account.fills == 1
    assert [count for _, count in recorded.points("fills")] == [1]
