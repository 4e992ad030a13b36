"""Every setting of the SDK: its name, its type, where it may come from and what is allowed.

Precedence: argument of `configure()` > environment variable > file > default. Standard OpenTelemetry variables keep the
meaning that the specification gives them; `OTEL_TRADING_*` exist only where no standard one does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from otel_trading.pipeline.kinds import (
    BOOL,
    EXPORTERS,
    HEADERS,
    SECONDS,
    TRACES_EXPORTERS,
    Endpoint,
    ExemplarFilter,
    From,
    Headers,
    Histograms,
    Host,
    Number,
    OtlpCompression,
    OtlpProtocol,
    Pairs,
    Seconds,
    Temporality,
    Text,
    TradingMode,
    Url,
    is_loopback,
    one_of,
    shown,
    split,
)


class Settings(BaseSettings):
    """The validated settings of one `configure()`; equal settings mean the same pipeline."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the hook's signature
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `loading` gathered counts: it knows the origin of each value, and names variables as OpenTelemetry does."""
        return (init_settings,)

    disabled: Annotated[bool, From(BOOL, ("OTEL_SDK_DISABLED", "METRICS_ENABLED"), negated=("METRICS_ENABLED",))] = False
    """Do nothing at all. `OTEL_SDK_DISABLED=true` is final, as it switches off OpenTelemetry's own SDK too."""

    service_name: Annotated[Text | None, From("a text", ("OTEL_SERVICE_NAME",))] = None
    """`service.name`: the bot. Prometheus shows it as `job` through a Collector."""
    service_version: Annotated[Text | None, From("a text", ("OTEL_TRADING_SERVICE_VERSION",))] = None
    """`service.version`: the version of the bot."""
    service_instance_id: Annotated[Text | None, From("a text", ("OTEL_TRADING_SERVICE_INSTANCE_ID",))] = None
    """`service.instance.id`; by default derived from host, service, directory and command, so that a restart keeps it."""
    environment: Annotated[Text | None, From("a text", ("OTEL_TRADING_ENVIRONMENT",))] = None
    """`deployment.environment.name`: production, staging, …"""
    trading_mode: Annotated[TradingMode | None, From("live, paper or backtest", ("OTEL_TRADING_MODE",))] = None
    """`trading.mode`: whether real money is at stake."""
    clock: Annotated[Callable[[], float] | None, From("a function that returns unix seconds; only as an argument")] = None
    """What the times of events are read from, of all objects that have no clock of their own: for backtests."""
    resource_attributes: Annotated[Pairs, From("key=value,key=value, or a mapping", ("OTEL_RESOURCE_ATTRIBUTES",))] = {}
    """Further attributes of the resource, merged over all sources; they appear on `target_info`."""

    exporters: Annotated[
        tuple[str, ...],
        BeforeValidator(split),
        AfterValidator(one_of(EXPORTERS)),
        From("one or more of " + ", ".join(EXPORTERS) + ", separated by commas", ("OTEL_METRICS_EXPORTER",)),
    ] = ("prometheus",)
    """Where metrics go."""
    allow_unauthenticated: Annotated[bool, From(BOOL, ("OTEL_TRADING_ALLOW_UNAUTHENTICATED",))] = False
    """Serve other machines although anybody who reaches the port can then read the account's figures."""
    prometheus_host: Annotated[
        Host,
        From(
            "127.0.0.1, localhost, ::1, or any address of this machine together with allow_unauthenticated",
            ("OTEL_EXPORTER_PROMETHEUS_HOST", "METRICS_HOST"),
        ),
    ] = "127.0.0.1"
    """Address of the endpoint; one that is not loopback needs `allow_unauthenticated`."""
    prometheus_port: Annotated[
        int,
        Number,
        Field(ge=0, le=65535),
        From("a port from 1 to 65535, or 0 for any that is free", ("OTEL_EXPORTER_PROMETHEUS_PORT", "METRICS_PORT")),
    ] = 9464
    """Port of the endpoint."""

    otlp_protocol: Annotated[
        OtlpProtocol,
        From("grpc or http/protobuf", ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")),
    ] = "http/protobuf"
    """How OTLP is spoken."""
    otlp_endpoint: Annotated[
        Endpoint | None,
        From(
            "an address such as http://127.0.0.1:4318",
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ),
    ] = None
    """The Collector, by default http://localhost:4318 (http/protobuf) or http://localhost:4317 (grpc).

    Over HTTP it is a base, to which `/v1/metrics` is added; only the variable for metrics alone is taken as it is.
    """
    otlp_headers: Annotated[Headers, From(HEADERS, ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"))] = {}
    """Headers sent to the Collector, such as `authorization`; never shown."""
    otlp_timeout: Annotated[
        Seconds, From(SECONDS, ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"), unit=1e-3)
    ] = 10.0
    """Seconds that one push may take, retries included."""
    otlp_compression: Annotated[
        OtlpCompression,
        From("none, gzip or deflate", ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION")),
    ] = "none"
    """How what is sent is compressed."""
    otlp_temporality: Annotated[
        Temporality, From("cumulative, delta or lowmemory", ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",))
    ] = "cumulative"
    """Whether OTLP carries totals, which heal after an outage, or differences, which do not."""
    otlp_histograms: Annotated[
        Histograms,
        From(
            "explicit_bucket_histogram or base2_exponential_bucket_histogram",
            ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",),
        ),
    ] = "explicit_bucket_histogram"
    """The form of histograms over OTLP."""
    export_interval: Annotated[Seconds, From(SECONDS, ("OTEL_METRIC_EXPORT_INTERVAL",), unit=1e-3)] = 5.0
    """Seconds between two pushes (the specification's default is a minute)."""
    export_timeout: Annotated[Seconds, From(SECONDS, ("OTEL_METRIC_EXPORT_TIMEOUT",), unit=1e-3)] = 30.0
    """Seconds that the callbacks of one collection may take together."""
    exemplar_filter: Annotated[
        ExemplarFilter, From("trace_based, always_on or always_off", ("OTEL_METRICS_EXEMPLAR_FILTER",))
    ] = "trace_based"
    """Which measurements may become exemplars."""

    file_path: Annotated[Path, From("a path of a file", ("OTEL_TRADING_FILE_PATH",))] = Path("otel-trading-metrics.jsonl")
    """Where the exporter `file` appends OTLP JSON lines."""
    pushgateway_url: Annotated[Url, From("an address such as http://127.0.0.1:9091", ("OTEL_TRADING_PUSHGATEWAY_URL",))] = (
        "http://127.0.0.1:9091"
    )
    """The Pushgateway of the exporter `pushgateway`; user and password may stand before the host."""
    pushgateway_delete_on_shutdown: Annotated[bool, From(BOOL, ("OTEL_TRADING_PUSHGATEWAY_DELETE_ON_SHUTDOWN",))] = False
    """Remove the bot's group at the end; otherwise the last values stay, as a finished batch job wants."""

    traces: Annotated[bool | None, From(BOOL, ("OTEL_TRADING_TRACES",))] = None
    """Spans for orders, inference, cycles and venue requests; on when OTEL_TRACES_EXPORTER names an exporter, else off."""
    traces_exporters: Annotated[
        Annotated[tuple[str, ...], BeforeValidator(split), AfterValidator(one_of(TRACES_EXPORTERS))] | None,
        From("one or more of " + ", ".join(TRACES_EXPORTERS) + ", separated by commas", ("OTEL_TRACES_EXPORTER",)),
    ] = None
    """Where spans go when traces are on: otlp unless said otherwise."""
    otlp_traces_protocol: Annotated[
        OtlpProtocol, From("grpc or http/protobuf", ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"))
    ] = "http/protobuf"
    """How OTLP is spoken for spans: as `otlp_protocol`, unless the same source says otherwise."""
    otlp_traces_endpoint: Annotated[
        Endpoint | None,
        From(
            "an address such as http://127.0.0.1:4318/v1/traces",
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ),
    ] = None
    """The Collector for spans: `otlp_endpoint` with `/v1/traces` added; one that is given for spans alone is taken as it is."""
    otlp_traces_headers: Annotated[
        Headers, From(HEADERS, ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"))
    ] = {}
    """Headers sent with spans: `otlp_headers`, unless the same source says otherwise; never shown."""
    otlp_traces_timeout: Annotated[
        Seconds, From(SECONDS, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"), unit=1e-3)
    ] = 10.0
    """Seconds that one push of spans may take: `otlp_timeout`, unless the same source says otherwise."""
    otlp_traces_compression: Annotated[
        OtlpCompression,
        From("none, gzip or deflate", ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION")),
    ] = "none"
    """How spans are compressed: as `otlp_compression`, unless the same source says otherwise."""

    disabled_instrumentations: Annotated[
        tuple[str, ...],
        BeforeValidator(split),
        From("names such as requests, system_metrics; * for all", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",)),
    ] = ()
    """Instrumentations of other libraries that are left out."""
    system_metrics: Annotated[bool, From(BOOL, ("OTEL_TRADING_SYSTEM_METRICS",))] = True
    """CPU, memory, threads, file descriptors of the process, network of the machine."""
    venue_requests: Annotated[bool, From(BOOL, ("OTEL_TRADING_VENUE_REQUESTS",))] = True
    """Instrument HTTP requests made with `requests`."""
    cardinality_limit: Annotated[int, Field(ge=2), From("a whole number from 2", ("OTEL_TRADING_CARDINALITY_LIMIT",))] = 2_000
    """Series that one metric may have; what comes beyond is summed under `otel.metric.overflow`."""
    cardinality_limits: Annotated[
        dict[str, Annotated[int, Field(ge=2)]], From("for each metric's name, a whole number from 2")
    ] = {}
    """The same for single metrics, by name."""
    symbol_on_durations: Annotated[bool, From(BOOL, ("OTEL_TRADING_SYMBOL_ON_DURATIONS",))] = False
    """Put `trading.instrument.symbol` on the order and inference histograms too (a series per symbol and bucket)."""
    histogram_buckets: Annotated[
        dict[str, tuple[float, ...]], From("for each metric's name, numbers from 0 upwards in ascending order")
    ] = {}
    """Upper bounds of the buckets of a histogram, by the metric's name, instead of the registry's."""

    shutdown_timeout: Annotated[Seconds, From(SECONDS, ("OTEL_TRADING_SHUTDOWN_TIMEOUT",))] = 2.0
    """Seconds within which the last metrics are sent and everything is stopped, whatever the Collector does."""
    handle_sigterm: Annotated[bool, From(BOOL, ("OTEL_TRADING_HANDLE_SIGTERM",))] = True
    """Flush on SIGTERM and then die of it; only where the default handler stands, in the main thread."""
    declarative_config: Annotated[Path | None, From("a path of a file", ("OTEL_CONFIG_FILE",))] = None
    """OpenTelemetry's own declarative configuration file: it then makes the providers, and ours are left to it."""

    @field_validator("histogram_buckets")
    @classmethod
    def _ascending(cls, buckets: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for name, bounds in buckets.items():
            if not bounds or any(not math.isfinite(bound) or bound < 0 for bound in bounds):
                raise ValueError(f"the bounds of {name} are not all numbers from 0 upwards")
            if list(bounds) != sorted(set(bounds)):
                raise ValueError(f"the bounds of {name} do not ascend")
        return buckets

    @field_validator("prometheus_host")
    @classmethod
    def _private(cls, host: str, others: ValidationInfo) -> str:
        served = "prometheus" in others.data.get("exporters", ()) and not others.data.get("disabled", True)
        if served and not others.data.get("allow_unauthenticated", True) and not is_loopback(host):
            raise ValueError(
                "other machines could read the account's figures without authentication "
                "(allow_unauthenticated=True or OTEL_TRADING_ALLOW_UNAUTHENTICATED=true permits it)"
            )
        return host

    @field_validator("otlp_endpoint", "otlp_traces_endpoint")
    @classmethod
    def _spoken(cls, endpoint: str | None, others: ValidationInfo) -> str | None:
        if others.field_name == "otlp_endpoint":
            used, protocol = "otlp" in others.data.get("exporters", ()), others.data.get("otlp_protocol")
        else:
            traces, exporters = others.data.get("traces"), others.data.get("traces_exporters")
            used, protocol = _tracing(traces, exporters), others.data.get("otlp_traces_protocol")
        if used and protocol == "http/protobuf" and endpoint and not endpoint.lower().startswith(("http://", "https://")):
            raise ValueError("http/protobuf needs an http:// or https:// address")
        return endpoint

    @property
    def tracing(self) -> bool:
        """Whether spans are made: as `traces` says, else if a traces exporter was named."""
        return _tracing(self.traces, self.traces_exporters)

    def instruments(self, library: str) -> bool:
        """Whether the instrumentation called `library` is wanted."""
        return not {library, "*"}.intersection(self.disabled_instrumentations)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, shown(value)) for name, value in super().__repr_args__())


def _tracing(traces: bool | None, exporters: tuple[str, ...] | None) -> bool:
    return exporters not in {None, ("none",)} if traces is None else traces


def source_of(field: str) -> From:
    """Where the setting `field` may come from."""
    metadata: list[Any] = Settings.model_fields[field].metadata
    return next(entry for entry in metadata if isinstance(entry, From))
