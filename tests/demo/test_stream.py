"""What the event streams do when the venue does not play along."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from otel_trading.demo import stream
from otel_trading.demo.errors import NetworkError
from tests.harness import refusing_port


def test_a_venue_that_never_comes_back_is_an_error_and_not_silence(monkeypatch):
    monkeypatch.setattr(stream, "_LONGEST_DELAY", 0.02)
    with refusing_port() as port:
        streams = stream.Streams({"user": lambda _: f"ws://127.0.0.1:{port}/"})
        with pytest.raises(NetworkError, match="does not come back"):
            streams.receive()
        streams.close()


def test_it_closes_while_it_waits_to_reconnect():
    with refusing_port() as port:
        streams = stream.Streams({"user": lambda _: f"ws://127.0.0.1:{port}/"})
        streams.close()
        assert not streams._streams["user"]._thread.is_alive()


def test_the_messages_of_two_streams_come_in_the_venues_order():
    """Whichever stream is faster, and however the numbers are spread over them."""
    numbers = list(range(200))
    market = {n for n in numbers if n % 7 in {0, 1, 4}}
    halves = {"market": sorted(market), "user": sorted(set(numbers) - market)}
    with _server(halves) as port:
        streams = stream.Streams({name: lambda _, name=name: f"ws://127.0.0.1:{port}/{name}" for name in halves})
        messages = [streams.receive() for _ in range(202)]
        streams.close()

    assert [m["seq"] for m in messages if "seq" in m] == numbers
    assert {m["data"]["stream"] for m in messages if "seq" not in m} == {"market", "user"}


@contextmanager
def _server(halves):
    def answer(connection):
        for number in halves[connection.request.path.strip("/")]:
            connection.send(json.dumps({"seq": number, "type": "x", "time": number, "data": {}}))
        connection.recv(timeout=20)  # until the other side closes

    def quietly(connection):
        with suppress(ConnectionClosed):
            answer(connection)

    with serve(quietly, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()
