"""Which MeterProvider our instruments record to: one of ours, or the application's.

An application that has set its own keeps it. Whether one is set is asked of the API without private means: what stands there
before anybody set one is a class of the API itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import (
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    TraceBasedExemplarFilter,
)
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from otel_trading import tracing
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog, faults
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.following import Bounds
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.worker import Worker
from otel_trading.pipeline.kinds import ExemplarFilter
from otel_trading.pipeline.otlp import needs_extra
from otel_trading.semconv.attributes import SdkRouteName

_FILTERS = {
    "trace_based": TraceBasedExemplarFilter,
    "always_on": AlwaysOnExemplarFilter,
    "always_off": AlwaysOffExemplarFilter,
}


class OwnRoute:
    """A MeterProvider of ours. Its readers are started and stopped by the exporters that they belong to."""

    name: SdkRouteName = "core"

    def __init__(self, readers: Sequence[MetricReader], resource: Resource, exemplars: ExemplarFilter) -> None:
        self.provider = SdkMeterProvider(readers, resource, _FILTERS[exemplars](), shutdown_on_exit=False)
        self._exemplars: ExemplarFilter = exemplars

    def attach(self, bounds: Bounds, limits: Limits) -> None:
        """Record in our own cells, and let others record here. Observable instruments are made by whoever collects, before."""
        catalog.attach("core", self.provider, bounds, limits, settle=lambda: None, exemplar_filter=self._exemplars)

    def flush(self) -> list[Future[bool | None]]:
        """The exporters flush themselves."""
        return []

    @faults.contained("shutdown")
    def release(self) -> None:
        """End the provider, whose readers have stopped."""
        self.provider.shutdown()


class ApplicationRoute:
    """The MeterProvider of the application, with the readers of the exporters that the user asked for beside it.

    Raises `ConfigurationError` when it takes no readers.
    """

    name: SdkRouteName = "application"

    def __init__(self, provider: MeterProvider, readers: Sequence[MetricReader], asked_by: str) -> None:
        self.provider = provider
        self._readers = readers
        if readers and not isinstance(provider, SdkMeterProvider):
            raise ConfigurationError(
                f"exporters (from {asked_by}): the application has set a {type(provider).__name__}, "
                "to which no exporter can be added; leave the exporters to the application"
            )
        # Its collections are not ours to wait for.
        self._worker = Worker("application")
        self._worker.start()
        if isinstance(provider, SdkMeterProvider):
            for reader in readers:
                provider.add_metric_reader(reader)

    def attach(self, bounds: Bounds, limits: Limits) -> None:
        """Send what is recorded there."""
        settle = partial(self._worker.submit, catalog.provider.settle)
        catalog.attach("application", self.provider, bounds, limits, settle)

    def flush(self) -> list[Future[bool | None]]:
        """Let the application's own exporters send now."""
        force_flush = getattr(self.provider, "force_flush", None)
        return [self._worker.submit(lambda: bool(force_flush()))] if force_flush else []

    def release(self) -> None:
        """Take our readers away again, as soon as nobody collects."""
        if isinstance(self.provider, SdkMeterProvider):
            for reader in self._readers:
                self._worker.submit(partial(self.provider.remove_metric_reader, reader))
        self._worker.stop()


Route = OwnRoute | ApplicationRoute


def application_meter_provider() -> MeterProvider | None:
    """The provider that the application has set, if it has."""
    provider = metrics.get_meter_provider()
    if isinstance(provider, DelegatingMeterProvider) or _is_placeholder(provider, NoOpMeterProvider):
        return None
    return provider


def application_tracer_provider() -> TracerProvider | None:
    """The tracer provider that the application has set, if it has."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, tracing.DelegatingTracerProvider) or _is_placeholder(provider, NoOpTracerProvider):
        return None
    return provider


def _is_placeholder(provider: object, no_op: type) -> bool:
    # An application that sets the no-op provider on purpose has decided, too.
    return type(provider).__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace")) and not isinstance(
        provider, no_op
    )


def claim_globals(*, traces: bool) -> None:
    """Make ours the global providers, where there are none: other instrumentations then come out of the same exporters."""
    if application_meter_provider() is None and metrics.get_meter_provider() is not catalog.provider:
        metrics.set_meter_provider(catalog.provider)
    if traces and application_tracer_provider() is None and trace.get_tracer_provider() is not tracing.provider:
        trace.set_tracer_provider(tracing.provider)


def declare_from_file(path: Path) -> bool:
    """Let OpenTelemetry's declarative configuration make and set the global providers; return False if it says `disabled`.

    Raises `ConfigurationError` when the file is wrong or the package that reads it is missing.
    """
    try:
        declarative: Any = import_module("opentelemetry.configuration")
    except ModuleNotFoundError as missing:
        raise needs_extra("declarative", missing) from None
    try:
        declared: Any = declarative.load_config_file(str(path))
        declarative.configure_sdk(declared)
    except (declarative.ConfigurationError, OSError, ValueError, TypeError) as fault:
        raise ConfigurationError(f"declarative_config = {str(path)!r} (OTEL_CONFIG_FILE): {fault}") from fault
    return not declared.disabled
