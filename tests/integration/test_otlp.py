"""OTLP over both protocols, as the official messages show it on the other side."""

from __future__ import annotations

import threading

import pytest
import requests
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.sdk.metrics.export import MetricsData

from otel_trading.metrics import catalog, faults
from otel_trading.semconv.spec import Metric
from tests.harness import wait_until
from tests.integration.receivers import GRPC, HTTP, GrpcReceiver, HttpReceiver, metrics, resource, spans, value

JOBS = Metric("my.otlp.jobs", "counter", "{job}", "Jobs.")
LOAD = Metric("my.otlp.load", "gauge", "1", "Load.")
SECONDS = Metric("my.otlp.seconds", "histogram", "s", "Seconds.", bounds=(0.1, 1.0))

REFUSALS = {"permanent": ("code: 400", "INVALID_ARGUMENT"), "transient": ("Service Unavailable", "UNAVAILABLE")}
"""What the stock exporters call the refusals of the receivers: over HTTP, over gRPC."""


def its_exporter(protocol, endpoint):
    """A stock exporter that the application made."""
    if protocol == HTTP:
        return http.OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics")
    return grpc.OTLPMetricExporter(endpoint=endpoint)


@pytest.fixture
def pushing(configured, receiver, protocol):
    """Push to the receiver, at a flush and at the end only, unless said otherwise."""

    def of(**arguments):
        return configured(
            **{
                "exporters": "otlp",
                "otlp_protocol": protocol,
                "otlp_endpoint": receiver.endpoint,
                "export_interval": 3600,
                "shutdown_timeout": 10,
                **arguments,
            }
        )

    return of


def test_what_was_recorded_arrives(pushing, receiver):
    with pushing(service_name="bot", trading_mode="paper") as telemetry:
        catalog.counter(JOBS).add(3, {"kind": "a"})
        catalog.gauge(LOAD).set(0.5)
        catalog.histogram(SECONDS).record(0.25)
        telemetry.meter.create_counter("my.own.otlp").add(2)
        assert telemetry.flush(10)
        found = metrics(receiver)
        assert {name: value(found[name]) for name in ("my.otlp.jobs", "my.otlp.load", "my.otlp.seconds", "my.own.otlp")} == {
            "my.otlp.jobs": 3,
            "my.otlp.load": 0.5,
            "my.otlp.seconds": 0.25,
            "my.own.otlp": 2,
        }
    jobs, seconds = found["my.otlp.jobs"], found["my.otlp.seconds"].histogram
    assert (jobs.unit, jobs.description, jobs.sum.is_monotonic) == ("{job}", "Jobs.", True)
    assert [(pair.key, pair.value.string_value) for pair in jobs.sum.data_points[0].attributes] == [("kind", "a")]
    assert jobs.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    assert (list(seconds.data_points[0].explicit_bounds), list(seconds.data_points[0].bucket_counts)) == ([0.1, 1.0], [0, 1, 0])
    assert {"service.name": "bot", "trading.mode": "paper", "telemetry.sdk.name": "opentelemetry"}.items() <= resource(
        receiver
    ).items()


def test_texts_that_utf8_does_not_know_cost_nothing_of_the_batch(pushing, receiver):
    """Ours, and those of an instrumentation on the global provider."""
    half = "half \ud83d"
    with pushing() as telemetry:
        telemetry.meter.create_counter("my.odd", description=half).add(3, {half: half})
        catalog.provider.get_meter("theirs").create_counter("their.odd", description=half).add(4)
        assert telemetry.flush(10)
        found = metrics(receiver)
    assert {name: (found[name].description, value(found[name])) for name in ("my.odd", "their.odd")} == {
        "my.odd": ("half ?", 3),
        "their.odd": ("half ?", 4),
    }
    (point,) = found["my.odd"].sum.data_points
    assert [(pair.key, pair.value.string_value) for pair in point.attributes] == [("half ?", "half ?")]


def test_it_is_pushed_again_and_again(pushing, receiver):
    with pushing(export_interval=0.05):
        for count in (1, 2, 3):
            catalog.counter(JOBS).add(1)
            wait_until(lambda count=count: value(metrics(receiver).get("my.otlp.jobs")) == count, "it arrives by itself")


def test_the_last_values_leave_with_the_end(pushing, receiver):
    telemetry = pushing()
    catalog.counter(JOBS).add(7)
    assert telemetry.shutdown() is True
    assert value(metrics(receiver)["my.otlp.jobs"]) == 7


@pytest.mark.parametrize("how", ["permanent", "transient"])
def test_a_flush_says_whether_it_arrived(pushing, receiver, how):
    with pushing() as telemetry:
        catalog.counter(JOBS).add(1)
        receiver.refuse(how)
        assert telemetry.flush(1) is False
        receiver.refuse(None)
        wait_until(lambda: telemetry.flush(10), "it arrives when it is taken again")
        assert value(metrics(receiver)["my.otlp.jobs"]) == 1


