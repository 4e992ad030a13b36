"""Whether what the bot pushes to takes it: the bot's own exporter sends an empty batch, with its headers and certificates."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.kinds import shown
from otel_trading.pipeline.settings import Settings
from otel_trading.stack.doctor.asking import UnansweredError, ask, reason, short
from otel_trading.stack.doctor.finding import Finding, ok, wrong

METRICS, SPANS = "collector", "collector (spans)"
_SECONDS = 3.0
"""Within which a batch has to be taken, retries included."""

_PORTS = {"grpc": 4317, "http/protobuf": 4318}
"""OTLP's own, by protocol."""

_REFUSED = re.compile(r"\b(401|403|Unauthorized|Forbidden|UNAUTHENTICATED|PERMISSION_DENIED)\b")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables of `requests`, over which OpenTelemetry's exporter sends."""
_START = "start the Collector (`otel-trading stack up --local` does), or name another with OTEL_EXPORTER_OTLP_ENDPOINT"
_OTHER = "port {port} of {host} listens: if that is the Collector, set OTEL_EXPORTER_OTLP_PROTOCOL={protocol} for it; else "


def check(settings: Settings) -> list[Finding]:
    """Look at each place that these settings push to."""
    found: list[Finding] = []
    if "otlp" in settings.exporters:
        quick = settings.model_copy(update={"otlp_timeout": _SECONDS})
        found.append(_look(METRICS, settings.otlp_endpoint, settings.otlp_protocol, lambda: _metrics(quick)))
    if settings.tracing and "otlp" in (settings.traces_exporters or ("otlp",)):
        quick = settings.model_copy(update={"otlp_traces_timeout": _SECONDS})
        found.append(_look(SPANS, settings.otlp_traces_endpoint, settings.otlp_traces_protocol, lambda: _spans(quick)))
    if "pushgateway" in settings.exporters:
        found.append(_pushgateway(settings.pushgateway_url))
    return found


def _metrics(settings: Settings) -> bool:
    from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

    from otel_trading.pipeline.otlp import metric_exporter

    exporter: Any = metric_exporter(settings)
    try:
        return exporter.export(MetricsData(resource_metrics=[])) is MetricExportResult.SUCCESS
    finally:
        exporter.shutdown()


def _spans(settings: Settings) -> bool:
    from opentelemetry.sdk.trace.export import SpanExportResult

    from otel_trading.pipeline.otlp import span_exporter

    exporter: Any = span_exporter(settings)
    try:
        return exporter.export([]) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()


def _look(check: str, endpoint: str | None, protocol: str, send: Callable[[], bool]) -> Finding:
    address = endpoint or f"http://localhost:{_PORTS[protocol]}"
    where = f"{shown(address)} ({protocol})"
    heard = _Heard()
    heard.listen()
    try:
        taken = send()
    except ConfigurationError as missing:
        return wrong(check, f"nothing can be sent to {where}: {missing}", str(missing).rpartition(": ")[2])
    except Exception as fault:  # noqa: BLE001 - OpenTelemetry's exporters let out what a wrong certificate or address causes
        heard.first = f"{type(fault).__name__}: {fault}"
        taken = False
    finally:
        heard.end()
    return ok(check, f"OTLP is taken at {where}") if taken else _explained(check, where, address, protocol, heard.first)


class _Heard(logging.Handler):
    """Keeps what OpenTelemetry's exporters log meanwhile, and nobody else hears it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""
        """The first thing that was said: what follows is that it was given up."""
        self._logger = logging.getLogger("opentelemetry.exporter.otlp")
        self._before = self._logger.propagate

    def listen(self) -> None:
        self._logger.addHandler(self)
        self._logger.propagate = False

    def end(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._before

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


def _explained(check: str, where: str, address: str, protocol: str, heard: str) -> Finding:
    host, port = _place(address, protocol)
    if host is None:
        return wrong(check, f"{where} did not take an empty batch: {short(heard)}", "see OTEL_EXPORTER_OTLP_ENDPOINT")
    fault = _connect(host, port)
    if fault is not None:
        mend = _START
        other = next((each for each, number in _PORTS.items() if each != protocol and _connect(host, number) is None), None)
        if other:
            mend = _OTHER.format(port=_PORTS[other], host=host, protocol=other) + mend
        return wrong(check, f"the Collector is not at {where}: {reason(fault)}", mend)
    if _REFUSED.search(heard):
        mend = "give its token in OTEL_EXPORTER_OTLP_HEADERS, such as authorization=Bearer%20…"
        return wrong(check, f"{where} refuses us: {short(heard)}", mend)
    if "CERTIFICATE_VERIFY_FAILED" in heard:
        mend = "name the file of the authority that signed it in OTEL_EXPORTER_OTLP_CERTIFICATE"
        bundle = next((name for name in _BUNDLES if os.environ.get(name) and protocol != "grpc"), None)
        mend += f"; {bundle} is set, and over HTTP it comes before that: unset it for the bot" if bundle else ""
        return wrong(check, f"{where} shows a certificate that is not trusted here", mend)
    return wrong(
        check,
        f"{where} listens, but did not take an empty batch: {short(heard) or 'it says nothing'}",
        f"is it the Collector's port for {protocol} (usually {_PORTS[protocol]})? "
        "See OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL",
    )


def _place(address: str, protocol: str) -> tuple[str | None, int]:
    """Host and port of an address; no host for what only gRPC understands, such as the path of a Unix socket."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, _PORTS[protocol])
    except ValueError:
        return None, 0
    return (parts.hostname if parts.scheme in {"", "http", "https"} else None), port


def _connect(host: str, port: int) -> OSError | None:
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        return error
    return None


def _pushgateway(url: str) -> Finding:
    where = f"the Pushgateway {shown(url)}"
    mend = "start it, or name another with OTEL_TRADING_PUSHGATEWAY_URL"
    try:
        status = ask(f"{url.rstrip('/')}/-/ready").status
    except UnansweredError as why:
        return wrong("pushgateway", f"{where} does not answer: {why}", mend)
    if status == 200:  # noqa: PLR2004 - HTTP's OK
        return ok("pushgateway", f"{where} is ready")
    return wrong("pushgateway", f"{where} answers {status}", mend)
