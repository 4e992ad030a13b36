"""What stopped trading, or is about to."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

BOT = 'job="bot",instance="a"'
MAIN = f'{BOT},trading_account_name="main"'
VENUE = f'{MAIN},trading_venue_name="kraken"'
BREAKER = 'trading_circuit_breaker_name="losses"'
UPTIME = {f"process_uptime_seconds{{{BOT}}}": "0+60x60"}
OPEN = {f"trading_position_active{{{MAIN}}}": "1x60", **UPTIME}
LABELS = {"job": "bot", "trading_account_name": "main"}
TRIPPED = {"job": "bot", "trading_circuit_breaker_name": "losses"}
NEAR = {**TRIPPED, **LABELS, "trading_risk_limit_name": "max_drawdown"}
CHECKED = "trading_reconciliation_last_check_time_seconds"
NOTHING = Case({})

CASES: Cases = {
    "TradingCircuitBreakerOpen": {
        "firing": Case(
            {f"trading_circuit_breaker_open{{{MAIN},{BREAKER}}}": "0x4 1x20", **OPEN},
            fires=[fired("losses of bot main is open.", **TRIPPED, trading_account_name="main")],
        ),
        "missing": NOTHING,
        "a breaker of no account": Case(
            {f"trading_circuit_breaker_open{{{BOT},{BREAKER}}}": "0x4 1x20"},
            fires=[fired("losses of bot is open.", **TRIPPED)],
        ),
        "closed again": Case({f"trading_circuit_breaker_open{{{MAIN},{BREAKER}}}": "0x4 1x3 0x20", **OPEN}),
        "a restart elsewhere, where it is closed": Case(
            {
                f"trading_circuit_breaker_open{{{MAIN},{BREAKER}}}": "_x5 0x20",
                f'trading_circuit_breaker_open{{job="bot",instance="old",trading_account_name="main",{BREAKER}}}': "1x20",
                f"trading_position_active{{{MAIN}}}": "_x5 1x20",
                'trading_position_active{job="bot",instance="old",trading_account_name="main"}': "1x20",
                f'trading_heartbeat_last_beat_time_seconds{{{BOT},trading_heartbeat_name="loop"}}': "_x5 300+60x20",
                'trading_heartbeat_last_beat_time_seconds{job="bot",instance="old",trading_heartbeat_name="loop"}': "240x20",
            },
        ),
    },
    "TradingRiskLimitNear": {
        "firing": Case(
            {
                f'trading_risk_limit_utilization_ratio{{{MAIN},{BREAKER},trading_risk_limit_name="max_drawdown"}}': "0.5x4 0.9x20",
                **OPEN,
            },
            fires=[fired("bot main uses 90% of max_drawdown.", **NEAR)],
        ),
        "missing": NOTHING,
        "enough of it is left": Case(
            {f'trading_risk_limit_utilization_ratio{{{MAIN},trading_risk_limit_name="max_drawdown"}}': "0.8x20", **OPEN},
        ),
    },
    "TradingPositionMismatch": {
        "firing": Case(
            {
                f'trading_reconciliation_position_difference{{{VENUE},trading_instrument_symbol="BTC/USD"}}': "0x4 -0.5x20",
                f'trading_reconciliation_position_difference{{{VENUE},trading_instrument_symbol="ETH/USD"}}': "0x20",
                **OPEN,
            },
            fires=[
                fired(
                    "The venue's BTC/USD of main of bot differs by 0.5 from what the bot believes.",
                    **LABELS,
                    trading_instrument_symbol="BTC/USD",
                    trading_venue_name="kraken",
                )
            ],
        ),
        "missing": NOTHING,
        "a fill was on its way": Case(
            {f'trading_reconciliation_position_difference{{{VENUE},trading_instrument_symbol="BTC/USD"}}': "0x7 1 0x20", **OPEN}
        ),
    },
    "TradingOrderMismatch": {
        "firing": Case(
            {f"trading_reconciliation_order_difference{{{VENUE}}}": "0x4 2x20", **OPEN},
            fires=[fired("2 orders of main of bot are open at one side only.", **LABELS, trading_venue_name="kraken")],
        ),
        "missing": NOTHING,
    },
    "TradingReconciliationOverdue": {
        "firing": Case(
            {f"{CHECKED}{{{VENUE}}}": "0+60x4 240x60", **OPEN},
            at="40m",
            fires=[fired("main of bot is not compared with kraken any more.", **LABELS, trading_venue_name="kraken")],
        ),
        "missing": Case(OPEN, at="40m"),
        "times of the past, which go on": Case({f"{CHECKED}{{{VENUE}}}": "-600000000+86400x60", **OPEN}, at="40m"),
        "no position is open": Case(
            {f"{CHECKED}{{{VENUE}}}": "240x60", f"trading_position_active{{{MAIN}}}": "0x60", **UPTIME}, at="40m"
        ),
    },
}
