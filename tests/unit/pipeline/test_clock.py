"""One clock for the process: what stamps or compares times of events reads it, until `shutdown()` puts the wall clock back."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator

import pytest

import otel_trading as ot
from otel_trading.metrics import faults
from otel_trading.metrics.clock import process
from otel_trading.risk.heartbeats import Heartbeat
from tests.harness import one, scrape

START = 1_262_304_000.0  # 2010-01-01
DAY = 86_400.0
LONG_AGO = 1_600_000_000.0
"""Before this test was written: what is later is of the wall clock."""


class Bars:
    """A clock that a test moves."""

    now: object = START

    def __call__(self) -> object:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


@pytest.fixture
def bars() -> Bars:
    return Bars()


@pytest.fixture
def pulse() -> Iterator[Heartbeat]:
    with ot.heartbeat("clocked", timeout=600) as beating:
        yield beating


@ot.strategy_cycle("clocked")
def on_bar() -> None:
    """Do nothing."""


def stamped(telemetry: ot.Telemetry) -> dict[str, float | None]:
    """The times that the endpoint shows, in unix seconds."""
    samples = scrape(telemetry.endpoint_url)
    return {
        "cycle": one(samples, "trading_strategy_last_cycle_time_seconds", trading_strategy_name="clocked"),
        "beat": one(samples, "trading_heartbeat_last_beat_time_seconds", trading_heartbeat_name="clocked"),
        "data": one(samples, "trading_market_data_last_update_time_seconds", trading_stream_name="clocked"),
        "order": one(samples, "trading_order_oldest_open_time_seconds", trading_venue_name="clocked"),
    }


def test_times_of_events_are_those_of_the_clock_and_after_the_end_of_the_wall_clock(configured, bars, pulse) -> None:
    tracker = ot.OrderTracker(venue="clocked")  # it was made before, and follows
    times = []
    for clock in (bars, None):
        with configured(clock=clock) as telemetry:
            bars.now = START + DAY
            on_bar()
            pulse.beat()
            ot.record_market_data("clocked", venue="v")
            tracker.submitted("1", symbol="BTC/USDT", side="buy", type="limit", quantity=1)
            times.append(stamped(telemetry))
            tracker.canceled("1")
            ot.end_market_data("clocked", venue="v")
    virtual, real = times
    assert virtual == dict.fromkeys(virtual, START + DAY)
    assert all(value > LONG_AGO for value in real.values()), real


def test_breaker_without_a_clock_follows_and_one_with_a_clock_keeps_it(configured, bars) -> None:
    """Made before; the cool-down ends when the bars say so."""
    said: list[str] = ["too much"]
    follows = ot.CircuitBreaker("follows", rule=lambda: said[-1], cool_down=DAY)
    keeps = ot.CircuitBreaker("keeps", rule=lambda: said[-1], cool_down=DAY, clock=lambda: START)
    with configured(clock=bars):
        assert (follows.state, keeps.state) == ("open", "open")
        said.append("")
        bars.now = START + DAY - 1
        assert (follows.state, keeps.state) == ("open", "open")
        bars.now = START + DAY
        assert (follows.state, keeps.state) == ("half_open", "open")


def test_account_has_the_figures_that_it_has_live_of_the_same_events(configured, bars) -> None:
    """On virtual time, and on the wall clock with the time of each event: all its series but how long a drawdown lasts are equal.

    That goes on with the wall clock after the last event, here by what the collection takes.
    """
    backtest, live = (ot.Account(name, currency="USD", cash=10_000, min_periods=5) for name in ("backtest", "live"))
    events = []
    for day in range(60):
        price = 100 + 10 * math.sin(day / 5) + day / 7
        events += [(START + (day + 0.5) * DAY, price, "buy" if day % 7 == 0 else "sell" if day % 7 == 3 else None)]
    try:
        with configured(clock=bars) as telemetry:
            for bars.now, price, side in events:
                backtest.mark("AAPL", price)
                if side:
                    backtest.fill("AAPL", side, 20, price, fee=1)
            virtual = figures(telemetry, "backtest")
        with configured() as telemetry:
            for at, price, side in events:
                live.mark("AAPL", price, time=at)
                if side:
                    live.fill("AAPL", side, 20, price, fee=1, time=at)
            real = figures(telemetry, "live")
    finally:
        backtest.close()
        live.close()
    lasts = [next(key for key in each if key[0] == "trading_drawdown_duration_seconds") for each in (virtual, real)]
    assert real.pop(lasts[1]) == pytest.approx(virtual.pop(lasts[0]), abs=DAY / 4)
    assert virtual == real
    assert {"trading_returns_sharpe_ratio", "trading_returns_value_at_risk_ratio", "trading_pnl_daily_ratio"} <= {
        name for name, _ in virtual
    }


def figures(telemetry: ot.Telemetry, account: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The series of one account, without its name."""
    return {
        (sample.name, frozenset(sample.labels.items()) - {("trading_account_name", account)}): sample.value
        for sample in scrape(telemetry.endpoint_url)
        if sample.labels.get("trading_account_name") == account
    }


