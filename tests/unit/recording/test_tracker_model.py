"""Whatever is told of orders, in any order, twice and late: a tracker agrees with a model that is too simple to be wrong."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import otel_trading as ot
from otel_trading.metrics import faults
from otel_trading.orders import seen
from tests.routes import attached
from tests.unit.recording.recorded import Recorded

TIMEOUT, GRACE = 30.0, 300.0
ENDS = {"filled", "canceled", "rejected", "expired"}
WAITING = {"pending_new", "pending_cancel"}
KEYS = [f"o{n}" for n in range(4)]
QUANTITY = 4


class Account:
    """Adds up what it gets."""

    name, currency = "main", "USD"

    def __init__(self) -> None:
        self.bought: dict[str, float] = {}

    def fill(self, symbol: str, side: str, quantity: Any, price: Any, **details: Any) -> None:
        self.bought[symbol] = self.bought.get(symbol, 0.0) + float(quantity)


class Model:
    """One order."""

    def __init__(self) -> None:
        self.status: str | None = None
        self.submitted = False
        self.executions: set[int] = set()
        self.totals = 0
        self.ends: list[str] = []
        self.due: float | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDS

    @property
    def filled(self) -> int:
        return max(len(self.executions), self.totals)

    def told(self, status: str, now: float) -> None:
        if self.ended:
            return
        before = self.status
        if status == "pending_new" and before not in {None, "unknown"}:
            return
        if status in {"pending_new", "new"} and self.filled:
            status = before if before == "partially_filled" else "partially_filled"
        self.status = status
        if status in ENDS or (status == "unknown" and "unknown" not in self.ends):
            self.ends.append(status)
        if status != before:
            self.due = now + TIMEOUT if status in WAITING else None

    def passed(self, now: float) -> None:
        if self.due is not None and now >= self.due:
            self.told("unknown", now)


class Orders(RuleBasedStateMachine):
    """Each rule tells the tracker and the model the same."""

    def __init__(self) -> None:
        super().__init__()
        seen.clear()
        faults.reset()
        self.route = attached("core")
        self.recorded = Recorded(self.route.__enter__()[0])
        self.now = 1_000.0
        self.account = Account()
        self.tracker = ot.OrderTracker(venue="v", account=self.account, timeout=TIMEOUT, grace=GRACE, clock=lambda: self.now)
        self.models = {key: Model() for key in KEYS}
        for key in KEYS:
            self.tracker.decided(key, symbol=f"{key}/USD", side="buy", type="limit", quantity=QUANTITY)

    def teardown(self) -> None:
        self.route.__exit__(None, None, None)
        seen.clear()

    @rule(key=st.sampled_from(KEYS))
    def submitted(self, key: str) -> None:
        self.tracker.submitted(key)
        model = self.models[key]
        model.submitted = True
        model.told("pending_new", self.now)

    @rule(
        key=st.sampled_from(KEYS),
        status=st.sampled_from(["acknowledged", "canceling", "canceled", "rejected", "expired", "lost"]),
    )
    def happened(self, key: str, status: str) -> None:
        getattr(self.tracker, status)(key)
        words = {"acknowledged": "new", "canceling": "pending_cancel", "lost": "unknown"}
        self.models[key].told(words.get(status, status), self.now)

    @rule(key=st.sampled_from(KEYS), number=st.integers(1, QUANTITY))
    def filled(self, key: str, number: int) -> None:
        """Executions 1 to 4 of one unit each: in any order, and again."""
        self.tracker.filled(key, 1, 10.0, execution_id=f"{key}-{number}")
        model = self.models[key]
        model.executions.add(number)
        model.told("filled" if model.filled >= QUANTITY else "partially_filled", self.now)

    @rule(
        key=st.sampled_from(KEYS),
        filled=st.integers(0, QUANTITY),
        status=st.sampled_from(["open", "closed", "canceled", "expired", "rejected", "invented by the venue"]),
    )
    def order(self, key: str, filled: int, status: str) -> None:
        """An order as ccxt has it, from a query or a stream: possibly older than what was told before."""
        answer = {"id": key, "status": status, "amount": float(QUANTITY), "filled": float(filled), "average": 10.0}
        self.tracker.update(answer)
        model = self.models[key]
        model.totals = max(model.totals, filled)
        if status == "closed":
            status = "filled" if filled == QUANTITY else "canceled"
        elif status == "open":
            status = "filled" if filled == QUANTITY else "partially_filled" if filled else "new"
        model.told("unknown" if " " in status else status, self.now)

    # Not so long that an id is forgotten with its order, and the same one would be a new order.
    @precondition(lambda self: self.now < 1_000.0 + GRACE - 61)
    @rule(seconds=st.sampled_from([0.5, 10.0, 29.5, 31.0, 60.0]))
    def passes(self, seconds: float) -> None:
        self.now += seconds
        for model in self.models.values():
            model.passed(self.now)

    @invariant()
    def agrees(self) -> None:
        models = self.models
        open_ = {key: model.status for key, model in models.items() if model.status is not None and not model.ended}
        assert {key: self.tracker.status(key) for key in open_} == open_
        assert self.tracker.active == sum(status != "unknown" for status in open_.values())
        assert self.tracker.unresolved == sum(status == "unknown" for status in open_.values())
        assert self.account.bought == {f"{key}/USD": float(model.filled) for key, model in models.items() if model.filled}
        assert not faults.errors

    @invariant()
    def records(self) -> None:
        found = self.recorded.all()
        ends: dict[str, int] = {}
        for model in self.models.values():
            for status in model.ends:
                ends[status] = ends.get(status, 0) + 1
        assert {at["order.status"]: int(value) for at, value in found.get("orders", ())} == ends
        assert sum(value for _, value in found.get("order.submissions", ())) == sum(m.submitted for m in self.models.values())
        assert sum(value for _, value in found.get("volume", ())) == 10.0 * sum(m.filled for m in self.models.values())
        shown = {name: sum(value for _, value in found.get(f"order.{name}", ())) for name in ("active", "unresolved")}
        assert shown == {"active": self.tracker.active, "unresolved": self.tracker.unresolved}


Orders.TestCase.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=25)
TestOrders = Orders.TestCase


EVENTS = {
    "submitted": lambda tracker: tracker.submitted("c", symbol="BTC/USD", side="buy", type="limit", quantity=2),
    "acknowledged": lambda tracker: tracker.acknowledged("c", order_id="v"),
    "first fill": lambda tracker: tracker.filled("v", 1, 10.0, execution_id="1"),
    "trade": lambda tracker: tracker.update(
        {"id": "2", "order": "v", "symbol": "BTC/USD", "side": "buy", "price": 10.0, "amount": 1.0, "fee": None}
    ),
    "closed": lambda tracker: tracker.update(
        {"id": "v", "clientOrderId": "c", "symbol": "BTC/USD", "side": "buy", "status": "closed", "amount": 2.0, "filled": 2.0}
        | {"average": 10.0}
    ),
}


@settings(max_examples=3 * settings().max_examples)
@given(st.permutations([*EVENTS, *EVENTS]))
def test_one_order_under_two_ids_in_any_order_and_twice(events) -> None:
    """The bot's id and the venue's are one order as soon as one event says so; fills may come long before."""
    seen.clear()
    faults.reset()
    account = Account()
    with attached("core") as (reader,):
        tracker = ot.OrderTracker(venue="v", account=account, clock=lambda: 1_000.0)
        for event in events:
            EVENTS[event](tracker)
        found = Recorded(reader).all()
    assert sum(value for _, value in found["volume"]) == 20.0
    assert account.bought == {"BTC/USD": 2.0}
    assert [(at["order.status"], value) for at, value in found["orders"]] == [("filled", 1)]
    assert sum(value for _, value in found["order.submissions"]) == 1
    assert (tracker.active, tracker.unresolved) == (0, 0)
    assert not faults.errors


@pytest.mark.usefixtures("no_faults")
def test_threads_that_tell_the_same_orders_count_each_once(recorded) -> None:
    """Four threads tell everything of 100 orders, each in another order."""
    account, orders = Account(), 100
    tracker = ot.OrderTracker(venue="v", account=account)
    steps = [
        lambda key: tracker.submitted(key, symbol="BTC/USD", side="buy", type="limit", quantity=2),
        lambda key: tracker.acknowledged(key, order_id=f"venue-{key}"),
        lambda key: tracker.filled(key, 1, 10.0, execution_id=f"{key}-1", symbol="BTC/USD", side="buy"),
        lambda key: tracker.filled(key, 1, 10.0, execution_id=f"{key}-2", symbol="BTC/USD", side="buy"),
        lambda key: tracker.update(
            {"id": f"venue-{key}", "clientOrderId": key, "status": "closed", "amount": 2.0, "filled": 2.0}
        ),
    ]
    ready = threading.Barrier(4)

    def tell(first: int) -> None:
        ready.wait()
        for place in range(first, first + len(steps)):
            for number in range(orders):
                steps[place % len(steps)](f"o{number}")

    threads = [threading.Thread(target=tell, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(value for known, value in recorded.points("orders") if known["order.status"] == "filled") == orders
    assert sum(value for _, value in recorded.points("fills")) == 2 * orders
    assert sum(value for _, value in recorded.points("order.submissions")) == orders
    assert account.bought == {"BTC/USD": 2.0 * orders}
    assert (tracker.active, tracker.unresolved) == (0, 0)
