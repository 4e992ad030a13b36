"""What the account says: losses, drawdown, positions, trades, margin."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, value
from otel_trading.stack.prometheus.recording import OWNER, WIN_RATIO_7D
from otel_trading.stack.promql import ACCOUNT, SYMBOL, current, increase, of

_LIMIT: Final = label_name(a.RISK_LIMIT_NAME)
_BREAKER: Final = label_name(a.CIRCUIT_BREAKER_NAME)

_WHOSE: Final = f"{told(ACCOUNT)} of {told('job')}"
_ENOUGH: Final = f"sum by ({OWNER}) ({increase(of(m.TRADES), '7d')}) > 19.5"
"""Twenty trades: with fewer of them, a share of half is as good as any other. An increase is an estimate, hence the half."""


def _won(below: str) -> str:
    return f"{WIN_RATIO_7D} < {below} and on ({OWNER}) {_ENOUGH}"


def _limit(name: str) -> str:
    return f"{current(m.RISK_LIMIT_UTILIZATION_RATIO, **{_LIMIT: name})} >= $threshold"


def _no_longer(now: str, before: str) -> str:
    return f"{before} unless on (job, {ACCOUNT}) {now}"


GROUP: Final = Group(
    "trading-account-alerts",
    (
        Alert(
            name="TradingDailyLoss",
            expr=f"-{current(m.PNL_DAILY_RATIO)} > $threshold",
            summary="An account has lost much since its session began.",
            description=f"{_WHOSE} has lost {value('humanizePercentage')} today.",
            dashboard="trading-risk",
            threshold=Threshold(0.02, "lost of the equity at the session's start, as a fraction"),
        ),
        Alert(
            name="TradingDailyLossLimit",
            expr=_limit("max_daily_loss"),
            summary="An account has reached the limit of its daily loss.",
            description=f"{_WHOSE} is at {value('humanizePercentage')} of the daily loss that {told(_BREAKER)} allows.",
            dashboard="trading-risk",
            severity="critical",
            threshold=Threshold(1, "of the limit, as a fraction"),
        ),
        Alert(
            name="TradingDrawdown",
            expr=f"{current(m.DRAWDOWN_CURRENT_RATIO)} > $threshold",
            summary="An account is far below its highest value.",
            description=f"{_WHOSE} is {value('humanizePercentage')} below its highest value.",
            dashboard="trading-risk",
            pending="5m",
            threshold=Threshold(0.1, "fallen from the highest value, as a fraction of it"),
        ),
        Alert(
            name="TradingDrawdownLimit",
            expr=_limit("max_drawdown"),
            summary="An account has reached the limit of its drawdown.",
            description=f"{_WHOSE} is at {value('humanizePercentage')} of the drawdown that {told(_BREAKER)} allows.",
            dashboard="trading-risk",
            severity="critical",
            threshold=Threshold(1, "of the limit, as a fraction"),
        ),
        Alert(
            name="TradingWinRatioLow",
            expr=_won("$threshold"),
            summary="Fewer trades are won than usual.",
            description=f"{_WHOSE} won {value('humanizePercentage')} of the trades of the last 7 days.",
            dashboard="trading-overview",
            severity="info",
            pending="1h",
            threshold=Threshold(0.5, "of the trades of seven days won, as a fraction, from twenty trades on"),
        ),
        Alert(
            name="TradingWinRatioVeryLow",
            expr=_won("$threshold"),
            summary="Far fewer trades are won than usual.",
            description=f"{_WHOSE} won only {value('humanizePercentage')} of the trades of the last 7 days.",
            dashboard="trading-overview",
            pending="1h",
            threshold=Threshold(0.4, "of the trades of seven days won, as a fraction, from twenty trades on"),
        ),
        Alert(
            name="TradingLosingStreak",
            expr=f"{current(m.TRADE_LOSING_STREAK)} >= $threshold",
            summary="Many trades in a row were lost.",
            description=f"{_WHOSE} lost its last {value()} trades.",
            dashboard="trading-risk",
            pending="2m",
            threshold=Threshold(7, "losing trades in a row"),
        ),
        Alert(
            name="TradingPositionsRisky",
            expr=f"{current(m.POSITION_RISKY)} > $threshold",
            summary="The bot's own rule calls many of its positions risky.",
            description=f"{_WHOSE} has {value()} risky positions.",
            dashboard="trading-risk",
            threshold=Threshold(3, "risky positions of one account"),
        ),
        Alert(
            name="TradingPositionUnprotected",
            expr=f"{current(m.POSITION_UNPROTECTED)} > $threshold",
            summary="A position has no stop order at the venue.",
            description=f"{_WHOSE} has {value()} positions without a stop order.",
            dashboard="trading-risk",
            severity="critical",
            pending="2m",
            threshold=Threshold(0, "positions of one account without a stop order"),
        ),
        Alert(
            name="TradingLiquidationNear",
            # The series of a closed position ends without a zero, that of its size with one.
            expr=(
                f"{current(m.POSITION_LIQUIDATION_DISTANCE_RATIO)} < $threshold"
                f" and on (job, {ACCOUNT}, {SYMBOL}) {current(m.POSITION_SIZE)} != 0"
            ),
            summary="The price of a position is close to where the venue liquidates it.",
            description=f"{told(SYMBOL)} of {_WHOSE} is {value('humanizePercentage')} away from its liquidation.",
            dashboard="trading-risk",
            severity="critical",
            threshold=Threshold(0.1, "of the mark price between it and the liquidation price, as a fraction"),
        ),
        Alert(
            name="TradingMarginHigh",
            expr=(
                f"{current(m.PORTFOLIO_MARGIN_USED)}"
                f" / (({current(m.PORTFOLIO_MARGIN_USED)} + {current(m.PORTFOLIO_MARGIN_AVAILABLE)}) > 0) > $threshold"
            ),
            summary="Most of the margin of an account is in use.",
            description=f"{_WHOSE} uses {value('humanizePercentage')} of its margin.",
            dashboard="trading-risk",
            pending="2m",
            threshold=Threshold(0.8, "of the margin in use, as a fraction"),
        ),
        Alert(
            name="TradingEquityMissing",
            expr=_no_longer(
                f"last_over_time({of(m.PORTFOLIO_EQUITY)}[5m])",
                f"({current(m.POSITION_ACTIVE)} > 0 and on (job, {ACCOUNT}) max_over_time({of(m.PORTFOLIO_EQUITY)}[1d]))",
            ),
            summary="An account has open positions, and its equity is not known any more.",
            description=f"{_WHOSE} has {value()} open positions, and tells no equity.",
            dashboard="trading-risk",
            severity="critical",
            pending="2m",
        ),
    ),
)
