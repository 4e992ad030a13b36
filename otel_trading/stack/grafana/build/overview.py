"""Overview: is the bot at work, is it making money, and is anything wrong."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import levels
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import Board, Section
from otel_trading.stack.grafana.build.panels import Ask, Column
from otel_trading.stack.grafana.build.queries import BREAKER, COMPONENT, ERROR, OUTCOME, SEVERITY, tell
from otel_trading.stack.prometheus.alerts.alerting import WATCHDOG
from otel_trading.stack.promql import ACCOUNT, CURRENCY, STRATEGY, SYMBOL, VENUE

LEGEND: Final = tell(ACCOUNT)
MONEY_LEGEND: Final = tell(ACCOUNT, CURRENCY)
RUNBOOK: Final = "http://127.0.0.1:9090/consoles/runbooks/${__data.fields.Alert}.html"

_FIRING: Final = q.narrowed("ALERTS", alertstate="firing").replace(
    'job=~"$job"', f'alertname=~"Trading.+", alertname!="{WATCHDOG}", job=~"$job|"'
)
"""Alerts about the chosen services, and those that name none, but the one that fires always."""


def _won(window: str) -> str:
    wins = q.grown(m.TRADES, ACCOUNT, window=window, **{OUTCOME: "win"})
    return q.part(wins, q.grown(m.TRADES, ACCOUNT, window=window))


def _glance() -> Section:
    return Section(
        "At a glance",
        (
            show.number(
                "Portfolio value",
                "Cash and the value of all positions, for each currency over the chosen accounts.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.PORTFOLIO_EQUITY)})", tell(CURRENCY)),
                unit=show.MONEY,
                base=show.BLUE,
                decimals=0,
            ),
            show.number(
                "P&L today",
                "Profit and loss since the session began, after fees and funding.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.PNL_DAILY)})", tell(CURRENCY)),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            show.number(
                "P&L today, of equity",
                "Profit and loss since the session began, as a share of the equity at its start.",
                Ask(q.now(m.PNL_DAILY_RATIO), LEGEND),
                unit=show.SHARE,
                base=show.RED,
                at={-0.02: show.ORANGE, 0: show.GREEN},
                decimals=2,
            ),
            show.number(
                "P&L, all time",
                "Net profit and loss: realized and unrealized, after fees and funding.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.PNL_NET)})", tell(CURRENCY)),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            show.number(
                "Drawdown",
                "How far the account is below its highest value so far; deposits and withdrawals do not count.",
                Ask(q.now(m.DRAWDOWN_CURRENT_RATIO), LEGEND),
                unit=show.SHARE,
                at={0.05: show.YELLOW, 0.1: show.RED},
                decimals=2,
            ),
            show.number(
                "Circuit breaker",
                show.BREAKER_ABOUT,
                Ask(f"max by (job, {BREAKER}) ({q.now(m.CIRCUIT_BREAKER_OPEN)})", tell(BREAKER)),
                unit=show.NUMBER,
                texts=show.BREAKER,
                absent="none known",
            ),
            show.number(
                "Alerts firing",
                "Alerts about the chosen services that fire now; the list is below.",
                Ask(f"count({_FIRING}) or vector(0)"),
                unit=show.NUMBER,
                at={1: show.RED},
                line=False,
            ),
            show.number(
                "Last cycle",
                "How long ago each strategy finished its last cycle. It goes on rising when the bot hangs.",
                Ask(q.age(m.STRATEGY_LAST_CYCLE_TIME), tell(STRATEGY)),
                unit=show.SECONDS,
                at={60: show.ORANGE, 300: show.RED},
                decimals=0,
            ),
            show.number(
                "Open positions",
                "Positions that are open now.",
                Ask(q.now(m.POSITION_ACTIVE), LEGEND),
                unit=show.NUMBER,
                base=show.BLUE,
            ),
            show.number(
                "Risky positions",
                "Open positions that the bot's own rule calls risky.",
                Ask(q.now(m.POSITION_RISKY), LEGEND),
                unit=show.NUMBER,
                at={1: show.YELLOW, 4: show.RED},
                absent="not told",
            ),
            show.dial(
                "Win rate",
                "Share of the closed trades that made a profit after fees, over the account's whole life.",
                Ask(q.now(m.TRADE_WIN_RATIO), LEGEND),
                base=show.RED,
                at={0.4: show.ORANGE, 0.5: show.GREEN},
                decimals=1,
                absent="no trade known",
            ),
            show.number(
                "Trades in the last hour",
                "Trades that were closed within the last hour.",
                Ask(q.grown(m.TRADES, ACCOUNT, window="1h"), LEGEND),
                unit=show.NUMBER,
                base=show.BLUE,
                decimals=0,
                absent="none known",
            ),
        ),
    )


def _value() -> Section:
    return Section(
        "Value and P&L",
        (
            show.course(
                "Portfolio value",
                "Equity, its highest value so far, and cash.",
                Ask(q.now(m.PORTFOLIO_EQUITY), f"equity {MONEY_LEGEND}"),
                Ask(q.now(m.PORTFOLIO_PEAK_EQUITY), f"peak {MONEY_LEGEND}"),
                Ask(q.now(m.PORTFOLIO_CASH), f"cash {MONEY_LEGEND}"),
                unit=show.MONEY,
                size=(12, 9),
                decimals=0,
            ),
            show.course(
                "P&L",
                "Net is realized and unrealized after fees and funding.",
                Ask(q.now(m.PNL_NET), f"net {MONEY_LEGEND}"),
                Ask(f"sum by (job, {ACCOUNT}, {CURRENCY}) ({q.now(m.PNL_REALIZED)})", f"realized {MONEY_LEGEND}"),
                Ask(q.now(m.PNL_UNREALIZED), f"unrealized {MONEY_LEGEND}"),
                unit=show.MONEY,
                size=(12, 9),
                decimals=0,
                at={0: show.GRAY},
            ),
        ),
    )


def _positions() -> Section:
    same = f"job, {ACCOUNT}, {VENUE}, {SYMBOL}"
    held = f"sum by ({same}) ({q.now(m.POSITION_SIZE)}) != 0"

    def each(metric: m.Metric) -> str:
        return f"sum by ({same}) ({q.now(metric)}) and on ({same}) {held}"

    return Section(
        "Positions",
        (
            show.rows(
                "Open positions",
                "What is held now: negative sizes are short. The distance to liquidation is a share of the price.",
                {"job": "Service", ACCOUNT: "Account", VENUE: "Venue", SYMBOL: "Symbol"},
                Column("Size", held, show.NUMBER),
                Column("Entry price", each(m.POSITION_ENTRY_PRICE), show.MONEY, decimals=2),
                Column("Value", each(m.POSITION_VALUE), show.MONEY, decimals=0),
                Column(
                    "Unrealized P&L", each(m.POSITION_UNREALIZED_PNL), show.MONEY, base=show.RED, at={0: show.GREEN}, decimals=0
                ),
                Column(
                    "To liquidation",
                    each(m.POSITION_LIQUIDATION_DISTANCE_RATIO),
                    show.SHARE,
                    base=show.RED,
                    at={0.1: show.ORANGE, 0.25: show.GREEN},
                ),
                size=(24, 7),
                absent="No position known",
            ),
            show.course(
                "Exposure",
                "Gross is the value of all positions without their sign, net with it; both as shares of equity.",
                Ask(q.now(m.PORTFOLIO_EXPOSURE_RATIO), f"gross {LEGEND}"),
                Ask(f"{q.now(m.PORTFOLIO_EXPOSURE_NET)} / ignoring({CURRENCY}) {q.now(m.PORTFOLIO_EQUITY)}", f"net {LEGEND}"),
                unit=show.SHARE,
                at={1: show.ORANGE, 2: show.RED},
                size=(12, 8),
            ),
            show.course(
                "Unrealized P&L of positions",
                "What each open position would make or lose at the last price.",
                Ask(f"sum by ({SYMBOL}) ({q.now(m.POSITION_UNREALIZED_PNL)})", tell(SYMBOL)),
                unit=show.MONEY,
                around_zero=True,
                decimals=0,
                size=(12, 8),
                absent="No position known",
            ),
        ),
    )


def _trades() -> Section:
    return Section(
        "Trades and orders",
        (
            show.course(
                "Trades an hour",
                "Trades that were closed within the hour before, by outcome.",
                Ask(q.grown(m.TRADES, OUTCOME, window="1h"), tell(OUTCOME)),
                unit=show.NUMBER,
                stacked=True,
                columns=True,
                colors={"win": show.GREEN, "loss": show.RED, "even": show.BLUE},
                absent="No closed trade known",
            ),
            show.course(
                "Win rate",
                "Share of trades with a profit: over the account's whole life, and over the last 7 days.",
                Ask(q.now(m.TRADE_WIN_RATIO), f"all {LEGEND}"),
                Ask(_won("7d"), f"7 days {LEGEND}"),
                unit=show.SHARE,
                low=0,
                high=1,
                base=show.RED,
                at={0.5: show.GREEN},
                absent="No closed trade known",
            ),
            show.course(
                "Order latency",
                "From the call to its return, as the bot saw it: half of the calls, and 1 in 100, took longer.",
                Ask(q.quantile(0.5, m.ORDER_DURATION, VENUE), f"median {tell(VENUE)}"),
                Ask(q.quantile(0.99, m.ORDER_DURATION, VENUE), f"99th percentile {tell(VENUE)}"),
                unit=show.SECONDS,
                at={1: show.RED},
                absent="No order known",
            ),
        ),
    )


def _levels() -> Section:
    every = *levels.ORDERS, *levels.MODELS
    return Section("Service levels", (levels.left(*every, size=(8, 7)), levels.burning(*every, size=(16, 7))))


def _performance() -> Section:
    return Section(
        "Risk and performance",
        (
            show.number(
                "Sharpe ratio",
                "Mean return over its standard deviation, a year; it needs as many returns as the account is set to wait for.",
                Ask(q.now(m.RETURNS_SHARPE_RATIO), LEGEND),
                unit=show.RATIO,
                base=show.RED,
                at={0: show.ORANGE, 1: show.GREEN},
                decimals=2,
                absent="not known yet",
            ),
            show.number(
                "Maximum drawdown",
                "The deepest fall from a highest value since the account began.",
                Ask(q.now(m.DRAWDOWN_MAX_RATIO), LEGEND),
                unit=show.SHARE,
                at={0.1: show.ORANGE, 0.2: show.RED},
                decimals=1,
            ),
            show.number(
                "Value at risk",
                "The loss of a period that is exceeded with the probability that is left beside the confidence.",
                Ask(q.now(m.RETURNS_VALUE_AT_RISK_RATIO), LEGEND),
                unit=show.SHARE,
                at={0.02: show.ORANGE, 0.05: show.RED},
                decimals=2,
                absent="not known yet",
            ),
            show.number(
                "Profit factor",
                "Gross profit over gross loss of all closed trades: above 1 they made money.",
                Ask(q.now(m.TRADE_PROFIT_RATIO), LEGEND),
                unit=show.RATIO,
                base=show.RED,
                at={1: show.GREEN},
                decimals=2,
                absent="no loss known",
            ),
            show.number(
                "Expectancy",
                "Mean profit of a closed trade after fees.",
                Ask(q.now(m.TRADE_EXPECTANCY), MONEY_LEGEND),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=2,
                absent="no trade known",
            ),
            show.number(
                "Losing streak",
                "Losing trades in a row until now.",
                Ask(q.now(m.TRADE_LOSING_STREAK), LEGEND),
                unit=show.NUMBER,
                at={5: show.ORANGE, 7: show.RED},
                absent="none known",
            ),
            show.course(
                "Drawdown",
                "Below the highest value so far, now and at its worst.",
                Ask(q.now(m.DRAWDOWN_CURRENT_RATIO), f"now {LEGEND}"),
                Ask(q.now(m.DRAWDOWN_MAX_RATIO), f"maximum {LEGEND}"),
                unit=show.SHARE,
                at={0.1: show.RED},
                low=0,
                size=(12, 8),
            ),
            show.course(
                "P&L today, of equity",
                "Profit and loss since the session began, as a share of the equity at its start.",
                Ask(q.now(m.PNL_DAILY_RATIO), LEGEND),
                unit=show.SHARE,
                base=show.RED,
                at={-0.02: show.GREEN},
                size=(12, 8),
            ),
        ),
    )


def _wrong() -> Section:
    return Section(
        "What is wrong",
        (
            show.rows(
                "Alerts that fire",
                "Alerts about the chosen services. The name of an alert leads to its runbook.",
                {"alertname": "Alert", "severity": "Severity", "job": "Service"},
                Column("Number", f"count by (alertname, severity, job) ({_FIRING})", show.NUMBER),
                size=(8, 8),
                link=("Alert", "Runbook of ${__data.fields.Alert}", RUNBOOK),
                absent="No alert fires",
            ),
            show.timeline(
                "Breakers open, venues disconnected",
                "When a circuit breaker was open, and when a venue was not connected.",
                Ask(f"max by (job, {BREAKER}) ({q.now(m.CIRCUIT_BREAKER_OPEN)})", f"breaker {tell(BREAKER)}"),
                Ask(f"1 - min by (job, {VENUE}) ({q.now(m.VENUE_CONNECTED)})", f"venue {tell(VENUE)}"),
                texts={0: ("well", show.GREEN), 1: ("NOT WELL", show.RED)},
                size=(8, 8),
                absent="No breaker, and no venue told of",
            ),
            show.course(
                "Errors and alerts of the bot",
                "What the bot itself reported, within each interval of the graph.",
                Ask(q.counted(m.ERRORS, COMPONENT, ERROR), tell(COMPONENT, ERROR)),
                Ask(q.counted(m.ALERTS, SEVERITY), f"alert, {tell(SEVERITY)}"),
                unit=show.NUMBER,
                columns=True,
                base=show.GREEN,
                at={1: show.RED},
                absent="None known",
            ),
        ),
    )


BOARD: Final = Board(
    "trading-overview",
    "Overview",
    "Value, P&L, positions, trades, risk and performance of the chosen bots, and what is wrong with them.",
    (_glance(), _value(), _positions(), _trades(), _levels(), _performance(), _wrong()),
)
