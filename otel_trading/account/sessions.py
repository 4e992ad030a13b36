"""The account's time and its trading day."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float

Clock = Callable[[], float]
Time = float | datetime | None
"""Unix seconds or an aware datetime; None is now."""

_DAY = 86_400.0
_LATEST = 1e11
"""Seconds until the year 5138: what is beyond was told in milliseconds."""


def seconds(time: object, what: str) -> float | None:
    """`time` as unix seconds; None, counted as dropped and logged once for `what`, if it is no time."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        time = time.timestamp()
    found = as_float(time)
    if found is None or not math.isfinite(found) or abs(found) > _LATEST:
        faults.drop("not_a_time", "%s: no unix seconds and no datetime with a zone; taken as now", what, about=what)
        return None
    return found


class Timeline:
    """The time of the account is that of its events; from the last of them on it runs with the clock.

    So live and recorded data give the same: a bar of 2008 is followed by a moment of 2008, whenever it is replayed.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._latest: float | None = None
        self._behind = 0.0

    def happened(self, time: float, now: float) -> None:
        """Say that something happened at `time` when the clock showed `now`; what comes late does not set the time back."""
        if self._latest is None or time >= self._latest:
            self._latest = time
            self._behind = now - time

    def present(self, now: float) -> float | None:
        """Return the account's time when the clock shows `now`; None before the first event."""
        return None if self._latest is None else max(self._latest, now - self._behind)


class Session:
    """The gain since the session began: one day of UTC."""

    def __init__(self) -> None:
        self.start: Decimal | None = None
        """The gain at its beginning: the last one known before, or the first one known at all."""
        self.gain: Decimal | None = None
        """The present gain: what the account is worth minus all deposits plus all withdrawals."""
        self._end = -math.inf

    def advance(self, time: float) -> bool:
        """Begin the session in which `time` is, if it is a later one; return whether it was."""
        if time < self._end:
            return False
        self._end = (time // _DAY + 1.0) * _DAY
        self.start = self.gain
        return True

    def update(self, gain: Decimal) -> None:
        """Take the present gain."""
        if self.start is None:
            self.start = gain
        self.gain = gain

    def restart(self) -> None:
        """Measure from the next gain on."""
        self.start = self.gain = None
