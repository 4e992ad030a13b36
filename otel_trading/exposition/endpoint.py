"""The HTTP endpoint that Prometheus scrapes: `/metrics` and `/healthz`, on a bounded number of threads."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

from cheroot import wsgi
from prometheus_client import CollectorRegistry, exposition

from otel_trading.errors import ConfigurationError

_logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]

WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_THREADS = 4
_IDLE_SECONDS = 10
_TEXT = ("Content-Type", "text/plain; charset=utf-8")


class _Server(wsgi.Server):
    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Send what cheroot would write to stderr to the log."""
        _logger.log(level, "endpoint: %s", msg, exc_info=traceback)


class Endpoint:
    """Serves a registry from daemon threads, so that it never holds up the exit of the bot."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry) -> None:
        self._host = host
        self._scrapes = threading.Lock()
        # prometheus_client negotiates the format and the compression.
        self._render: WsgiApp = exposition.make_wsgi_app(registry)  # pyright: ignore[reportUnknownMemberType] - it is untyped
        self._server = _Server(
            (host, port), self._respond, numthreads=_THREADS, max=_THREADS, timeout=_IDLE_SECONDS, shutdown_timeout=1
        )
        # Scrapes are few and far between: without kept connections no thread waits for the next one.
        self._server.keep_alive_conn_limit = 0
        self._started = threading.Event()
        self._fault: OSError | None = None

    @property
    def _address(self) -> tuple[str, int]:
        return cast("tuple[str, int]", self._server.bind_addr)  # pyright: ignore[reportUnknownMemberType] - cheroot is untyped

    @property
    def url(self) -> str:
        """The address of the server, without a path."""
        port = self._address[1]
        return f"http://[{self._host}]:{port}" if ":" in self._host else f"http://{self._host}:{port}"

    def start(self) -> None:
        """Bind and serve. Raises `ConfigurationError` when the address cannot be had."""
        threading.Thread(target=self._serve, name="otel-trading-endpoint", daemon=True).start()
        self._started.wait()
        if self._fault is not None:
            host, port = self._address
            taken = self._fault.errno == errno.EADDRINUSE or "in use" in str(self._fault)
            why = "another program has it" if taken else str(self._fault)
            raise ConfigurationError(
                f"prometheus_port {port} on {host} cannot be served: {why}; "
                "choose another with prometheus_port= or OTEL_EXPORTER_PROMETHEUS_PORT (0: any that is free)"
            )

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._server.ready:
            self._server.stop()

    def _serve(self) -> None:
        # The worker threads inherit from this one that they are daemons, so they have to be started here.
        try:
            self._server.prepare()
        except OSError as fault:
            self._fault = fault
            return
        finally:
            self._started.set()
        self._server.serve()

    def _respond(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            start_response("405 Method Not Allowed", [_TEXT, ("Allow", "GET, HEAD")])
            return [b"only GET and HEAD\n"]
        if environ["PATH_INFO"] == "/metrics":
            # One scrape at a time: OpenTelemetry's reader hands concurrent ones an empty body and a doubled one.
            with self._scrapes:
                return list(self._render(environ, start_response))
        if environ["PATH_INFO"] == "/healthz":
            start_response("200 OK", [_TEXT])
            return [b"ok\n"]
        start_response("404 Not Found", [_TEXT])
        return [b"not found; see /metrics and /healthz\n"]
