"""Nothing is lost or doubled when threads record, declare, collect and swap providers at once (a tiny switch interval)."""

from __future__ import annotations

import itertools

import pytest
from opentelemetry.metrics import Observation

from otel_trading.metrics import faults
from otel_trading.semconv.spec import Metric
from tests.unit.metrics.conftest import Stock
from tests.unit.metrics.core.conftest import at_once, gauge, histogram, summed

pytestmark = pytest.mark.usefixtures("tiny_switch_interval")
THREADS, ROUNDS = 8, 300
JOBS = Metric("trading.test.jobs", "counter", "1", "Jobs.")
SECONDS = Metric("trading.test.seconds", "histogram", "s", "Seconds.", bounds=(1.0,))
SIZE = Metric("trading.test.sizes", "gauge", "1", "Sizes.", ends_at_zero=True)


def test_no_measurement_is_lost_while_somebody_collects(stock, meter):
    jobs, seconds = summed(meter, JOBS), histogram(meter, SECONDS)
    bound = seconds.bind({"k": "v"})

    def record():
        for _ in range(ROUNDS):
            jobs.add(1, {"k": "v"})
            bound.record(0.5)

    def collect():
        for _ in range(20):
            stock.metrics(reader="a")

    at_once(*[record] * THREADS, collect)
    assert stock.value(JOBS.name) == THREADS * ROUNDS
    assert stock.value(SECONDS.name) == (THREADS * ROUNDS, THREADS * ROUNDS * 0.5)
    assert not faults.errors


def test_series_come_and_go_while_somebody_collects(stock, meter):
    sizes = gauge(meter, SIZE)

    def trade(symbol):
        for round_ in range(ROUNDS):
            sizes.set(round_, {"symbol": symbol})
            if round_ % 3 == 0:
                sizes.remove({"symbol": symbol})
        sizes.set(7, {"symbol": symbol})

    def watch():
        for _ in range(30):
            sizes.observe(lambda: 1, {"symbol": "observed"})()
            stock.metrics(reader="a")

    at_once(*[lambda symbol=str(number): trade(symbol) for number in range(THREADS)], watch)
    assert set(stock.values(SIZE.name, reader="b").values()) == {7.0}
    assert not faults.errors


def test_providers_are_swapped_while_instruments_are_made_and_used(following):
    """As when a bot shuts down and configures itself again while its threads go on."""
    stocks, names = [Stock() for _ in range(30)], itertools.count()

    def swap():
        for stock in stocks:
            following.attach(stock.provider, settle=lambda: None)
            following.settle()
            stock.metrics()
            following.attach(None)

    def use():
        for _ in range(60):
            name = f"their.{next(names)}"
            meter = following.get_meter("their")
            meter.create_observable_gauge(name, [lambda _: [Observation(1)]])
            meter.create_counter(f"{name}.count").add(1)
            meter.create_histogram("their.shared").record(1)

    at_once(swap, *[use] * 4)
    last = Stock()
    following.attach(last.provider)
    assert len([name for name in last.metrics() if not name.endswith(".count")]) == 240
    assert not faults.errors


def test_a_counter_is_either_recorded_or_observed_however_close_the_race(meter, stock):
    for number in range(50):
        counter = summed(meter, Metric(f"trading.test.race{number}", "counter", "1", ""))
        outcomes = []

        def observe(counter=counter, outcomes=outcomes):
            try:
                counter.observe(lambda: 100)
            except ValueError:
                outcomes.append("recorded")
            else:
                outcomes.append("observed")

        at_once(lambda counter=counter: counter.add(1), observe)
        assert stock.value(counter.metric.name) == {"recorded": 1.0, "observed": 100.0}[outcomes[0]]
