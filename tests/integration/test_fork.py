"""A child of a configured bot is silent: it exports nothing of its parent's, holds nothing of it, waits for nothing of it."""

from __future__ import annotations

import os
import signal

import pytest

from tests.harness import FORKED, BlackHole, free_port, scrape, wait_until
from tests.harness.python_programs import Program, run
from tests.integration.receivers import RECEIVERS, HttpReceiver, metrics, resource, spans, value

FORK = (
    FORKED
    + """
import time
import otel_trading as ot
from otel_trading.metrics import catalog, faults
from otel_trading.semconv.spec import Metric

JOBS = catalog.counter(Metric("my.jobs", "counter", "1", ""))
LOAD = catalog.gauge(Metric("my.load", "gauge", "1", ""))
"""
)


@pytest.fixture(params=sorted(RECEIVERS))
def collector(request):
    with RECEIVERS[request.param]() as receiver:
        receiver.env = {
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_EXPORTER_OTLP_PROTOCOL": request.param,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
            "OTEL_TRADING_TRACES": "true",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(free_port()),
            "OTEL_TRADING_SHUTDOWN_TIMEOUT": "10",
        }
        yield receiver


def test_a_child_exports_nothing_and_the_parent_goes_on(tmp_path, collector):
    code = """
telemetry = ot.configure(service_name="parent")
JOBS.add(1)
telemetry.tracer.start_span("before").end()

def child():
    JOBS.add(100)
    LOAD.set(100)
    telemetry.tracer.start_span("child").end()
    telemetry.meter.create_counter("my.own").add(1)
    assert telemetry.flush() and telemetry.shutdown()
    assert telemetry.endpoint_url is None
    time.sleep(0.5)
    names = [thread.name for thread in threading.enumerate()]
    assert names == ["MainThread"], names

assert forked(child) == 0
JOBS.add(2)
telemetry.tracer.start_span("after").end()
assert telemetry.flush(10)
"""
    run(tmp_path, FORK + code, env=collector.env)
    assert value(metrics(collector)["my.jobs"]) == 3
    assert not {"my.load", "my.own"} & metrics(collector).keys()
    assert [span.name for span in spans(collector)] == ["before", "after"]


def test_a_child_that_outlives_its_parent_holds_no_port(tmp_path):
    port = free_port()
    code = f"""
telemetry = ot.configure(service_name="parent", prometheus_port={port})
child = os.fork()
if not child:
    time.sleep(600)
print("ready")
input()
"""
    with Program(tmp_path / "first", FORK + code) as first:
        assert scrape(f"http://127.0.0.1:{port}/metrics")
        first.tell("")
        assert first.wait(60) == 0
        with Program(tmp_path / "second", FORK + code) as second:
            assert scrape(f"http://127.0.0.1:{port}/metrics"), "a restarted bot has it"
            second.kill()
    os.killpg(first.pid, signal.SIGKILL)  # the child


def test_a_child_does_not_wait_for_what_the_parents_threads_hold(tmp_path):
    """Forked again and again while other threads record, declare, collect and log."""
    code = """
telemetry = ot.configure(service_name="parent", exporters="prometheus,file", export_interval=0.01, prometheus_port=0)
ended = threading.Event()

def busy(number):
    count = 0
    while not ended.is_set():
        count += 1
        JOBS.add(1, {"n": str(count % 20)})
        LOAD.observe(lambda: 1)()
        telemetry.meter.create_gauge(f"my.gauge{count % 200}").set(1)
        JOBS.add("x")
        faults.log_once(count, "%s", count)

for number in range(4):
    threading.Thread(target=busy, args=(number,), daemon=True).start()

def child():
    JOBS.add(1)
    JOBS.add("x")
    LOAD.observe(lambda: 1)()
    catalog.gauge(Metric("my.other", "gauge", "1", "")).set(1)
    telemetry.meter.create_counter("my.own").add(1)
    telemetry.shutdown()
    with ot.configure(service_name="child", exporters="prometheus", prometheus_port=0, system_metrics=False) as own:
        JOBS.add(1)

for _ in range(30):
    assert forked(child) == 0
ended.set()
"""
    run(tmp_path, FORK + code)


