"""Jobs that may hang (a Collector that swallows everything), run so that nobody waits for them longer than a deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from otel_trading.metrics import faults

_T = TypeVar("_T")


class Worker:
    """A daemon thread that runs jobs one after the other, and one of its own every `every` seconds.

    It is started beforehand because no thread can be started any more while the interpreter exits (Python 3.12), which is
    when the last metrics have to leave; an executor of the standard library would be waited for without a deadline.
    """

    def __init__(self, component: str, *, every: float | None = None, regular: Callable[[], object] | None = None) -> None:
        self._contained = faults.isolated(component)(_call)
        self._every = every
        self._regular = regular
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"otel-trading-{component}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Callable[[], _T]) -> Future[_T | None]:
        """Run `job` as soon as those before it are done. What it raises is reported, and its result is then None."""
        result: Future[_T | None] = Future()
        self._jobs.put((job, result))
        return result

    def stop(self) -> None:
        """End the thread after the jobs that it has."""
        self._jobs.put(None)

    def _run(self) -> None:
        due = time.monotonic() + (self._every or 0.0)
        while True:
            entry, idle = None, False
            try:
                entry = self._jobs.get(timeout=self._every and max(0.0, due - time.monotonic()))
            except queue.Empty:
                idle = True
            if idle:  # not above, or the traceback of a fault would begin with the empty queue's
                self._contained(self._regular)
                due = time.monotonic() + (self._every or 0.0)
                continue
            if entry is None:
                return
            job, result = entry
            if result.set_running_or_notify_cancel():
                result.set_result(self._contained(job))
            del entry, job, result  # nothing is kept alive by a thread that waits


def _call(job: Callable[[], Any] | None) -> Any:
    return job() if job else None


def all_within(results: Iterable[Future[bool | None]], deadline: float) -> bool:
    """Wait until `deadline` (of `time.monotonic()`) and return whether all are done and True by then."""
    done, pending = wait(results, timeout=max(0.0, deadline - time.monotonic()))
    return not pending and all(result.result() for result in done)
