"""Every setting of the SDK: its name, its type, where it may come from and what is allowed.

Precedence: argument of `configure()` > environment variable > file > default. Standard OpenTelemetry variables keep the
meaning that the specification gives them; `OTEL_TRADING_*` exist only where no standard one does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

EXPORTERS = ("prometheus", "otlp", "console", "file", "pushgateway", "none")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

TradingMode = Literal["live", "paper", "backtest"]
OtlpProtocol = Literal["grpc", "http/protobuf"]
TracesExporter = Literal["otlp", "console", "none"]


@dataclass(frozen=True)
class From:
    """Where a setting may come from beside an argument and a file, and what to say is allowed when it is wrong."""

    allowed: str
    variables: tuple[str, ...] = ()
    """Environment variables, the first that is set wins."""
    unit: float = 1.0
    """What one of the variables' units is in the setting's (OTel's intervals are in milliseconds)."""
    negated: tuple[str, ...] = ()
    """Those of the variables that mean the opposite."""


def pairs(value: object) -> object:
    """Read `key=value,key=value`, as the specification writes resource attributes and headers (percent-encoded)."""
    if not isinstance(value, str):
        return value
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        key, separator, text = part.partition("=")
        if not separator or not key.strip():
            raise ValueError("not in the form key=value,key=value")
        found[key.strip()] = unquote(text.strip())
    return found


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an http:// or https:// address")
    return value


def _exporters(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in EXPORTERS:
            raise ValueError(f"there is no exporter {name!r}")
    if "none" in names and len(set(names)) > 1:
        raise ValueError("'none' stands alone")
    return tuple(dict.fromkeys(names))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


_BOOL = "true or false"
_SECONDS = "seconds, more than 0"
Seconds = Annotated[float, Field(gt=0), AfterValidator(_finite)]
Text = Annotated[str, Field(min_length=1, max_length=255)]
Mapping = Annotated[dict[str, str], BeforeValidator(pairs)]


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

    service_name: Annotated[Text | None, From("a text", ("OTEL_SERVICE_NAME",))] = None
    """`service.name`: the bot. Prometheus shows it as `job` through a Collector."""
    service_version: Annotated[Text | None, From("a text", ("OTEL_TRADING_SERVICE_VERSION",))] = None
    """`service.version`: the version of the bot."""
    service_instance_id: Annotated[Text | None, From("a text", ("OTEL_TRADING_SERVICE_INSTANCE_ID",))] = None
    """`service.instance.id`; by default derived from host, service, directory and command, so that a restart keeps it."""
    environment: Annotated[Text | None, From("a text", ("OTEL_TRADING_ENVIRONMENT",))] = None
    """`deployment.environment.name`: production, staging, …"""
    trading_mode: Annotated[TradingMode | None, From("live, paper or backtest", ("OTEL_TRADING_MODE",))] = None
    """`trading.mode`."""
    resource_attributes: Annotated[Mapping, From("key=value,key=value, or a mapping", ("OTEL_RESOURCE_ATTRIBUTES",))] = {}
    """Further attributes of the resource; they appear on `target_info`."""

    exporters: Annotated[
        tuple[str, ...],
        BeforeValidator(_split),
        AfterValidator(_exporters),
        From("one or more of " + ", ".join(EXPORTERS) + ", separated by commas", ("OTEL_METRICS_EXPORTER",)),
    ] = ("prometheus",)
    """Where metrics go."""
    prometheus_host: Annotated[Text, From("an address of this machine", ("OTEL_EXPORTER_PROMETHEUS_HOST", "METRICS_HOST"))] = (
        "127.0.0.1"
    )
    """Address of the endpoint; one that is not loopback needs `allow_unauthenticated`."""
    prometheus_port: Annotated[
        int,
        Field(ge=0, le=65535),
        From("a port from 1 to 65535, or 0 for any that is free", ("OTEL_EXPORTER_PROMETHEUS_PORT", "METRICS_PORT")),
    ] = 9464
    """Port of the endpoint."""
    allow_unauthenticated: Annotated[bool, From(_BOOL, ("OTEL_TRADING_ALLOW_UNAUTHENTICATED",))] = False
    """Serve other machines although anybody who reaches the port can then read the account's figures."""

    otlp_endpoint: Annotated[
        Annotated[str, AfterValidator(_url)] | None,
        From(
            "an address such as http://127.0.0.1:4318",
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ),
    ] = None
    """The Collector; by default http://localhost:4318 (http/protobuf) or :4317 (grpc)."""
    otlp_protocol: Annotated[
        OtlpProtocol,
        From("grpc or http/protobuf", ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")),
    ] = "http/protobuf"
    """How OTLP is spoken."""
    otlp_headers: Annotated[
        dict[str, SecretStr],
        BeforeValidator(pairs),
        From("key=value,key=value, or a mapping", ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")),
    ] = {}
    """Headers sent to the Collector, such as `authorization`; never shown."""
    export_interval: Annotated[Seconds, From(_SECONDS, ("OTEL_METRIC_EXPORT_INTERVAL",), unit=1e-3)] = 5.0
    """Seconds between two pushes (the variable is in milliseconds, as specified)."""
    export_timeout: Annotated[Seconds, From(_SECONDS, ("OTEL_METRIC_EXPORT_TIMEOUT",), unit=1e-3)] = 30.0
    """Seconds that one push may take (the variable is in milliseconds, as specified)."""

    file_path: Annotated[Path, From("a path of a file", ("OTEL_TRADING_FILE_PATH",))] = Path("otel-trading-metrics.jsonl")
    """Where the exporter `file` appends OTLP JSON lines."""
    pushgateway_url: Annotated[
        str, AfterValidator(_url), From("an address such as http://127.0.0.1:9091", ("OTEL_TRADING_PUSHGATEWAY_URL",))
    ] = "http://127.0.0.1:9091"
    """The Pushgateway of the exporter `pushgateway`."""
    pushgateway_delete_on_shutdown: Annotated[bool, From(_BOOL, ("OTEL_TRADING_PUSHGATEWAY_DELETE_ON_SHUTDOWN",))] = False
    """Remove the bot's group at the end; otherwise the last values stay, as a finished batch job wants."""

    traces: Annotated[bool | None, From(_BOOL, ("OTEL_TRADING_TRACES",))] = None
    """Spans for orders, inference, cycles and venue requests; on when OTEL_TRACES_EXPORTER names an exporter, else off."""
    traces_exporter: Annotated[TracesExporter | None, From("otlp, console or none", ("OTEL_TRACES_EXPORTER",))] = None
    """Where spans go when traces are on: otlp unless said otherwise."""
    otlp_traces_protocol: Annotated[
        OtlpProtocol | None,
        From("grpc or http/protobuf", ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")),
    ] = None
    """How OTLP is spoken for traces: as for metrics unless said otherwise."""
    disabled_instrumentations: Annotated[
        tuple[str, ...],
        BeforeValidator(_split),
        From("names such as requests, system_metrics", ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",)),
    ] = ()
    """Instrumentations of other libraries that are left out."""
    system_metrics: Annotated[bool, From(_BOOL, ("OTEL_TRADING_SYSTEM_METRICS",))] = True
    """CPU, memory, threads, file descriptors and network of the process."""
    venue_requests: Annotated[bool, From(_BOOL, ("OTEL_TRADING_VENUE_REQUESTS",))] = True
    """Instrument HTTP requests made with `requests`."""
    symbol_on_durations: Annotated[bool, From(_BOOL, ("OTEL_TRADING_SYMBOL_ON_DURATIONS",))] = False
    """Put `trading.instrument.symbol` on the order and inference histograms too (a series per symbol and bucket)."""
    histogram_buckets: Annotated[
        dict[str, tuple[float, ...]], From("for each metric's name, numbers from 0 upwards in ascending order")
    ] = {}
    """Upper bounds of the buckets of a histogram, by the metric's name, instead of the registry's."""

    shutdown_timeout: Annotated[Seconds, From(_SECONDS, ("OTEL_TRADING_SHUTDOWN_TIMEOUT",))] = 2.0
    """Seconds within which the last metrics are sent and everything is stopped, whatever the Collector does."""
    handle_sigterm: Annotated[bool, From(_BOOL, ("OTEL_TRADING_HANDLE_SIGTERM",))] = True
    """Flush on SIGTERM and then die of it; only where the default handler stands, in the main thread."""
    disabled: Annotated[bool, From(_BOOL, ("OTEL_SDK_DISABLED", "METRICS_ENABLED"), negated=("METRICS_ENABLED",))] = False
    """Do nothing at all."""
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

    @property
    def tracing(self) -> bool:
        """Whether spans are made: as `traces` says, else if a traces exporter was named."""
        if self.traces is None:
            return self.traces_exporter not in {None, "none"}
        return self.traces

    @property
    def loopback(self) -> bool:
        """Whether the endpoint can be reached from this machine only."""
        return self.prometheus_host in LOOPBACK or self.prometheus_host.startswith("127.")


def source_of(field: str) -> From:
    """Where the setting `field` may come from."""
    metadata: list[Any] = Settings.model_fields[field].metadata
    return next(entry for entry in metadata if isinstance(entry, From))
