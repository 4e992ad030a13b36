"""OpenTelemetry for trading bots: orders, inference, portfolio and risk in Prometheus or through a Collector.

Importing this package imports next to nothing; the decorators, the account and the calls come when they are first named, with
nothing but the OpenTelemetry API, and the SDK, the exporters and the settings with `configure()`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_trading.version import __version__

if TYPE_CHECKING:
    from otel_trading.account import Account
    from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
    from otel_trading.errors import CircuitOpen, ConfigurationError
    from otel_trading.pipeline.configure import configure
    from otel_trading.pipeline.telemetry import Telemetry
    from otel_trading.recording import (
        Drift,
        OrderTracker,
        clock_offset,
        end_market_data,
        observe,
        record_alert,
        record_error,
        record_features,
        record_fill,
        record_inference,
        record_market_data,
        record_order,
        record_signal,
        record_stream_event,
        record_venue_error,
        set_clock_offset,
        set_rate_limit,
        set_venue_connected,
    )
    from otel_trading.risk import CircuitBreaker, Notifier, alert, heartbeat

__all__ = [
    "Account",
    "CircuitBreaker",
    "CircuitOpen",
    "ConfigurationError",
    "Drift",
    "Notifier",
    "OrderTracker",
    "Telemetry",
    "__version__",
    "alert",
    "clock_offset",
    "configure",
    "end_market_data",
    "heartbeat",
    "inference",
    "observe",
    "order_execution",
    "record_alert",
    "record_error",
    "record_features",
    "record_fill",
    "record_inference",
    "record_market_data",
    "record_order",
    "record_signal",
    "record_stream_event",
    "record_venue_error",
    "set_clock_offset",
    "set_rate_limit",
    "set_venue_connected",
    "strategy_cycle",
    "timed",
]

_HOMES = {
    "account": ("Account",),
    "decorators": ("inference", "order_execution", "strategy_cycle", "timed"),
    "errors": ("CircuitOpen", "ConfigurationError"),
    "pipeline.configure": ("configure",),
    "pipeline.telemetry": ("Telemetry",),
    "recording": (
        "OrderTracker",
        "Drift",
        "clock_offset",
        "end_market_data",
        "observe",
        "record_alert",
        "record_error",
        "record_features",
        "record_fill",
        "record_inference",
        "record_market_data",
        "record_order",
        "record_signal",
        "record_stream_event",
        "record_venue_error",
        "set_clock_offset",
        "set_rate_limit",
        "set_venue_connected",
    ),
    "risk": ("CircuitBreaker", "Notifier", "alert", "heartbeat"),
}
"""Where each name lives: imported when it is first asked for."""

_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
