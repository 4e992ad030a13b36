"""A real Prometheus takes what the bot shows, in both formats, and holds the same values."""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.harness import Process, Prometheus, fetch, job, scrape, wait_until
from tests.harness.exposition import OPENMETRICS

TEXT = "text/plain; version=0.0.4"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "00f067aa0ba902b7"

PROGRAM = f"""
import sys
import otel_trading as ot
from opentelemetry import trace
from opentelemetry.metrics import Observation
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
telemetry = ot.configure(service_name="exposed", prometheus_port=0, system_metrics=False)
meter = telemetry.meter
odd = {{"text": 'q"\\\\ \\n ü', "n": 1}}
meter.create_counter("my.work", "s", 'a "quoted" \\\\n text\\nof two lines').add(0.1 + 0.2, odd)
meter.create_up_down_counter("my.queue", "1").add(-3, odd)
meter.create_gauge("my.share", "%").set(1e22)
meter.create_gauge("my.tiny").set(1e-9)
meter.create_gauge("my.large", "By").set(2**53 + 1)
meter.create_observable_counter("my.traffic", [lambda _: [Observation(7, odd)]], "By")
meter.create_observable_up_down_counter("my.open", [lambda _: [Observation(-7)]], "{{order}}")
meter.create_observable_gauge("my.pace", [lambda _: [Observation(1.5)]], "1/s")
delay = meter.create_histogram("my.delay", "ms", explicit_bucket_boundaries_advisory=[1e-9, 0.5, 1.0])
span = trace.SpanContext(0x{TRACE_ID}, 0x{SPAN_ID}, is_remote=False, trace_flags=trace.TraceFlags(1))
with trace.use_span(trace.NonRecordingSpan(span)):
    delay.record(0.75, odd)
print(telemetry.endpoint_url, flush=True)
sys.stdin.read()
"""


class ExposedBot(Process):
    """A bot that uses each kind of instrument once."""

    def __init__(self, directory) -> None:
        super().__init__("exposed", [sys.executable, "-c", PROGRAM], directory=directory)

    @property
    def url(self) -> str:
        return next((line for line in self.output().splitlines() if line.startswith("http://")), "")

    def ready(self) -> bool:
        return bool(self.url)


class Between(ThreadingHTTPServer):
    """Stands between Prometheus and the bot: notes what is asked and answered, and may ask for another format itself.

    Prometheus 2.42 cannot be told which format to ask for.
    """

    daemon_threads = True

    def __init__(self, url: str, accept: str | None) -> None:
        self.exchanges: list[tuple[str, str]] = []
        """What Prometheus accepted, and the type of the content that it got."""

        class Handler(BaseHTTPRequestHandler):
            server: Between

            def do_GET(self) -> None:
                asked = self.headers.get("Accept", "")
                answer = fetch(url, accept=accept or asked)
                self.server.exchanges.append((asked, answer.content_type))
                body = answer.text.encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/metrics"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    with ExposedBot(tmp_path_factory.mktemp("bot")) as bot:
        yield bot


@pytest.fixture(scope="module")
def between(bot):
    servers = {"openmetrics": Between(bot.url, None), "text": Between(bot.url, TEXT)}
    yield servers
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def prometheus(between, tmp_path_factory):
    """It holds what it scraped in each format, as a job of that name."""
    jobs = [job(name, server.url) for name, server in between.items()]
    directory = tmp_path_factory.mktemp("prometheus")
    with Prometheus(jobs, directory=directory, arguments=["--enable-feature=exemplar-storage"]) as prometheus:
        prometheus.wait_for("my_pace_per_second", lambda found: len(found) == 2)
        yield prometheus


def test_prometheus_asks_for_openmetrics_and_gets_what_it_asks_for(prometheus, between):
    (asked, got), *_ = between["openmetrics"].exchanges
    assert OPENMETRICS.split(";")[0] in asked
    assert got.startswith("application/openmetrics-text; version=1.0.0")
    assert between["text"].exchanges[0][1].startswith("text/plain; version=0.0.4")
    assert {sample.value for sample in prometheus.query("up")} == {1}


@pytest.mark.parametrize("name", ["text", "openmetrics"])
def test_prometheus_holds_the_series_and_values_that_the_bot_shows(prometheus, bot, name):
    shown = {(s.name, *sorted(s.labels.items())): s.value for s in scrape(bot.url) if s.name.startswith("my_")}
    held = {}
    for sample in prometheus.query(f'{{__name__=~"my_.*", job="{name}"}}'):
        labels = {key: value for key, value in sample.labels.items() if key not in {"job", "instance"}}
        held[(sample.name, *sorted(labels.items()))] = sample.value
    assert held == shown
    odd = (("n", "1"), ("text", 'q"\\ \n ü'))
    assert held[("my_work_seconds_total", *odd)] == 0.1 + 0.2
    assert (held["my_share_percent",], held["my_tiny",], held["my_large_bytes",]) == (1e22, 1e-9, 2.0**53)
    assert {"my_delay_milliseconds_bucket", "my_queue", "my_traffic_bytes_total", "my_open"} <= {key[0] for key in held}


@pytest.mark.parametrize("name", ["text", "openmetrics"])
def test_prometheus_knows_the_kind_and_help_of_each_metric(prometheus, name):
    told = {
        data["metric"]: (data["type"], data["help"])
        for data in prometheus.get("targets/metadata", match_target=f'{{job="{name}"}}')
        if data["metric"].startswith("my_")
    }
    total = "_total" if name == "text" else ""
    assert told[f"my_work_seconds{total}"] == ("counter", 'a "quoted" \\n text\nof two lines')
    assert {metric: kind for metric, (kind, _) in told.items()} == {
        f"my_work_seconds{total}": "counter",
        f"my_traffic_bytes{total}": "counter",
        "my_queue": "gauge",
        "my_share_percent": "gauge",
        "my_tiny": "gauge",
        "my_large_bytes": "gauge",
        "my_open": "gauge",
        "my_pace_per_second": "gauge",
        "my_delay_milliseconds": "histogram",
    }


def test_an_exemplar_arrives_by_openmetrics(prometheus):
    now = time.time()

    def exemplars():
        return prometheus.get("query_exemplars", query="my_delay_milliseconds_bucket", start=str(now - 600), end=str(now + 60))

    (found,) = wait_until(exemplars, "Prometheus has an exemplar")
    assert found["seriesLabels"]["job"] == "openmetrics"
    assert found["seriesLabels"]["le"] == "1.0"
    (exemplar,) = found["exemplars"]
    assert exemplar["labels"] == {"trace_id": TRACE_ID, "span_id": SPAN_ID}
    assert float(exemplar["value"]) == 0.75
    assert now - 600 < exemplar["timestamp"] < now + 60
