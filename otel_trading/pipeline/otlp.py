"""The OTLP exporters, imported only when they are selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter
from opentelemetry.sdk.metrics.view import Aggregation, ExponentialBucketHistogramAggregation
from opentelemetry.sdk.trace.export import SpanExporter
from pydantic import SecretStr

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.settings import Settings


def metric_exporter(settings: Settings) -> MetricExporter:
    """Return the exporter of the protocol that `settings` name. Raises `ConfigurationError` when its package is missing."""
    options = _options(settings.otlp_endpoint, settings.otlp_headers, settings.otlp_timeout)
    try:
        if settings.otlp_protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

            options["compression"] = _grpc_compression(settings.otlp_compression)
        else:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

            options["compression"] = _http_compression(settings.otlp_compression)
    except ModuleNotFoundError as missing:
        raise needs_extra("otlp", missing) from None
    # Without a size for batches: it is given small ones, and would copy each point once more to look.
    return OTLPMetricExporter(**options)


def span_exporter(settings: Settings) -> SpanExporter:
    """Return the exporter for spans. Raises `ConfigurationError` when its package is missing."""
    options = _options(settings.otlp_traces_endpoint, settings.otlp_traces_headers, settings.otlp_traces_timeout)
    try:
        if settings.otlp_traces_protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

            options["compression"] = _grpc_compression(settings.otlp_traces_compression)
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            options["compression"] = _http_compression(settings.otlp_traces_compression)
    except ModuleNotFoundError as missing:
        raise needs_extra("otlp", missing) from None
    return OTLPSpanExporter(**options)


def temporality(settings: Settings) -> dict[type, AggregationTemporality]:
    """What is sent as differences: specification, "OTLP Exporter Additional Environment Variable Configuration"."""
    delta: dict[str, tuple[type, ...]] = {
        "cumulative": (),
        "delta": (Counter, Histogram, ObservableCounter),
        "lowmemory": (Counter, Histogram),
    }
    return dict.fromkeys(delta[settings.otlp_temporality], AggregationTemporality.DELTA)


def aggregation(settings: Settings) -> dict[type, Aggregation]:
    """What histograms are sent as, where it is not the default."""
    if settings.otlp_histograms == "explicit_bucket_histogram":
        return {}
    return {Histogram: ExponentialBucketHistogramAggregation()}


def needs_extra(extra: str, missing: ModuleNotFoundError) -> ConfigurationError:
    """Say how to install what is missing."""
    return ConfigurationError(f"{missing.name} is not installed: pip install 'otel-trading[{extra}]'")


def _options(endpoint: str | None, headers: Mapping[str, SecretStr], timeout: float) -> dict[str, Any]:
    # Certificates and the like the exporters read from the standard variables themselves.
    options: dict[str, Any] = {"timeout": timeout}
    if endpoint:
        options["endpoint"] = endpoint
    if headers:
        options["headers"] = {name.lower(): value.get_secret_value() for name, value in headers.items()}
    return options


def _grpc_compression(name: str) -> object:
    from grpc import Compression

    return {"none": Compression.NoCompression, "gzip": Compression.Gzip, "deflate": Compression.Deflate}[name]


def _http_compression(name: str) -> object:
    from opentelemetry.exporter.otlp.proto.http import Compression

    return Compression(name)
