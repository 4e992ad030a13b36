"""The life of an order, from the decision to its end: a state machine that knows neither metrics nor threads nor the clock.

What happens is told to it in any order, late and twice; what comes of it is told to a `Sink`, each leg and the end once.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from otel_trading.orders.tally import Tally
from otel_trading.orders.transitions import ACKNOWLEDGED, WAITING, follow
from otel_trading.semconv.attributes import OrderLeg, OrderStatus

TIMEOUT: Final = 30.0
"""Seconds after which an order whose answer is due is `unknown`, unless a tracker says otherwise."""

GRACE: Final = 300.0
"""Seconds in which what nothing can resolve any more is still shown, and in which an ended order's id is that order's only."""

_MOST_EXECUTIONS: Final = 2_000
"""Executions of one order that are remembered with it."""

Moment: TypeAlias = Literal["decided", "submitted", "acknowledged", "first_fill", "final"]

_LEGS: Final[tuple[tuple[OrderLeg, Moment, Moment], ...]] = (
    ("decide_submit", "decided", "submitted"),
    ("submit_ack", "submitted", "acknowledged"),
    ("ack_first_fill", "acknowledged", "first_fill"),
    ("submit_final", "submitted", "final"),
)


class Outcome(NamedTuple):
    """How an order that was followed ended."""

    filled: float
    """What was filled of it as far as it was told; all that was ordered where nothing but that it was filled was."""
    average: float | None
    quantity: float | None
    """What was ordered, if it was said."""
    reference: float | None
    """The price that was meant when it was decided, if it was said."""


class Sink(Protocol):
    """What is told of the lives of orders, under the lock of their memory: it must be quick, and must not raise."""

    def joined(self, other: Sink) -> Sink:
        """Return the sink that knows of an order what this one and the `other` one know."""
        ...

    def leg(self, leg: OrderLeg, seconds: float) -> None:
        """Take the duration of a leg."""
        ...

    def timed_out(self) -> None:
        """Take note that an order became `unknown` because no answer came in time."""
        ...

    def closed(self, outcome: Outcome) -> None:
        """Take note of how the order ended, apart from its status."""
        ...


class Known(NamedTuple):
    """What may be said of an order with what happened to it."""

    quantity: float | None = None
    reference: float | None = None
    decided: float | None = None
    """When it was decided, in unix seconds."""
    submitted: float | None = None
    """When it was sent, in unix seconds."""
    at: float | None = None
    """When it happened, in unix seconds: now, if it is not said."""
    timeout: float | None = None
    """Seconds; what was said before, if it is not said, and by default `TIMEOUT`."""
    grace: float | None = None
    """Seconds; likewise, by default `GRACE`."""


class Order(Tally[float]):
    """What is remembered of an order for as long as it is."""

    __slots__ = ("ended", "ended_at", "executions", "life", "names", "sink", "submitted")

    def __init__(self) -> None:
        super().__init__(0.0)
        self.submitted = False
        self.ended: OrderStatus | None = None
        self.ended_at: float | None = None
        self.executions: set[Hashable] | None = None
        """The executions that were told with its id: some are told before the instrument is known."""
        self.life: Life | None = None
        self.names: tuple[str, ...] = ()
        """Its ids, where it has several."""
        self.sink: Sink | None = None
        """Where its life was told last, for what comes after its end."""

    def first_time(self, execution: Hashable) -> bool:
        """Whether an execution is new to the order."""
        if self.executions is None:
            self.executions = set()
        if execution in self.executions or len(self.executions) >= _MOST_EXECUTIONS:
            return execution not in self.executions
        self.executions.add(execution)
        return True

    def end(self, status: OrderStatus) -> bool:
        """Whether this end counts: the first one, or what an unknown order turned out to be."""
        new = self.ended is None or (self.ended == "unknown" and status != "unknown")
        if new:
            self.ended = status
        return new

    def merge(self, other: Order) -> None:
        """Take over what was counted of the same order under another id."""
        self.names = tuple(dict.fromkeys((*self.names, *other.names)))
        self.add(other)
        if other.executions:
            self.executions = (self.executions or set()) | other.executions
        self.sink = self.sink or other.sink
        self.submitted |= other.submitted
        if self.ended is None:
            self.ended = other.ended


class Life:
    """An order that is followed because it has not ended."""

    __slots__ = ("_times", "deadline", "keys", "known", "order", "sent", "since", "sink", "status")

    def __init__(self, order: Order, sink: Sink, now: float, known: Known) -> None:
        self.order = order
        self.sink = sink
        self.known = known
        self.keys: list[str] = []
        """The ids under which it is told of."""
        self.status: OrderStatus = "pending_new"
        self.sent = False
        """Whether it is more than a decision."""
        self._times: dict[Moment, float] = {}
        self.since = now
        """When it was sent as far as we know, in unix seconds; NaN where no clock could say."""
        self.deadline = math.inf
        """When it is not to be waited for any longer, in unix seconds."""

    @property
    def active(self) -> bool:
        """Whether it is working, or on its way there."""
        return self.status != "unknown" and self.sent

    @property
    def unresolved(self) -> bool:
        """Whether it may or may not be working."""
        return self.status == "unknown"

    def learn(self, known: Known) -> None:
        """Take what is said of it."""
        mine = self.known
        self.known = Known(
            mine.quantity if known.quantity is None else known.quantity,
            known.reference if mine.reference is None else mine.reference,
            timeout=mine.timeout if known.timeout is None else known.timeout,
            grace=mine.grace if known.grace is None else known.grace,
        )
        if known.decided is not None:
            self.reached("decided", known.decided)
        if known.submitted is not None:
            self.reached("submitted", known.submitted)
            self.since = self._times.get("submitted", self.since)

    def tell(self, status: OrderStatus, at: float, now: float) -> None:
        """Move on to `status`, which it came to at a time, if that may follow; the end is told by `close`."""
        before, new = self.status, not self.sent
        self.sent = True
        if status in ACKNOWLEDGED:  # also when it comes after the fill
            self.reached("acknowledged", at)
        self.status = follow(before, status, filled=self.order.filled > 0)
        if self.status == "partially_filled":
            self.reached("first_fill", at)
        if new or self.status != before:
            self.wait(now)

    def wait(self, now: float) -> None:
        """Begin to wait for what comes next."""
        known = self.known
        grace = GRACE if known.grace is None else known.grace
        if self.status in WAITING:
            self.deadline = now + (grace if not self.sent else TIMEOUT if known.timeout is None else known.timeout)
        elif self.status == "unknown" and not self.keys:
            self.deadline = now + grace
        else:
            self.deadline = math.inf
        if math.isnan(self.deadline):  # no clock could say since when
            self.deadline = math.inf

    def due(self, now: float) -> bool:
        """Do what is due at a deadline that has passed; returns whether there is nothing more to wait for."""
        if self.status == "unknown" or not self.sent:
            return True  # nothing can be told of it without an id; or it never was an order
        self.status, self.deadline = "unknown", math.inf
        if self.order.end("unknown"):
            self.sink.timed_out()
        self.wait(now)
        return False

    def close(self, status: OrderStatus, at: float) -> None:
        """Tell the sink how it ended."""
        self.status = status
        order, known, times = self.order, self.known, self._times
        if status == "filled":
            self.reached("first_fill", at)
        if "acknowledged" not in times and "first_fill" in times and "submitted" in times:
            # Nothing but the fill said that the venue had it.
            self._leg("submit_ack", times["first_fill"] - times["submitted"])
        self.reached("final", at)
        average = order.cost / order.filled if order.filled > 0 and order.cost > 0 else None
        untold = status == "filled" and not order.filled and known.quantity is not None
        self.sink.closed(Outcome(known.quantity or 0.0 if untold else order.filled, average, known.quantity, known.reference))

    def take(self, other: Life) -> None:
        """Become what `other` was too: the same order, told of under another id."""
        status, known = other.status, other.known
        for moment, at in other._times.items():
            self.reached(moment, at)
        self.learn(known)
        self.since = min(self.since, other.since)
        if other.sent:
            self.tell(status, other.since, other.since)

    def reached(self, moment: Moment, at: float) -> None:
        """Take the first time that a moment came, and tell the legs that it completes; a time that is NaN is none."""
        times = self._times
        if moment in times or math.isnan(at):
            return
        times[moment] = at
        for leg, start, stop in _LEGS:
            if moment in (start, stop) and start in times and stop in times:
                self._leg(leg, times[stop] - times[start])

    def _leg(self, leg: OrderLeg, seconds: float) -> None:
        if seconds >= 0:  # else they were told in another order than they came in
            self.sink.leg(leg, seconds)
