"""The exporter `file`: one OTLP/JSON document a line, as the Collector's file exporter writes and its receiver reads.

OTLP specification, "JSON Protobuf Encoding": camelCase keys, enumerations as numbers, 64-bit integers as strings, trace and
span ids in hexadecimal.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from pathlib import Path
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults

_IDS = ("traceId", "spanId")


class JsonLinesExporter(MetricExporter):
    """Appends to a file. A write that fails is counted and logged once; the next collection, which is whole, tries again.

    Where the file was moved away, as logrotate does, or deleted, another is begun under its name.
    """

    def __init__(self, path: Path, origin: str) -> None:
        super().__init__()
        self._path = path.absolute()  # wherever the bot goes
        self._ended = False
        try:
            self._open()
        except OSError as error:
            raise ConfigurationError(
                f"file_path = {str(path)!r} (from {origin}): it cannot be written: {error.strerror}; "
                "allowed: a path of a file in a directory that is there"
            ) from None

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._opened = os.fstat(self._file.fileno())
        self._torn = False
        """Whether the last line is incomplete, as when the disk has become full."""

    def _stay_under_its_name(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), self._opened):
                return
        before = self._file
        self._open()
        before.close()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        document = MessageToDict(encode_metrics(metrics_data), use_integers_for_enums=True)
        line = json.dumps(_with_hexadecimal_ids(document), separators=(",", ":")).encode() + b"\n"
        try:
            if not self._ended:
                self._stay_under_its_name()
            if self._torn:
                line = b"\n" + line
            self._torn = self._file.write(line) != len(line)
        except OSError as error:  # the disk is full, or gone
            faults.report("file", error, at=str(self._path))
            return MetricExportResult.FAILURE
        except ValueError:  # it is closed: the end did not wait for this export, and said so
            return MetricExportResult.FAILURE
        return MetricExportResult.FAILURE if self._torn else MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        self._ended = True
        self._file.close()


def _with_hexadecimal_ids(node: object) -> object:
    if isinstance(node, dict):
        return {
            key: base64.b64decode(value).hex() if key in _IDS and isinstance(value, str) else _with_hexadecimal_ids(value)
            for key, value in cast("dict[str, object]", node).items()
        }
    if isinstance(node, list):
        return [_with_hexadecimal_ids(entry) for entry in cast("list[object]", node)]
    return node
