"""The venue's event streams, each on a thread of its own: they reconnect, and together hand each message on once, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from otel_trading.demo.errors import NetworkError
from otel_trading.demo.wire import Json, decode

_FIRST_DELAY, _LONGEST_DELAY = 0.02, 2.0
_ATTEMPTS = 8  # about five seconds

Address = Callable[[int], str]
"""Makes the URL of a stream, given the number of the last message that was seen; freshly signed where that is needed."""


class Streams:
    """All streams of a venue as one: messages come in the order of the venue's numbers, which run over all of them.

    While one of the streams is down they wait: who saw prices but not its own fills would trade blindly.
    """

    def __init__(self, addresses: Mapping[str, Address]) -> None:
        self._messages: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._streams = {name: _Stream(name, address, self._messages) for name, address in addresses.items()}
        self._connected: set[str] = set()
        self._early: dict[int, Json] = {}
        self._next = 0

    def receive(self) -> Json:
        """Wait for the next message of the venue, or one of ours: type `stream`, with the stream's name and its state.

        The state is `connected` or `disconnected`. Raises `NetworkError` when the venue cannot be reached any more.
        """
        while self._next not in self._early or len(self._connected) < len(self._streams):
            message = self._messages.get()
            if message is None:
                raise NetworkError("the venue's stream does not come back", "stream")
            if "seq" not in message:
                name = message["data"]["stream"]
                (self._connected.add if message["data"]["state"] == "connected" else self._connected.discard)(name)
                return message
            self._early[message["seq"]] = message
        self._next += 1
        return self._early.pop(self._next - 1)

    def send(self, name: str, message: str) -> None:
        """Send `message` over a stream, and again after each reconnection until another one is sent."""
        self._streams[name].send(message)

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()


class _Stream:
    """Reads the messages of one stream into a queue until it is closed; None is the last when it cannot be reached."""

    def __init__(self, name: str, address: Address, messages: queue.SimpleQueue[Json | None]) -> None:
        self._name = name
        self._address = address
        self._messages = messages
        self._connection: ClientConnection | None = None
        self._last = -1
        self._wanted: str | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"venue-{name}", daemon=True)
        self._thread.start()

    def send(self, message: str) -> None:
        self._wanted = message
        self._send(self._connection)

    def close(self) -> None:
        self._closed.set()
        if self._connection is not None:
            self._connection.close()
        self._thread.join(timeout=2.0)

    def _send(self, connection: ClientConnection | None) -> None:
        if connection is not None and self._wanted is not None:
            try:
                connection.send(self._wanted)
            except WebSocketException:
                return  # the reading thread sees the same, reconnects and sends it again

    def _run(self) -> None:
        failed = 0
        while not self._closed.is_set() and failed < _ATTEMPTS:
            try:
                with connect(self._address(self._last), proxy=None) as connection:
                    self._changed("connected")
                    failed = 0
                    self._connection = connection
                    self._send(connection)
                    self._read(connection)
            except (OSError, WebSocketException):
                failed += 1
            if self._connection is not None:
                self._connection = None
                self._changed("disconnected")
            self._closed.wait(min(_FIRST_DELAY * 2**failed, _LONGEST_DELAY))
        self._messages.put(None)

    def _changed(self, state: str) -> None:
        self._messages.put({"type": "stream", "data": {"stream": self._name, "state": state}})

    def _read(self, connection: ClientConnection) -> None:
        for text in connection:
            message = decode(text)
            if message["seq"] > self._last:  # after a reconnection the last ones come again
                self._last = message["seq"]
                self._messages.put(message)
