"""OpenTelemetry's readers as ours: they say who they are while they collect, and know whether what they sent arrived.

Who collects is what series that end are asked for (see `otel_trading.metrics.collection`).
"""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics import Counter, Histogram, UpDownCounter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
)
from opentelemetry.sdk.metrics.view import Aggregation
from prometheus_client import CollectorRegistry

from otel_trading.exposition.exposition import Exposition
from otel_trading.exposition.renderer import Renderer
from otel_trading.metrics import catalog
from otel_trading.metrics.producer import Producer
from otel_trading.metrics.worker import Worker
from otel_trading.pipeline.merging import batches, merged

_KINDS = {Counter: "counter", UpDownCounter: "updowncounter", Histogram: "histogram"}
"""The instruments whose data can be differences, and our names of their kinds."""


class PullReader(PrometheusMetricReader):
    """Hands what the MeterProvider holds to an exposition of its own, without labels for the instrumentation scope.

    The Collector's Prometheus exporter is configured without them too, so that both paths give the same label keys.
    """

    def __init__(self) -> None:
        registry = CollectorRegistry()
        super().__init__(scope_info_enabled=False, registry=registry)
        self.exposition = Exposition(Renderer(catalog.meters, self), registry)


class PushReader(MetricReader):
    """Exports in a thread of its own, every `interval` seconds and at the end.

    The SDK's `PeriodicExportingMetricReader` ends for good on an exception out of somebody's callback, starts again in a
    process that forked, and answers True to a flush whatever happened.
    """

    url: str | None = None

    def __init__(
        self,
        name: str,
        exporter: MetricExporter,
        interval: float,
        timeout: float,
        temporality: dict[type, AggregationTemporality] | None = None,
        aggregation: dict[type, Aggregation] | None = None,
    ) -> None:
        super().__init__(temporality, aggregation)
        self._exporter: Any = exporter  # its arguments are untyped
        chosen = temporality or {}
        deltas = frozenset(kind for cls, kind in _KINDS.items() if chosen.get(cls) is AggregationTemporality.DELTA)
        self._producer = Producer(catalog.meters, self, deltas)
        self._timeout = timeout
        self._worker = Worker(name, every=interval, regular=self._export)
        self._arrived = True
        self._ending: Future[bool | None] | None = None
        self._released = False

    @property
    def reader(self) -> MetricReader:
        return self

    def start(self) -> None:
        self._worker.start()

    def flush(self) -> Future[bool | None]:
        """Export now; the result is whether it arrived."""
        return self._worker.submit(self._export)

    def stop(self) -> Future[bool | None]:
        """Export once more and stop; the result is whether that arrived."""
        if self._ending is None:
            self._ending = self._worker.submit(self._finish)
            self._worker.stop()
        return self._ending

    def release(self) -> None:
        """Free what the exporter holds; an export that hangs is abandoned."""
        if self._ending is None:  # nothing is exported any more
            self._ending = Future()
            self._worker.stop()
        if not self._released:
            self._released = True
            self._exporter.shutdown()

    def begin_in_child(self) -> None:
        """The thread is not there, and the connections are the parent's."""

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """As `stop` and `release`, where a MeterProvider ends before us."""
        if self._ending is None:
            wait([self.stop()], timeout_millis / 1e3)
        self.release()

    def _finish(self) -> bool:
        arrived = self._export()
        self.release()
        return arrived

    def _export(self) -> bool:
        self._arrived = True
        with catalog.collection(self):
            self.collect(self._timeout * 1e3)
        return self._arrived

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> None:
        self._arrived = False
        deadline = time.monotonic() + timeout_millis / 1e3
        with suppress_instrumentation():
            for batch in batches(merged(metrics_data, self._producer.produce())):
                left = (deadline - time.monotonic()) * 1e3
                # What was not sent is sent with the next collection: our cells only accumulate.
                if left <= 0 or self._exporter.export(batch, timeout_millis=left) is not MetricExportResult.SUCCESS:
                    return
        self._arrived = True
