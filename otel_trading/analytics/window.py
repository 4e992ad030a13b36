"""Volatility, risk-adjusted ratios and tails of the latest returns, in a window that forgets exactly.

The sums are integers, in units of 2^-150 (squares: 2^-300), so that what is added when a return comes is subtracted without a
rest when it leaves: after every step they are what a sum over the whole window would be. Floats are not like that: after a
return of -1e6 had come and gone, a rolling Welford variance stayed wrong by a factor of 110 until it was computed anew.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

_UNIT = 1 << 150
_SCALE = float(_UNIT)
_SQUARE = 1 << 300
_LARGEST = 1e150  # the square of what is larger does not fit a float
# Values are rounded to 2^-53 of themselves, so their returns to about 2^-52 of 1 + r: a smaller difference is none.
_ROUNDING = 2.0**-50


class ReturnWindow:
    """The latest `size` returns of one period each; what is asked of fewer than `min_periods` of them is None.

    An append costs O(log n) comparisons (and a move of at most 8 bytes for each return), an answer O(1); expected shortfall
    looks at the tail alone.
    """

    __slots__ = ("_below", "_min_periods", "_returns", "_size", "_sorted", "_squares", "_sum", "_target")

    def __init__(self, size: int, min_periods: int) -> None:
        """Raise ValueError unless 1 <= min_periods <= size."""
        if not 1 <= min_periods <= size:
            raise ValueError(f"min_periods must be from 1 to the size of the window, {size}, not {min_periods}")
        self._size = size
        self._min_periods = min_periods
        self._returns: deque[float] = deque()
        self._sorted: list[float] = []
        self._sum = 0
        self._squares = 0
        self._target = 0  # the one that was asked for last
        self._below = 0  # sum of squares of min(r - target, 0)

    def __len__(self) -> int:
        """Return how many returns are in the window."""
        return len(self._returns)

    @property
    def size(self) -> int:
        """How many returns the window holds at most."""
        return self._size

    @property
    def min_periods(self) -> int:
        """How many returns it takes for an answer."""
        return self._min_periods

    @property
    def values(self) -> list[float]:
        """The returns, oldest first."""
        return list(self._returns)

    def append(self, r: float) -> None:
        """Take the return of the period that ended last; what is not a number, or is beyond 1e150, is no return."""
        if not -_LARGEST <= r <= _LARGEST:
            return
        if len(self._returns) == self._size:
            oldest = self._returns.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
            self._add(oldest, -1)
        self._returns.append(r)
        insort(self._sorted, r)
        self._add(r, 1)

    @property
    def mean(self) -> float | None:
        """Arithmetic mean of the returns."""
        return self._sum / (len(self._returns) * _UNIT) if self._enough else None

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation of the returns (ddof 1); None of a single one."""
        n = len(self._returns)
        if not self._enough or n == 1:
            return None
        return math.sqrt((n * self._squares - self._sum * self._sum) / (n * (n - 1) * _SQUARE))

    def volatility(self, periods_per_year: float) -> float | None:
        """Annualized standard deviation; 0 when all returns are equal."""
        deviation = self.deviation
        return None if deviation is None else deviation * math.sqrt(periods_per_year)

    def sharpe(self, periods_per_year: float, risk_free_rate: float = 0.0) -> float | None:
        """Annualized mean excess return over the standard deviation; `risk_free_rate` is that of a year, 0.03 for 3 %."""
        deviation = self.deviation
        if self._all_equal or not deviation:
            return None
        return math.sqrt(periods_per_year) * self._excess(_units(period_rate(risk_free_rate, periods_per_year))) / deviation

    def sortino(self, periods_per_year: float, risk_free_rate: float = 0.0) -> float | None:
        """Annualized mean excess return over the root mean square, of all returns, of how far they fall below the target.

        The target is the risk-free rate of a period.
        """
        if not self._enough or self._all_equal:
            return None
        target = _units(period_rate(risk_free_rate, periods_per_year))
        if target != self._target:
            self._target = target
            self._below = sum((target - units) ** 2 for units in map(_units, self._returns) if units < target)
        downside = math.sqrt(self._below / (len(self._returns) * _SQUARE))
        return math.sqrt(periods_per_year) * self._excess(target) / downside if downside else None

    def value_at_risk(self, confidence: float) -> float | None:
        """The historic loss of one period that is exceeded in at most 1 - `confidence` of them, as a positive fraction.

        It is the k-th smallest of n returns, negated, k = (1 - confidence) · n rounded up: one that happened, not an
        interpolation. Negative when even that return is a gain.
        """
        if not self._enough:
            return None
        return 0.0 - self._sorted[math.ceil(_tail(confidence) * len(self._sorted)) - 1]

    def expected_shortfall(self, confidence: float) -> float | None:
        """The mean loss in the worst 1 - `confidence` of the periods, as a positive fraction.

        That share of n returns is seldom a whole number: the return at its edge counts by the part of it that is inside
        (Rockafellar and Uryasev, "Conditional value-at-risk for general loss distributions", 2002, proposition 8).
        """
        if not self._enough:
            return None
        share = _tail(confidence) * len(self._sorted)
        last = math.ceil(share) - 1
        losses = self._sorted[:last]
        losses.append(self._sorted[last] * float(share - last))
        return 0.0 - math.fsum(losses) / float(share)

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {"size": self._size, "min_periods": self._min_periods, "returns": self.values}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> ReturnWindow:
        """Return a window that goes on as the one that was dumped (everything else follows exactly from the returns)."""
        window = cls(state["size"], state["min_periods"])
        for r in state["returns"]:
            window.append(r)
        return window

    @property
    def _enough(self) -> bool:
        return len(self._returns) >= self._min_periods

    @property
    def _all_equal(self) -> bool:
        """Equal but for the rounding of the divisions that made them: their deviation is noise, and so is a ratio to it."""
        if not self._sorted:
            return True
        least, most = self._sorted[0], self._sorted[-1]
        return most - least <= _ROUNDING * max(1.0 + most, -least)

    def _add(self, r: float, sign: int) -> None:
        units = _units(r)
        self._sum += sign * units
        self._squares += sign * units * units
        if units < self._target:
            self._below += sign * (self._target - units) ** 2

    def _excess(self, target: int) -> float:
        n = len(self._returns)
        return (self._sum - n * target) / (n * _UNIT)


def period_rate(annual: float, periods_per_year: float) -> float:
    """Return the rate of one period that compounds to the `annual` one: (1 + annual)^(1 / periods per year) - 1."""
    return math.expm1(math.log1p(annual) / periods_per_year)


def _units(r: float) -> int:
    """Return `r` in units of 2^-150: exactly if it is beyond 2^-97 (7e-30), else rounded by less than 1e-45."""
    return int(r * _SCALE)


@lru_cache(maxsize=16)
def _tail(confidence: float) -> Fraction:
    """Return 1 - confidence as it is written: in floats 1 - 0.95 is more than 0.05, and 100 times that rounds up to 6."""
    tail = 1 - Fraction(repr(float(confidence)))
    if not 0 < tail < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not at {confidence!r}")
    return tail
