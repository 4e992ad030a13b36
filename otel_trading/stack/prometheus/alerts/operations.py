"""What the process and the SDK say of themselves."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Group

GROUP: Final = Group("trading-operations-alerts", ())
