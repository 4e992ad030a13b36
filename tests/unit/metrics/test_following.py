"""Instruments that anybody made through our provider follow when it is given another one behind it."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from asyncio import CancelledError
from decimal import Decimal

import pytest
from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    MeterProvider,
    NoOpMeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    Observation,
    UpDownCounter,
    _Gauge,
)

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.catalog import provider as global_one
from otel_trading.metrics.delegate import DelegatingMeterProvider
from tests.unit.metrics.conftest import Stock, values

SYNC = {
    "counter": (Counter, lambda instrument, value: instrument.add(value, {"k": "v"})),
    "up_down_counter": (UpDownCounter, lambda instrument, value: instrument.add(value, {"k": "v"})),
    "histogram": (Histogram, lambda instrument, value: instrument.record(value, {"k": "v"})),
    "gauge": (_Gauge, lambda instrument, value: instrument.set(value, {"k": "v"})),
}
ASYNC = {
    "observable_counter": ObservableCounter,
    "observable_up_down_counter": ObservableUpDownCounter,
    "observable_gauge": ObservableGauge,
}


def create(meter, kind, *callbacks, name="their.metric", unit="1", description="Theirs."):
    make = getattr(meter, f"create_{kind}")
    return make(name, callbacks, unit, description) if callbacks else make(name, unit, description)


def measured(metric):
    (value,) = values(metric).values()
    return value[1] if isinstance(value, tuple) else value


def value_of(stock, name="their.metric"):
    metric = stock.metrics().get(name)
    return metric and measured(metric)


def five(_: CallbackOptions):
    return [Observation(5, {"k": "v"})]


@pytest.mark.parametrize("kind", SYNC)
def test_a_synchronous_instrument_records_to_whoever_is_attached(following, meter, kind):
    cls, record = SYNC[kind]
    instrument = create(meter, kind)
    assert isinstance(instrument, cls)
    record(instrument, 1)
    first, second = Stock(), Stock()
    following.attach(first.provider)
    record(instrument, 2)
    following.attach(None)
    record(instrument, 4)
    following.attach(second.provider)
    record(instrument, 8)
    found = [stock.metrics()["their.metric"] for stock in (first, second)]  # 1.43's gauge shows each value once only
    assert [measured(metric) for metric in found] == [2, 8]
    assert {(metric.unit, metric.description) for metric in found} == {("1", "Theirs.")}


@pytest.mark.parametrize("kind", ASYNC)
def test_an_observable_instrument_is_observed_by_whoever_is_attached(following, meter, kind):
    instrument = create(meter, kind, five)
    assert isinstance(instrument, ASYNC[kind])
    first, second = Stock(), Stock()
    following.attach(first.provider)
    assert value_of(first) == 5
    following.attach(second.provider)
    assert value_of(second) == 5
    following.attach(None)
    assert (value_of(first), value_of(second)) == (None, None), "who was left behind hears nothing"


@pytest.mark.parametrize("kind", ASYNC)
def test_a_generator_callback_goes_on_under_the_next_provider(following, meter, kind):
    def counting():
        options = yield ()
        for number in (1, 2, 3):
            assert isinstance(options, CallbackOptions)
            options = yield [Observation(number)]

    create(meter, kind, counting())
    seen = []
    for _ in range(4):
        stock = Stock()
        following.attach(stock.provider)
        seen.append(value_of(stock))
    assert seen == [1, 2, 3, None]
    assert not faults.errors


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("kind", [*SYNC, *ASYNC])
def test_an_instrument_that_is_declared_again_is_the_same_one(meter, kind):
    callbacks = (five,) if kind in ASYNC else ()
    assert create(meter, kind, *callbacks) is create(meter, kind, *callbacks)


@pytest.mark.parametrize("value", [Decimal("1.5"), 1.5, True, 2**70, Decimal(3)], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", SYNC)
def test_numbers_that_the_sdk_cannot_mix_can_be_mixed(stock, meter, kind, value):
    instrument = create(meter, kind)
    SYNC[kind][1](instrument, 0.5)
    SYNC[kind][1](instrument, value)
    expected = float(value) if kind == "gauge" else 0.5 + float(value)
    assert value_of(stock) == expected
    assert not faults.errors


@pytest.mark.parametrize(("value", "reason"), [(None, "not_a_number"), ("1", "not_a_number"), (math.nan, "non_finite")])
@pytest.mark.parametrize("kind", SYNC)
def test_what_is_no_number_is_dropped_instead_of_raised(stock, meter, kind, value, reason):
    SYNC[kind][1](create(meter, kind), value)
    assert stock.metrics() == {}
    assert dict(faults.dropped) == {reason: 1}


@pytest.mark.parametrize("kind", ASYNC)
def test_an_observation_that_is_no_number_costs_itself_only(stock, meter, kind):
    """In the stock SDK a Decimal beside a float ends the export thread for good."""
    values = [Observation(Decimal("0.5"), {"k": "a"}), Observation(0.25, {"k": "b"}), Observation("x"), Observation(math.inf)]
    create(meter, kind, lambda _: values)
    assert stock.values("their.metric") == {(("k", "a"),): 0.5, (("k", "b"),): 0.25}
    assert dict(faults.dropped) == {"not_a_number": 1, "non_finite": 1}


@pytest.mark.parametrize("kind", [*SYNC, *ASYNC])
def test_texts_that_utf8_does_not_know_are_replaced(stock, meter, kind):
    """One of them would fail the whole scrape, and the whole batch of an exporter, ours included."""
    attributes = {"k\ud83d": "v\ud83d", "ü": "ü", "n": 1}
    if kind in SYNC:
        instrument = create(meter, kind)
        next(getattr(instrument, name) for name in ("add", "record", "set") if hasattr(instrument, name))(5, attributes)
    else:
        create(meter, kind, lambda _: [Observation(5, attributes)])
    assert list(stock.values("their.metric")) == [(("k?", "v?"), ("n", 1), ("ü", "ü"))]


@pytest.mark.parametrize("attributes", ["text", 5], ids=repr)
def test_attributes_that_are_no_mapping_cost_their_callback_only(stock, meter, attributes):
    create(meter, "observable_gauge", lambda _: [Observation(1, attributes)], five)
    assert value_of(stock) == 5
    assert sum(faults.errors.values()) == 1


@pytest.mark.parametrize("fault", [OSError, CancelledError])
def test_a_callback_that_raises_is_contained_and_the_others_are_heard(stock, meter, caplog, fault):
    def broken(_: CallbackOptions):
        raise fault("no")

    create(meter, "observable_gauge", broken, five)
    assert value_of(stock) == value_of(stock) == 5
    assert dict(faults.errors) == {("observe", fault.__name__): 2}
    assert len(caplog.records) == 1


def test_declared_twice_under_one_provider_the_first_one_counts_and_it_is_said(stock, meter, caplog):
    create(meter, "observable_counter", five)
    create(meter, "observable_counter", lambda _: [Observation(7)])
    assert value_of(stock) == 5
    assert "their.metric is declared twice" in caplog.text


def test_declared_again_after_a_new_configuration_the_new_one_counts(following, meter, caplog):
    """A program that sets itself up again means its new objects; the stock SDK would never hear of the old ones again."""
    first, second = Stock(), Stock()
    following.attach(first.provider)
    create(meter, "observable_counter", five)
    assert value_of(first) == 5
    following.attach(None)
    following.attach(second.provider)
    create(meter, "observable_counter", lambda _: [Observation(7)])
    assert value_of(second) == 7
    assert not caplog.records


def test_attached_again_to_the_same_provider_nothing_is_doubled_and_nothing_warns(following, meter, caplog):
    application = Stock()
    instruments = {kind: create(meter, kind, name=f"their.{kind}") for kind in SYNC}
    for kind in ASYNC:
        create(meter, kind, five, name=f"their.{kind}")
    for _ in range(3):
        following.attach(application.provider)
        for kind, instrument in instruments.items():
            SYNC[kind][1](instrument, 1)
        following.attach(None)
    following.attach(application.provider)
    found = {name: measured(metric) for name, metric in application.metrics().items()}
    assert found == {
        "their.counter": 3,
        "their.up_down_counter": 3,
        "their.histogram": 3,
        "their.gauge": 1,
        "their.observable_counter": 5,
        "their.observable_up_down_counter": 5,
        "their.observable_gauge": 5,
    }
    assert not caplog.records


def test_a_provider_that_was_left_is_not_kept_alive(following, meter):
    create(meter, "counter").add(1)
    create(meter, "observable_gauge", five, name="their.other")
    stock = Stock()
    following.attach(stock.provider)
    stock.metrics()
    following.attach(None)
    gone = weakref.ref(stock.provider)
    stock.provider.shutdown()
    del stock
    gc.collect()
    assert gone() is None


def test_an_instrument_that_the_sdk_refuses_does_not_keep_the_others_from_starting(following, meter):
    meter.create_counter("9 is no name")
    counter = create(meter, "counter")
    stock = Stock()
    following.attach(stock.provider)
    counter.add(1)
    assert value_of(stock) == 1
    assert [component for component, _ in faults.errors] == ["instruments"]


@pytest.mark.usefixtures("stock")
def test_an_instrument_that_the_sdk_refuses_is_refused_at_once_where_there_is_an_sdk(meter):
    with pytest.raises(Exception, match="Expected"):
        meter.create_counter("9 is no name")


def test_scopes_are_told_apart(following):
    plain = following.get_meter("a")
    assert following.get_meter("a") is plain
    others = [
        following.get_meter("a", "1"),
        following.get_meter("a", None, "http://x/1"),
        following.get_meter("a", None, None, {"k": 1}),
    ]
    assert len({id(meter) for meter in (plain, *others)}) == 4
    assert (others[0].name, others[0].version) == ("a", "1")


def test_a_provider_of_any_class_is_followed(following, meter):
    class Theirs(MeterProvider):
        def get_meter(self, name, version=None, schema_url=None, attributes=None) -> Meter:
            return NoOpMeterProvider().get_meter(name)

    counter = create(meter, "counter")
    for delegate in (Theirs(), NoOpMeterProvider()):
        following.attach(delegate)
        counter.add(1)
    assert not faults.errors


def test_an_observable_that_is_declared_while_somebody_collects_keeps_nobody_waiting():
    """The SDK holds a lock while callbacks run: one that wants what the declaring thread holds would wait for ever."""
    following, woken = DelegatingMeterProvider(), threading.Event()
    stock, lock, inside = Stock(), threading.Lock(), threading.Event()

    def wants_the_lock(_: CallbackOptions):
        inside.set()
        with lock:
            return [Observation(1)]

    meter = following.get_meter("test")
    create(meter, "observable_gauge", wants_the_lock, name="first")
    following.attach(stock.provider, settle=woken.set)
    assert not woken.is_set()
    following.settle()
    with lock:
        collecting = threading.Thread(target=stock.metrics, daemon=True)
        collecting.start()
        assert inside.wait(10)
        declaring = threading.Thread(
            target=create, args=(meter, "observable_gauge", five), kwargs={"name": "second"}, daemon=True
        )
        declaring.start()
        declaring.join(10)
        assert not declaring.is_alive()
        assert woken.is_set(), "somebody was asked to see to it"
    collecting.join(10)
    following.settle()
    assert stock.value("second") == 5


def test_what_was_noted_for_one_provider_is_not_made_on_the_next(following, meter):
    first, second = Stock(), Stock()
    following.attach(first.provider, settle=lambda: None)
    create(meter, "observable_gauge", five)
    following.attach(second.provider)
    following.settle()
    assert (value_of(first), value_of(second)) == (None, 5)


def test_the_users_meter_may_not_take_a_name_of_the_vocabulary():
    from otel_trading.metrics import catalog
    from otel_trading.semconv.metrics import ORDERS

    catalog.declare(ORDERS)
    with pytest.raises(ConfigurationError, match=r"'trading\.orders' .* is already declared as 'trading\.orders'"):
        catalog.user_meter.create_counter("trading.orders")
    assert catalog.provider is global_one
