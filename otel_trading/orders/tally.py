"""How much of an order was counted, so that what is told of it again, in whatever form, counts once."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final, NamedTuple

ROUNDING: Final = 1e-9
"""A share of a quantity that is no fill but the rounding of floats."""


class Growth(NamedTuple):
    """What was added to the totals of an order."""

    quantity: float
    cost: float
    """Quantity times price."""
    fees: tuple[float, ...]


class Tally:
    """What was counted of the fills of one order.

    A venue tells the fills of an order by their totals so far, or one by one, or both, and any of it again. What counts is the
    larger of the totals and the sum of the single fills.
    """

    __slots__ = ("cost", "executed", "fees", "filled")

    def __init__(self, filled: float = 0.0, cost: float = 0.0, fees: tuple[float, ...] = ()) -> None:
        self.filled = filled
        self.cost = cost
        self.fees = fees
        self.executed = 0.0
        """The sum of the single fills that were told."""

    def totals(self, filled: float, cost: float, fees: tuple[float, ...]) -> Growth | None:
        """Return what the totals add to what was counted; None if nothing."""
        quantity = filled - self.filled
        if quantity <= filled * ROUNDING:
            return None
        growth = Growth(quantity, cost - self.cost, _minus(fees, self.fees) if self.fees else fees)
        self.filled, self.cost, self.fees = filled, cost, fees
        return growth

    def listed(self, filled: float, cost: float) -> None:
        """Take note of all fills so far, which are counted one by one."""
        if filled > self.filled:
            self.filled, self.cost = filled, cost
        self.executed = max(self.executed, filled)

    def execution(self, quantity: float, price: float) -> float:
        """Return how much of a fill was not counted with the totals before."""
        self.executed += quantity
        part = min(quantity, self.executed - self.filled)
        if part <= quantity * ROUNDING:
            return 0.0
        if quantity - part <= quantity * ROUNDING:
            part = quantity
        self.filled += part
        self.cost += part * price
        return part

    def add(self, other: Tally, *, whole: bool) -> None:
        """Take over what was counted elsewhere: the larger one where `whole` orders were counted, else both."""
        self.executed += other.executed
        if not whole:
            self.filled, self.cost = self.filled + other.filled, self.cost + other.cost
        elif other.filled > self.filled:
            self.filled, self.cost, self.fees = other.filled, other.cost, other.fees


def _minus(now: tuple[float, ...], then: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(paid - before for paid, before in zip_longest(now, then[: len(now)], fillvalue=0.0))
