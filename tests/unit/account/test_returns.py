"""Returns of the account as it lives, against the same computed at once from all closing values."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import statistics
from datetime import datetime, timezone
from importlib.resources import files

import pytest

from otel_trading.errors import ConfigurationError

SHARES = 100
CASH = 100_000


@pytest.fixture(scope="module")
def bars() -> list[tuple[float, float]]:
    """Ten years of daily closes of a real stock: unix seconds of 21:00 UTC and prices."""
    stored = files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
    with gzip.open(str(stored), "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["Ticker"] == "MSFT"]
    found = [(_closed(row), float(row["Close"])) for row in rows]
    return sorted(found)[-2520:]


def _closed(row: dict[str, str]) -> float:
    day = datetime.fromisoformat(row["Date"])
    return day.replace(hour=21, tzinfo=timezone.utc).timestamp()


def analytics(main) -> dict[str, object]:
    return {
        "equity": main.equity,
        "returns": main.returns,
        "drawdown": main.drawdown,
        "max_drawdown": main.max_drawdown,
        "sharpe": main.sharpe_ratio,
        "sortino": main.sortino_ratio,
        "calmar": main.calmar_ratio,
        "volatility": main.volatility,
        "value_at_risk": main.value_at_risk,
        "expected_shortfall": main.expected_shortfall,
        "daily": main.daily_pnl,
        "turnover": main.turnover_ratio,
    }


def test_ten_years_on_an_injected_clock_and_by_recorded_times_give_the_same(account, clock, seen, bars) -> None:
    """Live on virtual time, with collections in between, and replayed in no time at all; and both what the closes say."""
    settings = {"cash": CASH, "periods_per_year": 252, "window": len(bars)}
    clock.now = bars[0][0]
    live = account("live", **settings)
    live.fill("MSFT", "buy", SHARES, bars[0][1])
    for number, (time, price) in enumerate(bars):
        clock.now = time
        live.mark("MSFT", price)
        if number % 100 == 0:
            clock.now += 3 * 3600  # after the end of the session
            seen.points()
    replayed = account("replayed", **settings)
    replayed.fill("MSFT", "buy", SHARES, bars[0][1], time=bars[0][0])
    for time, price in bars:
        replayed.mark("MSFT", price, time=time)
    assert analytics(live) == analytics(replayed)

    values = [CASH + SHARES * (price - bars[0][1]) for _, price in bars]
    # The last day has not ended, the first was not a whole one to measure from but the value that the second is measured by.
    expected = [after / before - 1 for before, after in itertools.pairwise(values[:-1])]
    assert live.returns == pytest.approx(expected, rel=1e-9, abs=1e-15)
    mean, deviation = statistics.fmean(expected), statistics.stdev(expected)
    assert live.sharpe_ratio == pytest.approx(mean / deviation * math.sqrt(252), rel=1e-9)
    assert live.volatility == pytest.approx(deviation * math.sqrt(252), rel=1e-9)
    peak, deepest = values[0], 0.0
    for value in values:
        peak = max(peak, value)
        deepest = max(deepest, 1 - value / peak)
    assert live.max_drawdown == pytest.approx(deepest, rel=1e-12)
    worst = sorted(expected)
    assert live.value_at_risk == pytest.approx(-worst[math.ceil(len(worst) / 20) - 1], rel=1e-12)


def test_deposits_and_withdrawals_are_no_returns(account, clock) -> None:
    """The same prices with money that comes and goes: the same returns."""
    plain = account("plain", cash=1000, min_periods=2)
    flowing = account("flowing", cash=1000, min_periods=2)
    for main in (plain, flowing):
        main.fill("AAPL", "buy", 10, 100)
    shares = 10
    for number, price in enumerate((110, 99, 105, 120, 90, 91)):
        clock.now += 86_400
        for main in (plain, flowing):
            main.mark("AAPL", price)
        if number % 2 == 0:  # all of it is invested at the same price, or taken out of it
            flowing.deposit(shares * price)
            flowing.fill("AAPL", "buy", shares, price)
            shares *= 2
        elif number == 3:
            flowing.fill("AAPL", "sell", shares / 2, price)
            flowing.withdraw(shares / 2 * price)
            shares /= 2
    assert len(plain.returns) == 5
    assert flowing.returns == pytest.approx(plain.returns, rel=1e-9)
    assert flowing.max_drawdown == pytest.approx(plain.max_drawdown)


def test_metrics_of_returns_are_absent_until_there_are_enough(account, seen, clock) -> None:
    main = account(min_periods=3, confidence=0.9)
    main.fill("AAPL", "buy", 10, 100)
    shown = []
    for price in (101, 99, 103, 100, 104):
        clock.now += 86_400
        main.mark("AAPL", price)
        shown.append({name for name in seen.values() if name.startswith("returns")})
    ratios = {"sharpe_ratio", "sortino_ratio", "volatility_ratio", "value_at_risk_ratio", "expected_shortfall_ratio"}
    assert shown == [set(), set(), set(), {f"returns.{name}" for name in ratios}, {f"returns.{name}" for name in ratios}]
    ((_, attributes),) = seen.points()["returns.value_at_risk_ratio"]
    assert attributes["trading.risk.confidence"] == "0.9"
    clock.now += 30 * 86_400
    main.mark("AAPL", 110)
    assert "returns.calmar_ratio" in seen.values()


def test_duration_of_a_drawdown_runs_with_the_clock(account, seen, clock) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 110)
    clock.now += 60
    main.mark("AAPL", 109)
    clock.now += 60
    assert seen.values()["drawdown.duration"] == 120.0
    clock.now += 60
    assert seen.values()["drawdown.duration"] == 180.0
    main.mark("AAPL", 111)
    assert seen.values()["drawdown.duration"] == 0.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cost", "lifo"), ("cost", None), ("returns_every", 0), ("returns_every", "1d"), ("returns_every", True),
        ("window", 1), ("window", 2.5), ("min_periods", 1), ("min_periods", 253), ("periods_per_year", -1),
        ("periods_per_year", float("inf")), ("risk_free_rate", -1), ("risk_free_rate", "2%"), ("confidence", 0),
        ("confidence", 1), ("confidence", 95), ("session", "00:00"), ("session", ("24:00", "UTC")), ("session", ("9:00", "UTC")),
        ("session", ("00:00",)), ("session", ("00:00", None)), ("session", ("00:00", "../etc/passwd")), ("session", ("00:00", "")),
        ("risky", "big"), ("stale_after", 0), ("stale_after", "x"), ("flush_every", 0), ("ledger", 3),
    ],
    ids=repr,
)  # fmt: skip
def test_wrong_setting_is_named(account, tmp_path, name, value) -> None:
    arguments = {"ledger": tmp_path / "x.db", name: value} if name == "flush_every" else {name: value}
    with pytest.raises(ConfigurationError, match=name):
        account(**arguments)
