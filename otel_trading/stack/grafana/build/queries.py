"""What panels ask: the registry's metrics, narrowed by what is chosen at the top of a dashboard."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Metric
from otel_trading.stack.promql import ACCOUNT, MODEL, NEWEST, STRATEGY, SYMBOL, VENUE, of, seconds

VARIABLES: Final = {
    "job": "job",
    STRATEGY: "strategy",
    ACCOUNT: "account",
    VENUE: "venue",
    SYMBOL: "symbol",
    MODEL: "model",
}
"""The label that each variable of a dashboard narrows, and the variable's name."""


BREAKER: Final = label_name(a.CIRCUIT_BREAKER_NAME)
COMPONENT: Final = label_name(a.COMPONENT_NAME)
DIRECTION: Final = label_name(a.PREDICTION_DIRECTION)
ERROR: Final = label_name(a.ERROR_TYPE)
HEARTBEAT: Final = label_name(a.HEARTBEAT_NAME)
LABEL: Final = label_name(a.PREDICTION_LABEL)
LEG: Final = label_name(a.ORDER_LEG)
LIMIT: Final = label_name(a.RISK_LIMIT_NAME)
LIQUIDITY: Final = label_name(a.FILL_LIQUIDITY)
OPERATION: Final = label_name(a.ORDER_OPERATION)
OUTCOME: Final = label_name(a.TRADE_OUTCOME)
RATE_LIMIT: Final = label_name(a.RATE_LIMIT_NAME)
REASON: Final = label_name(a.CIRCUIT_BREAKER_REASON)
REJECT: Final = label_name(a.ORDER_REJECT_REASON)
SEVERITY: Final = label_name(a.ALERT_SEVERITY)
SIDE: Final = label_name(a.ORDER_SIDE)
SIGNAL: Final = label_name(a.SIGNAL_DIRECTION)
SLIPPED: Final = label_name(a.SLIPPAGE_DIRECTION)
STATUS: Final = label_name(a.ORDER_STATUS)
STREAM: Final = label_name(a.STREAM_NAME)
TYPE: Final = label_name(a.ORDER_TYPE)
VARIABLE: Final = label_name(a.DRIFT_VARIABLE)
VERSION: Final = label_name(a.MODEL_VERSION)


def tell(*labels: str) -> str:
    """The values of labels, in the name of a series."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def narrowed(name: str, *labels: str, **equal: str) -> str:
    """The series `name` of the chosen services, narrowed by the variables of `labels`, and to those that have `equal`.

    Of `equal`, a value that begins with `!` is one that the label must not have.
    """
    matchers = [f'{label}=~"${VARIABLES[label]}"' for label in ("job", *labels)]
    matchers += [f'{label}!="{value[1:]}"' if value.startswith("!") else f'{label}="{value}"' for label, value in equal.items()]
    return f"{name}{{{', '.join(matchers)}}}"


def series(metric: Metric, suffix: str = "", **equal: str) -> str:
    """The series of `metric`, narrowed by every variable whose label they always have; a histogram's with a suffix."""
    labels = [label_name(key) for key in metric.attributes if key not in metric.opt_in]
    return narrowed(of(metric) + suffix, *(label for label in VARIABLES if label in labels), **equal)


def now(metric: Metric, ago: str = "") -> str:
    """A gauge as it is, one series for each bot: of the instance that was heard of last, where rules record which it is.

    With `ago`, as it was such a time ago.
    """
    then = f" offset {ago}" if ago else ""
    found = f"{series(metric)}{then}"
    if ACCOUNT in map(label_name, metric.attributes):
        found = f"{found} and on (job, instance, {ACCOUNT}) ({NEWEST}{then} or on (job, {ACCOUNT}) {found})"
    return f"max without (instance) ({found})"


def age(metric: Metric) -> str:
    """How long ago the time is that a gauge tells, in seconds, of the instance that told the latest."""
    return f"time() - max without (instance) ({series(metric)})"


def rate(metric: Metric, *by: str, suffix: str = "", **equal: str) -> str:
    """What a counter grows by in a second."""
    return f"sum by ({', '.join(by)}) (rate({series(metric, suffix, **equal)}[$__rate_interval]))"


def grown(metric: Metric, *by: str, window: str = "$__range", suffix: str = "", **equal: str) -> str:
    """What a counter grew by in the window, with what it began at, as `promql.grown` explains it."""
    found = series(metric, suffix, **equal)
    uptime = series(m.PROCESS_UPTIME)
    watched = f"{uptime} offset {window}"
    if window != "$__rate_interval":
        watched += f" or {uptime} < {'$__range_s' if window == '$__range' else seconds(window)}"
    new = f"{found} unless {found} offset {window} and on (job, instance) ({watched})"
    return f"sum by ({', '.join(by)}) ({new} or increase({found}[{window}]))"


def counted(metric: Metric, *by: str, suffix: str = "", **equal: str) -> str:
    """The events within each interval of a graph, with the first of its kind."""
    return grown(metric, *by, window="$__rate_interval", suffix=suffix, **equal)


def quantile(share: float, metric: Metric, *by: str, **equal: str) -> str:
    """The value of a histogram below which this share of its values is."""
    return f"histogram_quantile({share:g}, {rate(metric, 'le', *by, suffix='_bucket', **equal)})"


def mean(metric: Metric, *by: str, **equal: str) -> str:
    """The mean of a histogram's values."""
    return f"{rate(metric, *by, suffix='_sum', **equal)} / {rate(metric, *by, suffix='_count', **equal)}"


def part(above: str, below: str) -> str:
    """One count as a share of another; nothing of something is 0, of nothing it is nothing."""
    return f"(({above}) or ({below}) * 0) / ({below} > 0)"
