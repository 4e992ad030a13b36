"""The one place where our own faults are contained: they are counted, logged once per kind, and never reach the bot.

The tallies are plain dictionaries rather than instruments, so that a fault inside an instrument can be counted too;
`otel_trading.pipeline.self_telemetry` exports them as `trading.sdk.errors` and `trading.sdk.dropped`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import ParamSpec, TypeVar

from otel_trading import redaction
from otel_trading.semconv.attributes import SdkDropReason

_logger = logging.getLogger("otel_trading")
# Reentrant: a signal handler may interrupt the thread that holds it.
_lock = threading.RLock()
_logged: set[Hashable] = set()

_LOGGED_KINDS = 1_000
"""Kinds of fault that are remembered as logged; beyond it they are counted without a line, so that memory stays bounded."""

errors: Counter[tuple[str, str]] = Counter()
"""Our own faults that were contained, by (component, exception class)."""

dropped: Counter[SdkDropReason] = Counter()
"""Measurements or parts of them that could not be recorded as given, by reason."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def log_once(kind: Hashable, message: str, *args: object) -> None:
    """Log a warning the first time that something of this `kind` happens in the process."""
    with _lock:
        if kind in _logged or len(_logged) >= _LOGGED_KINDS:
            return
        _logged.add(kind)
    _logger.warning(message, *args)


def report(
    component: str, fault: BaseException, *, at: str | None = None, outcome: str = "was skipped; the bot is not affected"
) -> None:
    """Count a fault of ours in `component` and log it, with its traceback and its `outcome`, once per kind.

    `at` is what around the bot failed (an address, a file): that and the fault's words say all then, without a traceback.
    """
    kind = type(fault).__name__
    with _lock:
        errors[component, kind] += 1
    if at is not None:
        log_once(
            ("error", component, kind),
            "otel_trading: %s failed at %s, which is said once; the bot is not affected: %s: %s",
            component,
            at,
            kind,
            redaction.message(str(fault)),
        )
        return
    # As text, so that what an exception quotes (a signed address, say) is redacted before anybody sees it.
    trace = "".join(traceback.format_exception(fault))
    log_once(
        ("error", component, kind),
        "otel_trading: %s failed and %s\n%s",
        component,
        outcome,
        redaction.trace(trace),
    )


def drop(reason: SdkDropReason, message: str, *args: object, about: Hashable = None) -> None:
    """Count something that was not recorded as given, and log it once per `reason` and `about` (a metric's name, say)."""
    with _lock:
        dropped[reason] += 1
    log_once(("dropped", reason, about), "otel_trading: " + message, *args)


def declared_twice(name: str) -> None:
    """Log that an observable instrument has callbacks already, so that the new ones are not called."""
    log_once(("declared twice", name), "observable instrument %s is declared twice: the first one counts", name)


def contained(component: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R | None]]:
    """Decorate a function of ours so that whatever goes wrong in it is reported and None is returned instead."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R | None]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
            try:
                return function(*args, **kwargs)
            except Exception as fault:  # noqa: BLE001 - promise 1: no fault of ours may reach the decorated call
                contain(component, fault)
                return None

        return call

    return decorate


def isolated(component: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R | None]]:
    """As `contained`, for what a collection calls: also what is no `Exception`, as the result of a task that was cancelled.

    It would end the thread that collects, and every later collection with it. What ends the process is left to end it where
    that is possible, in the main thread.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R | None]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
            try:
                return function(*args, **kwargs)
            except BaseException as fault:
                ends = isinstance(fault, (KeyboardInterrupt, SystemExit))
                if ends and threading.current_thread() is threading.main_thread():
                    raise
                contain(component, fault)
                return None

        return call

    return decorate


@contextlib.contextmanager
def containing(component: str) -> Iterator[None]:
    """As `contained`, for a block."""
    try:
        yield
    except Exception as fault:  # noqa: BLE001 - as above
        contain(component, fault)


def contain(component: str, fault: BaseException) -> None:
    """Report a fault of ours that was caught, and raise nothing whatever happens."""
    # A logging filter or handler of the application may itself raise; it must not reach the bot through us.
    with contextlib.suppress(Exception):
        report(component, fault)


def reset() -> None:
    """Forget what was counted and logged (for tests)."""
    with _lock:
        errors.clear()
        dropped.clear()
        _logged.clear()


def begin_in_child() -> None:
    """Start from zero in a process that forked, where the lock may be held by a thread that does not exist here."""
    global _lock  # noqa: PLW0603 - a lock cannot be released by anybody but its owner
    _lock = threading.RLock()
    reset()
