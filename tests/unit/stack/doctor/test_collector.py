"""What the bot pushes to: reached and willing, or why not."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from otel_trading.pipeline.settings import Settings
from otel_trading.stack.doctor.collector import check
from tests.harness import refusing_port


def pushing(endpoint: str, **more) -> Settings:
    return Settings.model_validate({"exporters": "otlp", "otlp_endpoint": endpoint, **more})


@pytest.fixture
def answering():
    """A server that gives each POST this status and keeps its headers."""
    servers, heard = [], []

    def start(status: int) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(self.headers)
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1/metrics"

    yield start, heard
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_collector_that_is_down_is_named_with_its_address_and_how_to_start_it(protocol, caplog):
    with refusing_port() as port:
        [finding] = check(pushing(f"http://127.0.0.1:{port}", otlp_protocol=protocol))

    assert finding.status == "wrong"
    assert finding.says == f"the Collector is not at http://127.0.0.1:{port} ({protocol}): nobody listens there"
    assert "otel-trading stack up --local" in finding.mend
    assert not caplog.records, "what the exporter logs is in the finding"


def test_one_that_takes_the_batch_is_right_and_got_the_headers(answering):
    start, heard = answering

    [finding] = check(pushing(start(200), otlp_headers={"Authorization": "Bearer hush"}))

    assert finding.status == "ok"
    assert heard[0]["Authorization"] == "Bearer hush"


@pytest.mark.parametrize("status", [401, 403])
def test_one_that_refuses_the_token_is_told_of_without_the_token(status, answering):
    start, _ = answering

    [finding] = check(pushing(start(status), otlp_headers={"authorization": "Bearer hush"}))

    assert finding.status == "wrong"
    assert "OTEL_EXPORTER_OTLP_HEADERS" in finding.mend
    assert "hush" not in str(finding)


def test_a_server_that_is_no_collector_is_told_of(answering):
    start, _ = answering

    [finding] = check(pushing(start(404)))

    assert finding.status == "wrong"
    assert "listens, but did not take an empty batch" in finding.says


def test_a_host_that_does_not_exist_is_told_of():
    [finding] = check(pushing("http://no-such-host.invalid:4318/v1/metrics"))

    assert finding.status == "wrong"
    assert "there is no host of that name" in finding.says


def test_user_and_password_in_the_address_are_not_shown():
    with refusing_port() as port:
        [finding] = check(pushing(f"http://me:hush@127.0.0.1:{port}/v1/metrics"))

    assert "hush" not in str(finding)


def test_spans_are_looked_at_where_they_are_sent(answering):
    start, _ = answering
    with refusing_port() as port:
        spans = f"http://127.0.0.1:{port}/v1/traces"
        metrics, traces = check(pushing(start(200), traces=True, otlp_traces_endpoint=spans))

    assert (metrics.status, traces.status) == ("ok", "wrong")
    assert traces.check == "collector (spans)"


def test_a_pushgateway_that_is_down_is_named_without_its_password():
    with refusing_port() as port:
        url = f"http://me:hush@127.0.0.1:{port}"
        [finding] = check(Settings.model_validate({"exporters": "pushgateway", "pushgateway_url": url}))

    assert finding.status == "wrong"
    assert f"127.0.0.1:{port}" in finding.says
    assert "hush" not in str(finding)


def test_who_only_is_scraped_needs_no_collector():
    assert check(Settings()) == []
