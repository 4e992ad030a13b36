"""Turns cells into the SDK's data classes, as the specification's MetricProducer does for a reader.

Cells only ever accumulate. What a reader with delta temporality is owed is the difference from what it got before, so that
any number of readers can share the cells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, cast

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

DELTA = AggregationTemporality.DELTA
CUMULATIVE = AggregationTemporality.CUMULATIVE
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
"""What OTLP has room for: one integer beyond would fail the whole batch."""


_NO_EXEMPLARS: Final[list[Exemplar]] = []


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
        now = self._clock()
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
            data = Gauge([self._gauge_point(cell, now) for cell in cast("list[GaugeCell]", cells)])
        elif instrument.kind == "histogram":
            make = self._delta_histogram if temporality is DELTA else self._histogram
            data = Histogram([p for c in cast("list[HistogramCell]", cells) if (p := make(c, start, now))], temporality)
        else:
            points = [p for c in cast("list[SumCell]", cells) if (p := self._sum_point(c, temporality, start, now))]
            data = Sum(points, temporality, is_monotonic=instrument.kind == "counter")
        if not data.data_points:
            return None
        metric = instrument.metric
        return Metric(metric.name, metric.description, metric.unit, data)

    def _gauge_point(self, cell: GaugeCell, now: int) -> NumberDataPoint:
        return _number_point(cell.attributes, None, now, cell.value or 0.0)

    def _sum_point(self, cell: SumCell, temporality: AggregationTemporality, start: int, now: int) -> NumberDataPoint | None:
        if temporality is DELTA:
            with cell.instrument.lock:  # else the series could end and begin again between the two
                life, total = cell.life, cell.value
            before_life, before = self._older.get(cell, (life, 0))
            value = total - before if life == before_life else total
            self._before[cell] = (life, total)
            if value == 0 and not cell.instrument.observed:
                return None
        else:
            value = cell.value
        if value.__class__ is int and not _MIN_INT <= value <= _MAX_INT:
            value = float(value)
        return _number_point(cell.attributes, start, now, value)

    def _histogram(self, cell: HistogramCell, start: int, now: int) -> HistogramDataPoint:
        return self._histogram_point(cell, cell.counts.tolist(), cell.sum, cell.extremes(), start, now)

    def _delta_histogram(self, cell: HistogramCell, start: int, now: int) -> HistogramDataPoint | None:
        with cell.instrument.lock:  # as above
            life, counts, total = cell.life, cell.counts.tolist(), cell.sum
        nothing = (life, [0] * len(counts), 0.0)
        before_life, counts_before, total_before = self._older.get(cell, nothing)
        if life != before_life:
            _, counts_before, total_before = nothing
        self._before[cell] = (life, counts, total)
        fresh = [count - before for count, before in zip(counts, counts_before, strict=True)]
        if not any(fresh):
            return None
        return self._histogram_point(cell, fresh, total - total_before, cell.drain(self._reader), start, now)

    def _histogram_point(
        self, cell: HistogramCell, counts: list[int], total: float, extremes: Extremes, start: int, now: int
    ) -> HistogramDataPoint:
        return HistogramDataPoint(
            attributes=cell.attributes,
            start_time_unix_nano=start,
            time_unix_nano=now,
            count=sum(counts),
            sum=total,
            bucket_counts=counts,
            explicit_bounds=cell.bounds,
            min=extremes.min,
            max=extremes.max,
            exemplars=[
                Exemplar({}, value, when, span.span_id, span.trace_id)
                for value, when, span in list((cell.exemplars or {}).values())
            ],
        )


def _number_point(attributes: dict[str, str], start: int | None, now: int, value: float) -> NumberDataPoint:
    """A data point, made without the `__init__` of a frozen dataclass, which takes three times as long."""
    point = object.__new__(NumberDataPoint)
    said = point.__dict__
    said["attributes"], said["exemplars"] = attributes, _NO_EXEMPLARS
    said["start_time_unix_nano"], said["time_unix_nano"], said["value"] = start, now, value
    return point
