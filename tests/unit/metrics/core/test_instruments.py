"""Counters and histograms of the vocabulary over a stock SDK: exact points, nothing raised, nothing lost in silence."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal

import pytest
from opentelemetry.metrics import Observation

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.instruments import Limits
from otel_trading.semconv.spec import Metric
from tests.routes import ROUTES
from tests.unit.metrics.conftest import Stock
from tests.unit.metrics.core.conftest import Cells, attach, histogram, summed

FILLS = Metric("trading.test.fills", "counter", "{fill}", "Fills.", ("venue",))
FUNDING = Metric("trading.test.funding", "updowncounter", "{currency}", "Funding.", ("venue",))
SECONDS = Metric("trading.test.duration", "histogram", "s", "Durations.", ("venue",), bounds=(0.1, 1.0, 10.0))


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.fixture
def fills(meter):
    return summed(meter, FILLS)


@pytest.fixture
def funding(meter):
    return summed(meter, FUNDING)


@pytest.fixture
def seconds(meter):
    return histogram(meter, SECONDS)


def test_a_counter_adds_up_each_series(stock, fills):
    fills.add()
    fills.add(2, {"venue": "kraken"})
    fills.bind({"venue": "kraken"}).add(Decimal("0.5"))
    fills.bind().add()
    assert stock.values(FILLS.name) == {(): 2.0, (("venue", "kraken"),): 2.5}
    metric = stock.metrics()[FILLS.name]
    assert (metric.unit, metric.description, metric.data.is_monotonic) == ("{fill}", "Fills.", True)


def test_values_of_every_kind_make_one_exact_sum(stock, fills):
    """Stock instruments raise `TypeError` into the caller where a Decimal meets a float."""
    for value in (0.5, Decimal("0.25"), 1, True):
        fills.add(value)
    assert stock.value(FILLS.name) == 2.75
    assert not faults.errors


def test_an_up_down_counter_goes_down_too(stock, funding):
    funding.add(1)
    funding.add(Decimal("-2.5"))
    assert stock.value(FUNDING.name) == -1.5
    assert stock.metrics()[FUNDING.name].data.is_monotonic is False


def test_a_histogram_has_the_bounds_of_the_registry(stock, seconds):
    for value in (0.05, 0.1, 5, 50, 0):
        seconds.record(value)
    (point,) = stock.metrics()[SECONDS.name].data.data_points
    assert tuple(point.explicit_bounds) == (0.1, 1.0, 10.0)
    assert tuple(point.bucket_counts) == (3, 0, 1, 1)
    assert (point.count, point.sum) == (5, pytest.approx(55.15))


@pytest.mark.parametrize("route", ROUTES)
def test_a_histogram_has_the_bounds_of_the_settings_where_they_give_some(following, meter, seconds, route):
    stock = Cells(meter) if route == "core" else Stock()
    following.attach(stock.provider)
    meter.attach(route, {SECONDS.name: (1, 2)}, Limits())
    seconds.bind().record(1.5)
    assert tuple(stock.metrics()[SECONDS.name].data.data_points[0].explicit_bounds) == (1, 2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400], ids=lambda value: type(value).__name__)
def test_what_is_not_finite_is_dropped_everywhere(stock, fills, funding, seconds, value):
    fills.add(value)
    funding.add(value)
    seconds.record(value)
    assert stock.metrics() == {}
    assert dict(faults.dropped) == {"non_finite": 3}


@pytest.mark.parametrize("value", [None, "1", object(), [1]], ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_dropped_everywhere(stock, fills, funding, seconds, value):
    fills.bind().add(value)
    funding.bind().add(value)
    seconds.bind().record(value)
    assert stock.metrics() == {}
    assert dict(faults.dropped) == {"not_a_number": 3}


def test_a_negative_value_is_dropped_where_it_cannot_be(stock, fills, seconds):
    fills.add(-1)
    seconds.record(-0.001)
    assert stock.metrics() == {}
    assert dict(faults.dropped) == {"negative": 2}


def test_hostile_attributes_cost_themselves_and_nothing_else(stock, fills):
    fills.add(1, {"venue": Hostile(), "side": "buy", "symbol": None, "type": ""})
    assert stock.values(FILLS.name) == {(("side", "buy"),): 1.0}
    assert dict(faults.errors) == {("attributes", "RuntimeError"): 1}


def test_attributes_that_are_no_mapping_are_reported_and_not_raised(stock, fills, seconds):
    fills.add(1, "venue")
    seconds.record(1, 5)
    assert stock.metrics() == {}
    assert {component for component, _ in faults.errors} == {"record"}


def test_nothing_is_recorded_and_nothing_fails_without_a_provider(fills, funding, seconds):
    fills.add(1)
    funding.bind({"venue": "x"}).add(1)
    seconds.bind().record(1)
    assert not faults.errors
    assert not faults.dropped


def test_a_bound_series_records_wherever_its_instrument_goes(following, meter, fills):
    bound, first, second, cells = fills.bind({"venue": "x"}), Stock(), Stock(), Cells(meter)
    bound.add(1)
    attach(following, meter, "application", first)
    bound.add(2)
    attach(following, meter, "idle")
    bound.add(4)
    attach(following, meter, "core", cells)
    bound.add(16)
    assert cells.value(FILLS.name) == 16.0
    attach(following, meter, "application", second)
    bound.add(8)
    assert (first.value(FILLS.name), second.value(FILLS.name)) == (2.0, 8.0)


def test_a_counter_that_is_observed_reads_its_callbacks(stock, fills):
    stops = [
        fills.observe(lambda: 3, {"venue": "a"}),
        fills.observe(lambda: [(Decimal("1.5"), {"side": "buy"}), (2, None)], {"venue": "b"}),
        fills.observe(lambda: None, {"venue": "c"}),
        fills.observe(lambda: iter([(1, {"venue": "a"})])),
    ]
    assert stock.values(FILLS.name) == {
        (("venue", "a"),): 4.0,
        (("side", "buy"), ("venue", "b")): 1.5,
        (("venue", "b"),): 2.0,
    }
    for stop in stops:
        stop()
        stop()
    assert stock.values(FILLS.name) == {}


def test_a_callback_that_fails_costs_its_own_series_only(stock, fills):
    fills.observe(lambda: 1 / 0, {"venue": "broken"})
    fills.observe(lambda: 5, {"venue": "sound"})
    for _ in range(2):
        assert stock.values(FILLS.name) == {(("venue", "sound"),): 5.0}
    assert dict(faults.errors) == {("observe", "ZeroDivisionError"): 2}


def test_a_callback_that_asks_for_a_task_that_was_cancelled_costs_its_own_series_only(stock, fills):
    """What it raises is no `Exception`."""

    async def cancelled():
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await asyncio.wait([task])
        return task

    fills.observe(asyncio.run(cancelled()).result, {"venue": "broken"})
    fills.observe(lambda: 5, {"venue": "sound"})
    assert stock.values(FILLS.name) == {(("venue", "sound"),): 5.0}
    assert dict(faults.errors) == {("observe", "CancelledError"): 1}


@pytest.mark.parametrize(
    ("result", "reason"), [("5", "not_a_number"), (math.nan, "non_finite"), (-1, "negative"), ([(-1, {})], "negative")]
)
def test_what_a_callback_returns_is_checked_as_what_is_recorded(stock, fills, result, reason):
    fills.observe(lambda: result)
    assert stock.value(FILLS.name) is None
    assert dict(faults.dropped) == {reason: 1}


@pytest.mark.parametrize("kind", ["counter", "up_down_counter", "gauge"])
def test_declared_twice_the_first_callbacks_count_and_after_a_new_configuration_the_last(following, meter, stock, kind, caplog):
    """The first, as with the stock SDK; the last, as the objects of a run before are of no use any more."""

    def declare(value, venue):
        return getattr(meter, f"create_observable_{kind}")("my.metric", [lambda _: [Observation(value, {"venue": venue})]])

    assert declare(5, "a") is declare(7, "b")
    assert stock.values("my.metric") == {(("venue", "a"),): 5}
    assert [record.getMessage() for record in caplog.records] == [
        "observable instrument my.metric is declared twice: the first one counts"
    ]
    following.attach(stock.provider)
    assert stock.values("my.metric") == {(("venue", "a"),): 5}
    declare(9, "c")
    assert stock.values("my.metric") == {(("venue", "c"),): 9}


def test_a_callback_that_is_a_generator_may_come_to_its_end(stock, meter):
    """Then it has nothing to say, as with the stock SDK."""

    def seen():
        yield []
        yield [Observation(5)]

    meter.create_observable_gauge("my.metric", [seen()])
    assert [stock.values("my.metric") for _ in range(3)] == [{(): 5}, {}, {}]
    assert not faults.errors


def test_a_counter_whose_callbacks_have_stopped_can_be_observed_again(stock, fills):
    """An account ends and another begins; the application's provider keeps the observable instrument all the while."""
    fills.observe(lambda: 3)()
    assert stock.values(FILLS.name) == {}
    fills.observe(lambda: 5)
    assert stock.value(FILLS.name) == 5.0


