"""A series that is removed is gone, and what is recorded of it later begins at zero, by whatever handle."""

from __future__ import annotations

import pytest

from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric
from tests.unit.metrics.conftest import values
from tests.unit.metrics.core.conftest import gauge, histogram, summed

DELTAS = frozenset({"counter", "updowncounter", "histogram"})
BOTH = (frozenset(), DELTAS)
KINDS = ("counter", "updowncounter", "histogram", "gauge")
BTC = {"symbol": "BTC"}
AT_BTC = (("symbol", "BTC"),)


def metric_of(kind):
    return Metric(f"trading.test.{kind}", kind, "1", "", ("symbol",), bounds=(1.0,) if kind == "histogram" else ())


class Kind:
    """An instrument of one kind, with one name for what is called differently."""

    def __init__(self, meter: CoreMeter, kind: str) -> None:
        self.metric = metric_of(kind)
        self.instrument = {"histogram": histogram, "gauge": gauge}.get(kind, summed)(meter, self.metric)
        self.called = {"histogram": "record", "gauge": "set"}.get(kind, "add")

    def tell(self, value, attributes=BTC):
        getattr(self.instrument, self.called)(value, attributes)

    def by(self, handle, value):
        getattr(handle, self.called)(value)

    def shown(self, value):
        """What a reader gets of a series that `value` was recorded in once."""
        return (1, value) if self.metric.kind == "histogram" else value


@pytest.fixture(params=KINDS)
def kind(request, following):
    meter = CoreMeter(following, "test")
    meter.attach("core", {}, Limits())
    kind = Kind(meter, request.param)
    kind.readers = [Producer(lambda: [meter], str(n), deltas) for n, deltas in enumerate(BOTH)]
    return kind


def collected(kind):
    """What a cumulative and a delta reader get."""
    found = []
    for reader in kind.readers:
        metrics = [metric for scope in reader.produce() for metric in scope.metrics]
        found.append(values(metrics[0]) if metrics else {})
    return found


@pytest.mark.parametrize("by", ["attributes", "handle"])
def test_a_series_that_is_removed_is_gone_and_the_others_stay(kind, by):
    kind.tell(3)
    kind.tell(5, {"symbol": "ETH"})
    if by == "handle":
        kind.instrument.bind(BTC).remove()
    else:
        kind.instrument.remove(BTC)
    assert collected(kind) == [{(("symbol", "ETH"),): kind.shown(5)}] * 2


@pytest.mark.parametrize("collects", [True, False], ids=["collected between", "not collected between"])
@pytest.mark.parametrize("again", ["handle", "attributes"])
def test_a_series_that_is_recorded_again_begins_at_zero(kind, collects, again):
    """For a delta reader, too: it never gets the difference to what was counted in the life before."""
    handle = kind.instrument.bind(BTC)
    kind.by(handle, 5)
    assert collected(kind) == [{AT_BTC: kind.shown(5)}] * 2
    handle.remove()
    if collects:
        assert collected(kind) == [{}, {}]
    for value in (2, 1):
        if again == "handle":
            kind.by(handle, value)
        else:
            kind.tell(value)
        if value == 2:
            assert collected(kind) == [{AT_BTC: kind.shown(2)}] * 2
    after = {"gauge": (1, 1), "histogram": ((2, 3), (1, 1))}.get(kind.metric.kind, (3, 1))
    assert collected(kind) == [{AT_BTC: value} for value in after]


def test_two_handles_of_a_series_that_ended_are_one_series_again(kind):
    """Whichever of them begins it: what is recorded by the one, by the other and by attributes lies in one place."""
    handle = kind.instrument.bind(BTC)
    kind.by(handle, 5)
    handle.remove()
    kind.tell(2)
    other = kind.instrument.bind(BTC)
    for value in (1, 3):
        kind.by(handle, value)
    kind.by(other, 4)
    expected = {"gauge": 4, "histogram": (4, 10)}.get(kind.metric.kind, 10)
    assert collected(kind) == [{AT_BTC: expected}] * 2
    handle.remove()
    assert collected(kind) == [{}, {}]
    kind.by(other, 7)
    kind.by(handle, 7)
    expected = {"gauge": 7, "histogram": (2, 14)}.get(kind.metric.kind, 14)
    assert collected(kind) == [{AT_BTC: expected}] * 2


def test_what_is_not_there_can_be_removed(kind):
    kind.instrument.remove(BTC)
    handle = kind.instrument.bind(BTC)
    for _ in range(3):
        handle.remove()
    assert collected(kind) == [{}, {}]
    kind.by(handle, 1)
    assert collected(kind) == [{AT_BTC: kind.shown(1)}] * 2


def test_final_zeros_come_from_a_handle_as_from_attributes_and_end_where_it_is_used_again(stock, meter):
    size = gauge(meter, Metric("trading.test.size", "gauge", "1", "", ("symbol",), ends_at_zero=True))
    handle = size.bind(BTC)
    handle.set(5)
    readers = ("scrape", "push")

    def shown():
        return [stock.values("trading.test.size", reader=reader).get(AT_BTC) for reader in readers]

    assert shown() == [5, 5]
    handle.remove()
    assert [shown() for _ in range(3)] == [[0, 0], [0, 0], [None, None]]
    handle.set(6)
    assert shown() == [6, 6]
    handle.remove()
    assert shown() == [0, 0]
    handle.set(7)
    assert shown() == [7, 7]
