"""OpenTelemetry's readers and exporters, with the little that ours must know of them.

Readers say who they are while they collect (see `otel_trading.metrics.collection`); exporters remember whether their last
export arrived, because the SDK's own `force_flush` answers True whatever happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from prometheus_client import CollectorRegistry

from otel_trading.metrics import faults
from otel_trading.metrics.collection import collecting


class PullReader(PrometheusMetricReader):
    """Hands what the MeterProvider holds to a registry of its own, without labels for the instrumentation scope.

    The Collector's Prometheus exporter is configured without them too, so that both paths give the same label keys.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(scope_info_enabled=False, registry=registry)

    def collect(self, timeout_millis: float = 10_000) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - it only adds who collects
        with collecting(self):
            super().collect(timeout_millis)


class PushReader(PeriodicExportingMetricReader):
    """Exports in the background, every `interval` seconds and at the end."""

    def __init__(self, exporter: MetricExporter, interval: float, timeout: float) -> None:
        super().__init__(exporter, export_interval_millis=interval * 1e3, export_timeout_millis=timeout * 1e3)

    # An exception out of somebody's callback would end the SDK's export thread for good, without a word.
    @faults.contained("export")
    def collect(self, timeout_millis: float = 10_000) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - it only adds who collects
        with collecting(self):
            super().collect(timeout_millis)


class Watched(MetricExporter):
    """Mixed in before an exporter by `watched()`, it remembers whether the last export arrived."""

    delivered = True

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        self.delivered = False
        exporter = cast("Any", super())  # the exporter itself, next in line
        result: MetricExportResult = exporter.export(metrics_data, timeout_millis, **kwargs)
        self.delivered = result is MetricExportResult.SUCCESS
        return result


def watched(exporter: type[MetricExporter]) -> Callable[..., Watched]:
    """Return `exporter` with `Watched` mixed in."""
    return cast("Callable[..., Watched]", type(exporter.__name__, (Watched, exporter), {}))
