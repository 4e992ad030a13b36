"""An account that a test sets, a clock that it moves, and breakers that end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otel_trading.metrics import faults
from otel_trading.recording import market_data
from otel_trading.risk import CircuitBreaker
from tests.unit.recording.recorded import no_faults, recorded

__all__ = ["no_faults", "recorded"]


class Figures:
    """What a breaker reads of an account; the names are those of `otel_trading.Account`, which test_account.py uses itself."""

    def __init__(self) -> None:
        self.name = "main"
        self.drawdown: object = 0.0
        self.daily_ratio: object = 0.0
        self.losing_streak: object = 0


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def figures() -> Figures:
    return Figures()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(figures: Figures, clock: Clock) -> Iterator[Callable[..., CircuitBreaker]]:
    """Make breakers of that account and clock."""
    faults.reset()
    market_data.forget()
    made: list[CircuitBreaker] = []

    def make(name: str = "b", **arguments: object) -> CircuitBreaker:
        made.append(CircuitBreaker(name, **{"account": figures, "clock": clock, **arguments}))
        return made[-1]

    yield make
    for one in made:
        one.close()
    market_data.forget()
