"""A meter of ours for each test, on either route, and a reader that shows what was recorded."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable, Iterator

import pytest
from opentelemetry.sdk.metrics.export import Metric as Collected

from otel_trading.metrics import Gauge, Histogram, Sum
from otel_trading.metrics.collection import collecting
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreGauge, CoreHistogram, CoreMeter, Counter, UpDownCounter
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric
from tests.routes import ROUTES
from tests.unit.metrics.conftest import Stock


class Cells(Stock):
    """The same readings, of our own cells."""

    def __init__(self, meter: CoreMeter) -> None:
        super().__init__()
        self._meter = meter
        self._producers: dict[Hashable, Producer] = {}

    def metrics(self, *, reader: object = None) -> dict[str, Collected]:
        producer = self._producers.setdefault(reader, Producer(lambda: [self._meter], reader))
        with collecting(reader):
            return {metric.name: metric for scope in producer.produce() for metric in scope.metrics}


@pytest.fixture
def meter(following: DelegatingMeterProvider) -> CoreMeter:
    return CoreMeter(following, "test")


@pytest.fixture(params=ROUTES)
def stock(request: pytest.FixtureRequest, following: DelegatingMeterProvider, meter: CoreMeter) -> Iterator[Stock]:
    """What `meter` records to, which a test may attach again by `attach`."""
    stock = Stock() if request.param == "application" else Cells(meter)
    attach(following, meter, request.param, stock)
    yield stock
    attach(following, meter, "idle")
    stock.provider.shutdown()


def attach(following: DelegatingMeterProvider, meter: CoreMeter, route, stock: Stock | None = None) -> None:
    following.attach(stock and stock.provider)
    meter.attach(route, {}, Limits())


def summed(meter: CoreMeter, metric: Metric) -> Sum:
    return meter.declare(Counter if metric.kind == "counter" else UpDownCounter, metric)


def histogram(meter: CoreMeter, metric: Metric) -> Histogram:
    return meter.declare(CoreHistogram, metric)


def gauge(meter: CoreMeter, metric: Metric, clock: Callable[[], float] | None = None) -> Gauge:
    found = meter.declare(CoreGauge, metric)
    found._clock = clock or found._clock
    return found


@pytest.fixture
def tiny_switch_interval() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*jobs: Callable[[], object]) -> None:
    """Run the jobs, each in its own thread, all from the same moment."""
    barrier, failures = threading.Barrier(len(jobs)), []

    def run(job):
        barrier.wait()
        try:
            job()
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    assert not failures