def test_a_child_that_configures_itself_starts_from_zero_as_somebody_else(tmp_path):
    with HttpReceiver() as parent, HttpReceiver() as child:
        code = f"""
telemetry = ot.configure(service_name="bot", exporters="otlp", otlp_endpoint="{parent.endpoint}", shutdown_timeout=10)
JOBS.add(1)
JOBS.add("x")
LOAD.set(5)

def child():
    with ot.configure(service_name="bot", exporters="otlp", otlp_endpoint="{child.endpoint}", shutdown_timeout=10):
        JOBS.add(10)

assert forked(child) == 0
"""
        run(tmp_path, FORK + code)
        assert value(metrics(parent)["my.jobs"]) == 1
        assert value(metrics(child)["my.jobs"]) == 10
        assert not {"my.load", "trading.sdk.dropped"} & metrics(child).keys()
        assert {"my.load", "trading.sdk.dropped"} <= metrics(parent).keys()
        assert value(metrics(child)["process.thread.count"]) > 0
        assert resource(parent)["service.instance.id"] != resource(child)["service.instance.id"]
        assert resource(parent)["service.name"] == resource(child)["service.name"]


def test_a_child_that_is_terminated_dies_of_it_without_a_word(tmp_path):
    with HttpReceiver() as collector:
        code = f"""
import signal
telemetry = ot.configure(service_name="bot", exporters="otlp", otlp_endpoint="{collector.endpoint}", export_interval=3600)
JOBS.add(1)
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
print("before the parent's end")
"""
        assert "before the parent's end" in run(tmp_path, FORK + code)
        assert len([r for r in collector.received if "metrics" in r.path]) == 1


def test_the_workers_of_a_pool_are_silent_too(tmp_path):
    with HttpReceiver() as collector:
        code = f"""
import multiprocessing

def work(number):
    JOBS.add(1000)
    return number * 2

telemetry = ot.configure(service_name="bot", exporters="otlp,prometheus", otlp_endpoint="{collector.endpoint}",
                         export_interval=0.05, prometheus_port=0, shutdown_timeout=10)
JOBS.add(1)
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(work, range(20)) == [number * 2 for number in range(20)]
    time.sleep(0.3)
"""
        run(tmp_path, FORK + code)
        assert value(metrics(collector)["my.jobs"]) == 1
        assert len({r.message.resource_metrics[0].resource.SerializeToString() for r in collector.received}) == 1


def test_on_the_provider_of_an_application_a_child_is_silent_until_it_configures_itself(tmp_path):
    code = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))

def names():
    data = reader.get_metrics_data()
    return {m.name for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for m in s.metrics if m.data.data_points}

telemetry = ot.configure(service_name="bot")
LOAD.set(1)
telemetry.meter.create_observable_gauge("my.own", [lambda _: [metrics.Observation(1)]])
time.sleep(0.2)
assert {"my.load", "my.own", "trading.sdk.route"} <= names()

def child():
    assert not {"my.load", "my.own", "trading.sdk.route"} & names()
    with ot.configure(service_name="bot"):
        LOAD.set(2)
        assert {"my.load", "trading.sdk.route"} <= names()

assert forked(child) == 0
assert {"my.load", "my.own", "trading.sdk.route"} <= names()
"""
    run(tmp_path, FORK + code)


def test_a_fork_before_anything_is_configured_is_no_matter(tmp_path):
    code = """
def child():
    with ot.configure(service_name="child", prometheus_port=0) as own:
        JOBS.add(1)
        assert own.endpoint_url

assert forked(child) == 0
with ot.configure(service_name="parent", prometheus_port=0):
    pass
"""
    run(tmp_path, FORK + code)


def test_waiting_is_not_needed(tmp_path):
    """The child of a bot whose Collector swallows everything ends at once."""
    with BlackHole() as hole:
        code = f"""
telemetry = ot.configure(service_name="bot", exporters="otlp", otlp_endpoint="http://127.0.0.1:{hole.port}",
                         export_interval=0.05, traces=True, shutdown_timeout=0.5)
telemetry.tracer.start_span("x").end()
print("ready")
input()
begun = time.monotonic()
assert forked(lambda: (JOBS.add(1), telemetry.shutdown())) == 0
assert time.monotonic() - begun < 5
"""
        with Program(tmp_path, FORK + code) as bot:
            wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
            bot.tell("")
            assert bot.wait(60) == 0, bot.output()
