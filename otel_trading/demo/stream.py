"""The venue's event stream on a thread of its own: it reconnects, and hands each message on once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from otel_trading.demo.errors import NetworkError
from otel_trading.demo.wire import Json, decode

_FIRST_DELAY, _LONGEST_DELAY = 0.02, 2.0
_ATTEMPTS = 8  # about five seconds


class Stream:
    """Reads messages into a queue until it is closed. `address` makes a freshly signed URL, given the last number seen."""

    def __init__(self, address: Callable[[int], str]) -> None:
        self._address = address
        self._messages: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._connection: ClientConnection | None = None
        self._last = -1
        self._wanted: str | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="venue-stream", daemon=True)
        self._thread.start()

    def receive(self) -> Json:
        """Wait for the next message of the venue, or one of ours: type `stream`, state `connected` or `disconnected`.

        Raises `NetworkError` when the venue cannot be reached any more.
        """
        message = self._messages.get()
        if message is None:
            raise NetworkError("the venue's stream does not come back", "stream")
        return message

    def send(self, message: str) -> None:
        """Send `message`, and again after each reconnection until another one is sent."""
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
                    self._messages.put({"type": "stream", "data": {"state": "connected"}})
                    failed = 0
                    self._connection = connection
                    self._send(connection)
                    self._read(connection)
            except (OSError, WebSocketException):
                failed += 1
            if self._connection is not None:
                self._connection = None
                self._messages.put({"type": "stream", "data": {"state": "disconnected"}})
            self._closed.wait(min(_FIRST_DELAY * 2**failed, _LONGEST_DELAY))
        self._messages.put(None)

    def _read(self, connection: ClientConnection) -> None:
        for text in connection:
            message = decode(text)
            if message["seq"] > self._last:  # after a reconnection the last ones come again
                self._last = message["seq"]
                self._messages.put(message)
