"""A MeterProvider that the application has set is used, never replaced, and gets no exporter that nobody asked for."""

from __future__ import annotations

import threading

import pytest
from opentelemetry import metrics as api
from opentelemetry.metrics import Meter, MeterProvider, NoOpMeterProvider, Observation
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import otel_trading as ot
from otel_trading.metrics import catalog, faults
from otel_trading.semconv.spec import Metric
from tests.harness import free_port, one, scrape, wait_until
from tests.unit.pipeline.threads import our_threads

pytestmark = pytest.mark.usefixtures("no_global_meter_provider")

JOBS = Metric("my.application.jobs", "counter", "{job}", "Jobs.")
LOAD = Metric("my.application.load", "gauge", "1", "Load.")


class Application:
    """A provider as an application makes it, and what its own reader sees."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = SdkMeterProvider([self.reader], shutdown_on_exit=False)
        api.set_meter_provider(self.provider)

    def values(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        data = self.reader.get_metrics_data()
        return {
            tuple(sorted(point.attributes.items())): point.value
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }


@pytest.fixture
def application(no_global_meter_provider):  # noqa: ARG001 - it comes before
    application = Application()
    yield application
    application.provider.shutdown()


def test_everything_goes_to_the_applications_provider_and_no_exporter_is_started(configured, application):
    with configured(system_metrics=True) as telemetry:
        catalog.counter(JOBS).add(2)
        catalog.gauge(LOAD).set(0.5)
        telemetry.meter.create_counter("my.own").add(1)
        assert application.values("my.application.jobs") == {(): 2.0}
        # What is observed is declared there by another thread, as that may have to wait.
        wait_until(lambda: application.values("my.application.load") == {(): 0.5}, "the gauge is declared")
        assert application.values("my.own") == {(): 1}
        assert application.values("process.thread.count")
        assert application.values("trading.sdk.route") == {(("trading.sdk.route.name", "application"),): 1.0}
        assert telemetry.endpoint_url is None
        assert our_threads() == {"otel-trading-application"}
        assert api.get_meter_provider() is application.provider


@pytest.mark.parametrize("asked", ["argument", "file"])
def test_exporters_that_were_asked_for_are_added(configured, application, tmp_path, asked):
    (tmp_path / "otel-trading.yaml").write_text("exporters: [prometheus]\n" if asked == "file" else "")
    with configured(exporters="prometheus" if asked == "argument" else None) as telemetry:
        catalog.counter(JOBS).add(3)
        api.get_meter("theirs").create_counter("their.things").add(4)
        samples = scrape(telemetry.endpoint_url)
        assert one(samples, "my_application_jobs_total") == 3
        assert one(samples, "their_things_total") == 4, "the application's own come out too"
        assert application.values("my.application.jobs") == {(): 3.0}


@pytest.mark.usefixtures("application")
def test_the_variable_of_exporters_spoke_to_the_application_already(configured, monkeypatch):
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")
    with configured() as telemetry:
        assert telemetry.endpoint_url is None


def test_configured_again_nothing_is_doubled_and_nothing_warns(configured, application, caplog):
    port = free_port()
    catalog.gauge(LOAD)
    for round_ in (1, 2, 3):
        with configured(exporters="prometheus", prometheus_port=port, system_metrics=True) as telemetry:
            catalog.counter(JOBS).add(1)
            catalog.gauge(LOAD).set(round_)
            samples = scrape(telemetry.endpoint_url)
            # A reader sees what was recorded since it was added, the application's own sees everything.
            assert one(samples, "my_application_jobs_total") == 1
            assert one(samples, "my_application_load") == round_
            assert one(samples, "process_thread_count") > 1
            assert application.values("my.application.jobs") == {(): float(round_)}
        wait_until(lambda: not our_threads(), "our reader is taken away")
    assert [record.getMessage() for record in caplog.records] == []
    assert not faults.errors


def test_after_the_end_the_applications_provider_goes_on_without_us(configured, application):
    theirs = api.get_meter("theirs").create_counter("their.things")
    catalog.gauge(LOAD)
    with configured(exporters="prometheus", system_metrics=True):
        catalog.gauge(LOAD).set(1)
        catalog.counter(JOBS).add(1)
    catalog.counter(JOBS).add(10)
    theirs.add(1)
    assert application.values("their.things") == {(): 1}
    assert application.values("my.application.jobs") == {(): 1.0}, "a counter of OpenTelemetry cannot be taken back"
    for gone in ("my.application.load", "trading.sdk.route", "process.uptime", "process.thread.count"):
        assert application.values(gone) == {}


def test_a_gauge_that_is_declared_while_the_application_collects_keeps_nobody_waiting(configured, application):
    lock, inside = threading.Lock(), threading.Event()

    def wants_the_lock(_):
        inside.set()
        with lock:
            return [Observation(1)]

    api.get_meter("theirs").create_observable_gauge("their.slow", [wants_the_lock])
    with configured():
        with lock:
            collecting = threading.Thread(target=application.values, args=("their.slow",), daemon=True)
            collecting.start()
            assert inside.wait(10)
            late = catalog.gauge(Metric("my.application.late", "gauge", "1", "Late."))
            late.set(3)
        collecting.join(10)
        wait_until(lambda: application.values("my.application.late") == {(): 3.0}, "it is there soon after")


def test_a_flush_lets_the_application_send(configured, application):
    flushed = []
    application.provider.force_flush = lambda: flushed.append(1) or True
    with configured() as telemetry:
        assert telemetry.flush()
        assert flushed == [1]
    assert flushed == [1], "an end of ours is none of the application's"


def test_an_application_that_cannot_flush_makes_a_flush_false(configured, application):
    def fail() -> bool:
        raise OSError("no")

    application.provider.force_flush = fail
    with configured() as telemetry:
        assert telemetry.flush() is False
    assert ("application", "OSError") in faults.errors


def test_a_no_op_provider_is_a_decision_of_the_application(configured):
    api.set_meter_provider(NoOpMeterProvider())
    with configured() as telemetry:
        catalog.counter(JOBS).add(1)
        assert telemetry.endpoint_url is None
        assert our_threads() == {"otel-trading-application"}
        assert telemetry.flush()


class Foreign(MeterProvider):
    """A provider that is not OpenTelemetry's SDK; what is recorded there is none of our business."""

    def __init__(self) -> None:
        self.asked = []

    def get_meter(self, name, version=None, schema_url=None, attributes=None) -> Meter:
        self.asked.append(name)
        return NoOpMeterProvider().get_meter(name)


