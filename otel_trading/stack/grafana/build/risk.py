"""Risk: drawdown, limits, exposure, what returns and trades say of a strategy, and whether the books agree."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import Board, Section
from otel_trading.stack.grafana.build.panels import Ask
from otel_trading.stack.grafana.build.queries import BREAKER, LIMIT, OUTCOME, REASON, tell
from otel_trading.stack.promql import ACCOUNT, CURRENCY, SYMBOL

_LEGEND: Final = tell(ACCOUNT)
_MONEY: Final = tell(ACCOUNT, CURRENCY)


def _limits() -> Section:
    used = f"max by ({BREAKER}, {LIMIT}) ({q.now(m.RISK_LIMIT_UTILIZATION_RATIO)})"
    return Section(
        "Limits",
        (
            show.number(
                "Circuit breaker",
                show.BREAKER_ABOUT,
                Ask(f"max by (job, {BREAKER}) ({q.now(m.CIRCUIT_BREAKER_OPEN)})", tell(BREAKER)),
                unit=show.NUMBER,
                texts=show.BREAKER,
                size=(4, 8),
                absent="none known",
            ),
            show.bars(
                "Limits in use",
                "How much of each limit is used up: at 100 % the breaker trips.",
                Ask(used, tell(BREAKER, LIMIT)),
                unit=show.SHARE,
                high=1,
                at={0.8: show.ORANGE, 1: show.RED},
                decimals=0,
                absent="No limit known",
            ),
            show.course(
                "Limits in use, over time",
                "How much of each limit is used up: at 100 % the breaker trips.",
                Ask(used, tell(BREAKER, LIMIT)),
                unit=show.SHARE,
                low=0,
                at={0.8: show.ORANGE, 1: show.RED},
                size=(12, 8),
                absent="No limit known",
            ),
            show.timeline(
                "Circuit breakers",
                "When breakers were open. Half-open counts as closed.",
                Ask(f"max by (job, {BREAKER}) ({q.now(m.CIRCUIT_BREAKER_OPEN)})", tell(BREAKER)),
                texts=show.BREAKER,
                size=(12, 6),
                absent="No breaker known",
            ),
            show.course(
                "Trips, by reason",
                "Times that breakers tripped, within each interval of the graph: also those that closed again at once.",
                Ask(q.counted(m.CIRCUIT_BREAKER_TRIPS, BREAKER, REASON), tell(BREAKER, REASON)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                at={1: show.RED},
                size=(12, 6),
                absent="None known",
            ),
        ),
    )


def _drawdown() -> Section:
    return Section(
        "Losses",
        (
            show.course(
                "Drawdown",
                "Below the highest value so far, now and at its worst; deposits and withdrawals do not count.",
                Ask(q.now(m.DRAWDOWN_CURRENT_RATIO), f"now {_LEGEND}"),
                Ask(q.now(m.DRAWDOWN_MAX_RATIO), f"maximum {_LEGEND}"),
                unit=show.SHARE,
                low=0,
                at={0.1: show.RED},
            ),
            show.course(
                "P&L today, of equity",
                "Profit and loss since the session began, as a share of the equity at its start.",
                Ask(q.now(m.PNL_DAILY_RATIO), _LEGEND),
                unit=show.SHARE,
                base=show.RED,
                at={-0.02: show.GREEN},
            ),
            show.course(
                "P&L over 24 hours",
                "What net P&L is above that of a day before; all of it where nothing is known of a day before.",
                Ask(f"{q.now(m.PNL_NET)} - {q.now(m.PNL_NET, ago='1d')} or {q.now(m.PNL_NET)}", _MONEY),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            show.number(
                "In drawdown for",
                "Time since the highest value so far.",
                Ask(q.now(m.DRAWDOWN_DURATION), _LEGEND),
                unit=show.SECONDS,
                at={7 * 86400: show.YELLOW, 30 * 86400: show.ORANGE},
                size=(6, 5),
                absent="not known yet",
            ),
            show.number(
                "Losing streak",
                "Losing trades in a row until now.",
                Ask(q.now(m.TRADE_LOSING_STREAK), _LEGEND),
                unit=show.NUMBER,
                at={5: show.ORANGE, 7: show.RED},
                size=(6, 5),
                absent="none known",
            ),
            show.number(
                "Value at risk",
                "The loss of a period that is exceeded with the probability that is left beside the confidence.",
                Ask(q.now(m.RETURNS_VALUE_AT_RISK_RATIO), _LEGEND),
                unit=show.SHARE,
                at={0.02: show.ORANGE, 0.05: show.RED},
                decimals=2,
                size=(6, 5),
                absent="not known yet",
            ),
            show.number(
                "Expected shortfall",
                "The mean loss of the periods in which value at risk is exceeded.",
                Ask(q.now(m.RETURNS_EXPECTED_SHORTFALL_RATIO), _LEGEND),
                unit=show.SHARE,
                at={0.03: show.ORANGE, 0.08: show.RED},
                decimals=2,
                size=(6, 5),
                absent="not known yet",
            ),
        ),
    )


def _exposure() -> Section:
    return Section(
        "Exposure",
        (
            show.course(
                "Exposure",
                "Value of all positions, without their sign (gross) and with it (net).",
                Ask(q.now(m.PORTFOLIO_EXPOSURE_GROSS), f"gross {_MONEY}"),
                Ask(q.now(m.PORTFOLIO_EXPOSURE_NET), f"net {_MONEY}"),
                unit=show.MONEY,
                decimals=0,
            ),
            show.course(
                "Exposure and leverage, of equity",
                "Gross exposure as a share of equity, and leverage as the account reports it.",
                Ask(q.now(m.PORTFOLIO_EXPOSURE_RATIO), f"exposure {_LEGEND}"),
                Ask(q.now(m.PORTFOLIO_LEVERAGE_RATIO), f"leverage {_LEGEND}"),
                unit=show.SHARE,
                at={1: show.ORANGE, 2: show.RED},
                low=0,
            ),
            show.course(
                "Value of positions",
                "Of each symbol; short positions are below 0.",
                Ask(f"sum by ({ACCOUNT}, {SYMBOL}, {CURRENCY}) ({q.now(m.POSITION_VALUE)})", tell(ACCOUNT, SYMBOL, CURRENCY)),
                unit=show.MONEY,
                stacked=True,
                decimals=0,
                absent="No position known",
            ),
            show.course(
                "Cash, buying power and margin",
                "What can still be used, and what positions bind.",
                Ask(q.now(m.PORTFOLIO_CASH), f"cash {_MONEY}"),
                Ask(q.now(m.PORTFOLIO_BUYING_POWER), f"buying power {_MONEY}"),
                Ask(q.now(m.PORTFOLIO_MARGIN_USED), f"margin used {_MONEY}"),
                Ask(q.now(m.PORTFOLIO_MARGIN_AVAILABLE), f"margin available {_MONEY}"),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            show.bars(
                "Distance to liquidation",
                "How far the price may move against a position before the venue closes it, as a share of the price.",
                Ask(q.now(m.POSITION_LIQUIDATION_DISTANCE_RATIO), tell(ACCOUNT, SYMBOL)),
                unit=show.SHARE,
                high=1,
                base=show.RED,
                at={0.1: show.ORANGE, 0.25: show.GREEN},
                decimals=0,
                absent="No liquidation price is told",
            ),
            show.course(
                "Positions",
                "Open, risky by the bot's own rule, and without an order that would limit the loss.",
                Ask(q.now(m.POSITION_ACTIVE), f"open {_LEGEND}"),
                Ask(q.now(m.POSITION_RISKY), f"risky {_LEGEND}"),
                Ask(q.now(m.POSITION_UNPROTECTED), f"unprotected {_LEGEND}"),
                unit=show.NUMBER,
                low=0,
                decimals=0,
            ),
        ),
    )


def _returns() -> Section:
    def mean(metric: m.Metric, title: str, about: str, of: str, base: str, at: show.Steps | None = None) -> show.Panel:
        asked = Ask(q.now(metric), _MONEY)
        return show.number(
            title, about, asked, unit=show.MONEY, base=base, at=at, decimals=2, size=(6, 4), absent=f"no {of} known"
        )

    return Section(
        "Returns and trades",
        (
            show.course(
                "Sharpe, Sortino and Calmar ratio",
                "Return a year for its risk: over all variation, over that of losses, over the maximum drawdown.",
                Ask(q.now(m.RETURNS_SHARPE_RATIO), f"Sharpe {_LEGEND}"),
                Ask(q.now(m.RETURNS_SORTINO_RATIO), f"Sortino {_LEGEND}"),
                Ask(q.now(m.RETURNS_CALMAR_RATIO), f"Calmar {_LEGEND}"),
                unit=show.RATIO,
                base=show.RED,
                at={0: show.GREEN},
                decimals=2,
                absent="Not known yet",
            ),
            show.course(
                "Volatility and turnover",
                "Standard deviation of returns, a year, and what was traded as a share of equity.",
                Ask(q.now(m.RETURNS_VOLATILITY_RATIO), f"volatility {_LEGEND}"),
                Ask(q.now(m.PORTFOLIO_TURNOVER_RATIO), f"turnover {_LEGEND}"),
                unit=show.SHARE,
                low=0,
                absent="Not known yet",
            ),
            show.course(
                "Realized P&L",
                "Of closed trades, after fees.",
                Ask(f"sum by ({ACCOUNT}, {CURRENCY}) ({q.now(m.PNL_REALIZED)})", _MONEY),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            mean(
                m.TRADE_EXPECTANCY,
                "Expectancy",
                "Mean profit of a closed trade after fees.",
                "trade",
                show.RED,
                {0: show.GREEN},
            ),
            mean(m.TRADE_AVERAGE_WIN, "Average win", "Mean profit of the trades that made one.", "win", show.BLUE),
            mean(m.TRADE_AVERAGE_LOSS, "Average loss", "Mean loss of the trades that made one.", "loss", show.BLUE),
            show.number(
                "Profit factor",
                "Gross profit over gross loss of all closed trades: above 1 they made money.",
                Ask(q.now(m.TRADE_PROFIT_RATIO), _LEGEND),
                unit=show.RATIO,
                base=show.RED,
                at={1: show.GREEN},
                decimals=2,
                size=(6, 4),
                absent="no loss known",
            ),
            show.bars(
                "Trades by symbol",
                "Trades that were closed in the time that is shown.",
                Ask(f"sort_desc({q.grown(m.TRADES, SYMBOL, OUTCOME)})", tell(SYMBOL, OUTCOME)),
                unit=show.NUMBER,
                base=show.BLUE,
                decimals=0,
                size=(24, 8),
                absent="No closed trade known",
            ),
        ),
    )


def _books() -> Section:
    return Section(
        "Do the books agree",
        (
            show.course(
                "Difference of positions",
                "Size at the venue minus size in the bot's own books.",
                Ask(q.now(m.RECONCILIATION_POSITION_DIFFERENCE), tell(ACCOUNT, SYMBOL)),
                unit=show.NUMBER,
                around_zero=True,
                base=show.RED,
                at={-1e-9: show.GREEN, 1e-9: show.RED},
                absent="No comparison known",
            ),
            show.course(
                "Difference of open orders",
                "Open orders that only the venue or only the bot knows.",
                Ask(q.now(m.RECONCILIATION_ORDER_DIFFERENCE), _LEGEND),
                unit=show.NUMBER,
                at={1: show.RED},
                absent="No comparison known",
            ),
            show.number(
                "Comparisons",
                "How often the books were compared with the venue in the last hour, by whatever clock the account goes.",
                Ask(f"sum without (instance) (changes({q.series(m.RECONCILIATION_LAST_CHECK_TIME)}[1h]))", _LEGEND),
                unit=show.NUMBER,
                base=show.RED,
                at={1: show.GREEN},
                line=False,
                size=(8, 8),
                absent="none known",
            ),
        ),
    )


BOARD: Final = Board(
    "trading-risk",
    "Risk",
    "Limits and breakers, drawdown and losses, exposure and margin, returns and trades, and whether the books agree.",
    (_limits(), _drawdown(), _exposure(), _returns(), _books()),
)
