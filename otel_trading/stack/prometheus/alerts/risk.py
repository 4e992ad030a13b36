"""What stopped trading, or is about to: circuit breakers, limits, reconciliation."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Group

GROUP: Final = Group("trading-risk-alerts", ())
