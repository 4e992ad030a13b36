"""Whatever is recorded, by every instrument on both routes: the exact number, or a drop that is counted once by its reason."""

from __future__ import annotations

import enum
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource

from otel_trading.metrics import faults
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric
from tests.routes import ROUTES
from tests.unit.metrics.conftest import Stock
from tests.unit.metrics.core.conftest import Cells, attach, gauge, histogram, summed

np = pytest.importorskip("numpy")


class Level(enum.IntEnum):
    HIGH = 3


class Share(enum.Enum):
    HALF = 0.5
    NAMED = "half"


NUMBERS = {
    "0": (0, 0),
    "0.0": (0.0, 0),
    "-0.0": (-0.0, 0),
    "1": (1, 1),
    "a small float": (5e-324, 5e-324),
    "a large float": (1e308, 1e308),
    "2**53+1": (2**53 + 2, 2**53 + 2),
    "2**63-1": (2**63 - 1, float(2**63 - 1)),
    "2**63": (2**63, 2**63),
    "10**300": (10**300, 1e300),
    "-1": (-1, -1),
    "-2**63": (-(2**63), -(2**63)),
    "-10**300": (-(10**300), -1e300),
    "True": (True, 1),
    "False": (False, 0),
    "Decimal": (Decimal("0.1"), 0.1),
    "Fraction": (Fraction(-1, 4), -0.25),
    "np.float64": (np.float64(1.5), 1.5),
    "np.float32": (np.float32(1.5), 1.5),
    "np.int64": (np.int64(-2), -2),
    "np.uint8": (np.uint8(255), 255),
    "np.bool_": (np.bool_(True), 1),
    "array of no dimension": (np.array(1.5), 1.5),
    "IntEnum": (Level.HIGH, 3),
    "Enum": (Share.HALF, 0.5),
}
DROPPED = {
    "NaN": (math.nan, "non_finite"),
    "inf": (math.inf, "non_finite"),
    "-inf": (-math.inf, "non_finite"),
    "10**400": (10**400, "non_finite"),
    "-10**400": (-(10**400), "non_finite"),
    "Decimal NaN": (Decimal("NaN"), "non_finite"),
    "Decimal 1e400": (Decimal("1e400"), "non_finite"),
    "np.nan": (np.float64("nan"), "non_finite"),
    "None": (None, "not_a_number"),
    "text": ("1", "not_a_number"),
    "bytes": (b"1", "not_a_number"),
    "list": ([1], "not_a_number"),
    "object": (object(), "not_a_number"),
    "complex": (1j, "not_a_number"),
    "array": (np.array([1.0, 2.0]), "not_a_number"),
    "array of one": (np.array([1.0]), "not_a_number"),
    "Enum of text": (Share.NAMED, "not_a_number"),
    "class": (int, "not_a_number"),
}
KINDS = ("counter", "updowncounter", "histogram", "gauge")
UNSIGNED = {"counter", "histogram"}


class Recorder:
    """An instrument of one kind, recorded by its handle or by attributes."""

    def __init__(self, meter, kind, bound):
        self.kind = kind
        self.metric = Metric(f"trading.test.{kind}", kind, "1", "", bounds=(1.0,) if kind == "histogram" else ())
        instrument = {"histogram": histogram, "gauge": gauge}.get(kind, summed)(meter, self.metric)
        self.record = getattr(
            instrument.bind() if bound else instrument, {"histogram": "record", "gauge": "set"}.get(kind, "add")
        )


@pytest.fixture(params=[(kind, bound) for kind in KINDS for bound in (True, False)], ids=lambda p: f"{p[0]}-{p[1]}")
def recorder(request, meter):
    return Recorder(meter, *request.param)