def test_a_counter_is_added_to_or_observed_but_never_both(stock, fills, funding):
    fills.add(1)
    with pytest.raises(ConfigurationError, match=r"trading\.test\.fills is already recorded by this program"):
        fills.observe(lambda: 1)
    funding.observe(lambda: -7)
    funding.add(1)
    assert (stock.value(FILLS.name), stock.value(FUNDING.name)) == (1.0, -7.0)
    assert dict(faults.dropped) == {"observed": 1}


def test_a_histogram_cannot_be_observed(seconds):
    with pytest.raises(
        ConfigurationError, match=r"trading\.test\.duration is a histogram: it can be recorded but not observed"
    ):
        seconds.observe(lambda: 1)


def test_an_asynchronous_callback_is_refused(fills):
    """OpenTelemetry would never await it, and say nothing."""

    async def poll() -> float:
        return 1.0

    with pytest.raises(ConfigurationError, match="asynchronous"):
        fills.observe(poll)


def test_attributes_that_are_no_mapping_are_refused_where_a_series_is_declared_and_dropped_where_it_is_recorded(seconds, stock):
    with pytest.raises(ConfigurationError, match="a mapping of names to values, not 'kraken'"):
        seconds.bind("kraken")
    seconds.record(1.0, "kraken")
    assert stock.value(SECONDS.name) is None
    assert dict(faults.errors) == {("record", "ConfigurationError"): 1}
