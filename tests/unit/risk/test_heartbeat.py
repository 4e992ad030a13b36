"""Heartbeats that are missed: once each, with what all threads were doing, and by no thread where there is none."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from otel_trading.decorators import strategy as strategies
from otel_trading.decorators import strategy_cycle
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog, faults
from otel_trading.metrics import clock as clocks
from otel_trading.recording.series import Table
from otel_trading.risk import heartbeats
from otel_trading.risk import watchdog as watchdogs
from otel_trading.risk.heartbeats import Heartbeat, heartbeat
from otel_trading.risk.watchdog import Watchdog
from tests.harness import FORKED
from tests.harness.python_programs import run


@pytest.fixture
def watchdog(clock, monkeypatch) -> Iterator[Watchdog]:
    """One that looks when the test says so, at the test's clock."""
    one = Watchdog(clock, thread=False)
    monkeypatch.setattr(heartbeats, "watchdog", one)
    monkeypatch.setattr(strategies, "watchdog", one)
    monkeypatch.setattr(strategies, "_pulses", Table(strategies._pulse))
    monkeypatch.setattr(clocks.process, "now", clock)
    yield one
    for pulse in list(one._watched.values()):
        pulse.stop()


def stalls(recorded, name: str) -> float | None:
    return recorded.one("heartbeat.stalls", heartbeat__name=name)


@pytest.mark.usefixtures("no_faults")
def test_stall_is_counted_and_logged_once_and_its_end_too(recorded, watchdog, clock, caplog) -> None:
    with heartbeat("loop", 10) as pulse:
        clock.now += 9.9
        watchdog.look()
        assert stalls(recorded, "loop") is None
        pulse.beat()
        clock.now += 10
        for _ in range(3):
            watchdog.look()
            clock.now += 100
        assert stalls(recorded, "loop") == 1
        pulse.beat()
        watchdog.look()
        watchdog.look()
        clock.now += 10
        watchdog.look()
        assert stalls(recorded, "loop") == 2
    told = [(record.levelname, record.getMessage().partition(";")[0]) for record in caplog.records]
    assert told == [
        ("ERROR", "heartbeat 'loop' stalled: no beat for 10.000 s, expected every 10.000 s"),
        ("WARNING", "heartbeat 'loop' beats again"),
        ("ERROR", "heartbeat 'loop' stalled: no beat for 10.000 s, expected every 10.000 s"),
    ]


@pytest.mark.usefixtures("no_faults")
def test_stacks_are_logged_once_for_a_hang_that_several_heartbeats_miss(recorded, watchdog, clock, caplog) -> None:
    """Each stall is counted and said; one that began after the stacks were logged, or when the hang was over, is another."""
    with heartbeat("feed", 10) as feed, heartbeat("orders", 30) as orders, heartbeat("books", 50) as books:
        for _ in range(3):
            clock.now += 10
            watchdog.look()
        assert [stalls(recorded, name) for name in ("feed", "orders", "books")] == [1, 1, None]
        books.beat()  # it was alive while the two others hung, and hangs by itself 50 s later
        clock.now += 50
        watchdog.look()
        for each in (feed, orders, books):
            each.beat()
        watchdog.look()
        clock.now += 10
        watchdog.look()
        feed.beat()
        watchdog.look()
        clock.now += 20
        feed.beat()
        watchdog.look()
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [(line.split()[1], "was doing:\n" in line) for line in told] == [
        ("'feed'", True),
        ("'orders'", False),
        ("'books'", True),
        ("'feed'", True),
        ("'orders'", True),
    ]
    assert told[1] == (
        "heartbeat 'orders' stalled: no beat for 30.000 s, expected every 30.000 s; "
        "what each thread was doing was logged when 'feed' stalled"
    )


def test_heartbeat_that_cannot_be_looked_at_hides_no_other(recorded, watchdog, clock) -> None:
    first = Heartbeat("broken", 10, strategy=None, guard=watchdog, only_while=lambda: 1 / 0).start()
    with first, heartbeat("loop", 10):
        clock.now += 10
        watchdog.look()
        assert stalls(recorded, "loop") == 1
    assert faults.errors == {("heartbeat", "ZeroDivisionError"): 1}


@pytest.mark.usefixtures("no_faults", "watchdog")
def test_metrics_are_there_from_the_beginning_and_gone_at_the_end(recorded, clock) -> None:
    begun = clock.now
    pulse = heartbeat("order_stream", timedelta(seconds=30), strategy="sma")
    known = {"heartbeat.name": "order_stream", "strategy.name": "sma"}
    assert recorded.points("heartbeat.last_beat.time") == [(known, begun)]
    assert recorded.points("heartbeat.timeout") == [(known, 30.0)]
    clock.now += 5
    pulse.beat()
    assert recorded.points("heartbeat.last_beat.time") == [(known, begun + 5)]
    pulse.stop()
    pulse.beat()  # a late beat of some task does not begin it again
    assert recorded.points("heartbeat.last_beat.time") == recorded.points("heartbeat.timeout") == []
    pulse.start()
    assert recorded.points("heartbeat.last_beat.time") == [(known, begun + 5)]
    pulse.stop()


