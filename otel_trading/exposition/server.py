"""A small HTTP/1.1 server for a few routes: one request a connection, each within a deadline.

It is one thread with an event loop, so that a client that is slow, or never says a word, costs neither a thread nor the
others their answer.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import Any, cast

from otel_trading.metrics import faults

READ_SECONDS = 5.0
"""Within which the head of a request has to be there."""
EXCHANGE_SECONDS = 30.0
"""Within which everything has to be over, the answer taken by the client included."""
CONNECTIONS = 100
"""Open at once; beyond them the oldest that has not yet asked for anything is dropped."""
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
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._silent: set[asyncio.Task[Any]] = set()
        """Those of the open connections that have not asked for anything yet."""

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
        try:
            self._ended.set_result(_contained(lambda: loop.run_until_complete(self._serve(listener))))
        finally:
            loop.close()

    async def _serve(self, listener: socket.socket) -> bool:
        server = await asyncio.start_server(self._connected, sock=listener, limit=_HEAD_BYTES)
        await self._stopping.wait()
        server.close()
        self.close()
        if self._open:
            await asyncio.wait(list(self._open), timeout=_GRACE_SECONDS)
        for task in list(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(list(self._open))
        return True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._open[task] = writer
        self._silent.add(task)
        if len(self._open) > CONNECTIONS:
            dropped = next((other for other in self._open if other in self._silent), next(iter(self._open)))
            self._open[dropped].transport.abort()
        try:
            await asyncio.wait_for(self._exchange(task, reader, writer), EXCHANGE_SECONDS)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            pass  # the client is gone, or slower than we wait for
        finally:
            self._silent.discard(task)
            del self._open[task]
            writer.transport.abort()

    async def _exchange(self, task: asyncio.Task[Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = None
        try:
            request = Request(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), READ_SECONDS))
        except asyncio.LimitOverrunError:
            response = Response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            self._silent.discard(task)
            command = request.command
            response = await self._respond(request) if request.valid else Response(request.error)
        writer.transport.set_write_buffer_limits(high=0)  # so that `drain` waits for the last byte
        writer.write(_head(response))
        writer.write(b"" if command == "HEAD" else response.body)
        writer.write_eof()
        await writer.drain()
        await asyncio.wait_for(_read_to_the_end(reader), _GRACE_SECONDS)


@faults.contained("endpoint")
def _contained(job: Callable[[], bool]) -> bool:
    return job()


def _head(response: Response) -> bytes:
    headers = {**response.headers, "Content-Length": str(len(response.body)), "Connection": "close"}
    lines = [
        f"HTTP/1.1 {response.status.value} {response.status.phrase}",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _read_to_the_end(reader: asyncio.StreamReader) -> None:
    """Wait until the client closes: to close before it would throw away what it has not read when it sent more than we read."""
    while await reader.read(_HEAD_BYTES):
        pass


def _report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    fault = context.get("exception")
    if fault is not None:
        faults.report("endpoint", fault)
    else:
        faults.log_once(("endpoint", context["message"]), "endpoint: %s", context["message"])
