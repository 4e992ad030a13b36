"""What orders are: the vocabulary, and how an order is read from a client's answer or exception."""

from otel_trading.orders.errors import Failure, classify, error_type
from otel_trading.orders.events import read_event
from otel_trading.orders.results import Fill, Report, read
from otel_trading.orders.seen import Memory, seen
from otel_trading.orders.slippage import Slippage, measure
from otel_trading.orders.tracker import Known, Life, Outcome

__all__ = [
    "Failure",
    "Fill",
    "Known",
    "Life",
    "Memory",
    "Outcome",
    "Report",
    "Slippage",
    "classify",
    "error_type",
    "measure",
    "read",
    "read_event",
    "seen",
]
