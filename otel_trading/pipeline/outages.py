"""Says once that a Collector does not take what is sent, and once that it does again.

The stock exporters log each attempt, for as long as it lasts: thousands of lines in a night, between those of the bot.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_trading import redaction

_logger = logging.getLogger("otel_trading")
_attempt = threading.local()
_STOCK = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)


class _Replaced(logging.Filter):
    """Keeps back what a stock exporter logs in an attempt of ours; exporters of the application are let be."""

    def filter(self, record: logging.LogRecord) -> bool:
        outage: Outage | None = getattr(_attempt, "outage", None)
        if outage is None or record.levelno < logging.WARNING:
            return True
        outage.begun(record.getMessage())
        return False


_replaced = _Replaced()


class Outage:
    """Whether `what` (metrics, spans) arrives at the Collector."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lasts = False
        for logger in map(logging.getLogger, _STOCK):
            if _replaced not in logger.filters:
                logger.filters.insert(0, _replaced)  # before the filter that gRPC's has: what that drops is a reason, too

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Say in place of the stock exporter what it logs in this block."""
        _attempt.outage = self
        try:
            yield
        finally:
            _attempt.outage = None

    def begun(self, why: str) -> None:
        if not self._lasts:
            self._lasts = True
            _logger.warning(
                "otel_trading: %s do not arrive at the Collector, as is said once until they do; the bot is not affected: %s",
                self._what,
                redaction.message(why),
            )

    def told(self, *, arrived: bool) -> None:
        """Note how an attempt ended."""
        if not arrived:
            self.begun("the exporter does not say why")
        elif self._lasts:
            self._lasts = False
            _logger.warning("otel_trading: %s arrive at the Collector again", self._what)


class WatchedMetricExporter(MetricExporter):
    """An exporter to a Collector whose outages are said once."""

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__()
        self._exporter: Any = exporter  # its arguments are untyped
        self._outage = Outage("metrics")

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        with self._outage.attempt():
            result = self._exporter.export(metrics_data, timeout_millis=timeout_millis)
        self._outage.told(arrived=result is MetricExportResult.SUCCESS)
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        self._exporter.shutdown()