def shown(stock, recorder):
    found = stock.value(recorder.metric.name)
    return found if recorder.kind != "histogram" or found is None else found[1]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_recorded_as_it_is(stock, recorder, name):
    """And a next one on top of it, whatever kinds the two are of."""
    value, expected = NUMBERS[name]
    recorder.record(value)
    if expected < 0 and recorder.kind in UNSIGNED:
        assert stock.metrics() == {}
        assert dict(faults.dropped) == {"negative": 1}
        expected = 0
    else:
        assert float(shown(stock, recorder)) == expected
        assert not faults.dropped
    recorder.record(0.5)
    recorder.record(2)
    assert shown(stock, recorder) == (2 if recorder.kind == "gauge" else expected + 2.5)
    assert not faults.errors


@pytest.mark.parametrize("name", DROPPED)
def test_what_is_no_finite_number_is_dropped_and_counted_once(stock, recorder, name):
    value, reason = DROPPED[name]
    recorder.record(value)
    assert stock.metrics() == {}
    recorder.record(2)
    recorder.record(value)
    recorder.record(Decimal("0.5"))
    assert shown(stock, recorder) == (0.5 if recorder.kind == "gauge" else 2.5)
    assert dict(faults.dropped) == {reason: 2}
    assert not faults.errors


def test_integers_that_add_up_to_more_than_otlp_has_room_for_are_sent(following):
    """One integer of more than 64 bits fails the encoding of the whole batch."""
    meter = CoreMeter(following, "test")
    meter.attach("core", {}, Limits())
    counter, updown = meter.create_counter("c"), meter.create_up_down_counter("u")
    readers = Producer(lambda: [meter], "a"), Producer(lambda: [meter], "b", frozenset({"counter", "updowncounter"}))
    for _ in range(3):
        counter.add(2**63 - 1)
        updown.add(-(2**63))
    for reader in readers:
        sent = encode_metrics(MetricsData([ResourceMetrics(Resource({}), reader.produce(), "")]))
        points = [metric.sum.data_points[0].as_double for metric in sent.resource_metrics[0].scope_metrics[0].metrics]
        assert points == [3 * 2.0**63, -3 * 2.0**63]
    counter.add(0.5)
    counter.add(1)
    assert readers[0].produce()[0].metrics[0].data.data_points[0].value == 3 * 2.0**63


ANY = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([10**400, -(10**400)]),
    st.floats(-1e300, 1e300),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.booleans(),
    st.decimals(-(10**20), 10**20),
    st.fractions(-(10**9), 10**9),
    st.sampled_from([None, "1", [], Level.HIGH, Share.HALF, Share.NAMED]),
    st.floats(-1e6, 1e6).map(np.float64),
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
)


def exactly(value):
    """What `value` is, as a fraction; a reason if it is no finite number."""
    value = value.value if isinstance(value, enum.Enum) else value
    if value is None or isinstance(value, (str, list)):
        return "not_a_number"
    try:
        as_float = float(value)
    except OverflowError:
        return "non_finite"
    return Fraction(as_float) if math.isfinite(as_float) else "non_finite"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", ROUTES)
@given(st.lists(ANY, max_size=12))
def test_any_values_make_their_sum_and_each_that_is_none_is_counted(route, kind, recorded):
    faults.reset()
    following = DelegatingMeterProvider()
    meter = CoreMeter(following, "test")
    stock = Cells(meter) if route == "core" else Stock()
    attach(following, meter, route, stock)
    recorder = Recorder(meter, kind, bound=True)
    expected, drops = [], {}
    for value in recorded:
        recorder.record(value)
        number = exactly(value)
        if not isinstance(number, str) and number < 0 and kind in UNSIGNED:
            number = "negative"
        if isinstance(number, str):
            drops[number] = drops.get(number, 0) + 1
        else:
            expected.append(number)
    found = shown(stock, recorder)
    attach(following, meter, "idle")
    stock.provider.shutdown()
    assert dict(faults.dropped) == drops
    assert not faults.errors
    if not expected:
        assert found is None
    elif kind == "gauge":
        assert float(found) == float(expected[-1])
    else:
        # Each addition of floats rounds by at most half of the last of 53 bits.
        assert abs(Fraction(found) - sum(expected)) <= sum(map(abs, expected)) * len(expected) / 2**52
