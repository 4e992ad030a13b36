"""The data points that are handed to the SDK's exporters are the SDK's own, whole."""

from opentelemetry.sdk.metrics.export import NumberDataPoint
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from otel_trading.metrics import exemplars
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric
from tests.unit.metrics.core.conftest import gauge, summed

SIZE = Metric("bot.size", "gauge", "", "Sizes.")
ORDERS = Metric("bot.orders", "counter", "", "Orders.")


def test_a_point_of_ours_is_one_of_the_sdks(meter):
    """Made without its `__init__`, it has every field that this version of the SDK gives it."""
    size, orders = gauge(meter, SIZE), summed(meter, ORDERS)
    meter.attach("core", {}, Limits())
    producer = Producer(lambda: [meter], "reader", clock=lambda: 5)
    size.set(2.5, {"symbol": "A"})
    orders.add(3, {"symbol": "B"})
    found = {metric.name: metric.data.data_points for scope in producer.produce() for metric in scope.metrics}
    assert found == {
        "bot.size": [NumberDataPoint({"symbol": "A"}, None, 5, 2.5)],
        "bot.orders": [NumberDataPoint({"symbol": "B"}, 5, 5, 3)],
    }


def test_a_delta_has_the_exemplars_of_its_interval(meter, monkeypatch):
    """OTLP: those of the measurements that the data point is made of."""
    now = 100
    monkeypatch.setattr(exemplars, "on", True)
    monkeypatch.setattr("otel_trading.metrics.cells.time.time_ns", lambda: now)
    meter.attach("core", {}, Limits())
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1.0])
    readers = [Producer(lambda: [meter], kinds, kinds, clock=lambda: now) for kinds in (frozenset({"histogram"}), frozenset())]
    found = []
    for value, flags in ((0.5, TraceFlags.SAMPLED), (0.75, TraceFlags.DEFAULT), (1.5, TraceFlags.SAMPLED)):
        now += 10
        with use_span(NonRecordingSpan(SpanContext(7, 9, is_remote=False, trace_flags=TraceFlags(flags)))):
            histogram.record(value)
        now += 10
        scopes = [scope for reader in readers for scope in reader.produce()]
        points = [point for scope in scopes for metric in scope.metrics for point in metric.data.data_points]
        found.append(tuple([exemplar.value for exemplar in point.exemplars] for point in points))
    assert found == [([0.5], [0.5]), ([], [0.5]), ([1.5], [0.5, 1.5])]


def test_times_do_not_go_back_where_the_clock_does(meter):
    """A Collector drops points that are older than what it has, and takes no interval that ends before it begins."""
    clock = iter([100, 200, 150, 250])
    jobs = meter.create_counter("jobs")
    meter.attach("core", {}, Limits())
    producer = Producer(lambda: [meter], "reader", frozenset({"counter"}), clock=lambda: next(clock))
    found = []
    for _ in range(3):
        jobs.add(1)
        ((point,),) = (metric.data.data_points for scope in producer.produce() for metric in scope.metrics)
        found.append((point.start_time_unix_nano, point.time_unix_nano, point.value))
    assert found == [(100, 200, 1), (200, 200, 1), (200, 250, 1)]
