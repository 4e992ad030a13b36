"""A handle that was bound once follows its instrument through configure, shutdown and configure again, for every reader."""

from __future__ import annotations

from array import array

import pytest
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader

from otel_trading.metrics import cells
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric
from tests.routes import ROUTES
from tests.unit.metrics.conftest import values
from tests.unit.metrics.core.conftest import attach, gauge, histogram, summed

JOBS = Metric("trading.test.jobs", "counter", "1", "Jobs.")
FUNDING = Metric("trading.test.funding", "updowncounter", "1", "Funding.")
SECONDS = Metric("trading.test.seconds", "histogram", "s", "Seconds.", bounds=(1.0,))
SIZE = Metric("trading.test.sizes", "gauge", "1", "Sizes.")
DELTA = dict.fromkeys((sdk.Counter, sdk.UpDownCounter, sdk.Histogram), AggregationTemporality.DELTA)


class Pipeline:
    """What `configure()` attaches: a cumulative and a delta reader on a route."""

    def __init__(self, following, meter, route):
        self._stock = [InMemoryMetricReader(), InMemoryMetricReader(preferred_temporality=DELTA)]
        self.provider = sdk.MeterProvider(self._stock, shutdown_on_exit=False)
        following.attach(self.provider)
        meter.attach(route, {}, Limits())
        deltas = frozenset({"counter", "updowncounter", "histogram"})
        self._ours = [Producer(lambda: [meter], "cumulative"), Producer(lambda: [meter], "delta", deltas)]
        self._core = route == "core"

    def collect(self):
        """What each reader gets of the one series of each metric, by the metric's last word."""
        return [self._collected(n) for n in range(2)]

    def _collected(self, n):
        if self._core:
            scopes = self._ours[n].produce()
        else:
            data = self._stock[n].get_metrics_data()
            scopes = data.resource_metrics[0].scope_metrics if data and data.resource_metrics else []
        found = [metric for scope in scopes for metric in scope.metrics if metric.data.data_points]
        return {metric.name.rpartition(".")[2]: next(iter(values(metric).values())) for metric in found}


@pytest.fixture
def record(meter):
    """Records by handles that are bound before anything is configured."""
    at = {"venue": "v"}
    jobs, funding = summed(meter, JOBS).bind(at), summed(meter, FUNDING).bind(at)
    seconds, size = histogram(meter, SECONDS).bind(at), gauge(meter, SIZE).bind(at)

    def record(value):
        jobs.add(value)
        funding.add(-value)
        seconds.record(value)
        size.set(value)

    return record


def test_what_is_recorded_while_the_bounds_change_raises_nothing(meter, monkeypatch):
    """As when another thread records while a new configuration is attached, whose buckets are more."""
    meter.attach("core", {SECONDS.name: [1.0]}, Limits())
    bound = histogram(meter, SECONDS).bind()
    bound.record(1)

    def counts(*given):
        bound.record(100.0)  # here another thread may run
        return array(*given)

    monkeypatch.setattr(cells, "array", counts)
    meter.attach("core", {SECONDS.name: [1.0, 2.0, 3.0]}, Limits())
    monkeypatch.undo()
    bound.record(2)
    assert (list(bound.counts), bound.sum) == ([0, 1, 0, 0], 2)


@pytest.mark.parametrize("second", ROUTES)
@pytest.mark.parametrize("first", ROUTES)
def test_each_pipeline_gets_what_was_recorded_while_it_ran(following, meter, record, first, second):
    """What is recorded while nothing runs is lost; a gauge shows the present value, whenever it was set."""
    record(100)
    one = Pipeline(following, meter, first)
    record(2)
    expected = {"jobs": 2, "funding": -2, "seconds": (1, 2), "sizes": 2}
    assert one.collect() == [expected, expected]
    record(3)
    assert one.collect() == [
        {"jobs": 5, "funding": -5, "seconds": (2, 5), "sizes": 3},
        {"jobs": 3, "funding": -3, "seconds": (1, 3), "sizes": 3},
    ]
    attach(following, meter, "idle")
    record(200)
    two = Pipeline(following, meter, second)
    assert two.collect() == [{"sizes": 200}] * 2
    record(7)
    expected = {"jobs": 7, "funding": -7, "seconds": (1, 7), "sizes": 7}
    assert two.collect() == [expected, expected]
    attach(following, meter, "idle")
    for pipeline in (one, two):
        pipeline.provider.shutdown()
