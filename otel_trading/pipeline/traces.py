"""The tracer provider, made only when traces are on."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from otel_trading.pipeline.otlp import span_exporter
from otel_trading.pipeline.settings import Settings


def tracer_provider(settings: Settings, origins: dict[str, str], resource: Resource) -> TracerProvider:
    """Return a provider with the exporter of `settings`; without one it still gives spans, and so exemplars, their ids.

    Raises `ConfigurationError` when the exporter cannot be had.
    """
    exporter: SpanExporter | None = None
    if settings.traces_exporter == "console":
        exporter = ConsoleSpanExporter()
    elif settings.traces_exporter != "none":
        exporter = span_exporter(settings, origins)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
