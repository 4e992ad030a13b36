"""Daily profit: of the trading day of any zone, on the time of the account's own events."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.account.sessions import TradingDay
from otel_trading.errors import ConfigurationError
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


@pytest.mark.parametrize("step", [2.0, 3600.0, 86_400.0 * 4000])
def test_clock_that_is_set_back_stops_nothing(account, seen, clock, step) -> None:
    """It was wrong for one price; the prices after it count, are fresh while they come, and the day ends when it does."""
    clock.now = MIDNIGHT - 60
    main = account(stale_after=10)
    main.fill("AAPL", "buy", 10, 100)
    clock.now += step
    main.mark("AAPL", 101)
    clock.now -= step
    main.mark("AAPL", 90)
    assert (main.equity, main.drawdown) == (9_900, pytest.approx(110 / 10_010))
    for _ in range(3):
        clock.now += 9
        main.mark("AAPL", 90)
    values = seen.values()
    assert values["portfolio.equity"] == 9_900.0
    assert values["drawdown.duration"] == 27.0
    clock.now = MIDNIGHT + 1
    main.mark("AAPL", 95)
    assert daily(seen) == (50.0, pytest.approx(50 / 9_900))
    assert main.last_event_time == clock.now
    main.mark("AAPL", 80)
    clock.now += 86_400
    main.mark("AAPL", 80)
    assert main.returns[-1] == pytest.approx(-100 / 9_900)


def test_clock_that_was_wrong_before_a_restart_stops_nothing(account, clock) -> None:
    before = account()
    clock.now += 1e9
    before.fill("AAPL", "buy", 10, 100)
    document = before.dump()
    clock.now -= 1e9
    main = account()
    main.restore(document)
    main.mark("AAPL", 90)
    assert (main.equity, main.last_event_time) == (9_900, clock.now)


def test_prices_of_two_threads_that_overtake_each_other_both_count(account, clock) -> None:
    """Who read the clock first comes second: its price is the newest, and no time is set back for it."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    latest = clock.now
    clock.now -= 0.5
    main.mark("AAPL", 90)
    assert (main.equity, main.last_event_time) == (9_900, latest)


def test_price_that_says_itself_that_it_is_old_is_left_out(account, clock) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 90, time=clock.now - 0.5)
    assert main.equity == 10_000


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


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("start", "zone", "ends"),
    [
        # The trading day of foreign exchange: 17:00 in New York, which is UTC-5, and UTC-4 from 10 March 2024 on.
        (
            "17:00",
            "America/New_York",
            ["2024-03-08T22:00+00:00", "2024-03-09T22:00+00:00", "2024-03-10T21:00+00:00", "2024-03-11T21:00+00:00"],
        ),
        # ... and UTC-5 again from 3 November on: that day has 25 hours.
        ("17:00", "America/New_York", ["2024-11-01T21:00+00:00", "2024-11-02T21:00+00:00", "2024-11-03T22:00+00:00"]),
        # 02:30 does not exist in Berlin on 31 March 2024, where the clock goes from 02:00 to 03:00: it is 03:30 then.
        ("02:30", "Europe/Berlin", ["2024-03-30T01:30+00:00", "2024-03-31T01:30+00:00", "2024-04-01T00:30+00:00"]),
        # 02:30 comes twice on 27 October: the first counts.
        ("02:30", "Europe/Berlin", ["2024-10-26T00:30+00:00", "2024-10-27T00:30+00:00", "2024-10-28T01:30+00:00"]),
        # A zone whose midnight was skipped: Sao Paulo, 4 November 2018.
        ("00:00", "America/Sao_Paulo", ["2018-11-03T03:00+00:00", "2018-11-04T03:00+00:00", "2018-11-05T02:00+00:00"]),
        ("00:00", "UTC", ["2024-03-10T00:00+00:00", "2024-03-11T00:00+00:00"]),
        ("22:15", "UTC", ["2024-03-10T22:15+00:00", "2024-03-11T22:15+00:00"]),
    ],
    ids=["spring", "autumn", "hour that is not", "hour that is twice", "midnight that is not", "UTC", "quarter past"],
)
def test_sessions_follow_the_clocks_of_the_zone(start, zone, ends) -> None:
    day = TradingDay(start, zone)
    for before, after in itertools.pairwise(at(end) for end in ends):
        for moment in (before, before + 1, (before + after) / 2, after - 0.001):
            assert day.around(moment) == (before, after)


@given(
    st.floats(-1e10, 4e9),
    st.sampled_from(["America/New_York", "Europe/London", "Asia/Kolkata", "Pacific/Apia"]),
    st.integers(0, 23),
)
def test_every_moment_is_in_exactly_one_session(moment, zone, hour) -> None:
    """Also where a whole day was left out: Apia had no 30 December 2011."""
    day = TradingDay(f"{hour:02}:00", zone)
    start, end = day.around(moment)
    assert start <= moment < end
    assert day.around(end)[0] == end
    assert day.around(start) == (start, end)


@pytest.mark.parametrize("moment", [-9e10, 9e10], ids=["before the calendar", "far ahead"])
def test_years_that_no_calendar_has_are_days_of_utc(moment) -> None:
    start, end = TradingDay("17:00", "America/New_York").around(moment)
    assert start <= moment < end


def test_daily_profit_begins_anew_when_the_zone_says_so(account, seen, clock) -> None:
    """17:00 in New York, on the Sunday on which clocks go forward: 21:00 UTC, not 22:00 as on the day before."""
    clock.now = at("2024-03-10T20:59:59+00:00")
    main = account(session=("17:00", "America/New_York"))
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 110)
    assert daily(seen)[0] == 100.0
    assert main.daily_pnl == 100
    clock.now += 1
    assert main.daily_pnl == 0
    assert daily(seen)[0] == 0.0


def test_zone_that_is_not_known_names_the_package_that_has_it(account) -> None:
    with pytest.raises(ConfigurationError, match=r"'Mars/Olympus'.*tzdata"):
        account(session=("00:00", "Mars/Olympus"))


def test_where_there_is_no_database_of_zones_utc_still_works() -> None:
    """As on Windows without the package tzdata."""
    code = (
        "import sys, zoneinfo; zoneinfo.reset_tzpath(()); sys.modules['tzdata'] = None\n"
        "from otel_trading import Account, ConfigurationError\n"
        "Account('a', currency='USD')\n"
        "try: Account('b', currency='USD', session=('17:00', 'America/New_York'))\n"
        "except ConfigurationError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "America/New_York" in said
    assert "tzdata" in said
