"""What an account has got of each order, so that it gets each unit, and each fee, once and exactly.

A venue tells the fills of an order by their totals so far, or one by one, or both, and any of it again, also to the next
process of the bot. What counts is the larger of the totals and the sum of the single fills; the same of fees, by currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple

ROUNDING: Final = Decimal("1e-9")
"""A share of a quantity that is no fill but the rounding of floats."""

REMEMBERED: Final = 10_000
"""Orders of an account that are remembered."""

_ZERO: Final = Decimal(0)
_EXACT: Final = Context(prec=1_000, traps=[])
_RATIO: Final = Context(prec=40, traps=[])
_add, _minus, _times = _EXACT.add, _EXACT.subtract, _EXACT.multiply

Fees = Mapping[str, Decimal]
"""By currency."""

Record = dict[str, Any]
"""An order as JSON holds it: `names`, `filled`, `cost`, `fees`, and of its single fills `single` and `single_fees`."""


class Part(NamedTuple):
    """What is new of what was told of an order."""

    quantity: Decimal
    price: Decimal
    fees: dict[str, Decimal]


class _Order:
    __slots__ = ("charged", "cost", "filled", "names", "single", "single_fees")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.filled = self.cost = self.single = _ZERO
        self.charged: dict[str, Decimal] = {}
        self.single_fees: dict[str, Decimal] = {}


class Entered:
    """What was entered of the orders of one account; whoever holds it takes care of threads."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._changed: dict[int, _Order] = {}

    def single(self, names: Sequence[str], quantity: Decimal, price: Decimal, fees: Fees) -> Part | None:
        """Return what of a single fill was not entered with the totals of its order, whose ids are `names`; None if all was."""
        order = self._of(names)
        order.single = _add(order.single, quantity)
        noise = _times(quantity, ROUNDING)
        part = min(quantity, _minus(order.single, order.filled))
        for currency, paid in fees.items():
            order.single_fees[currency] = _add(order.single_fees.get(currency, _ZERO), paid)
        if part <= noise:
            return None
        part = quantity if _minus(quantity, part) <= noise else part
        order.filled = _add(order.filled, part)
        order.cost = _add(order.cost, _times(part, price))
        charged: dict[str, Decimal] = {}
        for currency, paid in fees.items():
            before = order.charged.get(currency, _ZERO)
            new = paid if part == quantity else _between(_minus(order.single_fees[currency], before), paid)
            order.charged[currency] = _add(before, new)
            charged[currency] = new
        return Part(part, price, charged)

    def totals(self, names: Sequence[str], filled: Decimal, average: Decimal, fees: Fees) -> Part | None:
        """Return what was filled of an order, whose ids are `names`, beyond what was entered; None if nothing was."""
        order = self._of(names)
        quantity, cost = _minus(filled, order.filled), _times(filled, average)
        if quantity <= _times(filled, ROUNDING):
            return None
        grown = _minus(cost, order.cost)
        # An average that was corrected downwards can leave the increment without a price: take the average then.
        price = average if not order.filled or (grown <= 0 < average) else _RATIO.divide(grown, quantity)
        charged = {currency: _minus(paid, order.charged.get(currency, _ZERO)) for currency, paid in fees.items()}
        order.filled, order.cost = filled, cost
        order.charged.update(fees)
        return Part(quantity, price, charged)

    def take_changed(self) -> list[Record]:
        """Return the records of the orders that changed since the last call, for `restore`."""
        changed, self._changed = list(self._changed.values()), {}
        return [_written(order) for order in changed]

    def dump(self) -> list[Record]:
        """Return the records of all orders, for `restore`."""
        return [_written(order) for order in {id(order): order for order in self._orders.values()}.values()]

    def restore(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Take what was recorded; of several records of an order the last one counts."""
        for record in records:
            order = self._of(record["names"])
            order.filled, order.cost, order.single = (Decimal(record[name]) for name in ("filled", "cost", "single"))
            order.charged = {currency: Decimal(paid) for currency, paid in record["fees"].items()}
            order.single_fees = {currency: Decimal(paid) for currency, paid in record["single_fees"].items()}
        self._changed.clear()

    def _of(self, names: Sequence[str]) -> _Order:
        orders = self._orders
        found = list({id(one): one for name in names if (one := orders.get(name)) is not None}.values())
        order = found[0] if found else _Order()
        for other in found[1:]:
            _merge(order, other)
            for name in other.names:
                orders[name] = order
            self._changed.pop(id(other), None)
        for name in names:
            if name not in order.names:
                order.names.append(name)
            orders[name] = order
        while len(orders) > REMEMBERED:
            del orders[next(iter(orders))]
        self._changed[id(order)] = order
        while len(self._changed) > REMEMBERED:
            del self._changed[next(iter(self._changed))]
        return order


def _merge(order: _Order, other: _Order) -> None:
    """Take over what was entered of the same order under another id."""
    order.names += [name for name in other.names if name not in order.names]
    order.filled, order.cost = _add(order.filled, other.filled), _add(order.cost, other.cost)
    order.single = _add(order.single, other.single)
    for mine, theirs in ((order.charged, other.charged), (order.single_fees, other.single_fees)):
        for currency, paid in theirs.items():
            mine[currency] = _add(mine.get(currency, _ZERO), paid)


def _between(new: Decimal, paid: Decimal) -> Decimal:
    """`new`, but neither more than was paid nor of the other sign."""
    return min(max(new, min(paid, _ZERO)), max(paid, _ZERO))


def _written(order: _Order) -> Record:
    return {
        "names": list(order.names),
        "filled": str(order.filled),
        "cost": str(order.cost),
        "fees": {currency: str(paid) for currency, paid in order.charged.items()},
        "single": str(order.single),
        "single_fees": {currency: str(paid) for currency, paid in order.single_fees.items()},
    }
