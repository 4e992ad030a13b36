"""Overview: is the bot at work, is it making money, and is anything wrong."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build.frame import BREAKER, Board, Section
from otel_trading.stack.grafana.build.panels import (
    BLUE,
    GRAY,
    GREEN,
    MONEY,
    NUMBER,
    ORANGE,
    RATIO,
    RED,
    SECONDS,
    SHARE,
    YELLOW,
    Ask,
    Column,
    course,
    dial,
    number,
    rows,
    timeline,
)
from otel_trading.stack.grafana.build.queries import age, grown, narrowed, now, part, quantile
from otel_trading.stack.promql import ACCOUNT, CURRENCY, STRATEGY, SYMBOL, VENUE

OUTCOME: Final = label_name(a.TRADE_OUTCOME)
LEGEND: Final = f"{{{{{ACCOUNT}}}}}"
MONEY_LEGEND: Final = f"{{{{{ACCOUNT}}}}} {{{{{CURRENCY}}}}}"
RUNBOOK: Final = "http://127.0.0.1:9090/consoles/runbooks/${__data.fields.Alert}.html"

_FIRING: Final = narrowed("ALERTS", alertstate="firing").replace('job=~"$job"', 'alertname=~"Trading.+", job=~"$job|"')
"""Alerts about the chosen services, and those that name none."""


def _won(window: str) -> str:
    wins = grown(m.TRADES, ACCOUNT, window=window, **{OUTCOME: "win"})
    return part(wins, grown(m.TRADES, ACCOUNT, window=window))


def _glance() -> Section:
    return Section(
        "At a glance",
        (
            number(
                "Portfolio value",
                "Cash and the value of all positions, for each currency over the chosen accounts.",
                Ask(f"sum by ({CURRENCY}) ({now(m.PORTFOLIO_EQUITY)})", f"{{{{{CURRENCY}}}}}"),
                unit=MONEY,
                base=BLUE,
                decimals=0,
            ),
            number(
                "P&L today",
                "Profit and loss since the session began, after fees and funding.",
                Ask(f"sum by ({CURRENCY}) ({now(m.PNL_DAILY)})", f"{{{{{CURRENCY}}}}}"),
                unit=MONEY,
                base=RED,
                at={0: GREEN},
                decimals=0,
            ),
            number(
                "P&L today, of equity",
                "Profit and loss since the session began, as a share of the equity at its start.",
                Ask(now(m.PNL_DAILY_RATIO), LEGEND),
                unit=SHARE,
                base=RED,
                at={-0.02: ORANGE, 0: GREEN},
                decimals=2,
            ),
            number(
                "P&L, all time",
                "Net profit and loss: realized and unrealized, after fees and funding.",
                Ask(f"sum by ({CURRENCY}) ({now(m.PNL_NET)})", f"{{{{{CURRENCY}}}}}"),
                unit=MONEY,
                base=RED,
                at={0: GREEN},
                decimals=0,
            ),
            number(
                "Drawdown",
                "How far the account is below its highest value so far; deposits and withdrawals do not count.",
                Ask(now(m.DRAWDOWN_CURRENT_RATIO), LEGEND),
                unit=SHARE,
                at={0.05: YELLOW, 0.1: RED},
                decimals=2,
            ),
            number(
                "Circuit breaker",
                "OPEN: the breaker has tripped and new orders are not allowed.",
                Ask(f"max by (job, {BREAKER}) ({now(m.CIRCUIT_BREAKER_OPEN)})", f"{{{{{BREAKER}}}}}"),
                unit=NUMBER,
                texts={0: ("trading", GREEN), 1: ("OPEN", RED)},
            ),
            number(
                "Alerts firing",
                "Alerts about the chosen services that fire now; the list is below.",
                Ask(f"count({_FIRING}) or vector(0)"),
                unit=NUMBER,
                at={1: RED},
                line=False,
            ),
            number(
                "Last cycle",
                "How long ago each strategy finished its last cycle. It goes on rising when the bot hangs.",
                Ask(age(m.STRATEGY_LAST_CYCLE_TIME), f"{{{{{STRATEGY}}}}}"),
                unit=SECONDS,
                at={60: ORANGE, 300: RED},
                decimals=0,
            ),
            number(
                "Open positions",
                "Positions that are open now.",
                Ask(now(m.POSITION_ACTIVE), LEGEND),
                unit=NUMBER,
                base=BLUE,
            ),
            number(
                "Risky positions",
                "Open positions that the bot's own rule calls risky.",
                Ask(now(m.POSITION_RISKY), LEGEND),
                unit=NUMBER,
                at={1: YELLOW, 4: RED},
            ),
            dial(
                "Win rate",
                "Share of the closed trades that made a profit after fees, over the account's whole life.",
                Ask(now(m.TRADE_WIN_RATIO), LEGEND),
                base=RED,
                at={0.4: ORANGE, 0.5: GREEN},
                decimals=1,
            ),
            number(
                "Trades in the last hour",
                "Trades that were closed within the last hour.",
                Ask(grown(m.TRADES, ACCOUNT, window="1h"), LEGEND),
                unit=NUMBER,
                base=BLUE,
                decimals=0,
            ),
        ),
    )


def _value() -> Section:
    return Section(
        "Value and P&L",
        (
            course(
                "Portfolio value",
                "Equity, its highest value so far, and cash.",
                Ask(now(m.PORTFOLIO_EQUITY), f"equity {MONEY_LEGEND}"),
                Ask(now(m.PORTFOLIO_PEAK_EQUITY), f"peak {MONEY_LEGEND}"),
                Ask(now(m.PORTFOLIO_CASH), f"cash {MONEY_LEGEND}"),
                unit=MONEY,
                size=(12, 9),
                decimals=0,
            ),
            course(
                "P&L",
                "Net is realized and unrealized after fees and funding.",
                Ask(now(m.PNL_NET), f"net {MONEY_LEGEND}"),
                Ask(f"sum by (job, {ACCOUNT}, {CURRENCY}) ({now(m.PNL_REALIZED)})", f"realized {MONEY_LEGEND}"),
                Ask(now(m.PNL_UNREALIZED), f"unrealized {MONEY_LEGEND}"),
                unit=MONEY,
                size=(12, 9),
                decimals=0,
                at={0: GRAY},
            ),
        ),
    )


def _positions() -> Section:
    same = f"job, {ACCOUNT}, {VENUE}, {SYMBOL}"
    held = f"sum by ({same}) ({now(m.POSITION_SIZE)}) != 0"

    def each(metric: m.Metric) -> str:
        return f"sum by ({same}) ({now(metric)}) and on ({same}) {held}"

    return Section(
        "Positions",
        (
            rows(
                "Open positions",
                "What is held now: negative sizes are short. The distance to liquidation is a share of the price.",
                {"job": "Service", ACCOUNT: "Account", VENUE: "Venue", SYMBOL: "Symbol"},
                Column("Size", held, NUMBER),
                Column("Entry price", each(m.POSITION_ENTRY_PRICE), MONEY, decimals=2),
                Column("Value", each(m.POSITION_VALUE), MONEY, decimals=0),
                Column("Unrealized P&L", each(m.POSITION_UNREALIZED_PNL), MONEY, base=RED, at={0: GREEN}, decimals=0),
                Column(
                    "To liquidation",
                    each(m.POSITION_LIQUIDATION_DISTANCE_RATIO),
                    SHARE,
                    base=RED,
                    at={0.1: ORANGE, 0.25: GREEN},
                ),
                size=(16, 8),
                absent="No position is open",
            ),
            course(
                "Exposure",
                "Gross is the value of all positions without their sign, net with it; both as shares of equity.",
                Ask(now(m.PORTFOLIO_EXPOSURE_RATIO), f"gross {LEGEND}"),
                Ask(f"{now(m.PORTFOLIO_EXPOSURE_NET)} / ignoring({CURRENCY}) {now(m.PORTFOLIO_EQUITY)}", f"net {LEGEND}"),
                unit=SHARE,
                at={1: ORANGE, 2: RED},
            ),
        ),
    )


def _trades() -> Section:
    return Section(
        "Trades and orders",
        (
            course(
                "Trades an hour",
                "Trades that were closed within the hour before, by outcome.",
                Ask(grown(m.TRADES, OUTCOME, window="1h"), f"{{{{{OUTCOME}}}}}"),
                unit=NUMBER,
                stacked=True,
                columns=True,
                colors={"win": GREEN, "loss": RED, "even": BLUE},
            ),
            course(
                "Win rate",
                "Share of trades with a profit: over the account's whole life, and over the last 7 days.",
                Ask(now(m.TRADE_WIN_RATIO), f"all {LEGEND}"),
                Ask(_won("7d"), f"7 days {LEGEND}"),
                unit=SHARE,
                low=0,
                high=1,
                base=RED,
                at={0.5: GREEN},
            ),
            course(
                "Order latency",
                "From the call to its return, as the bot saw it: half of the calls, and 1 in 100, took longer.",
                Ask(quantile(0.5, m.ORDER_DURATION, VENUE), f"median {{{{{VENUE}}}}}"),
                Ask(quantile(0.99, m.ORDER_DURATION, VENUE), f"99th percentile {{{{{VENUE}}}}}"),
                unit=SECONDS,
                at={1: RED},
            ),
        ),
    )


def _performance() -> Section:
    return Section(
        "Risk and performance",
        (
            course(
                "Drawdown",
                "Below the highest value so far, now and at its worst.",
                Ask(now(m.DRAWDOWN_CURRENT_RATIO), f"now {LEGEND}"),
                Ask(now(m.DRAWDOWN_MAX_RATIO), f"maximum {LEGEND}"),
                unit=SHARE,
                at={0.1: RED},
                low=0,
                size=(12, 8),
            ),
            number(
                "Sharpe ratio",
                "Mean return over its standard deviation, a year; it needs as many returns as the account is set to wait for.",
                Ask(now(m.RETURNS_SHARPE_RATIO), LEGEND),
                unit=RATIO,
                base=RED,
                at={0: ORANGE, 1: GREEN},
                decimals=2,
            ),
            number(
                "Maximum drawdown",
                "The deepest fall from a highest value since the account began.",
                Ask(now(m.DRAWDOWN_MAX_RATIO), LEGEND),
                unit=SHARE,
                at={0.1: ORANGE, 0.2: RED},
                decimals=1,
            ),
            number(
                "Value at risk",
                "The loss of a period that is exceeded with the probability that is left beside the confidence.",
                Ask(now(m.RETURNS_VALUE_AT_RISK_RATIO), LEGEND),
                unit=SHARE,
                at={0.02: ORANGE, 0.05: RED},
                decimals=2,
            ),
            number(
                "Profit factor",
                "Gross profit over gross loss of all closed trades: above 1 they made money.",
                Ask(now(m.TRADE_PROFIT_RATIO), LEGEND),
                unit=RATIO,
                base=RED,
                at={1: GREEN},
                decimals=2,
            ),
            number(
                "Expectancy",
                "Mean profit of a closed trade after fees.",
                Ask(now(m.TRADE_EXPECTANCY), MONEY_LEGEND),
                unit=MONEY,
                base=RED,
                at={0: GREEN},
                decimals=2,
            ),
            number(
                "Losing streak",
                "Losing trades in a row until now.",
                Ask(now(m.TRADE_LOSING_STREAK), LEGEND),
                unit=NUMBER,
                at={5: ORANGE, 10: RED},
            ),
        ),
    )


def _wrong() -> Section:
    component, kind, severity = map(label_name, (a.COMPONENT_NAME, a.ERROR_TYPE, a.ALERT_SEVERITY))
    return Section(
        "What is wrong",
        (
            rows(
                "Alerts that fire",
                "Alerts about the chosen services. The name of an alert leads to its runbook.",
                {"alertname": "Alert", "severity": "Severity", "job": "Service"},
                Column("Number", f"count by (alertname, severity, job) ({_FIRING})", NUMBER),
                size=(8, 8),
                link=("Alert", "Runbook of ${__data.fields.Alert}", RUNBOOK),
                absent="No alert fires",
            ),
            timeline(
                "Breakers open, venues disconnected",
                "When a circuit breaker was open, and when a venue was not connected.",
                Ask(f"max by (job, {BREAKER}) ({now(m.CIRCUIT_BREAKER_OPEN)})", f"breaker {{{{{BREAKER}}}}}"),
                Ask(f"1 - min by (job, {VENUE}) ({now(m.VENUE_CONNECTED)})", f"venue {{{{{VENUE}}}}}"),
                texts={0: ("well", GREEN), 1: ("NOT WELL", RED)},
                size=(8, 8),
            ),
            course(
                "Errors and alerts of the bot",
                "What the bot itself reported, for each minute.",
                Ask(
                    f"60 * ({grown(m.ERRORS, component, kind, window='$__rate_interval')})",
                    f"{{{{{component}}}}}: {{{{{kind}}}}}",
                ),
                Ask(f"60 * ({grown(m.ALERTS, severity, window='$__rate_interval')})", f"alert, {{{{{severity}}}}}"),
                unit=NUMBER,
                columns=True,
                base=GREEN,
                at={1: RED},
            ),
        ),
    )


BOARD: Final = Board(
    "trading-overview",
    "Overview",
    "Value, P&L, positions, trades, risk and performance of the chosen bots, and what is wrong with them.",
    (_glance(), _value(), _positions(), _trades(), _performance(), _wrong()),
)
