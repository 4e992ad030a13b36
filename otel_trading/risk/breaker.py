"""The circuit breaker as the bot sees it: its rules, its clock, its metrics, and what it keeps over a restart."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import weakref
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from otel_trading import metrics, redaction
from otel_trading.errors import CircuitOpen, ConfigurationError
from otel_trading.metrics import clock as clocks
from otel_trading.metrics import faults
from otel_trading.metrics.values import label
from otel_trading.recording import market_data
from otel_trading.risk.circuit import BY_HAND, Change, Circuit, State
from otel_trading.risk.rules import COMPONENT, Reading, asked, report
from otel_trading.risk.settings import Rules, positive, text, whole
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

if TYPE_CHECKING:
    from otel_trading.account.ledger import Changes, Ledger

_logger = logging.getLogger("otel_trading")
_TRIPS = metrics.counter(m.CIRCUIT_BREAKER_TRIPS)

_REASONS = 20
"""Reasons of the bot's own that are told apart for each breaker; further ones are `other`: a reason is no place for numbers."""

_live: weakref.WeakValueDictionary[tuple[str, ...], CircuitBreaker] = weakref.WeakValueDictionary()
_live_lock = RLock()


class CircuitBreaker:
    """Says whether trading may go on: it opens when a limit is reached, and stays open over restarts.

    ```python
    breaker = ot.CircuitBreaker("daily-loss", account=account, max_daily_loss=0.03, max_drawdown=0.10, enforce=True)

    @ot.order_execution(venue="kraken", breaker=breaker)    # CircuitOpen instead of the order while it is open
    def place_order(...): ...
    ```

    The rules are evaluated by `check`, before and after each order that is told to it, and whenever its metrics are collected.
    A figure that is not a number, that was known and is not any more, or that cannot be read opens it as well. Each limit is
    reached by the figure that is equal to it.

    Open, it stays so until `reset`; with a `cool_down` it becomes half-open after that time, unless a limit that can recover by
    itself (drawdown, daily loss, age of data, `rule`) is still reached, or it was tripped by hand. Half-open it lets `trials`
    orders through and closes when they were accepted; one that was rejected, or whose end is unknown, opens it again.

    All methods may be called from any thread. `check` and `allow` raise `CircuitOpen`, and only with `enforce=True`.

    :param name: on every metric.
    :param account: the `Account` whose `drawdown`, `daily_ratio` and `losing_streak` the rules read.
    :param enforce: whether `check` and `allow` raise `CircuitOpen` while it is open; otherwise it only reports.
    :param max_drawdown: fall from the highest equity so far, as a fraction of it.
    :param max_daily_loss: loss of the day, as a fraction of the equity at its start.
    :param max_consecutive_losses: losing trades in a row.
    :param max_reject_ratio: share of rejected ones among the orders of the last `reject_window` seconds, from `min_orders` on.
    :param max_order_rate: orders in `rate_window` seconds; the next one opens it.
    :param max_data_age: seconds since the last `record_market_data` of the stream that is furthest behind, of `data_streams` if
        they are named, else of all.
    :param rule: the bot's own rule: returns a reason (text) or something true to open it, else None or False.
    :param cool_down: seconds after which it is tried again; None: it waits for `reset`.
    :param trials: orders that are let through half-open.
    :param on_trip: called with the reason when it has opened, by whichever thread found that out.
    :param on_reset: called when it has closed again.
    :param ledger: where its state is kept: a file, a `Ledger`, or by default the account's.
    :param strategy: on every metric if given; by default the account's.
    :param clock: returns unix seconds; by default the clock of the process, see `configure`.
    :raises ConfigurationError: an argument is wrong; the message names it.
    """

    def __init__(
        self,
        name: str,
        *,
        account: Any = None,
        enforce: bool = False,
        max_drawdown: float | None = None,
        max_daily_loss: float | None = None,
        max_consecutive_losses: int | None = None,
        max_reject_ratio: float | None = None,
        reject_window: float = 300.0,
        min_orders: int = 10,
        max_order_rate: float | None = None,
        rate_window: float = 60.0,
        max_data_age: float | None = None,
        data_streams: Collection[str] | None = None,
        rule: Callable[[], object] | None = None,
        cool_down: float | None = None,
        trials: int = 1,
        on_trip: Callable[[str], object] | None = None,
        on_reset: Callable[[], object] | None = None,
        ledger: Ledger | str | Path | None = None,
        strategy: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = text("name", name)
        for argument, called in (("rule", rule), ("on_trip", on_trip), ("on_reset", on_reset)):
            if called is not None and not callable(called):
                raise ConfigurationError(f"CircuitBreaker: {argument} is {called!r}, expected a function")
        self._clock = clocks.chosen(clock, "CircuitBreaker")
        self._time = began = self._now()
        rules = Rules()
        rules.of_account(account, max_daily_loss, max_drawdown, max_consecutive_losses)
        rules.of_orders(max_reject_ratio, reject_window, min_orders, max_order_rate, rate_window)
        rules.of_data(max_data_age, data_streams, began)
        self._enforce = bool(enforce)
        self._rule = rule
        self._on_trip, self._on_reset = on_trip, on_reset
        self._circuit = Circuit(
            rules.limits,
            rules.rate,
            rules.rejects,
            cool_down=None if cool_down is None else positive("cool_down", cool_down),
            trials=whole("trials", trials),
        )
        self._lock = RLock()  # a signal handler may come in between and trip it
        self._reasons: set[str] = set()
        account_name, account_strategy, venue = _identity(account)
        strategy = strategy or account_strategy
        self._known = {
            a.CIRCUIT_BREAKER_NAME: self.name,
            a.ACCOUNT_NAME: account_name,
            a.VENUE_NAME: venue,
            a.STRATEGY_NAME: strategy,
        }
        self._identity = tuple(part or "" for part in (self.name, account_name, strategy, venue))
        with _live_lock:
            before, _live[self._identity] = _live.get(self._identity), self
        if before is not None:
            before.close()  # a bot that is reloaded makes it again: what the older one knows is kept before it is read
        self._ledger: Ledger | None = None
        self._keep = self._kept(ledger if ledger is not None else getattr(account, "ledger", None))
        self._stops = self._shown()

    def __repr__(self) -> str:
        return f"CircuitBreaker({self.name!r})"

    def check(self) -> bool:
        """Return whether trading is allowed: closed, or half-open with a trial left.

        Raises `CircuitOpen` instead of returning False with `enforce=True`.
        """
        self._evaluate()
        with self._lock:
            passes, reason = self._circuit.passes(), self._circuit.reason
        if not passes and self._enforce:
            raise CircuitOpen(self.name, reason)
        return passes

    def allow(self, *, reduce_only: bool = False) -> None:
        """Say that an order is about to be sent, and count it; with `enforce=True`, raise `CircuitOpen` if it must not be.

        One that can only make a position smaller, `reduce_only`, is counted as any other and never refused: a bot that has
        lost too much has to be able to get out.
        """
        may_refuse = self._enforce and not reduce_only
        try:
            refused = self._refusal(may_refuse=may_refuse)
        except Exception as fault:  # noqa: BLE001 - promise 1; what was open stays so
            report(fault, "was skipped; the circuit breaker stays as it is")
            refused = self._circuit.reason if may_refuse and self._circuit.state == "open" else None
        if refused is not None:
            raise CircuitOpen(self.name, refused)

    def _refusal(self, *, may_refuse: bool) -> str | None:
        """Count an order that is about to be sent; return why it must not be, if it may be refused."""
        reading = self._read()
        circuit = self._circuit
        with self._lock:
            opened = circuit.evaluate(reading)
            if not may_refuse or circuit.passes():
                opened = circuit.sent(self._time) or opened
                refused = circuit.reason if may_refuse and circuit.state == "open" else None
            else:
                refused = circuit.reason
        if opened is not None:
            self._tell(opened)
        return refused

    @faults.contained(COMPONENT)
    def ordered(self, status: object) -> None:
        """Say what became of an order that `allow` let pass: a status of the vocabulary, such as `filled` or `rejected`."""
        reading = self._read()
        with self._lock:
            changes = self._circuit.ordered(self._time, status), self._circuit.evaluate(reading)
        for change in changes:
            if change is not None:
                self._tell(change)

    @faults.contained(COMPONENT)
    def trip(self, reason: str = BY_HAND) -> None:
        """Open it until `reset`, whatever the rules say and however long ago; `reason` is a short name, without figures."""
        self._now()
        with self._lock:
            change = self._circuit.trip(self._time, self._bounded(reason))
        if change is not None:
            self._tell(change)

    @faults.contained(COMPONENT)
    def reset(self) -> None:
        """Close it.

        What is over its limit just now is accepted: it opens again when the account has lost as much as the limit once more,
        or when the figure was within the limit in between and reaches it again. A figure that is no number cannot be
        accepted, nor can what `rule` says: they open it again at the next evaluation.
        """
        reading = self._read()
        with self._lock:
            change = self._circuit.reset(reading)
        if change is not None:
            self._tell(change)

    def close(self) -> None:
        """End its metrics, and keep its state a last time."""
        with _live_lock:
            if _live.get(self._identity) is self:
                del _live[self._identity]
            stops, self._stops = self._stops, []
            keep, self._keep = self._keep, None
        for stop in stops:
            stop()
        if keep is not None:
            with faults.containing(COMPONENT):
                keep()

    @property
    def state(self) -> State:
        """`closed`, `open` or `half_open`, by the rules as they are now."""
        self._evaluate()
        with self._lock:
            return self._circuit.state

    @property
    def reason(self) -> str | None:
        """What opened it; None while it is closed."""
        with self._lock:
            return self._circuit.reason or None

    @faults.contained(COMPONENT)
    def _evaluate(self) -> None:
        reading = self._read()
        with self._lock:
            change = self._circuit.evaluate(reading)
        if change is not None:
            self._tell(change)

    def _read(self) -> Reading:
        """Read the figures: not under the lock, as the account has one of its own and a rule may wait for another thread."""
        now = self._now()
        figures = [None if limit.anew else limit.figure(now) for limit in self._circuit.limits]
        said = None if self._rule is None else asked(self._rule)
        return Reading(now, figures, None if said is None else self._bounded(said))

    def _now(self) -> float:
        """The time; NaN if the clock fails, which opens the breaker."""
        try:
            now = self._clock.now()
        except Exception as fault:  # noqa: BLE001 - the clock is the bot's
            report(fault)
            return math.nan
        self._time = now
        return now

    def _bounded(self, reason: object) -> str:
        name = redaction.message(label(reason) or BY_HAND)
        with self._lock:
            if name not in a.CIRCUIT_BREAKER_REASON_VALUES and name not in self._reasons:
                if len(self._reasons) >= _REASONS:
                    return "other"
                self._reasons.add(name)
        return name

    @faults.contained(COMPONENT)
    def _tell(self, change: Change) -> None:
        """Count, keep, log and call back; not under the lock, as a callback may do anything."""
        if change.state == "open":
            _TRIPS.add(1, {**self._known, a.CIRCUIT_BREAKER_REASON: change.reason})
            self._keep_now()
            with contextlib.suppress(Exception):  # a filter or handler of the application may raise
                _logger.error("circuit breaker %r opened: %s", self.name, change.reason)
            if self._on_trip is not None:
                faults.contained(f"{COMPONENT}.on_trip")(self._on_trip)(change.reason)
        else:
            self._keep_now()
            with contextlib.suppress(Exception):  # as above
                _logger.warning("circuit breaker %r closed", self.name)
            if self._on_reset is not None:
                faults.contained(f"{COMPONENT}.on_reset")(self._on_reset)()

    def _shown(self) -> list[Callable[[], None]]:
        """Export its state and its limits; they are evaluated when somebody collects, as the bot may have stopped to."""
        own = {key: value for key, value in self._known.items() if value}
        return [
            metrics.gauge(m.CIRCUIT_BREAKER_OPEN).observe(lambda: float(self.state == "open"), own),
            metrics.gauge(m.RISK_LIMIT_UTILIZATION_RATIO).observe(self._used, own),
        ]

    def _used(self) -> list[tuple[float | None, Mapping[str, object]]]:
        self._evaluate()
        with self._lock:
            pairs = zip(self._circuit.limits, self._circuit.latest, strict=False)
            return [(limit.used(figure), {a.RISK_LIMIT_NAME: limit.name}) for limit, figure in pairs if figure is not None]

    def _kept(self, ledger: Ledger | str | Path | None) -> Callable[[], None] | None:
        """Go on from what the ledger has of it, and let the ledger ask for what changes."""
        if ledger is None:
            return None
        from otel_trading.account.ledger import Ledger, keys

        self._ledger = book = Ledger.open(ledger, flush_every=1.0) if isinstance(ledger, (str, Path)) else ledger
        name = keys.key(*self._identity)
        document = book.document("breaker", name)
        if document is not None:
            try:
                self._circuit.restore(document)
            except Exception as fault:  # noqa: BLE001 - what it was is unknown, so it is not known to be closed
                report(fault)
                change = self._circuit.trip(self._time, "unknown_figure")
                if change is not None:
                    self._tell(change)
            if self._circuit.state != "closed":
                with contextlib.suppress(Exception):  # a filter or handler of the application may raise
                    _logger.warning("circuit breaker %r is still open: %s", self.name, self._circuit.reason)
        return book.keep("breaker", name, self._changes)

    def _keep_now(self) -> None:
        """Not at the writer's next turn: a bot that is killed right after a trip would trade again when it is started."""
        if self._ledger is not None:
            with faults.containing(COMPONENT):
                self._ledger.flush_soon()

    def _changes(self) -> Changes | None:
        from otel_trading.account.ledger import Changes

        with self._lock:
            if not self._circuit.changed:
                return None
            self._circuit.changed = False
            return Changes(self._circuit.dump())

    def begin_in_child(self) -> None:
        """Go on in a process that forked, where the lock may be held by a thread that is not here; the file is the parent's."""
        self._lock = RLock()
        self._keep = self._ledger = None


def _begin_in_child() -> None:
    global _live_lock  # noqa: PLW0603 - a lock cannot be released by anybody but its owner
    _live_lock = RLock()
    for breaker in list(_live.values()):
        breaker.begin_in_child()
    market_data.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)


def _identity(account: object) -> tuple[str | None, str | None, str | None]:
    """Name, strategy and venue: accounts of one name are told apart by the other two, and so are their breakers."""
    found = getattr(account, "identity", None)
    parts = cast("tuple[object, ...]", found) if isinstance(found, tuple) else (getattr(account, "name", None),)
    name, strategy, venue = (*(part if isinstance(part, str) and part else None for part in parts), None, None)[:3]
    return name, strategy, venue
