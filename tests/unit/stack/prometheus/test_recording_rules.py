"""What the recording rules say, above all of a bot that was restarted or moved: it is one bot, and its latest figures count."""

from __future__ import annotations

from typing import Any

import pytest

from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus import recording
from otel_trading.stack.promql import current, grown, latest
from tests.unit.stack.prometheus.promtool import needed, promtool, write
from tests.unit.stack.prometheus.vocabulary import recorded, used

OWNER = 'trading_account_name="main",trading_strategy_name="sma",trading_venue_name="kraken"'
OLD = f'job="bot",instance="old",{OWNER}'
NEW = f'job="bot",instance="new",{OWNER}'
UPTIME = 'process_uptime_seconds{job="bot",instance="old"}'
USD = 'trading_currency="USD"'

Samples = dict[str, float]


def check(directory: Any, series: dict[str, str], at: str, expected: dict[str, Samples], every: str = "1m") -> None:
    """Evaluate the recording rules over `series`; `expected` has, by expression, the value of each result's labels at `at`."""
    names = set[str]().union(*(used(expr).names for expr in expected)) & recorded().keys()
    write(directory, needed(names)).rename(directory / "rules.yml")
    tests = [
        {
            "expr": expr,
            "eval_time": at,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
        }
        for expr, samples in expected.items()
    ]
    test = {
        "interval": every,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": tests,
    }
    file = write(directory, {"rule_files": ["rules.yml"], "evaluation_interval": every, "tests": [test]})
    status, said = promtool("test", "rules", file)
    assert status == 0, said


def beats(labels: str, values: str, uptime: str) -> dict[str, str]:
    """A bot at work, as its strategy's cycles tell."""
    bot = labels.split(",trading_account", maxsplit=1)[0]
    return {
        f'trading_strategy_last_cycle_time_seconds{{{bot},trading_strategy_name="sma"}}': values,
        f"trading_position_active{{{labels}}}": "0x60",
        f"process_uptime_seconds{{{bot}}}": uptime,
    }


MOVED = {
    **beats(OLD, "0+60x10 600x50", "0+60x60"),  # hangs, or is what the Collector shows of a bot that went away
    **beats(NEW, "_x8 480+60x50", "_x5 0+60x60"),
    f"trading_portfolio_equity{{{OLD},{USD}}}": "100x60",
    f"trading_portfolio_equity{{{NEW},{USD}}}": "_x8 70x50",
    f"trading_pnl_net{{{OLD},{USD}}}": "5x60",
    f"trading_pnl_net{{{NEW},{USD}}}": "_x8 -25x50",
}


def test_two_instances_of_one_account_are_never_added_up_and_the_newest_counts(tmp_path):
    """Though the older one has the higher figures."""
    account = f'{{job="bot", {OWNER}, {USD}}}'
    check(
        tmp_path,
        MOVED,
        "20m",
        {
            recording.NEWEST: {f'{recording.NEWEST}{{job="bot", instance="new", trading_account_name="main"}}': 1200},
            latest(m.PORTFOLIO_EQUITY): {account: 70},
            current(m.PNL_NET): {account: -25},
            "currency:trading_portfolio_equity:sum": {f"currency:trading_portfolio_equity:sum{{{USD}}}": 70},
            "currency:trading_pnl_net:sum": {f"currency:trading_pnl_net:sum{{{USD}}}": -25},
        },
    )


def test_the_older_instance_counts_until_the_newer_one_has_done_something(tmp_path):
    check(tmp_path, MOVED, "7m", {latest(m.PORTFOLIO_EQUITY): {f'{{job="bot", {OWNER}, {USD}}}': 100}})


def test_of_a_bot_without_cycles_or_heartbeats_the_process_that_started_last_counts(tmp_path):
    series = {
        UPTIME: "0+60x30",
        'process_uptime_seconds{job="bot",instance="new"}': "_x9 0+60x30",
        f"trading_position_active{{{OLD}}}": "0x30",
        f"trading_position_active{{{NEW}}}": "_x9 0x20",
        f"trading_portfolio_equity{{{OLD},{USD}}}": "100x30",
        f"trading_portfolio_equity{{{NEW},{USD}}}": "_x9 70x20",
    }
    check(tmp_path, series, "13m", {latest(m.PORTFOLIO_EQUITY): {f'{{job="bot", {OWNER}, {USD}}}': 70}})