def test_a_provider_of_another_class_is_used(configured):
    theirs = Foreign()
    api.set_meter_provider(theirs)
    with configured(system_metrics=True) as telemetry:
        catalog.counter(JOBS).add(1)
        assert telemetry.flush()
    assert "otel_trading" in theirs.asked
    assert not faults.errors


@pytest.mark.parametrize("make", [Foreign, NoOpMeterProvider])
def test_an_exporter_that_cannot_be_added_is_an_error_that_says_so(configured, make):
    api.set_meter_provider(make())
    with pytest.raises(ot.ConfigurationError) as refused:
        configured(exporters="prometheus")
    assert f"exporters (from argument exporters=): the application has set a {make.__name__}" in str(refused.value)
    assert not catalog.active()
    wait_until(lambda: not our_threads(), "nothing is left running")


def test_a_start_that_fails_takes_our_readers_away_again(configured, application, caplog):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ot.ConfigurationError):
        configured(exporters="file,prometheus", prometheus_port=other.getsockname()[1])
    wait_until(lambda: not our_threads(), "nothing is left running")
    catalog.counter(JOBS).add(1)
    assert application.values("my.application.jobs") == {}
    with configured(exporters="prometheus") as telemetry:
        catalog.counter(JOBS).add(1)
        assert one(scrape(telemetry.endpoint_url), "my_application_jobs_total") == 1
    assert not [record for record in caplog.records if "instrument" in record.getMessage()]


def test_where_nobody_has_set_one_ours_is_the_global_one(configured):
    with configured():
        assert api.get_meter_provider() is catalog.provider
        before = api.get_meter("theirs").create_counter("their.global")
        before.add(1)
    with configured() as telemetry:
        before.add(2)
        assert one(scrape(telemetry.endpoint_url), "their_global_total") == 2


def test_what_others_took_from_the_api_before_we_came_is_exported_too(configured):
    """A library that was imported first holds a proxy of the API's."""
    early = api.get_meter("early").create_counter("early.things")
    early.add(1)
    with configured() as telemetry:
        early.add(2)
        assert one(scrape(telemetry.endpoint_url), "early_things_total") == 2


def test_an_application_that_is_too_late_is_told_by_opentelemetry(configured, caplog):
    with configured():
        api.set_meter_provider(SdkMeterProvider(shutdown_on_exit=False))
        assert "Overriding of current MeterProvider is not allowed" in caplog.text
        assert api.get_meter_provider() is catalog.provider
