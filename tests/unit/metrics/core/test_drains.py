"""Readers that collect in the same moment each get everything: counts, extremes and exemplars (a tiny switch interval)."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from otel_trading.metrics import exemplars, faults
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.producer import Producer
from tests.unit.metrics.core.conftest import at_once

pytestmark = pytest.mark.usefixtures("tiny_switch_interval")
DELTAS = frozenset({"counter", "updowncounter", "histogram"})


@pytest.fixture
def meter():
    meter = CoreMeter(DelegatingMeterProvider(), "stress")
    meter.attach("core", {}, Limits())
    return meter


def test_two_delta_readers_and_a_cumulative_one_each_get_the_extremes_of_their_intervals(meter):
    """Between the collections nothing is recorded, so that each interval holds exactly one value."""
    rounds, count = 60, 20
    histograms = [meter.create_histogram(f"h{n}", explicit_bucket_boundaries_advisory=[10.0]).bind() for n in range(count)]
    readers = [Producer(lambda: [meter], name, DELTAS) for name in ("a", "b")] + [Producer(lambda: [meter], "c")]
    found = [[], [], []]
    together = threading.Barrier(len(readers))

    def collect(number):
        for value in range(1, rounds + 1):
            if number == 0:
                for cell in histograms:
                    cell.record(value)
            together.wait(60)
            metrics = [metric for scope in readers[number].produce() for metric in scope.metrics]
            ((n, low, high),) = {(p.count, p.min, p.max) for metric in metrics for p in metric.data.data_points}
            found[number].append((len(metrics), n, low, high))
            together.wait(60)

    at_once(*[lambda number=number: collect(number) for number in range(len(readers))])
    assert found[0] == found[1] == [(count, 1, value, value) for value in range(1, rounds + 1)]
    assert found[2] == [(count, value, 1, value) for value in range(1, rounds + 1)]


@pytest.mark.parametrize("kinds", [frozenset(), DELTAS], ids=["cumulative", "delta"])
def test_count_and_sum_are_of_the_same_values_while_others_record(meter, kinds):
    """Each value is 1, so that the two are equal; a delta whose values were in no bucket yet would be lost."""
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[10.0]).bind()
    reader = Producer(lambda: [meter], "a", kinds)
    found, counts, done = [], [], threading.Event()

    def collect():
        for scope in reader.produce():
            found.extend((point.count, point.sum) for metric in scope.metrics for point in metric.data.data_points)

    def record():
        count = 0
        while not done.is_set():
            histogram.record(1.0)
            count += 1
        counts.append(count)

    def collect_often():
        for _ in range(1000):
            collect()
        done.set()

    at_once(record, record, record, collect_often)
    collect()
    assert [(count, total) for count, total in found if count != total] == []
    assert (sum(count for count, _ in found) if kinds else found[-1][0]) == sum(counts)


def test_what_is_recorded_while_two_delta_readers_collect_is_in_the_deltas_of_both(meter):
    """By bound handles and by attributes, by every instrument that adds up."""
    threads, rounds = 4, 400
    counter, updown = meter.create_counter("c"), meter.create_up_down_counter("u")
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1.0])
    bound = (counter.bind(), updown.bind(), histogram.bind())
    readers = [Producer(lambda: [meter], name, DELTAS) for name in ("a", "b")]
    found = [{"c": 0, "u": 0, "h": (0, 0.0)} for _ in readers]

    def record(number):
        for turn in range(rounds):
            if turn % 2:
                bound[0].add(1)
                bound[1].add(-1)
                bound[2].record(float(number))
            else:
                counter.add(1)
                updown.add(-1)
                histogram.record(float(number))

    def collect(number):
        so_far = found[number]
        for scope in readers[number].produce():
            for metric in scope.metrics:
                (point,) = metric.data.data_points
                if metric.name == "h":
                    count, total = so_far["h"]
                    so_far["h"] = (count + point.count, total + point.sum)
                else:
                    so_far[metric.name] += point.value

    at_once(
        *[lambda number=number: record(number) for number in range(threads)],
        *[lambda number=number: [collect(number) for _ in range(40)] for number in range(len(readers))],
    )
    for number in range(len(readers)):
        collect(number)
    everything = threads * rounds
    assert found == [{"c": everything, "u": -everything, "h": (everything, rounds * (0.0 + 1 + 2 + 3))}] * 2
    assert not faults.errors


def test_a_handle_that_many_threads_use_again_at_once_loses_nothing(meter):
    handles = [meter.create_counter("c").bind({"n": n}) for n in range(300)]
    for handle in handles:
        handle.add(5)
        handle.remove()
    at_once(*[lambda: [handle.add(1) for handle in handles]] * 4)
    assert [handle.value for handle in handles] == [4] * len(handles)


def test_each_bucket_keeps_the_span_of_its_last_value_while_others_begin_and_somebody_collects(meter, monkeypatch):
    monkeypatch.setattr(exemplars, "on", True)
    bounds, count = [1.0, 2.0, 3.0], 150
    cells = [meter.create_histogram(f"h{n}", explicit_bucket_boundaries_advisory=bounds).bind() for n in range(count)]
    reader = Producer(lambda: [meter], "reader")

    def record(number):
        context = SpanContext(trace_id=7, span_id=number + 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        with use_span(NonRecordingSpan(context)):
            for cell in cells:
                cell.record(number + 0.5)

    at_once(*[lambda number=number: record(number) for number in range(4)], lambda: [reader.produce() for _ in range(20)])
    expected = {(number + 0.5, number + 1, 7) for number in range(4)}
    points = [point for metric in reader.produce()[0].metrics for point in metric.data.data_points]
    found = [{(kept.value, kept.span_id, kept.trace_id) for kept in point.exemplars} for point in points]
    assert found == [expected] * count
    assert not faults.errors
