"""Drawdown as it streams in: how far a value is below its highest one so far, and the worst of that.

The definition is the usual one (for instance Magdon-Ismail and Atiya, "Maximum Drawdown", Risk Magazine 2004): at each moment
one minus the value over the running maximum, whose first member is the starting value. Fractions are positive.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

N = TypeVar("N", float, Decimal)


class Drawdown(Generic[N]):
    """Current and maximum drawdown of a value that money may flow into and out of.

    A flow is no profit and no loss: it scales the peak by as much as the value, which is the same as measuring the price of
    one unit of a fund whose units are issued and redeemed at that price.
    """

    __slots__ = ("_deepest", "_peak", "_trough", "_value")

    def __init__(self, start: N) -> None:
        self._peak: N = start
        self._trough: N = start
        self._value: N = start
        self._deepest: float | None = None

    @property
    def peak(self) -> N:
        """The value at which there is no drawdown: the highest so far, flows taken into account."""
        return self._peak

    @property
    def current(self) -> float | None:
        """Fall from the peak as a fraction of it, more than 1 when the value is negative; None without a positive peak."""
        return _fall(self._peak, self._value)

    @property
    def maximum(self) -> float | None:
        """Deepest fall so far; None while there was no positive peak."""
        latest = _fall(self._peak, self._trough)
        if latest is None or self._deepest is None:
            return self._deepest if latest is None else latest
        return max(self._deepest, latest)

    def update(self, value: N) -> None:
        """Take the present value (comparisons only, no division: this is called for every change of a price)."""
        self._value = value
        if value > self._peak:
            if self._trough < self._peak:
                self._deepest = self.maximum
            self._peak = self._trough = value
        elif value < self._trough:
            self._trough = value

    def flow(self, before: N, after: N) -> None:
        """Say that money flowed: the value was `before` and is `after` by the flow alone.

        Where nothing is left to measure by (one of them is not positive) a new peak begins; the maximum stays.
        """
        self._deepest = self.maximum
        if before > 0 and after > 0:
            self._peak = after * (self._peak / before)
            self._trough = self._value = after
        else:
            self._peak = self._trough = self._value = after


def _fall(peak: N, value: N) -> float | None:
    if peak <= 0:
        return None
    return 0.0 if value == peak else 1.0 - float(value) / float(peak)
