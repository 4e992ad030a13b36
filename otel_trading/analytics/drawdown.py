"""Drawdown as it streams in: how far a value is below its highest one so far, and the worst of that.

The definition is the usual one (for instance Magdon-Ismail and Atiya, "Maximum Drawdown", Risk Magazine 2004): at each moment
one minus the value over the running maximum, whose first member is the starting value. Fractions are positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any, Generic, TypeVar

N = TypeVar("N", float, Decimal)

_DIGITS = Context(prec=20, traps=[InvalidOperation, DivisionByZero, Overflow])
"""For Decimals, whatever context the application has set; three digits more than a float has."""


class Drawdown(Generic[N]):
    """Current and maximum drawdown of a value that money may flow into and out of.

    A flow is no profit and no loss: it scales the peak by as much as the value, which is the same as measuring the price of
    one unit of a fund whose units are issued and redeemed at that price. Times are unix seconds;
    who gives none gets no duration.
    """

    __slots__ = ("_deepest", "_peak", "_peak_time", "_trough", "_value")

    def __init__(self, start: N, time: float | None = None) -> None:
        self._peak: N = start
        self._peak_time = time
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

    @property
    def peak_time(self) -> float | None:
        """When the value was last seen at its peak."""
        return self._peak_time

    def duration(self, now: float) -> float | None:
        """Seconds since the value was last seen at its peak; 0 at the peak, None without a positive peak or its time."""
        if self._peak <= 0:
            return None
        if self._value >= self._peak:
            return 0.0
        return None if self._peak_time is None else max(0.0, now - self._peak_time)

    def update(self, value: N, time: float | None = None) -> None:
        """Take the present value (comparisons only, no division: this is called for every change of a price).

        What is not a number changes nothing.
        """
        if value < self._peak:
            if value < self._trough:  # noqa: PLR1730 - min() is a call, three times as slow
                self._trough = value
        elif value > self._peak:
            if self._trough < self._peak:
                self._deepest = self.maximum
            self._peak = self._trough = value
            self._peak_time = time
        elif value == self._peak:
            if time is not None:
                self._peak_time = time
        else:
            return
        self._value = value

    def flow(self, before: N, after: N, time: float | None = None) -> None:
        """Say that money flowed: the value was `before` and is `after` by the flow alone.

        Where nothing is left to measure by (one of them is not positive) a new peak begins; the maximum stays.
        """
        self._deepest = self.maximum
        if before > 0 and after > 0:
            self._peak = after * (self._peak / before)
            self._trough = self._value = after
        else:
            self._peak = self._trough = self._value = after
            self._peak_time = time

    def set_back(self, time: float) -> None:
        """Let the peak be of no later than `time`: the clock that said so was wrong."""
        if self._peak_time is not None:
            self._peak_time = min(self._peak_time, time)

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it: Decimals as text."""
        return {
            "peak": _written(self._peak),
            "peak_time": self._peak_time,
            "trough": _written(self._trough),
            "value": _written(self._value),
            "deepest": self._deepest,
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Drawdown[Any]:
        """Return a drawdown that goes on as the one that was dumped, of the same kind of number."""
        peak: Any = _read(state["peak"])
        drawdown: Drawdown[Any] = Drawdown(peak, state["peak_time"])
        drawdown._trough, drawdown._value = _read(state["trough"]), _read(state["value"])
        drawdown._deepest = state["deepest"]
        return drawdown


def _fall(peak: N, value: N) -> float | None:
    if peak <= 0:
        return None
    if isinstance(peak, Decimal) and isinstance(value, Decimal):
        # Rounded to a float once: a fall by a tenth is 0.1, and reaches a limit of 0.1.
        return float(_DIGITS.divide(_DIGITS.subtract(peak, value), peak))
    return (float(peak) - float(value)) / float(peak)


def _written(value: float | Decimal) -> float | str:
    return str(value) if isinstance(value, Decimal) else float(value)


def _read(value: float | str) -> float | Decimal:
    return Decimal(value) if isinstance(value, str) else value
