"""Each metric is declared once in the process, whoever asks for it; a clash is an error that names both."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from otel_trading import metrics
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog
from otel_trading.semconv.spec import Metric

COUNTER = Metric("my.catalog.jobs", "counter", "{job}", "Jobs.")
KINDS = {"counter": metrics.counter, "updowncounter": metrics.counter, "gauge": metrics.gauge, "histogram": metrics.histogram}


def metric(kind):
    return Metric(f"my.catalog.{kind}", kind, "1", "One.", bounds=(1.0,) if kind == "histogram" else ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_metric_is_declared_once(kind):
    assert KINDS[kind](metric(kind)) is KINDS[kind](metric(kind)) is metrics.declare(metric(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_metric_is_asked_for_as_what_it_is(kind):
    metrics.declare(metric(kind))
    for ask in KINDS.values():
        if ask is not KINDS[kind]:
            with pytest.raises(ConfigurationError, match=rf"metric 'my\.catalog\.{kind}'"):
                ask(metric(kind))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "updowncounter"},
        {"unit": "s"},
        {"description": "Other."},
        {"name": "my_catalog_jobs"},
        {"name": "My.Catalog.Jobs"},
        {"name": "my.catalog-jobs"},
    ],
    ids=str,
)
def test_another_metric_of_the_same_name_is_refused_with_both_in_the_message(change):
    metrics.declare(COUNTER)
    other = dataclasses.replace(COUNTER, **change)
    with pytest.raises(ConfigurationError) as refused:
        metrics.declare(other)
    for text in (repr(other.name), repr(COUNTER.name), COUNTER.description, repr(other.unit), other.kind):
        assert text in str(refused.value)


def test_what_the_user_declared_through_opentelemetry_cannot_be_observed_under_the_same_name():
    catalog.user_meter.create_gauge("my.catalog.load")
    with pytest.raises(ConfigurationError, match=r"'my\.catalog\.load' .* is already declared .* of app"):
        metrics.declare(Metric("my.catalog.load", "gauge", "", ""))


def test_threads_that_declare_at_once_get_the_same_instrument():
    found, barrier = [], threading.Barrier(8)

    def declare():
        barrier.wait()
        found.append(metrics.declare(Metric("my.catalog.race", "gauge", "1", "Race.")))

    threads = [threading.Thread(target=declare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(instrument) for instrument in found}) == 1
