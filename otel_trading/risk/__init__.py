"""What watches over the bot: circuit breakers, heartbeats, alerts."""

from otel_trading.risk.breaker import CircuitBreaker
from otel_trading.risk.heartbeat import heartbeat

__all__ = ["CircuitBreaker", "heartbeat"]
