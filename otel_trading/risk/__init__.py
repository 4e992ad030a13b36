"""What watches over the bot: circuit breakers, heartbeats, alerts."""

from otel_trading.risk.breaker import CircuitBreaker
from otel_trading.risk.heartbeats import heartbeat
from otel_trading.risk.notifier import Notifier, alert

__all__ = ["CircuitBreaker", "Notifier", "alert", "heartbeat"]
