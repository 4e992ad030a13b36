"""Is the bot at work."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

CASES: Cases = {
    "TradingStrategyStalled": {
        "firing": Case(
            {
                'trading_strategy_last_cycle_time_seconds{job="bot",instance="a",trading_strategy_name="sma"}': "0x20",
                'trading_strategy_cycle_interval_seconds{job="bot",instance="a",trading_strategy_name="sma"}': "60x20",
            },
            at="10m",
            fires=[fired("The last cycle of sma of bot ended 10m 0s ago.", job="bot", trading_strategy_name="sma")],
        ),
        "missing": Case({'up{job="bot",instance="a"}': "1x20"}),
    },
}
