"""Asks a venue for the account at intervals, so that a scrape never does: the figures are those of the last answer.

A function runs in a thread of its own. A coroutine function runs on the loop of the bot where `poll` is called inside one, and
on a loop in the thread otherwise. While an answer is overdue no further one is asked for: a call that hangs costs one thread
and no more, and what it answers in the end is too old to be taken.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from otel_trading.metrics.clock import process

Take = Callable[[object], None]
Fail = Callable[[Exception], None]

_T = TypeVar("_T")


class Poll:
    """What keeps asking; call it to end it.

    An answer goes to `take`, which raises if it is nonsense; whatever is raised, and `TimeoutError` for each interval
    that passed without an answer in time, goes to `fail`.
    """

    def __init__(self, fetch: Callable[[], object], take: Take, fail: Fail, *, every: float, timeout: float, name: str) -> None:
        self._fetch = fetch
        self._take = take
        self._fail = fail
        self._every = every
        self._timeout = timeout
        self._stopped = threading.Event()
        self._loop = _running_loop()
        self._task: asyncio.Task[None] | None = None
        self.last_time: float | None = None
        """When the last answer was taken, by the clock of the process in unix seconds."""
        if self._loop is not None and _is_async(fetch):
            self._task = self._loop.create_task(self._run_on_loop(), name=name)
        else:
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def __call__(self) -> None:
        """Ask no more; an answer that is on its way is not taken."""
        self._stopped.set()
        if self._task is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    @property
    def stopped(self) -> bool:
        """Whether it asks no more."""
        return self._stopped.is_set()

    def _answered(self, ask: Callable[[], object]) -> None:
        """Take what `ask` returns or raises."""
        try:
            answer = ask()
            if self._stopped.is_set():
                return
            self._take(answer)
        except Exception as error:  # noqa: BLE001 - whatever a venue's client raises is counted and changes nothing else
            if not self._stopped.is_set():
                self._fail(error)
        else:
            self.last_time = process.moment()

    def _run(self) -> None:
        worker = _Worker(self._fetched)
        call: _Call[object] | None = None
        while not self._stopped.is_set():
            began = time.monotonic()
            if call is None or call.done.is_set():
                call = worker.ask()
            if call.done.wait(self._timeout):
                self._answered(call.result)
            elif not self._stopped.is_set():
                self._fail(_overdue(self._timeout))
            self._stopped.wait(max(0.0, self._every - (time.monotonic() - began)))
        worker.end()

    def _fetched(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> object:
        """Return the answer; one that has to be awaited on the bot's loop if there is one, else on that of the thread."""
        answer = self._fetch()
        if not inspect.isawaitable(answer):
            return answer
        waiting = _within(cast("Awaitable[object]", answer), self._timeout)
        if self._loop is None:
            return loop().run_until_complete(waiting)
        try:
            return asyncio.run_coroutine_threadsafe(waiting, self._loop).result(self._timeout)
        finally:
            if self._loop.is_closed():  # the bot has ended: nobody will await them, and nothing is left to ask
                self._stopped.set()
                for coroutine in (waiting, answer):
                    if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                        coroutine.close()

    async def _run_on_loop(self) -> None:
        call: asyncio.Future[object] | None = None
        try:
            while True:
                began = time.monotonic()
                if call is None or call.done():
                    call = asyncio.ensure_future(_called(self._fetch))
                await asyncio.wait({call}, timeout=self._timeout)
                if call.done() and not call.cancelled():
                    self._answered(call.result)
                else:
                    call.cancel()
                    self._fail(_overdue(self._timeout))
                await asyncio.sleep(max(0.0, self._every - (time.monotonic() - began)))
        finally:
            if call is not None:
                call.cancel()


class _Call(Generic[_T]):
    """One call in another thread."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self._value: _T | None = None
        self._error: BaseException | None = None

    def run(self, function: Callable[[], _T]) -> None:
        try:
            self._value = function()
        except BaseException as error:  # noqa: BLE001 - SystemExit too ends the call and not the thread
            self._error = error
        self.done.set()

    def result(self) -> _T:
        if isinstance(self._error, Exception):
            raise self._error
        if self._error is not None:
            raise RuntimeError(type(self._error).__name__) from self._error
        return cast("_T", self._value)


class _Worker:
    """A thread that calls one function whenever it is asked to, with an event loop of its own if one is needed."""

    def __init__(self, function: Callable[[Callable[[], asyncio.AbstractEventLoop]], object]) -> None:
        self._function = function
        self._calls: SimpleQueue[_Call[object] | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        threading.Thread(target=self._run, name="otel-trading-fetch", daemon=True).start()

    def ask(self) -> _Call[object]:
        call: _Call[object] = _Call()
        self._calls.put(call)
        return call

    def end(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run(lambda: self._function(self._own_loop))
        if self._loop is not None:
            self._loop.close()

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop


async def _within(answer: Awaitable[_T], timeout: float) -> _T:
    return await asyncio.wait_for(answer, timeout)


async def _called(fetch: Callable[[], object]) -> object:
    return await cast("Coroutine[Any, Any, object]", fetch())


def _overdue(timeout: float) -> TimeoutError:
    return TimeoutError(f"no answer within {timeout:g} s")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _is_async(function: Callable[[], object]) -> bool:
    while hasattr(function, "func"):  # functools.partial
        function = cast("Any", function).func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - the method is looked at, not called