def test_stopped_one_is_not_missed(recorded, watchdog, clock) -> None:
    heartbeat("ends", 10).stop()
    clock.now += 100
    watchdog.look()
    assert stalls(recorded, "ends") is None


def test_second_of_the_same_name_replaces_the_first(recorded, watchdog, clock) -> None:
    first = heartbeat("same", 10)
    with heartbeat("same", 20):
        clock.now += 15
        first.beat()
        watchdog.look()
        assert stalls(recorded, "same") is None
        assert recorded.one("heartbeat.timeout", heartbeat__name="same") == 20
        clock.now += 5
        watchdog.look()
        assert stalls(recorded, "same") == 1


def test_stacks_show_where_each_thread_is_and_no_secret(watchdog, clock, caplog) -> None:
    there, go = threading.Event(), threading.Event()

    def venue_call() -> None:
        there.set() or go.wait()  # https://venue.test/v1/accounts/8842719/orders?signature=deadbeef api_key="s3cr3t"

    thread = threading.Thread(target=venue_call, name="feed-handler")
    thread.start()
    there.wait()
    with heartbeat("dump", 1), caplog.at_level(logging.ERROR):
        clock.now += 1
        looker = threading.Thread(target=watchdog.look)
        looker.start()
        looker.join()
    go.set()
    thread.join()
    text = caplog.records[0].getMessage()
    assert "Thread 'feed-handler':" in text
    assert "Thread 'MainThread':" in text
    assert "in venue_call\n    there.set() or go.wait()  # https://venue.test/" in text
    assert "in test_stacks_show_where_each_thread_is_and_no_secret" in text
    assert not [secret for secret in ("8842719", "deadbeef", "s3cr3t") if secret in text]
    assert "_current_frames" not in text  # the one that looks is left out


@pytest.mark.usefixtures("no_faults")
@pytest.mark.parametrize("ends", [True, False], ids=["returns", "raises"])
def test_strategy_that_hangs_in_its_first_cycle_is_missed(recorded, watchdog, clock, ends) -> None:
    """It is awaited from the beginning of the cycle, and its end is the beat that it is back with."""
    seen: list[float | None] = []

    @strategy_cycle("hangs", every=60)
    def on_bar() -> None:
        for silent in (179, 1):
            clock.now += silent
            watchdog.look()
            seen.append(stalls(recorded, "hangs"))
        if not ends:
            raise LookupError

    with contextlib.nullcontext() if ends else pytest.raises(LookupError):
        on_bar()
    assert seen == [None, 1]
    assert recorded.one("heartbeat.last_beat.time", heartbeat__name="hangs") == clock.now


@pytest.mark.usefixtures("no_faults")
def test_beginning_of_a_later_cycle_is_no_beat(recorded, watchdog, clock) -> None:
    """A loop that begins cycles and ends none is not alive: only the end of one is a beat."""

    @strategy_cycle("starts", every=60)
    def on_bar(seconds: float) -> None:
        clock.now += seconds
        watchdog.look()

    on_bar(0)
    clock.now += 100
    on_bar(80)
    assert stalls(recorded, "starts") == 1


@pytest.mark.usefixtures("no_faults")
def test_strategy_that_stops_running_is_missed_after_a_multiple_of_its_interval(recorded, watchdog, clock) -> None:
    @strategy_cycle("lagging", every=60)
    def on_bar() -> None: ...

    watchdog.look()
    assert recorded.points("heartbeat.timeout") == []  # it never ran
    on_bar()
    assert recorded.one("heartbeat.timeout", heartbeat__name="lagging") == 180
    clock.now += 179
    on_bar()
    clock.now += 179
    watchdog.look()
    assert stalls(recorded, "lagging") is None
    clock.now += 1
    watchdog.look()
    assert stalls(recorded, "lagging") == 1
    clock.now += 1000
    with strategy_cycle.track("lagging", every=60):
        pass
    watchdog.look()
    assert stalls(recorded, "lagging") == 1


def test_strategy_that_fails_beats_too(recorded, watchdog, clock) -> None:
    """A strategy that raises does not hang: its errors are counted."""

    @strategy_cycle("failing", every=1, stalled_after=5)
    def on_bar() -> None:
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            on_bar()
        clock.now += 4.9
        watchdog.look()
    assert recorded.one("heartbeat.timeout", heartbeat__name="failing") == 5
    assert stalls(recorded, "failing") is None


