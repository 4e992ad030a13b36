"""Which part of the cost of a position is released when a part of it is closed.

Average cost: the part of the whole cost that the closed size is of the whole size. FIFO: the cost of the oldest units, lot by
lot. Both release all of the cost when all is closed, so that only the time at which a profit is realised differs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from otel_trading.account.money import ZERO, quotient

CostMethod = Literal["average", "fifo"]
COST_METHODS: tuple[CostMethod, ...] = ("average", "fifo")

Lot = tuple[Decimal, Decimal]
"""Size and cost, both negative when short."""


class Lots:
    """The purchases (or short sales) that an open position consists of, the oldest first."""

    __slots__ = ("_captured", "_lots")

    def __init__(self, lots: Iterable[Lot] = ()) -> None:
        self._lots: deque[Lot] = deque(lots)
        self._captured: tuple[Lot, ...] | None = None

    def capture(self) -> tuple[Lot, ...]:
        """Return all of them; the same object until one changes."""
        if self._captured is None:
            self._captured = (*self._lots,)
        return self._captured

    def open(self, size: Decimal, cost: Decimal) -> None:
        """Add the newest lot."""
        self._captured = None
        self._lots.append((size, cost))

    def close(self, size: Decimal) -> Decimal:
        """Take `size` units (positive) from the oldest lots; return what they cost, rounded once where a lot is divided."""
        self._captured = None
        released = ZERO
        while size and self._lots:
            held, cost = self._lots[0]
            if held.copy_abs() <= size:
                self._lots.popleft()
                released += cost
                size -= held.copy_abs()
            else:
                part = quotient(cost * size, held.copy_abs())
                self._lots[0] = (held - size.copy_sign(held), cost - part)
                released += part
                size = ZERO
        return released

    def clear(self) -> None:
        """Forget all lots."""
        self._captured = None
        self._lots.clear()
