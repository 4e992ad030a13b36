"""What is known of an account: its books, what it was told, and which of both its equity comes from.

Three sources of equity, of which one holds at a time:
- the books: capital and every fill are known, equity is cash plus what the holdings are worth (plus a constant where the bot
  told an equity that differs from that: what else the account holds);
- told: an equity without all of cash and positions stands until the bot tells the next one;
- none: parts are known, their sum is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from otel_trading.account.book import Book, Fill, Refusal, Told
from otel_trading.account.money import ZERO
from otel_trading.account.performance import Performance


@dataclass(frozen=True, slots=True)
class Update:
    """What a bot tells of the account, checked and exact; None is what it does not tell."""

    equity: Decimal | None
    cash: Decimal | None
    positions: Sequence[Told] | None
    unread: frozenset[str] = frozenset()
    """Symbols of positions whose size could not be read: they stay as they were."""
    buying_power: Decimal | None = None
    margin_used: Decimal | None = None
    margin_available: Decimal | None = None


class _Source(Enum):
    """Where equity comes from."""

    BLANK = auto()  # nothing has happened to an account without capital
    BOOKS = auto()
    TOLD = auto()
    NONE = auto()


# Looking a member up in its class takes longer than a sum of two amounts.
_BOOKS, _TOLD = _Source.BOOKS, _Source.TOLD


class State:
    """Everything about the account but its lock and its series; to be used inside `money.Exact`."""

    def __init__(self, currency: str, cash: Decimal) -> None:
        self.book = Book(currency, cash)
        self.performance = Performance()
        self.funded = bool(cash)
        """Some capital was named: before, equity, cash and every fraction of them are not known."""
        self.buying_power: Decimal | None = None
        self.margin_used: Decimal | None = None
        self.margin_available: Decimal | None = None
        self._source = _Source.BOOKS if cash else _Source.BLANK
        self._constant = ZERO
        self._told = ZERO
        self._updated = False
        self._cash_told = False
        self._positions_told = False
        self._traded = False
        self._sample()

    @property
    def worth(self) -> Decimal | None:
        """Capital and gain; the gain alone while no capital was named."""
        if self._source is _BOOKS:
            worth = self.book.worth
            return worth if worth is None or self._constant is ZERO else worth + self._constant
        return self._told if self._source is _TOLD else None

    @property
    def equity(self) -> Decimal | None:
        return self.worth if self.funded else None

    @property
    def cash(self) -> Decimal | None:
        return self.book.convert(self.book.cash) if self.funded and self.book.cash_known else None

    @property
    def positions_known(self) -> bool:
        return self._source is _BOOKS or self._traded or self._positions_told

    @property
    def realized(self) -> Decimal | None:
        """Profit of what was closed, before fees, at the present rates."""
        kept = self._traded or (self._source is _BOOKS and not self._positions_told)
        return self.book.convert(self.book.realized) if kept and self.book.realized_known else None

    @property
    def fees(self) -> Decimal | None:
        return self.book.convert(self.book.fees)

    @property
    def unrealized(self) -> Decimal | None:
        return self.book.unrealized if self.positions_known else None

    @property
    def exposure(self) -> tuple[Decimal, Decimal] | None:
        """Gross and net value of all holdings."""
        return self.book.exposure if self.positions_known else None

    @property
    def peak_equity(self) -> Decimal | None:
        """The equity at which there would be no drawdown."""
        drawdown = self.performance.drawdown
        return None if drawdown is None or self.equity is None else drawdown.peak

    @property
    def drawdown(self) -> float | None:
        drawdown = self.performance.drawdown
        return None if drawdown is None or self.equity is None else drawdown.current

    @property
    def max_drawdown(self) -> float | None:
        drawdown = self.performance.drawdown
        return None if drawdown is None else drawdown.maximum

    def fill(self, fill: Fill, time: float) -> Refusal | None:
        """Enter an execution; return why it was left out if it was."""
        refused = self.book.trade(fill, time)
        if refused is None:
            self._traded = True
            self._open_books()
            self._sample()
        return refused

    def mark(self, symbol: str, price: Decimal, time: float) -> Refusal | None:
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
        self._open_books()
        self._sample()

    def update(self, told: Update, time: float) -> bool:
        """Take what the bot knows; return False where it shows trades that were missed, by which figures are lost."""
        self._pass_on(told)
        capital = told.cash is not None or told.equity is not None
        if not capital and told.positions is None:
            return True
        if not (self._traded or self._updated) or (capital and not self.funded):
            # What the bot begins with is no gain.
            self.performance.restart()
        missed = False
        if told.positions is not None:
            changed = self.book.replace(told.positions, told.unread, time)
            missed = changed and (self._traded or self._positions_told)
            self.book.realized_known = self.book.realized_known and not missed
            self._positions_told = True
        if told.cash is not None:
            self.book.set_cash(told.cash)
            self.book.cash_known = self._cash_told = True
        self.funded = self.funded or capital
        kept_books = self._source is _BOOKS
        self._find_source(told, missed=missed)
        self._updated = True
        self._sample()
        return not missed or not (self._traded or (kept_books and self._source is _Source.NONE))

    def _pass_on(self, told: Update) -> None:
        """Take what nothing else depends on."""
        self.buying_power = self.buying_power if told.buying_power is None else told.buying_power
        self.margin_used = self.margin_used if told.margin_used is None else told.margin_used
        self.margin_available = self.margin_available if told.margin_available is None else told.margin_available

    def _find_source(self, told: Update, *, missed: bool) -> None:
        """Decide where equity comes from after `told` was entered into the books."""
        complete = told.cash is not None and told.positions is not None and not told.unread
        if told.equity is not None:
            worth = self.book.worth if complete else None
            if worth is None:
                self._source, self._told = _TOLD, told.equity
                self.book.cash_known = self._cash_told
            else:
                self._source, self._constant = _BOOKS, told.equity - worth
        elif self._source is _TOLD:
            pass
        elif complete:
            self._source, self._constant = _BOOKS, ZERO
        elif self._source is _Source.BLANK:
            self._source = _Source.NONE
            self.book.cash_known = self._cash_told
        elif self._source is _BOOKS and missed:
            self._source = _Source.NONE
            self.book.cash_known = self._cash_told = told.cash is not None

    def _open_books(self) -> None:
        if self._source is _Source.BLANK:
            self._source = _BOOKS

    def _sample(self) -> None:
        worth = self.worth
        if worth is not None:
            self.performance.update(worth, funded=self.funded)
