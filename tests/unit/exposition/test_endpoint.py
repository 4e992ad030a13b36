"""The endpoint answers `/metrics` and `/healthz`, in each format that is asked for, and nothing else."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_trading.errors import ConfigurationError
from otel_trading.exposition import endpoint as endpoint_module
from otel_trading.exposition.endpoint import Endpoint
from otel_trading.metrics import catalog, faults
from otel_trading.semconv.metrics import ORDER_DURATION, POSITION_SIZE
from tests.harness import one, scrape


class Request:
    """One request as it is, over a connection of its own."""

    def __init__(
        self, url: str, method: str = "GET", path: str = "/metrics", body: bytes | None = None, **headers: str
    ) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        connection.close()


@pytest.fixture
def url(configured):
    with configured() as telemetry:
        catalog.histogram(ORDER_DURATION).record(0.2, {"trading.venue.name": "kraken"})
        catalog.gauge(POSITION_SIZE).set(2, {"trading.instrument.symbol": 'a"b\\c\nd€'})
        telemetry.meter.create_counter("my.own.things").add(1)
        yield telemetry.endpoint_url
        catalog.gauge(POSITION_SIZE).remove({"trading.instrument.symbol": 'a"b\\c\nd€'})


def test_metrics_are_text_by_default(url):
    answer = Request(url)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    samples = [sample for family in parse_text(answer.body.decode()) for sample in family.samples]
    assert {"trading_order_duration_seconds_bucket", "my_own_things_total", "target_info"} <= {
        sample.name for sample in samples
    }


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=1.0.0",
        "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",  # Prometheus 2.42
    ],
)
def test_openmetrics_is_answered_to_who_takes_it_and_is_valid(url, accept):
    answer = Request(url, Accept=accept)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=")
    families = {family.name: family for family in parse_openmetrics(answer.body.decode())}
    assert families["trading_order_duration_seconds"].unit == "seconds"
    assert families["trading_order_duration_seconds"].type == "histogram"
    assert [sample.labels["trading_instrument_symbol"] for sample in families["trading_position_size"].samples] == [
        'a"b\\c\nd€'
    ]


@pytest.mark.parametrize("accept", ["text/plain", "*/*", "", "text/html", "application/json", "nonsense;;;q=x"])
def test_whoever_takes_something_else_gets_text(url, accept):
    assert Request(url, Accept=accept).headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_compressed_for_who_takes_it(url):
    answer = Request(url, Accept_Encoding="deflate, gzip;q=1.0")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert b"trading_order_duration_seconds_bucket" in gzip.decompress(answer.body)
    assert Request(url, Accept_Encoding="identity").headers["Content-Encoding"] is None


def test_what_is_accepted_may_come_in_several_lines(url):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.putrequest("GET", "/metrics", skip_accept_encoding=True)
    lines = (("Accept", "text/plain; q=0.1"), ("Accept", "application/openmetrics-text"), ("Accept-Encoding", "br"))
    for name, value in (*lines, ("Accept-Encoding", "gzip")):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert list(parse_openmetrics(gzip.decompress(answer.read()).decode()))
    connection.close()


def test_a_head_is_answered_without_a_body_but_with_its_length(url):
    answer = Request(url, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


def test_healthy_while_it_serves(url):
    answer = Request(url, path="/healthz")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"ok\n", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    ["/", "/metrics/", "/metric", "/metricsx", "/favicon.ico", "/../metrics", "/healthz/x", "//x", "*", "http://x/metrics"],
)
def test_anything_else_is_not_found(url, path):
    assert Request(url, path=path).status == 404


def test_a_query_changes_nothing(url):
    """prometheus_client would answer `name[]` with nothing at all here."""
    assert b"my_own_things_total" in Request(url, path="/metrics?name[]=my_own_things_total&x=1").body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/other"])
def test_only_get_and_head_are_allowed(url, method, path):
    answer = Request(url, method, path, b"x" * 100_000 if method == "POST" else None)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_each_answer_ends_its_connection(url):
    assert Request(url).headers["Connection"] == "close"


def test_scrapes_at_once_are_all_complete(url):
    """OpenTelemetry's reader gives concurrent scrapes an empty body and a doubled one."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: Request(url, Accept="application/openmetrics-text; version=1.0.0"), range(60)))
    lines = {answer.body.count(b"\n") for answer in answers}
    assert {answer.status for answer in answers} == {200}
    assert len(lines) == 1, lines
    for answer in answers:
        list(parse_openmetrics(answer.body.decode()))  # raises on a family that is there twice


