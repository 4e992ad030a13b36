"""A metric has no more series than its limit: what comes beyond is summed in one, counted, and said once."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from otel_trading.metrics import catalog, faults
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric
from tests.harness import find, one, scrape
from tests.routes import ROUTES
from tests.unit.metrics.conftest import Stock
from tests.unit.metrics.core.conftest import Cells, attach, gauge, histogram, summed

FILLS = Metric("trading.test.fills", "counter", "{fill}", "Fills.", ("symbol",))
FUNDING = Metric("trading.test.funding", "updowncounter", "{currency}", "Funding.", ("symbol",))
SECONDS = Metric("trading.test.duration", "histogram", "s", "Durations.", ("symbol",), bounds=(1.0,))
PRICE = Metric("trading.test.price", "gauge", "{currency}", "Price.", ("symbol",))
SYMBOLS = ("A", "B", "C", "D", "E")
LIMIT = 3
"""Two symbols, and the rest."""


def at(symbol):
    return {"symbol": symbol}


def by_symbol(stock, metric):
    found = {dict(key).get("symbol", dict(key).get("otel.metric.overflow")): v for key, v in stock.values(metric.name).items()}
    assert len(found) <= LIMIT
    return found


@pytest.fixture(params=ROUTES)
def stock(request, following, meter):
    stock = Cells(meter) if request.param == "core" else Stock()
    following.attach(stock.provider)
    meter.attach(request.param, {}, Limits(LIMIT))
    yield stock
    attach(following, meter, "idle")
    stock.provider.shutdown()


def test_what_is_beyond_the_limit_of_a_sum_is_summed(stock, meter):
    fills, funding = summed(meter, FILLS), summed(meter, FUNDING)
    for amount, symbol in enumerate(SYMBOLS, 1):
        fills.add(amount, at(symbol))
        funding.bind(at(symbol)).add(-amount)
    assert by_symbol(stock, FILLS) == {"A": 1, "B": 2, "true": 3 + 4 + 5}
    assert by_symbol(stock, FUNDING) == {"A": -1, "B": -2, "true": -(3 + 4 + 5)}


def test_what_is_beyond_the_limit_of_a_histogram_is_summed(stock, meter):
    seconds = histogram(meter, SECONDS)
    for amount, symbol in enumerate(SYMBOLS):
        seconds.record(amount, at(symbol))
    assert by_symbol(stock, SECONDS) == {"A": (1, 0), "B": (1, 1), "true": (3, 2 + 3 + 4)}


def test_what_is_beyond_the_limit_of_a_gauge_is_one_series(stock, meter):
    """Set, it is the last value: what is beyond is not known one by one, and so cannot be summed."""
    price = gauge(meter, PRICE)
    for amount, symbol in enumerate(SYMBOLS):
        price.set(amount, at(symbol))
    assert by_symbol(stock, PRICE) == {"A": 0, "B": 1, "true": 4}


def test_what_is_observed_beyond_the_limit_is_summed(stock, meter):
    """Observed, all of it is known at once; looking twice does not count it twice."""
    for instrument in (gauge(meter, PRICE), summed(meter, FILLS)):
        instrument.observe(lambda: [(amount, at(symbol)) for amount, symbol in enumerate(SYMBOLS)])
        for _ in range(2):
            assert by_symbol(stock, instrument.metric) == {"A": 0, "B": 1, "true": 2 + 3 + 4}


def test_what_is_observed_beyond_the_limit_is_owed_to_a_delta_reader_once(meter):
    """The sum ends with the last series that is beyond, and begins again with the next one."""
    meter.attach("core", {}, Limits(LIMIT))
    seen = {}
    summed(meter, FILLS).observe(lambda: [(count, at(symbol)) for symbol, count in seen.items()])
    reader = Producer(lambda: [meter], "reader", frozenset({"counter"}))
    deltas = []
    for count, symbols in ((10, SYMBOLS), (11, SYMBOLS), (11, SYMBOLS), (12, SYMBOLS[:1]), (12, SYMBOLS)):
        seen = dict.fromkeys(symbols, count)
        found = _points(metric for scope in reader.produce() for metric in scope.metrics)
        deltas.append(found.get((FILLS.name, "true")))
    assert deltas == [[30], [3], [0], None, [36]]


def test_each_measurement_beyond_the_limit_is_counted_and_said_once_for_each_metric(stock, meter, caplog):
    fills, seconds = summed(meter, FILLS), histogram(meter, SECONDS)
    with caplog.at_level(logging.WARNING, "otel_trading"):
        for symbol in SYMBOLS:
            fills.add(1, at(symbol))
        for _ in range(2):
            fills.add(1, at("E"))
        for symbol in SYMBOLS:
            seconds.record(1, at(symbol))
        fills.add(1, at("A"))
    assert dict(faults.dropped) == {"cardinality_limit": 3 + 2 + 3}
    assert [record.getMessage() for record in caplog.records] == [
        f"otel_trading: {name} has more than 3 series: what comes beyond is summed under otel.metric.overflow"
        for name in (FILLS.name, SECONDS.name)
    ]
    assert by_symbol(stock, FILLS) == {"A": 2, "B": 1, "true": 5}


@pytest.mark.parametrize("stock", ["core"], indirect=True)
def test_a_series_that_is_removed_makes_room_again(stock, meter):
    """On an application's provider, too, but its stock instruments go on showing what they had."""
    fills, price = summed(meter, FILLS), gauge(meter, PRICE)
    for symbol in SYMBOLS[:3]:
        fills.add(1, at(symbol))
        price.set(1, at(symbol))
    fills.remove(at("A"))
    price.bind(at("A")).remove()
    for instrument in (fills.add, price.set):
        instrument(7, at("D"))
    assert by_symbol(stock, FILLS) == {"B": 1, "D": 7, "true": 1}
    assert by_symbol(stock, PRICE) == {"B": 1, "D": 7, "true": 1}


