"""The HTTP endpoint that Prometheus scrapes: `/metrics` and `/healthz`."""

from __future__ import annotations

import asyncio
import errno
import gzip
import socket
from concurrent.futures import Future, wait
from http import HTTPStatus

from otel_trading.errors import ConfigurationError
from otel_trading.exposition import negotiation
from otel_trading.exposition.exposition import Exposition
from otel_trading.exposition.server import Request, Response, Server
from otel_trading.metrics.worker import Worker

SCRAPE_SECONDS = 10.0
"""Within which a scrape has to be answered: Prometheus' own default."""

_COMPRESSION = 1
"""The text is so repetitive that more effort gains little."""


class Endpoint:
    """Serves an exposition."""

    def __init__(self, host: str, port: int, exposition: Exposition) -> None:
        self._asked = (host, port)
        self._exposition = exposition
        # One scrape at a time: OpenTelemetry's reader hands concurrent ones an empty body and a doubled one.
        self._scrapes = Worker("endpoint")
        self._server = Server(host, port, self._respond)

    @property
    def url(self) -> str | None:
        """The address of the server, without a path, while it serves."""
        if self._server.address is None:
            return None
        host, port = self._server.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Bind and serve. Raises `ConfigurationError` when the address cannot be had."""
        try:
            self._server.start()
        except OSError as fault:
            host, port = self._asked
            if fault.errno in {errno.EADDRNOTAVAIL, socket.EAI_NONAME}:
                raise ConfigurationError(
                    f"prometheus_host {host} is no address of this machine; "
                    "choose another with prometheus_host= or OTEL_EXPORTER_PROMETHEUS_HOST"
                ) from None
            why = "another program has it" if fault.errno == errno.EADDRINUSE else fault.strerror
            raise ConfigurationError(
                f"prometheus_port {port} on {host} cannot be served: {why}; "
                "choose another with prometheus_port= or OTEL_EXPORTER_PROMETHEUS_PORT (0: any that is free)"
            ) from None
        self._scrapes.start()

    def stop(self) -> Future[bool | None]:
        """Stop serving and free the port."""
        self._scrapes.stop()
        return self._server.stop()

    def release(self) -> None:
        """Free the port, if that has not happened yet."""
        wait([self.stop()], 1.0)
        self._server.close()

    def begin_in_child(self) -> None:
        """Let go of the port, which a process that forked holds together with its parent."""
        self._server.close()

    async def _respond(self, request: Request) -> Response:
        if request.command not in {"GET", "HEAD"}:
            refused = Response(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD\n")
            return Response(refused.status, refused.body, {**refused.headers, "Allow": "GET, HEAD"})
        if request.path == "/metrics":
            return await self._scrape(request)
        if request.path == "/healthz":
            return Response(HTTPStatus.OK, b"ok\n")
        return Response(HTTPStatus.NOT_FOUND, b"not found; see /metrics and /healthz\n")

    async def _scrape(self, request: Request) -> Response:
        openmetrics = negotiation.prefers_openmetrics(request.header("Accept"))
        zipped = negotiation.accepts_gzip(request.header("Accept-Encoding"))
        rendering = asyncio.wrap_future(self._scrapes.submit(lambda: self._render(openmetrics=openmetrics, zipped=zipped)))
        try:
            response = await asyncio.wait_for(rendering, SCRAPE_SECONDS)
        except asyncio.TimeoutError:
            return Response(HTTPStatus.SERVICE_UNAVAILABLE, b"the metrics take too long to collect\n")
        return response or Response(HTTPStatus.INTERNAL_SERVER_ERROR, b"the metrics cannot be collected; see the log\n")

    def _render(self, *, openmetrics: bool, zipped: bool) -> Response:
        body = self._exposition.render(openmetrics=openmetrics)
        headers = {
            "Content-Type": negotiation.OPENMETRICS if openmetrics else negotiation.TEXT,
            "Vary": "Accept, Accept-Encoding",
        }
        if zipped:
            body = gzip.compress(body, _COMPRESSION)
            headers["Content-Encoding"] = "gzip"
        return Response(HTTPStatus.OK, body, headers)
