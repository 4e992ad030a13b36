"""The account's time and its trading days."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.clock import Clock
from otel_trading.metrics.values import as_float

_DAY = 86_400.0
_MINUTE = 60.0
_OVERTAKEN = 1.0
"""Seconds by which the thread that read the clock first may be the second one to say something."""
_LATEST = 1e11
"""Seconds until the year 5138: what is beyond was told in milliseconds."""

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def seconds(time: object, what: str) -> float | None:
    """`time` as unix seconds; None, counted as dropped and logged once for `what`, if it is no time."""
    if isinstance(time, datetime) and time.tzinfo is not None:
        time = time.timestamp()
    found = as_float(time)
    if found is None or not math.isfinite(found) or abs(found) > _LATEST:
        faults.drop("not_a_number", "%s: no unix seconds and no datetime with a zone; taken as now", what, about=what)
        return None
    return found


class TradingDay:
    """Sessions that follow one another, each from a time of day in a zone to the same on the next day.

    Where clocks are set forward or back that day has 23 or 25 hours. A time that a day does not have begins the session as much
    later as the clock jumped, one that it has twice begins it at the first.

    :param start: hours and minutes, such as `17:00`.
    :param zone: a name of the IANA database, such as `America/New_York`.
    :raises ConfigurationError: one of them is none; the message names it.
    """

    def __init__(self, start: str = "00:00", zone: str = "UTC") -> None:
        found = _TIME_OF_DAY.fullmatch(start)
        if found is None:
            raise ConfigurationError(f"Account: session begins at {start!r}, expected hours and minutes such as '17:00'")
        self.start, self.zone = start, zone
        self._hour, self._minute = int(found[1]), int(found[2])
        self._after_midnight = 3600.0 * self._hour + 60.0 * self._minute
        self._zone: tzinfo = timezone.utc if zone == "UTC" else _zone(zone)

    def around(self, time: float) -> tuple[float, float]:
        """Return when the session began that `time` is in, and when it ends; unix seconds."""
        if self._zone is not timezone.utc:
            try:
                return self._locally_around(time)
            except (ValueError, OverflowError, OSError):  # years that a datetime does not have
                pass
        start = (time - self._after_midnight) // _DAY * _DAY + self._after_midnight
        return start, start + _DAY

    def date(self, end: float) -> str | None:
        """Return the local date on which the session that ends at `end` has its last moment; None in years without one."""
        try:
            return datetime.fromtimestamp(end - 1.0, self._zone).date().isoformat()
        except (ValueError, OverflowError, OSError):
            return None

    def _locally_around(self, time: float) -> tuple[float, float]:
        day = datetime.fromtimestamp(time, self._zone).date() - timedelta(days=2)
        start, end = -math.inf, self._beginning(day)
        while end <= time:
            day += timedelta(days=1)
            start, end = end, self._beginning(day)
        return start, end

    def _beginning(self, day: date) -> float:
        return datetime(day.year, day.month, day.day, self._hour, self._minute, tzinfo=self._zone).timestamp()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ConfigurationError(
            f"Account: session is in the time zone {name!r}, which is not known here; it has to be a name such as "
            "'America/New_York', and where the system has no database of time zones (Windows, slim containers) the package "
            "tzdata has to be installed"
        ) from error


class Timeline:
    """The time of the account is that of its events; from the last of them on it runs with the clock.

    So live and recorded data give the same: a bar of 2008 is followed by a moment of 2008, whenever it is replayed.

    Moments at which something has to be done are asked for by one comparison with the next of them: the end of the session, a
    boundary of the grid of returns, and each full minute (for the average equity).
    """

    __slots__ = ("_behind", "_day", "_every", "clock", "due", "end", "latest")

    def __init__(self, clock: Clock, day: TradingDay, every: float) -> None:
        self.clock = clock
        self._day = day
        self._every = every
        self.latest = -math.inf
        """The time of the latest event."""
        self.end = -math.inf
        """When the session ends."""
        self.due = -math.inf
        """When something has to be done next."""
        self._behind = 0.0

    def happened(self, time: float, now: float) -> bool:
        """Say that something happened at `time` when the clock showed `now`; return whether a moment has come (see `turn`).

        What comes late does not set the time back.
        """
        if time >= self.latest:
            self.latest = time
            self._behind = now - time
        return time >= self.due

    def set_back(self, now: float) -> float | None:
        """Follow a clock that was set back since the latest event; return the account's time then, None if it was not."""
        time = now - self._behind
        if self.latest - time <= _OVERTAKEN:
            return None
        self.latest, self.end = time, min(self.end, self._day.around(time)[1])
        self.turn(time)
        return time

    def present(self, now: float) -> float | None:
        """The account's time when the clock shows `now`; None before the first event."""
        return None if self.latest == -math.inf else max(self.latest, now - self._behind)

    def is_over(self, now: float) -> bool:
        """Whether the session of the latest event is over when the clock shows `now`."""
        return self.latest != -math.inf and (now - self._behind >= self.end or self.latest >= self.end)

    def turn(self, time: float) -> None:
        """Set the next moment after `time`."""
        every = min(_MINUTE, self._every)
        self.due = min(self.end, (time // every + 1.0) * every, (time // self._every + 1.0) * self._every)

    def begin_session(self, time: float) -> tuple[float, str | None] | None:
        """Return when the session began that `time` is in, and the date of the one that ended, if it is another; else None."""
        if time < self.end:
            return None
        ended = None if self.end == -math.inf else self._day.date(self.end)
        start, self.end = self._day.around(time)
        return start, ended

    def capture(self) -> dict[str, float | None]:
        """Return the state, for `restore`."""
        return {
            "latest": None if self.latest == -math.inf else self.latest,
            "behind": self._behind,
            "end": None if self.end == -math.inf else self.end,
            "due": None if self.due == -math.inf else self.due,
            "every": self._every,
        }

    def restore(self, state: dict[str, float | None]) -> None:
        """Go on from what was captured."""
        latest, end = state["latest"], state["end"]
        self.latest = -math.inf if latest is None else latest
        self.end = -math.inf if end is None else end
        self._behind = state["behind"] or 0.0
        due = state["due"]
        self.due = -math.inf if due is None or state["every"] != self._every else due
