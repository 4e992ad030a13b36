"""Heartbeats: what says again and again that it is alive, and is missed when it does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType

from typing_extensions import Self

from otel_trading import metrics
from otel_trading.errors import ConfigurationError
from otel_trading.metrics.clock import failed, process
from otel_trading.metrics.values import as_float
from otel_trading.risk.watchdog import Watchdog, watchdog
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

_LAST_BEAT = metrics.gauge(m.HEARTBEAT_LAST_BEAT_TIME)
_TIMEOUT = metrics.gauge(m.HEARTBEAT_TIMEOUT)
_STALLS = metrics.counter(m.HEARTBEAT_STALLS)


class Heartbeat:
    """One heartbeat; made by `heartbeat`.

    All of it may be used from any thread. A beat costs two readings of a clock.
    """

    def __init__(
        self, name: str, timeout: float, *, strategy: str | None, guard: Watchdog, only_while: Callable[[], bool] | None = None
    ) -> None:
        self.name = name
        self.timeout = timeout
        self.only_while = only_while
        """What says whether it is missed just now; a heartbeat that others feed only then begins anew afterwards."""
        self.stalled = False
        """Whether it is missed just now."""
        self.stopped = False
        """Whether it was stopped by hand, and a late beat of some task does not begin it again."""
        self._guard = guard
        self._monotonic = guard.clock
        self._known = {a.HEARTBEAT_NAME: name, **({a.STRATEGY_NAME: strategy} if strategy else {})}
        self.last: float | None = None
        """When it last beat, by the watchdog's clock; None while nobody waits for it."""
        self._time: float | None = None
        """The same in unix seconds, by the clock of the process."""
        self._stops: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"Heartbeat({self.name!r})"

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: of two with the same key the later one replaces the other."""
        return self.name, self._known.get(a.STRATEGY_NAME, "")

    def start(self) -> Self:
        """Begin to wait for beats, as if one were given just now."""
        self.last, self.stalled, self.stopped = self._monotonic(), False, False
        self._time = process.moment()
        if not self._stops:
            self._stops = [
                _LAST_BEAT.observe(lambda: self._time, self._known),
                _TIMEOUT.observe(lambda: None if self.last is None else self.timeout, self._known),
            ]
        self._guard.watch(self)
        return self

    def beat(self) -> None:
        """Say that all is well. One that rests is watched again, one that was stopped is not, unless `start` is called."""
        if self.last is None:
            if not self.stopped:
                self.start()
            return
        self.last = self._monotonic()
        try:  # not `moment()`: a call more, in each beat
            self._time = process.now()
        except Exception as fault:  # noqa: BLE001 - promise 1: the clock may be the bot's
            failed(fault)

    def rest(self) -> None:
        """Do not wait for a beat until the next one: nobody is to give one."""
        self.last, self._time, self.stalled = None, None, False

    def stop(self) -> None:
        """End it: nobody waits for it any more, and its metrics are gone. `start` begins it again."""
        self.stopped = True
        self._guard.forget(self)
        self.end()

    def end(self) -> None:
        """End its metrics."""
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()
        self.rest()

    def count_stall(self) -> None:
        """Count that it was missed."""
        _STALLS.add(1, self._known)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.stop()


def heartbeat(name: str, timeout: float | timedelta, *, strategy: str | None = None) -> Heartbeat:
    """Watch a loop: it has to call `beat()` on what is returned at least every `timeout` seconds, the first time from now.

    ```python
    with ot.heartbeat("order_stream", timeout=30) as pulse:
        async for message in stream:
            pulse.beat()
    ```

    When it does not, that is counted and logged once, with what each thread is doing at that moment: an event loop that hangs
    is seen by the thread that watches, which exists while there is a heartbeat. Of heartbeats that are missed by one hang only
    the first is logged with the threads. It is logged too when it beats again. A second heartbeat of the same name (and
    strategy) replaces the first. A process that forked has none.

    Raises `ConfigurationError` when the name is empty or the time-out is not positive.
    """
    if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's word
        raise ConfigurationError(f"heartbeat: name is {name!r}, expected a text that is not empty")
    seconds = as_float(timeout.total_seconds() if isinstance(timeout, timedelta) else timeout)
    if seconds is None or isinstance(timeout, bool) or not (seconds > 0 and math.isfinite(seconds)):
        raise ConfigurationError(f"heartbeat({name!r}): timeout is {timeout!r}, expected a positive number of seconds")
    return Heartbeat(name.strip(), seconds, strategy=strategy, guard=watchdog).start()
