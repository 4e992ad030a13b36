"""The mathematics, streamed price by price, against libraries that see whole windows of the same real prices at once.

empyrical-reloaded for volatility, Sharpe, Sortino, growth and drawdown; riskfolio-lib for value at risk and expected shortfall;
feature-engine for the population stability index. Where they answer NaN or infinity, ours is None.
"""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from otel_trading.analytics.drawdown import Drawdown
from otel_trading.analytics.drift import LabelStability, PopulationStability
from otel_trading.analytics.growth import YEAR, annual_growth, calmar
from otel_trading.analytics.returns import ReturnGrid
from otel_trading.analytics.window import ReturnWindow

pytestmark = pytest.mark.timeout(600)  # the environment is installed and asked within the first test

SERIES = ["SP500", "EURUSD 1h", "GOOG", "AAPL", "IBM", "MSFT", "FB"]
DAY = 86_400.0


def close(ours: float | None, theirs: float) -> bool:
    if not math.isfinite(theirs):
        return ours is None
    return ours is not None and math.isclose(ours, theirs, rel_tol=1e-9)


def restored(state: Any) -> Any:
    """What a restart does."""
    return type(state).load(json.loads(json.dumps(state.dump())))


def streamed(answers: dict[str, Any], name: str, size: int) -> Iterator[tuple[dict[str, Any], ReturnWindow]]:
    """Feed the prices as a bot would; yield at each moment of the oracle's its answers and our window."""
    grid, window = ReturnGrid(DAY), ReturnWindow(size, answers["min_periods"])
    moments = iter(answers["series"][name]["moments"])
    moment = next(moments)
    prices = answers["series"][name]["prices"]
    count = 0
    for day, price in enumerate([*prices, prices[-1]]):  # the last period ends when something is seen in the next
        if (r := grid.observe(day * DAY, price)) is None:
            continue
        window.append(r)
        count += 1
        if count == moment["returns"]:
            yield moment, window
            grid, window = restored(grid), restored(window)
            if (moment := next(moments, None)) is None:
                return
    raise AssertionError("not all of the oracle's moments were reached")


def test_every_series_is_compared(answers: dict[str, Any]) -> None:
    assert sorted(answers["series"]) == sorted(SERIES)
    assert sum(len(series["moments"]) for series in answers["series"].values()) > 600


@pytest.mark.parametrize("size", [30, 252, 1000])
@pytest.mark.parametrize("name", SERIES)
def test_volatility_sharpe_and_sortino_are_empyricals(answers: dict[str, Any], name: str, size: int) -> None:
    year = answers["periods_per_year"]
    for moment, window in streamed(answers, name, size):
        expected = moment["windows"][str(size)]
        assert close(window.volatility(year), expected["volatility"])
        for ratios in expected["ratios"]:
            assert close(window.sharpe(year, ratios["risk_free_rate"]), ratios["sharpe"]), (moment["returns"], ratios)
            assert close(window.sortino(year, ratios["risk_free_rate"]), ratios["sortino"]), (moment["returns"], ratios)


@pytest.mark.parametrize("size", [30, 252, 1000])
@pytest.mark.parametrize("name", SERIES)
def test_tails_are_riskfolios(answers: dict[str, Any], name: str, size: int) -> None:
    compared = of = 0
    for moment, window in streamed(answers, name, size):
        for tail in moment["windows"][str(size)]["tails"]:
            of += 1
            exact = math.ceil((1 - Fraction(str(tail["confidence"]))) * len(window))
            if math.ceil(tail["tail"] * len(window)) != exact:
                continue  # 0.05 * 140 is 7.000000000000001 in floats, which makes its next return the quantile
            compared += 1
            assert close(window.value_at_risk(tail["confidence"]), tail["value_at_risk"]), (moment["returns"], tail)
            assert close(window.expected_shortfall(tail["confidence"]), tail["expected_shortfall"]), (moment["returns"], tail)
    assert compared > 0.8 * of > 0


@pytest.mark.parametrize("name", SERIES)
def test_drawdown_growth_and_calmar_are_empyricals(answers: dict[str, Any], name: str) -> None:
    """It annualizes by the number of returns: the same as calendar time where each takes its part of a year."""
    prices, step = answers["series"][name]["prices"], YEAR / answers["periods_per_year"]
    drawdown, at = Drawdown(prices[0], 0.0), 0
    for moment in answers["series"][name]["moments"]:
        end, expected = moment["returns"], moment["path"]
        for at in range(at + 1, end + 1):  # noqa: B020 - goes on where the last moment stopped
            drawdown.update(prices[at], at * step)
        drawdown = restored(drawdown)
        assert math.isclose(drawdown.maximum, expected["max_drawdown"], rel_tol=1e-9)
        assert drawdown.duration(at * step) == pytest.approx((at - latest_peak(prices[: end + 1])) * step, rel=1e-12)
        if end * step >= 30 * DAY:
            assert close(annual_growth(prices[0], prices[end], 0.0, end * step), expected["annual_growth"])
            assert close(calmar(prices[0], prices[end], 0.0, end * step, drawdown.maximum), expected["calmar"])


def latest_peak(prices: list[float]) -> int:
    return len(prices) - 1 - prices[::-1].index(max(prices))


@pytest.mark.parametrize("name", SERIES)
def test_drift_is_feature_engines(answers: dict[str, Any], name: str) -> None:
    """On its bins, on ours of the same reference, and of labels; some bins are empty."""
    for case in answers["drift"][name]:
        recent, size = case["recent"], len(case["recent"])
        counts = [0] * (len(case["edges"]) + 1)
        for r in case["reference"]:
            counts[bisect.bisect_left(case["edges"], r)] += 1
        given = PopulationStability(case["edges"], counts, size=size, min_count=size)
        own = PopulationStability.from_reference(case["reference"], 10, size=size, min_count=size)
        labels = LabelStability.from_reference(case["labels"][0], size=size, min_count=size)
        assert after(given, recent) == pytest.approx(case["psi"], rel=1e-9)
        assert after(own, recent) == pytest.approx(case["psi"], rel=1e-9)
        assert after(labels, case["labels"][1]) == pytest.approx(case["label_psi"], rel=1e-9)


def after(stability: Any, recent: list[Any]) -> float:
    """The index of `recent`, seen after other things that leave the window, with a restart in between."""
    observe: Callable[[Any], None] = stability.observe
    for x in recent[:100]:
        observe(x)
    stability = restored(stability)
    for x in recent:
        stability.observe(x)
    return stability.psi