@pytest.mark.parametrize("how", ["permanent", "transient"])
def test_an_outage_is_logged_once_and_so_is_its_end(pushing, receiver, how, caplog):
    """The stock exporters log each attempt: thousands of lines in a night."""
    with pushing() as telemetry:
        catalog.counter(JOBS).add(1)
        for _ in range(2):
            receiver.refuse(how)
            assert telemetry.flush(0.5) is False
            assert telemetry.flush(0.1) is False
            receiver.refuse(None)
            wait_until(lambda: telemetry.flush(10), "it arrives when it is taken again")
    said = [(record.name, record.levelname) for record in caplog.records]
    begins, ends = [record.getMessage() for record in caplog.records][:2]
    assert said == [("otel_trading", "WARNING")] * 4
    assert begins.startswith("otel_trading: metrics do not arrive at the Collector")
    assert any(word in begins for word in REFUSALS[how]), begins
    assert ends == "otel_trading: metrics arrive at the Collector again"


def test_an_exporter_of_the_application_logs_as_it_did(pushing, receiver, protocol, caplog):
    with pushing() as telemetry:
        assert telemetry.flush(10)
        receiver.refuse("permanent")
        theirs = its_exporter(protocol, receiver.endpoint)
        theirs.export(MetricsData([]))
        theirs.shutdown()
        receiver.refuse(None)
    assert [record.levelname for record in caplog.records if record.name.startswith("opentelemetry.exporter")] == ["ERROR"]
    assert "otel_trading" not in {record.name for record in caplog.records}


def test_an_end_says_whether_it_arrived(pushing, receiver):
    telemetry = pushing()
    catalog.counter(JOBS).add(1)
    receiver.refuse("permanent")
    assert telemetry.shutdown() is False
    assert telemetry.shutdown() is False, "and goes on saying it"


def test_headers_are_sent(pushing, receiver):
    with pushing(otlp_headers={"Authorization": "Bearer t0ken", "x-tenant": "a b"}) as telemetry:
        assert telemetry.flush(10)
    headers = {name.lower(): text for name, text in receiver.received[0].headers.items()}
    assert (headers["authorization"], headers["x-tenant"]) == ("Bearer t0ken", "a b")


