"""What has been counted already: the same execution and the same end of an order count once, however often they are told.

A venue repeats itself (after a reconnect, in the answer to each query), and a bot tells us the same order from its submission,
its queries and its stream. The memory is bounded: what was not used for long is forgotten.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from itertools import zip_longest
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from otel_trading.semconv.attributes import OrderStatus

REMEMBERED: Final = 10_000
"""Executions, and orders, of an account that are remembered: a few megabytes at most."""

PLACES: Final = 100
"""Accounts at venues that have a memory of their own."""

_ROUNDING: Final = 1e-9
"""A share of a quantity that is no fill but the rounding of floats."""

_V = TypeVar("_V")


class _Recent(Generic[_V]):
    """A mapping that makes what is missing, and forgets what was not used while `size` others were.

    Two generations: the younger one is filled, and becomes the older one when it is full.
    """

    def __init__(self, make: Callable[[], _V], size: int) -> None:
        self._make = make
        self.half = max(size // 2, 1)
        self.clear()

    def __getitem__(self, key: Hashable) -> _V:
        value = self.younger.get(key)
        if value is None:
            value = (self.older.get(key) if self.older else None) or self._make()
            self[key] = value
        return value

    def __setitem__(self, key: Hashable, value: _V) -> None:
        if len(self.younger) >= self.half:
            self.older, self.younger = self.younger, {}
        self.younger[key] = value

    def clear(self) -> None:
        self.younger: dict[Hashable, _V] = {}
        self.older: dict[Hashable, _V] = {}


class Growth(NamedTuple):
    """What was added to the totals of an order."""

    quantity: float
    cost: float
    """Quantity times price."""
    fees: tuple[float, ...]


class _Execution:
    counted = False


class _Order:
    submitted = False
    ended: OrderStatus | None = None
    filled = 0.0
    cost = 0.0
    fees: tuple[float, ...] = ()
    by_totals = False
    """Whether a part of it was counted from its totals: fills that are listed later would count that part again."""

    def end(self, status: OrderStatus) -> bool:
        new = self.ended is None or (self.ended == "unknown" and status != "unknown")
        if new:
            self.ended = status
        return new


_Whole: TypeAlias = "tuple[float, float, float | None]"
"""What is kept of an order that came back filled, which most are never asked about again: quantity, average price, fee."""


def _filled_at_once(filled: float, average: float, paid: float | None) -> _Order:
    order = _Order()
    order.ended, order.by_totals = "filled", True
    order.filled, order.cost, order.fees = filled, filled * average, () if paid is None else (paid,)
    return order


class Memory:
    """What was told of one account at one venue: whether something is new, and remembers it."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._lock = threading.RLock()  # a signal handler that records may interrupt the thread that holds it
        self._executions = _Recent(_Execution, size)
        self._orders: _Recent[_Order | _Whole] = _Recent(_Order, size)

    def execution(self, key: Hashable) -> bool:
        """Whether the execution is new."""
        with self._lock:
            execution = self._executions[key]
            new, execution.counted = not execution.counted, True
            return new

    def submission(self, order: str) -> bool:
        """Whether the order's submission is new."""
        with self._lock:
            known = self._order(order)
            new, known.submitted = not known.submitted, True
            return new

    def end(self, order: str, status: OrderStatus) -> bool:
        """Whether this end of the order counts: its first one, or what an unknown one turned out to be."""
        with self._lock:
            return self._order(order).end(status)

    def listed(self, order: str, filled: float, cost: float) -> bool:
        """Whether the order's fills can be counted one by one, as they are listed: `filled` in all, at `cost`."""
        with self._lock:
            known = self._order(order)
            if not known.by_totals and filled > known.filled:
                known.filled, known.cost = filled, cost
            return not known.by_totals

    def at_once(self, order: str, filled: float, average: float, paid: float | None) -> bool:
        """Whether nothing was told before of the order, which came back wholly filled (and with a fee, unless None)."""
        with self._lock:
            orders = self._orders
            younger = orders.younger
            if order in younger or order in orders.older:
                return False
            if len(younger) < orders.half:
                younger[order] = (filled, average, paid)
            else:
                orders[order] = (filled, average, paid)
            return True

    def totals(
        self, order: str, filled: float, cost: float, fees: tuple[float, ...], status: OrderStatus | None
    ) -> tuple[Growth | None, bool]:
        """Return what was filled since the order was last told of, None if nothing was, and whether its end counts."""
        with self._lock:
            known = self._order(order)
            ended = status is not None and known.end(status)
            quantity = filled - known.filled
            if quantity <= filled * _ROUNDING:
                return None, ended
            growth = Growth(quantity, cost - known.cost, _minus(fees, known.fees) if known.fees else fees)
            known.filled, known.cost, known.fees, known.by_totals = filled, cost, fees, True
            return growth, ended

    def _order(self, order: str) -> _Order:
        """What is remembered of an order."""
        known = self._orders[order]
        if isinstance(known, tuple):
            known = self._orders.younger[order] = _filled_at_once(*known)
        return known

    def clear(self) -> None:
        """Forget everything."""
        self._executions.clear()
        self._orders.clear()

    def begin_in_child(self) -> None:
        """Start from nothing in a process that forked, where the lock may be held by a thread that does not exist here."""
        self._lock = threading.RLock()
        self.clear()


def _minus(now: tuple[float, ...], then: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(paid - before for paid, before in zip_longest(now, then[: len(now)], fillvalue=0.0))


class Seen:
    """The memories of a process, one for each account at each venue."""

    def __init__(self) -> None:
        self._memories: dict[Hashable, Memory] = {}

    def __getitem__(self, place: tuple[str, str | None]) -> Memory:
        """The memory of a venue and an account; beyond so many of them they share one."""
        memory = self._memories.get(place)
        if memory is None:
            shared = place if len(self._memories) < PLACES else None
            memory = self._memories.setdefault(shared, Memory())
        return memory

    def clear(self) -> None:
        """Forget everything (for tests)."""
        for memory in self._memories.values():
            memory.clear()

    def begin_in_child(self) -> None:
        """Start from nothing in a process that forked."""
        for memory in self._memories.values():
            memory.begin_in_child()


seen = Seen()
"""What this process was told, shared by the decorators and the plain calls."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=seen.begin_in_child)
