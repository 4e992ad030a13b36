"""A program written against the OpenTelemetry API gives the same collected data on our meter as on the SDK's.

Hypothesis writes the programs: instruments, attributes, measurements and collections in any order, for a cumulative and a
delta reader at once. What differs on purpose is left out of the programs and has tests of its own: values that we convert,
series that are removed, the overflow that we sum, a delta of nothing (the SDK exports a point for `add(0)`), exemplars. A
delta of ours is the difference of two sums, and so exact to the resolution of those.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.metrics import Observation
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader

from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.producer import Producer

DELTA = AggregationTemporality.DELTA
DELTA_KINDS = frozenset({"counter", "histogram"})
PREFERRED = {
    sdk.Counter: DELTA,
    sdk.Histogram: DELTA,
    sdk.ObservableCounter: DELTA,
    sdk.UpDownCounter: AggregationTemporality.CUMULATIVE,
    sdk.ObservableUpDownCounter: AggregationTemporality.CUMULATIVE,
    sdk.ObservableGauge: AggregationTemporality.CUMULATIVE,
}
BOUNDS = (0.5, 1.0, 2.5, 10.0)
ATTRIBUTES = st.dictionaries(st.sampled_from(["venue", "symbol"]), st.sampled_from(["a", "b", 'q"\\\n', "ü"]), max_size=2)
AMOUNTS = st.one_of(st.integers(1, 10**9), st.floats(0.001, 1e9))
SIGNED = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9))
SCALARS = st.dictionaries(st.sampled_from(["a", "b", "c"]), AMOUNTS, max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("counter"), AMOUNTS, ATTRIBUTES),
        st.tuples(st.just("updown"), SIGNED, ATTRIBUTES),
        st.tuples(st.just("histogram"), AMOUNTS, ATTRIBUTES),
        st.tuples(st.just("gauge"), SIGNED, ATTRIBUTES),
        st.tuples(st.just("observed"), SCALARS, st.none()),
        st.tuples(st.just("collect"), st.sampled_from(["cumulative", "delta"]), st.none()),
    ),
    max_size=40,
)


def _repeats() -> bool:
    """Whether this SDK repeats what a gauge was set to; before 1.45 it forgot it with the first collection."""
    reader = InMemoryMetricReader()
    provider = sdk.MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("probe").create_gauge("g").set(1)
    reader.get_metrics_data()
    again = reader.get_metrics_data()
    provider.shutdown()
    return again is not None


COMPARED = {"c", "u", "h", "oc", "ou", "og", *({"g"} if _repeats() else ())}


class Program:
    """The instruments of one meter, and what its observable ones see now."""

    def __init__(self, meter):
        self.totals = {}
        self.seen = {}
        self.counter = meter.create_counter("c", "{x}", "counts")
        self.updown = meter.create_up_down_counter("u", "{x}", "goes up and down")
        self.histogram = meter.create_histogram("h", "s", "spreads", explicit_bucket_boundaries_advisory=BOUNDS)
        self.gauge = meter.create_gauge("g", "s", "is")
        meter.create_observable_counter("oc", [lambda _: self.observe(self.totals)], "s", "is counted")
        meter.create_observable_up_down_counter("ou", [lambda _: self.observe(self.totals)], "s", "is summed")
        meter.create_observable_gauge("og", [lambda _: self.observe(self.seen)], "s", "is seen")

    def observe(self, values):
        return [Observation(value, {"symbol": symbol}) for symbol, value in values.items()]

    def run(self, kind, value, attributes):
        if kind == "observed":
            # What is observed of a counter only grows; what is observed of a gauge may vanish.
            self.seen = value
            self.totals.update({symbol: self.totals.get(symbol, 0) + more for symbol, more in value.items()})
        elif kind == "histogram":
            self.histogram.record(value, attributes)
        elif kind == "gauge":
            self.gauge.set(value, attributes)
        else:
            getattr(self, kind).add(value, attributes)


def points(metrics, near=float):
    """Everything that a collection says, without times; sums to the resolution that a sum of this size has."""
    found = {}
    for metric in (metric for metric in metrics if metric.name in COMPARED):
        for point in metric.data.data_points:
            key = (metric.name, tuple(sorted(point.attributes.items())))
            if hasattr(point, "bucket_counts"):
                value = (
                    *(point.count, near(point.sum), tuple(point.bucket_counts), tuple(point.explicit_bounds)),
                    *(point.min, point.max, metric.data.aggregation_temporality),
                )
            else:
                kind = type(metric.data).__name__
                extra = (metric.data.aggregation_temporality, metric.data.is_monotonic) if kind == "Sum" else ()
                value = (near(point.value), kind, *extra)
            found[key] = (metric.unit, metric.description, *value)
    return found


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-4)


def of_sdk(reader):
    data = reader.get_metrics_data()
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
    return points((metric for scope in scopes for metric in scope.metrics), near)


def of_ours(producer):
    return points(metric for scope in producer.produce() for metric in scope.metrics)


@settings(max_examples=3 * settings().max_examples)
@given(STEPS)
def test_both_meters_collect_the_same_points(steps):
    """Cumulative and delta, for two readers that collect at different moments."""
    readers = {"cumulative": InMemoryMetricReader(), "delta": InMemoryMetricReader(preferred_temporality=PREFERRED)}
    provider = sdk.MeterProvider(list(readers.values()), shutdown_on_exit=False)
    ours = CoreMeter(DelegatingMeterProvider(), "program")
    ours.attach("core", {}, Limits())
    producers = {
        "cumulative": Producer(lambda: [ours], "cumulative"),
        "delta": Producer(lambda: [ours], "delta", DELTA_KINDS),
    }
    programs = [Program(ours), Program(provider.get_meter("program"))]
    for step in [*steps, ("collect", "cumulative", None), ("collect", "delta", None)]:
        if step[0] == "collect":
            assert of_ours(producers[step[1]]) == of_sdk(readers[step[1]])
        else:
            for program in programs:
                program.run(*step)
    provider.shutdown()
