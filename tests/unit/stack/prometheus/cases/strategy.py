"""Is the bot at work."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

SMA = 'job="bot",instance="a",trading_strategy_name="sma"'
LOOP = 'job="bot",instance="a",trading_heartbeat_name="loop"'
MAIN = 'job="bot",instance="a",trading_account_name="main",trading_strategy_name="sma",trading_venue_name="kraken"'
NOTHING = Case({})


def moved(labels: str) -> str:
    """The same bot under another instance."""
    return labels.replace('instance="a"', 'instance="b"')


ROUTE = 'trading_sdk_route{job="bot",instance="a",trading_sdk_route_name="core"}'


def collector(instance: str) -> str:
    """Whether Prometheus can scrape a Collector."""
    return f'up{{job="otel-collector",instance="{instance}",trading_target="collector",trading_collector="{instance}"}}'


CASES: Cases = {
    "TradingStrategyStalled": {
        "firing": Case(
            {
                f"trading_strategy_last_cycle_time_seconds{{{SMA}}}": "0x20",
                f"trading_strategy_cycle_interval_seconds{{{SMA}}}": "60x20",
            },
            fires=[fired("The last cycle of sma of bot ended 10m 0s ago.", job="bot", trading_strategy_name="sma")],
        ),
        "missing": NOTHING,
        "another instance goes on": Case(
            {
                f"trading_strategy_last_cycle_time_seconds{{{SMA}}}": "0x20",
                f"trading_strategy_last_cycle_time_seconds{{{moved(SMA)}}}": "0+60x20",
                f"trading_strategy_cycle_interval_seconds{{{SMA}}}": "60x20",
            },
        ),
        "quick cycles are no older than a scrape and an export": Case(
            {
                f"trading_strategy_last_cycle_time_seconds{{{SMA}}}": "-20+15x60",
                f"trading_strategy_cycle_interval_seconds{{{SMA}}}": "0.1x60",
            },
            every="15s",
        ),
        "a bot that was stopped is another alert's": Case(
            {
                f"trading_strategy_last_cycle_time_seconds{{{SMA}}}": "0+30x8 stale",
                f"trading_strategy_cycle_interval_seconds{{{SMA}}}": "60x8 stale",
            },
            at="8m",
            every="30s",
        ),
    },
    "TradingHeartbeatMissed": {
        "firing": Case(
            {
                f"trading_heartbeat_last_beat_time_seconds{{{LOOP}}}": "0x20",
                f"trading_heartbeat_timeout_seconds{{{LOOP}}}": "30x20",
            },
            fires=[fired("The last beat of loop of bot was 10m 0s ago.", job="bot", trading_heartbeat_name="loop")],
        ),
        "missing": NOTHING,
        "one that was closed": Case(
            {
                f"trading_heartbeat_last_beat_time_seconds{{{LOOP}}}": "0+15x4 stale",
                f"trading_heartbeat_timeout_seconds{{{LOOP}}}": "5x4 stale",
            },
            at="4m",
            every="15s",
        ),
    },
    "TradingHeartbeatStalls": {
        "firing": Case(
            {
                f"trading_heartbeat_stalls_total{{{LOOP}}}": "_x30 1 1 2 2 3x30",
                'process_uptime_seconds{job="bot",instance="a"}': "0+60x90",
            },
            at="50m",
            fires=[fired("loop of bot stalled 3 times within an hour.", job="bot", trading_heartbeat_name="loop")],
        ),
        "missing": NOTHING,
        "long ago": Case(
            {
                f"trading_heartbeat_stalls_total{{{LOOP}}}": "_x5 1 2 3x200",
                'process_uptime_seconds{job="bot",instance="a"}': "0+60x200",
            },
            at="3h",
        ),
        "before Prometheus was there": Case(
            {
                f"trading_heartbeat_stalls_total{{{LOOP}}}": "7x90",
                'process_uptime_seconds{job="bot",instance="a"}': "864000+60x90",
            },
            at="50m",
        ),
    },
    "TradingStrategyCyclesFailing": {
        "firing": Case(
            {
                f"trading_strategy_cycle_duration_seconds_count{{{SMA}}}": "0+3x30",
                f'trading_strategy_cycle_duration_seconds_count{{{SMA},error_type="timeout"}}': "0+1x30",
            },
            at="25m",
            fires=[fired("25% of the cycles of sma of bot raised an error.", job="bot", trading_strategy_name="sma")],
        ),
        "missing": NOTHING,
        "no cycles at all": Case(
            {
                f"trading_strategy_cycle_duration_seconds_count{{{SMA}}}": "7x30",
                f'trading_strategy_cycle_duration_seconds_count{{{SMA},error_type="timeout"}}': "3x30",
            },
            at="25m",
        ),
    },
    "TradingStrategyCyclesLate": {
        "firing": Case(
            {
                f'trading_strategy_cycle_duration_seconds_bucket{{{SMA},le="60.0"}}': "0x60",
                f'trading_strategy_cycle_duration_seconds_bucket{{{SMA},le="300.0"}}': "0+1x60",
                f'trading_strategy_cycle_duration_seconds_bucket{{{SMA},le="+Inf"}}': "0+1x60",
                f"trading_strategy_cycle_interval_seconds{{{SMA}}}": "60x60",
            },
            at="50m",
            fires=[fired("One cycle in ten of sma of bot takes 4m 36s or more.", job="bot", trading_strategy_name="sma")],
        ),
        "missing": NOTHING,
        "within the interval": Case(
            {
                f'trading_strategy_cycle_duration_seconds_bucket{{{SMA},le="60.0"}}': "0+1x60",
                f'trading_strategy_cycle_duration_seconds_bucket{{{SMA},le="300.0"}}': "0+1x60",
                f'trading_strategy_cycle_duration_seconds_bucket{{{SMA},le="+Inf"}}': "0+1x60",
                f"trading_strategy_cycle_interval_seconds{{{SMA}}}": "60x60",
            },
            at="50m",
        ),
    },
    "TradingBotGone": {
        "firing": Case(
            {
                f"trading_position_active{{{MAIN}}}": "0x10 stale",
                ROUTE: "1x10 stale",
                collector("c"): "1x30",
            },
            at="30m",
            fires=[
                fired(
                    "Nothing was heard of bot main for 20m 0s.", job="bot", trading_account_name="main", trading_collector="c"
                ),
                fired("Nothing was heard of bot for 20m 0s.", job="bot", trading_collector="c"),
            ],
        ),
        "missing": NOTHING,
        "behind a Collector that is down": Case(
            {ROUTE: "1x10 stale", collector("c"): "1x10 0x20"},
            at="30m",
            fires=[fired("Nothing was heard of bot for 20m 0s.", job="bot", trading_collector="c")],
        ),
        "a target itself, beside a Collector": Case(
            {ROUTE: "1x10 stale", 'up{job="bot",instance="a",trading_target="bot"}': "1x10 0x20", collector("c"): "0x30"},
            at="30m",
            fires=[fired("Nothing was heard of bot for 20m 0s.", job="bot")],
        ),
        "a target that was taken away": Case(
            {ROUTE: "1x10 stale", 'up{job="bot",instance="a"}': "1x10 stale", collector("c"): "0x30"},
            at="30m",
            fires=[fired("Nothing was heard of bot for 20m 0s.", job="bot")],
        ),
        "behind one of two Collectors": Case(
            {ROUTE: "1x10 stale", collector("c"): "0x30", collector("d"): "1x30"},
            at="30m",
            fires=[fired("Nothing was heard of bot for 20m 0s.", job="bot")],
        ),
        "one account of a bot that goes on": Case(
            {
                f"trading_position_active{{{MAIN}}}": "0x10 stale",
                ROUTE: "1x30",
            },
            at="30m",
            fires=[fired("Nothing was heard of bot main for 20m 0s.", job="bot", trading_account_name="main")],
        ),
        "an account that a bot which just started has not made yet": Case(
            {
                f"trading_position_active{{{MAIN}}}": "0x10 stale",
                ROUTE: "1x10 stale _x4 1x30",
                'process_uptime_seconds{job="bot",instance="a"}': "600+60x10 stale _x4 20+60x30",
            },
            at="20m",
        ),
        "a bot without an account": Case(
            {ROUTE: "1x10 stale"},
            at="30m",
            fires=[fired("Nothing was heard of bot for 20m 0s.", job="bot")],
        ),
        "moved to another instance": Case(
            {
                f"trading_position_active{{{MAIN}}}": "0x10 stale",
                f"trading_position_active{{{moved(MAIN)}}}": "_x11 0x30",
            },
            at="30m",
        ),
        "restarted": Case({f"trading_position_active{{{MAIN}}}": "0x10 stale _ 0x30"}, at="13m"),
        "more than a day ago": Case({f"trading_position_active{{{MAIN}}}": "0x10 stale"}, at="26h", every="10m"),
    },
    "TradingBotRestarting": {
        "firing": Case(
            {'process_uptime_seconds{job="bot",instance="a"}': "60 120 180 60 120 60 60 30 60 20 80 140 200x20"},
            at="20m",
            fires=[fired("bot started 4 times within an hour.", job="bot")],
        ),
        "missing": NOTHING,
        "one restart": Case({'process_uptime_seconds{job="bot",instance="a"}': "60+60x10 stale _ 5+60x10"}, at="20m"),
    },
    "TradingBotCrashLooping": {
        "firing": Case(
            {'process_uptime_seconds{job="bot",instance="a"}': "60 120 180 60 120 60 60 30 60 20 80 20 10 70x20"},
            at="20m",
            fires=[fired("bot started 6 times within half an hour.", job="bot")],
        ),
        "missing": NOTHING,
        "a few restarts": Case(
            {'process_uptime_seconds{job="bot",instance="a"}': "60 120 180 60 120 60 60 30 60 20 80 140 200x20"}, at="20m"
        ),
        "over hours": Case(
            {'process_uptime_seconds{job="bot",instance="a"}': " ".join(["60 660"] * 12)}, at="230m", every="10m"
        ),
    },
    "TradingBotStoppedUncleanly": {
        "firing": Case(
            {'trading_sdk_unclean_stops_total{job="bot",instance="a",trading_account_name="main"}': "2x20 stale _x60 3x20"},
            at="1h25m",
            fires=[fired("bot main ended 1 times without writing its state.", job="bot", trading_account_name="main")],
        ),
        "missing": NOTHING,
        "a quarter of an hour later": Case(
            {'trading_sdk_unclean_stops_total{job="bot",instance="a",trading_account_name="main"}': "2x20 stale _x60 3x30"},
            at="1h50m",
        ),
        "a clean restart": Case(
            {'trading_sdk_unclean_stops_total{job="bot",instance="a",trading_account_name="main"}': "2x20 stale _ 2x20"},
            at="30m",
        ),
    },
}
