"""The process is observed: exactly the metrics of the vocabulary, on and off, and never over the application's own."""

from __future__ import annotations

import psutil
import pytest
from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading.instrumentation import system
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.semconv import reader as registry
from tests.harness import find, one, scrape

EXPOSED = {
    "process_cpu_time_seconds_total": {"type"},
    "process_memory_usage_bytes": set(),
    "process_thread_count": set(),
    "process_open_file_descriptor_count": set(),
    "system_network_io_bytes_total": {"device", "direction"},
}


def system_samples(telemetry):
    return [sample for sample in scrape(telemetry.endpoint_url) if sample.name.startswith(("process_", "system_"))]


def test_exactly_the_set_of_the_vocabulary_is_exposed(configured):
    with configured(system_metrics=True) as telemetry:
        samples = system_samples(telemetry)
    found = {sample.name: set(sample.labels) for sample in samples if sample.name != "process_uptime_seconds"}
    assert found == EXPOSED
    assert {sample.labels["type"] for sample in find(samples, "process_cpu_time_seconds_total")} == {"user", "system"}
    assert {sample.labels["direction"] for sample in find(samples, "system_network_io_bytes_total")} == {"transmit", "receive"}


def test_the_list_is_that_of_the_registry():
    (listed,) = [entry for entry in registry.load_foreign() if "system-metrics" in entry["source"]]
    assert {metric["name"] for metric in listed["metrics"]} == set(system.CONFIG)


def test_the_figures_are_those_of_this_process(configured):
    process = psutil.Process()
    with configured(system_metrics=True) as telemetry:
        samples = system_samples(telemetry)
        times = process.cpu_times()
    assert one(samples, "process_memory_usage_bytes") == pytest.approx(process.memory_info().rss, rel=0.5)
    assert 0 < one(samples, "process_cpu_time_seconds_total", type="user") <= times.user + 1
    assert one(samples, "process_open_file_descriptor_count") == pytest.approx(process.num_fds(), abs=20)
    assert one(samples, "process_uptime_seconds") > 0


@pytest.mark.parametrize("by", ["argument", "variable of ours", "variable of OpenTelemetry"])
def test_it_is_off_where_a_setting_says_so(configured, monkeypatch, by):
    if by == "variable of ours":
        monkeypatch.setenv("OTEL_TRADING_SYSTEM_METRICS", "false")
    if by == "variable of OpenTelemetry":
        monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "system_metrics")
    with configured(system_metrics={"argument": False, "variable of ours": None}.get(by, True)) as telemetry:
        assert {sample.name for sample in system_samples(telemetry)} == {"process_uptime_seconds"}


def test_on_off_and_on_again(configured, caplog):
    counts = []
    for wanted in (True, False, True):
        with configured(system_metrics=wanted) as telemetry:
            counts.append(len(find(system_samples(telemetry), "process_thread_count")))
    assert counts == [1, 0, 1]
    assert not caplog.records


def test_an_application_that_observes_its_process_itself_keeps_its_own_settings(configured, monkeypatch):
    monkeypatch.setattr(system, "_applied", False)
    monkeypatch.setattr(system, "_provider", DelegatingMeterProvider())
    monkeypatch.setattr(SystemMetricsInstrumentor, "_instance", None)
    reader = InMemoryMetricReader()
    theirs = MeterProvider([reader], shutdown_on_exit=False)
    SystemMetricsInstrumentor(config={"process.runtime.gc_count": None, "process.thread.count": None}).instrument(
        meter_provider=theirs
    )
    with configured(system_metrics=True) as telemetry:
        assert {sample.name for sample in system_samples(telemetry)} == {"process_uptime_seconds"}
    names = {metric.name for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics for metric in scope.metrics}
    assert "process.thread.count" in names
    theirs.shutdown()
