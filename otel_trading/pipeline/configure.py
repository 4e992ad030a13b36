"""`configure()`: the one call that a bot makes, and the life of what it returns in the process."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from otel_trading import endings
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog, faults
from otel_trading.metrics import clock as clocks
from otel_trading.pipeline import resource
from otel_trading.pipeline.kinds import OtlpProtocol, TradingMode, shown
from otel_trading.pipeline.loading import SECRET, load
from otel_trading.pipeline.settings import Settings
from otel_trading.pipeline.telemetry import Telemetry

_lock = threading.Lock()
_current: Telemetry | None = None


def configure(
    *,
    service_name: str | None = None,
    service_version: str | None = None,
    service_instance_id: str | None = None,
    environment: str | None = None,
    trading_mode: TradingMode | None = None,
    clock: Callable[[], float] | None = None,
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
    cardinality_limit: int | None = None,
    cardinality_limits: Mapping[str, int] | None = None,
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

    `clock` returns unix seconds, for backtests: from now on until `shutdown()` everything that stamps or compares times of
    events reads it, unless it was given a clock of its own. How long code takes is still measured in real seconds, and so is
    whether a heartbeat is missed.

    Raises `ConfigurationError` for anything that is wrong, a taken port included; nothing is left running then.
    """
    global _current  # noqa: PLW0603 - the process has one pipeline, as it has one global provider
    arguments = dict(locals())
    del arguments["config_file"]
    settings, origins = load(arguments, os.environ, Path(), config_file)
    with _lock:
        if _current is not None and not _current.ended:
            if settings == _current.settings:
                return _current
            raise ConfigurationError(_difference(_current.settings, settings))
        _current = Telemetry(settings, origins)
        if settings.handle_sigterm and not settings.disabled:
            _handle_sigterm()
        return _current


def _difference(before: Settings, after: Settings) -> str:
    def differs(field: str) -> str:
        was, is_now = shown(getattr(before, field)), shown(getattr(after, field))
        return field if field in SECRET else f"{field} ({was!r} is running, {is_now!r} is asked for)"

    fields: list[Any] = [field for field in Settings.model_fields if getattr(before, field) != getattr(after, field)]
    return f"already configured with other settings: {', '.join(map(differs, fields))}; call shutdown() on the first one before"


@atexit.register
def _at_exit() -> None:
    if _current is not None:
        _current.shutdown()


def _handle_sigterm() -> None:
    """Flush on SIGTERM, where nobody else handles it: only the main thread may, and only the default is replaced."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
    telemetry = _current
    if telemetry is None or not telemetry.settings.handle_sigterm:
        _die(number)
    else:
        _end_and_die(telemetry, number)


@faults.contained("shutdown")
def _end_and_die(telemetry: Telemetry, number: int) -> None:
    """In another thread, as what this one was interrupted in may hold a lock that a collection needs.

    So it goes on when the last collection takes long: as if the signal had come a little later.
    """

    def end() -> None:
        with faults.containing("shutdown"):
            telemetry.end(process_ends=True)
        endings.run()  # after the metrics, as the bot may still trade while they are sent
        _die(number)

    ending = threading.Thread(target=end, name="otel-trading-sigterm", daemon=True)
    ending.start()
    ending.join(telemetry.settings.shutdown_timeout / 2)


def _die(number: int) -> None:
    """Die of the signal, so that whoever sent it sees that."""
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the first process of a container does not die of it


def _begin_in_child() -> None:
    """Start from zero, unconfigured, in a process that forked; what its parent runs is none of its business."""
    global _current, _lock
    _current, _lock = None, threading.Lock()
    # A pool terminates its workers when they wait in C: a handler in Python might never be reached there.
    if signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    clocks.process.set(clocks.WALL)
    catalog.begin_in_child()
    resource.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
