"""The data points that are handed to the SDK's exporters are the SDK's own, whole."""

from opentelemetry.sdk.metrics.export import NumberDataPoint

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
