"""The tracer provider, made only when traces are on, and stopped within a deadline as everything else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter, SpanExportResult

from otel_trading.errors import ConfigurationError
from otel_trading.metrics.worker import Worker
from otel_trading.pipeline import otlp
from otel_trading.pipeline.outages import Outage
from otel_trading.pipeline.settings import Settings


class Traces:
    """A TracerProvider of ours with the exporters of `settings`; without one it still gives spans, and so exemplars, their ids.

    Raises `ConfigurationError` when an exporter cannot be had.
    """

    def __init__(self, settings: Settings, resource: Resource) -> None:
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporters: list[_Watched] = []
        self._worker = Worker("traces")
        self._ending: Future[bool | None] | None = None
        try:
            for name in settings.traces_exporters or ("otlp",):
                if name != "none":
                    self._add(ConsoleSpanExporter(out=sys.stdout) if name == "console" else otlp.span_exporter(settings))
        except ConfigurationError:
            self.provider.shutdown()
            raise
        except ValueError as error:  # OTEL_BSP_*, which the processor reads
            self.provider.shutdown()
            raise ConfigurationError(f"traces: {error}") from error
        self._worker.start()

    def _add(self, exporter: SpanExporter) -> None:
        watched = _Watched(exporter)
        self.provider.add_span_processor(BatchSpanProcessor(watched))
        self._exporters.append(watched)

    def flush(self) -> Future[bool | None]:
        """Export now; the result is whether everything arrived."""
        return self._worker.submit(self._flush)

    def stop(self) -> Future[bool | None]:
        """Export the last and stop; the result is whether everything arrived."""
        if self._ending is None:
            self._ending = self._worker.submit(self._finish)
            self._worker.stop()
        return self._ending

    def release(self) -> None:
        """Free what the exporters hold; an export that hangs is abandoned."""
        for exporter in self._exporters:
            exporter.shutdown()
        self.stop()

    def begin_in_child(self) -> None:
        """Stop, in a process that forked, the threads that the SDK has started there again."""
        self.provider.shutdown()

    def _flush(self) -> bool:
        lost = self._lost()
        self.provider.force_flush()
        return self._lost() == lost

    def _finish(self) -> bool:
        lost = self._lost()
        self.provider.shutdown()
        return self._lost() == lost

    def _lost(self) -> int:
        return sum(exporter.lost for exporter in self._exporters)


class _Watched(SpanExporter):
    """Counts the batches that did not arrive, which the SDK's processor does not tell; silent in a process that forked."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._process = os.getpid()
        self._ended = False
        self._outage = Outage("spans")
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if os.getpid() != self._process:
            return SpanExportResult.SUCCESS
        result = SpanExportResult.FAILURE
        try:
            with self._outage.attempt():
                result = self._exporter.export(spans)
        finally:
            self.lost += result is not SpanExportResult.SUCCESS
        self._outage.told(arrived=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        if not self._ended and os.getpid() == self._process:
            self._ended = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
