"""Loopback ports: free ones, one that refuses, one that swallows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import Self

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a loopback port that nobody else is given for the next minute.

    A connection through it is closed from the port's own side, which leaves it in TIME_WAIT: the kernel gives such a port to
    nobody who asks for just any, while a server that names it (with SO_REUSEADDR, as servers do) can have it.
    """
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            server.accept()[0].close()
    return port


@contextmanager
def refusing_port() -> Iterator[int]:
    """Give a port that refuses each connection: it is bound, so nobody else has it, but nobody listens."""
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        yield holder.getsockname()[1]


class BlackHole:
    """A TCP server that accepts each connection, swallows what is sent and never answers."""

    def __init__(self, port: int = 0) -> None:
        self.connections = 0
        self.received = 0
        """Bytes that were swallowed: more than none proves that a client is waiting for an answer."""
        self._server = socket.create_server((LOOPBACK, port))
        self._clients: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.port: int = self._server.getsockname()[1]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # shut down: the only way out
                return
            thread = threading.Thread(target=self._swallow, args=(client,), daemon=True)
            with self._lock:
                self.connections += 1
                self._clients.append(client)
                self._threads.append(thread)
            thread.start()

    def _swallow(self, client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(65536):
                    with self._lock:
                        self.received += len(data)
            except OSError:  # the client went away, or we did
                pass
            with self._lock:
                self._clients.remove(client)

    @property
    def waiting(self) -> int:
        """Clients that are connected and still hope for an answer."""
        with self._lock:
            return len(self._clients)

    def close(self) -> None:
        """Stop; clients that still wait see their connection closed."""
        _shut(self._server)
        self._server.close()
        self._threads[0].join()
        with self._lock:
            clients, threads = list(self._clients), list(self._threads)
        for client in clients:
            _shut(client)
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits on `connection`, which `close` alone does not."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed or disconnected already
        return
