"""The kinds of settings: how each is read, what it may be, and how it is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints


@dataclass(frozen=True)
class From:
    """Where a setting may come from beside an argument and a file, and what to say is allowed when it is wrong."""

    allowed: str
    variables: tuple[str, ...] = ()
    """Environment variables, the first that is set wins."""
    unit: float = 1.0
    """What the unit of the variables is in the setting's (OpenTelemetry's durations are in milliseconds)."""
    negated: tuple[str, ...] = ()
    """Those of the variables that mean the opposite."""


EXPORTERS = ("prometheus", "otlp", "console", "file", "pushgateway", "none")
TRACES_EXPORTERS = ("otlp", "console", "none")

BOOL = "true or false"
SECONDS = "seconds from 0.001 to 86400"
HEADERS = "key=value,key=value, or a mapping"


def pairs(value: object) -> object:
    """Read `key=value,key=value`, as the specification writes resource attributes and headers (percent-encoded)."""
    if not isinstance(value, str):
        return value
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        key, separator, text = part.partition("=")
        if not separator or not key.strip():
            raise ValueError("not in the form key=value,key=value")
        found[unquote(key.strip())] = unquote(text.strip())
    return found


def split(value: object) -> object:
    """Read names that are separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def one_of(known: tuple[str, ...]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Return what checks names of exporters: each is one of `known`, and `none` stands alone."""

    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.lower() for name in names))
        for name in names:
            if name not in known:
                raise ValueError(f"there is no exporter {name!r}")
        if not names:
            raise ValueError("no exporter is named")
        if "none" in names and len(names) > 1:
            raise ValueError("'none' stands alone")
        return names

    return check


def is_loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def shown(value: object) -> object:
    """`value` as it may be seen by anybody: an address without user, password and query."""
    return re.sub(r"(//|^)[^/\s]*@|\?.*", r"\1", value) if isinstance(value, str) else value


def _lower(value: object) -> object:
    # Specification: enumerations in environment variables are not case-sensitive.
    return value.lower() if isinstance(value, str) else value


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic turns a ValueError into its own
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _no_brackets(value: str) -> str:
    return value.removeprefix("[").removesuffix("]")


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("not an http:// or https:// address")
    return value


def _endpoint(value: str) -> str:
    # Over gRPC it may be anything that gRPC itself takes: host:port, dns:///…, unix:…
    return _url(value) if value.lower().startswith(("http:", "https:")) else value


Number = BeforeValidator(_no_bool)
"""Keeps a truth value, which YAML makes of `yes` and `on`, from being taken for 1."""
Seconds = Annotated[float, Number, Field(ge=0.001, le=86_400), AfterValidator(_finite)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Host = Annotated[Text, AfterValidator(_no_brackets)]
Url = Annotated[Text, AfterValidator(_url)]
Endpoint = Annotated[Annotated[str, StringConstraints(pattern=r"^\S+$")], AfterValidator(_endpoint)]
Pairs = Annotated[dict[str, str], BeforeValidator(pairs)]
Headers = Annotated[dict[str, SecretStr], BeforeValidator(pairs)]

TradingMode = Annotated[Literal["live", "paper", "backtest"], BeforeValidator(_lower)]
OtlpProtocol = Annotated[Literal["grpc", "http/protobuf"], BeforeValidator(_lower)]
OtlpCompression = Annotated[Literal["none", "gzip", "deflate"], BeforeValidator(_lower)]
Temporality = Annotated[Literal["cumulative", "delta", "lowmemory"], BeforeValidator(_lower)]
Histograms = Annotated[Literal["explicit_bucket_histogram", "base2_exponential_bucket_histogram"], BeforeValidator(_lower)]
ExemplarFilter = Annotated[Literal["trace_based", "always_on", "always_off"], BeforeValidator(_lower)]