@pytest.mark.parametrize("stock", ["core"], indirect=True)
def test_a_handle_that_is_used_again_finds_no_room_that_others_took(stock, meter):
    """The limit holds, and nothing is lost: the handle records in the sum of what is beyond it."""
    fills = summed(meter, FILLS)
    first = fills.bind(at("A"))
    first.add(1)
    fills.add(1, at("B"))
    first.remove()
    fills.add(1, at("C"))
    for _ in range(2):
        first.add(10)
    assert by_symbol(stock, FILLS) == {"B": 1, "C": 1, "true": 20}
    assert dict(faults.dropped) == {"cardinality_limit": 2}


def test_a_handle_beyond_the_limit_does_not_end_the_sum_of_all_that_is(stock, meter):
    fills, seconds = summed(meter, FILLS), histogram(meter, SECONDS)
    for symbol in SYMBOLS:
        fills.add(1, at(symbol))
        seconds.record(1, at(symbol))
    fills.bind(at("E")).remove()
    fills.remove(at("E"))
    seconds.bind(at("E")).remove()
    assert by_symbol(stock, FILLS) == {"A": 1, "B": 1, "true": 3}
    assert by_symbol(stock, SECONDS) == {"A": (1, 1), "B": (1, 1), "true": (3, 3)}


@pytest.mark.parametrize("route", ROUTES)
def test_a_metric_has_the_limit_of_its_name_before_that_of_all(following, meter, route):
    stock = Cells(meter) if route == "core" else Stock()
    following.attach(stock.provider)
    meter.attach(route, {}, Limits(LIMIT, {FUNDING.name: 2, SECONDS.name: 100}))
    fills, funding, seconds = summed(meter, FILLS), summed(meter, FUNDING), histogram(meter, SECONDS)
    for symbol in SYMBOLS:
        fills.add(1, at(symbol))
        funding.add(1, at(symbol))
        seconds.record(1, at(symbol))
    assert [len(stock.values(metric.name)) for metric in (FILLS, FUNDING, SECONDS)] == [3, 2, 5]
    assert set(stock.values(FUNDING.name).values()) == {1, 4}


def test_the_settings_give_the_limits_and_the_endpoint_says_what_was_dropped(configured):
    fills, jobs = Metric("my.limit.fills", "counter", "1", ""), Metric("my.limit.jobs", "counter", "1", "")
    with configured(cardinality_limit=4, cardinality_limits={jobs.name: 2}) as telemetry:
        for symbol in SYMBOLS:
            catalog.counter(fills).add(1, at(symbol))
            catalog.counter(jobs).add(1, at(symbol))
        samples = scrape(telemetry.endpoint_url)
    for name, single, rest in (("my_limit_fills_total", 3, 2), ("my_limit_jobs_total", 1, 4)):
        found = find(samples, name)
        assert sorted(sample.value for sample in found) == [*[1] * single, rest]
        assert [s.value for s in found if s.labels.get("otel_metric_overflow") == "true"] == [rest]
    assert one(samples, "trading_sdk_dropped_total", trading_sdk_drop_reason="cardinality_limit") == 2 + 4


STEPS = st.lists(
    st.tuples(st.sampled_from(["counter", "updown", "histogram", "gauge"]), st.integers(0, 9), st.sampled_from(SYMBOLS)),
    max_size=40,
)


@given(STEPS, st.integers(2, 6))
def test_nothing_but_the_overflow_differs_from_the_stock_sdk(steps, limit):
    """Series below the limit are those of an SDK that has none; the overflow is the sum of its others."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    ours = CoreMeter(DelegatingMeterProvider(), "program")
    ours.attach("core", {}, Limits(limit))
    kept: dict[str, list[str]] = {"counter": [], "updown": [], "histogram": [], "gauge": []}
    last = None
    programs = []
    for meter in (ours, provider.get_meter("program")):
        histogram = meter.create_histogram("histogram", explicit_bucket_boundaries_advisory=[2.0, 5.0])
        counter, updown = meter.create_counter("counter"), meter.create_up_down_counter("updown")
        programs.append(
            {
                "counter": counter.add,
                "updown": updown.add,
                "histogram": histogram.record,
                "gauge": meter.create_gauge("gauge").set,
            }
        )
    for kind, value, symbol in steps:
        if symbol not in kept[kind] and len(kept[kind]) < limit - 1:
            kept[kind].append(symbol)
        if kind == "gauge" and symbol not in kept[kind]:
            last = value
        for program in programs:
            program[kind](value, at(symbol))
    data = reader.get_metrics_data()
    stock = _points(data.resource_metrics[0].scope_metrics[0].metrics) if data else {}
    found = _points(metric for scope in Producer(lambda: [ours], "reader").produce() for metric in scope.metrics)
    provider.shutdown()
    expected: dict[tuple[str, str], list[float]] = {}
    for (kind, symbol), numbers in stock.items():
        key = (kind, symbol if symbol in kept[kind] else "true")
        expected[key] = [a + b for a, b in zip(expected.get(key, [0] * len(numbers)), numbers, strict=True)]
    if last is not None:
        expected["gauge", "true"] = [last]
    assert found == expected


def _points(metrics):
    return {
        (metric.name, next(iter(point.attributes.values()))): (
            [point.count, point.sum, *point.bucket_counts] if isinstance(point, HistogramDataPoint) else [point.value]
        )
        for metric in metrics
        for point in metric.data.data_points
    }
