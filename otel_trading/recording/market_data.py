"""When market data last came, by stream: for the metric, and for whoever asks within the process (a circuit breaker)."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from otel_trading import metrics
from otel_trading.metrics.values import as_float
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

_LAST_UPDATE = metrics.gauge(m.MARKET_DATA_LAST_UPDATE_TIME)

_MOST: Final = 10_000
"""Streams whose last update is remembered."""

Source = tuple[str, str, "str | None"]
"""Venue, stream and symbol."""

_latest: dict[Source, float] = {}


def updated(source: Source, time: object) -> None:
    """Record that data came from `source` at `time`, in unix seconds; a time that is none is dropped and counted."""
    _LAST_UPDATE.set(time, _attributes(source))
    seconds = as_float(time)
    if seconds is not None and math.isfinite(seconds) and (source in _latest or len(_latest) < _MOST):
        _latest[source] = seconds


def ended(source: Source) -> None:
    """Forget a source: nobody waits for its data any more."""
    _latest.pop(source, None)
    _LAST_UPDATE.remove(_attributes(source))


def age(now: float, streams: Collection[str] | None, since: float) -> float:
    """Return how long ago, in seconds, the source that is furthest behind was updated; of one that never was, since `since`.

    `streams` are the names of those that count, all if None. A time to come counts as one that is as long ago: one in
    milliseconds, say, must not pass for fresh.
    """
    if streams is None:
        times = list(_latest.values())  # a copy, as others may record meanwhile
        untold = not times
    else:
        known = [(stream, time) for (_, stream, _), time in list(_latest.items()) if stream in streams]
        times = [time for _, time in known]
        untold = not {stream for stream, _ in known}.issuperset(streams)
    # The furthest from now is the first or the last of them.
    ages = [abs(now - min(times)), abs(now - max(times))] if times else []
    return max([*ages, now - since] if untold else ages)


def forget() -> None:
    """Know of no stream (for tests, and in a process that forked)."""
    _latest.clear()


def _attributes(source: Source) -> dict[str, object]:
    venue, stream, symbol = source
    return {a.VENUE_NAME: venue, a.STREAM_NAME: stream, a.INSTRUMENT_SYMBOL: symbol}
