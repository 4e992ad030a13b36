"""However a bot ends, its last values leave, within the deadline, and whoever ended it sees what it did."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.harness import BlackHole, fetch, free_port, missing_program, require_program, wait_until
from tests.harness.python_programs import Program
from tests.integration.receivers import GrpcReceiver, HttpReceiver, metrics, spans, value

CONFIGURE = """
import otel_trading as ot
from otel_trading.metrics import catalog
from otel_trading.semconv.spec import Metric
telemetry = ot.configure(service_name="bot")
catalog.counter(Metric("my.jobs", "counter", "1", "")).add(4)
"""

FOREVER = """
import time
print("ready")
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def collector():
    with HttpReceiver() as receiver:
        yield receiver


@pytest.fixture
def program(tmp_path, collector):
    """A program that pushes to `collector` at its end only."""

    def of(code, **env):
        settings = {
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(free_port()),
            "OTEL_TRADING_SHUTDOWN_TIMEOUT": "10",
        }
        return Program(tmp_path, code, env={**settings, **env})

    return of


def arrived(collector):
    return value(metrics(collector).get("my.jobs"))


ENDINGS = {
    "the end of the program": ("", 0),
    "sys.exit": ("import sys; sys.exit(3)", 3),
    "an exception": ("raise LookupError('x')", 1),
    "a thread that goes on after the main one": (
        "import threading, time; threading.Thread(target=lambda: time.sleep(0.3)).start()",
        0,
    ),
    "a pool of threads": (
        "import concurrent.futures as f\npool = f.ThreadPoolExecutor(2)\npool.submit(print, 'x')",
        0,
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_last_values_leave_at_the_exit_of_the_interpreter(program, collector, ending):
    """Since Python 3.12 no thread can be started any more by then."""
    code, status = ENDINGS[ending]
    with program(CONFIGURE + "print('ready')\n" + code) as bot:
        assert bot.wait(60) == status
    assert arrived(collector) == 4
    for word in ("can't start new thread", "Exception ignored", "RuntimeError", "Warning"):
        assert word not in bot.output()


def test_everything_leaves_at_the_exit_over_grpc_and_with_spans(tmp_path):
    with GrpcReceiver() as collector:
        env = {
            "OTEL_METRICS_EXPORTER": "otlp,file,console",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_TRADING_SHUTDOWN_TIMEOUT": "10",
        }
        with Program(tmp_path, CONFIGURE + "telemetry.tracer.start_span('last').end()\nprint('ready')", env=env) as bot:
            assert bot.wait(60) == 0
        assert arrived(collector) == 4
        assert [span.name for span in spans(collector)] == ["last"]
    assert '"my.jobs"' in (tmp_path / "otel-trading-metrics.jsonl").read_text()
    assert '"my.jobs"' in bot.output()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_collector_that_swallows_does_not_hold_up_the_exit(tmp_path, protocol):
    with BlackHole() as hole:
        env = {
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_TRADING_TRACES": "true",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{hole.port}",
            "OTEL_TRADING_SHUTDOWN_TIMEOUT": "0.5",
        }
        code = CONFIGURE + "telemetry.tracer.start_span('last').end()\nprint('ready')\ninput()"
        with Program(tmp_path, code, env=env) as bot:
            bot.tell("")
            begun = time.monotonic()
            assert bot.wait(60) == 0
            assert time.monotonic() - begun < 5


class TestSigterm:
    def test_flushed_and_dead_of_the_signal(self, program, collector):
        with program(CONFIGURE + FOREVER) as bot:
            assert bot.stop() == -signal.SIGTERM
        assert arrived(collector) == 4

    def test_the_port_is_free_and_a_restarted_bot_has_it(self, program):
        port = str(free_port())
        with program(CONFIGURE + FOREVER, OTEL_EXPORTER_PROMETHEUS_PORT=port) as bot:
            bot.stop()
            bot.start()
            assert fetch(f"http://127.0.0.1:{port}/healthz").text == "ok\n"

    def test_within_the_deadline_when_the_collector_swallows(self, program):
        with BlackHole() as hole:
            env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{hole.port}", "OTEL_TRADING_SHUTDOWN_TIMEOUT": "0.5"}
            with program(CONFIGURE + FOREVER, **env) as bot:
                begun = time.monotonic()
                assert bot.stop(timeout=30) == -signal.SIGTERM
                assert time.monotonic() - begun < 5

    def test_a_handler_of_the_bot_is_left_alone(self, program, collector):
        handler = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
"""
        for code in (handler + CONFIGURE, CONFIGURE + handler):
            collector.received.clear()
            with program(code + FOREVER) as bot:
                assert bot.stop() == 7
            assert arrived(collector) == 4, "its exit flushes"

    def test_a_bot_that_ignores_the_signal_goes_on(self, program):
        code = (
            "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            + CONFIGURE
            + "print('ready')\ninput()\nprint('went on')"
        )
        with program(code) as bot:
            os.kill(bot.pid, signal.SIGTERM)
            bot.tell("")
            assert bot.wait(60) == 0
        assert "went on" in bot.output()

    def test_configured_in_another_thread_the_default_stays(self, program):
        code = """
import signal, threading
def run():
    import otel_trading as ot
    ot.configure(service_name="bot")
thread = threading.Thread(target=run)
thread.start()
thread.join()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
"""
        with program(code + FOREVER) as bot:
            assert bot.stop() == -signal.SIGTERM

    def test_off_by_a_setting(self, program, collector):
        with program(CONFIGURE + FOREVER, OTEL_TRADING_HANDLE_SIGTERM="false") as bot:
            assert bot.stop() == -signal.SIGTERM
        assert arrived(collector) is None

    def test_in_an_asynchronous_bot(self, program, collector):
        code = """
import asyncio
async def trade():
    print("ready")
    while True:
        await asyncio.sleep(0.05)
asyncio.run(trade())
"""
        with program(CONFIGURE + code) as bot:
            assert bot.stop() == -signal.SIGTERM
        assert arrived(collector) == 4

    def test_an_asynchronous_bot_with_a_handler_of_its_own(self, program, collector):
        code = """
import asyncio, signal
async def trade():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print("ready")
    await stopped.wait()
    print("stopped by itself")
asyncio.run(trade())
"""
        with program(CONFIGURE + code) as bot:
            assert bot.stop() == 0
        assert "stopped by itself" in bot.output()
        assert arrived(collector) == 4

    def test_while_the_bot_records_without_a_pause(self, program, collector):
        """The signal comes in the middle of anything, locks included."""
        code = """
gauge = catalog.gauge(Metric("my.gauge", "gauge", "1", ""))
counter = catalog.counter(Metric("my.many", "counter", "1", ""))
print("ready")
number = 0
while True:
    number += 1
    counter.add(1, {"n": str(number % 50)})
    gauge.set(1)
    gauge.observe(lambda: 1)()
    telemetry.meter.create_counter(f"my.own{number % 1000}").add(1)
"""
        for _ in range(5):
            collector.received.clear()
            with program(CONFIGURE + code) as bot:
                time.sleep(0.1)
                assert bot.stop(timeout=30) == -signal.SIGTERM
            assert arrived(collector) == 4

    def test_in_the_middle_of_a_shutdown(self, program, collector):
        """It is waited for, as long as the deadline is not over."""
        code = """
import threading, os, signal, time
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
stop = catalog.gauge(Metric("my.slow", "gauge", "1", "")).observe(lambda: time.sleep(1) or 1)
print("ready")
telemetry.shutdown()
time.sleep(60)
"""
        with program(CONFIGURE + code) as bot:
            assert bot.wait(60) == -signal.SIGTERM
        assert arrived(collector) == 4

    def test_the_second_configuration_is_flushed_too(self, program, collector):
        code = CONFIGURE + "telemetry.shutdown()\n" + CONFIGURE.replace("add(4)", "add(9)")
        with program(code + FOREVER) as bot:
            assert bot.stop() == -signal.SIGTERM
        assert arrived(collector) == 9

    def test_the_exporters_of_an_application_send_too(self, program, collector):
        code = f"""
from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
exporter = OTLPMetricExporter("{collector.endpoint}/v1/metrics")
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter, 3_600_000)]))
"""
        with program(code + CONFIGURE + FOREVER) as bot:
            assert bot.stop() == -signal.SIGTERM
        assert arrived(collector) == 4

    def test_as_the_first_process_of_a_container(self, program, collector):
        """The kernel does not let process 1 die of a signal that it has no handler for: it has to leave by itself."""
        bot = program(CONFIGURE + FOREVER)
        bot.command = [
            str(require_program("unshare")),
            *("--user", "--map-root-user", "--pid", "--fork", "--kill-child"),
            *bot.command,
        ]
        with bot:
            if not bot.running:
                missing_program(f"this kernel gives no namespaces: {bot.output()}")
            (child,) = wait_until(Path(f"/proc/{bot.pid}/task/{bot.pid}/children").read_text().split, "it runs")
            os.kill(int(child), signal.SIGTERM)
            assert bot.wait(30) == 128 + signal.SIGTERM
        assert arrived(collector) == 4


def test_an_interrupt_of_the_keyboard_flushes(program, collector):
    with program(CONFIGURE + FOREVER) as bot:
        os.kill(bot.pid, signal.SIGINT)
        assert bot.wait(60) == -signal.SIGINT
    assert arrived(collector) == 4
