"""What an account has got of each order, so that it gets each unit, and each fee, once and exactly.

It is kept with the account, so that it also holds for what is told to the next process of the bot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any, Final, TypeAlias

from otel_trading.orders import tally

REMEMBERED: Final = 10_000
"""Orders of an account that are remembered."""

EXACT: Final = Context(prec=1_000, traps=[])
"""A context in which sums and products of what floats can hold are exact."""

_ZERO: Final = Decimal(0)

Part: TypeAlias = "tally.Part[Decimal]"
Fees: TypeAlias = Mapping[str, Decimal]
"""By currency."""

Record = dict[str, Any]
"""An order as JSON holds it: `names`, `filled`, `cost`, `fees`, and of its single fills `single` and `single_fees`."""


class _Order(tally.Tally[Decimal]):
    __slots__ = ("names",)

    rounding = Decimal("1e-9")

    def __init__(self) -> None:
        super().__init__(_ZERO)
        self.names: list[str] = []


class Entered:
    """What was entered of the orders of one account; whoever holds it takes care of threads, and of an exact context."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._changed: dict[int, _Order] = {}

    def single(self, names: Sequence[str], quantity: Decimal, price: Decimal, fees: Fees) -> Part | None:
        """Return what of a single fill was not entered with the totals of its order, whose ids are `names`; None if all was."""
        return self._of(names).execution(quantity, price, fees)

    def totals(self, names: Sequence[str], filled: Decimal, average: Decimal, fees: Fees) -> Part | None:
        """Return what is new of the totals of an order, whose ids are `names`; None if nothing is."""
        return self._of(names).totals(filled, average, fees)

    def take_changed(self) -> list[Record]:
        """Return the records of the orders that changed since the last call, for `restore`."""
        changed, self._changed = list(self._changed.values()), {}
        return [_written(order) for order in changed]

    def dump(self) -> list[Record]:
        """Return the records of all orders, for `restore`."""
        return [_written(order) for order in {id(order): order for order in self._orders.values()}.values()]

    def restore(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Take what was recorded, as a change; of several records of an order the last one counts."""
        for record in records:
            with localcontext(EXACT):
                order = self._of(record["names"])
            order.filled, order.cost, order.single = (Decimal(record[name]) for name in ("filled", "cost", "single"))
            order.charged = {currency: Decimal(paid) for currency, paid in record["fees"].items()}
            order.single_fees = {currency: Decimal(paid) for currency, paid in record["single_fees"].items()}

    def _of(self, names: Sequence[str]) -> _Order:
        orders = self._orders
        found = list({id(one): one for name in names if (one := orders.get(name)) is not None}.values())
        order = found[0] if found else _Order()
        for other in found[1:]:
            order.add(other)
            for name in other.names:
                orders[name] = order
            order.names += [name for name in other.names if name not in order.names]
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


def _written(order: _Order) -> Record:
    return {
        "names": list(order.names),
        "filled": str(order.filled),
        "cost": str(order.cost),
        "fees": {currency: str(paid) for currency, paid in order.charged.items()},
        "single": str(order.single),
        "single_fees": {currency: str(paid) for currency, paid in order.single_fees.items()},
    }
