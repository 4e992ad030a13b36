"""What the account says."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

MAIN = 'job="bot",instance="a",trading_account_name="main"'
OLD = 'job="bot",instance="old",trading_account_name="main"'
BTC = f'{MAIN},trading_instrument_symbol="BTC/USD"'
UPTIME = {'process_uptime_seconds{job="bot",instance="a"}': "0+60x300"}
OPEN = {f"trading_position_active{{{MAIN}}}": "2x30", **UPTIME}
"""Open positions, which every account tells: that it is there."""
LABELS = {"job": "bot", "trading_account_name": "main"}
NOTHING = Case({})
WEEK = 'job="bot",instance="a",trading_account_name="main",trading_trade_outcome'


def told(name: str, values: str) -> dict[str, str]:
    return {f"{name}{{{MAIN}}}": values, **OPEN}


def limit(name: str, values: str) -> dict[str, str]:
    labels = f'trading_risk_limit_name="{name}",trading_circuit_breaker_name="losses"'
    return {f"trading_risk_limit_utilization_ratio{{{MAIN},{labels}}}": values, **OPEN}


def limited(name: str) -> dict[str, str]:
    return LABELS | {"trading_risk_limit_name": name, "trading_circuit_breaker_name": "losses"}


def trades(wins: str, losses: str) -> dict[str, str]:
    return {
        f'trading_trades_total{{{WEEK}="win"}}': wins,
        f'trading_trades_total{{{WEEK}="loss"}}': losses,
        **UPTIME,
    }


def moved(name: str, now: str, before: str) -> Case:
    """The bot was started again elsewhere, and the Collector still shows what it said where it was."""
    return Case(
        {
            **told(name, now),
            f"{name}{{{OLD}}}": before,
            f"trading_position_active{{{OLD}}}": "2x30",
            'trading_strategy_last_cycle_time_seconds{job="bot",instance="a",trading_strategy_name="sma"}': "0+60x30",
            'trading_strategy_last_cycle_time_seconds{job="bot",instance="old",trading_strategy_name="sma"}': "0x30",
        },
        at="20m",
    )


CASES: Cases = {
    "TradingDailyLoss": {
        "firing": Case(
            told("trading_pnl_daily_ratio", "0x4 -0.025x20"), fires=[fired("main of bot has lost 2.5% today.", **LABELS)]
        ),
        "missing": NOTHING,
        "a gain": Case(told("trading_pnl_daily_ratio", "0.025x20")),
        "the loss of an instance that is gone": moved("trading_pnl_daily_ratio", "-0.001x30", "-0.05x30"),
    },
    "TradingDailyLossLimit": {
        "firing": Case(
            limit("max_daily_loss", "0.5x4 1.04x20"),
            fires=[fired("main of bot is at 104% of the daily loss that losses allows.", **limited("max_daily_loss"))],
        ),
        "missing": NOTHING,
        "another limit": Case(limit("max_drawdown", "1.04x20")),
    },
    "TradingDrawdown": {
        "firing": Case(
            told("trading_drawdown_current_ratio", "0x4 0.125x20"),
            fires=[fired("main of bot is 12.5% below its highest value.", **LABELS)],
        ),
        "missing": NOTHING,
        "for less than five minutes": Case(told("trading_drawdown_current_ratio", "0x6 0.125x20")),
        "the drawdown of an instance that is gone": moved("trading_drawdown_current_ratio", "0.01x30", "0.3x30"),
    },
    "TradingDrawdownLimit": {
        "firing": Case(
            limit("max_drawdown", "0.5x4 1x20"),
            fires=[fired("main of bot is at 100% of the drawdown that losses allows.", **limited("max_drawdown"))],
        ),
        "missing": NOTHING,
    },
    "TradingWinRatioLow": {
        "firing": Case(
            trades("0+1x300", "0+1.5x300"),
            at="4h",
            fires=[fired("main of bot won 40% of the trades of the last 7 days.", **LABELS)],
        ),
        "missing": Case({}, at="4h"),
        "too few trades": Case(trades("0+0.03x300", "0+0.04x300"), at="4h"),
        "half of them": Case(trades("0+1x300", "0+1x300"), at="4h"),
    },
    "TradingWinRatioVeryLow": {
        "firing": Case(
            trades("0+1x300", "0+3x300"),
            at="4h",
            fires=[fired("main of bot won only 25% of the trades of the last 7 days.", **LABELS)],
        ),
        "missing": Case({}, at="4h"),
        "nearly half": Case(trades("0+9x300", "0+11x300"), at="4h"),
    },
    "TradingLosingStreak": {
        "firing": Case(
            told("trading_trade_losing_streak", "6x4 8x20"), fires=[fired("main of bot lost its last 8 trades.", **LABELS)]
        ),
        "missing": NOTHING,
        "ended": Case(told("trading_trade_losing_streak", "8x7 0x20")),
    },
    "TradingPositionsRisky": {
        "firing": Case(
            told("trading_position_risky", "3x4 4x20"), fires=[fired("main of bot has 4 risky positions.", **LABELS)]
        ),
        "missing": NOTHING,
        "three": Case(told("trading_position_risky", "3x20")),
    },
    "TradingPositionUnprotected": {
        "firing": Case(
            told("trading_position_unprotected", "0x4 1x20"),
            fires=[fired("main of bot has 1 positions without a stop order.", **LABELS)],
        ),
        "missing": NOTHING,
        "until its stop is placed": Case(told("trading_position_unprotected", "0x8 1 0x20")),
    },
    "TradingLiquidationNear": {
        "firing": Case(
            {
                f"trading_position_liquidation_distance_ratio{{{BTC}}}": "0.2x4 0.04x20",
                f"trading_position_size{{{BTC}}}": "-3x20",
                **OPEN,
            },
            fires=[
                fired("BTC/USD of main of bot is 4% away from its liquidation.", **LABELS, trading_instrument_symbol="BTC/USD")
            ],
        ),
        "missing": NOTHING,
        "the position was closed": Case(
            {
                f"trading_position_liquidation_distance_ratio{{{BTC}}}": "0.2x5 0.04x2 stale",
                f"trading_position_size{{{BTC}}}": "3x7 0x1 stale",
                **OPEN,
            },
        ),
    },
    "TradingMarginHigh": {
        "firing": Case(
            {
                f'trading_portfolio_margin_used{{{MAIN},trading_currency="USD"}}': "90x20",
                f'trading_portfolio_margin_available{{{MAIN},trading_currency="USD"}}': "10x20",
                **OPEN,
            },
            fires=[fired("main of bot uses 90% of its margin.", **LABELS, trading_currency="USD")],
        ),
        "missing": NOTHING,
        "an account without any": Case(
            {
                f'trading_portfolio_margin_used{{{MAIN},trading_currency="USD"}}': "0x20",
                f'trading_portfolio_margin_available{{{MAIN},trading_currency="USD"}}': "0x20",
                **OPEN,
            }
        ),
    },
    "TradingEquityMissing": {
        "firing": Case(
            {f'trading_portfolio_equity{{{MAIN},trading_currency="USD"}}': "1000x4 stale", **OPEN},
            at="15m",
            fires=[fired("main of bot has 2 open positions, and tells no equity.", **LABELS)],
        ),
        "missing": NOTHING,
        "it was never known": Case(OPEN, at="15m"),
        "no position is open": Case(
            {
                f'trading_portfolio_equity{{{MAIN},trading_currency="USD"}}': "1000x4 stale",
                f"trading_position_active{{{MAIN}}}": "0x30",
                **UPTIME,
            },
            at="15m",
        ),
    },
}
