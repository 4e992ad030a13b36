"""What a decorator adds to a call: latency, count and outcome."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results, timing
from benchmarks.environments import UnavailableError, autometrics_python
from benchmarks.exposition import total
from benchmarks.libraries import library
from benchmarks.results import AUTOMETRICS, OURS, PROMETHEUS, STOCK, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

FUNCTIONS = 8
"""Decorated functions that are called in turn, each with attributes of its own."""

BEFORE = 300
"""Calls of each before anything is measured: its counts are beyond the small integers that Python keeps ready made."""

PREDICTIONS = ("up", "down", "flat")


class Calls:
    """In a worker: functions under one way of decorating them."""

    def __init__(self, name: str, way: str, calls: int, *, only_sync: bool = False) -> None:
        self._library = library(name)
        self._way = way
        decorate = getattr(self._library, way)
        plain = [_function(place) for place in range(FUNCTIONS)]
        self._decorated = [decorate(place)(function) for place, function in enumerate(plain)]
        arguments = [(PREDICTIONS[place % 3],) for place in range(calls)]

        def called(functions: Sequence[Callable[..., Any]]) -> timing.Calls:
            return [(functions[place % FUNCTIONS], given) for place, given in enumerate(arguments)]

        self._made = self._failed = 0
        self._calls = calls
        self._measured = self._counting(timing.in_turn(called(self._decorated)), calls)
        self._plain = timing.in_turn(called([timing.passing_through(function) for function in plain]))
        for place in range(BEFORE * FUNCTIONS):
            self._decorated[place % FUNCTIONS](PREDICTIONS[place % 3])
        self._made += BEFORE * FUNCTIONS
        if not only_sync:
            coroutines = [_coroutine_function(place) for place in range(FUNCTIONS)]
            decorated = [decorate(place)(function) for place, function in enumerate(coroutines)]
            self._awaited = self._counting(timing.awaited_in_turn(called(decorated)), calls)
            through = [timing.passing_through_async(function) for function in coroutines]
            self._awaited_plain = timing.awaited_in_turn(called(through))

    def round(self, blocks: int) -> float:
        """Return the nanoseconds that the decorator adds to a call."""
        return timing.difference(self._measured, self._plain, blocks, self._calls)

    def awaited_round(self, blocks: int) -> float:
        """Return the nanoseconds that the decorator adds to an awaited call."""
        return timing.difference(self._awaited, self._awaited_plain, blocks, self._calls)

    def check(self) -> None:
        """Let calls fail, too, and compare all that was counted with what was done."""
        for place in range(BEFORE):
            with contextlib.suppress(ValueError):
                self._decorated[place % FUNCTIONS](None)
        self._made += BEFORE
        self._failed += BEFORE
        text = self._library.text()
        done = {"calls": self._made, "failures": self._failed, "successes": self._made - self._failed}
        for count in getattr(self._library, f"{self._way}_counts")():
            what = f"{self._way}: {count.of} in {count.prefix}…{count.ending}"
            results.expect(what, total(text, count.prefix, count.ending, count.label), done[count.of])

    def _counting(self, block: timing.Block, calls: int) -> timing.Block:
        def counted() -> int:
            self._made += calls
            return block()

        return counted


def _function(place: int) -> Callable[..., Any]:
    def predict(features: str | None) -> str:
        if features is None:
            raise ValueError("no features")
        return features

    predict.__name__ = predict.__qualname__ = f"predict_{place}"
    return predict


def _coroutine_function(place: int) -> Callable[..., Any]:
    async def predict(features: str | None) -> str:
        if features is None:
            raise ValueError("no features")
        return features

    predict.__name__ = predict.__qualname__ = f"predict_async_{place}"
    return predict


TIMED, INFERENCE = "@timed", "@inference"


def run(scale: Scale) -> Outcome:
    """Measure the decorators of all libraries."""
    outcome = Outcome(
        "calls",
        "A decorated call",
        "Nanoseconds that the decorator adds to a call, beyond a wrapper that only passes it on. Latency, count and outcome, "
        f"with three attributes; {FUNCTIONS} functions in turn, each with attributes of its own. `@inference` also counts "
        "the predicted label, as prometheus_client does with a counter beside it. Its `@hist.time()` records no outcome; "
        "stock OpenTelemetry is a histogram and a counter in a decorator written by hand.",
        pictured=[TIMED],
    )
    sides = [
        (TIMED, _side(OURS, scale, "ours", "timed")),
        (INFERENCE, _side(OURS, scale, "ours", "inference")),
        (TIMED, _side(STOCK, scale, "stock", "by_hand")),
        (TIMED, _side(PROMETHEUS, scale, "prometheus", "time")),
        (INFERENCE, _side(PROMETHEUS, scale, "prometheus", "time_and_count")),
    ]
    if scale.autometrics:
        try:
            sides.append((TIMED, _side(AUTOMETRICS, scale, "autometrics", "autometrics", autometrics_python())))
        except UnavailableError as why:
            outcome.notes.append(f"autometrics was not measured: {why}")
    found = in_turn(
        [side for _, side in sides],
        lambda worker, _: worker.call("round", blocks=scale.blocks),
        rounds=scale.rounds,
        processes=scale.processes,
    )
    for what, side in sides:
        outcome.add(what, side.library, found[side], "ns")
    for what in (TIMED, INFERENCE):
        outcome.reach(what, 250, "ns")
        outcome.reach_part(what, STOCK, 1 / 25, theirs=TIMED)
        outcome.reach_part(what, PROMETHEUS, 1 / 4)
    return outcome


def _side(name: str, scale: Scale, library: str, way: str, python: str | Path = sys.executable) -> Side:
    return Side(name, Calls, {"name": library, "way": way, "calls": scale.calls, "only_sync": True}, python=python)
