"""Which streams are connected, and how often one had to be connected again."""

from __future__ import annotations

import os
import threading

from otel_trading import metrics
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

_CONNECTED = metrics.gauge(m.STREAM_CONNECTED)
_RECONNECTS = metrics.counter(m.STREAM_RECONNECTS)

_MOST = 10_000
"""Streams whose loss is remembered."""


class StreamState:
    """Tells a first connection from one after a loss: libraries report one loss several times, but each connection once."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Know of no stream; in a process that forked, the lock may be held by a thread that does not exist there."""
        self._lock = threading.RLock()
        self._lost: set[tuple[str, str]] = set()
        self._connected: set[tuple[str, str]] = set()

    def changed(self, venue: str, stream: str, event: str) -> None:
        """Record that the stream is `connected`, `disconnected` or `reconnected`; other words are errors of the caller."""
        if event not in {"connected", "disconnected", "reconnected"}:
            raise ValueError(f"no event of a stream: {event!r}")
        key, known = (venue, stream), {a.VENUE_NAME: venue, a.STREAM_NAME: stream}
        with self._lock:
            if event == "disconnected":
                if key in self._connected and len(self._lost) < _MOST:
                    self._lost.add(key)
            elif event == "reconnected" or key in self._lost:
                _RECONNECTS.add(1, known)
            if event != "disconnected":
                self._lost.discard(key)
                if len(self._connected) < _MOST:
                    self._connected.add(key)
        _CONNECTED.set(0 if event == "disconnected" else 1, known)


stream_state = StreamState()
"""The streams of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=stream_state.begin)
