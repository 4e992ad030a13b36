"""Is the bot at work: its cycles, its heartbeats, whether it is there at all."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Record, Threshold, told, told_if, value
from otel_trading.stack.promql import ACCOUNT, STRATEGY, buckets, count, grown, last, of, recent

_HEARTBEAT: Final = label_name(a.HEARTBEAT_NAME)
_ERROR: Final = label_name(a.ERROR_TYPE)

_CYCLES: Final = count(m.STRATEGY_CYCLE_DURATION)


def _heard(name: str) -> str:
    """When a series was there last; a day back, for that long somebody may ask where it is."""
    return f"timestamp({name}) or max_over_time(timestamp({name})[1d:15s])"


_SEEN: Final = "job_account:trading_seen_time_seconds:max"

_GONE: Final = f"time() - {_SEEN} > $threshold"
_SCRAPED: Final = "max by (job) (max_over_time(up[1d]))"
"""Bots that are targets themselves; the others are seen through a Collector."""
_COLLECTOR: Final = '0 * max by (trading_collector) (up{trading_collector!=""}) and on () count(up{trading_collector!=""}) == 1'
"""The Collector that Prometheus scrapes. Of two nobody can tell which of them a bot pushed to."""


GROUP: Final = Group(
    "trading-strategy-alerts",
    (
        Alert(
            name="TradingStrategyStalled",
            expr=(
                f"time() - {last(m.STRATEGY_LAST_CYCLE_TIME)}"
                f" > clamp_min($threshold * max without (instance) ({recent(m.STRATEGY_CYCLE_INTERVAL)}), 60)"
            ),
            summary="A strategy has not finished a cycle for several of its intervals.",
            description=f"The last cycle of {told(STRATEGY)} of {told('job')} ended {value('humanizeDuration')} ago.",
            dashboard="trading-overview",
            severity="critical",
            pending="30s",
            threshold=Threshold(3, "intervals of the strategy without a cycle that ended, a minute at least"),
        ),
        Alert(
            name="TradingHeartbeatMissed",
            expr=(
                f"time() - {last(m.HEARTBEAT_LAST_BEAT_TIME)}"
                f" > clamp_min($threshold * max without (instance) ({recent(m.HEARTBEAT_TIMEOUT)}), 60)"
            ),
            summary="A loop of the bot has not given its heartbeat within its time-out.",
            description=f"The last beat of {told(_HEARTBEAT)} of {told('job')} was {value('humanizeDuration')} ago.",
            dashboard="trading-inference",
            severity="critical",
            pending="30s",
            threshold=Threshold(1, "time-outs of the heartbeat without a beat, a minute at least"),
        ),
        Alert(
            name="TradingHeartbeatStalls",
            expr=f"{grown(of(m.HEARTBEAT_STALLS), '1h')} > $threshold",
            summary="A loop of the bot stalls again and again.",
            description=f"{told(_HEARTBEAT)} of {told('job')} stalled {value()} times within an hour.",
            dashboard="trading-inference",
            pending="0s",
            threshold=Threshold(2, "stalls of a heartbeat within an hour"),
        ),
        Alert(
            name="TradingStrategyCyclesFailing",
            expr=(
                f'sum without (instance, {_ERROR}) (increase({_CYCLES}{{{_ERROR}!=""}}[10m]))'
                f" / (sum without (instance, {_ERROR}) (increase({_CYCLES}[10m])) > 0) > $threshold"
            ),
            summary="Cycles of a strategy end with an error.",
            description=f"{value('humanizePercentage')} of the cycles of {told(STRATEGY)} of {told('job')} raised an error.",
            dashboard="trading-inference",
            pending="5m",
            threshold=Threshold(0.1, "of the cycles of ten minutes, as a fraction"),
        ),
        Alert(
            name="TradingStrategyCyclesLate",
            expr=(
                f"histogram_quantile(0.9, sum without (instance, {_ERROR}) (rate({buckets(m.STRATEGY_CYCLE_DURATION)}[10m])))"
                f" > $threshold * max without (instance) ({recent(m.STRATEGY_CYCLE_INTERVAL)})"
            ),
            summary="Cycles of a strategy take longer than the interval at which they should run.",
            description=f"One cycle in ten of {told(STRATEGY)} of {told('job')} takes {value('humanizeDuration')} or more.",
            dashboard="trading-inference",
            pending="10m",
            threshold=Threshold(1, "intervals of the strategy that a cycle in ten takes"),
        ),
        Record(
            _SEEN,
            # Of each account, and of the bot as a whole, by what every bot shows; then Alertmanager leaves out its accounts.
            # A bot that has just started has not made its accounts yet.
            f"max by (job, {ACCOUNT}) ({_heard(of(m.POSITION_ACTIVE))})"
            f" unless on (job) {of(m.PROCESS_UPTIME)} < 300 or max by (job) ({_heard(of(m.SDK_ROUTE))})",
            "When each account, and each bot as a whole, was seen last, a day back at most, in unix seconds.",
        ),
        Alert(
            name="TradingBotGone",
            # With the Collector through which it was seen: if that is down, Alertmanager leaves out those behind it.
            expr=(
                f"({_GONE} unless on (job) {_SCRAPED}) + on () group_left (trading_collector) ({_COLLECTOR})"
                f" or on (job, {ACCOUNT}) {_GONE}"
            ),
            summary="A bot that was there within the last day is not there any more.",
            description=f"Nothing was heard of {told('job')}{told_if(ACCOUNT, before=' ')} for {value('humanizeDuration')}.",
            dashboard="trading-overview",
            severity="critical",
            threshold=Threshold(120, "seconds of silence"),
        ),
        Alert(
            name="TradingBotRestarting",
            expr=f"sum without (instance) (resets({of(m.PROCESS_UPTIME)}[1h])) > $threshold",
            summary="A bot starts again and again.",
            description=f"{told('job')} started {value()} times within an hour.",
            dashboard="trading-sdk",
            pending="0s",
            threshold=Threshold(3, "starts within an hour"),
        ),
        Alert(
            name="TradingBotCrashLooping",
            expr=f"sum without (instance) (resets({of(m.PROCESS_UPTIME)}[30m])) > $threshold",
            summary="A bot crashes as soon as it is started, all the time.",
            description=f"{told('job')} started {value()} times within half an hour.",
            dashboard="trading-sdk",
            severity="critical",
            pending="0s",
            threshold=Threshold(4, "starts within half an hour"),
        ),
        Alert(
            name="TradingBotStoppedUncleanly",
            # The ledger counts over restarts, so a new process begins with what the one before it left.
            expr=(
                f"max without (instance) ({recent(m.SDK_UNCLEAN_STOPS)})"
                f" - max without (instance) (max_over_time({of(m.SDK_UNCLEAN_STOPS)}[1d] offset 15m)) > $threshold"
            ),
            summary="A bot ended without writing its state, and was started again.",
            description=f"{told('job')}{told_if(ACCOUNT, before=' ')} ended {value()} times without writing its state.",
            dashboard="trading-sdk",
            pending="0s",
            threshold=Threshold(0, "ends without writing the state, within a quarter of an hour"),
        ),
    ),
)
