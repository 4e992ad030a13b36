"""Gauges show what is alive, and a series that ended at zero is zero for two collections of each reader, then gone."""

from __future__ import annotations

import gc
import math
import weakref
from decimal import Decimal

import pytest

from otel_trading.metrics import faults
from otel_trading.metrics.observed import FINAL_SECONDS
from otel_trading.semconv.spec import Metric
from tests.unit.metrics.conftest import Stock
from tests.unit.metrics.core.conftest import attach, gauge

SIZE = Metric("trading.test.size", "gauge", "{unit}", "Size.", ("symbol",), ends_at_zero=True)
PRICE = Metric("trading.test.price", "gauge", "{currency}", "Price.", ("symbol",))
BTC, ETH = {"symbol": "BTC"}, {"symbol": "ETH"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def symbols(values):
    return {dict(key).get("symbol"): value for key, value in values.items()}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def size(meter, clock):
    return gauge(meter, SIZE, clock)


@pytest.fixture
def price(meter):
    return gauge(meter, PRICE)


def seen(stock, metric=SIZE, reader="scrape"):
    return symbols(stock.values(metric.name, reader=reader))


def test_a_gauge_shows_the_last_value_of_each_series(stock, size):
    size.set(1, BTC)
    size.set(Decimal("2.5"), BTC)
    size.bind(ETH).set(3)
    assert seen(stock) == seen(stock) == {"BTC": 2.5, "ETH": 3.0}


def test_a_series_that_ended_at_zero_is_zero_twice_and_then_gone(stock, size):
    size.set(5, BTC)
    size.set(1, ETH)
    assert seen(stock) == {"BTC": 5.0, "ETH": 1.0}
    size.remove(BTC)
    assert [seen(stock) for _ in range(3)] == [{"BTC": 0.0, "ETH": 1.0}, {"BTC": 0.0, "ETH": 1.0}, {"ETH": 1.0}]


def test_a_series_that_did_not_end_at_zero_is_gone_at_once(stock, price):
    price.set(100, BTC)
    assert seen(stock, PRICE) == {"BTC": 100.0}
    price.bind(BTC).remove()
    assert seen(stock, PRICE) == {}


def test_each_reader_is_owed_its_own_two_zeros(stock, size):
    size.set(5, BTC)
    assert seen(stock, reader="scrape") == seen(stock, reader="push") == {"BTC": 5.0}
    size.remove(BTC)
    assert [seen(stock, reader="scrape") for _ in range(3)] == [{"BTC": 0.0}, {"BTC": 0.0}, {}]
    assert [seen(stock, reader="push") for _ in range(3)] == [{"BTC": 0.0}, {"BTC": 0.0}, {}]
    assert seen(stock, reader="late") == {}, "who never saw it alive is owed nothing"


def test_a_series_that_begins_again_is_alive_at_once(stock, size):
    size.set(5, BTC)
    seen(stock)
    size.remove(BTC)
    assert seen(stock) == {"BTC": 0.0}
    size.set(7, BTC)
    assert seen(stock) == {"BTC": 7.0}
    size.remove(BTC)
    assert [seen(stock) for _ in range(3)] == [{"BTC": 0.0}, {"BTC": 0.0}, {}]


def test_a_series_that_lived_between_two_collections_was_never_there(stock, size):
    seen(stock)
    size.set(5, BTC)
    size.remove(BTC)
    assert seen(stock) == {}


def test_the_readers_of_an_application_cannot_be_told_apart_so_time_counts(stock, size, clock):
    size.set(5, BTC)
    assert seen(stock, reader=None) == {"BTC": 5.0}
    size.remove(BTC)
    assert [seen(stock, reader=None) for _ in range(5)] == [{"BTC": 0.0}] * 5
    clock.now = FINAL_SECONDS - 0.1
    assert seen(stock, reader=None) == {"BTC": 0.0}
    clock.now = FINAL_SECONDS
    seen(stock, reader=None)
    assert seen(stock, reader=None) == {}


def test_an_observed_series_ends_when_its_callback_no_longer_has_it(stock, size):
    positions = {"BTC": 2, "ETH": 3}
    stop = size.observe(lambda: [(value, {"symbol": symbol}) for symbol, value in positions.items()])
    assert seen(stock) == {"BTC": 2.0, "ETH": 3.0}
    del positions["BTC"]
    assert [seen(stock) for _ in range(3)] == [{"BTC": 0.0, "ETH": 3.0}, {"BTC": 0.0, "ETH": 3.0}, {"ETH": 3.0}]
    stop()
    assert [seen(stock) for _ in range(3)] == [{"ETH": 0.0}, {"ETH": 0.0}, {}]


def test_a_series_that_is_set_and_observed_stands_once_as_it_is_observed(stock, price):
    """Twice, it would make the scrape invalid; an SDK, too, takes what it is told last."""
    price.set(1, {"symbol": "A"})
    price.set(2, {"symbol": "B"})
    stop = price.observe(lambda: [(3, {"symbol": "B"}), (4, {"symbol": "C"})])
    points = stock.metrics()[PRICE.name].data.data_points
    assert sorted((point.attributes["symbol"], point.value) for point in points) == [("A", 1), ("B", 3), ("C", 4)]
    stop()
    assert set(stock.values(PRICE.name).values()) == {1, 2}


def test_a_callback_that_says_none_has_nothing_to_say(stock, price):
    price.observe(lambda: None)
    price.observe(lambda: [(None, BTC), (4, ETH)])
    assert seen(stock, PRICE) == {"ETH": 4.0}
    assert not faults.dropped


@pytest.mark.parametrize(("value", "reason"), [(math.nan, "non_finite"), (None, "not_a_number"), ("7", "not_a_number")])
def test_what_is_no_finite_number_leaves_the_value_as_it_was(stock, size, value, reason):
    size.set(5, BTC)
    size.set(value, BTC)
    size.bind(BTC).set(value)
    assert seen(stock) == {"BTC": 5.0}
    assert dict(faults.dropped) == {reason: 2}


def test_values_stay_where_another_provider_takes_over(following, meter, size):
    first, second = Stock(), Stock()
    attach(following, meter, "application", first)
    size.set(5, BTC)
    assert seen(first) == {"BTC": 5.0}
    attach(following, meter, "application", second)
    assert (seen(first), seen(second)) == ({}, {"BTC": 5.0})


def test_readers_that_went_with_their_provider_are_forgotten(following, size):
    class Reader:
        pass

    reader = Reader()
    first, second = Stock(), Stock()
    following.attach(first.provider)
    size.set(5, BTC)
    seen(first, reader=reader)
    gone = weakref.ref(reader)
    del reader
    following.attach(second.provider)
    seen(second)
    gc.collect()
    assert gone() is None
