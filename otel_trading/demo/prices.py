"""Real daily prices of five stocks, 2000 to 2013, from the package bokeh-sampledata.

The source's open, high, low and close are as traded, so a two-for-one split looks like a loss of half. Here they are
adjusted for splits and dividends by the source's own adjusted close, scaled so that the last day keeps its traded price.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
TICK = Decimal("0.01")
_CLOSING_BELL = timedelta(hours=21)  # 16:00 in New York, in UTC and without daylight saving


@dataclass(frozen=True, slots=True)
class Bar:
    """One symbol on one trading day; prices in USD a share."""

    symbol: str
    time: datetime
    """The close of the session, UTC."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class Day:
    """Every symbol that traded on one day (GOOG is listed from August 2004 on, FB from May 2012)."""

    time: datetime
    bars: tuple[Bar, ...]


def load() -> list[Day]:
    """Return every trading day of the data, oldest first.

    Raises `ModuleNotFoundError`, naming what to install, when the package with the prices is missing.
    """
    try:
        from bokeh_sampledata import stocks
    except ModuleNotFoundError as error:
        if error.name != "bokeh_sampledata":
            raise
        message = "the demo's prices are in the package bokeh-sampledata: pip install 'otel-trading[demo]'"
        raise ModuleNotFoundError(message, name="bokeh_sampledata") from error

    days: dict[datetime, list[Bar]] = {}
    for symbol in SYMBOLS:
        for bar in _bars(symbol, getattr(stocks, symbol)):
            days.setdefault(bar.time, []).append(bar)
    return [Day(time, tuple(days[time])) for time in sorted(days)]


def _bars(symbol: str, table: Mapping[str, Iterable[str | float]]) -> Iterable[Bar]:
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    traded = {row["date"]: Decimal(str(row["close"])) for row in rows}
    adjusted = {row["date"]: Decimal(str(row["adj_close"])) for row in rows}
    last = rows[-1]["date"]
    scale = traded[last] / adjusted[last]
    for row in rows:
        date = str(row["date"])
        factor = scale * adjusted[date] / traded[date]
        yield Bar(
            symbol,
            datetime.fromisoformat(date).replace(tzinfo=timezone.utc) + _CLOSING_BELL,
            open=_adjust(row["open"], factor),
            high=_adjust(row["high"], factor),
            low=_adjust(row["low"], factor),
            close=_adjust(row["close"], factor),
            volume=int(row["volume"]),
        )


def _adjust(price: str | float, factor: Decimal) -> Decimal:
    return (Decimal(str(price)) * factor).quantize(TICK, ROUND_HALF_EVEN)
