"""What the bot knows of a venue: its clock, its rate limits, its errors."""

from __future__ import annotations

import math

import pytest

from otel_trading.metrics import faults
from otel_trading.recording import clock_offset, record_venue_error, set_clock_offset, set_rate_limit


def test_clock_offset_is_that_of_ntp() -> None:
    """A server 2 s ahead, 0.1 s away and back, that took 0.3 s: exact when both ways take as long (RFC 5905, section 8)."""
    assert clock_offset(102.1, 100.0, 100.5, server_sent=102.4) == pytest.approx(2.0, abs=1e-9)


def test_clock_offset_of_one_server_time_takes_it_for_the_middle() -> None:
    assert clock_offset(server_time=98.0, sent=100.0, received=101.0) == -2.5


@pytest.mark.usefixtures("no_faults")
def test_clock_offset_has_a_sign(recorded) -> None:
    set_clock_offset("kraken", clock_offset(98.0, 100.0, 101.0))
    assert recorded.points("venue.clock_offset") == [({"venue.name": "kraken"}, -2.5)]


@pytest.mark.parametrize("nonsense", [None, "soon", math.nan])
def test_clock_offset_of_nonsense_is_dropped_and_counted(recorded, nonsense) -> None:
    set_clock_offset("kraken", clock_offset(nonsense, 100.0, 101.0))
    assert recorded.points("venue.clock_offset") == []
    assert sum(faults.dropped.values()) == 1


@pytest.mark.usefixtures("no_faults")
def test_rate_limits_are_told_apart_by_their_names(recorded) -> None:
    set_rate_limit("binance", 900, 1200, name="request_weight")
    set_rate_limit("binance", 0, 50, name="orders")
    set_rate_limit("kraken", 3, 2)
    assert recorded.points("venue.rate_limit_utilization_ratio") == [
        ({"rate_limit.name": "orders", "venue.name": "binance"}, 0.0),
        ({"rate_limit.name": "request_weight", "venue.name": "binance"}, 0.75),
        ({"venue.name": "kraken"}, 1.5),
    ]


@pytest.mark.parametrize(("used", "limit"), [(1, 0), (1, -5), (1, math.nan), (1, math.inf), (math.nan, 1), ("1", 2), (1, None)])
def test_rate_limit_that_is_none_is_dropped_and_counted(recorded, used, limit) -> None:
    set_rate_limit("v", used, limit)
    assert recorded.points("venue.rate_limit_utilization_ratio") == []
    assert sum(faults.dropped.values()) == 1
    assert not faults.errors


@pytest.mark.usefixtures("no_faults")
def test_errors_of_a_venue_are_counted_by_their_kind(recorded) -> None:
    record_venue_error("kraken", "maintenance")
    record_venue_error("kraken", KeyError("secret"))
    record_venue_error("kraken", KeyError)
    assert recorded.points("venue.errors") == [
        ({"venue.name": "kraken", "error.type": "KeyError"}, 2),
        ({"venue.name": "kraken", "error.type": "maintenance"}, 1),
    ]
