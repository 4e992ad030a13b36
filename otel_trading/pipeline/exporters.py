"""The exporters by name: what each one reads the metrics with, and what it runs beside."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Protocol

from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter, MetricReader
from opentelemetry.sdk.resources import Resource

from otel_trading.errors import ConfigurationError
from otel_trading.exposition.endpoint import Endpoint
from otel_trading.pipeline import otlp
from otel_trading.pipeline.outages import WatchedMetricExporter
from otel_trading.pipeline.readers import PullReader, PushReader
from otel_trading.pipeline.settings import Settings


class Output(Protocol):
    """One selected exporter."""

    @property
    def reader(self) -> MetricReader:
        """What it reads the metrics with."""
        ...

    @property
    def url(self) -> str | None:
        """Where the endpoint is, if this is one."""
        ...

    def start(self) -> None:
        """Begin to serve or to send. Raises `ConfigurationError` when that is not possible."""

    def flush(self) -> Future[bool | None]:
        """Send now; the result is whether it arrived."""
        ...

    def stop(self) -> Future[bool | None]:
        """Send the last and stop; the result is whether it arrived."""
        ...

    def release(self) -> None:
        """Free what is held, at once; also when it was never started."""

    def begin_in_child(self) -> None:
        """Let go of what a process that forked shares with its parent; the thread is not there."""


class Scraped:
    """The endpoint."""

    def __init__(self, settings: Settings) -> None:
        self.reader = PullReader()
        self._endpoint = Endpoint(settings.prometheus_host, settings.prometheus_port, self.reader.exposition)
        self.start = self._endpoint.start
        self.stop = self._endpoint.stop
        self.release = self._endpoint.release
        self.begin_in_child = self._endpoint.begin_in_child

    @property
    def url(self) -> str | None:
        return self._endpoint.url

    def flush(self) -> Future[bool | None]:
        """Nothing waits to be sent: whoever scrapes gets what is there."""
        result: Future[bool | None] = Future()
        result.set_result(True)
        return result


def outputs(settings: Settings, origins: Mapping[str, str], resource: Resource) -> list[Output]:
    """Build the exporters that `settings` select; none of them has started yet.

    Raises `ConfigurationError` when one cannot be had; those before it are released then.
    """
    builders: dict[str, Callable[[], Output]] = {
        "prometheus": lambda: Scraped(settings),
        "otlp": lambda: _otlp(settings),
        "console": lambda: _pushed("console", ConsoleMetricExporter(sys.stdout), settings),
        "file": lambda: _pushed("file", _file(settings, origins), settings),
        "pushgateway": lambda: _pushgateway(settings, resource),
    }
    built: list[Output] = []
    for name in settings.exporters:
        if name == "none":
            continue
        try:
            built.append(builders[name]())
        except BaseException:
            for output in built:
                output.release()
            raise
    return built


def _otlp(settings: Settings) -> Output:
    return PushReader(
        "otlp",
        WatchedMetricExporter(otlp.metric_exporter(settings)),
        settings.export_interval,
        settings.export_timeout,
        otlp.temporality(settings),
        otlp.aggregation(settings),
    )


def _pushed(name: str, exporter: MetricExporter, settings: Settings) -> Output:
    return PushReader(name, exporter, settings.export_interval, settings.export_timeout)


def _file(settings: Settings, origins: Mapping[str, str]) -> MetricExporter:
    try:
        from otel_trading.pipeline.json_lines import JsonLinesExporter
    except ModuleNotFoundError as missing:
        raise ConfigurationError(f"{otlp.needs_extra('otlp', missing)} (for the exporter 'file')") from None

    return JsonLinesExporter(settings.file_path, origins.get("file_path", "the default"))


def _pushgateway(settings: Settings, resource: Resource) -> Output:
    from otel_trading.pipeline.pushgateway import GatewayPusher

    return GatewayPusher(
        settings.pushgateway_url,
        resource,
        settings.export_interval,
        delete_at_end=settings.pushgateway_delete_on_shutdown,
    )
