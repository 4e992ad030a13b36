"""What an import costs, and what is asked for only when it is needed."""

from __future__ import annotations

import pytest

from tests.harness.python_programs import run

HEAVY = (
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "pydantic",
    "requests",
    "prometheus_client",
    "psutil",
    "grpc",
    "asyncio",
    "yaml",
)


def test_the_import_brings_nothing_but_the_api(tmp_path):
    code = f"""
import sys
import otel_trading
heavy = {HEAVY!r}
print(sorted(name for name in sys.modules if name.startswith(heavy)))
"""
    assert run(tmp_path, code) == "[]\n"


def test_every_public_name_is_there_and_no_other(tmp_path):
    code = """
import otel_trading as ot
for name in ot.__all__:
    assert getattr(ot, name) is not None, name
assert set(ot.__all__) <= set(dir(ot))
try:
    ot.no_such_name
except AttributeError as error:
    print(error)
"""
    assert run(tmp_path, code) == "module 'otel_trading' has no attribute 'no_such_name'\n"


def test_otlp_is_imported_only_when_it_is_selected(tmp_path):
    code = """
import sys
import otel_trading as ot
ot.configure(prometheus_port=0)
print([name for name in ("grpc", "google.protobuf", "opentelemetry.exporter.otlp", "requests", "yaml") if name in sys.modules])
"""
    assert run(tmp_path, code) == "[]\n"


MISSING = """
import sys
for name in {missing!r}:
    sys.modules[name] = None  # as if it were not installed
import otel_trading as ot
try:
    ot.configure({arguments})
except ot.ConfigurationError as error:
    print(error)
import threading
print([thread.name for thread in threading.enumerate()])
"""


@pytest.mark.parametrize(
    ("arguments", "missing", "message"),
    [
        ("exporters='otlp'", "opentelemetry.exporter.otlp.proto.http.metric_exporter", "pip install 'otel-trading[otlp]'"),
        ("exporters='prometheus,otlp', prometheus_port=0", "opentelemetry.exporter.otlp.proto.http.metric_exporter", "[otlp]"),
        ("exporters='otlp', otlp_protocol='grpc'", "opentelemetry.exporter.otlp.proto.grpc.metric_exporter", "[otlp]"),
        ("exporters='otlp', otlp_protocol='grpc'", "grpc", "[otlp]"),
        ("exporters='none', traces=True", "opentelemetry.exporter.otlp.proto.http.trace_exporter", "[otlp]"),
        (
            "exporters='none', traces=True, otlp_protocol='grpc'",
            "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
            "[otlp]",
        ),
        ("exporters='file'", "opentelemetry.exporter.otlp.proto.common.metrics_encoder", "[otlp]' (for the exporter 'file')"),
    ],
)
def test_a_missing_extra_is_an_error_that_says_what_to_install(tmp_path, arguments, missing, message):
    lines = run(tmp_path, MISSING.format(missing=[missing], arguments=arguments)).splitlines()
    assert lines[0].startswith(f"{missing} is not installed: pip install 'otel-trading[")
    assert message in lines[0]
    assert lines[1:] == ["['MainThread']"]


def test_a_missing_extra_of_a_declared_configuration_is_said_too(tmp_path):
    (tmp_path / "otel.yaml").write_text("file_format: '1.0'\n")
    code = MISSING.format(missing=["opentelemetry.configuration"], arguments="")
    lines = run(tmp_path, code, env={"OTEL_CONFIG_FILE": "otel.yaml"}).splitlines()
    assert lines[0] == "opentelemetry.configuration is not installed: pip install 'otel-trading[declarative]'"


def test_requests_that_are_imported_later_are_watched_too(tmp_path):
    code = """
import http.server, sys, threading, urllib.request

class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

venue = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=venue.serve_forever, daemon=True).start()
import otel_trading as ot
telemetry = ot.configure(prometheus_port=0)
assert "requests" not in sys.modules
import requests
with requests.Session() as session:
    session.get(f"http://127.0.0.1:{venue.server_port}/accounts/12345678/orders?signature=s1gnature").close()
lines = urllib.request.urlopen(telemetry.endpoint_url).read().decode().splitlines()
print(*[line for line in lines if line.startswith("http_client") and "count" in line], sep="\\n")
venue.shutdown()
venue.server_close()
"""
    output = run(tmp_path, code)
    assert output.count("\n") == 1
    assert output.startswith("http_client_duration_milliseconds_count{")
    assert "12345678" not in output
    assert "s1gnature" not in output


def test_the_stable_names_of_http_are_used_where_they_are_asked_for(tmp_path):
    code = """
import urllib.request
import otel_trading as ot
telemetry = ot.configure(prometheus_port=0)
import requests
try:
    requests.get("http://127.0.0.1:1/accounts/12345678?signature=s1gnature")
except requests.ConnectionError:
    pass
lines = urllib.request.urlopen(telemetry.endpoint_url).read().decode().splitlines()
print(*[line for line in lines if line.startswith("http_client") and "count" in line], sep="\\n")
"""
    output = run(tmp_path, code, env={"OTEL_SEMCONV_STABILITY_OPT_IN": "http"})
    assert output.startswith("http_client_request_duration_seconds_count{")
    assert 'error_type="ConnectionError"' in output
    assert "12345678" not in output
    assert "s1gnature" not in output


def test_nothing_is_printed(tmp_path):
    code = """
import urllib.request, socket
import otel_trading as ot
with ot.configure(prometheus_port=0) as telemetry:
    urllib.request.urlopen(telemetry.endpoint_url).read()
    port = int(telemetry.endpoint_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"nonsense\\r\\n\\r\\n")
        client.recv(1000)
"""
    assert run(tmp_path, code) == ""
