"""`OrderTracker`: what is recorded of an order's life, told in order and out of order."""

# ruff: noqa: ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

from datetime import datetime, timezone
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

TERMS = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": 2}
AT = {"venue.name": "kraken", "strategy.name": "s"}


class Account:
    """Keeps the fills that it gets."""

    name, currency = "main", "USD"

    def __init__(self) -> None:
        self.fills: list[tuple[Any, ...]] = []

    def fill(self, *what: Any, execution_id: str | None, **details: Any) -> None:
        self.fills.append((*what, execution_id))


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def tracker(now: Now, no_faults) -> ot.OrderTracker:  # noqa: ARG001 - nothing of ours fails in these tests
    return ot.OrderTracker(venue="kraken", strategy="s", clock=now)


def legs(recorded) -> dict[str, tuple[int, float]]:
    return {at["order.leg"]: value for at, value in recorded.points("order.leg.duration")}


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


def test_times_may_be_those_of_the_venue(recorded, tracker) -> None:
    tracker.submitted("c", **TERMS, time=datetime.fromtimestamp(100, tz=timezone.utc))
    tracker.acknowledged("c", time=100.5)
    assert legs(recorded) == {"submit_ack": (1, 0.5)}
    assert recorded.one("order.oldest_open.time") == 100.0


def test_id_may_be_used_again_after_the_grace(recorded, tracker, now) -> None:
    for seconds in (0, 299, 2):
        now.time += seconds
        tracker.submitted("c", **TERMS)
        tracker.canceled("c")
    assert recorded.one("order.submissions") == 2
    assert recorded.one("orders", status="canceled") == 2


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


def test_symbol_is_on_the_figures_of_open_orders_by_the_option(recorded, tracker) -> None:
    tracker.submitted("c", **TERMS)
    recording.configure(recording.Options(symbol_on_durations=True))
    assert recorded.points("order.active") == [({**AT, "instrument.symbol": "BTC/USDT"}, 1)]


def test_clock_stays_until_another_one_is_given(tracker, now) -> None:
    """A second tracker of the same orders that names no clock does not put recorded orders into the present."""
    tracker.submitted("c", **TERMS)
    ot.OrderTracker(venue="kraken", strategy="other")
    assert tracker.status("c") == "pending_new"
    now.time += 31
    assert tracker.status("c") == "unknown"


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
