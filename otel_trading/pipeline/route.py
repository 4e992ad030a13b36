"""Which MeterProvider our instruments record to: one of ours, or the application's.

An application that has set its own keeps it. Whether one is set is asked of the API without private means: what stands there
before anybody set one is a class of the API itself.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from otel_trading import tracing
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog
from otel_trading.pipeline.otlp import needs_extra


def application_meter_provider() -> MeterProvider | None:
    """The provider that the application has set, if it has."""
    provider = metrics.get_meter_provider()
    if provider is catalog.provider or _is_placeholder(provider, NoOpMeterProvider):
        return None
    return provider


def application_tracer_provider() -> TracerProvider | None:
    """The tracer provider that the application has set, if it has."""
    provider = trace.get_tracer_provider()
    if provider is tracing.provider or _is_placeholder(provider, NoOpTracerProvider):
        return None
    return provider


def _is_placeholder(provider: object, no_op: type) -> bool:
    # An application that sets the no-op provider on purpose has decided, too.
    return type(provider).__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace")) and not isinstance(
        provider, no_op
    )


def claim_globals(*, traces: bool) -> None:
    """Make ours the global providers, where there are none: other instrumentations then come out of the same exporters."""
    if metrics.get_meter_provider() is not catalog.provider:
        metrics.set_meter_provider(catalog.provider)
    if traces and application_tracer_provider() is None and trace.get_tracer_provider() is not tracing.provider:
        trace.set_tracer_provider(tracing.provider)


def declare_from_file(path: Path) -> None:
    """Let OpenTelemetry's declarative configuration make and set the global providers.

    Raises `ConfigurationError` when the file is wrong or the package that reads it is missing.
    """
    if not path.is_file():
        raise ConfigurationError(f"OTEL_CONFIG_FILE {path}: there is no such file")
    try:
        declarative: Any = import_module("opentelemetry.configuration")
    except ModuleNotFoundError as missing:
        raise needs_extra("declarative", missing) from None
    try:
        declarative.configure_sdk(declarative.load_config_file(str(path)))
    except (declarative.ConfigurationError, OSError, ValueError, TypeError) as fault:
        raise ConfigurationError(f"OTEL_CONFIG_FILE {path}: {fault}") from fault
