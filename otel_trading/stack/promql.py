"""The registry's names as PromQL knows them, and the few expressions that rules and dashboards share.

One bot may be told of under several instances: it was moved, or restarted under another host name, and the Collector shows
the last values of the old one until they expire. So nothing is ever added up over instances but what counters grew by; of
times the latest counts, and of an account's figures those of the instance that was heard of last.
"""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import family_name, label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Metric

ACCOUNT: Final = label_name(a.ACCOUNT_NAME)
STRATEGY: Final = label_name(a.STRATEGY_NAME)
VENUE: Final = label_name(a.VENUE_NAME)
SYMBOL: Final = label_name(a.INSTRUMENT_SYMBOL)
CURRENCY: Final = label_name(a.CURRENCY)
MODEL: Final = label_name(a.MODEL_NAME)

NEWEST: Final = "account_instance:trading_alive_time_seconds:newest"
"""The instance of each account that was heard of last, and when, in unix seconds; recorded by a rule."""


def of(metric: Metric) -> str:
    """The name of the samples of a gauge or counter, or that of a histogram without its suffix."""
    name = family_name(metric.name, metric.unit, counter=metric.kind == "counter")
    return f"{name}_total" if metric.kind == "counter" else name


def buckets(metric: Metric) -> str:
    """The name of the buckets of a histogram."""
    return f"{of(metric)}_bucket"


def count(metric: Metric) -> str:
    """The name of the number of a histogram's values."""
    return f"{of(metric)}_count"


def total(metric: Metric) -> str:
    """The name of the sum of a histogram's values."""
    return f"{of(metric)}_sum"


def where(name: str, **labels: str) -> str:
    """`name` with a matcher for each keyword, a label's whole name: `where(of(m.ORDERS), **{STATUS: "rejected"})`."""
    matchers = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{matchers}}}" if labels else name


def recent(metric: Metric, window: str = "5m") -> str:
    """The highest value of the last minutes: one scrape that fails hides nothing."""
    return f"max_over_time({of(metric)}[{window}])"


def latest(metric: Metric, window: str = "5m") -> str:
    """The highest value of an account's gauge in the last minutes, of the instance that was heard of last."""
    return f"max without (instance) ({recent(metric, window)} and on (job, instance, {ACCOUNT}) {NEWEST})"


def current(metric: Metric, **labels: str) -> str:
    """The last value of an account's gauge with these labels, of the instance that was heard of last."""
    samples = f"last_over_time({where(of(metric), **labels)}[5m])"
    return f"max without (instance) ({samples} and on (job, instance, {ACCOUNT}) {NEWEST})"


def held(metric: Metric) -> str:
    """The last value of a gauge that may be an account's, as `current`, or the bot's own: then the highest of all instances."""
    own = where(of(metric), **{ACCOUNT: ""})
    return f"({current(metric)} or max without (instance) (last_over_time({own}[5m])))"


def last(metric: Metric) -> str:
    """The latest time that any instance of a bot told, in unix seconds; gone a minute after its series ended.

    So what is compared with it has to be more than a minute ago: then a heartbeat that was closed, or a bot that was stopped,
    says nothing any more. That a bot is gone is an alert of its own.
    """
    return f"max without (instance) (max_over_time({of(metric)}[1m]))"


def increase(name: str, window: str) -> str:
    """What a counter grew by, over all instances: each did its own part."""
    return f"sum without (instance) (increase({name}[{window}]))"


def grown(name: str, window: str) -> str:
    """What a counter grew by, with what it began at: many series begin with the first event, which `increase` does not see.

    A series that was not there a `window` ago counts as a whole (if it began anew since, with its bot, then each time), if its
    bot was there then, or is younger than that: else Prometheus is what is new.
    """
    uptime = of(m.PROCESS_UPTIME)
    return f"sum without (instance) ({_growth(name, window, f'{uptime} offset {window} or {uptime} < {seconds(window)}')})"


def target_grown(name: str, window: str, *, young: str, without: str = "") -> str:
    """The same of a target that tells of itself, such as the Collector: of each instance, over the labels in `without`.

    `young` is an expression for what is younger than `{seconds}`.
    """
    watched = f"up offset {window} == 1 or {young.replace('{seconds}', str(seconds(window)))}"
    return f"sum without ({without}) ({_growth(name, window, watched)})"


def _growth(name: str, window: str, watched: str) -> str:
    whole = f"({name} unless resets({name}[{window}]) > 0 or increase({name}[{window}]) + min_over_time({name}[{window}]))"
    new = f"{whole} unless {name} offset {window} and on (job, instance) ({watched})"
    return f"{new} or increase({name}[{window}])"


def seconds(window: str) -> int:
    """Seconds of a duration of one unit, such as `15m`."""
    return int(window[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[window[-1]]
