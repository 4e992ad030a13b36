"""Fleet: many bots beside each other."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import Board, Section
from otel_trading.stack.grafana.build.panels import Ask, Column
from otel_trading.stack.grafana.build.queries import tell
from otel_trading.stack.promql import ACCOUNT, CURRENCY

OVERVIEW: Final = "/d/trading-overview?var-job=${__data.fields.Service}&${__url_time_range}"


def _by_service(metric: m.Metric, operation: str = "max") -> str:
    return f"{operation} by (job) ({q.now(metric)})"


def _all() -> Section:
    seen = f"count by (job) ({q.series(m.PROCESS_UPTIME)})"
    return Section(
        "All chosen bots",
        (
            show.number(
                "Bots",
                "Services that report now.",
                Ask(f"count({seen})"),
                unit=show.NUMBER,
                base=show.BLUE,
            ),
            show.number(
                "Breakers open",
                "Circuit breakers that have tripped.",
                Ask(f"sum({q.now(m.CIRCUIT_BREAKER_OPEN)})"),
                unit=show.NUMBER,
                at={1: show.RED},
                absent="none known",
            ),
            show.number(
                "Slowest last cycle",
                "How long ago the strategy that waited longest finished its last cycle.",
                Ask(f"max({q.age(m.STRATEGY_LAST_CYCLE_TIME)})"),
                unit=show.SECONDS,
                at={60: show.ORANGE, 300: show.RED},
                decimals=0,
            ),
            show.number(
                "Value",
                "Equity of all accounts, for each currency.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.PORTFOLIO_EQUITY)})", tell(CURRENCY)),
                unit=show.MONEY,
                base=show.BLUE,
                decimals=0,
            ),
            show.number(
                "P&L today",
                "Of all accounts since their sessions began, for each currency.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.PNL_DAILY)})", tell(CURRENCY)),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            show.number(
                "Open positions",
                "Of all accounts.",
                Ask(f"sum({q.now(m.POSITION_ACTIVE)})"),
                unit=show.NUMBER,
                base=show.BLUE,
            ),
            show.rows(
                "Bots",
                "One line for each service; its name leads to its overview.",
                {"job": "Service"},
                Column("Up for", f"max by (job) ({q.series(m.PROCESS_UPTIME)})", show.SECONDS),
                Column(
                    "Last cycle",
                    f"max by (job) ({q.age(m.STRATEGY_LAST_CYCLE_TIME)})",
                    show.SECONDS,
                    base=show.GREEN,
                    at={60: show.ORANGE, 300: show.RED},
                    decimals=1,
                ),
                Column(
                    "Breaker",
                    _by_service(m.CIRCUIT_BREAKER_OPEN),
                    show.NUMBER,
                    base=show.GREEN,
                    at={1: show.RED},
                    texts=show.BREAKER,
                ),
                Column(
                    "P&L today",
                    f"min by (job) ({q.now(m.PNL_DAILY_RATIO)})",
                    show.SHARE,
                    base=show.RED,
                    at={-0.02: show.ORANGE, 0: show.GREEN},
                    decimals=2,
                ),
                Column(
                    "Drawdown",
                    _by_service(m.DRAWDOWN_CURRENT_RATIO),
                    show.SHARE,
                    base=show.GREEN,
                    at={0.05: show.YELLOW, 0.1: show.RED},
                    decimals=2,
                ),
                Column("Positions", _by_service(m.POSITION_ACTIVE, "sum"), show.NUMBER),
                Column("Win rate", _by_service(m.TRADE_WIN_RATIO, "avg"), show.SHARE, decimals=1),
                Column(
                    "Order latency, 99th",
                    f"histogram_quantile(0.99, sum by (job, le) (increase({q.series(m.ORDER_DURATION, '_bucket')}[$__range])))",
                    show.SECONDS,
                    base=show.GREEN,
                    at={1: show.RED},
                ),
                link=("Service", "Overview of ${__data.fields.Service}", OVERVIEW),
                absent="No bot reports",
            ),
        ),
    )


def _beside() -> Section:
    each = tell("job", ACCOUNT)
    return Section(
        "Beside each other",
        (
            show.course(
                "P&L",
                "Net, of each account.",
                Ask(q.now(m.PNL_NET), f"{each} {tell(CURRENCY)}"),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=0,
            ),
            show.course(
                "Drawdown",
                "Of each account, below its highest value so far.",
                Ask(q.now(m.DRAWDOWN_CURRENT_RATIO), each),
                unit=show.SHARE,
                low=0,
                at={0.1: show.RED},
            ),
            show.course(
                "Sharpe ratio",
                "Of each account.",
                Ask(q.now(m.RETURNS_SHARPE_RATIO), each),
                unit=show.RATIO,
                base=show.RED,
                at={0: show.GREEN},
                decimals=2,
                absent="Not known yet",
            ),
            show.course(
                "Latency of orders",
                "The 99th percentile of all operations.",
                Ask(q.quantile(0.99, m.ORDER_DURATION, "job"), tell("job")),
                unit=show.SECONDS,
                at={1: show.RED},
                absent="No order known",
            ),
            show.course(
                "Errors",
                "What each bot reported, within each interval of the graph.",
                Ask(q.counted(m.ERRORS, "job"), tell("job")),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                at={10: show.RED},
                absent="None known",
            ),
            show.course(
                "Memory",
                "Physical memory in use by each process.",
                Ask(q.narrowed("process_memory_usage_bytes"), tell("job", "instance")),
                unit="bytes",
                low=0,
                at={2**30: show.ORANGE},
            ),
        ),
    )


BOARD: Final = Board(
    "trading-fleet",
    "Fleet",
    "Many bots beside each other: who is at work, who makes money, who is slow.",
    (_all(), _beside()),
)
