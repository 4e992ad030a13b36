"""Sends alerts to people, through Apprise (e-mail, chat, telephone), off the caller's thread."""

from __future__ import annotations

import atexit
import collections
import contextlib
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float
from otel_trading.recording.calls import record_alert
from otel_trading.recording.operations import error_series, severity_of
from otel_trading.risk.services import Message, services
from otel_trading.semconv.attributes import AlertSeverity

COMPONENT: Final = "notifier"
"""The component under which alerts that were not sent are counted in `trading.errors`."""

_RANKS: Final[dict[AlertSeverity, int]] = {"info": 0, "warning": 1, "critical": 2}
_ABANDONED: Final = 3
"""Threads that may hang in a service at the same time before no more are started."""
_EXIT_SECONDS: Final = 2.0
_MINUTE: Final = 60.0
_notifiers: weakref.WeakSet[Notifier] = weakref.WeakSet()


class Notifier:
    """Sends what `ot.alert` says to services, each an Apprise URL (`mailto://…`, `tgram://…`, `discord://…`, `json://…`).

    ```python
    notifier = ot.Notifier(urls_file="/run/secrets/alert-urls", min_severity="warning")
    ot.alert("critical", "daily loss", "main lost 3 % today")
    ```

    The caller never waits: alerts are queued, at most `queue_size` of them, at most `per_minute` are taken up in a minute, and
    a service that does not answer within `timeout` seconds is left behind. What is not sent is counted in `trading.errors` of
    the component `notifier` (`queue_full`, `rate_limited`, `timeout`, `not_delivered`), and the next alert that goes out says
    how many were left out. At exit there are 2 s for what is queued. URLs hold secrets: none is ever logged or shown.

    Needs the extra `notify`.

    :param urls: the services.
    :param urls_file: a file with one URL a line (empty lines and `#` comments are left out), read once.
    :param min_severity: what is less urgent is only counted.
    :raises ConfigurationError: Apprise is not installed, a URL or the file is wrong, or an argument is.
    """

    def __init__(
        self,
        urls: str | Iterable[str] = (),
        *,
        urls_file: str | os.PathLike[str] | None = None,
        min_severity: AlertSeverity = "info",
        per_minute: int = 20,
        queue_size: int = 100,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if min_severity not in _RANKS:
            raise ConfigurationError(f"Notifier: min_severity is {min_severity!r}, expected one of {', '.join(_RANKS)}")
        for argument, value in (("per_minute", per_minute), ("queue_size", queue_size), ("timeout", timeout)):
            number = None if isinstance(value, bool) else as_float(value)
            if number is None or not 0 < number < math.inf:
                raise ConfigurationError(f"Notifier: {argument} is {value!r}, expected a positive number")
        self._services = services([*([urls] if isinstance(urls, str) else urls), *_read(urls_file)], timeout)
        self._least = _RANKS[min_severity]
        self._per_minute, self._queue_size, self._timeout = per_minute, queue_size, timeout
        self._clock = clock
        self._closed = False
        self._begin()
        with self._changed:
            self._employ(self._clock())  # beforehand: while the interpreter exits no thread can be started
        _notifiers.add(self)

    def __repr__(self) -> str:
        return f"Notifier({len(self._services)} services)"

    def begin_in_child(self) -> None:
        """Begin with an empty queue in a process that forked, where the thread is not."""
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._queue: collections.deque[Message] = collections.deque()
        self._times: collections.deque[float] = collections.deque()
        self._left_out = 0
        self._worker: threading.Thread | None = None
        self._busy_since: float | None = None
        self._hanging: list[threading.Thread] = []

    def send(self, severity: object, title: str, body: str = "") -> None:
        """Queue an alert; never waits and never raises."""
        with faults.containing(COMPONENT):
            self._enqueue(Message(severity_of(severity), str(title), str(body)))

    def flush(self, timeout: float = _EXIT_SECONDS) -> bool:
        """Wait until everything that was queued is sent or given up; return whether it is, within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and self._busy_since is None, timeout)

    def close(self, timeout: float = _EXIT_SECONDS) -> bool:
        """Send what is queued, as `flush` does, and take nothing more."""
        _notifiers.discard(self)
        done = self.flush(timeout)
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def _enqueue(self, message: Message) -> None:
        if _RANKS[message.severity] < self._least:
            return
        with self._changed:
            if self._closed:
                return
            now = self._clock()
            while self._times and now - self._times[0] >= _MINUTE:
                self._times.popleft()
            lost = (
                "rate_limited"
                if len(self._times) >= self._per_minute
                else "queue_full"
                if len(self._queue) >= self._queue_size
                else None
            )
            if lost is None:
                self._times.append(now)
                self._queue.append(message)
                self._employ(now)
                self._changed.notify_all()
            else:
                self._left_out += 1
        if lost is not None:
            _lost(lost)

    def _employ(self, now: float) -> None:
        """See that there is a thread that sends: another one, if the last hangs in a service that does not answer."""
        if self._worker is not None:
            if self._busy_since is None or now - self._busy_since < self._timeout * len(self._services):
                return
            self._hanging = [thread for thread in self._hanging if thread.is_alive()]
            if len(self._hanging) >= _ABANDONED:
                return
            self._hanging.append(self._worker)
            self._busy_since = None
            _lost("timeout")
        worker = threading.Thread(target=self._run, name="otel-trading-notifier", daemon=True)
        worker.start()
        self._worker = worker  # it waits for the lock, which we hold

    def _run(self) -> None:
        own = threading.current_thread()
        while True:
            with self._changed:
                if self._worker is not own:
                    return  # another one was started in its place
                self._busy_since = None
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                message, left_out, self._left_out = self._queue.popleft(), self._left_out, 0
                self._busy_since = self._clock()
            for service in self._services:
                if not service.deliver(message, left_out):
                    _lost("not_delivered")


def alert(severity: object, title: str, body: str = "", *, strategy: str | None = None) -> None:
    """Count an alert in `trading.alerts`, and send it through every `Notifier` that there is; never waits and never raises.

    `severity` is `critical`, `warning` or `info`, or a word that logging has for one of them.
    """
    record_alert(severity, strategy=strategy)
    for notifier in list(_notifiers):
        notifier.send(severity, title, body)


def _lost(why: str) -> None:
    error_series[COMPONENT, why].add()
    with contextlib.suppress(Exception):  # a filter or handler of the application may raise
        faults.log_once((COMPONENT, why), "otel_trading: an alert was not sent: %s; further ones are only counted", why)


def _read(path: str | os.PathLike[str] | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Notifier: urls_file cannot be read: {type(error).__name__}") from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


@atexit.register
def _send_the_last() -> None:
    deadline = time.monotonic() + _EXIT_SECONDS
    for notifier in list(_notifiers):
        notifier.close(max(0.0, deadline - time.monotonic()))


def _begin_in_child() -> None:
    for notifier in list(_notifiers):
        notifier.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
