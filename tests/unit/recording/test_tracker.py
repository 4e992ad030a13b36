"""`OrderTracker`: what is recorded of an order's life, told in order and out of order."""

# ruff: noqa: ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import otel_trading as ot
from otel_trading import recording
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.orders import Memory, seen
from otel_trading.orders.tracker import Known
from tests.unit.recording.tracked import AT, TERMS, Account, legs


def test_everything_about_an_order(recorded, tracker, now) -> None:
    """The worked example: 1 at 101 and 1 at 102 against 100 is 150 bps adverse, at a cost of 3 USDT."""
    tracker.decided("c", **TERMS, arrival_price=100.0)
    now.time = 1_000.25
    tracker.submitted("c")
    now.time = 1_000.75
    tracker.acknowledged("c", order_id="v")
    assert recorded.points("order.active") == [(AT, 1)]
    assert recorded.points("order.oldest_open.time") == [(AT, 1_000.25)]
    now.time = 1_002.75
    tracker.filled("v", 1, 101, execution_id="1", liquidity="maker", fee=Decimal("-0.01"))
    now.time = 1_010.25
    tracker.filled("v", 1, 102, execution_id="2", liquidity="taker", fee=Decimal("0.5"), fee_currency="BNB")
    order = {**AT, "order.type": "limit", "order.side": "buy"}
    fill = {**AT, "order.side": "buy", "instrument.symbol": "BTC/USDT"}
    usdt = {"currency": "USDT"}
    found = recorded.all()
    lengths = {"decide_submit": 0.25, "submit_ack": 0.5, "ack_first_fill": 2.0, "submit_final": 10.0}
    assert {at["order.leg"]: value for at, value in found.pop("order.leg.duration")} == {
        leg: (1, seconds) for leg, seconds in lengths.items()
    }
    assert {name: sorted(points, key=repr) for name, points in found.items()} == {
        "order.submissions": [(order, 1)],
        "orders": [({**order, "order.status": "filled"}, 1)],
        "order.active": [(AT, 0)],
        "order.fill_ratio": [({**AT, "order.type": "limit"}, (1, 1.0))],
        "fills": [({**fill, "fill.liquidity": "maker"}, 1), ({**fill, "fill.liquidity": "taker"}, 1)],
        "fill.notional": [({**AT, **usdt, "order.side": "buy"}, (2, 203.0))],
        "volume": [({**fill, **usdt}, 203.0)],
        "fees": [({**AT, "currency": "BNB"}, 0.5)],
        "rebates": [({**AT, **usdt}, 0.01)],
        "slippage": [({**fill, "slippage.direction": "adverse"}, (1, pytest.approx(150.0)))],
        "slippage_cost": [({**AT, **usdt, "instrument.symbol": "BTC/USDT"}, pytest.approx(3.0))],
    }


def test_fill_before_the_acknowledgement(recorded, tracker, now) -> None:
    """The leg to the acknowledgement is known, the one from it to the fill is not: it would be negative."""
    tracker.submitted("c", **TERMS)
    now.time += 1
    tracker.filled("c", 1, 10, execution_id="1")
    now.time += 1
    tracker.acknowledged("c")
    assert tracker.status("c") == "partially_filled"
    now.time += 1
    tracker.filled("c", 1, 10, execution_id="2")
    assert legs(recorded) == {"submit_ack": (1, 2.0), "submit_final": (1, 3.0)}


def test_fill_before_anything_else_waits_for_its_order(recorded, now) -> None:
    """It names the venue's id only, and no instrument: it is the order's as soon as the two ids are known to be one."""
    account = Account()
    tracker = ot.OrderTracker(venue="kraken", account=account, clock=now)
    tracker.submitted("c", **TERMS)
    tracker.filled("v", 1, 10, execution_id="1")
    assert account.fills == []
    tracker.acknowledged("c", order_id="v")
    tracker.filled("v", 1, 10, execution_id="1")
    assert account.fills == [("BTC/USDT", "buy", 1, 10, "1")]
    assert recorded.one("volume", currency="USDT") == 10
    assert (tracker.status("c"), tracker.status("v")) == ("partially_filled", "partially_filled")


def test_cancel_that_crosses_a_fill(recorded, tracker) -> None:
    """The order was canceled, and the fill counts: neither is taken back."""
    tracker.submitted("c", **TERMS)
    tracker.canceling("c")
    tracker.canceled("c")
    tracker.filled("c", 2, 10, execution_id="1")
    assert [(at["order.status"], count) for at, count in recorded.points("orders")] == [("canceled", 1)]
    assert recorded.one("volume", currency="USDT", instrument__symbol="BTC/USDT") == 20
    assert [value for _, value in recorded.points("order.fill_ratio")] == [(1, 0.0)]


def test_order_without_an_answer_is_unresolved_until_it_is_known(recorded, tracker, now) -> None:
    tracker.submitted("c", **TERMS)
    now.time += 29.9
    assert recorded.one("order.active") == 1
    now.time += 0.2
    found = recorded.all()
    assert (found["order.unresolved"], found["order.active"]) == ([(AT, 1)], [(AT, 0)])
    assert recorded.one("orders", status="unknown") == 1
    now.time += 10_000
    assert recorded.one("order.unresolved") == 1
    assert recorded.one("order.oldest_open.time") == 1_000.0
    tracker.expired("c")
    assert recorded.one("order.unresolved") == 0
    assert recorded.one("orders", status="expired") == 1
    assert recorded.one("orders", status="unknown") == 1


