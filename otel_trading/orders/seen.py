"""What is known of the orders of this process: what was counted of them already, and which of them have not ended.

A venue repeats itself (after a reconnect, in the answer to each query), and a bot tells us the same order from its submission,
its queries and its stream: the same execution and the same end of an order count once, however often and by whomever they are
told. The memory is bounded: what was not used for long is forgotten, what is still open last.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Final, TypeAlias, cast

from otel_trading.metrics import clock as clocks
from otel_trading.metrics import faults
from otel_trading.metrics.clock import Clock
from otel_trading.orders.entered import EXACT, Entered
from otel_trading.orders.recent import Recent
from otel_trading.orders.tally import Part
from otel_trading.orders.tracker import GRACE, Known, Life, Order, Sink
from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.semconv.attributes import OrderStatus

REMEMBERED: Final = 10_000
"""Executions, and orders, of an account that are remembered: a few megabytes at most."""

PLACES: Final = 100
"""Accounts at venues that have a memory of their own."""


class _Execution:
    counted = False


_Whole: TypeAlias = "tuple[float, float, float | None, str]"
"""What is kept of an order that came back filled, which most are never asked about again: quantity, average price, fee."""


def _filled_at_once(filled: float, average: float, paid: float | None, currency: str) -> Order:
    order = Order()
    order.totals(filled, average, {currency: paid} if paid else {})
    order.ended, order.submitted = "filled", True
    return order


class Memory:
    """What was told of one account at one venue: whether something is new, and remembers it; and what has not ended."""

    def __init__(self, size: int = REMEMBERED, clock: Clock = clocks.process) -> None:
        self.clock = clock
        self._lock = threading.RLock()  # a signal handler that records may interrupt the thread that holds it
        self._open: dict[Hashable, Order | _Whole] = {}
        self._most = max(size // 4, 1)
        """Orders that are followed at once; beyond it the one that was heard of first is let go."""
        self._lives: dict[Life, None] = {}
        self._held: dict[str, list[object]] = {}
        self._deadline = math.inf
        """No deadline of an order is before it."""
        self._executions = Recent(_Execution, size)
        self._orders: Recent[Order | _Whole] = Recent(Order, size, self._open)
        self._entered = Entered()

    def execution(self, key: Hashable | tuple[Hashable, ...], order: str | None = None) -> bool:
        """Whether the execution is new: to the account, and to its order where that is said."""
        with self._lock:
            execution = self._executions[key]
            new, execution.counted = not execution.counted, True
            if order is not None and type(key) is tuple:
                # Its own id and what it is for: the instrument may have been told with it, or not.
                new &= self._order(order).first_time(key[2:])
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
            return self._end(self._order(order), status)

    def at_once(self, order: str, filled: float, average: float, paid: float | None, currency: str) -> bool:
        """Whether nothing was told before of the order, which came back wholly filled (and with a fee, unless None)."""
        with self._lock:
            orders = self._orders
            younger = orders.younger
            if order in younger or order in orders.older:
                return False
            if len(younger) < orders.half:
                younger[order] = (filled, average, paid, currency)
            else:
                orders[order] = (filled, average, paid, currency)
            return True

    def totals(self, order: str, filled: float, average: float, fees: Mapping[str, float]) -> Part[float] | None:
        """Return what is new of an order's totals so far, None if nothing is; `fees` by currency."""
        with self._lock:
            return self._order(order).totals(filled, average, fees)

    def executed(self, order: str, quantity: float, price: float, fees: Mapping[str, float]) -> Part[float] | None:
        """Return what of a single fill was not counted with the order's totals before, None if all was."""
        with self._lock:
            return self._order(order).execution(quantity, price, fees)

    def handed(
        self, order: str, quantity: Decimal, price: Decimal, fees: Mapping[str, Decimal], *, totals: bool
    ) -> Part[Decimal] | None:
        """Return what of a single fill, or of an order's totals, an account that keeps no count itself has not got yet."""
        with self._lock, localcontext(EXACT):
            enter = self._entered.totals if totals else self._entered.single
            return enter(self.names(order), quantity, price, fees)

    def filled(self, order: str) -> float:
        """Return how much of the order was counted."""
        with self._lock:
            return self._order(order).filled

    def names(self, order: str) -> tuple[str, ...]:
        """Return all ids that the order is known by."""
        with self._lock:
            known = self._orders.get(order)
            return (known.names if isinstance(known, Order) else ()) or (order,)

    def tell(
        self,
        keys: Sequence[str],
        sink: Sink,
        status: OrderStatus | None,
        known: Known | None = None,
        *,
        sent: bool = False,
        kept: bool = False,
    ) -> bool:
        """Take what is told of an order, and return whether it is an end that counts.

        `keys` are its ids; without any only a lost order can be followed, and not be told of again. `status` is None where
        nothing has happened yet but the decision. `sent`: its submission was counted. `kept`: the sink is remembered also of an
        order that has ended at once. An order that has not ended is followed from now on; one that has is only where there is
        something more that is `known` of it.
        """
        with self._lock:
            now = self.clock.stamp()
            self._expire(now)
            order = self._of(keys, now, known)
            order.submitted |= sent
            if order.ended in TERMINAL:
                return False
            if status in TERMINAL and order.life is None and known is None:
                if kept and order.sink is None:
                    order.sink = sink
                return self._end(order, status)
            life = self._followed(order, keys, sink, now, known or Known())
            if status is None:
                life.wait(now)
                self._deadline = min(self._deadline, life.deadline)
                return False
            at = now if known is None or known.at is None else known.at
            if status in TERMINAL or status == "unknown":
                return self._end(order, status, at)
            life.tell(status, at, now)
            self._deadline = min(self._deadline, life.deadline)
            return False

    def sent_anew(self, keys: Sequence[str], known: Known) -> bool:
        """Whether the order's submission is new."""
        with self._lock:
            order = self._of(keys, self.clock.stamp(), known)
            new, order.submitted = not order.submitted, True
            return new

    def name(self, keys: Sequence[str]) -> None:
        """Take note that these are ids of one order."""
        with self._lock:
            order = self._of(keys, self.clock.stamp(), None)
            if order.life is not None:
                self._name(order.life, keys)

    def life(self, *keys: str | None) -> Life | None:
        """Return the order that has one of these ids, if it is followed."""
        with self._lock:
            for key in keys:
                order = self._open.get(key) if key is not None else None
                if isinstance(order, Order) and order.life is not None:
                    return order.life
            return None

    def knows(self, *keys: str | None) -> bool:
        """Whether an order with one of these ids was told of."""
        with self._lock:
            return any(key is not None and self._orders.get(key) is not None for key in keys)

    def sent(self, *keys: str | None) -> bool:
        """Whether the submission of an order with one of these ids was told."""
        with self._lock:
            orders = [self._order(key) for key in keys if key is not None and self._orders.get(key) is not None]
            return any(order.submitted for order in orders)

    def hold(self, key: str, what: object) -> None:
        """Keep something of an order of which nothing else is known yet; beyond a bound the oldest is forgotten."""
        with self._lock:
            self._held.setdefault(key, []).append(what)
            if len(self._held) > self._most:
                del self._held[next(iter(self._held))]

    def release(self, keys: Sequence[str]) -> list[object]:
        """Return what was kept of the order, which is then kept no longer."""
        with self._lock:
            return [each for key in keys for each in self._held.pop(key, ())] if self._held else []

    def owner(self, *keys: str | None) -> Sink | None:
        """Return where the life of the order with one of these ids is told, or was until it ended; None if it had none."""
        with self._lock:
            for key in keys:
                order = None if key is None else self._orders.get(key)
                if isinstance(order, Order) and order.sink is not None:
                    return order.sink
            return None

    def lives(self) -> list[Life]:
        """Return the orders that have not ended."""
        with self._lock:
            self._expire(self.clock.present())
            return list(self._lives)

    def _of(self, keys: Sequence[str], now: float, known: Known | None) -> Order:
        """The order that has these ids, all of which are its own from now on."""
        orders = [self._order(key) for key in keys if self._orders.get(key) is not None]
        if known is not None and not (known.submitted is None and known.decided is None):
            # Long after its end an id may be that of another order, which the bot has sent.
            grace = GRACE if known.grace is None else known.grace
            orders = [each for each in orders if each.ended_at is None or not now - each.ended_at > grace]  # NaN: nobody knows
        order = orders[0] if orders else Order()
        if len(keys) > 1:
            order.names = tuple(dict.fromkeys((*order.names, *keys)))
        for other in orders[1:]:
            if other is not order:
                order = self._merged(order, other)
        for key in keys:
            if self._orders.get(key) is not order:
                self._orders[key] = order
        return order

    def _merged(self, one: Order, other: Order) -> Order:
        """One order that was told of under two ids: what has gone further stays."""
        kept, gone = (other, one) if other.ended is not None and one.ended is None else (one, other)
        kept.merge(gone)
        if gone.life is not None:
            life = gone.life
            if kept.life is not None:
                kept.life.take(life)
            elif kept.ended not in TERMINAL:
                kept.life, life.order = life, kept
            for key in life.keys:
                self._orders[key] = kept
            if kept.life is life:
                self._open.update(dict.fromkeys(life.keys, kept))
            else:
                self._forget(life)
                if kept.life is not None:
                    self._name(kept.life, life.keys)
        return kept

    def _followed(self, order: Order, keys: Sequence[str], sink: Sink, now: float, known: Known) -> Life:
        life = order.life
        if life is None:
            while len(self._open) >= self._most or len(self._lives) >= self._most:
                faults.log_once(
                    ("orders", "most"), "otel_trading: more than %d orders are open; the oldest is no longer shown", self._most
                )
                self._forget(next(iter(self._lives)))
            life = order.life = Life(order, sink, now, known)
            self._lives[life] = None
        # Another thread may have told more of it meanwhile.
        life.sink = order.sink = sink if order.sink is None or order.sink is sink else sink.joined(order.sink)
        self._name(life, keys)
        life.learn(known)
        return life

    def _name(self, life: Life, keys: Sequence[str]) -> None:
        for key in keys:
            if key not in life.keys:
                life.keys.append(key)
            self._open[key] = life.order

    def _end(self, order: Order, status: OrderStatus, at: float | None = None) -> bool:
        counts, life = order.end(status), order.life
        if order.ended in TERMINAL:
            if counts:
                order.ended_at = self.clock.stamp()
            if life is not None:
                life.close(status, self.clock.stamp() if at is None else at)
                self._forget(life)
        elif life is not None:
            now = self.clock.stamp()
            life.tell(status, now if at is None else at, now)
            self._deadline = min(self._deadline, life.deadline)
        return counts

    def _forget(self, life: Life) -> None:
        self._lives.pop(life, None)
        if life.order.life is life:
            life.order.life = None
        for key in life.keys:
            self._open.pop(key, None)

    def _expire(self, now: float) -> None:
        """Do what is due."""
        if not now >= self._deadline:  # NaN is before every deadline
            return
        for life in [life for life in self._lives if life.deadline <= now]:
            if life.due(now):
                self._forget(life)
        self._deadline = min((life.deadline for life in self._lives), default=math.inf)

    def _order(self, order: str) -> Order:
        """What is remembered of an order."""
        known = self._orders[order]
        if isinstance(known, tuple):
            known = self._orders.younger[order] = _filled_at_once(*known)
        return known

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._executions.clear()
            self._open.clear()
            self._held.clear()
            self._lives.clear()
            self._orders.clear()
            self._entered = Entered()
            self._deadline = math.inf

    def begin_in_child(self) -> None:
        """Start from nothing in a process that forked, where the lock may be held by a thread that does not exist here."""
        self._lock = threading.RLock()
        self.clear()


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

    def __iter__(self) -> Iterator[Memory]:
        return iter(list(self._memories.values()))

    def find(self, venue: str, account: str | None, *keys: str | None) -> tuple[str | None, Memory] | None:
        """Return the one other account at `venue` in which an order with one of these ids is known, and its memory.

        Ids of different accounts may be the same: only where one of the two accounts is not named are they taken for one.
        """
        found: list[tuple[str | None, Memory]] = []
        for place, memory in list(self._memories.items()):
            if type(place) is tuple:
                where, whose = cast("tuple[str, str | None]", place)
                if where == venue and whose != account and None in (whose, account) and memory.knows(*keys):
                    found.append((whose, memory))
        return found[0] if len(found) == 1 else None

    def followed(self, account: str, venue: str | None) -> list[Life] | None:
        """Return the orders of an account that have not ended, at one venue or at all; None if none was ever told of."""
        found: list[Life] | None = None
        for place, memory in list(self._memories.items()):
            if type(place) is tuple:
                where, whose = cast("tuple[str, str | None]", place)
                if whose == account and venue in (None, where):
                    found = [*(found or ()), *memory.lives()]
        return found

    def clear(self) -> None:
        """Forget everything: what is counted from now on begins at zero."""
        for memory in self._memories.values():
            memory.clear()

    def begin_in_child(self) -> None:
        """Start from nothing in a process that forked."""
        for memory in self._memories.values():
            memory.begin_in_child()


seen = Seen()
"""What this process was told, shared by the decorators, the trackers and the plain calls."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=seen.begin_in_child)
