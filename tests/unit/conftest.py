"""A clean process for each test: no variable of the operator's, nothing configured, nothing reported before."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_trading.metrics import faults
from otel_trading.pipeline.telemetry import Telemetry

_PREFIXES = ("OTEL_", "METRICS_")


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the machine's settings, and shut down what a test has configured and left."""
    for variable in [name for name in os.environ if name.startswith(_PREFIXES)]:
        monkeypatch.delenv(variable)
    faults.reset()
    yield
    configuring = sys.modules.get("otel_trading.pipeline.configure")
    current = configuring and configuring._current
    if current is not None and not current.ended:
        current.shutdown(timeout=2.0)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Telemetry]:
    """`configure()` in an empty directory, on a free port, with nothing of other libraries, unless said otherwise."""
    monkeypatch.chdir(tmp_path)

    def configure(**arguments: object) -> Telemetry:
        import otel_trading as ot

        quiet = {"service_name": "test-bot", "prometheus_port": 0, "system_metrics": False, "venue_requests": False}
        return ot.configure(**{**quiet, **arguments})

    return configure