def test_cancel_without_an_answer_is_unresolved(recorded, tracker, now) -> None:
    tracker.submitted("c", **TERMS)
    tracker.acknowledged("c")
    now.time += 1_000
    assert recorded.one("order.active") == 1
    tracker.canceling("c")
    now.time += 31
    recorded.all()
    assert recorded.one("order.unresolved") == 1
    tracker.acknowledged("c")  # the cancel was refused
    assert (tracker.active, tracker.unresolved) == (1, 0)


def test_rejection_has_its_reason(recorded, tracker) -> None:
    tracker.submitted("c", **TERMS)
    tracker.rejected("c", "Account has insufficient balance for requested action.")
    tracker.rejected("c", "again")
    assert [(at["order.reject_reason"], count) for at, count in recorded.points("orders")] == [("insufficient_funds", 1)]
    assert legs(recorded) == {"submit_final": (1, 0.0)}


def test_decision_that_was_never_sent_is_no_order(recorded, tracker, now) -> None:
    tracker.decided("c", **TERMS)
    assert tracker.active == 0
    now.time += 1_000
    assert recorded.all() == {}
    assert len(seen["kraken", None].lives()) == 0


def test_id_may_be_used_again_after_the_grace(recorded, tracker, now) -> None:
    for seconds in (0, 299, 2):
        now.time += seconds
        tracker.submitted("c", **TERMS)
        tracker.canceled("c")
    assert recorded.one("order.submissions") == 2
    assert recorded.one("orders", status="canceled") == 2


def test_symbol_is_on_the_figures_of_open_orders_by_the_option(recorded, tracker) -> None:
    tracker.submitted("c", **TERMS)
    recording.configure(recording.Options(symbol_on_durations=True))
    assert recorded.points("order.active") == [({**AT, "instrument.symbol": "BTC/USDT"}, 1)]


def test_numbers_that_no_float_holds_and_a_symbol_that_is_no_text_are_as_if_not_said(recorded, tracker) -> None:
    """The event counts; nothing fails on the way."""
    tracker.decided("c", **TERMS | {"quantity": 10**400}, arrival_price=10**400)
    tracker.submitted("c")
    tracker.filled("c", 2, 100.0, execution_id="t", symbol=3.5, complete=True)
    assert recorded.one("order.submissions", **AT) == 1
    assert recorded.one("fills", **AT) == 1


def test_what_is_open_is_remembered_and_the_rest_is_bounded() -> None:
    """Ten thousand orders later an open one is still the same; open ones are bounded, too."""

    class Quiet:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: self

    memory, quiet = Memory(size=40), Quiet()
    memory.tell(["open"], quiet, "new", Known(2.0))
    memory.totals("open", 1.0, 10.0, {})
    for number in range(1_000):
        memory.at_once(f"whole {number}", 1.0, 1.0, None, "USD")
        memory.tell([f"ended {number}"], quiet, "canceled", Known(1.0))
    assert memory.totals("open", 1.0, 10.0, {}) is None
    assert memory.life("open") is not None
    for number in range(1_000):
        memory.tell([f"open {number}"], quiet, "new")
    assert len(memory.lives()) <= 10
    assert memory.life("open 999") is not None
    assert len(memory._orders.younger) + len(memory._orders.older) <= 60


@pytest.mark.parametrize("multiplier", [Decimal("0.5"), Fraction(1, 2)], ids=["Decimal", "Fraction"])
def test_multiplier_may_be_any_number(no_faults, multiplier) -> None:
    filled = {"id": "1", "status": "closed", "amount": 2.0, "filled": 2.0, "average": 10.0, "trades": [], "fees": []}
    place_order = ot.order_execution(venue="kraken", multiplier=multiplier, currency="USD")(
        lambda symbol, side, order_type: filled
    )
    for number in "12":
        filled["id"] = number  # the second takes the short way
        place_order("ES", "buy", "market")
    ot.record_fill(venue="kraken", symbol="ES", side="buy", quantity=2.0, price=10.0, currency="USD", multiplier=multiplier)
    ot.OrderTracker(venue="kraken", currency="USD", multiplier=multiplier).filled("3", 2, 10.0, symbol="ES", side="buy")
    assert no_faults.one("volume", currency="USD") == 40


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        *[({"timeout": 0}, "timeout is 0"), ({"timeout": "soon"}, "timeout is 'soon'"), ({"grace": -1}, "grace is -1")],
        *[({"clock": 3}, "clock is 3"), ({"venue": ""}, "venue is ''"), ({"multiplier": 0}, "multiplier is 0")],
        ({"account": 3}, "account is an Account, has its method fill, or is a name, not 3"),
        ({"timeout": float("nan")}, "timeout is nan"),
    ],
)
def test_wrong_settings_are_refused(wrong, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ot.OrderTracker(**{"venue": "kraken", **wrong})


@pytest.mark.parametrize(
    "nonsense", [None, "", [], object(), float("nan"), {}, b"x"], ids=["None", "text", "list", "object", "nan", "dict", "bytes"]
)
def test_nothing_is_raised_whatever_is_told(recorded, nonsense) -> None:
    tracker = ot.OrderTracker(venue="kraken")
    tracker.decided(nonsense, symbol=nonsense, side=nonsense, type=nonsense, quantity=nonsense, arrival_price=nonsense)
    tracker.submitted("c", symbol=nonsense, side=nonsense, quantity=nonsense, price=nonsense, time=nonsense)
    tracker.filled("c", nonsense, nonsense, execution_id=nonsense, fee=nonsense, fee_currency=nonsense, liquidity=nonsense)
    tracker.filled(nonsense, 1, 1)
    for end in ("acknowledged", "canceling", "canceled", "expired", "lost", "rejected", "update", "status"):
        getattr(tracker, end)(nonsense)
    tracker.rejected("c", nonsense, time=nonsense)
    assert recorded.one("orders", status="rejected") == 1
    assert not faults.errors
