"""What a breaker remembers of the latest orders: how many were sent, and how many of them were rejected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

MOST: Final = 10_000
"""Orders that are remembered, whatever the window."""

_OVERTAKEN: Final = 1.0
"""Seconds by which the thread that read the clock last may have been the first to tell of its order."""


def _over(then: float, now: float, window: float) -> bool:
    """Whether an order of `then` counts no more: it is older than the window, or the clock was set back since."""
    age = now - then
    return age >= window or age < -_OVERTAKEN  # neither, where no clock says when it is


class OrderRate:
    """Orders of the last `window` seconds. Only as many are kept as it takes to know that there were more than `most`."""

    def __init__(self, window: float, most: int) -> None:
        self._window = window
        self.times: deque[float] = deque(maxlen=most + 1)

    def add(self, now: float) -> None:
        self.times.append(now)

    def count(self, now: float) -> float:
        while self.times and _over(self.times[0], now, self._window):
            self.times.popleft()
        return float(len(self.times))

    def clear(self) -> None:
        self.times.clear()

    def restore(self, times: Iterable[float]) -> None:
        self.times.extend(float(time) for time in times)


class Rejects:
    """The share of rejected ones among the orders of the last `window` seconds, once there are `minimum` of them."""

    def __init__(self, window: float, minimum: int) -> None:
        self._window = window
        self._minimum = minimum
        self.outcomes: deque[tuple[float, bool]] = deque()
        self._rejected = 0

    def add(self, now: float, *, rejected: bool) -> None:
        self._forget(now)
        self.outcomes.append((now, rejected))
        self._rejected += rejected

    def ratio(self, now: float) -> float:
        """The share; 0 below the minimum: a first order that is rejected is no pattern."""
        self._forget(now)
        if len(self.outcomes) < self._minimum:
            return 0.0
        return self._rejected / len(self.outcomes)

    def clear(self) -> None:
        self.outcomes.clear()
        self._rejected = 0

    def restore(self, outcomes: Iterable[tuple[float, bool]]) -> None:
        for time, rejected in outcomes:
            self.add(float(time), rejected=bool(rejected))

    def _forget(self, now: float) -> None:
        while self.outcomes and (len(self.outcomes) >= MOST or _over(self.outcomes[0][0], now, self._window)):
            self._rejected -= self.outcomes.popleft()[1]
