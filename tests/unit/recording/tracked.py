"""What the tests of `OrderTracker` share: an order, its account, a clock that they move."""

from __future__ import annotations

from typing import Any

import pytest

import otel_trading as ot

TERMS = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": 2}
AT = {"venue.name": "kraken", "strategy.name": "s"}


class Account:
    """Keeps the fills that it gets."""

    name, currency = "main", "USD"

    def __init__(self) -> None:
        self.fills: list[tuple[Any, ...]] = []

    def fill(self, *what: Any, execution_id: str | None, **details: Any) -> None:
        self.fills.append((*what, execution_id))


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def tracker(now: Now, no_faults) -> ot.OrderTracker:  # noqa: ARG001 - nothing of ours fails in these tests
    return ot.OrderTracker(venue="kraken", strategy="s", clock=now)


def legs(recorded) -> dict[str, tuple[int, float]]:
    return {at["order.leg"]: value for at, value in recorded.points("order.leg.duration")}
