"""What is recorded: the recorders that the decorators use, and the plain calls for code that has the numbers already."""

from otel_trading.recording.calls import (
    end_market_data,
    record_alert,
    record_error,
    record_fill,
    record_inference,
    record_market_data,
    record_order,
    record_signal,
    record_stream_event,
)
from otel_trading.recording.drift import Drift, record_features
from otel_trading.recording.observe import observe
from otel_trading.recording.options import Options
from otel_trading.recording.series import configure
from otel_trading.recording.tracker import OrderTracker
from otel_trading.recording.venue import (
    clock_offset,
    record_venue_error,
    set_clock_offset,
    set_rate_limit,
    set_venue_connected,
)

__all__ = [
    "Drift",
    "Options",
    "OrderTracker",
    "clock_offset",
    "configure",
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
]