def test_headers_of_the_variable_are_decoded(pushing, receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t0ken,x-desk=a%2Cb")
    with pushing() as telemetry:
        assert telemetry.flush(10)
    headers = {name.lower(): text for name, text in receiver.received[0].headers.items()}
    assert (headers["authorization"], headers["x-desk"]) == ("Bearer t0ken", "a,b")


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_it_is_compressed_as_asked(pushing, receiver, protocol, monkeypatch, compression):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    with pushing() as telemetry:
        catalog.counter(JOBS).add(1)
        assert telemetry.flush(10)
    assert value(metrics(receiver)["my.otlp.jobs"]) == 1
    if protocol == HTTP:
        assert receiver.received[0].headers.get("Content-Encoding", "none") == compression


@pytest.mark.parametrize(
    ("preference", "differences"),
    [
        ("cumulative", set()),
        ("delta", {"my.otlp.jobs", "my.otlp.seconds", "foreign.jobs"}),
        ("LowMemory", {"my.otlp.jobs", "my.otlp.seconds", "foreign.jobs"}),
    ],
)
def test_the_variable_of_temporality_is_obeyed(pushing, receiver, monkeypatch, preference, differences):
    """For ours and for what other instrumentations record."""
    from opentelemetry.metrics import get_meter

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
    with pushing() as telemetry:
        for _ in range(2):
            catalog.counter(JOBS).add(1)
            catalog.histogram(SECONDS).record(1)
            get_meter("foreign").create_counter("foreign.jobs").add(1)
            get_meter("foreign").create_up_down_counter("foreign.open").add(1)
            assert telemetry.flush(10)
        found = metrics(receiver)
    delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    sums = {
        name: getattr(metric, metric.WhichOneof("data"))
        for name, metric in found.items()
        if metric.WhichOneof("data") != "gauge"
    }
    assert {name for name, data in sums.items() if data.aggregation_temporality == delta} & {
        "my.otlp.jobs",
        "my.otlp.seconds",
        "foreign.jobs",
        "foreign.open",
    } == differences
    expected = 1 if "my.otlp.jobs" in differences else 2
    assert [value(found[name]) for name in ("my.otlp.jobs", "my.otlp.seconds", "foreign.jobs")] == [expected] * 3
    assert value(found["foreign.open"]) == 2


def test_spans_go_to_the_same_place(pushing, receiver):
    with pushing(traces=True) as telemetry:
        with telemetry.tracer.start_as_current_span("order"):
            pass
        assert telemetry.flush(10)
        assert [span.name for span in spans(receiver)] == ["order"]
        telemetry.tracer.start_span("last").end()
    assert [span.name for span in spans(receiver)] == ["order", "last"]


def test_a_flush_says_whether_spans_arrived(pushing, receiver, caplog):
    with pushing(traces=True, exporters="none") as telemetry:
        receiver.refuse("permanent")
        telemetry.tracer.start_span("lost").end()
        assert telemetry.flush(10) is False
        receiver.refuse(None)
        telemetry.tracer.start_span("kept").end()
        assert telemetry.flush(10) is True
    assert [record.getMessage()[:40] for record in caplog.records] == [
        "otel_trading: spans do not arrive at the",
        "otel_trading: spans arrive at the Collec",
    ]


def test_our_own_pushes_are_no_requests_to_a_venue(pushing, receiver):
    """OTLP over HTTP is sent with `requests` too: it would measure itself for ever."""
    with pushing(venue_requests=True, traces=True) as telemetry:
        for _ in range(3):
            assert telemetry.flush(10)
        assert "http.client.duration" not in metrics(receiver)
        assert spans(receiver) == []
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:1/api", timeout=5)
        assert telemetry.flush(10)
        assert "http.client.duration" in metrics(receiver)
        assert len(spans(receiver)) == 1


def test_several_exporters_at_once_each_get_everything(pushing, receiver, tmp_path):
    from tests.harness import one, scrape

    with pushing(exporters="otlp,prometheus,file") as telemetry:
        catalog.counter(JOBS).add(5)
        assert telemetry.flush(10)
        assert value(metrics(receiver)["my.otlp.jobs"]) == 5
        assert one(scrape(telemetry.endpoint_url), "my_otlp_jobs_total") == 5
    assert '"my.otlp.jobs"' in (tmp_path / "otel-trading-metrics.jsonl").read_text()


def test_an_exporter_that_fails_does_not_keep_the_others_waiting(pushing, receiver, tmp_path):
    receiver.refuse("transient")
    with pushing(exporters="otlp,file", shutdown_timeout=1, export_interval=0.05):
        catalog.counter(JOBS).add(5)
        wait_until(lambda: '"my.otlp.jobs"' in (tmp_path / "otel-trading-metrics.jsonl").read_text(), "the file has it")


class TestAddresses:
    """Specification, "OTLP Exporter": the path of the signal is added to a base address, and to nothing else."""

    @pytest.mark.parametrize(
        ("variables", "paths"),
        [
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}"}, {"/v1/metrics", "/v1/traces"}),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}/"}, {"/v1/metrics", "/v1/traces"}),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}/base"}, {"/base/v1/metrics", "/base/v1/traces"}),
            (
                {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{}/m", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{}/trace"},
                {"/m", "/trace"},
            ),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{}/m"}, {"/m", "/v1/traces"}),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{}"}, {"/", "/v1/traces"}),
        ],
        ids=lambda value: " ".join(sorted(value)),  # the same in every process of a parallel run
    )
    def test_over_http(self, configured, monkeypatch, variables, paths):
        with HttpReceiver() as receiver:
            for name, text in variables.items():
                monkeypatch.setenv(name, text.format(receiver.endpoint))
            with configured(exporters="otlp", traces=True, shutdown_timeout=10) as telemetry:
                telemetry.tracer.start_span("x").end()
            assert {received.path for received in receiver.received} == paths

    def test_an_argument_is_a_base(self, configured):
        with HttpReceiver() as receiver:
            with configured(exporters="otlp", otlp_endpoint=f"{receiver.endpoint}/base", shutdown_timeout=10):
                pass
            assert {received.path for received in receiver.received} == {"/base/v1/metrics"}

    @pytest.mark.parametrize("form", ["http://{}", "{}", "http://{}/ignored"])
    def test_over_grpc(self, configured, monkeypatch, form):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_INSECURE", "true")  # what an address without a scheme needs
        with GrpcReceiver() as receiver:
            address = receiver.endpoint.removeprefix("http://")
            with configured(exporters="otlp", otlp_protocol=GRPC, otlp_endpoint=form.format(address), shutdown_timeout=10):
                pass
            assert metrics(receiver)

    def test_each_signal_by_its_own_protocol_to_its_own_place(self, configured, monkeypatch):
        with GrpcReceiver() as grpc, HttpReceiver() as http:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", GRPC)
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", grpc.endpoint)
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", http.endpoint)
            with configured(exporters="otlp", traces=True, shutdown_timeout=10) as telemetry:
                telemetry.tracer.start_span("x").end()
            assert metrics(grpc)
            assert [span.name for span in spans(http)] == ["x"]
            assert not spans(grpc)
            assert not metrics(http)


def test_many_threads_record_while_it_is_pushed_and_nothing_is_lost(pushing, receiver):
    with pushing(export_interval=0.01) as telemetry:
        jobs = catalog.counter(JOBS).bind()
        threads = [threading.Thread(target=lambda: [jobs.add() for _ in range(2000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert telemetry.flush(10)
    assert value(metrics(receiver)["my.otlp.jobs"]) == 8000
    assert not faults.errors
