"""What the venue does by chance, and the dice that decide it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

Fate = Literal["answered", "late", "lost"]
_LATENCY_SPREAD = NormalDist(0.0, 0.5)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Chances between 0 and 1, times in seconds."""

    latency: float = 0.015
    """Median time to an answer; it is lognormal around that."""
    late: float = 0.012
    """An order is executed, its answer comes too late."""
    lost: float = 0.012
    """An order never reaches the matching engine, an answer never comes."""
    hold: float = 3.0
    """How long an unanswered request is left hanging."""
    risk_reject: float = 0.01
    """The venue's risk engine turns an order down."""
    halt: float = 0.01
    """A symbol is halted for a day."""
    split: float = 0.4
    """A taker's order is filled in several executions, each at a worse price."""
    shortfall: float = 0.06
    """The book is too thin for a market order: a part is filled, the rest expires."""
    partial: float = 0.35
    """A resting order that is reached is filled in part only."""
    crossed: float = 0.25
    """A limit order is filled, wholly or in part, while the request to cancel it is on its way."""
    funding: float = 0.0004
    """The highest rate of a funding payment, as a fraction of the position's value; some payments are received."""
    busy: float = 0.03
    """Others behind the same address have used up nearly all of a window's limit of order requests."""
    drop: float = 0.01
    """The connection of one of the two streams breaks after a day."""
    clock_skew: float = 0.037
    """How far the venue's clock is ahead."""


class Dice:
    """Rolls that depend on nothing but the seed, what they are for, and a running number: not on time, not on order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def roll(self, purpose: str, number: int | str) -> float:
        """Return a number in [0, 1)."""
        digest = hashlib.sha256(f"{self._seed}/{purpose}/{number}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def latency(self, median: float, number: int) -> float:
        return median * 2.718281828 ** _LATENCY_SPREAD.inv_cdf(max(self.roll("latency", number), 1e-9))

    def fate(self, behaviour: Behaviour, number: int) -> Fate:
        """What becomes of the `number`th order request."""
        roll = self.roll("fate", number)
        if roll < behaviour.lost:
            return "lost"
        return "late" if roll < behaviour.lost + behaviour.late else "answered"
