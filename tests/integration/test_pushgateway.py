"""The real Pushgateway: for a job that ends before anybody scrapes it."""

from __future__ import annotations

import http.server
import threading
import time

import pytest

from otel_trading.metrics import catalog, faults
from otel_trading.semconv.spec import Metric
from tests.harness import BlackHole, Pushgateway, find, one, refusing_port, wait_until

JOBS = Metric("my.push.jobs", "counter", "{job}", "Jobs.")
SIZE = Metric("my.push.size", "gauge", "1", "Size.", ends_at_zero=True)


@pytest.fixture
def gateway(tmp_path):
    with Pushgateway(directory=tmp_path) as gateway:
        yield gateway


@pytest.fixture
def pushing(configured):
    def to(url, **arguments):
        options = {"exporters": "pushgateway", "pushgateway_url": url, "export_interval": 3600, "service_instance_id": "i-1"}
        return configured(**{**options, "shutdown_timeout": 10, **arguments})

    return to


def test_the_last_values_stay_after_the_end(pushing, gateway):
    with pushing(gateway.url):
        catalog.counter(JOBS).add(3)
    samples = gateway.scrape()
    assert one(samples, "my_push_jobs_total", job="test-bot", instance="i-1") == 3
    assert one(samples, "target_info", job="test-bot", service_name="test-bot") == 1


def test_a_flush_pushes_at_once_and_again_and_again_by_itself(pushing, gateway):
    with pushing(gateway.url, export_interval=0.05) as telemetry:
        catalog.counter(JOBS).add(1)
        assert telemetry.flush(10)
        assert one(gateway.scrape(), "my_push_jobs_total", job="test-bot") == 1
        catalog.counter(JOBS).add(1)
        wait_until(lambda: one(gateway.scrape(), "my_push_jobs_total", job="test-bot") == 2, "it comes by itself")


def test_what_has_ended_is_gone_from_the_gateway(pushing, gateway):
    with pushing(gateway.url) as telemetry:
        catalog.gauge(SIZE).set(5, {"symbol": "a"})
        catalog.gauge(SIZE).set(6, {"symbol": "b"})
        seen = []
        for _ in range(4):
            assert telemetry.flush(10)
            seen.append({s.labels["symbol"]: s.value for s in find(gateway.scrape(), "my_push_size")})
            catalog.gauge(SIZE).remove({"symbol": "a"})
    assert seen == [{"a": 5, "b": 6}, {"a": 0, "b": 6}, {"a": 0, "b": 6}, {"b": 6}]
    catalog.gauge(SIZE).remove({"symbol": "b"})


def test_the_group_is_removed_at_the_end_where_a_setting_asks_for_it(pushing, gateway):
    with pushing(gateway.url, pushgateway_delete_on_shutdown=True) as telemetry:
        catalog.counter(JOBS).add(3)
        assert telemetry.flush(10)
        assert find(gateway.scrape(), "my_push_jobs_total")
    assert not find(gateway.scrape(), "my_push_jobs_total", job="test-bot")


@pytest.mark.parametrize("name", ["a/b", "a b", "ключ"])
def test_a_name_of_any_letters_is_a_group(pushing, gateway, name):
    with pushing(gateway.url, service_name=name):
        catalog.counter(JOBS).add(3)
    assert one(gateway.scrape(), "my_push_jobs_total", job=name) == 3


def test_a_gateway_that_is_not_there_is_said_once_and_holds_nothing_up(pushing, caplog):
    with refusing_port() as port:
        telemetry = pushing(f"http://127.0.0.1:{port}", export_interval=0.01)
        wait_until(lambda: faults.errors["pushgateway", "URLError"] >= 3, "it is tried again and again")
        assert telemetry.flush(10) is False
        assert telemetry.shutdown() is False
    (said,) = [record.getMessage() for record in caplog.records if "pushgateway" in record.getMessage()]
    assert said.startswith(f"otel_trading: pushgateway failed at http://127.0.0.1:{port}, which is said once; the bot is not")
    assert "Connection refused" in said
    assert "Traceback" not in said


def test_a_gateway_that_swallows_does_not_hold_up_the_end(pushing):
    with BlackHole() as hole:
        telemetry = pushing(f"http://127.0.0.1:{hole.port}", export_interval=0.01, shutdown_timeout=0.5)
        wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
        begun = time.monotonic()
        assert telemetry.shutdown() is False
        assert time.monotonic() - begun < 4


def test_a_gateway_with_a_password_gets_it_and_nobody_else(pushing, caplog):
    asked = []

    class Guarded(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(401 if len(asked) > 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with pushing(f"http://jane:s3cr3t%2F@127.0.0.1:{server.server_port}") as telemetry:
            assert telemetry.flush(10)
            assert telemetry.flush(10) is False
        server.shutdown()
    assert asked[0] == ("/metrics/job/test-bot/instance/i-1", "Basic amFuZTpzM2NyM3Qv")
    assert "s3cr3t" not in caplog.text
