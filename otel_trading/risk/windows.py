"""What a breaker remembers of the latest orders: how many were sent, and how many of them were rejected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

MOST: Final = 10_000
"""Orders that are remembered, whatever the window."""


class OrderRate:
    """Orders of the last `window` seconds. Only as many are kept as it takes to know that there were more than `most`."""

    def __init__(self, window: float, most: int) -> None:
        self._window = window
        self.times: deque[float] = deque(maxlen=most + 1)

    def add(self, now: float) -> None:
        self.times.append(now)

    def count(self, now: float) -> float:
        while self.times and now - self.times[0] >= self._window:
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
        while self.outcomes and (now - self.outcomes[0][0] >= self._window or len(self.outcomes) >= MOST):
            self._rejected -= self.outcomes.popleft()[1]