def test_reconciliation_is_stamped_by_the_clock(configured, bars) -> None:
    account = ot.Account("checked", currency="USD")
    try:
        with configured(clock=bars) as telemetry:
            account.reconcile({})
            samples = scrape(telemetry.endpoint_url)
    finally:
        account.close()
    assert one(samples, "trading_reconciliation_last_check_time_seconds", trading_account_name="checked") == START


@pytest.mark.parametrize("given", [5, "time", 0.0], ids=["number", "text", "zero"])
def test_what_is_no_function_is_named(configured, given) -> None:
    with pytest.raises(
        ot.ConfigurationError, match=r"clock = .* \(from argument clock=\): .*a function that returns unix seconds"
    ):
        configured(clock=given)


@pytest.mark.parametrize("kind", [ot.Account, ot.CircuitBreaker, ot.OrderTracker], ids=lambda kind: kind.__name__)
def test_clock_of_one_object_that_is_no_function_is_named(kind) -> None:
    arguments = {
        ot.Account: {"name": "a", "currency": "USD"},
        ot.CircuitBreaker: {"name": "b"},
        ot.OrderTracker: {"venue": "v"},
    }
    with pytest.raises(ot.ConfigurationError, match=f"{kind.__name__}: clock is 5"):
        kind(**arguments[kind], clock=5)


def test_clock_in_a_file_is_refused(configured, tmp_path) -> None:
    (tmp_path / "otel-trading.toml").write_text('clock = "time.time"')
    with pytest.raises(ot.ConfigurationError, match=r"clock = 'time.time' \(from config file .*only as an argument"):
        configured()


def test_another_clock_is_another_setting(configured, bars) -> None:
    telemetry = configured(clock=bars)
    assert configured(clock=bars) is telemetry
    with pytest.raises(ot.ConfigurationError, match="already configured with other settings: clock"):
        configured(clock=Bars())


def test_configuration_that_fails_leaves_the_wall_clock(configured, bars, tmp_path) -> None:
    with pytest.raises(ot.ConfigurationError):
        configured(clock=bars, exporters="file", file_path=tmp_path)
    assert process.now is time.time


def test_disabled_metrics_leave_the_clock_to_what_the_bot_decides_by(configured, bars) -> None:
    """An account and a breaker are the same with metrics and without."""
    account = ot.Account("disabled", currency="USD")
    with configured(clock=bars, disabled=True):
        account.mark("AAPL", 1)
        assert account.last_event_time == START
    account.mark("AAPL", 1)
    assert account.last_event_time > LONG_AGO
    account.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("disabled", [False, True], ids=["enabled", "disabled"])
def test_child_begins_on_the_wall_clock(configured, bars, disabled) -> None:
    """It is not configured, as everything else of it."""
    with configured(clock=bars, disabled=disabled):
        child = os.fork()
        if child == 0:
            os._exit(0 if process.now is time.time else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert process.now() == START


@pytest.mark.parametrize("told", [RuntimeError("broken"), None, "noon", math.nan], ids=["raises", "none", "text", "nan"])
def test_clock_that_fails_leaves_out_times_and_nothing_else(configured, bars, pulse, told) -> None:
    """The bot goes on, the last times stay, what has no time is counted on, and the failures are counted."""
    with configured(clock=bars) as telemetry:
        on_bar()
        pulse.beat()
        ot.record_market_data("clocked", venue="v")
        cycles = counted(telemetry, "trading_strategy_cycle_duration_seconds_count", trading_strategy_name="clocked")
        messages = counted(telemetry, "trading_stream_messages_total", trading_stream_name="clocked")
        bars.now, beat = told, pulse.last
        on_bar()
        pulse.beat()
        ot.record_market_data("clocked", venue="v")
        assert pulse.last > beat
        found = stamped(telemetry)
        assert (found["cycle"], found["beat"], found["data"]) == (START, START, START)
        assert (
            counted(telemetry, "trading_strategy_cycle_duration_seconds_count", trading_strategy_name="clocked") == cycles + 1
        )
        assert counted(telemetry, "trading_stream_messages_total", trading_stream_name="clocked") == messages + 1
    assert {"clock", "record_market_data"} <= {component for component, _ in faults.errors}


def counted(telemetry: ot.Telemetry, name: str, **labels: str) -> float:
    return one(scrape(telemetry.endpoint_url), name, **labels) or 0.0
