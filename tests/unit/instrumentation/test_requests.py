"""Requests to a venue are measured and traced, and nothing that signs them or names an account is on metrics, spans or logs."""

from __future__ import annotations

import http.server
import json
import logging
import threading
from urllib.parse import urlsplit

import pytest
import requests
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode

from otel_trading import tracing
from otel_trading.instrumentation.venue_spans import clean
from otel_trading.metrics import faults
from tests.harness import find, refusing_port, scrape

SECRETS = ("s1gnature", "apik3y", "us3r", "passw0rd", "12345678", "DU7654321")
LABELS = {"http_method", "http_scheme", "http_host", "http_status_code", "http_flavor", "net_peer_name", "net_peer_port"}


class Venue(http.server.ThreadingHTTPServer):
    """Answers each path with the status that it ends in, after it has said what it was asked."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append((self.path, dict(self.headers)))
            status = int(last) if (last := urlsplit(self.path).path.rsplit("/", 1)[-1]).isdigit() and len(last) == 3 else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/accounts/12345678/orders?signature=s1gnature")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - the name of the library

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.address = f"127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def venue():
    with Venue() as venue:
        yield venue
        venue.shutdown()


class Seen(Sampler):
    """Samples everything, and remembers what samplers are shown."""

    def __init__(self) -> None:
        self.attributes: list[object] = []

    def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None, trace_state=None):
        self.attributes.append(dict(attributes or {}))
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        return "all"


class Traced:
    def __init__(self, configured) -> None:
        self.sampler, self.exporter = Seen(), InMemorySpanExporter()
        provider = TracerProvider(sampler=self.sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.telemetry = configured(venue_requests=True)
        tracing.attach(provider)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def everything(self) -> str:
        """All that was seen of the requests, as text."""
        spans = [span.to_json() for span in self.spans]
        return json.dumps(
            [spans, self.sampler.attributes, [str(sample) for sample in scrape(self.telemetry.endpoint_url)]], default=str
        )


@pytest.fixture
def traced(configured, caplog):
    caplog.set_level(logging.INFO)
    traced = Traced(configured)
    yield traced
    tracing.attach(None)
    text = traced.everything() + caplog.text
    assert not [secret for secret in SECRETS if secret in text]
    assert not faults.errors


def durations(traced):
    return find(scrape(traced.telemetry.endpoint_url), "http_client_duration_milliseconds_count")


def test_a_signed_request_is_measured_without_its_path(traced, venue):
    answer = requests.get(
        f"http://us3r:passw0rd@{venue.address}/api/v3/order",
        params={"symbol": "BTCUSDT", "timestamp": 1, "apiKey": "apik3y", "signature": "s1gnature"},
        headers={"X-MBX-APIKEY": "apik3y"},
        timeout=10,
    )
    assert answer.ok
    assert "signature=s1gnature" in venue.asked[0][0], "what the venue gets is whole"
    (sample,) = durations(traced)
    assert sample.value == 1
    assert set(sample.labels) <= LABELS
    assert (sample.labels["http_method"], sample.labels["http_status_code"], sample.labels["net_peer_name"]) == (
        "GET",
        "200",
        "127.0.0.1",
    )


def test_a_span_has_the_address_without_what_signs_it(traced, venue):
    requests.post(f"http://us3r:passw0rd@{venue.address}/api/v3/order?signature=s1gnature&apiKey=apik3y#s1gnature", timeout=10)
    (span,) = traced.spans
    assert (span.name, span.kind, span.status.status_code) == ("POST", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.attributes["http.url"] == f"http://{venue.address}/api/v3/order"
    assert span.attributes["http.status_code"] == 200


def test_a_span_has_the_path_without_whose_account_it_is(traced, venue):
    for account in ("12345678", "DU7654321"):
        requests.get(f"http://{venue.address}/accounts/{account}/orders", timeout=10)
    assert [span.attributes["http.url"] for span in traced.spans] == [f"http://{venue.address}/accounts/{{id}}/orders"] * 2
    assert len(durations(traced)) == 1, "all accounts are one series"


def test_samplers_do_not_see_it_either(traced, venue):
    requests.get(f"http://{venue.address}/accounts/12345678/orders?signature=s1gnature", timeout=10)
    assert [attributes["http.url"] for attributes in traced.sampler.attributes] == [
        f"http://{venue.address}/accounts/{{id}}/orders"
    ]


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_refusal_is_an_error_of_the_span_and_a_status_of_the_metric(traced, venue, status):
    requests.get(f"http://{venue.address}/accounts/12345678/{status}?signature=s1gnature", timeout=10)
    (span,), (sample,) = traced.spans, durations(traced)
    assert span.status.status_code is StatusCode.ERROR
    assert sample.labels["http_status_code"] == str(status)


def test_a_redirection_is_followed_within_one_span(traced, venue):
    assert requests.get(f"http://{venue.address}/x/302", timeout=10).ok
    assert len(venue.asked) == 2
    assert len(traced.spans) == 1


def test_an_exception_quotes_the_address_and_reaches_the_bot_whole_but_not_the_span(traced):
    """The message of requests' exceptions has the path and the query in it."""
    with refusing_port() as port:
        url = f"http://127.0.0.1:{port}/accounts/12345678/orders?signature=s1gnature&apiKey=apik3y"
        with pytest.raises(requests.ConnectionError, match="s1gnature"):
            requests.get(url, timeout=10)
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.events == ()
    assert span.attributes["error.type"] == "ConnectionError"
    (sample,) = durations(traced)
    assert set(sample.labels) <= LABELS


