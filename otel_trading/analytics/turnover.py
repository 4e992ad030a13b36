"""How much was traded in a session, measured by what the account was worth on average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Turnover:
    """Money traded since the session began over the time-weighted average of equity since then.

    Equity counts as it was last observed until it is observed again.
    """

    __slots__ = ("_area", "_equity", "_start", "_time", "_traded")

    def __init__(self) -> None:
        self._traded = 0.0
        self._area = 0.0  # equity times seconds
        self._equity = 0.0
        self._start: float | None = None
        self._time = 0.0

    def trade(self, value: float) -> None:
        """Take the money value of a fill; bought and sold add up, so that its sign does not matter."""
        self._traded += abs(value)

    def equity(self, value: float, time: float) -> None:
        """Take what the account is worth at `time` (unix seconds); one that is earlier than the last counts as of the last."""
        self._hold(time)
        self._equity = value

    def begin_session(self, time: float | None = None) -> None:
        """Measure from `time` on, or from the last observation of equity, which counts on."""
        if self._start is not None:
            if time is not None:
                self._hold(time)
            self._start = self._time
        self._traded = self._area = 0.0

    @property
    def traded(self) -> float:
        """Money traded since the session began."""
        return self._traded

    @property
    def average_equity(self) -> float | None:
        """Time-weighted average of equity from the session's start to the last observation; None before the first."""
        if self._start is None:
            return None
        elapsed = self._time - self._start
        return self._area / elapsed if elapsed > 0.0 else self._equity

    @property
    def ratio(self) -> float | None:
        """Money traded over average equity; None while that is not positive."""
        average = self.average_equity
        return self._traded / average if average is not None and average > 0.0 else None

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {"traded": self._traded, "area": self._area, "equity": self._equity, "start": self._start, "time": self._time}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Turnover:
        """Return a turnover that goes on as the one that was dumped."""
        turnover = cls()
        turnover._traded, turnover._area, turnover._equity = state["traded"], state["area"], state["equity"]
        turnover._start, turnover._time = state["start"], state["time"]
        return turnover

    def _hold(self, time: float) -> None:
        """Count the present equity up to `time`."""
        if self._start is None:
            self._start = self._time = time
        elif time > self._time:
            self._area += self._equity * (time - self._time)
            self._time = time
