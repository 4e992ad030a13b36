"""The exporters `file` and `console`: what is written is read back with the official classes."""

from __future__ import annotations

import base64
import errno
import json
import os
import re

import pytest
from google.protobuf import json_format
from opentelemetry.metrics import get_meter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from otel_trading import tracing
from otel_trading.metrics import catalog, faults
from otel_trading.pipeline import json_lines
from otel_trading.semconv.spec import Metric
from tests.harness import wait_until
from tests.integration.receivers import value

JOBS = Metric("my.files.jobs", "counter", "{job}", "Jobs.")
SECONDS = Metric("my.files.seconds", "histogram", "s", "Seconds.", bounds=(1.0,))


def parse(line: str) -> dict[str, object]:
    """The metrics of a line; OTLP's ids are hexadecimal, where the official parser of protobuf's JSON wants base 64."""

    def as_protobuf_wants(match: re.Match[str]) -> str:
        return f'"{match[1]}":"{base64.b64encode(bytes.fromhex(match[2])).decode()}"'

    text = re.sub(r'"(traceId|spanId)":"([0-9a-f]*)"', as_protobuf_wants, line)
    request = json_format.Parse(text, ExportMetricsServiceRequest())
    return {m.name: m for resource in request.resource_metrics for scope in resource.scope_metrics for m in scope.metrics}


def lines(path):
    return path.read_text().splitlines()


def everything(path):
    """Each metric as it was written last."""
    return {name: metric for line in lines(path) for name, metric in parse(line).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def test_each_line_is_a_document_of_otlp(configured, path):
    with configured(exporters="file", file_path=path, export_interval=0.05):
        catalog.counter(JOBS).add(3, {"kind": "a\nb€"})
        catalog.histogram(SECONDS).record(0.5)
        get_meter("foreign").create_counter("foreign.files").add(2)
        wait_until(lambda: len(lines(path)) >= 3, "it is written again and again")
    found = everything(path)
    assert (value(found["my.files.jobs"]), value(found["my.files.seconds"]), value(found["foreign.files"])) == (3, 0.5, 2)
    assert found["my.files.jobs"].sum.data_points[0].attributes[0].value.string_value == "a\nb€"
    document = json.loads(lines(path)[-1])
    (resource,) = document["resourceMetrics"]
    assert {"key": "service.name", "value": {"stringValue": "test-bot"}} in resource["resource"]["attributes"]
    text = lines(path)[-1]
    assert re.search(r'"timeUnixNano":"\d{19}"', text), "64-bit integers are texts"
    assert '"aggregationTemporality":2' in text, "enumerations are numbers"


def test_the_ids_of_exemplars_are_hexadecimal(configured, path, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    with configured(exporters="file", file_path=path, traces=True, export_interval=3600):
        with tracing.tracer.start_as_current_span("order") as span:
            catalog.histogram(SECONDS).record(0.25)
            get_meter("foreign").create_histogram("foreign.seconds").record(0.25)
        context = span.get_span_context()
    trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    assert f'"traceId":"{trace_id}"' in path.read_text()
    assert f'"spanId":"{span_id}"' in path.read_text()
    for name in ("my.files.seconds", "foreign.seconds"):
        (exemplar,) = everything(path)[name].histogram.data_points[0].exemplars
        assert (exemplar.trace_id.hex(), exemplar.span_id.hex(), exemplar.as_double) == (trace_id, span_id, 0.25)


def test_a_restarted_bot_appends(configured, path):
    for _ in range(2):
        with configured(exporters="file", file_path=path, export_interval=3600):
            catalog.counter(JOBS).add(1)
    assert [value(parse(line)["my.files.jobs"]) for line in lines(path) if "my.files.jobs" in line] == [1, 1]


class FullDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, path, room: int) -> None:
        self._file = path.open("ab", buffering=0)
        self.room = room

    def write(self, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._file.write(data[: self.room])
        self.room -= written
        return written

    def close(self) -> None:
        self._file.close()


def test_a_full_disk_is_counted_and_the_next_line_is_whole(path, caplog):
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

    exporter = json_lines.JsonLinesExporter(path, "a test")
    exporter.shutdown()
    exporter._file = disk = FullDisk(path, 100)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("x").create_counter("x.jobs").add(1)
    data = reader.get_metrics_data()
    assert exporter.export(data) is MetricExportResult.FAILURE, "half a line"
    assert exporter.export(data) is MetricExportResult.FAILURE, "nothing"
    disk.room = 10**6
    assert exporter.export(data) is MetricExportResult.SUCCESS
    exporter.shutdown()
    provider.shutdown()
    torn, whole = lines(path)
    assert len(torn) == 100
    assert value(parse(whole)["x.jobs"]) == 1
    assert dict(faults.errors) == {("file", "OSError"): 1}
    assert caplog.messages == [
        f"otel_trading: file failed at {path}, which is said once; the bot is not affected: OSError: [Errno 28] No space left on device"
    ]


@pytest.mark.parametrize("away", ["moved", "deleted"])
def test_a_file_that_was_moved_or_deleted_is_begun_anew_under_its_name(configured, tmp_path, monkeypatch, away):
    """As logrotate does. A bot that changes its working directory keeps its file."""
    path = tmp_path / "metrics.jsonl"
    monkeypatch.chdir(tmp_path)
    with configured(exporters="file", file_path="metrics.jsonl", export_interval=3600) as telemetry:
        catalog.counter(JOBS).add(1)
        assert telemetry.flush(10)
        if away == "moved":
            path.rename(tmp_path / "metrics.jsonl.1")
        else:
            path.unlink()
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        catalog.counter(JOBS).add(1)
        assert telemetry.flush(10)
        assert [value(parse(line)["my.files.jobs"]) for line in lines(path)] == [2]
        if away == "moved":
            assert [value(parse(line)["my.files.jobs"]) for line in lines(tmp_path / "metrics.jsonl.1")] == [1]
        assert telemetry.flush(10)
    assert len(lines(path)) == 3, "the second, the third and the one at the end"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_whose_directory_is_gone_is_a_fault_that_is_said_once(configured, tmp_path, caplog):
    (tmp_path / "gone").mkdir()
    path = tmp_path / "gone" / "metrics.jsonl"
    with configured(exporters="file", file_path=path, export_interval=3600) as telemetry:
        path.unlink()
        path.parent.rmdir()
        assert [telemetry.flush(10), telemetry.flush(10)] == [False, False]
        path.parent.mkdir()
        assert telemetry.flush(10)
    assert [message.partition(",")[0] for message in caplog.messages] == [f"otel_trading: file failed at {path}"]


def test_a_flush_says_whether_it_was_written(configured):
    """On a device that is always full."""
    with configured(exporters="file", file_path="/dev/full", export_interval=3600) as telemetry:
        catalog.counter(JOBS).add(1)
        assert telemetry.flush(10) is False


def test_the_console_shows_what_is_recorded(configured, capsys):
    with configured(exporters="console", export_interval=3600) as telemetry:
        catalog.counter(JOBS).add(3)
        assert telemetry.flush(10)
    document = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")
    assert "my.files.jobs" in json.dumps(document)


def test_a_console_that_is_gone_is_no_fault_of_the_bot(configured, monkeypatch):
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            """Do nothing."""

    monkeypatch.setattr("sys.stdout", Gone())
    with configured(exporters="console", export_interval=3600) as telemetry:
        catalog.counter(JOBS).add(3)
        assert telemetry.flush(10) is False
    assert faults.errors["console", "BrokenPipeError"] >= 1
