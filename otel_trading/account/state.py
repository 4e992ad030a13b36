"""What is known of an account: its books, what it was told, and which of both its equity comes from.

Three sources of equity, of which one holds at a time:
- the books: capital and every fill are known, equity is cash plus what the holdings are worth (plus a constant where the bot
  told an equity that differs from that: what else the account holds);
- told: an equity without all of cash and positions stands until the bot tells the next one;
- none: parts are known, their sum is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum, auto

from otel_trading.account.book import Book, Fill, Told
from otel_trading.account.money import ZERO
from otel_trading.account.performance import Performance


class _Source(Enum):
    BLANK = auto()  # nothing has happened to an account without capital
    BOOKS = auto()
    TOLD = auto()
    NONE = auto()


class State:
    """Everything about the account but its lock and its series; to be used inside `money.Exact`."""

    def __init__(self, currency: str, cash: Decimal) -> None:
        self.book = Book(currency, cash)
        self.performance = Performance()
        self.funded = bool(cash)
        """Some capital was named: before, equity, cash and every fraction of them are not known."""
        self._source = _Source.BOOKS if cash else _Source.BLANK
        self._constant = ZERO
        self._told = ZERO
        self._cash_told = False
        self._positions_told = False
        self._traded = False
        self._sample()

    @property
    def equity(self) -> Decimal | None:
        return self.worth if self.funded else None

    @property
    def cash(self) -> Decimal | None:
        return self.book.convert(self.book.cash) if self.funded and self.book.cash_known else None

    @property
    def positions_known(self) -> bool:
        return self._source is _Source.BOOKS or self._traded or self._positions_told

    @property
    def realized(self) -> Decimal | None:
        """Profit of what was closed, before fees, at the present rates."""
        known = self.book.realized_known and (self._source is _Source.BOOKS or self._traded)
        return self.book.convert(self.book.realized) if known else None

    @property
    def fees(self) -> Decimal | None:
        return self.book.convert(self.book.fees)

    @property
    def unrealized(self) -> Decimal | None:
        if not self.positions_known:
            return None
        totals: dict[str, Decimal] = {}
        for holding in self.book.open.values():
            if (pnl := holding.pnl) is None:
                return None
            currency = holding.instrument.settle
            totals[currency] = totals.get(currency, ZERO) + pnl
        return self.book.convert(totals)

    @property
    def exposure(self) -> tuple[Decimal, Decimal] | None:
        """Gross and net value of all holdings."""
        if not self.positions_known:
            return None
        gross: dict[str, Decimal] = {}
        net: dict[str, Decimal] = {}
        for holding in self.book.open.values():
            if (value := holding.value) is None:
                return None
            currency = holding.instrument.settle
            gross[currency] = gross.get(currency, ZERO) + value.copy_abs()
            net[currency] = net.get(currency, ZERO) + value
        gross_sum, net_sum = self.book.convert(gross), self.book.convert(net)
        return None if gross_sum is None or net_sum is None else (gross_sum, net_sum)

    def fill(self, fill: Fill, time: float) -> str | None:
        """Enter an execution; return why it was left out if it was."""
        refused = self.book.trade(fill, time)
        if refused is None:
            self._traded = True
            if self._source is _Source.BLANK:
                self._source = _Source.BOOKS
            self._sample()
        return refused

    def mark(self, symbol: str, price: Decimal, time: float) -> str | None:
        """Take a price; return why it was left out if it was."""
        refused = self.book.mark(symbol, price, time)
        if refused is None:
            self._sample()
        return refused

    def flow(self, amount: Decimal) -> None:
        """Enter a deposit, or a withdrawal as a negative amount."""
        self.performance.flow(amount)
        self.book.flow(amount)
        self._told += amount
        self.funded = True
        if self._source is _Source.BLANK:
            self._source = _Source.BOOKS
        self._sample()

    def update(
        self,
        equity: Decimal | None,
        cash: Decimal | None,
        positions: Sequence[Told] | None,
        unread: set[str],
        time: float,
    ) -> bool:
        """Take what the bot knows; return False where its positions contradict the books and no equity follows any more."""
        restart = not self.funded and (equity is not None or cash is not None)
        consistent = True
        changed = False
        opening = not self._traded and not self._positions_told
        if positions is not None:
            changed = self.book.replace(positions, unread, time)
            self._positions_told = True
        if cash is not None:
            self.book.set_cash(cash)
            self.book.cash_known = self._cash_told = self.funded = True
        complete = cash is not None and positions is not None and not unread
        if equity is not None:
            self.funded = True
            worth = self.book.worth if complete else None
            if worth is not None:
                self._source, self._constant = _Source.BOOKS, equity - worth
            else:
                self._source, self._told = _Source.TOLD, equity
                self.book.cash_known = self._cash_told
        elif self._source is not _Source.TOLD:
            if complete:
                self._source, self._constant = _Source.BOOKS, ZERO
            elif self._source is _Source.BLANK:
                self._source = _Source.NONE
                self.book.cash_known = self._cash_told
            elif self._source is _Source.BOOKS and changed and not opening and cash is None:
                # Trades that the books have not seen: their cash is no longer true.
                self._source = _Source.NONE
                self.book.cash_known = consistent = False
        worth = self.worth
        if restart and worth is not None:
            self.performance.restart(worth)
        self._sample()
        return consistent

    @property
    def worth(self) -> Decimal | None:
        """Capital and gain; the gain alone while no capital was named."""
        if self._source is _Source.TOLD:
            return self._told
        if self._source is not _Source.BOOKS:
            return None
        worth = self.book.worth
        return None if worth is None else worth + self._constant

    def _sample(self) -> None:
        worth = self.worth
        if worth is not None:
            self.performance.update(worth, funded=self.funded)
