"""Daily profit: of the day of UTC, on the time of the account's own events."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from otel_trading.metrics import faults

MIDNIGHT = 1_700_006_400.0  # 2023-11-15T00:00:00Z


def daily(seen) -> tuple[float, float]:
    values = seen.values()
    return values["pnl.daily"], values["pnl.daily_ratio"]


def test_day_begins_with_the_equity_at_its_start(account, seen, clock) -> None:
    clock.now = MIDNIGHT - 3600
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 150)
    assert daily(seen) == (500.0, 0.05)
    clock.now = MIDNIGHT + 1
    main.mark("AAPL", 140)
    assert daily(seen) == (-100.0, pytest.approx(-100 / 10_500))


def test_day_ends_without_any_event(account, seen, clock) -> None:
    """A bot that does nothing at night shows no profit of yesterday in the morning."""
    clock.now = MIDNIGHT - 3600
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 150)
    clock.now = MIDNIGHT
    assert daily(seen) == (0.0, 0.0)


def test_last_moment_of_the_day_belongs_to_it(account, seen, clock) -> None:
    clock.now = MIDNIGHT - 1e-3
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 150)
    assert daily(seen) == (500.0, 0.05)


def test_flows_are_no_profit_and_part_of_what_it_is_measured_by(account, seen, clock) -> None:
    """10,000 at the start and 10,000 more: a gain of 200 is one per cent of both."""
    clock.now = MIDNIGHT - 3600
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    clock.now = MIDNIGHT + 3600
    main.deposit(15_000)
    main.withdraw(5_000)
    main.mark("AAPL", 120)
    assert daily(seen) == (200.0, 0.01)


def test_ratio_is_absent_where_it_is_a_fraction_of_nothing(account, seen, clock) -> None:
    clock.now = MIDNIGHT + 60
    main = account()
    main.fill("AAPL", "buy", 1, 100)
    main.withdraw(10_000)
    main.mark("AAPL", 130)
    values = seen.values()
    assert values["pnl.daily"] == 30.0
    assert "pnl.daily_ratio" not in values


def test_recorded_data_has_its_own_days(account, seen) -> None:
    """Bars of 2008, replayed today in no time."""
    main = account()
    opening = datetime(2008, 10, 9, 14, 30, tzinfo=timezone.utc)
    main.fill("AAPL", "buy", 10, 100, time=opening)
    main.mark("AAPL", 90, time=opening + timedelta(hours=6))
    assert daily(seen)[0] == -100.0
    main.mark("AAPL", 95, time=opening + timedelta(days=1))
    assert daily(seen)[0] == 50.0


def test_between_recorded_events_time_runs_with_the_clock(account, seen, clock) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100, time=1_223_596_800.0 - 7200)  # two hours before a midnight of 2008
    main.mark("AAPL", 110, time=1_223_596_800.0 - 3600)
    clock.now += 3599
    assert daily(seen)[0] == 100.0
    clock.now += 1
    assert daily(seen)[0] == 0.0


def test_event_of_yesterday_that_arrives_today_leaves_today(account, seen, clock) -> None:
    clock.now = MIDNIGHT + 3600
    main = account()
    main.mark("AAPL", 100)
    main.fill("AAPL", "buy", 10, 98, time=MIDNIGHT - 60)
    main.mark("AAPL", 99)
    assert daily(seen)[0] == 10.0
    clock.now += 60
    assert daily(seen)[0] == 10.0


def test_event_that_arrives_late_does_not_set_the_time_back(account, seen, clock) -> None:
    clock.now = MIDNIGHT - 10
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 110)
    main.fill("MSFT", "buy", 1, 50, time=MIDNIGHT - 3600)
    clock.now = MIDNIGHT
    assert daily(seen) == (0.0, 0.0)


def test_zone_of_a_datetime_counts(account, seen) -> None:
    """23:30 in New York on 8 October is 03:30 UTC on 9 October."""
    new_york = timezone(timedelta(hours=-4))
    main = account()
    main.fill("AAPL", "buy", 10, 100, time=datetime(2008, 10, 8, 19, 30, tzinfo=new_york))
    main.mark("AAPL", 90, time=datetime(2008, 10, 8, 19, 59, tzinfo=new_york))
    assert daily(seen)[0] == -100.0
    main.mark("AAPL", 90, time=datetime(2008, 10, 8, 20, 0, tzinfo=new_york))
    assert daily(seen)[0] == 0.0


NAIVE = datetime(2023, 11, 14, tzinfo=timezone.utc).replace(tzinfo=None)


@pytest.mark.parametrize("time", [1_700_000_000_000, float("nan"), "2023-11-14", NAIVE, b""], ids=str)
def test_time_that_is_none_is_taken_as_now_and_counted(account, seen, time) -> None:
    """Milliseconds, which venues send, a naive datetime, junk: the fill is what matters."""
    faults.reset()
    main = account()
    main.fill("AAPL", "buy", 10, 100, time=time)
    assert main.positions["AAPL"].size == 10
    assert daily(seen)[0] == 0.0
    assert faults.dropped["not_a_number"] == 1
