"""How what the bot says gets into the books: its time, the lock, what is left out, and what readers then see."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, TypeVar, cast

from otel_trading.account import answers, execution, executions, persistence, reconciliation, told
from otel_trading.account.book import Fill, Refusal, Told
from otel_trading.account.figures import Figures, figures
from otel_trading.account.history import History
from otel_trading.account.instrument import instrument
from otel_trading.account.money import ZERO, Amount, Exact, amount
from otel_trading.account.polling import Poll
from otel_trading.account.position import Texts
from otel_trading.account.readings import Readings
from otel_trading.account.reconciliation import Check, Differences
from otel_trading.account.sessions import Timeline, seconds
from otel_trading.account.settings import Settings
from otel_trading.account.state import State, Update
from otel_trading.metrics import faults
from otel_trading.metrics.clock import Clock
from otel_trading.orders import seen
from otel_trading.orders.entered import Entered
from otel_trading.orders.reading import text
from otel_trading.recording.calls import record_error
from otel_trading.semconv.spec import Metric

if TYPE_CHECKING:
    from otel_trading.account.ledger import Changes, Ledger

REMEMBERED_EXECUTIONS = 50_000
"""Execution ids that are remembered, so that a replay does not count them twice."""

_T = TypeVar("_T")


class Entering(Readings):
    """What all entries of an account have in common."""

    name: str
    currency: str
    ledger: Ledger | None
    _identity: tuple[str, str | None, str | None]
    _settings: Settings

    def _begin(self, cash: Decimal, clock: Clock) -> None:
        self._lock = RLock()  # a signal handler may come in between and use the account too
        self._cash = cash
        self._clock = clock
        self._history = History()
        self._state, self._timeline = self._blank()
        self._executions: dict[str, bool] = {}
        """Those that were entered, and whether what was entered of their orders has them."""
        self._entered = Entered()
        self._unsaved: deque[str] | None = None
        self._texts: Texts = {}
        self._figures: Figures | None = None
        self._shown_to: set[Metric] = set()
        self._version = 0
        self._shown_version = -1
        self._dirty = True
        self._checked: Check | None = None
        self._polls: list[Poll] = []
        self.ledger = None

    def _blank(self) -> tuple[State, Timeline]:
        with Exact():
            state = State(self.currency, self._cash, self._settings, self._history)
        return state, Timeline(self._clock, self._settings.day, self._settings.returns_every)

    def begin_in_child(self) -> None:
        """Go on in a process that forked, where the lock may be held by a thread that is not here; the file is the parent's."""
        self._lock = RLock()
        self.ledger = self._unsaved = None

    def _keep_in(self, path: str | os.PathLike[str], flush_every: float) -> Callable[[], None]:
        """Go on from what the ledger has of this account, and let it ask for what changes; return what ends that."""
        from otel_trading.account.ledger import Ledger, keys

        path = Path(path) if isinstance(path, os.PathLike) else path
        self.ledger = Ledger.open(path, flush_every=flush_every)
        key = keys.key(*self._identity)
        document = self.ledger.document("account", key)
        if document is not None:
            self.restore({**document, "executions": self.ledger.executions(key), "orders": self.ledger.orders(key)})
        self._unsaved = deque(maxlen=REMEMBERED_EXECUTIONS)
        self._history.begin()
        self._dirty = True
        return self.ledger.keep("account", key, self._changes, account=self.name)

    def _changes(self) -> Changes | None:
        """Return what changed since the last call: captured under the lock, written as text outside of it.

        Only the thread of the ledger calls it.
        """
        from otel_trading.account.ledger import Changes

        with self._lock:
            if not self._dirty or self._unsaved is None:
                return None
            self._dirty = False
            found = persistence.capture(self._state, self._timeline)
            executions, rows, orders = [*self._unsaved], self._history.take(), self._entered.take_changed()
            self._unsaved.clear()
        return Changes(persistence.text(found, self._texts), executions, rows, orders)

    def restore(self, document: dict[str, object]) -> None:
        """Go on from a document."""
        raise NotImplementedError

    def _enter(self, entry: Callable[[State, float], _T], time: object, what: str) -> _T:
        """Let `entry` change the state at a time, after everything that time brings with it."""
        now = self._clock.now()
        then = self._then(time, now, what)
        with self._lock, Exact():
            self._happened(then, now)
            return entry(self._state, then)

    def _fill(
        self,
        symbol: object,
        side: str | Enum,
        quantity: Amount,
        price: Amount,
        fee: object,
        fee_currency: str | None,
        multiplier: Amount,
        execution_id: object,
        order_id: object,
        time: object,
        *,
        totals: bool = False,
    ) -> bool:
        """Enter an execution, or the totals of an order; return whether there was anything new that could be entered."""
        what = f"{self!r}.fill"
        entered = execution.read(what, symbol, side, quantity, price, fee, fee_currency, multiplier)
        if entered is None:
            return False
        refused = self._state.book.refusal(entered)
        if refused is not None:  # before its ids are remembered: a corrected one may come under the same
            self._report(refused, what)
            return False
        now = self._clock.now()
        then = self._then(time, now, what)
        with self._lock, Exact():
            if execution_id is not None and not self._first_time(identity := f"{entered.symbol}|{execution_id}", order_id):
                if order_id is not None and not self._executions[identity]:  # told without its order before
                    self._executions[identity] = self._dirty = True
                    self._new_of_order(entered, order_id, totals=False)
                return False
            if order_id is not None:
                part = self._new_of_order(entered, order_id, totals=totals)
                if part is None:
                    self._dirty |= not totals
                    return False
                entered = part
            self._happened(then, now)
            self._state.fill(entered, then)
        return True

    def _new_of_order(self, fill: Fill, order_id: object, *, totals: bool) -> Fill | None:
        """What of the fill was not entered before, with the totals of its order or one by one."""
        several = isinstance(order_id, (list, tuple))
        ids = (text(one) for one in (cast("Sequence[object]", order_id) if several else (order_id,)))
        names = [f"{fill.symbol}|{one}" for one in ids if one is not None]  # some venues number the orders of each symbol
        if not names:
            return fill
        settle, fees = instrument(fill.symbol, self.currency).settle, dict[str, Decimal]()
        for paid, of in ((fill.fee, fill.fee_currency), *fill.more_fees):
            if paid:
                fees[of or settle] = fees.get(of or settle, ZERO) + paid
        enter = self._entered.totals if totals else self._entered.single
        part = enter(names, fill.quantity.copy_abs(), fill.price, fees)
        if part is None:
            return None
        charged = [(paid, of) for of, paid in part.fees.items()] or [(ZERO, settle)]
        return replace(
            fill,
            quantity=part.quantity.copy_sign(fill.quantity),
            price=part.price,
            fee=charged[0][0],
            fee_currency=charged[0][1],
            more_fees=tuple(charged[1:]),
        )

    def _flow(self, value: Amount, sign: int, currency: object, time: object, what: str) -> None:
        flow = amount(value, what)
        if flow is None:
            return
        if flow <= 0:
            faults.drop("negative", "%s: the amount has to be positive; dropped", what, about=what)
            return
        held = str(currency).upper() if currency else self.currency
        self._enter(lambda state, then: state.flow(sign * flow, held, then), time, what)

    def _income(self, value: Amount, symbol: object, currency: object, time: object, kind: str) -> None:
        what = f"{self!r}.{kind}"
        received = amount(value, what)
        if received is None:
            return
        if symbol is not None and (not isinstance(symbol, str) or not symbol):
            faults.drop("not_a_number", "%s: a %s is no symbol; dropped", what, type(symbol).__name__, about=what)
            return
        held = str(currency).upper() if currency else None
        self._enter(lambda state, then: state.receive_funding(received, held, symbol, then, kind), time, what)

    def _tell(self, update: Update, time: object, what: str) -> None:
        consistent = self._enter(lambda state, then: state.update(update, then), time, what)
        if not consistent:
            faults.log_once(
                ("missed", self._identity),
                "otel_trading: %r was told positions that its fills did not lead to: realised profit is unknown from now on, "
                "and equity until update() tells it",
                self,
            )

    def _take(self, answer: object) -> None:
        """Take what a poll answered; raises if it is nonsense."""
        read = answers.read(answer)
        if not isinstance(read, answers.Balance):
            time = read.pop("time", None)
            update = told.update(f"{self!r}.poll", **read)
            if update.blank:
                raise ValueError("the answer has no figure that can be used")
            self._tell(update, time, f"{self!r}.poll")
            return
        what = f"{self!r}.poll balance"
        coins: list[Told] = []
        for coin, size in read.total.items():
            units = None if coin == self.currency else amount(size, what)
            if units:
                coins.append(Told(f"{coin}/{self.currency}", units))
        cash = amount(read.total.get(self.currency, 0), what)
        with self._lock:
            # A balance is of coins: it says nothing of contracts and of what else is open.
            others = {symbol for symbol in self._state.book.open if not symbol.endswith(f"/{self.currency}")}
            self._tell(Update(equity=None, cash=cash, positions=coins, unread=frozenset(others)), None, what)

    @faults.contained("account")
    def _poll_failed(self, error: Exception) -> None:
        record_error("account.poll", error)
        faults.log_once(
            ("poll", self._identity, type(error).__name__),
            "otel_trading: %r could not be polled (%s); it goes on with what it was told last",
            self,
            type(error).__name__,
        )

    @faults.contained("account")
    def _sync(self, fills: object) -> int:
        number = 0
        for fill in executions.read(fills, f"{self!r}.sync_fills"):
            with faults.containing("account"):
                number += self._fill(
                    fill["symbol"],
                    fill.get("side", ""),
                    fill.get("quantity", ""),
                    fill.get("price", ""),
                    fill.get("fee", 0),
                    fill.get("fee_currency"),
                    fill.get("multiplier", 1),
                    fill["execution_id"],
                    fill.get("order_id"),
                    fill.get("time"),
                )
        return number

    @faults.contained("account")
    def _reconcile(self, positions: object, orders: object, open_orders: object) -> Differences:
        what = f"{self!r}.reconcile"
        before = self._checked
        compared: Mapping[str, Decimal] = {} if before is None else before.positions
        counted = None if before is None else before.orders
        found: dict[str, Decimal] | None = None
        if positions is not None:
            sizes = {symbol: position.size for symbol, position in self.positions.items()}
            found = reconciliation.compare_positions(positions, sizes, what)
            compared = compared if found is None else found
        one_sided: tuple[list[str], list[str]] | None = None
        if orders is not None:
            name, _, venue = self._identity
            followed = seen.followed(name, venue) if open_orders is None else None
            one_sided = reconciliation.compare_orders(orders, open_orders, followed, what)
            counted = counted if one_sided is None else sum(map(len, one_sided))
        if found is not None or one_sided is not None:
            self._checked = Check(self._clock.now(), compared, counted)
        differences = {symbol: size for symbol, size in (found or {}).items() if size}
        return Differences(differences, *(one_sided or ([], [])))

    def _then(self, time: object, now: float, what: str) -> float:
        if isinstance(time, datetime) or time is not None:
            found = seconds(time, what)
            return now if found is None else found
        return now

    def _mark_of_now(self, symbol: str, value: Decimal, now: float) -> Refusal | None:
        """Take a price that came without a time: the newest one, though the one before is of later than the clock shows."""
        with Exact():
            self._happened(now, now)
        holding = self._state.book.holdings.get(symbol)
        return self._state.mark(symbol, value, now if holding is None else max(now, holding.time))

    def _happened(self, then: float, now: float) -> None:
        self._version += 1
        self._dirty = True
        if then == now < self._timeline.latest and (back := self._timeline.set_back(now)) is not None:
            self._state.set_back(back)
        if self._timeline.happened(then, now):
            self._turn()

    def _turn(self) -> None:
        """Do what has to be done at some moments only."""
        timeline, performance = self._timeline, self._state.performance
        with Exact():
            performance.turn(timeline.latest)
            self._pass_session(timeline.latest)
            timeline.turn(timeline.latest)

    def _pass(self, now: float) -> None:
        """Take notice of the time when somebody looks: it is no event, but it may end the session."""
        moment = self._timeline.present(now)
        if moment is not None and self._timeline.is_over(now):
            self._version += 1
            self._dirty = True
            with Exact():
                self._pass_session(moment)

    def _pass_session(self, time: float) -> None:
        session = self._timeline.begin_session(time)
        if session is not None:
            self._state.performance.begin_session(*session)

    def _first_time(self, identity: str, order_id: object) -> bool:
        if identity in self._executions:
            return False
        self._executions[identity] = order_id is not None
        if self._unsaved is not None:
            self._unsaved.append(identity)
        if len(self._executions) > REMEMBERED_EXECUTIONS:
            del self._executions[next(iter(self._executions))]
        return True

    def _show(self, metric: Metric) -> Figures:
        """Return the figures of this moment to the first metric of a collection, and the same ones to all others.

        A metric that has seen them begins the next collection.
        """
        now = self._clock.present()
        with self._lock, Exact():
            self._pass(now)
            found = self._figures
            if found is None or metric in self._shown_to:
                self._shown_to.clear()
                moment = self._timeline.present(now)
                if found is None or self._shown_version != self._version or self._settings.stale_after is not None:
                    found = self._figures = figures(self._state, moment)
                    self._shown_version = self._version
                else:
                    found = self._figures = found.later(self._state, moment)
            self._shown_to.add(metric)
            missing, self._state.book.missing = self._state.book.missing, set()
        self._say_missing(missing)
        return found

    def _risky(self) -> int | None:
        """Return how many open positions the bot's rule calls risky; it is asked outside the lock, as it is the bot's code."""
        rule = self._settings.risky
        return None if rule is None else sum(bool(rule(position)) for position in self.positions.values())

    def _say_missing(self, currencies: Iterable[str]) -> None:
        for currency in sorted(currencies):
            faults.log_once(
                ("rate", self._identity, currency),
                "otel_trading: %r has money in %s and no rate of it: what needs one is absent until mark(%r, ...)",
                self,
                currency,
                f"{currency}/{self.currency}",
            )

    def _report(self, refusal: Refusal, what: str) -> None:
        if refusal is Refusal.LATE:
            # Two feeds may overtake each other: nothing is lost, but that times are of two kinds is worth knowing.
            faults.log_once(("late", self._identity), "otel_trading: %s: %s; left out", what, refusal.value)
        else:
            reason = "negative" if refusal is Refusal.NOT_POSITIVE else "cardinality_limit"
            faults.drop(reason, "%s: %s; dropped", what, refusal.value, about=what)
