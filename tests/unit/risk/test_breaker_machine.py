"""The states of a breaker against a model of them, in any order of events and over restarts."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from otel_trading.errors import CircuitOpen
from otel_trading.risk import CircuitBreaker
from tests.unit.risk.conftest import Clock, Figures

LIMIT, COOL_DOWN, TRIALS = 0.1, 60.0, 2


class Memory:
    """A ledger of one process: what is asked for is kept at once, as text."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.asked: Any = None

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        assert (kind, name) == ("breaker", "b/main")
        return None if self.text is None else json.loads(self.text)

    def keep(self, kind: str, name: str, changes: Any) -> Any:
        self.asked = changes
        return self.flush

    def flush(self) -> None:
        changes = self.asked()
        if changes is not None:
            self.text = json.dumps(changes.document, allow_nan=False)


class Breaker(RuleBasedStateMachine):
    """The model is three words, three times and the drawdown that was accepted."""

    @initialize()
    def begin(self) -> None:
        self.figures, self.clock, self.memory = Figures(), Clock(), Memory()
        self.told: list[str] = []
        self.state, self.since, self.by_hand, self.accepted, self.out, self.good = "closed", 0.0, False, 0.0, 0, 0
        self.tried = 0.0
        self.expected: list[str] = []
        self.make()

    def make(self) -> None:
        self.real = CircuitBreaker(
            "b",
            account=self.figures,
            max_drawdown=LIMIT,
            cool_down=COOL_DOWN,
            trials=TRIALS,
            enforce=True,
            ledger=self.memory,
            on_trip=self.told.append,
            on_reset=lambda: self.told.append("reset"),
            clock=self.clock,
        )

    def over(self) -> bool:
        drawdown = self.figures.drawdown
        if math.isnan(drawdown):
            return True
        if drawdown < LIMIT:
            self.accepted = 0.0
        if self.accepted >= 1:  # nothing is left to take a fraction of
            return drawdown >= self.accepted + LIMIT
        return drawdown >= (1 - (1 - self.accepted) * (1 - LIMIT) if self.accepted else LIMIT)

    def enter(self, state: str, *, by_hand: bool = False) -> None:
        self.state, self.since, self.by_hand, self.out, self.good = state, self.clock.now, by_hand, 0, 0

    def evaluate(self) -> None:
        over = self.over()
        if self.state == "open":
            if not over and not self.by_hand and self.clock.now - self.since >= COOL_DOWN:
                self.enter("half_open")
        elif over:
            self.enter("open")
            self.expected.append("unknown_figure" if math.isnan(self.figures.drawdown) else "max_drawdown")
        elif self.state == "half_open" and self.out and self.clock.now - self.tried >= COOL_DOWN:
            self.out = 0

    def passes(self) -> bool:
        return self.state == "closed" or (self.state == "half_open" and self.out + self.good < TRIALS)

    @rule(seconds=st.sampled_from([1.0, 30.0, 60.0, 3600.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(drawdown=st.sampled_from([0.0, 0.05, 0.0999, 0.1, 0.15, 0.19, 0.2, 0.5, 1.0, 1.2, math.nan]))
    def move(self, drawdown: float) -> None:
        self.figures.drawdown = drawdown

    @rule()
    def check(self) -> None:
        self.evaluate()
        if self.passes():
            assert self.real.check()
        else:
            with pytest.raises(CircuitOpen):
                self.real.check()

    @rule()
    def allow(self) -> None:
        self.evaluate()
        if self.passes():
            self.real.allow()
            if self.state == "half_open":
                self.out, self.tried = self.out + 1, self.clock.now
        else:
            with pytest.raises(CircuitOpen):
                self.real.allow()

    @rule(status=st.sampled_from(["filled", "new", "canceled", "rejected", "unknown"]))
    def ordered(self, status: str) -> None:
        self.real.ordered(status)
        if self.state == "half_open" and self.out:
            self.out -= 1
            if status in {"rejected", "unknown"}:
                self.enter("open")
                self.expected.append("failed_trial")
            else:
                self.good += 1
                if self.good == TRIALS:
                    self.enter("closed")
                    self.expected.append("reset")
        self.evaluate()

    @rule()
    def trip(self) -> None:
        self.real.trip()
        if self.state != "open":
            self.expected.append("manual")
        if not (self.state == "open" and self.by_hand):
            self.enter("open", by_hand=True)

    @precondition(lambda self: self.state != "closed")
    @rule()
    def reset(self) -> None:
        self.real.reset()
        if self.over() and not math.isnan(self.figures.drawdown):
            self.accepted = self.figures.drawdown
        self.enter("closed")
        self.expected.append("reset")

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        """Nothing is closed by it, and no cool-down begins anew; a trial that was out is not known any more."""
        if clean:
            self.real.close()
        else:
            self.memory.flush()
            self.real._stops.pop()()
        self.make()
        self.out = self.good = 0

    @invariant()
    def same(self) -> None:
        if hasattr(self, "real"):
            self.evaluate()
            assert self.real.state == self.state
            assert self.told == self.expected

    def teardown(self) -> None:
        if hasattr(self, "real"):
            self.real.close()


TestBreaker = Breaker.TestCase
TestBreaker.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=40)
