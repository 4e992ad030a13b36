"""An order of which the decorator, the tracker and plain calls tell, in whatever order and however often: each figure once."""

# ruff: noqa: ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

from typing import Any

import pytest

import otel_trading as ot
from tests.unit.recording.tracked import TERMS, Account


@pytest.mark.usefixtures("tracker")
def test_one_truth_with_the_decorator_and_the_plain_calls(recorded, now) -> None:
    """Sent through the decorator, filled over the stream, told again by everybody: each figure once."""
    account = Account()

    @ot.order_execution(venue="kraken", strategy="s", account=account)
    def place_order(symbol: str, side: str, quantity: float, order_type: str) -> dict[str, Any]:  # noqa: ARG001 - read by the decorator
        return {"id": "v", "clientOrderId": "c", "status": "open", "amount": 2.0, "filled": 0.0}

    tracker = ot.OrderTracker(venue="kraken", strategy="s", account=account, clock=now)
    place_order("BTC/USDT", "buy", 2.0, "limit")
    assert (tracker.active, recorded.one("order.active")) == (1, 1)
    trade = {
        "id": "t",
        "order": "v",
        "symbol": "BTC/USDT",
        "side": "buy",
        "price": 10.0,
        "amount": 2.0,
        "takerOrMaker": "maker",
    }
    closed = {"id": "v", "status": "closed", "amount": 2.0, "filled": 2.0, "average": 10.0}
    for _ in range(2):
        tracker.submitted("c", **TERMS)
        tracker.update(trade)
        tracker.update(closed)
        order = {"venue": "kraken", "strategy": "s", "account": "main", "side": "buy", "type": "limit", "symbol": "BTC/USDT"}
        ot.record_order(**order, status="filled", order_id="v")
        fill = {"venue": "kraken", "strategy": "s", "account": account, "symbol": "BTC/USDT", "side": "buy"}
        ot.record_fill(**fill, quantity=2, price=10, execution_id="t")
    assert account.fills == [("BTC/USDT", "buy", 2.0, 10.0, "t")]
    assert recorded.one("order.submissions") == 1
    assert recorded.one("orders", status="filled") == 1
    assert recorded.one("volume", currency="USDT") == 20
    assert recorded.one("fills", fill__liquidity="maker") == 1
    assert tracker.active == 0


@pytest.mark.parametrize("first", ["totals", "execution"])
def test_totals_and_single_fills_count_the_larger(recorded, tracker, first) -> None:
    """An execution that the order's totals counted already is none of its own, whichever is told first."""
    tracker.submitted("c", **TERMS)
    told = [
        lambda: tracker.update({"id": "c", "status": "open", "amount": 2.0, "filled": 1.5, "average": 10.0}),
        lambda: tracker.filled("c", 1, 10, execution_id="1"),
    ]
    for tell in told if first == "totals" else reversed(told):
        tell()
    tracker.filled("c", 0.5, 10, execution_id="2")
    assert recorded.one("volume", currency="USDT") == 15
    tracker.filled("c", 0.5, 10, execution_id="3")
    assert recorded.one("volume", currency="USDT") == 20
    assert recorded.one("orders", status="filled") == 1


def test_execution_told_with_and_without_its_instrument_counts_once(recorded, tracker) -> None:
    tracker.submitted("c")
    tracker.filled("c", 1, 10, execution_id="1")
    tracker.filled("c", 1, 10, execution_id="1", symbol="BTC/USDT", side="buy")
    tracker.filled("c", 1, 10, execution_id="2", symbol="BTC/USDT", side="buy")
    tracker.filled("c", 1, 10, execution_id="2")
    assert sum(value for _, value in recorded.points("fills")) == 2


@pytest.mark.parametrize("answer", ["open", "filled"])
def test_tracker_without_the_account_knows_the_orders_that_were_sent_with_it(recorded, tracker, answer) -> None:
    """Their fills go to that account, and count once under it."""
    account = Account()
    told = {"id": "v", "status": "open", "amount": 2.0, "filled": 0.0}
    done = {**told, "status": "closed", "filled": 2.0, "average": 10.0}
    answers = {"open": told, "filled": {**done, "trades": [{"id": "t", "amount": 2.0, "price": 10.0}]}}
    place_order = ot.order_execution(venue="kraken", account=account)(lambda symbol, side: answers[answer])
    place_order("BTC/USDT", "buy")
    for _ in range(2):
        tracker.filled("v", 2.0, 10.0, execution_id="t", symbol="BTC/USDT", side="buy")
        tracker.update(done)
    assert account.fills == [("BTC/USDT", "buy", 2.0, 10.0, "t")]
    assert [(known["account.name"], value) for known, value in recorded.points("volume")] == [("main", 20.0)]
    assert recorded.one("orders", status="filled") == 1
    assert tracker.active == 0


def test_same_id_in_two_accounts_is_two_orders(recorded) -> None:
    trackers = [ot.OrderTracker(venue="kraken", account=name) for name in ("one", "two")]
    for each in trackers:
        each.submitted("7", **TERMS)
    trackers[0].canceled("7")
    assert [each.active for each in trackers] == [0, 1]
    assert recorded.one("order.submissions") == 2


def test_no_account_gets_what_is_told_without_it(recorded) -> None:
    tracker = ot.OrderTracker(venue="kraken", account="main")
    tracker.submitted("c", **TERMS)
    tracker.filled("c", 2, 10, execution_id="1")
    assert recorded.one("volume", account__name="main") == 20
