"""What watches over the bot: circuit breakers, heartbeats, alerts."""

from otel_trading.risk.breaker import CircuitBreaker

__all__ = ["CircuitBreaker"]
