"""One pipeline a process: it starts whole or not at all, ends for good, and a next one takes over."""

from __future__ import annotations

import socket
import threading

import pytest
import requests
from opentelemetry import metrics as api
from opentelemetry.metrics import Observation

import otel_trading as ot
from otel_trading import recording
from otel_trading.metrics import catalog, faults
from otel_trading.semconv.spec import Metric
from tests.harness import free_port, one, scrape, wait_until
from tests.unit.pipeline.threads import our_threads

JOBS = Metric("my.configure.jobs", "counter", "{job}", "Jobs.")
LOAD = Metric("my.configure.load", "gauge", "1", "Load.", ends_at_zero=True)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True


def test_what_is_recorded_comes_out_of_the_endpoint(configured):
    with configured() as telemetry:
        catalog.counter(JOBS).add(2)
        catalog.gauge(LOAD).set(0.5)
        telemetry.meter.create_counter("my.own.kinds", unit="{kind}").add(3, {"kind": "a"})
        samples = scrape(telemetry.endpoint_url)
    assert one(samples, "my_configure_jobs_total") == 2
    assert one(samples, "my_configure_load") == 0.5
    assert one(samples, "my_own_kinds_total", kind="a") == 3
    assert one(samples, "trading_sdk_route", trading_sdk_route_name="core") == 1
    assert 0 < one(samples, "process_uptime_seconds") < 3600


def test_the_first_scrape_is_complete(configured):
    """The port answers when everything is there, not before."""
    catalog.counter(JOBS)
    with configured(system_metrics=True) as telemetry:
        names = {sample.name for sample in scrape(telemetry.endpoint_url)}
    assert {"target_info", "process_cpu_time_seconds_total", "trading_sdk_route", "process_uptime_seconds"} <= names


def test_the_same_settings_give_the_same_object(configured):
    telemetry = configured(environment="test")
    assert configured(environment="test") is telemetry


def test_other_settings_are_an_error_that_names_them(configured):
    telemetry = configured(service_name="a", otlp_headers={"k": "s3cr3t"})
    with pytest.raises(ot.ConfigurationError) as refused:
        configured(service_name="b", otlp_headers={"k": "0ther"})
    message = str(refused.value)
    assert "already configured with other settings: service_name ('a' is running, 'b' is asked for), otlp_headers" in message
    assert "s3cr3t" not in message
    assert "0ther" not in message
    assert not telemetry.ended


def test_after_the_end_another_configuration_takes_over(configured):
    """Instruments of ours, bound ones, and what others took from the global provider: all of them follow."""
    jobs, bound = catalog.counter(JOBS), catalog.counter(JOBS).bind({"kind": "bound"})
    with configured(service_name="first") as first:
        foreign = api.get_meter("foreign").create_counter("foreign.things")
        api.get_meter("foreign").create_observable_gauge("foreign.load", [lambda _: [Observation(7)]])
        jobs.add(1, {"kind": "plain"})
        bound.add(1)
        foreign.add(1)
        assert one(scrape(first.endpoint_url), "my_configure_jobs_total", kind="bound") == 1
    jobs.add(100, {"kind": "plain"})
    foreign.add(100)
    with configured(service_name="second") as second:
        assert second is not first
        jobs.add(2, {"kind": "plain"})
        bound.add(3)
        foreign.add(4)
        samples = scrape(second.endpoint_url)
    assert one(samples, "my_configure_jobs_total", kind="plain") == 2
    assert one(samples, "my_configure_jobs_total", kind="bound") == 3
    assert one(samples, "foreign_things_total") == 4
    assert one(samples, "foreign_load") == 7
    assert one(samples, "target_info", service_name="second") == 1
    assert not faults.errors


def test_after_the_end_the_port_is_free_the_threads_are_gone_and_nothing_is_recorded(configured):
    port = free_port()
    telemetry = configured(prometheus_port=port, exporters="prometheus,file", traces=True)
    assert telemetry.endpoint_url == f"http://127.0.0.1:{port}/metrics"
    assert telemetry.shutdown() is True
    assert is_free(port)
    wait_until(lambda: not our_threads(), "the threads are gone")
    assert telemetry.ended
    assert telemetry.endpoint_url is None
    assert not catalog.active()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)
    assert (telemetry.shutdown(), telemetry.flush()) == (True, True), "once more does nothing"


def test_a_taken_port_is_a_configuration_error_and_nothing_is_left_running(configured, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ot.ConfigurationError) as refused:
            configured(prometheus_port=port, exporters="prometheus,file,pushgateway", traces=True, venue_requests=True)
    assert f"prometheus_port {port} on 127.0.0.1 cannot be served: another program has it" in str(refused.value)
    assert "OTEL_EXPORTER_PROMETHEUS_PORT" in str(refused.value)
    assert not catalog.active()
    wait_until(lambda: not our_threads(), "the threads are gone")
    assert not hasattr(requests.Session.send, "opentelemetry_instrumentation_requests_applied")
    assert (tmp_path / "otel-trading-metrics.jsonl").read_bytes() == b""
    with configured(prometheus_port=port) as telemetry:
        assert scrape(telemetry.endpoint_url)


def test_a_host_that_this_machine_does_not_have_is_a_configuration_error(configured):
    with pytest.raises(ot.ConfigurationError, match=r"prometheus_host 192\.0\.2\.1 is no address of this machine"):
        configured(prometheus_host="192.0.2.1", allow_unauthenticated=True)
    with pytest.raises(ot.ConfigurationError, match=r"no-such-host\.invalid is no address .* OTEL_EXPORTER_PROMETHEUS_HOST"):
        configured(prometheus_host="no-such-host.invalid", allow_unauthenticated=True)


