"""What models say: how late, how stale, how far from what they were trained on."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Group

GROUP: Final = Group("trading-inference-alerts", ())
