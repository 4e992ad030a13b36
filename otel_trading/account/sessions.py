"""The account's time and its trading days."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float

Clock = Callable[[], float]

_DAY = 86_400.0
_LATEST = 1e11
"""Seconds until the year 5138: what is beyond was told in milliseconds."""


def seconds(time: object, what: str) -> float | None:
    """`time` as unix seconds; None, counted as dropped and logged once for `what`, if it is no time."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        time = time.timestamp()
    found = as_float(time)
    if found is None or not math.isfinite(found) or abs(found) > _LATEST:
        faults.drop("not_a_number", "%s: no unix seconds and no datetime with a zone; taken as now", what, about=what)
        return None
    return found


class Timeline:
    """The time of the account is that of its events; from the last of them on it runs with the clock.

    So live and recorded data give the same: a bar of 2008 is followed by a moment of 2008, whenever it is replayed.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._latest = -math.inf
        self._behind = 0.0
        self._end = -math.inf

    def happened(self, time: float, now: float) -> bool:
        """Say that something happened at `time` when the clock showed `now`; return whether a new session begins with it.

        What comes late does not set the time back.
        """
        if time >= self._latest:
            self._latest = time
            self._behind = now - time
        return time >= self._end and self._begin(time)

    def passed(self, now: float) -> bool:
        """Say that the clock shows `now`; return whether a new session has begun since the last event."""
        present = now - self._behind
        return present >= self._end and self._latest > -math.inf and self._begin(present)

    def _begin(self, time: float) -> bool:
        """A session is one day of UTC."""
        self._end = (time // _DAY + 1.0) * _DAY
        return True