def test_a_time_out_is_no_different(traced, venue, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(venue.Handler, "do_GET", lambda _: gate.wait(10))
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"http://{venue.address}/accounts/12345678/orders?signature=s1gnature", timeout=0.1)
    gate.set()
    (span,) = traced.spans
    assert (span.attributes["error.type"], span.events) == ("ReadTimeout", ())


@pytest.mark.usefixtures("traced")
def test_an_address_that_is_none_is_the_bots_error_and_nothing_of_it_is_seen():
    with pytest.raises(requests.exceptions.RequestException):
        requests.get("http://us3r:passw0rd@[::1/accounts/12345678?signature=s1gnature", timeout=10)


def test_a_session_is_watched_too(traced, venue):
    with requests.Session() as session:
        session.headers["X-MBX-APIKEY"] = "apik3y"
        for _ in range(3):
            session.get(f"http://{venue.address}/api?signature=s1gnature", timeout=10)
    assert len(traced.spans) == 3
    assert durations(traced)[0].value == 3


def test_without_traces_there_are_metrics_and_no_headers_of_ours(configured, venue):
    with configured(venue_requests=True) as telemetry:
        requests.get(f"http://{venue.address}/api", timeout=10)
        assert find(scrape(telemetry.endpoint_url), "http_client_duration_milliseconds_count")[0].value == 1
    assert "traceparent" not in {name.lower() for name in venue.asked[0][1]}


def is_watched():
    return hasattr(requests.Session.send, "opentelemetry_instrumentation_requests_applied")


def test_the_library_is_as_it_was_after_the_end_and_watched_again_by_the_next(configured, venue):
    before = requests.Session.send
    for round_ in (1, 2):
        with configured(venue_requests=True) as telemetry:
            assert is_watched()
            requests.get(f"http://{venue.address}/api", timeout=10)
            (sample,) = find(scrape(telemetry.endpoint_url), "http_client_duration_milliseconds_count")
            assert sample.value == 1, round_
        assert requests.Session.send is before


@pytest.mark.parametrize("by", ["argument", "variable of ours", "variable of OpenTelemetry"])
def test_it_is_left_out_where_a_setting_says_so(configured, monkeypatch, by):
    if by == "variable of ours":
        monkeypatch.setenv("OTEL_TRADING_VENUE_REQUESTS", "false")
    if by == "variable of OpenTelemetry":
        monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests")
    with configured(venue_requests={"argument": False, "variable of ours": None}.get(by, True)):
        assert not is_watched()


def test_an_application_that_watches_requests_itself_keeps_its_own(configured, venue):
    reader = InMemoryMetricReader()
    theirs = MeterProvider([reader], shutdown_on_exit=False)
    RequestsInstrumentor().instrument(meter_provider=theirs)
    try:
        with configured(venue_requests=True) as telemetry:
            requests.get(f"http://{venue.address}/api", timeout=10)
            assert not find(scrape(telemetry.endpoint_url), "http_client_duration_milliseconds_count")
        assert is_watched(), "an end of ours is not an end of theirs"
        assert reader.get_metrics_data() is not None
    finally:
        RequestsInstrumentor().uninstrument()
        theirs.shutdown()


def test_an_application_that_stops_watching_while_we_run_is_no_fault(configured, caplog):
    with configured(venue_requests=True):
        RequestsInstrumentor().uninstrument()
    assert not is_watched()
    assert not caplog.records


def test_attributes_of_every_convention_are_cleaned():
    address = "https://us3r:passw0rd@h/accounts/12345678/x?signature=s1gnature"
    cleaned = clean(
        {
            "http.url": address,
            "url.full": address,
            "http.target": "/accounts/12345678/x?signature=s1gnature",
            "url.path": "/accounts/12345678/x",
            "url.query": "signature=s1gnature",
            "http.method": "GET",
        }
    )
    assert cleaned == {
        "http.url": "https://h/accounts/{id}/x",
        "url.full": "https://h/accounts/{id}/x",
        "http.target": "/accounts/{id}/x",
        "url.path": "/accounts/{id}/x",
        "http.method": "GET",
    }
