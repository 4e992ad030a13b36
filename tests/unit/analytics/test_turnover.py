"""Turnover: worked examples, and the average over every second."""

from __future__ import annotations

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.analytics.turnover import Turnover


def test_equity_counts_for_as_long_as_it_lasted() -> None:
    """Worked by hand: 100 for nine hours and 200 for one are 110 on average; 33 bought and 22 sold."""
    turnover = Turnover()
    turnover.equity(100.0, 0.0)
    turnover.trade(33.0)
    turnover.equity(200.0, 9 * 3600.0)
    turnover.trade(-22.0)
    turnover.equity(1.0, 10 * 3600.0)
    assert (turnover.traded, turnover.average_equity, turnover.ratio) == (55.0, 110.0, 0.5)


def test_at_the_first_moment_the_average_is_the_equity() -> None:
    turnover = Turnover()
    turnover.equity(100.0, 5.0)
    turnover.trade(50.0)
    assert turnover.ratio == 0.5


@pytest.mark.parametrize("equity", [None, 0.0, -10.0])
def test_nothing_is_said_without_positive_equity(equity: float | None) -> None:
    turnover = Turnover()
    turnover.trade(50.0)
    if equity is not None:
        turnover.equity(equity, 0.0)
    assert turnover.ratio is None


def test_a_session_begins_with_nothing_traded_and_the_equity_that_is_there() -> None:
    turnover = Turnover()
    turnover.equity(100.0, 0.0)
    turnover.trade(70.0)
    turnover.begin_session(50.0)
    assert (turnover.ratio, turnover.average_equity) == (0.0, 100.0)
    turnover.trade(30.0)
    turnover.equity(200.0, 60.0)
    turnover.equity(200.0, 70.0)
    assert turnover.ratio == pytest.approx(30 / 150)


def test_without_a_time_a_session_begins_at_the_last_observation() -> None:
    turnover = Turnover()
    turnover.begin_session()
    turnover.equity(100.0, 0.0)
    turnover.equity(300.0, 10.0)
    turnover.begin_session()
    turnover.equity(1.0, 20.0)
    assert turnover.average_equity == 300.0


def test_time_that_goes_back_weighs_nothing() -> None:
    turnover = Turnover()
    for equity, time in [(100.0, 10.0), (300.0, 5.0), (0.0, 20.0)]:
        turnover.equity(equity, time)
    assert turnover.average_equity == 300.0


steps = st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 20)), min_size=1, max_size=20)


@given(steps)
def test_the_average_is_that_of_every_second(steps: list[tuple[int, int]]) -> None:
    turnover, now, seconds = Turnover(), 0, []
    for equity, lasts in steps:
        turnover.equity(equity, now)
        seconds += [equity] * lasts
        now += lasts
    turnover.equity(1, now)
    turnover.trade(1000.0)
    average = statistics.fmean(seconds) if seconds else 1
    assert turnover.average_equity == pytest.approx(average)
    assert turnover.ratio == pytest.approx(1000 / average)


@given(steps, st.integers(0, 20))
def test_a_restart_anywhere_changes_nothing(steps: list[tuple[int, int]], at: int) -> None:
    through, interrupted = Turnover(), Turnover()
    for number, (equity, time) in enumerate(steps):
        if number == at:
            state = json.loads(json.dumps(interrupted.dump(), allow_nan=False))
            interrupted = Turnover.load(state)
            assert interrupted.dump() == state
        for turnover in (through, interrupted):
            turnover.equity(equity, time)
            turnover.trade(equity)
    assert interrupted.dump() == through.dump()
