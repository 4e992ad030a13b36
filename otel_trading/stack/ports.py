"""The ports of the stack on this machine: which there are, which are free, who has one that is not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from otel_trading.errors import ConfigurationError

HOST: Final = "127.0.0.1"

_EVERY: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not bound
"""What stands for every address of this machine, and the one that is asked then."""

_PATIENCE: Final = 2.0
"""Seconds that a program has to take a connection."""

DEFAULTS: Final[Mapping[str, int]] = {
    "prometheus": 9090,
    "alertmanager": 9093,
    "otlp-http": 4318,
    "otlp-grpc": 4317,
    "collector-metrics": 8889,
    "collector-telemetry": 8888,
    "collector-health": 13133,
}
"""Each port by what it is for; `--<name>-port` is the option that changes it."""

LINKED: Final = ("prometheus", "alertmanager")
"""Parts to which messages link; `--<name>-external-url` says where they are reached from outside."""


def address(port: int) -> str:
    """A port of this machine as `host:port`."""
    return f"{HOST}:{port}"


def choose(wanted: Mapping[str, int]) -> dict[str, int]:
    """Return the port of each name, any free one for 0.

    Raises `ConfigurationError` that names each port that is taken, who has it and the option that changes it.
    """
    chosen: dict[str, int] = {}
    wrong: list[str] = []
    with ExitStack() as held:
        # All are held until the last is chosen, so that no two are the same; those that are given come first.
        for name in sorted(wanted, key=lambda name: wanted[name] == 0):
            server = held.enter_context(socket.socket())
            # As the programs do: a port whose last connections have not timed out is free.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind((HOST, wanted[name]))
                server.listen(1)
            except OSError as error:
                twin = next((other for other, port in chosen.items() if port == wanted[name]), None)
                who = f"it is that of --{twin}-port" if twin else holder(wanted[name]) or error.strerror
                wrong.append(f"port {wanted[name]} cannot be had ({who}): choose another with --{name}-port, 0 for any")
            else:
                chosen[name] = server.getsockname()[1]
    if wrong:
        raise ConfigurationError("\n".join([*wrong, "--free-ports takes free ones for all that no option names"]))
    return chosen


def listens(host: str, port: int) -> bool:
    """Whether a program listens there. Nothing is bound to find out: a bot that starts meanwhile gets its port."""
    try:
        socket.create_connection((reachable(host), port), timeout=_PATIENCE).close()
    except OSError:
        # One that listens on another address of this machine is in the way of whoever wants all of them.
        return any(host in {*_EVERY, ip} for ip, _ in _listeners(port))
    return True


def refusal(host: str, port: int) -> str | None:
    """Return why this system would not let us listen there, though nobody does; None when it would.

    UDP is asked: it has the same addresses and the same rules about low ports, and is in no TCP server's way.
    """
    try:
        # A machine without IPv6 refuses the socket already.
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((host, port))
    except OSError as error:
        return None if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return None


def reachable(host: str) -> str:
    """The address at which a server that listens on `host` is asked."""
    return _EVERY.get(host, host)


def holder(port: int) -> str | None:
    """Return the name and id of the process that listens on a port; None where the system does not tell."""
    import psutil

    try:
        pids = {pid for _, pid in _listeners(port)}
        return next((f"{psutil.Process(pid).name()}, process {pid}, listens there" for pid in pids if pid), None)
    except (psutil.Error, OSError):
        return None


def _listeners(port: int) -> list[tuple[str, int | None]]:
    """The address and the process of each that listens on a port; none where the system does not tell."""
    import psutil

    try:
        return [
            (each.laddr.ip, each.pid)
            for each in psutil.net_connections("tcp")
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        ]
    except (psutil.Error, OSError):
        return []