def test_the_names_are_those_of_the_vocabulary(url):
    samples = scrape(url, openmetrics=True)
    assert one(samples, "trading_order_duration_seconds_count", trading_venue_name="kraken") == 1
    assert one(samples, "trading_order_duration_seconds_bucket", le="0.25") == 1
    assert one(samples, "trading_order_duration_seconds_bucket", le="0.1") == 0
    assert not [sample for sample in samples if any(key.startswith("otel_scope") for key in sample.labels)]


def test_an_ipv6_address_is_served(configured):
    with configured(prometheus_host="::1") as telemetry:
        assert telemetry.endpoint_url.startswith("http://[::1]:")
        with urllib.request.urlopen(telemetry.endpoint_url, timeout=10) as answer:
            assert answer.status == 200


def test_another_loopback_address_and_a_name_are_served(configured):
    for host in ("127.0.0.5", "localhost"):
        with configured(prometheus_host=host) as telemetry:
            assert telemetry.endpoint_url.startswith(f"http://{host}:")
            assert Request(telemetry.endpoint_url).status == 200


def test_another_address_is_served_where_it_is_permitted(configured):
    with configured(prometheus_host="0.0.0.0", allow_unauthenticated=True) as telemetry:  # noqa: S104 - what is tested
        assert Request(telemetry.endpoint_url.replace("0.0.0.0", "127.0.0.1")).status == 200  # noqa: S104


class Shown:
    """An exposition of what a function returns."""

    def __init__(self, text=lambda: b"g 1\n"):
        self.text = text

    def render(self, *, openmetrics: bool) -> bytes:
        return self.text()


@pytest.fixture
def serve():
    """Serve what a function returns."""
    served = []

    def of(text) -> str:
        endpoint = Endpoint("127.0.0.1", 0, Shown(text))
        endpoint.start()
        served.append(endpoint)
        return endpoint.url

    yield of
    for endpoint in served:
        endpoint.release()


def test_a_collection_that_fails_is_a_500_counted_and_logged_once(serve, caplog):
    fails = threading.Event()

    def text():
        if fails.is_set():
            raise OSError("https://u:s3cr3t@x/")
        return b"g 1\n"

    url = serve(text)
    fails.set()
    answers = [Request(url) for _ in range(3)]
    assert {answer.status for answer in answers} == {500}
    assert b"s3cr3t" not in b"".join(answer.body for answer in answers)
    assert faults.errors["endpoint", "OSError"] == 3
    assert len(caplog.records) == 1
    assert "s3cr3t" not in caplog.text
    fails.clear()
    assert Request(url).body == b"g 1\n"


def test_a_collection_that_hangs_is_a_503_and_health_is_answered_meanwhile(serve, monkeypatch):
    monkeypatch.setattr(endpoint_module, "SCRAPE_SECONDS", 0.2)
    gate = threading.Event()
    url = serve(lambda: b"g 1\n" if gate.wait(30) else b"")
    assert Request(url).status == 503
    assert Request(url).status == 503, "the next one waits for its turn no longer"
    assert Request(url, path="/healthz").status == 200
    gate.set()
    monkeypatch.setattr(endpoint_module, "SCRAPE_SECONDS", 10)
    assert Request(url).status == 200


def test_an_endpoint_that_ended_answers_no_more_and_one_that_never_began_ends_too():
    endpoint = Endpoint("127.0.0.1", 0, Shown())
    assert endpoint.url is None
    endpoint.release()
    endpoint = Endpoint("127.0.0.1", 0, Shown())
    endpoint.start()
    url = endpoint.url
    assert endpoint.stop().result(10) is True
    assert endpoint.stop() is endpoint.stop()
    assert endpoint.url is None
    with pytest.raises(ConnectionRefusedError):
        Request(url)


def test_a_taken_port_is_said_in_a_configuration_error():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=rf"prometheus_port {port} on 127\.0\.0\.1 cannot be served: another program has it"
        ):
            Endpoint("127.0.0.1", port, Shown()).start()
