"""A loopback receiver of OTLP over HTTP that keeps what it got."""

from __future__ import annotations

import gzip
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from typing_extensions import Self


class Sink:
    """Takes exports in threads of this process; used with `with`."""

    def __enter__(self) -> Self:
        bodies: list[bytes] = []
        self._bodies = bodies

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
                """Say nothing of each request."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def forget(self) -> None:
        """Drop what came."""
        self._bodies.clear()

    def last(self) -> bytes:
        """Return the request that came last."""
        return self._bodies[-1]

    def take(self, prefix: str) -> tuple[int, float]:
        """Return how many gauge points of metrics that begin with `prefix` came since the last time, and their sum."""
        found: list[float] = []
        while self._bodies:
            for resource in ExportMetricsServiceRequest.FromString(self._bodies.pop()).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name.startswith(prefix):
                            found.extend(point.as_double for point in metric.gauge.data_points)
        return len(found), math.fsum(found)
