"""The times of orders: whose clock they are of, and what is recorded when it fails."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

import otel_trading as ot
from otel_trading.metrics import faults
from tests.unit.recording.tracked import AT, TERMS, legs


def test_times_may_be_those_of_the_venue(recorded, tracker) -> None:
    tracker.submitted("c", **TERMS, time=datetime.fromtimestamp(100, tz=timezone.utc))
    tracker.acknowledged("c", time=100.5)
    assert legs(recorded) == {"submit_ack": (1, 0.5)}
    assert recorded.one("order.oldest_open.time") == 100.0


def test_account_gets_a_fill_at_the_time_that_it_was_told_with() -> None:
    """Recorded orders: the day of a fill is its own, whichever way it is told, and not the one on which it is replayed."""
    account = ot.Account("recorded", currency="USD", cash=1_000)
    tracker = ot.OrderTracker(venue="recorded", account=account)
    day = 1_262_304_000.0
    tracker.submitted("c", symbol="AAPL", side="buy", quantity=3, time=day)
    tracker.filled("c", 1, 100, execution_id="1", time=day + 1)
    assert account.last_event_time == day + 1
    tracker.update({"id": "c", "status": "open", "amount": 3, "filled": 2, "average": 100}, time=day + 2)
    assert account.last_event_time == day + 2
    for number, execution in enumerate("23"):  # the first of them was counted with the total
        trade = {"id": execution, "order": "c", "price": 100, "amount": 1, "symbol": "AAPL", "side": "buy"}
        tracker.update(trade, time=day + 3 + number)
    assert account.last_event_time == day + 4
    assert account.positions["AAPL"].size == 3
    account.close()


def test_clock_stays_until_another_one_is_given(tracker, now) -> None:
    """A second tracker of the same orders that names no clock does not put recorded orders into the present."""
    tracker.submitted("c", **TERMS)
    ot.OrderTracker(venue="kraken", strategy="other")
    assert tracker.status("c") == "pending_new"
    now.time += 31
    assert tracker.status("c") == "unknown"


@pytest.mark.usefixtures("recorded")
def test_tracker_without_a_timeout_leaves_that_of_the_decorator_that_sent_the_order(now) -> None:
    """Sent with a time-out of 90 seconds, canceled through the stream a minute later: 30 seconds would be the default."""
    tracker = ot.OrderTracker(venue="kraken", strategy="s", clock=now)

    @ot.order_execution(venue="kraken", strategy="s", timeout=90)
    def place_order(symbol: str, side: str, quantity: float, client_order_id: str) -> None: ...

    place_order("BTC/USDT", "buy", 2, "c")
    now.time += 60
    tracker.canceling("c")
    now.time += 89
    assert tracker.status("c") == "pending_cancel"
    now.time += 1
    assert tracker.status("c") == "unknown"


def test_clock_that_fails_is_no_fault_of_the_bot(recorded, now) -> None:
    """Orders end and begin without a time: they count, but have no legs of it. What is open can be asked for and is collected."""
    told = [now]

    def clock() -> float:
        return told[0]()

    tracker = ot.OrderTracker(venue="kraken", strategy="s", clock=clock)
    tracker.submitted("c", **TERMS)
    told[0] = lambda: 1 / 0
    tracker.canceled("c")
    tracker.submitted("d", **TERMS)
    assert (tracker.active, tracker.unresolved, tracker.status("d")) == (1, 0, "pending_new")
    assert recorded.one("order.active", **AT) == 1
    assert recorded.one("orders", status="canceled") == 1
    assert not recorded.points("order.oldest_open.time")
    assert {component for component, _ in faults.errors} == {"clock"}
    told[0] = now
    tracker.canceled("c")
    tracker.submitted("e", **TERMS)
    now.time += 31
    assert (tracker.status("d"), tracker.status("e")) == ("pending_new", "unknown")
    tracker.filled("d", 2, 100.0, execution_id="1", complete=True)
    assert recorded.one("orders", status="canceled") == 1
    assert recorded.one("orders", status="filled") == 1
    assert legs(recorded) == {}


def test_order_that_comes_back_while_the_clock_fails_counts(recorded, now) -> None:
    told = [now]

    def clock() -> float:
        return told[0]()

    ot.OrderTracker(venue="kraken", strategy="s", clock=clock)

    @ot.order_execution(venue="kraken", strategy="s")
    def place_order(symbol: str, side: str, quantity: float) -> dict[str, object]:  # noqa: ARG001 - read from outside
        told[0] = lambda: 1 / 0
        return {"id": "O-1", "status": "canceled", "amount": quantity, "filled": 0.5, "average": 100.0}

    place_order("BTC/USDT", "buy", 2)
    told[0] = now  # the orders of this venue keep the clock, also in the next test
    assert recorded.one("orders", status="canceled") == 1
    assert recorded.one("order.fill_ratio") == (1, 0.25)
    assert {component for component, _ in faults.errors} == {"clock"}
