"""Is the bot at work: its cycles, its heartbeats, whether it is there at all."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, value
from otel_trading.stack.promql import STRATEGY, last, recent

GROUP: Final = Group(
    "trading-strategy-alerts",
    (
        Alert(
            name="TradingStrategyStalled",
            expr=(
                f"time() - {last(m.STRATEGY_LAST_CYCLE_TIME)}"
                f" > clamp_min($threshold * max without (instance) ({recent(m.STRATEGY_CYCLE_INTERVAL)}), 60)"
            ),
            summary="A strategy has not finished a cycle for several of its intervals.",
            description=f"The last cycle of {told(STRATEGY)} of {told('job')} ended {value('humanizeDuration')} ago.",
            dashboard="trading-overview",
            severity="critical",
            pending="30s",
            threshold=Threshold(3, "intervals of the strategy without a cycle that ended, a minute at least"),
        ),
    ),
)
