"""What is recorded: the recorders that the decorators use, and the plain calls for code that has the numbers already."""

from otel_trading.recording.calls import (
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
from otel_trading.recording.observe import observe
from otel_trading.recording.options import Options
from otel_trading.recording.series import configure

__all__ = [
    "Options",
    "configure",
    "observe",
    "record_alert",
    "record_error",
    "record_fill",
    "record_inference",
    "record_market_data",
    "record_order",
    "record_signal",
    "record_stream_event",
    "set_venue_connected",
]
