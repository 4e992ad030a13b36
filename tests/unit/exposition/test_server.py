"""Slow, silent and broken clients cost nobody else an answer, and nothing is printed about them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from http import HTTPStatus

import pytest

from otel_trading.exposition import server as server_module
from otel_trading.exposition.server import Request, Response, Server
from otel_trading.metrics import faults
from tests.harness import wait_until

GET = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"


class Serving:
    def __init__(self, respond) -> None:
        self.server = Server("127.0.0.1", 0, respond)
        self.server.start()
        self.port = self.server.address[1]
        self._clients = contextlib.ExitStack()

    def client(self, sent: bytes = b"", timeout: float = 10) -> socket.socket:
        """A client that has sent these bytes, and says no more by itself."""
        client = self._clients.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=timeout))
        client.sendall(sent)
        return client

    def exchange(self, sent: bytes) -> bytes:
        """All that is answered to these bytes."""
        with self.client(sent) as client:
            return b"".join(iter(lambda: client.recv(65536), b""))

    def status(self, sent: bytes = GET) -> int:
        return int(self.exchange(sent).split()[1])

    def close(self) -> None:
        self._clients.close()
        self.server.stop().result(10)


async def ok(request: Request) -> Response:
    return Response(HTTPStatus.OK, request.path.encode())


@pytest.fixture
def serve(monkeypatch):
    """Serve with `respond`, with limits of the server's module changed."""
    serving = []

    def of(respond=ok, **limits):
        for name, value in limits.items():
            monkeypatch.setattr(server_module, name, value)
        serving.append(Serving(respond))
        return serving[-1]

    yield of
    for one in serving:
        one.close()
    assert not faults.errors
    assert not [thread for thread in threading.enumerate() if thread.name == "otel-trading-endpoint" and not thread.daemon]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET, 200),
        (b"GET /x HTTP/1.0\r\n\r\n", 200),
        (b"GET /x?secret=1 HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 200),
        (b"nonsense\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET /x HTTP/1.1 more\r\n\r\n", 400),
        (b"GET /x HTTP/x.y\r\n\r\n", 400),
        (b"GET /x HTTP/2.0\r\n\r\n", 505),
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),  # TLS to a server that does not speak it
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /x HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n", 431),
        (b"GET /x HTTP/1.1\r\n" + b"A: b\r\n" * 120 + b"\r\n", 431),
    ],
    ids=lambda case: repr(case)[:30],
)
def test_each_request_is_answered_as_http_says(serve, sent, status):
    serving = serve()
    assert serving.status(sent) == status
    assert serving.status() == 200


def test_a_request_that_comes_in_pieces_is_answered(serve):
    client = serve().client()
    for index in range(len(GET)):
        client.sendall(GET[index : index + 1])
    assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_request_with_more_behind_it_gets_its_whole_answer(serve):
    """A connection that is closed on what was not read resets, and the answer is lost on its way."""

    async def large(_: Request) -> Response:
        return Response(HTTPStatus.OK, b"x" * 1_000_000)

    answer = serve(large).exchange(GET + b"y" * 200_000)
    assert answer.endswith(b"x" * 1_000_000)


def test_silent_and_half_open_clients_cost_nobody_an_answer(serve):
    serving = serve()
    threads = threading.active_count()
    for sent in (b"", b"G", b"GET /x HTTP/1.1\r\nHost: "):
        for _ in range(30):
            serving.client(sent)
    for _ in range(20):
        assert serving.status() == 200
    assert threading.active_count() == threads, "a client is no thread"


def test_a_silent_client_is_dropped_after_a_while(serve):
    serving = serve(READ_SECONDS=0.2)
    clients = [serving.client(b""), serving.client(b"GET /x HT")]
    assert [client.recv(1) for client in clients] == [b"", b""]


def test_a_client_that_drips_is_dropped_all_the_same(serve):
    """Each byte in time, the whole never: a time-out for each read would wait for ever."""
    client = serve(READ_SECONDS=0.3).client()
    client.settimeout(0.05)

    def dropped() -> bool:
        try:
            client.sendall(b"x")
            return client.recv(1) == b""
        except ConnectionError:
            return True

    wait_until(dropped, "it is dropped")


def test_a_client_that_does_not_take_its_answer_is_dropped(serve):
    async def huge(_: Request) -> Response:
        return Response(HTTPStatus.OK, b"x" * 50_000_000)

    serving = serve(huge, WRITE_SECONDS=0.5)
    client = serving.client(GET)
    assert client.recv(10)
    wait_until(lambda: not serving.server._open, "the connection is gone")


def test_beyond_the_limit_the_oldest_that_waits_for_nothing_is_dropped(serve):
    gate = asyncio.Event()

    async def slow(request: Request) -> Response:
        if request.path == "/slow":
            await gate.wait()
        return await ok(request)

    serving = serve(slow, CONNECTIONS=5)
    asked = serving.client(b"GET /slow HTTP/1.1\r\n\r\n")
    wait_until(lambda: len(serving.server._open) == 1 and not serving.server._idle, "it is being answered")
    silent = []
    for count in range(2, 6):
        silent.append(serving.client())
        wait_until(lambda count=count: len(serving.server._open) == count, "it is connected")
    for _ in range(20):
        assert serving.status() == 200
    assert silent[0].recv(1) == b""
    serving.server._loop.call_soon_threadsafe(gate.set)
    assert asked.recv(100).startswith(b"HTTP/1.1 200")


def test_a_client_that_resets_is_no_fault(serve, capfd, caplog):
    serving = serve()
    for sent in (b"", b"GET", GET):
        client = serving.client(sent)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        client.close()
    assert serving.status() == 200
    wait_until(lambda: not serving.server._open, "they are gone")
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_stopping_lets_an_answer_end_and_does_not_wait_for_a_silent_client(serve):
    started = threading.Event()

    async def slow(request: Request) -> Response:
        started.set()
        await asyncio.sleep(0.1)
        return await ok(request)

    serving = serve(slow)
    silent, asked = serving.client(), serving.client(GET)
    assert started.wait(10)
    begun = time.monotonic()
    assert serving.server.stop().result(10) is True
    assert time.monotonic() - begun < 5
    assert asked.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert silent.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        serving.client()


def test_the_port_can_be_had_again_at_once(serve):
    first = serve()
    first.status()
    first.server.stop().result(10)
    second = Server("127.0.0.1", first.port, ok)
    second.start()
    assert second.stop().result(10) is True


def test_started_and_stopped_at_once():
    for _ in range(20):
        server = Server("127.0.0.1", 0, ok)
        server.start()
        assert server.stop().result(10) is True


def test_a_fault_of_ours_is_reported_and_the_next_one_is_answered(serve, caplog, capfd):
    broken = threading.Event()

    async def respond(request: Request) -> Response:
        if broken.is_set():
            raise LookupError("signature=s3cr3t")
        return await ok(request)

    serving = serve(respond)
    broken.set()
    assert [serving.exchange(GET) for _ in range(3)] == [b""] * 3
    broken.clear()
    assert serving.status() == 200
    wait_until(lambda: sum(faults.errors.values()) == 3, "all three are counted")
    faults.reset()
    assert len(caplog.records) == 1
    assert "LookupError" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert capfd.readouterr().err == ""
