"""The window of returns against the definitions, computed anew and exactly from all that it holds."""

from __future__ import annotations

import json
import math
import random
import statistics
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otel_trading.analytics.window import ReturnWindow, period_rate

# As values have them: a few digits, so that equal ones and zeros are frequent; and any at all.
returns = st.one_of(st.integers(-500, 500).map(lambda n: n / 10_000), st.floats(-0.9, 5.0))
ANSWERS: dict[str, Callable[[ReturnWindow], float | None]] = {
    "mean": lambda window: window.mean,
    "deviation": lambda window: window.deviation,
    "volatility": lambda window: window.volatility(252),
    "sharpe": lambda window: window.sharpe(252, 0.02),
    "sortino": lambda window: window.sortino(252, 0.02),
    "value_at_risk": lambda window: window.value_at_risk(0.95),
    "expected_shortfall": lambda window: window.expected_shortfall(0.95),
}


def window_of(values: list[float], size: int | None = None, min_periods: int = 1) -> ReturnWindow:
    window = ReturnWindow(size or len(values), min_periods)
    for r in values:
        window.append(r)
    return window


def answers(window: ReturnWindow) -> dict[str, float | None]:
    return {name: answer(window) for name, answer in ANSWERS.items()}


@given(st.lists(returns, min_size=2, max_size=60), st.integers(2, 20))
def test_mean_and_deviation_are_those_of_the_statistics_module(values: list[float], size: int) -> None:
    window = window_of(values, size)
    latest = values[-size:]
    assert window.values == latest
    assert window.mean == pytest.approx(statistics.fmean(latest), rel=1e-12, abs=1e-18)
    assert window.deviation == pytest.approx(statistics.stdev(map(Fraction, latest)), rel=1e-12, abs=1e-18)
    assert window.volatility(365) == pytest.approx(
        statistics.stdev(map(Fraction, latest)) * math.sqrt(365), rel=1e-12, abs=1e-18
    )


@given(st.lists(returns, min_size=3, max_size=60), st.integers(3, 20), st.floats(-0.5, 0.5))
def test_sharpe_and_sortino_follow_their_definitions(values: list[float], size: int, rate: float) -> None:
    latest = [Fraction(r) for r in values[-size:]]
    target = Fraction(period_rate(rate, 252))
    assume(max(latest) - min(latest) > Fraction(1, 10**9))
    excess = statistics.mean(latest) - target
    window = window_of(values, size)
    expected = float(excess) / statistics.stdev(latest) * math.sqrt(252)
    assert window.sharpe(252, rate) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    below = sum(min(r - target, 0) ** 2 for r in latest) / len(latest)
    assume(below == 0 or below > Fraction(1, 10**30))
    expected = float(excess) / math.sqrt(below) * math.sqrt(252) if below else None
    assert window.sortino(252, rate) == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12))


@given(st.lists(returns, min_size=1, max_size=120), st.integers(1, 100), st.integers(1, 999))
def test_tails_are_exact(values: list[float], size: int, permille: int) -> None:
    """The order statistic itself; and the least mean loss of any weights of at most one in (1 - confidence) n each."""
    alpha = Fraction(permille, 1000)
    latest = sorted(map(Fraction, values[-size:]))
    share = alpha * len(latest)
    window = window_of(values, size)
    confidence = float(1 - alpha)
    assert window.value_at_risk(confidence) == -float(latest[math.ceil(share) - 1])
    left, loss = share, Fraction(0)
    for r in latest:
        weight = min(left, 1)
        loss -= weight * r
        left -= weight
    assert window.expected_shortfall(confidence) == pytest.approx(float(loss / share), rel=1e-12, abs=1e-17)


def test_the_tail_of_a_hundred_returns_is_five_of_them_and_not_six() -> None:
    """In floats (1 - 0.95) * 100 rounds up to 6. Worked by hand on returns of -100 % to -1 %."""
    assert math.ceil((1 - 0.95) * 100) == 6
    window = window_of([-n / 100 for n in range(1, 101)])
    assert window.value_at_risk(0.95) == 0.96
    assert window.expected_shortfall(0.95) == pytest.approx(0.98, rel=1e-15)


def test_expected_shortfall_counts_the_part_of_the_edge_that_is_inside() -> None:
    """Worked by hand: 5 % of 30 returns are one and a half of them: (0.30 + 0.29 / 2) / 1.5."""
    window = window_of([-n / 100 for n in range(1, 31)])
    assert window.value_at_risk(0.95) == 0.29
    assert window.expected_shortfall(0.95) == pytest.approx((0.30 + 0.29 / 2) / 1.5, rel=1e-15)


@given(st.lists(returns, min_size=1, max_size=50), st.sampled_from([0.9, 0.95, 0.99]))
def test_expected_shortfall_is_never_less_than_value_at_risk(values: list[float], confidence: float) -> None:
    window = window_of(values)
    assert window.expected_shortfall(confidence) >= window.value_at_risk(confidence) - 1e-15


def test_only_gains_make_a_negative_value_at_risk() -> None:
    window = window_of([0.01] * 10 + [0.02] * 10)
    assert (window.value_at_risk(0.95), window.expected_shortfall(0.95)) == (-0.01, pytest.approx(-0.01))


