"""A Collector that refuses or swallows holds nothing up: not the bot's calls, not a flush, not the end, not the exit."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from otel_trading.metrics import catalog, faults
from otel_trading.semconv.spec import Metric
from tests.harness import BlackHole, free_port, refusing_port, wait_until

JOBS = Metric("my.stopping.jobs", "counter", "{job}", "Jobs.")

TIMEOUT = 1.0
SLACK = 3.0
"""Seconds that a busy machine may take longer; without a deadline of ours it would be 10 seconds and more."""


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True


def timed(call, *arguments):
    begun = time.monotonic()
    return call(*arguments), time.monotonic() - begun


@pytest.fixture
def stubborn(configured, protocol):
    """Metrics and spans to a Collector that does not do what it should, and the endpoint beside them."""

    def to(port, **arguments):
        return configured(
            **{
                "exporters": "prometheus,otlp",
                "prometheus_port": free_port(),
                "otlp_protocol": protocol,
                "otlp_endpoint": f"http://127.0.0.1:{port}",
                "export_interval": 0.05,
                "traces": True,
                "shutdown_timeout": TIMEOUT,
                **arguments,
            }
        )

    return to


@pytest.fixture(params=["swallows", "refuses"])
def port(request):
    if request.param == "refuses":
        with refusing_port() as port:
            yield port
    else:
        with BlackHole() as hole:
            yield hole.port


def test_the_end_keeps_its_deadline(stubborn, port):
    telemetry = stubborn(port)
    catalog.counter(JOBS).add(1)
    telemetry.tracer.start_span("x").end()
    arrived, seconds = timed(telemetry.shutdown)
    assert arrived is False
    assert seconds < TIMEOUT + SLACK
    assert is_free(telemetry.settings.prometheus_port)
    assert not catalog.active()


def test_the_end_keeps_a_deadline_of_its_own(stubborn, port):
    telemetry = stubborn(port, shutdown_timeout=60)
    arrived, seconds = timed(telemetry.shutdown, 0.2)
    assert arrived is False
    assert seconds < 0.2 + SLACK


def test_a_flush_keeps_its_deadline_and_says_that_nothing_arrived(stubborn, port):
    telemetry = stubborn(port)
    catalog.counter(JOBS).add(1)
    telemetry.tracer.start_span("x").end()
    arrived, seconds = timed(telemetry.flush, TIMEOUT)
    assert arrived is False
    assert seconds < TIMEOUT + SLACK
    _, seconds = timed(telemetry.shutdown)
    assert seconds < TIMEOUT + SLACK
    assert is_free(telemetry.settings.prometheus_port)


def test_the_end_keeps_its_deadline_while_a_push_hangs(stubborn):
    with BlackHole() as hole:
        telemetry = stubborn(hole.port)
        wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
        arrived, seconds = timed(telemetry.shutdown)
        assert arrived is False
        assert seconds < TIMEOUT + SLACK
        assert is_free(telemetry.settings.prometheus_port)


def test_recording_does_not_wait_while_a_push_hangs(stubborn):
    with BlackHole() as hole, stubborn(hole.port):
        wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
        _, seconds = timed(lambda: [catalog.counter(JOBS).add(1) for _ in range(10_000)])
        assert seconds < SLACK


def test_a_scrape_is_answered_while_a_push_hangs(stubborn):
    from tests.harness import one, scrape

    with BlackHole() as hole, stubborn(hole.port) as telemetry:
        wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
        catalog.counter(JOBS).add(3)
        assert one(scrape(telemetry.endpoint_url), "my_stopping_jobs_total") == 3


def test_the_next_configuration_starts_while_the_last_push_still_hangs(stubborn):
    with BlackHole() as hole:
        for _ in range(2):
            telemetry = stubborn(hole.port, traces=False)
            wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
            telemetry.shutdown(0.1)


def test_the_threads_of_an_abandoned_push_end_when_it_does(stubborn):
    """They are not waited for, but they do not stay for ever either."""
    before = set(threading.enumerate())
    with BlackHole() as hole:
        telemetry = stubborn(hole.port)
        wait_until(lambda: hole.received, "a push has been sent and waits for its answer")
        telemetry.shutdown(0.1)

    def left():
        ours = {thread for thread in threading.enumerate() if thread.name.startswith(("otel-trading", "Otel"))}
        return ours - before

    wait_until(lambda: not left(), "the threads are gone")


def test_a_hanging_callback_does_not_hold_up_the_end(configured):
    """Nor is what it hands over after the end a fault of ours."""
    before = set(threading.enumerate())
    gate, inside = threading.Event(), threading.Event()

    def hang() -> float:
        inside.set()
        gate.wait(60)
        return 1.0

    stop = catalog.gauge(Metric("my.stopping.hanging", "gauge", "1", "")).observe(hang)
    telemetry = configured(exporters="prometheus,file", export_interval=0.05, shutdown_timeout=TIMEOUT)
    try:
        assert inside.wait(30)
        arrived, seconds = timed(telemetry.shutdown)
        assert arrived is False
        assert seconds < TIMEOUT + SLACK
        errors = faults.errors.copy()
    finally:
        gate.set()
        stop()
    wait_until(lambda: not set(threading.enumerate()) - before, "its thread has ended")
    assert faults.errors == errors
