"""What is pushed goes out in parts: none too large for a request, none encoded in one go, and nothing lost in between."""

from __future__ import annotations

import gc

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.producer import Producer
from otel_trading.pipeline import merging


def points(count):
    return [NumberDataPoint({"place": str(place)}, 1, 2, float(place)) for place in range(count)]


def data_of(*metrics):
    scope = ScopeMetrics(InstrumentationScope("bot"), list(metrics), "")
    return MetricsData([ResourceMetrics(Resource({"service.name": "bot"}), [scope], "")])


def values(message):
    found = []
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                found.extend((metric.name, point.as_double) for point in getattr(metric, kind).data_points)
    return found


@pytest.mark.parametrize("count", [1, 2_500, 2_501, 6_000])
def test_every_point_is_in_one_of_the_parts(count):
    data = data_of(
        Metric("size", "", "", Gauge(points(count))),
        Metric("orders", "", "", Sum(points(7), AggregationTemporality.CUMULATIVE, is_monotonic=True)),
    )
    parts = [values(encode_metrics(part)) for part in merging.batches(data)]
    assert [pair for part in parts for pair in part] == values(encode_metrics(data))
    assert max(map(len, parts)) <= merging.POINTS_IN_ONE_REQUEST


@pytest.mark.parametrize(
    "data",
    [
        data_of(Metric("size", "", "", Gauge(points(6_000)))),
        data_of(*(Metric(f"size{place}", "", "", Gauge(points(1))) for place in range(6_000))),
    ],
    ids=["one metric", "many metrics"],
)
def test_other_threads_run_while_points_are_encoded(data, monkeypatch):
    """The interpreter is given away before each further hundred of points, and no more often: a busy thread keeps it for long."""
    given_away = []
    monkeypatch.setattr(merging.time, "sleep", given_away.append)
    parts = list(merging.batches(data))
    for part in parts:
        encode_metrics(part)
    assert given_away == [0] * (6_000 // merging.POINTS_IN_ONE_GO - len(parts))


def test_an_export_of_many_series_does_not_set_off_the_garbage_collector():
    """A full collection goes through every object of the bot, and no thread of it runs meanwhile."""
    meter = CoreMeter(DelegatingMeterProvider(), "bot")
    meter.attach("core", {}, Limits())
    gauge, orders, duration = meter.create_gauge("size"), meter.create_counter("orders"), meter.create_histogram("duration")
    for place in range(2_000):
        for record in (gauge.set, orders.add, duration.record):
            record(place + 0.5, {"place": str(place)})
    producer, collected = Producer(lambda: [meter], "reader"), []

    def note(phase, info):
        collected.append((phase, info["generation"]))

    def export():
        resource = ResourceMetrics(Resource({}), producer.produce(), "")
        return sum(len(encode_metrics(part).SerializeToString()) for part in merging.batches(MetricsData([resource])))

    export()  # what is made once is not made again
    gc.collect()
    gc.callbacks.append(note)
    try:
        size = export()
    finally:
        gc.callbacks.remove(note)
    assert size > 6_000
    assert collected == []
