"""OpenTelemetry's own configuration file makes the providers; ours are left to them, as to any application's."""

from __future__ import annotations

import pytest

from tests.harness import free_port, one, scrape, wait_until
from tests.harness.python_programs import Program, run
from tests.integration.receivers import HttpReceiver, metrics, resource, spans, value

BOT = """
import otel_trading as ot
from otel_trading.metrics import catalog
from otel_trading.semconv.spec import Metric
telemetry = ot.configure({arguments})
catalog.counter(Metric("my.jobs", "counter", "1", "")).add(4)
"""


def declared(endpoint, interval=3_600_000):
    return f"""
file_format: "1.0"
resource:
  attributes:
    - name: service.name
      value: declared-bot
meter_provider:
  readers:
    - periodic:
        interval: {interval}
        exporter:
          otlp_http:
            endpoint: {endpoint}/v1/metrics
tracer_provider:
  processors:
    - simple:
        exporter:
          otlp_http:
            endpoint: {endpoint}/v1/traces
"""


@pytest.fixture
def collector():
    with HttpReceiver() as receiver:
        yield receiver


def test_what_was_recorded_goes_where_the_file_says(tmp_path, collector):
    (tmp_path / "otel.yaml").write_text(declared(collector.endpoint))
    code = (
        BOT.format(arguments="traces=True")
        + """
telemetry.tracer.start_span("order").end()
assert telemetry.endpoint_url is None
assert telemetry.flush(10)
"""
    )
    run(tmp_path, code, env={"OTEL_CONFIG_FILE": "otel.yaml"})
    assert value(metrics(collector)["my.jobs"]) == 4
    route = metrics(collector)["trading.sdk.route"].gauge.data_points[0]
    assert route.attributes[0].value.string_value == "application"
    assert [span.name for span in spans(collector)] == ["order"]
    assert resource(collector)["service.name"] == "declared-bot"


def test_the_last_values_leave_at_the_exit_and_when_it_is_terminated(tmp_path, collector):
    (tmp_path / "otel.yaml").write_text(declared(collector.endpoint))
    run(tmp_path, BOT.format(arguments=""), env={"OTEL_CONFIG_FILE": "otel.yaml"})
    assert value(metrics(collector)["my.jobs"]) == 4
    collector.received.clear()
    code = BOT.format(arguments="") + "print('ready')\nimport time\ntime.sleep(60)\n"
    with Program(tmp_path, code, env={"OTEL_CONFIG_FILE": "otel.yaml"}) as bot:
        bot.stop()
    assert value(metrics(collector)["my.jobs"]) == 4


def test_exporters_that_are_asked_for_are_added(tmp_path, collector):
    (tmp_path / "otel.yaml").write_text(declared(collector.endpoint))
    port = free_port()
    code = BOT.format(arguments=f"exporters='prometheus', prometheus_port={port}") + "print('ready')\ninput()\n"
    with Program(tmp_path, code, env={"OTEL_CONFIG_FILE": "otel.yaml"}) as bot:
        wait_until(lambda: one(scrape(f"http://127.0.0.1:{port}/metrics"), "my_jobs_total") == 4, "it is scraped, too")
        bot.tell("")
        assert bot.wait(60) == 0
    assert value(metrics(collector)["my.jobs"]) == 4


def test_configured_again_after_the_end_it_is_the_same_provider(tmp_path, collector):
    (tmp_path / "otel.yaml").write_text(declared(collector.endpoint))
    code = BOT.format(arguments="") + "telemetry.shutdown()\n" + BOT.format(arguments="") + "assert telemetry.flush(10)\n"
    run(tmp_path, code, env={"OTEL_CONFIG_FILE": "otel.yaml"})
    assert value(metrics(collector)["my.jobs"]) == 8


def test_a_file_that_says_disabled_disables(tmp_path):
    (tmp_path / "otel.yaml").write_text('file_format: "1.0"\ndisabled: true\n')
    code = """
import threading
import otel_trading as ot
from otel_trading.metrics import catalog
telemetry = ot.configure()
assert not catalog.active()
assert telemetry.endpoint_url is None
assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
assert telemetry.flush() and telemetry.shutdown()
"""
    run(tmp_path, code, env={"OTEL_CONFIG_FILE": "otel.yaml"})


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("otel.yaml", None, "not found"),
        ("otel.yaml", "file_format: [", "yaml"),
        ("otel.yaml", "- a\n", "mapping"),
        ("otel.yaml", 'file_format: "1.0"\nmeter_provider: 5\n', ""),
        ("otel.txt", "", ""),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_that_names_it(tmp_path, name, text, why):
    if text is not None:
        (tmp_path / name).write_text(text)
    code = """
import logging
logging.disable()
import otel_trading as ot
try:
    ot.configure()
except ot.ConfigurationError as error:
    print(error)
"""
    output = run(tmp_path, code, env={"OTEL_CONFIG_FILE": name})
    assert output.startswith(f"declarative_config = {name!r} (OTEL_CONFIG_FILE): ")
    assert why in output.lower()
