"""Recording rules: what alerts and dashboards ask for again and again, and what a person asks for in plain words."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Metric
from otel_trading.stack.prometheus.model import Group, Record
from otel_trading.stack.promql import (
    ACCOUNT,
    CURRENCY,
    MODEL,
    NEWEST,
    STRATEGY,
    VENUE,
    buckets,
    current,
    grown,
    of,
    recent,
    where,
)

_ALIVE: Final = "job_instance:trading_alive_time_seconds:max"
_SIGNS: Final = (m.STRATEGY_LAST_CYCLE_TIME, m.HEARTBEAT_LAST_BEAT_TIME, m.MARKET_DATA_LAST_UPDATE_TIME)
"""The times at which a bot was certainly at work."""
_UPTIME: Final = of(m.PROCESS_UPTIME)


def _accounts(metric: Metric) -> str:
    """The accounts of each instance; one whose figures the bot keeps by itself may have an equity and no positions."""
    return f"max by (job, instance, {ACCOUNT}) ({recent(metric)})"


INSTANCES: Final = Group(
    "trading-instances",
    (
        Record(
            _ALIVE,
            # Each sign carries a label that no other does, so without their names they stay apart. A bot that has just
            # begun, or gives none of these signs, was certainly at work when its process started.
            f'max by (job, instance) (max_over_time({{__name__=~"{"|".join(map(of, _SIGNS))}"}}[5m])'
            f" or max_over_time((timestamp({_UPTIME}) - {_UPTIME})[5m:15s]))",
            "When each instance was last certainly at work, in unix seconds.",
        ),
        Record(
            NEWEST,
            f"topk by (job, {ACCOUNT}) (1, ({_accounts(m.POSITION_ACTIVE)} or {_accounts(m.PORTFOLIO_EQUITY)}) * 0"
            f" + on (job, instance) group_left () {_ALIVE})",
            "The instance of each account that was heard of last, and when, in unix seconds.",
        ),
    ),
)

_STATUS: Final = label_name(a.ORDER_STATUS)
_OPERATION: Final = label_name(a.ORDER_OPERATION)
_LEG: Final = label_name(a.ORDER_LEG)
_OUTCOME: Final = label_name(a.TRADE_OUTCOME)

OWNER: Final = f"job, {ACCOUNT}, {STRATEGY}, {VENUE}"
"""What an account's figures are told by."""
SENDER: Final = f"job, {STRATEGY}, {VENUE}"
"""What the figures of orders are told by."""


def _per(labels: str, name: str, window: str) -> str:
    return f"sum by ({labels}) ({grown(name, window)})"


_QUANTILES: Final = (("p50", 0.5, "Median"), ("p99", 0.99, "99th percentile"))


def _latency(labels: str, metric: Metric, level: str, what: str) -> tuple[Record, ...]:
    return tuple(
        Record(
            f"{level}:{of(metric)}:{name}_5m",
            f"histogram_quantile({quantile}, sum by ({labels}, le) (rate({buckets(metric)}[5m])))",
            f"{said} of {what}, in seconds, over 5 minutes.",
        )
        for name, quantile, said in _QUANTILES
    )


TRADES_1H: Final = "job_account:trading_trades:increase1h"
WIN_RATIO_7D: Final = "job_account:trading_trades_won:ratio7d"
ORDERS_5M: Final = "job_venue_strategy:trading_order_submissions:rate5m"
ORDERS_1D: Final = "job_venue_strategy:trading_order_submissions:rate1d"
REJECT_RATIO_5M: Final = "job_venue_strategy:trading_orders_rejected:ratio5m"
SERVER_P99: Final = "job:http_server_request_duration_seconds:p99_5m"

_NET: Final = "job_account:trading_pnl_net:last"


def _share(labels: str, metric: Metric, chosen: dict[str, str], window: str) -> str:
    """The share of what has these labels; 0 where there was other and none of it, absent where there was nothing."""
    part, whole = (_per(labels, name, window) for name in (where(of(metric), **chosen), of(metric)))
    return f"({part} or 0 * {whole}) / ({whole} > 0)"