def test_a_file_that_cannot_be_written_is_a_configuration_error(configured, tmp_path):
    with pytest.raises(ot.ConfigurationError) as refused:
        configured(exporters="prometheus,file", file_path=tmp_path / "none" / "metrics.jsonl")
    assert str(refused.value).startswith(f"file_path = {str(tmp_path / 'none' / 'metrics.jsonl')!r} (from argument file_path=)")
    assert "No such file or directory" in str(refused.value)
    wait_until(lambda: not our_threads(), "the threads are gone")


def test_a_wrong_variable_of_the_span_processor_is_a_configuration_error(configured, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    with pytest.raises(ot.ConfigurationError, match="max_export_batch_size"):
        configured(traces=True)
    wait_until(lambda: not our_threads(), "the threads are gone")


def test_disabled_does_nothing_at_all(configured, monkeypatch, tmp_path):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    before = our_threads()
    telemetry = configured(
        exporters="prometheus,file", traces=True, prometheus_port=9, venue_requests=True, system_metrics=True
    )
    assert telemetry.endpoint_url is None
    assert our_threads() == before
    assert not catalog.active()
    catalog.counter(JOBS).add(1)
    telemetry.meter.create_counter("my.own.disabled").add(1)
    with telemetry.tracer.start_as_current_span("x") as span:
        assert not span.is_recording()
    assert list(tmp_path.iterdir()) == []
    assert (telemetry.flush(), telemetry.shutdown()) == (True, True)


def test_none_records_and_exports_nothing(configured):
    with configured(exporters="none") as telemetry:
        assert telemetry.endpoint_url is None
        assert our_threads() == set()
        assert catalog.active()
        catalog.counter(JOBS).add(1)
        assert telemetry.flush()


def test_buckets_of_the_settings_are_those_of_the_histogram(configured):
    with configured(histogram_buckets={"my.configure.seconds": [1, 2]}) as telemetry:
        catalog.histogram(Metric("my.configure.seconds", "histogram", "s", "", bounds=(5.0,))).record(1.5)
        telemetry.meter.create_histogram("my.own.seconds", explicit_bucket_boundaries_advisory=[7]).record(1)
        samples = scrape(telemetry.endpoint_url)
    assert [s.labels["le"] for s in samples if s.name == "my_configure_seconds_bucket"] == ["1.0", "2.0", "+Inf"]
    assert [s.labels["le"] for s in samples if s.name == "my_own_seconds_bucket"] == ["7.0", "+Inf"]


def test_the_symbol_is_on_durations_only_where_a_setting_asks_for_it(configured):
    for asked in (True, False):
        with configured(symbol_on_durations=asked):
            assert recording.options.current.symbol_on_durations is asked


def test_the_metrics_of_an_ended_pipeline_are_collectable_by_nobody(configured):
    """What a reader held of the bot goes with it: no callback runs after the end."""
    calls = []
    with configured() as telemetry:
        stop = catalog.gauge(LOAD).observe(lambda: calls.append(1) or 1, {"kind": "ended"})
        scrape(telemetry.endpoint_url)
    ran = len(calls)
    assert ran == 1
    with configured(exporters="none"):
        assert len(calls) == ran
    stop()


def test_configured_inside_a_running_event_loop(configured):
    import asyncio

    async def bot() -> float | None:
        telemetry = configured()
        catalog.counter(JOBS).add(5, {"kind": "async"})
        samples = await asyncio.to_thread(scrape, telemetry.endpoint_url)
        telemetry.shutdown()
        return one(samples, "my_configure_jobs_total", kind="async")

    assert asyncio.run(bot()) == 5


def test_configured_in_another_thread(configured):
    found = []
    thread = threading.Thread(target=lambda: found.append(configured()))
    thread.start()
    thread.join(10)
    assert scrape(found[0].endpoint_url)


def test_threads_that_configure_at_once_get_one_pipeline(configured):
    port, found = free_port(), []
    threads = [threading.Thread(target=lambda: found.append(configured(prometheus_port=port))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 6
    assert len({id(telemetry) for telemetry in found}) == 1


def test_shut_down_from_many_threads_at_once(configured):
    telemetry, results = configured(exporters="prometheus,file"), []
    threads = [threading.Thread(target=lambda: results.append(telemetry.shutdown())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [True] * 6
    assert not faults.errors


def test_nothing_is_recorded_before_and_nothing_fails():
    assert not catalog.active()
    catalog.counter(JOBS).add(1)
    catalog.gauge(LOAD).set(1)
    assert not faults.errors


def test_a_file_is_found_in_the_working_directory_and_the_object_says_what_it_was_given(configured, tmp_path):
    (tmp_path / "otel-trading.yaml").write_text("environment: staging\nexporters: none\n")
    with configured() as telemetry:
        assert telemetry.settings.environment == "staging"
        assert telemetry.origins["exporters"] == f"config file {'otel-trading.yaml'}"
        assert telemetry.origins["service_name"] == "argument service_name="


def test_a_working_directory_that_is_gone_is_no_reason_to_fail(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with ot.configure(exporters="none", system_metrics=False) as telemetry:
        assert telemetry.settings.exporters == ("none",)


def test_a_sampler_of_the_standard_variables_is_obeyed(configured, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    with configured(traces=True) as telemetry, telemetry.tracer.start_as_current_span("x") as span:
        assert not span.is_recording()
