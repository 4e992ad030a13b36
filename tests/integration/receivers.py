"""Receivers of OTLP on loopback, over both protocols, that read with the official message classes and answer as they are told."""

from __future__ import annotations

import gzip
import http.server
import threading
import zlib
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import NamedTuple, Protocol

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_service
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_service_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_service_grpc
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from typing_extensions import Self

from tests.harness.ports import LOOPBACK

GRPC, HTTP = "grpc", "http/protobuf"


class Received(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    message: metrics_service.ExportMetricsServiceRequest | trace_service.ExportTraceServiceRequest


class Receiver(Protocol):
    """What the two have in common."""

    received: list[Received]
    endpoint: str
    """The base address, as OTEL_EXPORTER_OTLP_ENDPOINT wants it."""

    def refuse(self, how: str | None) -> None:
        """Answer with a refusal (`permanent` or `transient`) from now on, or take everything again."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def metrics(receiver: Receiver) -> dict[str, Metric]:
    """Each metric as it was received last, by name (one export may be several requests)."""
    requests = [r.message for r in receiver.received if isinstance(r.message, metrics_service.ExportMetricsServiceRequest)]
    return {
        metric.name: metric
        for request in requests
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def resource(receiver: Receiver) -> dict[str, str]:
    """The attributes of the resource of the last request."""
    message = receiver.received[-1].message
    found = message.resource_metrics if hasattr(message, "resource_metrics") else message.resource_spans
    return {attribute.key: attribute.value.string_value for attribute in found[0].resource.attributes}


def spans(receiver: Receiver) -> list[Span]:
    """All spans."""
    requests = [r.message for r in receiver.received if isinstance(r.message, trace_service.ExportTraceServiceRequest)]
    return [
        span for request in requests for part in request.resource_spans for scope in part.scope_spans for span in scope.spans
    ]


def value(metric: Metric | None) -> float | None:
    """The value of the only point of a counter or a gauge, the sum of a histogram's."""
    if metric is None:
        return None
    (point,) = getattr(metric, metric.WhichOneof("data")).data_points
    return point.sum if hasattr(point, "bucket_counts") or hasattr(point, "positive") else point.as_double or point.as_int


class HttpReceiver:
    """OTLP over HTTP, at any path that ends in the signal's."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                decode = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(
                    self.headers["Content-Encoding"] or "", bytes
                )
                kind = trace_service if "trace" in self.path else metrics_service
                name = "ExportTraceServiceRequest" if kind is trace_service else "ExportMetricsServiceRequest"
                outer.received.append(
                    Received(self.path, dict(self.headers.items()), getattr(kind, name).FromString(decode(body)))
                )
                self.send_response(outer._status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://{LOOPBACK}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def refuse(self, how: str | None) -> None:
        self._status = {None: 200, "permanent": 400, "transient": 503}[how]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class GrpcReceiver:
    """OTLP over gRPC."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._status: grpc.StatusCode | None = None
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        metrics_service_grpc.add_MetricsServiceServicer_to_server(
            self._servicer("/metrics", metrics_service.ExportMetricsServiceResponse), self._server
        )
        trace_service_grpc.add_TraceServiceServicer_to_server(
            self._servicer("/traces", trace_service.ExportTraceServiceResponse), self._server
        )
        port = self._server.add_insecure_port(f"{LOOPBACK}:0")
        self.endpoint = f"http://{LOOPBACK}:{port}"
        self._server.start()

    def _servicer(self, path: str, answer: Callable[[], object]) -> object:
        def export(_: object, request: object, context: grpc.ServicerContext) -> object:
            self.received.append(Received(path, dict(context.invocation_metadata()), request))
            if self._status is not None:
                context.abort(self._status, "refused")
            return answer()

        return type("Servicer", (), {"Export": export})()

    def refuse(self, how: str | None) -> None:
        codes = {None: None, "permanent": grpc.StatusCode.INVALID_ARGUMENT, "transient": grpc.StatusCode.UNAVAILABLE}
        self._status = codes[how]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()


RECEIVERS = {GRPC: GrpcReceiver, HTTP: HttpReceiver}
