"""Our own faults are counted exactly, said once, and reach nobody."""

from __future__ import annotations

import logging
import threading

import pytest

from otel_trading.metrics import faults


@faults.contained("part")
def divide(by: int) -> float:
    return 1 / by


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "otel_trading")
    return caplog


def test_a_fault_is_contained_counted_and_logged_once_per_kind(log):
    assert divide(2) == 0.5
    assert [divide(0), divide(0), divide("x")] == [None, None, None]
    assert dict(faults.errors) == {("part", "ZeroDivisionError"): 2, ("part", "TypeError"): 1}
    assert [record.levelno for record in log.records] == [logging.WARNING] * 2
    assert "part failed" in log.text
    assert "ZeroDivisionError: division by zero" in log.text
    assert "test_faults.py" in log.text, "the traceback says where"


def test_what_ends_the_program_is_not_contained():
    @faults.contained("part")
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert not faults.errors


@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_goes_through_a_collection_in_the_main_thread(ends):
    """As when a signal comes while an application collects there."""

    @faults.isolated("part")
    def stop() -> None:
        raise ends

    with pytest.raises(ends):
        stop()
    assert not faults.errors


def test_a_log_handler_that_raises_does_not_reach_the_caller():
    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise OSError("disk full")

    logger, broken = logging.getLogger("otel_trading"), Broken()
    logger.addFilter(broken)
    try:
        assert divide(0) is None
    finally:
        logger.removeFilter(broken)
    assert faults.errors["part", "ZeroDivisionError"] == 1


def test_an_exception_that_cannot_be_written_is_contained():
    class UnwritableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    @faults.contained("part")
    def fail() -> None:
        raise UnwritableError

    assert fail() is None
    assert faults.errors["part", "UnwritableError"] == 1


def test_what_an_exception_quotes_is_redacted(log):
    @faults.contained("part")
    def fail() -> None:
        raise ConnectionError("GET https://u:pw@api.venue.com/accounts/1234567/orders?signature=5ecre7 apiKey='k3y'")

    fail()
    assert "https://api.venue.com/accounts/{id}/orders" in log.text
    for secret in ("pw@", "1234567", "5ecre7", "k3y"):
        assert secret not in log.text


def test_drops_are_counted_by_reason_and_logged_once_for_each_metric(log):
    for _ in range(3):
        faults.drop("negative", "%s is negative", "a", about="a")
    faults.drop("negative", "%s is negative", "b", about="b")
    faults.drop("non_finite", "%s", "a", about="a")
    assert dict(faults.dropped) == {"negative": 4, "non_finite": 1}
    assert [record.getMessage() for record in log.records] == [
        "otel_trading: a is negative",
        "otel_trading: b is negative",
        "otel_trading: a",
    ]


def test_the_memory_for_what_was_logged_is_bounded(log, monkeypatch):
    monkeypatch.setattr(faults, "_LOGGED_KINDS", 3)
    for kind in range(10):
        faults.log_once(kind, "%s", kind)
    assert [record.getMessage() for record in log.records] == ["0", "1", "2"]


def test_counts_are_exact_from_many_threads():
    threads = [threading.Thread(target=lambda: [divide(0) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults.errors["part", "ZeroDivisionError"] == 4000
