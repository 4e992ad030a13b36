"""How much of an order was counted, and of its fees, so that what is told of it again, in whatever form, counts once.

A venue tells the fills of an order by their totals so far, or one by one, or both, and any of it again. What counts is the
larger of the totals and the sum of the single fills; the same of fees, by currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast

from typing_extensions import Self


class Arithmetic(Protocol):
    """What a Decimal and a float have in common: metrics are counted in floats, an account's money in Decimals."""

    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __mul__(self, other: Self, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Self: ...
    def __neg__(self) -> Self: ...
    def __abs__(self) -> Self: ...
    def __bool__(self) -> bool: ...
    def __lt__(self, other: Any, /) -> bool: ...
    def __le__(self, other: Any, /) -> bool: ...
    def __gt__(self, other: Any, /) -> bool: ...


Number = TypeVar("Number", bound=Arithmetic)

_RATIO: Final = Context(prec=40, traps=[])
_NONE: Final[Mapping[str, Any]] = {}


@dataclass(slots=True)
class Part(Generic[Number]):
    """What is new of what was told of an order."""

    quantity: Number
    """0 where nothing but a fee is new."""
    price: Number
    fees: Mapping[str, Number]
    """By currency, negative where it is a rebate."""


class Tally(Generic[Number]):
    """What was counted of one order. Decimals are computed in the current context, which has to be exact."""

    __slots__ = ("charged", "cost", "filled", "single", "single_fees")

    rounding: ClassVar[Any] = 1e-9
    """A share of a quantity, or of a fee, that is none but the rounding of floats; of the type of the numbers."""

    def __init__(self, zero: Number) -> None:
        self.filled: Number = zero
        """The quantity that was counted."""
        self.cost: Number = zero
        """The sum of quantity times price of what was counted."""
        self.charged: Mapping[str, Number] = _NONE
        """The fees that were counted; replaced when they change, as most orders have none or are told once."""
        self.single: Number = zero
        """The sum of the single fills that were told."""
        self.single_fees: Mapping[str, Number] = _NONE

    def totals(self, filled: Number, average: Number, fees: Mapping[str, Number]) -> Part[Number] | None:
        """Return what was filled beyond what was counted, or charged for that; None if nothing was, or it is an old message."""
        quantity, noise = filled - self.filled, filled * self.rounding
        if quantity < -noise:
            return None
        charged, zero, more = self.charged, filled - filled, quantity > noise
        new: dict[str, Number] = {}
        for of, paid in fees.items():
            before = charged.get(of, zero)
            # With more units a fee may become less, by a rebate; of the same units the larger fee is the complete one.
            grown = abs(paid - before) if more else abs(paid) - abs(before)
            if grown > abs(paid) * self.rounding:
                new[of] = paid - before
        if new:
            self.charged = {**charged, **{of: fees[of] for of in new}}
        if not more:
            return Part(zero, average, new) if new else None
        cost = filled * average
        rise = cost - self.cost
        # An average that was corrected downwards can leave the increment without a price: take the average then.
        price = average if not self.filled or rise <= 0 < average else _ratio(rise, quantity)
        self.filled, self.cost = filled, cost
        return Part(quantity, price, new)

    def execution(self, quantity: Number, price: Number, fees: Mapping[str, Number]) -> Part[Number] | None:
        """Return what of a single fill, or of its fees, was not counted with the totals before; None if all was."""
        self.single += quantity
        noise, zero = quantity * self.rounding, quantity - quantity
        part = min(quantity, self.single - self.filled)
        part = zero if part <= noise else quantity if quantity - part <= noise else part
        if part:
            self.filled += part
            self.cost += part * price
        if not fees:
            return Part(part, price, fees) if part else None
        if part == quantity and not (self.charged or self.single_fees):
            self.charged = self.single_fees = fees
            return Part(part, price, fees)
        singles, charged, new = dict(self.single_fees), dict(self.charged), dict[str, Number]()
        for of, paid in fees.items():
            singles[of] = singles.get(of, zero) + paid
            before = charged.get(of, zero)
            grown = _between(singles[of] - before, paid)
            if abs(grown) > abs(paid) * self.rounding:
                new[of], charged[of] = grown, before + grown
        self.single_fees, self.charged = singles, charged
        return Part(part, price, new) if part or new else None

    def add(self, other: Tally[Number]) -> None:
        """Take over what was counted of the same order elsewhere."""
        self.filled += other.filled
        self.cost += other.cost
        self.single += other.single
        self.charged = _sum(self.charged, other.charged)
        self.single_fees = _sum(self.single_fees, other.single_fees)


def _between(new: Number, paid: Number) -> Number:
    """`new`, but neither more than was paid nor of the other sign."""
    zero = paid - paid
    return min(max(new, min(paid, zero)), max(paid, zero))


def _ratio(dividend: Number, divisor: Number) -> Number:
    if isinstance(dividend, Decimal):
        return cast("Number", _RATIO.divide(dividend, cast("Decimal", divisor)))
    return dividend / divisor


def _sum(mine: Mapping[str, Number], theirs: Mapping[str, Number]) -> Mapping[str, Number]:
    return {**mine, **{of: mine[of] + paid if of in mine else paid for of, paid in theirs.items()}}
