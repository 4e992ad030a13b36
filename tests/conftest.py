"""What every test gets: time, and the output of the real programs that it started, when it fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.harness import process

LOG_TAIL = 8000

# How busy the machine is says nothing of what is tested, and one fixture is for all examples.
settings.register_profile(
    "patient",
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
# For Pythons and versions beside those of .venv, on which every property has been tried with more.
settings.register_profile("fewer examples", settings.get_profile("patient"), max_examples=20)
settings.load_profile("patient")

# A shell ignores it for what it starts in the background, and every program that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections += [(f"output of {name}", output[-LOG_TAIL:]) for name, output in process.logs()]
    return report


def pytest_runtest_logfinish() -> None:
    process.forget_ended()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two tests for each core: every other one waits for a program that it has started."""
    return 2 * (os.cpu_count() or 1)
