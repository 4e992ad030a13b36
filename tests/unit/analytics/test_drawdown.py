"""Drawdown against a published example, numpy, empyrical, and a fund that issues and redeems units."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from bokeh_sampledata import stocks
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.analytics.drawdown import Drawdown

# From empyrical-reloaded 0.7.1, in an environment of its own with pandas and bokeh-sampledata 2026.1:
#   python -c "import empyrical, pandas; from bokeh_sampledata import stocks
#   for n in ('AAPL', 'IBM', 'MSFT'):
#       print(n, empyrical.max_drawdown(pandas.Series(getattr(stocks, n)['adj_close']).pct_change().fillna(0.0)))"
EMPYRICAL = {"AAPL": -0.8180178930577696, "IBM": -0.5831391256460617, "MSFT": -0.6746454774679355}

prices = st.floats(0.01, 1e9, allow_nan=False)


def over(values: list[float]) -> Drawdown[float]:
    drawdown = Drawdown(values[0])
    for value in values[1:]:
        drawdown.update(value)
    return drawdown


def test_published_example() -> None:
    """Investopedia, "Maximum Drawdown (MDD) Defined, With Formula for Calculation": 53.33 % from 750,000 down to 350,000."""
    thousands = [500.0, 750.0, 400.0, 600.0, 350.0, 800.0]
    drawdown = over(thousands)
    assert drawdown.maximum == pytest.approx((750 - 350) / 750, rel=1e-15)
    assert drawdown.current == 0.0
    assert drawdown.peak == 800.0


def test_starting_value_is_the_first_peak() -> None:
    drawdown = over([100.0, 80.0])
    assert (drawdown.current, drawdown.maximum) == (pytest.approx(0.2), pytest.approx(0.2))


@given(st.lists(prices, min_size=1, max_size=50))
def test_every_moment_agrees_with_numpy(values: list[float]) -> None:
    array = np.asarray(values)
    expected = 1.0 - array / np.maximum.accumulate(array)
    drawdown = Drawdown(values[0])
    for at, value in enumerate(values):
        drawdown.update(value)
        assert drawdown.current == pytest.approx(expected[at], rel=1e-12, abs=1e-15)
        assert drawdown.maximum == pytest.approx(expected[: at + 1].max(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("symbol", EMPYRICAL)
def test_real_prices_agree_with_empyrical(symbol: str) -> None:
    assert over(getattr(stocks, symbol)["adj_close"]).maximum == pytest.approx(-EMPYRICAL[symbol], rel=1e-9)


@given(st.integers(1, 10**12), st.integers(1, 6), st.integers(0, 100))
def test_fall_by_a_fraction_is_that_fraction(cents: int, digits: int, percent: int) -> None:
    """To the last digit, as a limit of 0.1 is reached by a fall of 10 %: no error of its own that stays just below it."""
    peak = Decimal(cents).scaleb(-digits)
    drawdown = Drawdown(peak)
    drawdown.update(peak * (100 - percent) / 100)
    assert drawdown.current == percent / 100


def test_no_drawdown_is_exactly_zero() -> None:
    assert over([0.1, 0.1 + 0.2]).current == 0.0


def test_negative_value_is_a_fall_of_more_than_everything() -> None:
    drawdown = over([100.0, -20.0])
    assert drawdown.maximum == pytest.approx(1.2)


@pytest.mark.parametrize("start", [0.0, -5.0])
def test_nothing_is_said_while_there_is_no_positive_peak(start: float) -> None:
    drawdown = over([start, start - 1.0])
    assert drawdown.current is None
    assert drawdown.maximum is None
    drawdown.update(10.0)
    drawdown.update(9.0)
    assert drawdown.maximum == pytest.approx(0.1)


def test_nan_changes_nothing() -> None:
    drawdown = over([100.0, 90.0, float("nan")])
    assert drawdown.current == pytest.approx(0.1)
    drawdown.update(95.0)
    assert (drawdown.current, drawdown.maximum) == (pytest.approx(0.05), pytest.approx(0.1))


def test_flow_is_neither_profit_nor_loss() -> None:
    """Half of 80 % of the peak is withdrawn: still 20 % below the peak, which is now half as high."""
    drawdown = over([100.0, 80.0])
    drawdown.flow(80.0, 40.0)
    assert (drawdown.current, drawdown.peak) == (pytest.approx(0.2), 50.0)
    drawdown.flow(40.0, 1040.0)
    assert drawdown.current == pytest.approx(0.2)


def test_after_everything_was_withdrawn_a_new_peak_begins_and_the_maximum_stays() -> None:
    drawdown = over([100.0, 70.0])
    drawdown.flow(70.0, 0.0)
    assert (drawdown.current, drawdown.maximum) == (None, pytest.approx(0.3))
    drawdown.flow(0.0, 500.0)
    assert (drawdown.current, drawdown.maximum, drawdown.peak) == (0.0, pytest.approx(0.3), 500.0)


def test_duration_counts_from_the_last_moment_at_the_peak() -> None:
    drawdown = Drawdown(100.0, 1000.0)
    assert (drawdown.duration(5000.0), drawdown.peak_time) == (0.0, 1000.0)
    drawdown.update(90.0, 1060.0)
    assert drawdown.duration(1100.0) == 100.0
    drawdown.update(100.0, 1200.0)
    assert (drawdown.duration(1300.0), drawdown.peak_time) == (0.0, 1200.0)
    drawdown.update(99.0, 1210.0)
    assert drawdown.duration(1250.0) == 50.0
    drawdown.update(101.0, 1300.0)
    assert (drawdown.duration(1400.0), drawdown.peak_time) == (0.0, 1300.0)


def test_a_flow_does_not_interrupt_a_drawdown() -> None:
    drawdown = Drawdown(100.0, 0.0)
    drawdown.update(80.0, 10.0)
    drawdown.flow(80.0, 1000.0, 20.0)
    assert drawdown.duration(30.0) == 30.0


def test_where_a_new_peak_begins_its_time_does_too() -> None:
    drawdown = Drawdown(100.0, 0.0)
    drawdown.flow(100.0, 0.0, 10.0)
    assert drawdown.duration(15.0) is None
    drawdown.flow(0.0, 500.0, 20.0)
    drawdown.update(400.0, 25.0)
    assert drawdown.duration(30.0) == 10.0


def test_without_times_there_is_no_duration_below_the_peak() -> None:
    drawdown = over([100.0, 90.0])
    assert (drawdown.duration(1.0), drawdown.peak_time) == (None, None)
    drawdown.update(100.0)
    assert drawdown.duration(2.0) == 0.0


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    drawdown = Drawdown(100.0, 1000.0)
    drawdown.update(90.0, 1001.0)
    assert drawdown.duration(500.0) == 0.0


def test_without_a_positive_peak_there_is_no_duration() -> None:
    assert Drawdown(-1.0, 0.0).duration(10.0) is None


class Fund:
    """Units are issued and redeemed at the price of one unit; drawdown is that of the price. In fractions, so exact."""

    def __init__(self, start: int) -> None:
        self.units = Fraction(1)
        self.value = Fraction(start)
        self.prices = [self.value]

    def move(self, value: int) -> None:
        self.value = Fraction(value)
        self.prices.append(self.value / self.units)

    def flow(self, amount: int) -> None:
        price = self.value / self.units
        self.units += amount / price
        self.value += amount
        self.prices.append(self.value / self.units)

    def drawdowns(self) -> list[Fraction]:
        return [1 - price / max(self.prices[: at + 1]) for at, price in enumerate(self.prices)]


events = st.lists(st.tuples(st.sampled_from(["move", "deposit", "withdraw"]), st.integers(1, 10**6)), max_size=30)


@given(st.integers(1, 10**6), events, st.sampled_from([float, Decimal]))
def test_flows_agree_with_a_fund_that_issues_units(start: int, events: list[tuple[str, int]], kind: type) -> None:
    fund, drawdown = Fund(start), Drawdown(kind(start))
    for event, amount in events:
        if event == "move":
            fund.move(amount)
            drawdown.update(kind(amount))
            continue
        flow = amount if event == "deposit" else -(amount % int(fund.value))
        before = fund.value
        fund.flow(flow)
        drawdown.flow(kind(int(before)), kind(int(before) + flow))
    expected = fund.drawdowns()
    assert drawdown.current == pytest.approx(float(expected[-1]), rel=1e-9, abs=1e-12)
    assert drawdown.maximum == pytest.approx(float(max(expected)), rel=1e-9, abs=1e-12)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 1000)), max_size=30), st.integers(0, 30), st.sampled_from([float, Decimal])
)
def test_a_restart_anywhere_changes_nothing(steps: list[tuple[bool, int]], at: int, kind: type) -> None:
    through, interrupted, before = Drawdown(kind("100.1"), 0.0), Drawdown(kind("100.1"), 0.0), kind("100.1")
    for number, (flows, amount) in enumerate(steps):
        if number == at:
            state = json.loads(json.dumps(interrupted.dump(), allow_nan=False))
            interrupted = Drawdown.load(state)
            assert interrupted.dump() == state
            assert type(interrupted.peak) is kind
        value = kind(amount)
        for drawdown in (through, interrupted):
            drawdown.flow(before, value, float(number)) if flows else drawdown.update(value, float(number))
        before = value
    assert interrupted.dump() == through.dump()
    assert (interrupted.current, interrupted.maximum, interrupted.duration(99.0)) == (
        through.current,
        through.maximum,
        through.duration(99.0),
    )
