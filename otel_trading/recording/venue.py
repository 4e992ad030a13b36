"""What the bot knows of a venue: whether it can be reached, its clock, its rate limits, its errors. Nothing here raises."""

from __future__ import annotations

import math

from otel_trading import metrics
from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float
from otel_trading.orders import error_type
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

_CONNECTED = metrics.gauge(m.VENUE_CONNECTED)
_CLOCK_OFFSET = metrics.gauge(m.VENUE_CLOCK_OFFSET)
_RATE_LIMIT = metrics.gauge(m.VENUE_RATE_LIMIT_UTILIZATION_RATIO)
_ERRORS = metrics.counter(m.VENUE_ERRORS)


@faults.contained("set_venue_connected")
def set_venue_connected(venue: str, connected: bool) -> None:
    """Say whether a venue can be reached just now."""
    _CONNECTED.set(1 if connected else 0, {a.VENUE_NAME: venue})


@faults.contained("set_clock_offset")
def set_clock_offset(venue: str, seconds: object) -> None:
    """Say how far the clock of a venue is ahead of the bot's, in seconds (negative: behind); see `clock_offset`."""
    _CLOCK_OFFSET.set(seconds, {a.VENUE_NAME: venue})


@faults.contained("clock_offset")
def clock_offset(server_time: float, sent: float, received: float, server_sent: float | None = None) -> float:
    """Return how far a server's clock is ahead of ours: ((t2 - t1) + (t3 - t4)) / 2 of RFC 5905 (NTP), section 8.

    `sent` and `received` are when the request left and its answer came, by the bot's clock; `server_time` is what the answer
    said, or when the request came in if `server_sent` says when the answer left: all in unix seconds (a venue's milliseconds
    / 1000). It is off by at most half the time that the request took.
    """
    answered = server_time if server_sent is None else server_sent
    return ((server_time - sent) + (answered - received)) / 2


@faults.contained("set_rate_limit")
def set_rate_limit(venue: str, used: object, limit: object, *, name: str | None = None) -> None:
    """Say how much of a rate limit is `used`, both as the venue counts them (its headers say so), and the venue's name of it.

    A limit that is not positive is dropped and counted.
    """
    part, whole = as_float(used), as_float(limit)
    known = {a.VENUE_NAME: venue, a.RATE_LIMIT_NAME: name}
    if part is None or whole is None:
        _RATE_LIMIT.set(used if part is None else limit, known)  # dropped there, counted and logged
    elif not (whole > 0 and math.isfinite(whole)):
        faults.drop("not_a_number", "set_rate_limit: a limit has to be positive; dropped", about=(venue, name))
    else:
        _RATE_LIMIT.set(part / whole, known)


@faults.contained("record_venue_error")
def record_venue_error(venue: str, error: BaseException | type[BaseException] | str) -> None:
    """Count a request to a venue that failed; `error` is an exception, its class, or a word of a bounded set."""
    _ERRORS.add(1, {a.VENUE_NAME: venue, a.ERROR_TYPE: error_type(error)})
