"""Tasks of a loop, and the threads that they hand work to, lose nothing."""

from __future__ import annotations

import asyncio

from otel_trading.metrics import faults
from otel_trading.semconv.spec import Metric
from tests.unit.metrics.core.conftest import gauge, histogram, summed

JOBS = Metric("trading.test.jobs", "counter", "1", "Jobs.", ("task",))
SECONDS = Metric("trading.test.seconds", "histogram", "s", "Seconds.", bounds=(1.0,))
ACTIVE = Metric("trading.test.active", "updowncounter", "1", "Active.")
SIZE = Metric("trading.test.sizes", "gauge", "1", "Sizes.", ("task",))
TASKS, TURNS = 10, 40


def test_tasks_and_their_threads_lose_nothing(stock, meter):
    jobs, active = summed(meter, JOBS), summed(meter, ACTIVE)
    seconds, size = histogram(meter, SECONDS), gauge(meter, SIZE)
    bound = seconds.bind()

    def work(task):
        jobs.add(1, {"task": task % 2})
        bound.record(0.5)

    async def run(task):
        for turn in range(TURNS):
            active.add(1)
            if turn % 4:
                work(task)
                await asyncio.sleep(0)
            else:
                await asyncio.to_thread(work, task)
            size.set(turn, {"task": task})
            active.add(-1)

    async def collect():
        for _ in range(10):
            await asyncio.to_thread(stock.metrics, reader="a")

    async def main():
        await asyncio.gather(*map(run, range(TASKS)), collect())

    asyncio.run(main())
    each = TASKS * TURNS
    assert stock.values(JOBS.name) == {(("task", "0"),): each / 2, (("task", "1"),): each / 2}
    assert stock.value(SECONDS.name) == (each, each / 2)
    assert stock.value(ACTIVE.name) == 0
    assert stock.values(SIZE.name) == {(("task", str(task)),): TURNS - 1 for task in range(TASKS)}
    assert not faults.errors
