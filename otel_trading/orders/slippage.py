"""How far from the price that was meant an order was filled."""

from __future__ import annotations

from dataclasses import dataclass

from otel_trading.semconv.attributes import OrderSide, SlippageDirection

_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Slippage:
    """The slippage of one order."""

    basis_points: float
    """side · (average fill - reference) / reference · 10,000; side is +1 for a buy and -1 for a sell: positive is a cost."""
    cost: float
    """The same in money: side · (average fill - reference) · quantity · multiplier, for a contract that is not inverse."""

    @property
    def direction(self) -> SlippageDirection:
        """`adverse` if it cost something, else `favorable`."""
        return "adverse" if self.basis_points > 0 else "favorable"


def measure(
    side: OrderSide, average: float, reference: float, quantity: float, multiplier: float = 1, *, inverse: bool = False
) -> Slippage | None:
    """Return the slippage of `quantity` filled at `average` where `reference` was meant; None without positive prices.

    The money of an inverse contract is quantity over price: what it cost is the difference of those.
    """
    if not (reference > 0 and average > 0):
        return None
    sign = 1 if side == "buy" else -1
    distance = sign * (average - reference)
    size = quantity * multiplier
    cost = sign * size * (1 / reference - 1 / average) if inverse else distance * size
    return Slippage(distance / reference * _BASIS_POINTS, cost)