def test_one_failed_scrape_takes_no_account_away(tmp_path):
    series = {
        'trading_strategy_last_cycle_time_seconds{job="bot",instance="old",trading_strategy_name="sma"}': "0+15x20 stale _ 330+15x9",
        f"trading_position_active{{{OLD}}}": "0x20 stale _ 0x9",
        f"trading_portfolio_equity{{{OLD},{USD}}}": "100x20 stale _ 100x9",
    }
    expected = {current(m.PORTFOLIO_EQUITY): {f'{{job="bot", {OWNER}, {USD}}}': 100}}
    check(tmp_path, series, "5m15s", expected, every="15s")


def test_accounts_are_added_up_by_currency_and_by_strategy(tmp_path):
    series: dict[str, str] = {}
    for job, account, strategy, currency, profit in (
        ("a", "one", "sma", "USD", 10),
        ("a", "two", "sma", "USD", 20),
        ("b", "one", "mm", "USD", 30),
        ("b", "three", "mm", "EUR", 40),
    ):
        labels = f'job="{job}",instance="i",trading_account_name="{account}",trading_strategy_name="{strategy}"'
        series[f"trading_position_active{{{labels}}}"] = "1x20"
        series[f'process_uptime_seconds{{job="{job}",instance="i"}}'] = "0+60x20"
        series[f'trading_pnl_net{{{labels},trading_currency="{currency}"}}'] = f"{profit}x20"
    name = "strategy_currency:trading_pnl_net:sum"
    check(
        tmp_path,
        series,
        "10m",
        {
            "currency:trading_pnl_net:sum": {
                'currency:trading_pnl_net:sum{trading_currency="USD"}': 60,
                'currency:trading_pnl_net:sum{trading_currency="EUR"}': 40,
            },
            name: {
                f'{name}{{trading_strategy_name="sma", trading_currency="USD"}}': 30,
                f'{name}{{trading_strategy_name="mm", trading_currency="USD"}}': 30,
                f'{name}{{trading_strategy_name="mm", trading_currency="EUR"}}': 40,
            },
        },
    )


BTC = f'{OLD},trading_instrument_symbol="BTC/USD"'


def test_trades_count_from_the_first_of_each_outcome_and_over_a_restart(tmp_path):
    """Three wins; the process starts anew, and its counters with it; then two wins and one loss: 5 of 6 are won."""
    series = {
        UPTIME: "0+30x20 stale _ 30+30x90",
        f'trading_trades_total{{{BTC},trading_trade_outcome="win"}}': "_x5 1 2 3x13 stale _x4 1 2x90",
        f'trading_trades_total{{{BTC},trading_trade_outcome="loss"}}': "_x30 1x90",
    }
    owner = f'{{job="bot", {OWNER}}}'
    check(
        tmp_path,
        series,
        "45m30s",
        {
            f"round({recording.TRADES_1H})": {owner: 6},
            f"round({recording.WIN_RATIO_7D}, 0.01)": {owner: 0.83},
        },
        every="30s",
    )


def test_a_ratio_of_nothing_is_absent_and_one_of_no_wins_is_0(tmp_path):
    series = {
        UPTIME: "0+60x60",
        f'trading_trades_total{{{BTC},trading_trade_outcome="loss"}}': "_x5 1 2 3x50",
        'trading_orders_total{job="bot",instance="old",trading_order_status="filled",trading_venue_name="kraken"}': "3x60",
    }
    check(
        tmp_path,
        series,
        "20m",
        {
            recording.WIN_RATIO_7D: {f'{recording.WIN_RATIO_7D}{{job="bot", {OWNER}}}': 0},
            recording.REJECT_RATIO_5M: {},
        },
    )


