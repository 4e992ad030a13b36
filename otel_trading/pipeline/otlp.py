"""The OTLP exporters, imported only when they are selected."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace.export import SpanExporter

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.readers import Watched, watched
from otel_trading.pipeline.settings import OtlpProtocol, Settings

_MAX_BATCH = 10_000
"""Data points in one request: 100,000 series in one would exceed gRPC's limit of 4 MiB and be dropped."""


def metric_exporter(settings: Settings, origins: dict[str, str]) -> Watched:
    """Return the exporter of the protocol that `settings` name. Raises `ConfigurationError` when its package is missing."""
    try:
        if settings.otlp_protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        else:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ModuleNotFoundError as missing:
        raise needs_extra("otlp", missing) from None

    return watched(OTLPMetricExporter)(
        **_options(settings, origins, "metrics", settings.otlp_protocol), max_export_batch_size=_MAX_BATCH
    )


def span_exporter(settings: Settings, origins: dict[str, str]) -> SpanExporter:
    """Return the exporter for spans, to the same place."""
    protocol = settings.otlp_traces_protocol or settings.otlp_protocol
    try:
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ModuleNotFoundError as missing:
        raise needs_extra("otlp", missing) from None
    return OTLPSpanExporter(**_options(settings, origins, "traces", protocol))


def needs_extra(extra: str, missing: ModuleNotFoundError) -> ConfigurationError:
    """Say how to install what is missing."""
    return ConfigurationError(f"{missing.name} is not installed: pip install 'otel-trading[{extra}]'")


def _options(settings: Settings, origins: dict[str, str], signal: str, protocol: OtlpProtocol) -> dict[str, Any]:
    """What does not come from the environment; the exporters read the standard variables themselves, as specified."""
    options: dict[str, Any] = {}
    if settings.otlp_endpoint and not _from_environment(origins, "otlp_endpoint"):
        endpoint = settings.otlp_endpoint.rstrip("/")
        if protocol == "grpc":
            options["endpoint"] = endpoint
        else:
            # As OTEL_EXPORTER_OTLP_ENDPOINT means it: the path of the signal is appended.
            options["endpoint"] = f"{endpoint.removesuffix('/v1/metrics')}/v1/{signal}"
    if settings.otlp_headers and not _from_environment(origins, "otlp_headers"):
        options["headers"] = {key.lower(): value.get_secret_value() for key, value in settings.otlp_headers.items()}
    return options


def _from_environment(origins: dict[str, str], field: str) -> bool:
    return origins.get(field, "").startswith("environment variable")
