"""What is known of an account: its books, what it was told, and which of both its equity comes from.

Three sources of equity, of which one holds at a time:
- the books: capital and every fill are known, equity is cash plus what the holdings are worth (plus a constant where the bot
  told an equity that differs from that: what else the account holds);
- told: an equity without all of cash and positions stands until the bot tells the next one;
- none: parts are known, their sum is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from otel_trading.account.book import Book, Fill, Refusal, Told
from otel_trading.account.history import History
from otel_trading.account.money import ZERO, Exact, add
from otel_trading.account.performance import Performance
from otel_trading.account.position import NEVER
from otel_trading.account.settings import Settings
from otel_trading.account.trades import Trades


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

    @property
    def blank(self) -> bool:
        """Nothing is told at all."""
        figures = (self.equity, self.cash, self.positions, self.buying_power, self.margin_used, self.margin_available)
        return all(figure is None for figure in figures)


class _Source(Enum):
    """Where equity comes from."""

    BLANK = "blank"  # nothing has happened to an account without capital
    BOOKS = "books"
    TOLD = "told"
    NONE = "none"


# Looking a member up in its class takes longer than a sum of two amounts.
_BOOKS, _TOLD = _Source.BOOKS, _Source.TOLD


class State:
    """Everything about the account but its lock and its series; all but `mark` to be used inside `money.Exact`."""

    def __init__(self, currency: str, cash: Decimal, settings: Settings, history: History) -> None:
        self.settings = settings
        self.history = history
        self.book = Book(currency, cash, settings.cost)
        self.performance = Performance(settings, self.history)
        self.trades = Trades()
        self.told_at: dict[str, float] = {}
        """When the figures that a later event did not replace were told, by their names in `Update`."""
        self.protection_told = False
        """Whether the bot says which positions have a stop."""
        self.funded = bool(cash)
        """Some capital was named: before, equity, cash and every fraction of them are not known."""
        self.buying_power: Decimal | None = None
        self.margin_used: Decimal | None = None
        self.margin_available: Decimal | None = None
        self._source = _Source.BOOKS if cash else _Source.BLANK
        self._constant = ZERO
        self._told = ZERO
        self._unvalued: dict[str, Decimal] = {}
        """Flows, by currency, of which no rate is known yet."""
        self._updated = False
        self._cash_told = False
        self._positions_told = False
        self._traded = False
        self._sample(NEVER)

    @property
    def worth(self) -> Decimal | None:
        """Capital and gain; the gain alone while no capital was named."""
        if self._source is _BOOKS:
            worth = self.book.worth
            return worth if worth is None or self._constant is ZERO else add(worth, self._constant)
        return self._told if self._source is _TOLD else None

    @property
    def equity_is_told(self) -> bool:
        """Equity stands as it was told, whatever the books say."""
        return self._source is _TOLD

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
    def trades_known(self) -> bool:
        """The bot says what it trades: that there was no trade is known too."""
        return self._traded or (self._source is _BOOKS and not self._positions_told)

    @property
    def realized(self) -> Decimal | None:
        """Profit of what was closed, before fees, at the present rates."""
        return self.book.convert(self.book.realized) if self.trades_known and self.book.realized_known else None

    @property
    def fees(self) -> Decimal | None:
        return self.book.convert(self.book.fees)

    @property
    def funding(self) -> Decimal | None:
        """Funding, interest and dividends, received minus paid, at the present rates."""
        return self.book.convert(self.book.funding)

    @property
    def net(self) -> Decimal | None:
        """All profit: realised and unrealised, after fees and funding."""
        realized, unrealized, fees, funding = self.realized, self.unrealized, self.fees, self.funding
        if realized is None or unrealized is None or fees is None or funding is None:
            return None
        return realized + unrealized - fees + funding

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

    def fill(self, fill: Fill, time: float) -> None:
        """Enter an execution that the books do not refuse."""
        self.book.trade(fill, time)
        self._traded = True
        for told in ("cash", "positions"):  # from here on the books carry them
            self.told_at.pop(told, None)
        self._open_books()
        self._sample(time)
        self.performance.weigh()
        holding = self.book.holding(fill.symbol)
        value = self.book.convert({holding.instrument.settle: holding.value_at(fill.quantity, fill.price)})
        if value is not None:
            self.performance.turnover.trade(float(value))
        for symbol, earned, outcome in self.trades.take(self.book.take_closed(), self.book.convert):
            self.history.add("trades", closed=time, symbol=symbol, pnl=earned, outcome=outcome)

    def mark(self, symbol: str, price: Decimal, time: float) -> Refusal | None:
        """Take a price; return why it was left out if it was."""
        refused = self.book.mark(symbol, price, time)
        if refused is None:
            plain = self._source is _BOOKS and self._constant is ZERO
            worth = self.book.worth if plain else self.worth
            if worth is not None:
                if self._unvalued:
                    self._value_flows(time)
                self.performance.update(worth, time, funded=self.funded)
        return refused

    def flow(self, amount: Decimal, currency: str, time: float) -> None:
        """Enter a deposit, or a withdrawal as a negative amount."""
        self.book.flow(amount, currency)
        self._unvalued[currency] = add(self._unvalued.get(currency, ZERO), amount)
        self._value_flows(time)
        self.funded = True
        self._open_books()
        self._sample(time)
        self.performance.weigh()
        value = self.book.convert({currency: amount})
        kind = "deposit" if amount > 0 else "withdrawal"
        self.history.add("flows", time=time, amount=amount, currency=currency, value=value, kind=kind)

    def receive_funding(self, amount: Decimal, currency: str | None, symbol: str | None, time: float, kind: str) -> None:
        """Enter funding, interest or a dividend: a gain, or a loss if it was paid; a told equity will contain it when told."""
        held = self.book.receive_funding(amount, currency, symbol)
        self._open_books()
        self._sample(time)
        value = self.book.convert({held: amount})
        self.history.add("flows", time=time, amount=amount, currency=held, value=value, kind=kind)

    def protect(self, symbol: str, *, protected: bool) -> None:
        """Take whether a stop protects the open position in `symbol`."""
        self.protection_told = True
        holding = self.book.open.get(symbol)
        if holding is not None:
            holding.protected = protected

    def update(self, told: Update, time: float) -> bool:
        """Take what the bot knows; return False where it shows trades that were missed, by which figures are lost."""
        self._pass_on(told, time)
        capital = told.cash is not None or told.equity is not None
        if not capital and told.positions is None:
            return True
        if not (self._traded or self._updated) or (capital and (not self.funded or self._unvalued)):
            # What the bot begins with is no gain; nor is a flow that is part of what is told, though nobody knows how much.
            self.performance.restart()
            self._unvalued = {}
        missed = False
        if told.positions is not None:
            changed = self.book.replace(told.positions, told.unread, time)
            missed = changed and (self._traded or self._positions_told)
            self.book.realized_known = self.book.realized_known and not missed
            self._positions_told = True
            self.told_at["positions"] = time
            if any(position.protected is not None for position in told.positions):
                self.protection_told = True
        if told.cash is not None:
            self.book.set_cash(told.cash)
            self.book.cash_known = self._cash_told = True
            self.told_at["cash"] = time
        if told.equity is not None:
            self.told_at["equity"] = time
        self.funded = self.funded or capital
        kept_books = self._source is _BOOKS
        self._find_source(told, missed=missed)
        self._updated = True
        self._sample(time)
        self.performance.weigh()
        return not missed or not (self._traded or (kept_books and self._source is _Source.NONE))

    def _pass_on(self, told: Update, time: float) -> None:
        """Take what nothing else depends on."""
        for name in ("buying_power", "margin_used", "margin_available"):
            value = getattr(told, name)
            if value is not None:
                setattr(self, name, value)
                self.told_at[name] = time

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

    def _value_flows(self, time: float) -> None:
        """Take flows out of the profit at the present rates, if there are such."""
        value = self.book.convert(self._unvalued)
        if value is not None:
            self._unvalued = {}
            with Exact():  # a mark comes without it
                self.performance.flow(value, time)
                self._told += value

    def _sample(self, time: float) -> None:
        worth = self.worth
        if worth is not None:
            if self._unvalued:
                self._value_flows(time)
            self.performance.update(worth, time, funded=self.funded)

    def set_back(self, time: float) -> None:
        """Let nothing be of later than `time`: the clock that said so was wrong."""
        for holding in self.book.holdings.values():
            holding.time = min(holding.time, time)
        self.told_at = {name: min(told, time) for name, told in self.told_at.items()}
        self.performance.set_back(time)

    def capture(self) -> dict[str, Any]:
        """Return the state without rates and holdings, for `restore`."""
        return {
            "book": self.book.capture(),
            "performance": self.performance.capture(),
            "trades": self.trades.capture(),
            "told_at": dict(self.told_at),
            "protection_told": self.protection_told,
            "funded": self.funded,
            "buying_power": self.buying_power,
            "margin_used": self.margin_used,
            "margin_available": self.margin_available,
            "source": self._source.value,
            "constant": self._constant,
            "told": self._told,
            "unvalued": dict(self._unvalued),
            "updated": self._updated,
            "cash_told": self._cash_told,
            "positions_told": self._positions_told,
            "traded": self._traded,
        }

    def restore(self, state: Mapping[str, Any], rates: Iterable[Any], holdings: Iterable[Any]) -> None:
        """Go on from what was captured, and from the rates and holdings as they were written."""
        self.book.restore(state["book"], rates, holdings)
        self.performance.restore(state["performance"])
        self.trades.restore(state["trades"])
        self.told_at = dict(state["told_at"])
        self.protection_told, self.funded = state["protection_told"], state["funded"]
        for name in ("buying_power", "margin_used", "margin_available"):
            setattr(self, name, None if state[name] is None else Decimal(state[name]))
        self._source = _Source(state["source"])
        constant = Decimal(state["constant"])
        self._constant = constant or ZERO
        self._told = Decimal(state["told"])
        self._unvalued = {currency: Decimal(amount) for currency, amount in state.get("unvalued", {}).items()}
        self._updated, self._cash_told = state["updated"], state["cash_told"]
        self._positions_told, self._traded = state["positions_told"], state["traded"]