def test_rejected_orders_are_a_fraction_of_those_that_ended(tmp_path):
    sender = 'job="bot",trading_strategy_name="sma",trading_venue_name="kraken"'
    orders = f'trading_orders_total{{instance="old",{sender}'
    series = {
        f'{orders},trading_order_status="filled",trading_order_side="buy"}}': "0+2x60",
        f'{orders},trading_order_status="canceled",trading_order_side="sell"}}': "0+1x60",
        f'{orders},trading_order_status="rejected",trading_order_side="buy",trading_order_reject_reason="auth"}}': "0+1x60",
    }
    check(tmp_path, series, "30m", {recording.REJECT_RATIO_5M: {f"{recording.REJECT_RATIO_5M}{{{sender}}}": 0.25}})


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        pytest.param("100x360 130x360", 30, id="a day ago it was less"),
        pytest.param("_x360 130x360", 130, id="nothing is known from a day ago"),
        pytest.param("100x150 stale _x325 130x360", 30, id="the bot was off a day ago"),
    ],
)
def test_profit_of_a_day_is_what_came_since_the_last_figure_before_it(net, expected, tmp_path):
    series = {f"trading_pnl_net{{{OLD},{USD}}}": net, f"trading_position_active{{{OLD}}}": net.replace("1", "0")}
    series = {name: values for name, values in series.items() if "active" not in name}
    series[f"trading_position_active{{{OLD}}}"] = net
    series['trading_strategy_last_cycle_time_seconds{job="bot",instance="old",trading_strategy_name="sma"}'] = net
    name = "job_account:trading_pnl_net:delta1d"
    check(tmp_path, series, "46h", {name: {f'{name}{{job="bot", {OWNER}, {USD}}}': expected}}, every="4m")


def test_the_usual_rate_of_orders_is_that_while_the_bot_was_there_before_and_after_a_restart(tmp_path):
    """Else ten hours of normal work would look like twice the day's rate, or a restart like a day's orders at once."""
    sender = 'job="bot",trading_strategy_name="sma",trading_venue_name="kraken"'
    series = {
        f'trading_order_submissions_total{{instance="old",{sender},trading_order_side="buy"}}': "0+6x590 0+6x40",
        UPTIME: "0+60x590 0+60x40",
    }
    five, day = recording.ORDERS_5M, recording.ORDERS_1D
    check(tmp_path, series, "10h", {five: {f"{five}{{{sender}}}": 0.1}, f"round({day}, 0.001)": {f"{{{sender}}}": 0.1}})


def test_half_of_the_orders_and_99_of_100_take_so_long(tmp_path):
    """100 operations a minute: 50 up to 100 ms, 40 up to 250 ms, 10 up to 1 s; linear within a bucket, as Prometheus has it."""
    labels = 'job="bot",trading_strategy_name="sma",trading_venue_name="kraken",trading_order_operation="submit"'
    series = {
        f'trading_order_duration_seconds_bucket{{instance="old",{labels},le="{bound}"}}': f"0+{count}x30"
        for bound, count in (("0.05", 0), ("0.1", 50), ("0.25", 90), ("1.0", 100), ("+Inf", 100))
    }
    half, most = (f"job_venue_operation:trading_order_duration_seconds:{name}_5m" for name in ("p50", "p99"))
    check(tmp_path, series, "20m", {half: {f"{half}{{{labels}}}": 0.1}, f"round({most}, 0.001)": {f"{{{labels}}}": 0.925}})


class TestGrown:
    """`increase` does not see what a series begins with; `grown` does."""

    def grown(self, directory, values: str, uptime: str, expected: float | None) -> None:
        series = {
            'trading_sdk_errors_total{job="bot",instance="old"}': values,
            UPTIME: uptime,
        }
        expression = f"round({grown('trading_sdk_errors_total', '15m')})"
        check(directory, series, "30m", {expression: {} if expected is None else {'{job="bot"}': expected}})

    def test_a_series_that_began_within_the_window_counts_from_nothing(self, tmp_path):
        self.grown(tmp_path, "_x20 1 2x20", "0+60x60", 2)

    def test_so_does_one_of_a_bot_that_is_younger_than_the_window(self, tmp_path):
        self.grown(tmp_path, "_x25 3x20", "_x25 10+60x20", 3)

    def test_one_that_was_there_counts_by_what_it_grew(self, tmp_path):
        self.grown(tmp_path, "7x20 7+1x5 12x20", "0+60x60", 5)

    def test_one_that_is_older_than_prometheus_counts_nothing(self, tmp_path):
        self.grown(tmp_path, "_x25 7x20", "_x25 864000+60x20", 0)

    def test_one_that_begins_anew_with_its_bot_counts_on(self, tmp_path):
        self.grown(tmp_path, "7x20 stale _ 1x20", "0+60x20 stale _ 10+60x20", 1)
