"""Returns on a grid: worked examples, and the definition over everything that was observed."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.analytics.returns import ReturnGrid

DAY = 86_400.0


def returns(grid: ReturnGrid, observations: list[tuple[float, float]]) -> list[float | None]:
    return [grid.observe(time, value) for time, value in observations]


def test_a_period_ends_with_the_last_value_seen_before_its_boundary() -> None:
    """Worked by hand: 100 at the end of day 0, 110 at the end of day 1, 99 at the end of day 2."""
    grid = ReturnGrid(DAY)
    seen = [(0.5, 90), (0.9, 100), (1.0, 105), (1.5, 120), (1.999, 110), (2.0, 50), (2.9, 99), (3.2, 1)]
    assert returns(grid, [(day * DAY, value) for day, value in seen]) == [
        None, None, None, None, None, pytest.approx(0.10), None, pytest.approx(-0.10),
    ]  # fmt: skip


def test_the_first_period_has_no_return_because_it_is_not_a_whole_one() -> None:
    assert returns(ReturnGrid(DAY), [(10.0, 100.0), (DAY - 1, 150.0), (DAY, 150.0)]) == [None, None, None]


def test_periods_begin_at_the_offset() -> None:
    """A trading day that begins at 22:00 UTC."""
    hour = 3600.0
    grid = ReturnGrid(DAY, 22 * hour)
    seen = [(21 * hour, 100.0), (22 * hour, 110.0), (DAY + 21.9 * hour, 121.0), (DAY + 22 * hour, 7.0)]
    assert returns(grid, seen) == [None, None, None, pytest.approx(0.21)]


def test_a_weekend_has_no_return_and_monday_spans_it() -> None:
    grid = ReturnGrid(DAY)
    seen = [(3.5, 100.0), (4.5, 102.0), (7.5, 51.0), (8.0, 51.0)]
    assert returns(grid, [(day * DAY, value) for day, value in seen]) == [None, None, pytest.approx(0.02), pytest.approx(-0.5)]


def test_what_is_told_late_of_a_period_that_has_ended_changes_nothing() -> None:
    grid = ReturnGrid(1.0)
    assert returns(grid, [(0.5, 100.0), (1.5, 110.0), (0.9, 1.0), (2.5, 110.0)]) == [None, None, None, pytest.approx(0.1)]


@pytest.mark.parametrize(
    "wrong", [(math.nan, 1.0), (math.inf, 1.0), (1.6, math.nan), (1.6, math.inf), (9.0, -math.inf)], ids=str
)
def test_what_is_not_finite_changes_nothing(wrong: tuple[float, float]) -> None:
    grid = ReturnGrid(1.0)
    assert returns(grid, [(0.5, 100.0), (1.5, 110.0), wrong, (2.5, 1.0)]) == [None, None, None, pytest.approx(0.1)]


def test_a_total_loss_is_minus_one_and_nothing_is_measured_from_it() -> None:
    grid = ReturnGrid(1.0)
    seen = [(0.5, 100.0), (1.5, 0.0), (2.5, 50.0), (3.5, 55.0), (4.5, 1.0)]
    assert returns(grid, seen) == [None, None, -1.0, None, pytest.approx(0.1)]


@pytest.mark.parametrize(("every", "offset"), [(0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (math.inf, 0.0), (1.0, math.nan)])
def test_a_grid_without_periods_is_refused(every: float, offset: float) -> None:
    with pytest.raises(ValueError, match="positive number of seconds"):
        ReturnGrid(every, offset)


observations = st.lists(st.tuples(st.integers(0, 40), st.floats(0.01, 1e6)), min_size=1, max_size=60)


@given(observations, st.integers(1, 7), st.integers(-10, 10))
def test_every_return_is_that_of_the_last_values_of_two_periods(seen: list[tuple[int, float]], every: int, offset: int) -> None:
    seen.sort(key=lambda observation: observation[0])
    closes: dict[int, float] = {(time - offset) // every: value for time, value in seen}
    expected = [(now - before) / before for before, now in pairwise(list(closes.values())[:-1])]
    grid = ReturnGrid(every, offset)
    assert [r for r in returns(grid, seen) if r is not None] == pytest.approx(expected)


@given(observations, st.integers(0, 60))
def test_a_restart_anywhere_changes_nothing(seen: list[tuple[int, float]], at: int) -> None:
    grid = ReturnGrid(3.0, 1.0)
    expected = returns(grid, seen)
    begun = ReturnGrid(3.0, 1.0)
    first = returns(begun, seen[:at])
    state = json.loads(json.dumps(begun.dump(), allow_nan=False))
    continued = ReturnGrid.load(state)
    assert continued.dump() == state
    assert first + returns(continued, seen[at:]) == expected
