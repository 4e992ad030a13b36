"""What becomes of orders: rejected, unknown, stuck, slow, too many."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Group

GROUP: Final = Group("trading-orders-alerts", ())
