"""The ports of the stack on this machine: which there are, which are free, who has one that is not."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from otel_trading.errors import ConfigurationError

HOST: Final = "127.0.0.1"

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


def holder(port: int) -> str | None:
    """Return the name and id of the process that listens on a port; None where the system does not tell."""
    import psutil

    try:
        pids = {
            each.pid
            for each in psutil.net_connections("tcp")
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        }
        return next((f"{psutil.Process(pid).name()}, process {pid}, listens there" for pid in pids if pid), None)
    except (psutil.Error, OSError):
        return None
