"""What it costs to ask a circuit breaker, and to watch a model for drift."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from benchmarks import results, timing
from benchmarks.exposition import total, values
from benchmarks.libraries import library
from benchmarks.results import OURS, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

SYMBOLS = 8
CASH = 100_000
MODEL = "direction"
FEATURES = ("rsi", "spread", "volume")
SCORE_LIMIT = 1_000.0

CHECK = "breaker.check()"
CHECK_MOVED = "breaker.check() after the prices moved"
ALLOW = "breaker.allow() and breaker.ordered()"
SCORE = "a score that is watched for drift, beyond one that is not"
RECORD = f"record_features() of {len(FEATURES)} features and their time"


class Guarded:
    """In a worker: a breaker with five rules, on an account with a position in each symbol."""

    def __init__(self, calls: int) -> None:
        import otel_trading as ot

        self._library = library("ours")
        self._account = ot.Account("main", currency="USD", cash=CASH, strategy="sma_cross", venue="kraken")
        names = [f"SYM{place}/USD" for place in range(SYMBOLS)]
        for name in names:
            self._account.fill(name, "buy", 2, 100)
        self._breaker = ot.CircuitBreaker(
            "daily-loss",
            account=self._account,
            max_daily_loss=0.03,
            max_drawdown=0.10,
            max_consecutive_losses=5,
            max_reject_ratio=0.5,
            max_order_rate=10_000,
            rate_window=0.01,
        )
        self._calls = calls
        given = [(names[place % SYMBOLS], 100.25 + place % 64) for place in range(calls)]
        self._blocks = {
            CHECK: (timing.in_turn([(self._breaker.check, ())] * calls), timing.in_turn([(_nothing, ())] * calls)),
            CHECK_MOVED: (
                timing.in_turn([(self._marked_and_checked, pair) for pair in given]),
                timing.in_turn([(self._account.mark, pair) for pair in given]),
            ),
            ALLOW: (timing.in_turn([(self._ordered, ())] * calls), timing.in_turn([(_nothing, ())] * calls)),
        }

    def round(self, what: str, blocks: int) -> float:
        """Return the nanoseconds that a call takes beyond one that does nothing, or that only marks."""
        return timing.difference(*self._blocks[what], blocks, self._calls)

    def check(self) -> None:
        """See that the breaker was closed because all was well: it opens when a limit is reached."""
        results.expect("breakers that are open", total(self._library.text(), "trading_circuit_breaker_open"), 0)
        self._account.funding(-CASH / 2)
        if self._breaker.check() or self._breaker.reason != "max_daily_loss":
            raise results.CountError(f"the breaker is {self._breaker.state}: {self._breaker.reason}")

    def _marked_and_checked(self, symbol: str, price: float) -> None:
        self._account.mark(symbol, price)
        self._breaker.check()

    def _ordered(self) -> None:
        self._breaker.allow()
        self._breaker.ordered("filled")


class Watched:
    """In a worker: a model with and without drift, and its features."""

    def __init__(self, calls: int) -> None:
        import otel_trading as ot

        self._library = library("ours")
        draw = random.Random(1)  # noqa: S311 - the same numbers every time
        reference = [draw.gauss(0, 1) for _ in range(2000)]
        self._drift = ot.Drift(reference=reference, features=dict.fromkeys(FEATURES, reference))
        scores = [(draw.gauss(0, 1),) for _ in range(calls)]
        watched = ot.inference(model=MODEL, drift=self._drift)(_score)
        features = [{name: draw.gauss(0, 1) for name in FEATURES} for _ in range(calls)]
        self._calls = calls
        self._blocks = {
            SCORE: (
                timing.in_turn([(watched, score) for score in scores]),
                timing.in_turn([(ot.inference(model="plain")(_score), score) for score in scores]),
            ),
            RECORD: (
                timing.in_turn([(_recording(ot.record_features), (each,)) for each in features]),
                timing.in_turn([(_recording(_nothing), (each,)) for each in features]),
            ),
        }

    def round(self, what: str, blocks: int) -> float:
        """Return the nanoseconds that a call takes beyond one that is not watched."""
        return timing.difference(*self._blocks[what], blocks, self._calls)

    def check(self) -> None:
        """See that there is an index of each variable, from as many observations as it takes."""
        least = 200
        for _ in range(least):
            self._blocks[SCORE][0]()
            self._blocks[RECORD][0]()
        found = values(self._library.text(), "trading_inference_drift")
        results.expect("variables that are watched", len(found), len(FEATURES) + 1)


def _nothing(*_: Any, **_more: Any) -> None:
    pass


def _score(value: float) -> float:
    return value


def _recording(record: Callable[..., object]) -> Callable[[dict[str, float]], None]:
    def call(features: dict[str, float]) -> None:
        record(MODEL, features, time=1_700_000_000.0)

    return call


def run(scale: Scale) -> Outcome:
    """Measure it on the breaker and the model of a bot that is scraped."""
    outcome = Outcome(
        "risk",
        "A circuit breaker and drift",
        f"Nanoseconds of a call. The breaker has five rules, three of them on an account with {SYMBOLS} positions; after the "
        "prices moved, its figures have to be found anew. An order asks `allow()` before, and tells `ordered()` after it.",
    )
    guarded, watched = Side(OURS, Guarded, {"calls": scale.calls}), Side(OURS, Watched, {"calls": scale.calls})
    for side, names in ((guarded, (CHECK, CHECK_MOVED, ALLOW)), (watched, (SCORE, RECORD))):
        for what in names:
            found = in_turn(
                [side],
                lambda worker, _, what=what: worker.call("round", what=what, blocks=scale.blocks),
                rounds=scale.rounds,
                processes=scale.processes,
            )
            outcome.add(what, OURS, found[side], "ns")
    outcome.reach(SCORE, SCORE_LIMIT, "ns")
    return outcome
