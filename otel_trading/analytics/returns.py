"""Simple returns on a fixed grid of time, of a value that is observed whenever it happens to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class ReturnGrid:
    """Turns observed values into one return for each period of `every` seconds; periods begin at `offset` + k · `every`.

    The value of a period is the last one seen in it. A period in which nothing was seen has no return, and the next one spans
    it (a weekend, a bot that was down). The period in which the first value is seen has none either: it is not a whole one.
    """

    __slots__ = ("_base", "_every", "_last", "_offset", "_period")

    def __init__(self, every: float, offset: float = 0.0) -> None:
        """Take the length of a period and the time (unix seconds) at which any one of them begins; ValueError otherwise."""
        if not (math.isfinite(every) and every > 0.0 and math.isfinite(offset)):
            raise ValueError(f"a grid needs a positive number of seconds and a finite offset, not {every!r} and {offset!r}")
        self._every = float(every)
        self._offset = float(offset)
        self._period: float | None = None
        self._last = 0.0
        self._base: float | None = None

    @property
    def every(self) -> float:
        """Seconds of a period."""
        return self._every

    @property
    def offset(self) -> float:
        """The unix time at which one of the periods begins."""
        return self._offset

    def observe(self, time: float, value: float) -> float | None:
        """Take `value` as of `time` (unix seconds); return the simple return of the period that this observation ended.

        What is observed for a period that has ended changes nothing, and so does what is not finite. After a value of zero or
        less (a return of -100 % or worse) there is nothing to measure by, until a period ends with a positive one again.
        """
        if not (math.isfinite(time) and math.isfinite(value)):
            return None
        period = (time - self._offset) // self._every
        if self._period is None:
            self._period = period
        elif period < self._period:
            return None
        result = None
        if period > self._period:
            if self._base is not None and self._base > 0.0:
                result = (self._last - self._base) / self._base  # more exact than a quotient minus 1
            self._period = period
            self._base = self._last
        self._last = value
        return result

    def set_back(self, time: float) -> None:
        """Go on in the period of `time`, if a wrong clock led to a later one."""
        if self._period is not None:
            self._period = min(self._period, (time - self._offset) // self._every)

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {"every": self._every, "offset": self._offset, "period": self._period, "last": self._last, "base": self._base}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> ReturnGrid:
        """Return a grid that goes on as the one that was dumped."""
        grid = cls(state["every"], state["offset"])
        grid._period, grid._last, grid._base = state["period"], state["last"], state["base"]
        return grid
