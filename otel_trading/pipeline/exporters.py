"""The exporters by name: what each one reads the metrics with, and what it runs beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry

from otel_trading.pipeline.otlp import metric_exporter, needs_extra
from otel_trading.pipeline.readers import PullReader, PushReader, Watched, watched
from otel_trading.pipeline.settings import Settings


def _nothing() -> None:
    pass


def _nothing_within(_: float) -> None:
    pass


@dataclass(frozen=True)
class Output:
    """One selected exporter: a reader for the MeterProvider, and how to start and stop what serves or sends."""

    reader: MetricReader
    start: Callable[[], None] = _nothing
    stop: Callable[[float], None] = _nothing_within
    flush: Callable[[], object] = _nothing
    """Send now, where the reader does not do it itself."""
    delivered: Callable[[], bool] = field(default=lambda: True)
    """Whether what was sent last has arrived."""
    url: Callable[[], str | None] = field(default=lambda: None)
    """Where the endpoint is, if this is one."""


def outputs(settings: Settings, origins: dict[str, str], resource: Resource) -> list[Output]:
    """Build the exporters that `settings` select; none of them has started yet.

    Raises `ConfigurationError` when one cannot be had.
    """
    builders: dict[str, Callable[[], Output]] = {
        "prometheus": lambda: _prometheus(settings),
        "otlp": lambda: _pushed(metric_exporter(settings, origins), settings),
        "console": lambda: _pushed(watched(ConsoleMetricExporter)(), settings),
        "file": lambda: _pushed(_file(settings), settings),
        "pushgateway": lambda: _pushgateway(settings, resource),
    }
    return [builders[name]() for name in settings.exporters if name != "none"]


def _file(settings: Settings) -> Watched:
    try:
        from otel_trading.pipeline.json_lines import JsonLinesExporter
    except ModuleNotFoundError as missing:
        raise needs_extra("otlp", missing) from None

    return watched(JsonLinesExporter)(settings.file_path)


def _prometheus(settings: Settings) -> Output:
    from otel_trading.exposition.endpoint import Endpoint

    registry = CollectorRegistry()
    endpoint = Endpoint(settings.prometheus_host, settings.prometheus_port, registry)
    return Output(PullReader(registry), endpoint.start, lambda _: endpoint.stop(), url=lambda: endpoint.url)


def _pushed(exporter: Watched, settings: Settings) -> Output:
    reader = PushReader(exporter, settings.export_interval, settings.export_timeout)
    return Output(reader, delivered=lambda: exporter.delivered)


def _pushgateway(settings: Settings, resource: Resource) -> Output:
    from otel_trading.pipeline.pushgateway import GatewayPusher

    registry = CollectorRegistry()
    pusher = GatewayPusher(
        settings.pushgateway_url,
        registry,
        resource,
        settings.export_interval,
        delete_at_end=settings.pushgateway_delete_on_shutdown,
    )
    return Output(PullReader(registry), pusher.start, pusher.stop, pusher.push, lambda: pusher.delivered)


def shut(reader: MetricReader, milliseconds: int) -> None:
    """Shut down a reader that no MeterProvider of ours shuts down."""
    reader.shutdown(milliseconds)  # pyright: ignore[reportUnknownMemberType] - its keyword arguments are untyped
