"""The HTTP endpoint that Prometheus scrapes: `/metrics` and `/healthz`."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, wait
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, exposition

from otel_trading.errors import ConfigurationError
from otel_trading.exposition.server import Request, Response, Server
from otel_trading.metrics import catalog
from otel_trading.metrics.worker import Worker

SCRAPE_SECONDS = 10.0
"""Within which a scrape has to be answered: Prometheus' own default."""

_WsgiApp = Callable[[dict[str, Any], Callable[[str, list[tuple[str, str]]], Any]], Iterable[bytes]]


class Endpoint:
    """Serves a registry, from which `reader` collects."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, reader: Hashable) -> None:
        self._asked = (host, port)
        self._reader = reader
        # prometheus_client negotiates the format and the compression.
        self._app: _WsgiApp = exposition.make_wsgi_app(registry)  # pyright: ignore[reportUnknownMemberType] - it is untyped
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
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": request.path,
            "HTTP_ACCEPT": request.headers.get("Accept", ""),
            "HTTP_ACCEPT_ENCODING": request.headers.get("Accept-Encoding", ""),
        }
        rendering = asyncio.wrap_future(self._scrapes.submit(lambda: self._render(environ)))
        try:
            response = await asyncio.wait_for(rendering, SCRAPE_SECONDS)
        except asyncio.TimeoutError:
            return Response(HTTPStatus.SERVICE_UNAVAILABLE, b"the metrics take too long to collect\n")
        return response or Response(HTTPStatus.INTERNAL_SERVER_ERROR, b"the metrics cannot be collected; see the log\n")

    def _render(self, environ: dict[str, Any]) -> Response:
        answered: list[tuple[HTTPStatus, dict[str, str]]] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            answered.append((HTTPStatus(int(status.split(maxsplit=1)[0])), dict(headers)))

        with catalog.collection(self._reader):
            body = b"".join(self._app(environ, start_response))
        return Response(answered[0][0], body, answered[0][1])
