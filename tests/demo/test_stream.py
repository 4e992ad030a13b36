"""What the event stream does when the venue does not play along."""

from __future__ import annotations

import pytest

from otel_trading.demo import stream
from otel_trading.demo.errors import NetworkError
from tests.harness import refusing_port


def test_a_venue_that_never_comes_back_is_an_error_and_not_silence(monkeypatch):
    monkeypatch.setattr(stream, "_LONGEST_DELAY", 0.02)
    with refusing_port() as port:
        connection = stream.Stream(lambda _: f"ws://127.0.0.1:{port}/")
        with pytest.raises(NetworkError, match="does not come back"):
            connection.receive()
        connection.close()


def test_it_closes_while_it_waits_to_reconnect():
    with refusing_port() as port:
        connection = stream.Stream(lambda _: f"ws://127.0.0.1:{port}/")
        connection.close()
        assert not connection._thread.is_alive()
