"""OpenTelemetry for trading bots: orders, inference, portfolio and risk in Prometheus or through a Collector.

Importing this package imports nothing but the OpenTelemetry API; the SDK, the exporters and the settings come with
`configure()`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_trading.account import Account
from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
from otel_trading.errors import ConfigurationError
from otel_trading.recording import (
    observe,
    record_alert,
    record_error,
    record_fill,
    record_inference,
    record_market_data,
    record_order,
    record_signal,
    record_stream_event,
    set_venue_connected,
)
from otel_trading.version import __version__

if TYPE_CHECKING:
    from otel_trading.pipeline.configure import configure
    from otel_trading.pipeline.telemetry import Telemetry

__all__ = [
    "Account",
    "ConfigurationError",
    "Telemetry",
    "__version__",
    "configure",
    "inference",
    "observe",
    "order_execution",
    "record_alert",
    "record_error",
    "record_fill",
    "record_inference",
    "record_market_data",
    "record_order",
    "record_signal",
    "record_stream_event",
    "set_venue_connected",
    "strategy_cycle",
    "timed",
]

_LATE = {"configure": "otel_trading.pipeline.configure", "Telemetry": "otel_trading.pipeline.telemetry"}
"""What is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
