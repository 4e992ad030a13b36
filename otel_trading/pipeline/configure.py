"""`configure()`: the one call that a bot makes, and the life of what it returns in the process."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.pipeline.loading import SECRET, load
from otel_trading.pipeline.settings import OtlpProtocol, Settings, TradingMode
from otel_trading.pipeline.telemetry import Telemetry

# Reentrant: the SIGTERM handler shuts down in the thread that may be configuring.
_lock = threading.RLock()
_current: Telemetry | None = None


def configure(
    *,
    service_name: str | None = None,
    service_version: str | None = None,
    service_instance_id: str | None = None,
    environment: str | None = None,
    trading_mode: TradingMode | None = None,
    exporters: str | Sequence[str] | None = None,
    prometheus_host: str | None = None,
    prometheus_port: int | None = None,
    allow_unauthenticated: bool | None = None,
    otlp_endpoint: str | None = None,
    otlp_protocol: OtlpProtocol | None = None,
    otlp_headers: Mapping[str, str] | None = None,
    export_interval: float | None = None,
    export_timeout: float | None = None,
    file_path: str | Path | None = None,
    pushgateway_url: str | None = None,
    pushgateway_delete_on_shutdown: bool | None = None,
    traces: bool | None = None,
    system_metrics: bool | None = None,
    venue_requests: bool | None = None,
    symbol_on_durations: bool | None = None,
    histogram_buckets: Mapping[str, Sequence[float]] | None = None,
    resource_attributes: Mapping[str, str] | None = None,
    config_file: str | Path | None = None,
    shutdown_timeout: float | None = None,
    handle_sigterm: bool | None = None,
    disabled: bool | None = None,
) -> Telemetry:
    """Start the metrics of this process and return what stops them.

    Every argument is optional; times are in seconds. What is not given comes from the environment, then from a file
    (`config_file`, else OTEL_TRADING_CONFIG_FILE, else otel-trading.yaml, otel-trading.toml or `[tool.otel_trading]` of
    pyproject.toml in the working directory), then from the defaults. `otel_trading.pipeline.settings.Settings` describes
    each one. Called again with the same settings it returns the same object.

    Raises `ConfigurationError` for anything that is wrong, a taken port included; nothing is left running then.
    """
    global _current  # noqa: PLW0603 - the process has one pipeline, as it has one global provider
    arguments = dict(locals())
    del arguments["config_file"]
    settings, origins = load(arguments, os.environ, Path.cwd(), config_file)
    with _lock:
        if _current is not None and not _current.ended:
            if settings == _current.settings:
                return _current
            raise ConfigurationError(_difference(_current.settings, settings))
        _check(settings, origins)
        _current = Telemetry(settings, origins)
        if settings.handle_sigterm and not settings.disabled:
            _handle_sigterm()
        return _current


def _check(settings: Settings, origins: Mapping[str, str]) -> None:
    if "prometheus" in settings.exporters and not (settings.loopback or settings.allow_unauthenticated or settings.disabled):
        raise ConfigurationError(
            f"prometheus_host = {settings.prometheus_host!r} (from {origins['prometheus_host']}): other machines could read "
            "the account's figures without authentication; allowed: 127.0.0.1, localhost, ::1, "
            "or any address together with allow_unauthenticated=True (OTEL_TRADING_ALLOW_UNAUTHENTICATED=true)"
        )


def _difference(before: Settings, after: Settings) -> str:
    def shown(field: str) -> str:
        was, is_now = getattr(before, field), getattr(after, field)
        return field if field in SECRET else f"{field} ({was!r} is running, {is_now!r} is asked for)"

    fields: list[Any] = [field for field in Settings.model_fields if getattr(before, field) != getattr(after, field)]
    return f"already configured with other settings: {', '.join(map(shown, fields))}; call shutdown() on the first one before"


@atexit.register
def _at_exit() -> None:
    if _current is not None:
        _current.shutdown()


def _handle_sigterm() -> None:
    """Flush on SIGTERM, where nobody else handles it: only the main thread may, and only the default is replaced."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


@faults.contained("SIGTERM handler")
def _shutdown_current() -> None:
    if _current is not None:
        _current.shutdown()


def _on_sigterm(number: int, _: FrameType | None) -> None:
    _shutdown_current()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)  # die of it, so that whoever sent it sees that
