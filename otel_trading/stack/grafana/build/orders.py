"""Orders and execution: what became of orders, how long they took, and what they cost."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import levels
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import Board, Section
from otel_trading.stack.grafana.build.panels import Ask
from otel_trading.stack.grafana.build.queries import (
    ERROR,
    LEG,
    LIQUIDITY,
    OPERATION,
    REJECT,
    SIDE,
    SLIPPED,
    STATUS,
    TYPE,
    tell,
)
from otel_trading.stack.promql import CURRENCY, STRATEGY, SYMBOL, VENUE

_SUBMITTED: Final = {OPERATION: "submit"}
_COLORS: Final = {
    "filled": show.GREEN,
    "canceled": show.BLUE,
    "rejected": show.RED,
    "expired": show.YELLOW,
    "unknown": show.ORANGE,
}


def _counts() -> Section:
    rejected = q.part(q.grown(m.ORDERS, VENUE, **{STATUS: "rejected"}), q.grown(m.ORDERS, VENUE))
    return Section(
        "Orders in the time that is shown",
        (
            show.number(
                "Orders sent",
                "Orders sent in the time that is shown, each one once, whatever became of it.",
                Ask(q.grown(m.ORDER_SUBMISSIONS, VENUE), tell(VENUE)),
                unit=show.NUMBER,
                base=show.BLUE,
                decimals=0,
                absent="none known",
            ),
            show.number(
                "Rejected",
                "Share of the orders that ended in the time that is shown which the venue or a check rejected.",
                Ask(rejected, tell(VENUE)),
                unit=show.SHARE,
                at={0.05: show.ORANGE, 0.2: show.RED},
                decimals=1,
                absent="none known",
            ),
            show.number(
                "Working",
                "Orders that are working at the venue or on their way there.",
                Ask(q.now(m.ORDER_ACTIVE), tell(STRATEGY, VENUE)),
                unit=show.NUMBER,
                base=show.BLUE,
                absent="none known",
            ),
            show.number(
                "Unknown",
                "Orders of which nobody knows whether they are working: a call timed out. Ask the venue before sending again.",
                Ask(q.now(m.ORDER_UNRESOLVED), tell(STRATEGY, VENUE)),
                unit=show.NUMBER,
                at={1: show.RED},
                absent="none known",
            ),
            show.number(
                "Oldest open order",
                "How long ago the oldest order that is still open was sent.",
                Ask(f"time() - min without (instance) ({q.series(m.ORDER_OLDEST_OPEN_TIME)})", tell(STRATEGY, VENUE)),
                unit=show.SECONDS,
                base=show.BLUE,
                at={86400: show.ORANGE},
                absent="none known",
            ),
            show.number(
                "Fills",
                "Fills in the time that is shown, complete and partial.",
                Ask(q.grown(m.FILLS, VENUE), tell(VENUE)),
                unit=show.NUMBER,
                base=show.BLUE,
                decimals=0,
                absent="none known",
            ),
            show.course(
                "Orders sent, by type and side",
                "Within each interval of the graph.",
                Ask(q.counted(m.ORDER_SUBMISSIONS, TYPE, SIDE), tell(TYPE, SIDE)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                absent="No order known",
            ),
            show.course(
                "Orders that ended, by status",
                "Within each interval of the graph. An order that ended unknown and is resolved later counts again.",
                Ask(q.counted(m.ORDERS, STATUS), tell(STATUS)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                colors=_COLORS,
                absent="No ended order known",
            ),
            show.course(
                "Rejects, by reason",
                "Within each interval of the graph.",
                Ask(q.counted(m.ORDERS, REJECT, **{STATUS: "rejected"}), tell(REJECT)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                at={10: show.RED},
                absent="No reject known",
            ),
        ),
    )


def _latency() -> Section:
    everything = q.rate(m.ORDER_DURATION, "le", suffix="_bucket", **_SUBMITTED)
    return Section(
        "Latency",
        (
            show.heat(
                "Latency of submissions",
                "How many submissions a second took how long, from the call to its return.",
                Ask(everything, "{{le}}"),
                unit=show.SECONDS,
                absent="No order known",
            ),
            show.course(
                "Latency of submissions, quantiles",
                "Half of the submissions, 1 in 10 and 1 in 100 took longer.",
                Ask(q.quantile(0.5, m.ORDER_DURATION, VENUE, **_SUBMITTED), f"median {tell(VENUE)}"),
                Ask(q.quantile(0.9, m.ORDER_DURATION, VENUE, **_SUBMITTED), f"90th {tell(VENUE)}"),
                Ask(q.quantile(0.99, m.ORDER_DURATION, VENUE, **_SUBMITTED), f"99th {tell(VENUE)}"),
                unit=show.SECONDS,
                at={1: show.RED},
                size=(12, 9),
                absent="No order known",
            ),
            show.course(
                "Latency of each operation",
                "The 99th percentile of submit, edit, cancel and query.",
                Ask(q.quantile(0.99, m.ORDER_DURATION, OPERATION), tell(OPERATION)),
                unit=show.SECONDS,
                at={1: show.RED},
                absent="No order known",
            ),
            show.course(
                "Legs of an order's life",
                "Median of each leg: from the decision to the sending, to the acknowledgement, to the first fill, to the end.",
                Ask(q.quantile(0.5, m.ORDER_LEG_DURATION, LEG), tell(LEG)),
                unit=show.SECONDS,
                at={1: show.RED},
                absent="No order known",
            ),
            show.course(
                "Operations that raised",
                "Calls that raised an exception, by its kind, within each interval of the graph.",
                Ask(q.counted(m.ORDER_DURATION, OPERATION, ERROR, suffix="_count", **{ERROR: "!"}), tell(OPERATION, ERROR)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                at={10: show.RED},
                absent="None known to have raised",
            ),
        ),
    )


def _levels() -> Section:
    graphs = (levels.windows(name, size=(8, 8)) for name in levels.ORDERS)
    return Section("Service levels", (levels.left(*levels.ORDERS, size=(8, 8)), *graphs))


def _execution() -> Section:
    return Section(
        "Execution",
        (
            show.course(
                "Slippage",
                "Distance of the average fill from the mid price at the decision; adverse is to the bot's loss.",
                Ask(q.quantile(0.5, m.SLIPPAGE, SLIPPED), f"median {tell(SLIPPED)}"),
                Ask(q.quantile(0.9, m.SLIPPAGE, SLIPPED), f"90th {tell(SLIPPED)}"),
                unit=show.BASIS_POINTS,
                at={20: show.RED},
                decimals=1,
                absent="No fill known",
            ),
            show.course(
                "Cost of slippage",
                "In money since the bot began to count; favorable slippage reduces it.",
                Ask(f"sum by ({SYMBOL}, {CURRENCY}) ({q.now(m.SLIPPAGE_COST)})", tell(SYMBOL, CURRENCY)),
                unit=show.MONEY,
                at={0: show.GRAY},
                around_zero=True,
                decimals=0,
                absent="No fill known",
            ),
            show.course(
                "Filled share of orders",
                "Mean of the share of the ordered quantity that was filled, of orders that ended.",
                Ask(q.mean(m.ORDER_FILL_RATIO, TYPE), tell(TYPE)),
                unit=show.SHARE,
                base=show.RED,
                at={0.5: show.GREEN},
                low=0,
                high=1,
                absent="No ended order known",
            ),
            show.course(
                "Fills, by liquidity",
                "Maker orders rested in the book, taker orders took what was there; within each interval of the graph.",
                Ask(q.counted(m.FILLS, LIQUIDITY), tell(LIQUIDITY)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                absent="No fill known",
            ),
            show.course(
                "Size of a fill",
                "Money value of a fill: half are larger, and 1 in 10.",
                Ask(q.quantile(0.5, m.FILL_NOTIONAL, CURRENCY), f"median {tell(CURRENCY)}"),
                Ask(q.quantile(0.9, m.FILL_NOTIONAL, CURRENCY), f"90th {tell(CURRENCY)}"),
                unit=show.MONEY,
                decimals=0,
                absent="No fill known",
            ),
            show.course(
                "Volume",
                "Money value of everything bought and sold, a second.",
                Ask(q.rate(m.VOLUME, SYMBOL, CURRENCY), tell(SYMBOL, CURRENCY)),
                unit=show.MONEY,
                stacked=True,
                decimals=0,
                absent="No fill known",
            ),
        ),
    )


def _costs() -> Section:
    fees = q.grown(m.FEES, CURRENCY)
    return Section(
        "Costs in the time that is shown",
        (
            show.number(
                "Fees",
                "Fees paid for fills in the time that is shown.",
                Ask(fees, tell(CURRENCY)),
                unit=show.MONEY,
                base=show.BLUE,
                decimals=2,
                absent="none known",
            ),
            show.number(
                "Fees of volume",
                "Fees paid as a share of the money value of everything traded, in the time that is shown.",
                Ask(f"{fees} / ({q.grown(m.VOLUME, CURRENCY)} > 0)", tell(CURRENCY)),
                unit=show.SHARE,
                at={0.005: show.ORANGE},
                decimals=3,
                absent="none known",
            ),
            show.number(
                "Rebates",
                "Rebates received for fills in the time that is shown.",
                Ask(q.grown(m.REBATES, CURRENCY), tell(CURRENCY)),
                unit=show.MONEY,
                base=show.BLUE,
                decimals=2,
                absent="none known",
            ),
            show.number(
                "Funding",
                "Funding, interest and dividends, received minus paid, since the bot began to count.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.FUNDING)})", tell(CURRENCY)),
                unit=show.MONEY,
                base=show.RED,
                at={0: show.GREEN},
                decimals=2,
                absent="none known",
            ),
            show.number(
                "Slippage cost",
                "What slippage cost since the bot began to count; below 0 it was a gain.",
                Ask(f"sum by ({CURRENCY}) ({q.now(m.SLIPPAGE_COST)})", tell(CURRENCY)),
                unit=show.MONEY,
                at={0: show.ORANGE},
                decimals=2,
                absent="none known",
            ),
            show.number(
                "Volume",
                "Money value of everything bought and sold in the time that is shown.",
                Ask(q.grown(m.VOLUME, CURRENCY), tell(CURRENCY)),
                unit=show.MONEY,
                base=show.BLUE,
                decimals=0,
                absent="none known",
            ),
        ),
    )


BOARD: Final = Board(
    "trading-orders",
    "Orders and execution",
    "What became of orders, how long they and each leg took, and what slippage, fees and funding cost.",
    (_counts(), _latency(), _levels(), _execution(), _costs()),
)
