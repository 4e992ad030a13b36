from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from importlib import resources

import pytest

from otel_trading.demo import prices


@pytest.fixture(scope="module")
def days():
    return prices.load()


@pytest.fixture(scope="module")
def source():
    """The package's own file, read by hand."""
    file = resources.files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode()
    return list(csv.DictReader(text.splitlines()))


def test_every_row_of_the_source_is_there_once_in_order_of_time(days, source):
    ours = [(bar.symbol, bar.time.date().isoformat()) for day in days for bar in day.bars]

    assert sorted(ours) == sorted((row["Ticker"], row["Date"]) for row in source)
    assert [day.time for day in days] == sorted({day.time for day in days})
    assert all(bar.time == day.time for day in days for bar in day.bars)


def test_returns_are_those_of_the_adjusted_close_so_a_split_is_no_loss(days, source):
    """Apple split two for one on 2005-02-28: 88.99 became 44.86 without anybody losing a cent."""
    adjusted = {(row["Ticker"], row["Date"]): float(row["Adj Close"]) for row in source}
    close = {(bar.symbol, bar.time.date().isoformat()): bar.close for day in days for bar in day.bars}
    before, after = ("AAPL", "2005-02-25"), ("AAPL", "2005-02-28")

    assert float(close[after] / close[before]) == pytest.approx(adjusted[after] / adjusted[before], rel=1e-3)
    assert close[after] > close[before]


def test_the_last_day_has_the_prices_that_were_traded(days, source):
    traded = {row["Ticker"]: Decimal(row["Close"]) for row in source if row["Date"] == "2013-03-01"}

    assert {bar.symbol: bar.close for bar in days[-1].bars} == traded


def test_a_bar_is_consistent_and_in_whole_cents(days):
    for day in days:
        for bar in day.bars:
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.close == bar.close.quantize(Decimal("0.01"))


def test_times_are_closes_in_utc(days):
    assert days[0].time == datetime(2000, 3, 1, 21, tzinfo=timezone.utc)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh_sampledata", None)
    monkeypatch.delitem(sys.modules, "bokeh_sampledata.stocks", raising=False)

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'otel-trading\[demo\]'"):
        prices.load()


def test_pandas_stays_out_of_the_bots_memory():
    code = "import sys; from otel_trading.demo import prices; prices.load(); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