TRADES: Final = Group(
    "trading-trades",
    (
        Record(TRADES_1H, _per(OWNER, of(m.TRADES), "1h"), "Trades closed within an hour."),
        Record("job_account:trading_trades:increase1d", _per(OWNER, of(m.TRADES), "1d"), "Trades closed within a day."),
        Record(
            WIN_RATIO_7D,
            _share(OWNER, m.TRADES, {_OUTCOME: "win"}, "7d"),
            "Trades won, as a fraction of those closed within seven days; absent when none was.",
        ),
        Record(
            "job_account:trading_fees:increase1d",
            _per(f"{OWNER}, {CURRENCY}", of(m.FEES), "1d"),
            "Fees paid within a day, by currency.",
        ),
        Record(
            "job_account:trading_volume:increase1d",
            _per(f"{OWNER}, {CURRENCY}", of(m.VOLUME), "1d"),
            "Money traded within a day, by currency.",
        ),
    ),
    interval="1m",
)

ORDERS: Final = Group(
    "trading-orders",
    (
        Record(ORDERS_5M, f"sum by ({SENDER}) (rate({of(m.ORDER_SUBMISSIONS)}[5m]))", "Orders sent a second, over 5 minutes."),
        Record(
            ORDERS_1D,
            # While it was there: a bot that was restarted, or began an hour ago, is taken for what it did since.
            f"avg_over_time({ORDERS_5M}[1d])",
            "Orders sent a second, over a day, or over what is known of it: what is usual.",
        ),
        Record(
            REJECT_RATIO_5M,
            _share(SENDER, m.ORDERS, {_STATUS: "rejected"}, "5m"),
            "Orders rejected, as a fraction of those that ended within 5 minutes; absent when none did.",
        ),
    ),
)


def _served(quantile: float, name: str) -> str:
    return f"histogram_quantile({quantile}, sum by (job, le) (rate({name}_bucket[5m])))"


LATENCIES: Final = Group(
    "trading-latencies",
    (
        *_latency(f"{SENDER}, {_OPERATION}", m.ORDER_DURATION, "job_venue_operation", "an operation on an order"),
        *_latency(f"{SENDER}, {_LEG}", m.ORDER_LEG_DURATION, "job_venue_leg", "a leg of an order's life"),
        *_latency(f"job, {MODEL}, {STRATEGY}", m.INFERENCE_DURATION, "job_model", "an inference"),
        *_latency(f"job, {STRATEGY}", m.STRATEGY_CYCLE_DURATION, "job_strategy", "a cycle of a strategy"),
        *(
            Record(
                SERVER_P99.replace("p99", name),
                # Until they are told otherwise, OpenTelemetry's instrumentations use the older name and milliseconds.
                f"{_served(quantile, 'http_server_request_duration_seconds')}"
                f" or {_served(quantile, 'http_server_duration_milliseconds')} / 1000",
                f"{what} of an answer of the bot's own API, in seconds, over 5 minutes.",
            )
            for name, quantile, what in _QUANTILES
        ),
    ),
)

ACCOUNTS: Final = Group(
    "trading-accounts",
    (
        Record(_NET, current(m.PNL_NET), "Net profit and loss of an account, of the instance that was heard of last."),
        Record(
            "job_account:trading_pnl_net:delta1d",
            f"{_NET} - last_over_time({_NET}[7d] offset 1d) or {_NET}",
            "Net profit and loss of the last 24 hours; all of it if Prometheus knows nothing from before.",
        ),
        *(
            Record(
                f"currency:{of(metric)}:sum",
                f"sum by ({CURRENCY}) ({current(metric)})",
                f"{what} of all accounts of all bots, by currency.",
            )
            for metric, what in (
                (m.PORTFOLIO_EQUITY, "Equity"),
                (m.PORTFOLIO_CASH, "Cash"),
                (m.PORTFOLIO_EXPOSURE_GROSS, "Gross exposure"),
                (m.PORTFOLIO_EXPOSURE_NET, "Net exposure"),
                (m.PNL_DAILY, "Profit and loss of the day"),
                (m.PNL_NET, "Net profit and loss"),
            )
        ),
        Record(
            "strategy_currency:trading_pnl_net:sum",
            f"sum by ({STRATEGY}, {CURRENCY}) ({_NET})",
            "Net profit and loss by strategy and currency.",
        ),
        Record(
            "strategy_currency:trading_pnl_daily:sum",
            f"sum by ({STRATEGY}, {CURRENCY}) ({current(m.PNL_DAILY)})",
            "Profit and loss of the day by strategy and currency.",
        ),
    ),
)

GROUPS: Final = (INSTANCES, TRADES, ORDERS, LATENCIES, ACCOUNTS)
