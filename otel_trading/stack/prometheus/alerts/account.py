"""What the account says: losses, drawdown, positions, trades, margin."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Group

GROUP: Final = Group("trading-account-alerts", ())
