"""What orders are: the vocabulary, and how an order is read from a client's answer or exception."""

from otel_trading.orders.errors import Failure, classify, error_type
from otel_trading.orders.results import Fill, Report, read
from otel_trading.orders.seen import Memory, seen
from otel_trading.orders.slippage import Slippage, measure

__all__ = ["Failure", "Fill", "Memory", "Report", "Slippage", "classify", "error_type", "measure", "read", "seen"]
