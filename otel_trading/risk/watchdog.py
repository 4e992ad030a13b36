"""The one thread that misses heartbeats: it runs while there are any, and beside an event loop that hangs."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from otel_trading import redaction
from otel_trading.metrics import faults

if TYPE_CHECKING:
    from otel_trading.risk.heartbeats import Heartbeat

_logger = logging.getLogger("otel_trading")

_RARELY: Final = 60.0
_OFTEN: Final = 0.01
"""Seconds between two looks, at most and at least."""

_AGAIN: Final = 1.0
"""Seconds, at most, until a heartbeat that was missed is looked at again."""

_FRAMES: Final = 50
"""The innermost frames of a thread that are shown."""
_THREADS: Final = 100
"""Threads that are shown."""


class _Hang(NamedTuple):
    """What several heartbeats may be missed by: one event loop that hangs, say."""

    seen: float
    """When the stacks were logged, by the watchdog's clock."""
    missed_by: list[Heartbeat]

    def has(self, last: float) -> bool:
        """Whether who beat at `last`, and is missed now, hangs in it: since before it was seen, while it goes on."""
        return last <= self.seen and any(heartbeat.stalled for heartbeat in self.missed_by)


class Watchdog:
    """Looks whether heartbeats are late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, thread: bool = True) -> None:
        self.clock = clock
        self._threaded = thread
        self._begin()

    def begin_in_child(self) -> None:
        """Watch nothing in a process that forked: the thread is not here, and who holds the lock may not be either."""
        for heartbeat in self._watched.values():
            heartbeat.rest()
        self._begin()

    def _begin(self) -> None:
        self._watched: dict[tuple[str, str], Heartbeat] = {}
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._hang: _Hang | None = None

    def watch(self, heartbeat: Heartbeat) -> None:
        """Look after `heartbeat` from now on, instead of another one with its key."""
        with self._changed:
            before, self._watched[heartbeat.key] = self._watched.get(heartbeat.key), heartbeat
            if self._threaded and self._thread is None:
                self._start()
            self._changed.notify_all()
        if before is not None and before is not heartbeat:
            before.stopped = True
            before.end()

    def forget(self, heartbeat: Heartbeat) -> None:
        """Look no more after `heartbeat`."""
        with self._changed:
            if self._watched.get(heartbeat.key) is heartbeat:
                del self._watched[heartbeat.key]
            self._changed.notify_all()

    def look(self) -> None:
        """Miss who is late, and greet who is back."""
        with self._changed:
            watched = list(self._watched.values())
        now = self.clock()
        for heartbeat in watched:
            self._look_at(heartbeat, now)

    @faults.contained("heartbeat")
    def _look_at(self, heartbeat: Heartbeat, now: float) -> None:
        """A fault, of a log handler say, keeps nobody from looking at the others."""
        if heartbeat.only_while is not None and not heartbeat.only_while():
            heartbeat.rest()
            return
        last = heartbeat.last
        if last is None:
            return
        silent = now - last
        late = silent >= heartbeat.timeout
        if late == heartbeat.stalled:
            return
        heartbeat.stalled = late
        if not late:
            _logger.warning("heartbeat %r beats again", heartbeat.name)
            return
        heartbeat.count_stall()  # first: the log may hang too
        hang = self._hang
        if hang is not None and hang.has(last):
            hang.missed_by.append(heartbeat)
            doing = f" was logged when {hang.missed_by[0].name!r} stalled"
        else:
            self._hang = _Hang(now, [heartbeat])
            doing = f":\n{stacks()}"
        _logger.error(
            "heartbeat %r stalled: no beat for %.3f s, expected every %.3f s; what each thread was doing%s",
            heartbeat.name,
            silent,
            heartbeat.timeout,
            doing,
        )

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, args=(self._changed,), name="otel-trading-watchdog", daemon=True)
        try:
            thread.start()
        except RuntimeError as fault:  # no thread is left, or the interpreter ends
            faults.report("heartbeat", fault)
        else:
            self._thread = thread

    def _run(self, changed: threading.Condition) -> None:
        while True:
            with faults.containing("heartbeat"):
                self.look()
            with changed:
                if not self._watched:
                    self._thread = None
                    return
                changed.wait(self._pause())

    def _pause(self) -> float:
        """The seconds until somebody may be late; one that is late, or rests, is looked at more often."""
        now = self.clock()
        left = [
            min(each.timeout, _AGAIN) if each.stalled or each.last is None else each.last + each.timeout - now
            for each in self._watched.values()
        ]
        return min(_RARELY, max(_OFTEN, min(left, default=_RARELY)))


def stacks() -> str:
    """What each thread is doing, as tracebacks show it, without secrets; the one that asks is left out."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    parts: list[str] = []
    frames = sys._current_frames()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - documented, in spite of its name
    for ident, frame in list(frames.items())[:_THREADS]:
        if ident != own:
            lines = traceback.format_stack(frame)
            parts.append(f"Thread {names.get(ident, 'unknown')!r}:\n{''.join(lines[-_FRAMES:])}")
    return redaction.trace("\n".join(parts))


watchdog = Watchdog()
"""The process' own."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watchdog.begin_in_child)
