"""A small HTTP/1.1 server for a few routes: one request a connection, each within a deadline.

It is one thread with an event loop, so that a client that is slow, or never says a word, costs neither a thread nor the
others their answer.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import Any, cast

from otel_trading.metrics import faults

READ_SECONDS = 5.0
"""Within which the head of a request has to be there."""
WRITE_SECONDS = 10.0
"""Within which the client has to take its answer."""
CONNECTIONS = 100
"""Open at once; beyond them the oldest that waits for nothing from us is dropped."""
_HEAD_BYTES = 16 * 1024
_GRACE_SECONDS = 0.5


class Request(BaseHTTPRequestHandler):
    """The head of a request, read by the standard library's parser."""

    headers: Message

    def __init__(self, head: bytes) -> None:
        self.rfile = BytesIO(head)
        self.raw_requestline = self.rfile.readline()
        self.error = HTTPStatus.BAD_REQUEST
        self.valid = self.parse_request()
        self.path = getattr(self, "path", "").partition("?")[0]

    def header(self, name: str) -> str:
        """Return a header that is a list, which may come in several lines (RFC 9110, section 5.3)."""
        return ", ".join(self.headers.get_all(name, []))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Remember what the parser finds wrong."""
        self.error = HTTPStatus(code)


@dataclass
class Response:
    """What is answered; the server adds the length."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain; charset=utf-8"})


Respond = Callable[[Request], Awaitable[Response]]


class Server:
    """Answers with `respond` on a port of its own, from a daemon thread, so that it never holds up the exit of the bot."""

    def __init__(self, host: str, port: int, respond: Respond) -> None:
        self._host = host
        self._port = port
        self._respond = respond
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_to_stop = False
        self._stopping = asyncio.Event()
        self._ended: Future[bool | None] = Future()
        self._open: dict[asyncio.Task[Any], None] = {}
        """The open connections, the oldest first."""
        self._idle: set[asyncio.Task[Any]] = set()
        """Those of the open connections that have not asked for anything yet, or have their answer."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port, while it serves."""
        return (self._host, self._port) if self._socket is not None else None

    def start(self) -> None:
        """Bind and serve. Raises `OSError` when the address cannot be had."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = listener = socket.create_server((self._host, self._port), family=family)
        self._port = listener.getsockname()[1]
        self._loop = loop = asyncio.SelectorEventLoop()
        loop.set_exception_handler(_report)
        threading.Thread(target=self._run, args=(loop, listener), name="otel-trading-endpoint", daemon=True).start()

    def stop(self) -> Future[bool | None]:
        """Stop serving and free the port; answers that are on their way may end within half a second."""
        if not self._asked_to_stop:
            self._asked_to_stop = True
            if self._loop is None:
                self._ended.set_result(True)
            else:
                self._loop.call_soon_threadsafe(self._stopping.set)
        return self._ended

    def close(self) -> None:
        """Free the port at once: in a process that forked, where the thread is not there, or when it does not answer."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        with faults.containing("endpoint"):
            loop.run_until_complete(self._serve(listener))
        loop.close()
        self._ended.set_result(True)

    async def _serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._connected, sock=listener, limit=_HEAD_BYTES)
        await self._stopping.wait()
        server.close()
        self.close()
        if asked := self._open.keys() - self._idle:
            await asyncio.wait(asked, timeout=_GRACE_SECONDS)
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open.copy())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        if len(self._open) >= CONNECTIONS:
            oldest = next((other for other in self._open if other in self._idle), next(iter(self._open)))
            oldest.cancel()
        self._open[task] = None
        try:
            # A client that goes, or is slower than we wait for, is no fault.
            with faults.containing("endpoint"), suppress(OSError, asyncio.IncompleteReadError):
                await self._exchange(task, reader, writer)
        except asyncio.CancelledError:
            pass  # we have to end, or others have to come in
        finally:
            self._idle.discard(task)
            del self._open[task]
            writer.transport.abort()

    async def _exchange(self, task: asyncio.Task[Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = None
        self._idle.add(task)
        try:
            with _abort_after(READ_SECONDS, writer):
                request = Request(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            response = Response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            self._idle.discard(task)
            command = request.command
            response = await self._respond(request) if request.valid else Response(request.error)
        writer.transport.set_write_buffer_limits(high=0)  # so that `drain` waits for the last byte
        with _abort_after(WRITE_SECONDS, writer):
            writer.write(_head(response))
            writer.write(b"" if command == "HEAD" else response.body)
            writer.write_eof()
            await writer.drain()
        self._idle.add(task)
        # To close before the client does would throw away what it has not read yet, when it sent more than we read.
        with _abort_after(_GRACE_SECONDS, writer):
            while await reader.read(_HEAD_BYTES):
                pass


@contextmanager
def _abort_after(seconds: float, writer: asyncio.StreamWriter) -> Iterator[None]:
    """Break the connection when the block takes longer, however much comes or goes meanwhile."""
    timer = asyncio.get_running_loop().call_later(seconds, writer.transport.abort)
    try:
        yield
    finally:
        timer.cancel()


def _head(response: Response) -> bytes:
    headers = {**response.headers, "Content-Length": str(len(response.body)), "Connection": "close"}
    lines = [
        f"HTTP/1.1 {response.status.value} {response.status.phrase}",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    fault = context.get("exception")
    if fault is not None:
        faults.report("endpoint", fault)
    else:
        faults.log_once(("endpoint", context["message"]), "endpoint: %s", context["message"])
