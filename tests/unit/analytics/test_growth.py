"""Growth by calendar time: worked examples, and when there is nothing to say."""

from __future__ import annotations

import math

import pytest

from otel_trading.analytics.growth import YEAR, annual_growth, calmar

DAY = 86_400.0


def test_growth_is_that_of_the_calendar_and_not_of_the_number_of_values() -> None:
    """Investopedia, "Compound Annual Growth Rate (CAGR)": 10,000 become 19,000 in three years, 23.86 %."""
    assert annual_growth(10_000, 19_000, 1e9, 1e9 + 3 * YEAR) == pytest.approx(0.2386, abs=5e-5)
    assert annual_growth(10_000, 19_000, 1e9, 1e9 + 3 * YEAR) == pytest.approx(1.9 ** (1 / 3) - 1, rel=1e-12)


def test_calmar_is_growth_over_the_worst_drawdown() -> None:
    """Worked by hand: twice as much after half a year is four times a year, +300 %, over 25 %."""
    assert calmar(50.0, 100.0, 0.0, YEAR / 2, 0.25) == pytest.approx(12.0)
    assert calmar(100.0, 81.0, 0.0, 2 * YEAR, 0.25) == pytest.approx(-0.4)
    assert calmar(100.0, 0.0, 0.0, YEAR, 1.0) == -1.0


@pytest.mark.parametrize(
    ("start", "value", "days", "drawdown"),
    [
        pytest.param(100.0, 110.0, 29.999, 0.1, id="below 30 days"),
        pytest.param(100.0, 110.0, -400.0, 0.1, id="time that went back"),
        pytest.param(100.0, 110.0, 400.0, 0.0, id="no drawdown"),
        pytest.param(100.0, 110.0, 400.0, None, id="drawdown unknown"),
        pytest.param(0.0, 110.0, 400.0, 0.1, id="from nothing"),
        pytest.param(-1.0, 110.0, 400.0, 0.1, id="from debts"),
        pytest.param(100.0, -1.0, 400.0, 2.0, id="to debts"),
        pytest.param(1e-300, 1e300, 400.0, 0.1, id="more than a float holds"),
        pytest.param(1e-30, 1e30, 30.0, 0.1, id="annualized, more than a float holds"),
        pytest.param(100.0, 110.0, 400.0, 5e-324, id="over almost nothing"),
        pytest.param(math.nan, 110.0, 400.0, 0.1, id="start is not a number"),
        pytest.param(100.0, math.nan, 400.0, 0.1, id="value is not a number"),
        pytest.param(100.0, 110.0, math.nan, 0.1, id="time is not a number"),
        pytest.param(100.0, 110.0, 400.0, math.nan, id="drawdown is not a number"),
    ],
)
def test_nothing_is_said(start: float, value: float, days: float, drawdown: float | None) -> None:
    assert calmar(start, value, 0.0, days * DAY, drawdown) is None


def test_thirty_days_are_enough() -> None:
    assert calmar(100.0, 101.0, 0.0, 30 * DAY, 0.1) == pytest.approx((1.01 ** (365.25 / 30) - 1) / 0.1)
