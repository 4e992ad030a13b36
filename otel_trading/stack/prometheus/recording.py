"""Recording rules: what alerts and dashboards ask for again and again, and what a person asks for in plain words."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Group, Record
from otel_trading.stack.promql import ACCOUNT, NEWEST, of, recent

_ALIVE: Final = "job_instance:trading_alive_time_seconds:max"
_SIGNS: Final = (m.STRATEGY_LAST_CYCLE_TIME, m.HEARTBEAT_LAST_BEAT_TIME, m.MARKET_DATA_LAST_UPDATE_TIME)
"""The times at which a bot was certainly at work."""

INSTANCES: Final = Group(
    "trading-instances",
    (
        Record(
            _ALIVE,
            # Each of them carries a label that no other does, so without their names they stay apart.
            f'max by (job, instance) (max_over_time({{__name__=~"{"|".join(map(of, _SIGNS))}"}}[5m]))'
            # A bot without any of these: when its account was seen last.
            f" or max by (job, instance) (max_over_time(timestamp({of(m.POSITION_ACTIVE)})[5m:15s]))",
            "When each instance was last certainly at work, in unix seconds.",
        ),
        Record(
            NEWEST,
            f"topk by (job, {ACCOUNT}) (1, max by (job, instance, {ACCOUNT}) ({recent(m.POSITION_ACTIVE)} * 0)"
            f" + on (job, instance) group_left () {_ALIVE})",
            "The instance of each account that was heard of last, and when, in unix seconds.",
        ),
    ),
)

GROUPS: Final = (INSTANCES,)
