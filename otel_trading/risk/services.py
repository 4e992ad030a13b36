"""The services that alerts go to: Apprise, kept from logging what its URLs hold."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.semconv.attributes import AlertSeverity

_KINDS: Final[dict[AlertSeverity, str]] = {"info": "info", "warning": "warning", "critical": "failure"}
"""What Apprise calls the severities."""

_MOST_TEXT: Final = 10_000
"""Characters of a body that are sent."""

_TALKATIVE: Final = ("apprise", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
"""Loggers that write addresses, some of them tokens: a path of `POST /bot<token>/sendMessage`."""


class Message(NamedTuple):
    """One alert on its way."""

    severity: AlertSeverity
    title: str
    body: str


class Service:
    """One service."""

    def __init__(self, number: int, scheme: str, sender: Any) -> None:
        self._about = f"{number} ({scheme})"
        self._sender = sender

    def deliver(self, message: Message, left_out: int) -> bool:
        """Return whether the service took the message; never raises."""
        body = message.body[:_MOST_TEXT] or message.title
        if left_out:
            body += f"\n({left_out} more alerts were left out before this one)"
        try:
            with _silence():
                taken = bool(self._sender.notify(title=message.title, body=body, notify_type=_KINDS[message.severity]))
            why = "it was not taken"
        except Exception as fault:  # noqa: BLE001 - any service may fail in any way
            taken, why = False, type(fault).__name__  # what an exception says may quote the URL
        if not taken:
            faults.log_once(("service", self._about), "otel_trading: an alert was not sent by service %s: %s", self._about, why)
        return taken


def services(urls: Sequence[str], timeout: float) -> list[Service]:
    """Return the services at `urls`; raises `ConfigurationError`, which names no URL, when one is wrong or there is none."""
    if not urls:
        raise ConfigurationError("Notifier: no URL of a service is given, by urls or urls_file")
    try:
        with _unwarned():
            apprise = import_module("apprise")
    except ImportError as missing:
        raise ConfigurationError("Notifier: apprise is not installed: pip install 'otel-trading[notify]'") from missing
    found: list[Service] = []
    for number, url in enumerate(urls, start=1):
        # One after the other: its thread pool would be waited for at exit, however long a service hangs.
        sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, secure_logging=True))
        scheme = url.partition("://")[0] if isinstance(url, str) and "://" in url else ""  # pyright: ignore[reportUnnecessaryIsInstance]
        with _silence(), _unwarned():
            known = bool(scheme) and scheme.isalnum() and bool(sender.add(url))
        if not known:
            raise ConfigurationError(f"Notifier: URL number {number} is none that Apprise understands (it is not shown)")
        for server in sender:
            server.socket_connect_timeout = server.socket_read_timeout = timeout / 2
        found.append(Service(number, scheme, sender))
    return found


class _Silenced(threading.local):
    now = False


_silenced = _Silenced()


def _passes(_: logging.LogRecord) -> bool:
    return not _silenced.now


@contextmanager
def _silence() -> Iterator[None]:
    """Let the talkative say nothing of what this thread does."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_passes)  # once: a logger knows its filters
    _silenced.now = True
    try:
        yield
    finally:
        _silenced.now = False


@contextmanager
def _unwarned() -> Iterator[None]:
    """Leave out what Apprise's imports are warned of: a bot may make errors of warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
