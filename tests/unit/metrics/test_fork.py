"""A process that forks begins with nothing in its child, which records, collects and waits for no thread that it has not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

PROGRAM = """
import math, multiprocessing, os, signal, sys, threading
import otel_trading as ot
from otel_trading.metrics import catalog, faults
from otel_trading.metrics.producer import Producer
from otel_trading.semconv.spec import Metric

def configure():
    return ot.configure(service_name="t", exporters="none", system_metrics=False, venue_requests=False)

def collected():
    scopes = Producer(catalog.meters, "reader").produce()
    found = {m.name: m.data.data_points for s in scopes for m in s.metrics if m.name.startswith("my.")}
    return {name: [getattr(p, "value", None) if hasattr(p, "value") else (p.count, p.sum) for p in points]
            for name, points in found.items()}

counter = catalog.counter(Metric("my.jobs", "counter", "1", ""))
funding = catalog.counter(Metric("my.funding", "updowncounter", "1", ""))
seconds = catalog.histogram(Metric("my.seconds", "histogram", "s", "", bounds=(1.0,)))
size = catalog.gauge(Metric("my.sizes", "gauge", "1", ""))
handles = counter.bind(), funding.bind(), seconds.bind(), size.bind()

def record(value):
    handles[0].add(value)
    handles[1].add(-value)
    handles[2].record(value)
    handles[3].set(value)

def expected(value):
    return {"my.jobs": [value], "my.funding": [-value], "my.seconds": [(1, value)], "my.sizes": [value]}

def child():
    signal.alarm(30)  # whoever waits for ever is ended
    record(100)
    record(math.nan)
    counter.add(1, {"new": "series"})
    counter.remove({"new": "series"})
    assert collected() == {}, collected()
    with configure():
        # What was set of a gauge before configure() is its present value; of the others nothing counts yet.
        assert collected() == {"my.sizes": [100]}, collected()
        record(2)
        counter.add(1, {"new": "series"})
        counter.remove({"new": "series"})
        assert collected() == expected(2), collected()
    assert not faults.errors, faults.errors

def forked():
    pid = os.fork()
    if not pid:
        code = 1
        try:
            child()
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def spawned():
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    return process.exitcode

telemetry = configure()
record(7)
start = {"fork": forked, "multiprocessing": spawned}[sys.argv[1]]
if sys.argv[2] == "held":
    held, go = threading.Event(), threading.Event()
    def hold():
        with catalog.meter._lock, counter.lock, funding.lock, seconds.lock, size.lock, faults._lock:
            held.set()
            go.wait()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    code = start()
    go.set()
    thread.join()
else:
    code = start()
assert collected() == expected(7), collected()
telemetry.shutdown()
sys.exit(code)
"""


@pytest.mark.parametrize("locks", ["free", "held"])
@pytest.mark.parametrize("start", ["fork", "multiprocessing"])
def test_the_child_begins_at_zero_and_records(start, locks, tmp_path):
    """Also where a thread of the parent held every lock, and the parent goes on as it was."""
    # A thread beside a fork is what Python 3.12 and later warn of.
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, start, locks]
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        command, timeout=90, check=False, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stderr
