"""The states of a circuit breaker and what leads from one to another: no clock, no lock and no metric in here.

closed → open: a limit is reached, the bot's own rule says so, or somebody trips it.
open → half-open: the cool-down is over, and what can recover by itself has.
half-open → closed: so many orders were let through on trial and accepted. → open: one was not, or a rule says so.
Any → closed: `reset`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from otel_trading.risk.rules import Limit, Reading, Recovery
from otel_trading.risk.windows import OrderRate, Rejects

State: TypeAlias = Literal["closed", "open", "half_open"]

BY_HAND: Final = "manual"
_ACCEPTED: Final = frozenset({"new", "partially_filled", "filled", "canceled", "expired"})
"""What an order may become that was let through on trial and proves that orders are accepted again."""
_STATES: Final = ("closed", "open", "half_open")


class Change(NamedTuple):
    """A state that was entered: `open` with its reason, or `closed`."""

    state: State
    reason: str


class Circuit:
    """One circuit: everything that has to survive a restart, and how it changes."""

    def __init__(
        self,
        limits: Sequence[Limit],
        rate: OrderRate | None,
        rejects: Rejects | None,
        *,
        cool_down: float | None,
        trials: int,
    ) -> None:
        self.limits = limits
        self.state: State = "closed"
        self.reason = ""
        self.since = 0.0
        """When the present state was entered, in unix seconds."""
        self.changed = False
        """Whether there is something that was not kept yet."""
        self.latest: list[float | None] = []
        """The figures of the last evaluation, in the order of the limits."""
        self._windows = [(at, limit) for at, limit in enumerate(limits) if limit.anew]
        self._rate = rate
        self._rejects = rejects
        self._cool_down = cool_down
        self._trials = trials
        self._by_hand = False
        self._let_through = 0
        self._accepted = 0
        self._tried = 0.0
        """When the last order on trial was let through, in unix seconds."""

    def evaluate(self, reading: Reading) -> Change | None:
        """Take what the rules say now."""
        now, figures = reading.time, reading.figures
        for at, limit in self._windows:
            figures[at] = limit.figure(now)
        self.latest = figures
        reached: list[Limit] = []
        unusable = not math.isfinite(now)
        for limit, figure in zip(self.limits, figures, strict=True):
            if figure is None or figure < limit.plain:
                continue
            if limit.rearm(figure):
                self.changed = True
            if limit.reached(figure):
                reached.append(limit)
                unusable = unusable or math.isnan(figure)
        reason = "unknown_figure" if unusable else reached[0].reason if reached else reading.said
        if self.state == "open":
            stays = unusable or reading.said or any(limit.recovery is Recovery.BY_ITSELF for limit in reached)
            if not stays and not self._by_hand and self._cooled(now, self.since):
                self._half_open(now, figures)
            return None
        if reason is not None:
            return self._open(now, reason)
        if self.state == "half_open" and self._let_through and self._cooled(now, self._tried):
            self._let_through = 0  # nobody told what became of them
        return None

    def passes(self) -> bool:
        """Whether an order may pass now."""
        return self.state == "closed" or (self.state == "half_open" and self._let_through + self._accepted < self._trials)

    def sent(self, now: float) -> Change | None:
        """Count an order that passes, or would be sent all the same; it may be the one that is too many."""
        if self.state == "half_open":
            self._let_through += 1
            self._tried = now
        if self._rate is None:
            return None
        self._rate.add(now)
        self.changed = True
        if self.state == "open":
            return None
        reached = [limit for _, limit in self._windows if limit.reached(limit.figure(now) or 0.0)]
        return self._open(now, reached[0].reason) if reached else None

    def ordered(self, now: float, status: object) -> Change | None:
        """Take what became of an order."""
        if self._rejects is not None:
            self._rejects.add(now, rejected=status == "rejected")
            self.changed = True
        if self.state != "half_open" or not self._let_through:
            return None
        self._let_through -= 1
        if status not in _ACCEPTED:
            return self._open(now, "failed_trial")
        self._accepted += 1
        return self._close(now) if self._accepted >= self._trials else None

    def trip(self, now: float, reason: str) -> Change | None:
        """Open it by hand, until it is reset by hand; nothing changes if that is so already."""
        if self.state == "open" and self._by_hand:
            return None
        opened = self.state != "open"
        change = self._open(now, reason)
        self._by_hand = True
        return change if opened else None

    def reset(self, reading: Reading) -> Change | None:
        """Close it, and take the figures that are over their limits as they are."""
        if self.state == "closed":
            return None
        for limit, figure in zip(self.limits, reading.figures, strict=True):
            if figure is not None:
                limit.acknowledge(figure)
        self._forget_orders()
        return self._close(reading.time)

    def dump(self) -> dict[str, Any]:
        """Everything that has to survive, as JSON has it."""
        return {
            "state": self.state,
            "reason": self.reason,
            "since": self.since,
            "by_hand": self._by_hand,
            "acknowledged": {limit.name: limit.acknowledged for limit in self.limits if limit.acknowledged},
            "orders": [] if self._rate is None else list(self._rate.times),
            "outcomes": [] if self._rejects is None else [list(outcome) for outcome in self._rejects.outcomes],
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Go on from what `dump` returned; raises `ValueError` for anything else."""
        state, since = document.get("state"), document.get("since")
        if state not in _STATES or not isinstance(since, (int, float)) or not math.isfinite(since):
            raise ValueError("this is no state of a circuit breaker")
        self.state, self.since = state, float(since)
        self.reason = str(document.get("reason") or "")
        self._by_hand = bool(document.get("by_hand"))
        acknowledged = cast("dict[str, float]", document.get("acknowledged") or {})
        for limit in self.limits:
            level = float(acknowledged.get(limit.name, 0.0))
            limit.allow_beyond(level if math.isfinite(level) else 0.0)
        if self._rate is not None:
            self._rate.restore(document.get("orders") or ())
        if self._rejects is not None:
            self._rejects.restore(document.get("outcomes") or ())

    def _cooled(self, now: float, since: float) -> bool:
        return self._cool_down is not None and now - since >= self._cool_down

    def _open(self, now: float, reason: str) -> Change:
        self._enter("open", now, reason)
        return Change("open", reason)

    def _close(self, now: float) -> Change:
        self._enter("closed", now, "")
        return Change("closed", "")

    def _half_open(self, now: float, figures: Sequence[float | None]) -> None:
        for limit, figure in zip(self.limits, figures, strict=True):
            if figure is not None and limit.recovery is Recovery.BY_TRADING:
                limit.acknowledge(figure)
        self._forget_orders()
        self._enter("half_open", now, self.reason)

    def _enter(self, state: State, now: float, reason: str) -> None:
        self.state, self.reason = state, reason
        self.since = now if math.isfinite(now) else self.since
        self._by_hand = False
        self._let_through = self._accepted = 0
        self.changed = True

    def _forget_orders(self) -> None:
        """Begin the windows of orders anew: what they hold was judged."""
        for window in (self._rate, self._rejects):
            if window is not None:
                window.clear()