def test_no_loss_is_written_without_a_minus() -> None:
    window = window_of([0.0] * 20)
    assert [str(window.value_at_risk(0.95)), str(window.expected_shortfall(0.95))] == ["0.0", "0.0"]


@pytest.mark.parametrize("outlier", [-1e6, 1e6, 1e150])
@pytest.mark.parametrize("left", [0, 1, 97], ids="left {} appends ago".format)
def test_an_outlier_that_left_leaves_no_trace(outlier: float, left: int) -> None:
    """A rolling Welford variance was off by a factor of 110."""
    draw = random.Random(1)  # noqa: S311 - the same returns every time
    before, after = ([draw.gauss(0.0005, 0.01) for _ in range(count)] for count in (50, 100 + left))
    window = window_of([*before, outlier, *after], 100, 30)
    assert window.deviation == pytest.approx(statistics.stdev(after[left:]), rel=1e-12)
    assert answers(window) == answers(window_of(after[left:], 100, 30))


@given(st.lists(returns, min_size=1, max_size=80), st.integers(2, 20))
def test_what_left_never_leaves_a_trace(values: list[float], size: int) -> None:
    window = ReturnWindow(size, 1)
    for at, r in enumerate(values):
        window.append(r)
        assert answers(window) == answers(window_of(values[max(0, at + 1 - size) : at + 1], size))


def test_another_rate_does_not_stay_in_the_next_answer() -> None:
    values = [0.01, -0.02, 0.03, -0.005, 0.0001]
    window = window_of(values, 4)
    expected = {rate: window_of(values[-4:]).sortino(252, rate) for rate in (0.0, 0.05, -0.3)}
    for rate in (0.0, 0.05, 0.0, -0.3, 0.05):
        assert window.sortino(252, rate) == expected[rate]


@pytest.mark.parametrize("name", ANSWERS)
def test_nothing_is_said_below_min_periods(name: str) -> None:
    window = window_of([0.01, -0.02] * 14 + [0.03], 252, 30)
    assert ANSWERS[name](window) is None
    window.append(-0.01)
    assert ANSWERS[name](window) is not None


# Sharpe and Sortino of returns that have no answer; the others have.
@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 30,
        [0.01] * 30,
        [-0.01] * 30,
        [(100 * 1.01**n * 1.01 - 100 * 1.01**n) / (100 * 1.01**n) for n in range(30)],
    ],
    ids=["none", "gain", "loss", "interest, equal but for rounding"],
)
def test_equal_returns_have_no_ratio(values: list[float]) -> None:
    window = window_of(values)
    assert (window.sharpe(365), window.sortino(365, 0.05)) == (None, None)
    assert window.volatility(365) == pytest.approx(0.0, abs=1e-13)
    assert window.value_at_risk(0.95) == pytest.approx(-values[0])


def test_without_a_return_below_the_target_there_is_no_sortino_ratio() -> None:
    window = window_of([0.01, 0.02, 0.03])
    assert window.sortino(252) is None
    assert window.sharpe(252) is not None


def test_a_single_return_has_no_deviation() -> None:
    window = window_of([-0.01])
    assert (window.mean, window.deviation, window.volatility(252), window.sharpe(252)) == (-0.01, None, None, None)


def test_an_empty_window_says_nothing() -> None:
    window = ReturnWindow(10, 1)
    assert len(window) == 0
    assert set(answers(window).values()) == {None}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 1e200])
def test_what_is_no_return_is_not_taken(wrong: float) -> None:
    assert window_of([0.01, wrong, 0.02], 3).values == [0.01, 0.02]


@pytest.mark.parametrize(("size", "min_periods"), [(0, 0), (10, 0), (10, 11)])
def test_a_window_that_could_never_answer_is_refused(size: int, min_periods: int) -> None:
    with pytest.raises(ValueError, match="min_periods"):
        ReturnWindow(size, min_periods)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.1])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence level"):
        window_of([0.01, 0.02]).value_at_risk(confidence)


@given(st.floats(-0.9, 3.0), st.sampled_from([12, 252, 365, 8760]))
def test_the_rate_of_a_period_compounds_to_that_of_the_year(annual: float, periods: int) -> None:
    assert (1 + period_rate(annual, periods)) ** periods == pytest.approx(1 + annual, rel=1e-10)


@given(st.lists(returns, max_size=60), st.integers(1, 20), st.integers(0, 60))
def test_a_restart_anywhere_changes_nothing(values: list[float], size: int, at: int) -> None:
    window = window_of(values[:at], size)
    window.sortino(252, 0.03)
    state = json.loads(json.dumps(window.dump(), allow_nan=False))
    continued = ReturnWindow.load(state)
    assert continued.dump() == state
    for r in values[at:]:
        continued.append(r)
    assert continued.dump() == window_of(values, size).dump()
    assert answers(continued) == answers(window_of(values, size))


def test_memory_is_bounded() -> None:
    window = window_of([0.01 * (-1) ** n for n in range(10_000)], 50)
    assert (len(window), len(window.values), len(window._sorted)) == (50, 50, 50)
    assert max(window._sum.bit_length(), window._squares.bit_length()) < 400
