"""No increment is lost, whatever the interpreter does between threads."""

import sys
import threading

import pytest

from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.routes import _LockedCounter, _LockedHistogram, _LockedUpDownCounter

THREADS = 4
CALLS = 20_000


@pytest.fixture
def switching_all_the_time():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def everywhere(work):
    barrier = threading.Barrier(THREADS)

    def run():
        barrier.wait()
        work()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def meter():
    meter = CoreMeter(DelegatingMeterProvider(), "stress")
    meter.attach("core", {}, Limits())
    return meter


@pytest.mark.usefixtures("switching_all_the_time")
def test_a_counter_loses_no_increment(meter):
    counter = meter.create_counter("c").bind({"venue": "v"})
    everywhere(lambda: [counter.add(1) for _ in range(CALLS)])
    assert counter.value == THREADS * CALLS


@pytest.mark.usefixtures("switching_all_the_time")
@pytest.mark.parametrize("amount", [1, 0.5, True], ids=repr)
@pytest.mark.parametrize("of", [None, _LockedCounter, _LockedUpDownCounter], ids=lambda of: of and of.__name__)
def test_a_sum_loses_no_increment_of_any_kind(meter, of, amount):
    """On its own, and as it is on a build without a global interpreter lock; `True` is one that is converted first."""
    make = meter.create_counter if of is _LockedCounter else meter.create_up_down_counter
    bound = make("c").bind()
    if of is not None:
        bound.__class__ = of
    everywhere(lambda: [bound.add(amount) for _ in range(CALLS // 4)])
    assert bound.value == THREADS * (CALLS // 4) * amount


@pytest.mark.usefixtures("switching_all_the_time")
def test_a_locked_histogram_loses_no_measurement(meter):
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1.0, 2.0]).bind()
    histogram.__class__ = _LockedHistogram
    everywhere(lambda: [histogram.record(i % 4) for i in range(CALLS // 4)])
    assert histogram.counts.tolist() == [THREADS * CALLS // 8, THREADS * CALLS // 16, THREADS * CALLS // 16]
    assert (histogram.sum, histogram.min, histogram.max) == (THREADS * CALLS // 16 * (0 + 1 + 2 + 3), 0, 3)


@pytest.mark.usefixtures("switching_all_the_time")
def test_a_gauge_is_what_one_of_the_threads_set_last(meter):
    gauge, turn = meter.create_gauge("g").bind(), iter(range(THREADS))

    def work():
        mine = next(turn)
        for value in range(CALLS // 4):
            gauge.set(value)
        gauge.set(-1 - mine)

    everywhere(work)
    assert gauge.value in {*range(-THREADS, 0)}


@pytest.mark.usefixtures("switching_all_the_time")
def test_a_histogram_loses_no_measurement(meter):
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1.0, 2.0]).bind()
    everywhere(lambda: [histogram.record(float(i % 3)) for i in range(CALLS)])
    per_value = THREADS * CALLS // 3
    assert sum(histogram.counts) == THREADS * CALLS
    assert histogram.sum == sum(float(i % 3) for i in range(CALLS)) * THREADS
    assert abs(histogram.counts[1] - per_value) <= THREADS


@pytest.mark.usefixtures("switching_all_the_time")
def test_series_that_begin_in_many_threads_at_once_are_each_one_series(meter):
    counter = meter.create_counter("c")
    everywhere(lambda: [counter.add(1, {"n": i % 50}) for i in range(CALLS // 10)])
    points = counter.points("reader")
    assert len(points) == 50
    assert sum(cell.value for cell in points) == THREADS * (CALLS // 10)


@pytest.mark.usefixtures("switching_all_the_time")
def test_a_collection_beside_recording_never_sees_a_count_go_down(meter):
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1.0]).bind()
    seen = []
    done = threading.Event()

    def collect():
        while not done.is_set():
            seen.append(sum(histogram.counts))

    collector = threading.Thread(target=collect)
    collector.start()
    everywhere(lambda: [histogram.record(0.5) for _ in range(CALLS)])
    done.set()
    collector.join()
    assert seen == sorted(seen)
    assert sum(histogram.counts) == THREADS * CALLS
