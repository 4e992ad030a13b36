"""Jobs that may hang (a Collector that swallows everything), run so that nobody waits for them longer than a deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait

from otel_trading.metrics import faults

Job = Callable[[], bool]


class Worker:
    """A daemon thread that waits for jobs.

    It is started beforehand because no thread can be started any more while the interpreter exits (Python 3.12), which is
    when the last metrics have to leave; an executor of the standard library would be waited for without a deadline.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Job, Future[bool]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, job: Job) -> Future[bool]:
        """Run `job` as soon as those before it are done. What it raises is reported, and its result is then False."""
        result: Future[bool] = Future()
        self._jobs.put((job, result))
        return result

    def stop(self) -> None:
        """End the thread after the jobs that it has."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, result = entry
            result.set_result(bool(_contained(job)))


@faults.contained("pipeline")
def _contained(job: Job) -> bool:
    return job()


def all_within(results: Iterable[Future[bool]], deadline: float) -> bool:
    """Wait until `deadline` (of `time.monotonic()`) and return whether all are done and True by then."""
    done, pending = wait(results, timeout=max(0.0, deadline - time.monotonic()))
    return not pending and all(result.result() for result in done)
