"""The series of a build without a global interpreter lock: they take the instrument's lock, and are else the same."""

from __future__ import annotations

import math
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.metrics import faults
from otel_trading.metrics.cells import CounterCell, HistogramCell, UpDownCounterCell
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from otel_trading.metrics.routes import _LockedCounter, _LockedHistogram, _LockedUpDownCounter

LOCKED = {
    "counter": (CounterCell, _LockedCounter),
    "updowncounter": (UpDownCounterCell, _LockedUpDownCounter),
    "histogram": (HistogramCell, _LockedHistogram),
}


def handle(kind, of):
    meter = CoreMeter(DelegatingMeterProvider(), "locked")
    meter.attach("core", {}, Limits())
    make = {"counter": meter.create_counter, "updowncounter": meter.create_up_down_counter, "histogram": meter.create_histogram}
    made = make[kind]("m").bind()
    made.__class__ = of
    return made, made.record if kind == "histogram" else made.add


def state(cell):
    return [cell.counts.tolist(), cell.sum, cell.min, cell.max] if isinstance(cell, HistogramCell) else [cell.value]


@pytest.mark.parametrize("kind", LOCKED)
@given(
    st.lists(st.one_of(st.integers(), st.floats(), st.booleans(), st.decimals(), st.none(), st.text(max_size=1)), max_size=8)
)
def test_a_locked_series_records_what_a_plain_one_does(kind, values):
    found = []
    for of in LOCKED[kind]:
        faults.reset()
        cell, record = handle(kind, of)
        for value in values:
            record(value)
        found.append((*state(cell), cell.empty, dict(faults.dropped), dict(faults.errors)))
    assert repr(found[0]) == repr(found[1])


@pytest.mark.parametrize("kind", LOCKED)
def test_recording_waits_for_whoever_has_the_lock(kind):
    """Which is what a plain series need not do, and what keeps two threads apart where nothing else does."""
    cell, record = handle(kind, LOCKED[kind][1])
    recorded = threading.Event()

    def work():
        record(1)
        recorded.set()

    with cell.instrument.lock:
        thread = threading.Thread(target=work)
        thread.start()
        assert not recorded.wait(0.05)
        assert cell.empty
    thread.join(60)
    assert recorded.is_set()
    assert not cell.empty


def test_a_value_that_is_no_number_leaves_the_lock_free():
    for kind, (_, of) in LOCKED.items():
        cell, record = handle(kind, of)
        record(math.nan)
        record("x")
        found = []
        thread = threading.Thread(target=lambda lock=cell.instrument.lock, found=found: found.append(lock.acquire(timeout=10)))
        thread.start()
        thread.join(60)
        assert found == [True]


def test_a_build_without_the_global_lock_takes_them():
    code = """
import sysconfig
known = sysconfig.get_config_var
sysconfig.get_config_var = lambda name: 1 if name == "Py_GIL_DISABLED" else known(name)
from otel_trading.metrics import routes
found = [routes.cell_class(kind, "core") for kind in ("counter", "updowncounter", "histogram")]
assert found == [routes._LockedCounter, routes._LockedUpDownCounter, routes._LockedHistogram], found
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
