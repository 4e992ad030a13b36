"""Jobs run one after the other in a thread that is there already; nobody waits longer than a deadline, and none raises."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from concurrent.futures import Future
from functools import partial

import pytest

from otel_trading.metrics import faults
from otel_trading.metrics.worker import Worker, all_within
from tests.harness import wait_until


@pytest.fixture
def worker():
    worker = Worker("test")
    worker.start()
    yield worker
    worker.stop()


def test_jobs_run_in_order_in_one_other_thread(worker):
    ran = []

    def job(number):
        ran.append((number, threading.current_thread().name))
        return number

    assert [result.result(10) for result in [worker.submit(lambda number=number: job(number)) for number in range(5)]] == [
        *range(5)
    ]
    assert ran == [(number, "otel-trading-test") for number in range(5)]


def test_a_job_that_raises_is_reported_and_the_next_one_runs(worker):
    assert worker.submit(lambda: 1 / 0).result(10) is None
    assert worker.submit(lambda: True).result(10) is True
    assert dict(faults.errors) == {("test", "ZeroDivisionError"): 1}


@pytest.mark.parametrize("ends", [asyncio.CancelledError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_job_that_would_end_the_thread_is_reported_and_the_next_one_runs(worker, ends):
    def job():
        raise ends

    assert worker.submit(job).result(10) is None
    assert worker.submit(lambda: True).result(10) is True
    assert dict(faults.errors) == {("test", ends.__name__): 1}


def test_a_job_that_was_cancelled_before_its_turn_does_not_run(worker):
    gate, ran = threading.Event(), []
    worker.submit(lambda: gate.wait(10))
    waiting = worker.submit(lambda: ran.append(1))
    assert waiting.cancel()
    gate.set()
    worker.submit(lambda: True).result(10)
    assert ran == []


def test_the_regular_job_runs_again_and_again_even_when_it_fails_and_others_come_between():
    ticks = threading.Semaphore(0)

    def tick():
        ticks.release()
        raise OSError

    worker = Worker("test", every=0.01, regular=tick)
    worker.start()
    try:
        for _ in range(3):
            worker.submit(lambda: None)
            assert ticks.acquire(timeout=10)
    finally:
        worker.stop()


def test_the_traceback_of_a_regular_job_that_fails_is_its_own(caplog):
    def tick():
        raise LookupError("of the job")

    worker = Worker("test", every=0.01, regular=tick)
    worker.start()
    try:
        # Another test's worker may say something, too.
        said = wait_until(lambda: [said for said in caplog.messages if "LookupError: of the job" in said], "it is said")
    finally:
        worker.stop()
    assert [text.count("Traceback (most recent call last)") for text in said] == [1]


def test_a_stream_of_jobs_does_not_put_the_regular_one_off():
    ticked = threading.Event()
    worker = Worker("test", every=0.05, regular=ticked.set)
    worker.start()
    deadline = time.monotonic() + 10
    while not ticked.is_set() and time.monotonic() < deadline:
        worker.submit(lambda: time.sleep(0.01)).result(10)
    worker.stop()
    assert ticked.is_set()


def test_stopping_lets_the_jobs_that_are_there_run_and_ends_the_thread(worker):
    gate = threading.Event()
    worker.submit(lambda: gate.wait(10))
    last = worker.submit(lambda: "last")
    worker.stop()
    gate.set()
    assert last.result(10) == "last"
    worker._thread.join(10)
    assert not worker._thread.is_alive()
    assert worker._thread.daemon, "nothing waits for it at exit"


def test_a_waiting_thread_keeps_nothing_of_its_last_job_alive(worker):
    class Big:
        pass

    big = Big()
    gone = weakref.ref(big)
    worker.submit(partial(id, big)).result(10)
    del big
    worker.submit(lambda: None).result(10)
    gc.collect()
    assert gone() is None


def test_all_within_is_true_only_when_all_are_there_and_true():
    def done(value):
        future = Future()
        future.set_result(value)
        return future

    assert all_within([], time.monotonic())
    assert all_within([done(True), done(True)], time.monotonic() - 1)
    assert not all_within([done(True), done(False)], time.monotonic() + 10)
    assert not all_within([done(True), done(None)], time.monotonic() + 10)
    assert not all_within([done(True), Future()], time.monotonic() + 0.01)
