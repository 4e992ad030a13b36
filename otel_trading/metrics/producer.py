"""Turns cells into the SDK's data classes, as the specification's MetricProducer does for a reader.

Cells only ever accumulate. What a reader with delta temporality is owed is the difference from what it got before, so that
any number of readers can share the cells.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, cast

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_trading.metrics.cells import Cell, Extremes, GaugeCell, HistogramCell, SumCell
from otel_trading.metrics.instruments import AnyInstrument
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.points import Points
from otel_trading.metrics.values import MAX_INT, MIN_INT

DELTA = AggregationTemporality.DELTA
CUMULATIVE = AggregationTemporality.CUMULATIVE

_NO_EXEMPLARS: Final[list[Exemplar]] = []

_Read: TypeAlias = tuple[bytes, float, Extremes]
"""Counts (as in an `array("Q")`, which would be one more object for the garbage collector), sum and extremes of a histogram."""


class Producer:
    """What one reader gets of the meters that it reads."""

    def __init__(
        self,
        meters: Callable[[], Iterable[CoreMeter]],
        reader: Hashable,
        delta_kinds: frozenset[str] = frozenset(),
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`delta_kinds` are the instrument kinds that the reader wants as differences: counter, histogram, updowncounter."""
        self._meters = meters
        self._reader = reader
        self._delta_kinds = delta_kinds
        self._clock = clock
        self._start = self._last = clock()
        self._before: dict[Cell, Any] = {}
        self._older: dict[Cell, Any] = {}

    def produce(self) -> list[ScopeMetrics]:
        """All that is alive now, by scope."""
        now = max(self._clock(), self._last)  # a Collector drops what is older than it has, and an interval has its end last
        # What is not asked for again belongs to a series that has ended, and is forgotten with the old tables.
        self._older, self._before = self._before, {}
        produced: list[ScopeMetrics] = []
        for meter in self._meters():
            metrics = [metric for instrument in meter.all() if (metric := self._metric(instrument, now))]
            if metrics:
                scope = InstrumentationScope(meter.name, meter.version, meter.schema_url)
                produced.append(ScopeMetrics(scope, metrics, meter.schema_url or ""))
        self._last = now
        return produced

    def _metric(self, instrument: AnyInstrument, now: int) -> Metric | None:
        cells = instrument.points(self._reader)
        temporality = DELTA if instrument.kind in self._delta_kinds else CUMULATIVE
        start = self._last if temporality is DELTA else self._start
        data: Any
        if instrument.kind == "gauge":
            gauges = cast("list[GaugeCell]", cells)
            data = Gauge(_numbers(None, now, gauges, [cell.value or 0.0 for cell in gauges]))
        elif instrument.kind == "histogram":
            read = self._delta_histogram if temporality is DELTA else _histogram
            since = start if temporality is DELTA else 0
            data = Histogram(_histograms(start, now, cast("list[HistogramCell]", cells), read, since), temporality)
        else:
            sums = cast("list[SumCell]", cells)
            values = [self._delta(cell) if temporality is DELTA else cell.value for cell in sums]
            data = Sum(_numbers(start, now, sums, values), temporality, is_monotonic=instrument.kind == "counter")
        if not data.data_points:
            return None
        metric = instrument.metric
        return Metric(metric.name, metric.description, metric.unit, data)

    def _delta(self, cell: SumCell) -> float | None:
        """What the reader is owed of a sum; None if nothing."""
        with cell.instrument.lock:  # else the series could end and begin again between the two
            life, total = cell.life, cell.value
        before_life, before = self._older.get(cell, (life, 0))
        self._before[cell] = (life, total)
        value = total - before if life == before_life else total
        return value if value or cell.instrument.observed else None

    def _delta_histogram(self, cell: HistogramCell) -> _Read | None:
        """What the reader is owed of a histogram; None if nothing."""
        with cell.instrument.lock:  # as above
            life, (counts, total) = cell.life, cell.read()
        nothing = (life, [0] * len(counts), 0.0)
        before_life, counts_before, total_before = self._older.get(cell, nothing)
        if life != before_life:
            _, counts_before, total_before = nothing
        self._before[cell] = (life, counts, total)
        fresh = [count - before for count, before in zip(counts, counts_before, strict=True)]
        if not any(fresh):
            return None
        return array("Q", fresh).tobytes(), total - total_before, cell.drain(self._reader)


def _histogram(cell: HistogramCell) -> _Read:
    """All of a histogram."""
    counts, total = cell.read()
    return counts.tobytes(), total, cell.extremes()


def _numbers(start: int | None, now: int, cells: Sequence[Cell], values: Sequence[float | None]) -> Points[NumberDataPoint]:
    """Data points of the cells that have a value."""
    attributes = [cell.attributes for cell, value in zip(cells, values, strict=True) if value is not None]
    known = [
        value if value.__class__ is float or MIN_INT <= value <= MAX_INT else float(value)
        for value in values
        if value is not None
    ]
    return Points(partial(_number_point, start, now), attributes, known)


def _histograms(
    start: int, now: int, cells: list[HistogramCell], read: Callable[[HistogramCell], _Read | None], since: int
) -> Points[HistogramDataPoint]:
    """Data points of the cells of which `read` returns something, with the exemplars that were measured `since` then."""
    columns: tuple[list[Any], ...] = ([], [], [], [], [], [], [])
    for cell in cells:
        found = read(cell)
        if found is not None:
            counts, total, extremes = found
            row = (cell.attributes, cell.bounds, counts, total, extremes.min, extremes.max, _exemplars(cell, since))
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    return Points(partial(_histogram_point, start, now), *columns)


def _exemplars(cell: HistogramCell, since: int) -> list[Exemplar]:
    if not cell.exemplars:
        return _NO_EXEMPLARS
    return [
        Exemplar({}, value, when, span.span_id or None, span.trace_id or None)
        for value, when, span in list(cell.exemplars.values())
        if when >= since
    ]


def _number_point(start: int | None, now: int, attributes: dict[str, str], value: float) -> NumberDataPoint:
    """A data point, made without the `__init__` of a frozen dataclass, which takes three times as long."""
    point = object.__new__(NumberDataPoint)
    said = point.__dict__
    said["attributes"], said["exemplars"] = attributes, _NO_EXEMPLARS
    said["start_time_unix_nano"], said["time_unix_nano"], said["value"] = start, now, value
    return point


def _histogram_point(
    start: int,
    now: int,
    attributes: dict[str, str],
    bounds: Sequence[float],
    packed: bytes,
    total: float,
    low: float,
    high: float,
    exemplars: list[Exemplar],
) -> HistogramDataPoint:
    counts = memoryview(packed).cast("Q").tolist()
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=start,
        time_unix_nano=now,
        count=sum(counts),
        sum=total,
        bucket_counts=counts,
        explicit_bounds=bounds,
        min=low,
        max=high,
        exemplars=exemplars,
    )
