"""The state of one series, and the methods that change it on the hot path.

Each change is a read, an addition and a write without a call between them. CPython with a global interpreter lock switches
threads only at calls and backward jumps, so no increment is lost; a free-threaded build takes a lock (`routes`).

A handle's class says where it records: into itself while our own pipeline runs (`CounterCell`, …), into a stock instrument of
the application's MeterProvider (`Stock…`), or nowhere (`Idle…`). Attaching a pipeline changes the class of every handle, so
that recording never has to ask.
"""

from __future__ import annotations

import math
import sys
import time
from array import array
from bisect import bisect_left
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_trading.metrics import exemplars, faults
from otel_trading.metrics.values import MAX_INT, MIN_INT, Key, encodable, number

if TYPE_CHECKING:
    from otel_trading.metrics.instruments import Instrument

_MIN, _MAX = -sys.float_info.max, sys.float_info.max
_ONE = 1
"""What is added most, known by its identity: CPython keeps one object of each small integer."""


Exemplar = tuple[float, int, exemplars.SpanIds]
"""Value, unix nanoseconds, span."""


class Extremes(NamedTuple):
    """The smallest and the largest of some values; of none by default."""

    min: float = math.inf
    max: float = -math.inf

    def with_(self, low: float, high: float) -> Extremes:
        """The extremes of these and those values."""
        return Extremes(min(self.min, low), max(self.max, high))


class Cell:
    """What every handle knows: which series it is, and whose."""

    __slots__ = ("_attributes", "instrument", "key", "life", "text")

    def __init__(self, instrument: Instrument[Any], key: Key) -> None:
        self.instrument = instrument
        self.key = key
        self._attributes: dict[str, str] | None = None
        self.text: Any = None
        """What the exposition keeps of the labels."""
        self.life = 0
        """How often the series began again after it had ended: what was counted before is no part of it."""
        self.clear()

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the series, one mapping for all its data points."""
        if self._attributes is None:
            self._attributes = dict(zip(map(encodable, self.key[::2]), self.key[1::2], strict=True))
        return self._attributes

    @property
    def empty(self) -> bool:
        """Whether nothing was measured yet: there is no series without a measurement."""
        raise NotImplementedError

    def remove(self) -> None:
        """End the series; what is recorded by this handle later begins a new one."""
        self.instrument.release(self)

    def clear(self) -> None:
        """Forget what was measured."""
        raise NotImplementedError


class SumCell(Cell):
    """A series of a counter or an up-down counter."""

    __slots__ = ("value",)

    def clear(self) -> None:
        self.value: float = False  # numbers add to it as to 0, and it tells "nothing yet" from a measured 0

    @property
    def empty(self) -> bool:
        return self.value is False

    def add(self, value: object = 1) -> None:
        """Add `value`; what is no number, or negative on a counter, is dropped."""


class CounterCell(SumCell):
    __slots__ = ()

    def add(self, value: Any = 1) -> None:
        if (
            value is _ONE
            or (value.__class__ is float and 0.0 <= value <= _MAX)
            or (value.__class__ is int and 0 <= value <= MAX_INT)
        ):
            self.value += value
        else:
            self._add_converted(value)

    @faults.contained("record")
    def _add_converted(self, value: object) -> None:
        amount = number(value, self.instrument.name)
        if amount is None:
            return
        if self.instrument.accepts(amount):
            self.value += amount


class UpDownCounterCell(SumCell):
    __slots__ = ()

    def add(self, value: Any = 1) -> None:
        kind = value.__class__
        if (kind is int and MIN_INT <= value <= MAX_INT) or (kind is float and _MIN <= value <= _MAX):
            self.value += value
        else:
            self._add_converted(value)

    @faults.contained("record")
    def _add_converted(self, value: object) -> None:
        amount = number(value, self.instrument.name)
        if amount is not None:
            self.value += amount


class HistogramCell(Cell):
    """A series of a histogram: `counts[i]` values lie in the bucket up to `bounds[i]`, the last above all bounds."""

    __slots__ = ("bounds", "counts", "drained", "exemplars", "max", "min", "sum")

    def clear(self) -> None:
        bounds = self.instrument.bounds
        counts = array("Q", bytes(8 * (len(bounds) + 1)))
        # No call between the two, after which another thread could record by new bounds into old counts.
        self.bounds, self.counts = bounds, counts
        self.sum = 0.0
        self.min = math.inf
        self.max = -math.inf
        self.exemplars: dict[int, Exemplar] | None = None
        self.drained: dict[Hashable, Extremes] | None = None

    @property
    def empty(self) -> bool:
        return self.max < 0.0 and self.drained is None

    def read(self) -> tuple[array[int], float]:
        """Return a copy of the counts and the sum of the same values: a count without its sum would be no histogram."""
        with self.instrument.lock:
            return self.counts[:], self.sum  # no call between the two, after which another thread could record

    def extremes(self) -> Extremes:
        """The smallest and the largest value so far."""
        with self.instrument.lock:
            so_far = Extremes() if self.drained is None else self.drained[None]
            return so_far.with_(self.min, self.max)

    def drain(self, reader: Hashable) -> Extremes:
        """Return the extremes since the last call for `reader`, which wants those of its intervals."""
        with self.instrument.lock:
            known = self.drained = self.drained or {None: Extremes()}  # first: else the series would be empty for a moment
            low, self.min = self.min, math.inf
            high, self.max = self.max, -math.inf
            pending = {who: extremes.with_(low, high) for who, extremes in known.items()}
            mine = pending.get(reader, pending[None])
            self.drained = {**pending, reader: Extremes()}
            return mine

    def record(self, value: Any) -> None:
        """Record `value`; what is no number, or negative, is dropped."""
        if value.__class__ is float and 0.0 <= value <= _MAX:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value
            if value < self.min:  # noqa: PLR1730 - min() and max() are calls
                self.min = value
            if value > self.max:  # noqa: PLR1730
                self.max = value
            if exemplars.on:
                self._sample(value)
        else:
            self._record_converted(value)

    @faults.contained("record")
    def _record_converted(self, value: object) -> None:
        amount = number(value, self.instrument.name)
        if amount is None:
            return
        if self.instrument.accepts(amount):
            self.record(amount)

    @faults.contained("exemplar")
    def _sample(self, value: float) -> None:
        span = exemplars.current()
        if span is not None:
            if self.exemplars is None:
                with self.instrument.lock:
                    self.exemplars = self.exemplars or {}
            self.exemplars[bisect_left(self.bounds, value)] = (value, time.time_ns(), span)


class GaugeCell(Cell):
    """A series of a gauge: its present value."""

    __slots__ = ("value",)

    def clear(self) -> None:
        self.value: float | None = None

    @property
    def empty(self) -> bool:
        return self.value is None

    def set(self, value: Any) -> None:
        """Make `value` the present one; what is no finite number leaves it as it was."""
        kind = value.__class__
        if (kind is int and MIN_INT <= value <= MAX_INT) or (kind is float and _MIN <= value <= _MAX):
            self.value = value
        else:
            self._set_converted(value)

    @faults.contained("record")
    def _set_converted(self, value: object) -> None:
        amount = number(value, self.instrument.name)
        if amount is not None:
            self.value = amount