@pytest.mark.parametrize("how", [{}, {"every": 60, "stalled_after": None}])
def test_strategy_without_an_interval_has_no_heartbeat(recorded, watchdog, how) -> None:
    strategy_cycle("free", **how)(lambda: None)()
    assert recorded.points("heartbeat.timeout") == []
    assert not watchdog._watched


@pytest.mark.parametrize("times", [0, -1, math.nan, math.inf, "3"])
def test_multiple_of_the_interval_is_a_positive_number(times) -> None:
    with pytest.raises(ConfigurationError, match="stalled_after is a multiple of every"):
        strategy_cycle("s", every=60, stalled_after=times)


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, "30", None, True, timedelta(0)])
def test_timeout_is_a_positive_number_of_seconds(timeout) -> None:
    with pytest.raises(ConfigurationError, match="timeout is"):
        heartbeat("h", timeout)


@pytest.mark.parametrize("name", ["", " ", None, 7])
def test_name_is_a_text(name) -> None:
    with pytest.raises(ConfigurationError, match="heartbeat: name is"):
        heartbeat(name, 1)


PROGRAMS = {
    "an event loop that hangs": """
import asyncio, logging, sys, time
import otel_trading as ot

class Lines(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
said = []
logging.getLogger("otel_trading").addHandler(Lines())

def hangs():
    deadline = time.monotonic() + 30
    while not said and time.monotonic() < deadline:  # the event loop waits for this
        time.sleep(0.01)

async def main():
    with ot.heartbeat("loop", timeout=0.3) as pulse:
        pulse.beat()
        hangs()
        seen = list(said)
        pulse.beat()
        for _ in range(3000):
            if len(said) > 1:
                break
            await asyncio.sleep(0.01)
            pulse.beat()
        return seen

(stalled,) = asyncio.run(main())
assert "heartbeat 'loop' stalled" in stalled and "in hangs" in stalled, stalled
assert said[1:] == ["heartbeat 'loop' beats again"], said
""",
    "no thread without a heartbeat": """
import threading, time
import otel_trading as ot
def threads():
    return [thread for thread in threading.enumerate() if thread.name == "otel-trading-watchdog"]
assert not threads()
first, second = ot.heartbeat("a", timeout=60), ot.heartbeat("b", timeout=60)
(thread,) = threads()
assert thread.daemon
first.stop()
assert threads() == [thread]
second.stop()
thread.join(30)
assert not threads()
ot.heartbeat("c", timeout=60)
assert threads()
""",
    "nothing in a forked child": FORKED
    + """
import otel_trading as ot
from otel_trading.risk.watchdog import watchdog
pulse = ot.heartbeat("parent", timeout=60)

def child():
    assert threading.enumerate() == [threading.current_thread()]
    assert not watchdog._watched and pulse.last is None
    with ot.heartbeat("child", timeout=60):
        assert "otel-trading-watchdog" in [thread.name for thread in threading.enumerate()]

with held(watchdog._changed):
    assert forked(child) == 0
assert list(watchdog._watched.values()) == [pulse]
""",
}


@pytest.mark.parametrize("what", [name for name in PROGRAMS if "fork" not in name or hasattr(os, "fork")])
def test_in_a_process_of_its_own(tmp_path, what) -> None:
    run(tmp_path, PROGRAMS[what])


def test_thread_that_cannot_be_started_is_reported(monkeypatch, clock) -> None:
    from otel_trading.metrics import faults

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    faults.reset()
    monkeypatch.setattr(watchdogs.threading.Thread, "start", refuse)
    one = Watchdog(clock)
    monkeypatch.setattr(heartbeats, "watchdog", one)
    heartbeat("lonely", 1).stop()
    assert faults.errors == {("heartbeat", "RuntimeError"): 1}


def test_strategy_is_not_missed_while_no_cycle_is_told_of(recorded, watchdog, clock, monkeypatch) -> None:
    """Without a pipeline a decorated function is called as it is: its silence says nothing."""
    on_bar = strategy_cycle("unheard", every=60)(lambda: None)
    on_bar()
    provider = catalog.provider.delegate
    monkeypatch.setattr(catalog.provider, "delegate", None)
    clock.now += 1000
    on_bar()
    watchdog.look()
    monkeypatch.setattr(catalog.provider, "delegate", provider)
    watchdog.look()
    assert stalls(recorded, "unheard") is None
    assert recorded.points("heartbeat.timeout") == []
    on_bar()
    clock.now += 180
    watchdog.look()
    assert stalls(recorded, "unheard") == 1
