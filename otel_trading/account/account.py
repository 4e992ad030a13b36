"""The account as the bot sees it."""

from __future__ import annotations

import time as clocks
from datetime import datetime
from decimal import Decimal
from enum import Enum
from threading import RLock

from otel_trading.account import series, told
from otel_trading.account.book import Fill
from otel_trading.account.figures import Figures, figures
from otel_trading.account.money import ZERO, Amount, Exact, amount
from otel_trading.account.position import Position
from otel_trading.account.sessions import Clock, Timeline, seconds
from otel_trading.account.state import State
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.values import labels
from otel_trading.semconv import attributes

REMEMBERED_EXECUTIONS = 50_000
"""Execution ids that are remembered, so that a replay does not count them twice."""

_SIDES = {
    **dict.fromkeys(("buy", "b", "bot", "bought", "buy_to_open", "buy_to_close", "buy_to_cover"), 1),
    **dict.fromkeys(("sell", "s", "sld", "sold", "sell_to_open", "sell_to_close", "sell_short"), -1),
}

_live: dict[tuple[str, str | None, str | None], Account] = {}
_live_lock = RLock()


class Account:
    """Cash, positions, profit and drawdown of one account, exact to the last digit, and their metrics.

    Either the bot says what happens (`fill`, `mark`, `deposit`, `withdraw`) and the account keeps the books, or it says what it
    knows (`update`); both may be mixed. What is not known is absent from the metrics and None here, never invented: a price
    that no `mark` or fill gave, a rate of exchange that no mark of a pair gave (`account.mark("USDT/USD", 1)`), equity and cash
    before any capital was named.

    All methods may be called from any thread and never raise because of what they are given: what cannot be used is dropped,
    counted in `trading.sdk.dropped` and logged once. Times are unix seconds or aware datetimes, now if not given; recorded data
    either carries its times everywhere or comes with a `clock` of its own.

    An account of the same name, strategy and venue takes over from the one before: a bot that is reloaded makes it again,
    and the older one keeps its books but exports nothing any more.

    :param name: the operator's name for it (never the venue's account number); on every metric.
    :param currency: the currency that all figures are in.
    :param cash: what the account begins with. Without it, equity and what is a fraction of it are known only after
        `deposit` or `update`; profit is known without.
    :param strategy: the strategy that trades in it, on every metric if given.
    :param venue: the venue at which it is held, on every metric if given.
    :param clock: returns unix seconds; the account's day is a day of UTC.
    :raises ConfigurationError: an argument is wrong; the message names it.
    """

    def __init__(
        self,
        name: str,
        *,
        currency: str,
        cash: Amount = 0,
        strategy: str | None = None,
        venue: str | None = None,
        clock: Clock = clocks.time,
    ) -> None:
        self.name = _text("name", name)
        self.currency = _text("currency", currency).upper()
        self._identity = (self.name, _optional("strategy", strategy), _optional("venue", venue))
        start = amount(cash, "Account(cash=)")
        if start is None:
            raise ConfigurationError(f"Account: cash is {cash!r}, expected a finite amount of money")
        if not callable(clock):
            raise ConfigurationError(f"Account: clock is {clock!r}, expected a function that returns unix seconds")
        self._timeline = Timeline(clock)
        self._exact = Exact()
        self._executions: dict[tuple[str, str], None] = {}
        self._cached: Figures | None = None
        with self._exact:
            self._state = State(self.currency, start)
        self._stops = series.observe(
            self._figures,
            labels(
                {
                    attributes.ACCOUNT_NAME: self.name,
                    attributes.CURRENCY: self.currency,
                    attributes.STRATEGY_NAME: strategy,
                    attributes.VENUE_NAME: venue,
                }
            ),
        )
        with _live_lock:
            before, _live[self._identity] = _live.get(self._identity), self
        if before is not None:
            before.close()

    def __repr__(self) -> str:
        return f"Account({self.name!r}, currency={self.currency!r})"

    @faults.contained("account")
    def fill(
        self,
        symbol: str,
        side: str | Enum,
        quantity: Amount,
        price: Amount,
        *,
        fee: Amount | None = 0,
        fee_currency: str | None = None,
        multiplier: Amount = 1,
        execution_id: object = None,
        time: float | datetime | None = None,
    ) -> None:
        """Enter an execution of `quantity` units (positive) at `price`.

        `fee` is what it cost, negative if it was a rebate, in `fee_currency` (if not given, what the symbol settles in).
        `multiplier` is what one unit at a price of one is worth: the size of a contract. The same `execution_id` of the same
        symbol counts once.
        """
        what = f"Account({self.name!r}).fill"
        sign = _SIDES.get(
            str(side.value if isinstance(side, Enum) and isinstance(side.value, str) else side).lower().rpartition(".")[2]
        )
        units, paid, size = (
            amount(quantity, f"{what} quantity"),
            amount(price, f"{what} price"),
            amount(multiplier, f"{what} multiplier"),
        )
        charged = ZERO if fee is None else amount(fee, f"{what} fee")
        if not _is_symbol(symbol) or sign is None or units is None or paid is None:
            self._drop("not_a_fill", what, "no fill with a symbol, a side, a quantity and a price")
            return
        if units <= 0 or size is None or size <= 0:
            self._drop("not_positive", what, "quantity and multiplier have to be positive")
            return
        entered = Fill(
            symbol,
            units if sign > 0 else units.copy_negate(),
            paid,
            ZERO if charged is None else charged,
            None if fee_currency is None else str(fee_currency).upper(),
            None if size == 1 else size,
            isinstance(quantity, float),
        )
        now = self._timeline.clock()
        then = self._then(time, now, what)
        with self._exact:
            if execution_id is not None and not self._first_time((symbol, str(execution_id))):
                return
            self._advance(then, now)
            refused = self._state.fill(entered, then)
        if refused is not None:
            self._drop(refused, what, refused)

    @faults.contained("account")
    def mark(self, symbol: str, price: Amount, *, time: float | datetime | None = None) -> None:
        """Take the market's price of `symbol`; that of a pair such as `EUR/USD` is a rate of exchange too."""
        value = amount(price, "Account.mark price")
        if value is None:
            return
        if not _is_symbol(symbol):
            self._drop("not_a_symbol", "Account.mark", "no symbol")
            return
        now = self._timeline.clock()
        then = now if time is None else self._then(time, now, "Account.mark")
        with self._exact:
            self._advance(then, now)
            refused = self._state.mark(symbol, value, then)
        if refused is not None:
            self._drop(refused, f"Account.mark({symbol!r})", refused)

    @faults.contained("account")
    def update(
        self,
        *,
        equity: Amount | None = None,
        cash: Amount | None = None,
        positions: object = None,
        time: float | datetime | None = None,
    ) -> None:
        """Take what the bot, or its venue, already knows; what is None stays as it is."""
        what = f"Account({self.name!r}).update"
        worth = None if equity is None else amount(equity, f"{what} equity")
        money = None if cash is None else amount(cash, f"{what} cash")
        read = None if positions is None else told.read(positions, f"{what} positions")
        if worth is None and money is None and read is None:
            return
        listed, unread = (None, set[str]()) if read is None else read
        now = self._timeline.clock()
        then = self._then(time, now, what)
        with self._exact:
            self._advance(then, now)
            consistent = self._state.update(worth, money, listed, unread, then)
        if not consistent:
            faults.log_once(
                ("contradiction", self._identity),
                "otel_trading: account %s was told positions that its fills do not explain: equity and cash are unknown until "
                "update() tells them too",
                self.name,
            )

    @faults.contained("account")
    def deposit(self, amount: Amount, *, time: float | datetime | None = None) -> None:
        """Enter money that came in: no profit, and no end of a drawdown."""
        self._flow(amount, 1, time, f"Account({self.name!r}).deposit")

    @faults.contained("account")
    def withdraw(self, amount: Amount, *, time: float | datetime | None = None) -> None:
        """Enter money that was taken out: no loss, and no drawdown."""
        self._flow(amount, -1, time, f"Account({self.name!r}).withdraw")

    def close(self) -> None:
        """End all series of the account."""
        with _live_lock:
            if _live.get(self._identity) is self:
                del _live[self._identity]
            stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    @property
    def equity(self) -> Decimal | None:
        """Cash plus the worth of all positions."""
        with self._exact:
            return self._state.equity

    @property
    def cash(self) -> Decimal | None:
        """All cash, in the account's currency."""
        with self._exact:
            return self._state.cash

    @property
    def positions(self) -> dict[str, Position]:
        """The open positions by symbol."""
        with self._exact:
            return {symbol: holding.position() for symbol, holding in self._state.book.open.items()}

    @property
    def realized_pnl(self) -> Decimal | None:
        """Profit of what was closed, before fees."""
        with self._exact:
            return self._state.realized

    @property
    def unrealized_pnl(self) -> Decimal | None:
        """Profit of what is open, at its marks."""
        with self._exact:
            return self._state.unrealized

    @property
    def fees(self) -> Decimal | None:
        """All fees so far, less rebates."""
        with self._exact:
            return self._state.fees

    @property
    def drawdown(self) -> float | None:
        """Fall from the highest flow-adjusted equity, as a positive fraction of it."""
        with self._exact:
            drawdown = self._state.performance.drawdown
            return None if drawdown is None else drawdown.current

    @property
    def max_drawdown(self) -> float | None:
        """The deepest drawdown so far."""
        with self._exact:
            drawdown = self._state.performance.drawdown
            return None if drawdown is None else drawdown.maximum

    def _flow(self, value: Amount, sign: int, time: float | datetime | None, what: str) -> None:
        flow = amount(value, what)
        if flow is None:
            return
        if flow <= 0:
            self._drop("not_positive", what, "the amount has to be positive")
            return
        now = self._timeline.clock()
        then = self._then(time, now, what)
        with self._exact:
            self._advance(then, now)
            self._state.flow(sign * flow)

    def _then(self, time: object, now: float, what: str) -> float:
        found = now if time is None else seconds(time, what)
        return now if found is None else found

    def _advance(self, then: float, now: float) -> None:
        self._timeline.happened(then, now)
        self._state.performance.session.advance(then)
        self._cached = None

    def _first_time(self, execution: tuple[str, str]) -> bool:
        if execution in self._executions:
            return False
        self._executions[execution] = None
        if len(self._executions) > REMEMBERED_EXECUTIONS:
            del self._executions[next(iter(self._executions))]
        return True

    def _figures(self) -> Figures:
        """Return the present figures, the same ones to all metrics of a collection if nothing happens meanwhile."""
        now = self._timeline.clock()
        with self._exact:
            present = self._timeline.present(now)
            if (present is not None and self._state.performance.session.advance(present)) or self._cached is None:
                self._cached = figures(self._state)
            found = self._cached
            missing, self._state.book.missing = self._state.book.missing, set()
        for currency in sorted(missing):
            faults.log_once(
                ("rate", self._identity, currency),
                "otel_trading: account %s has money in %s and no rate of it: what needs one is absent until mark(%r, ...)",
                self.name,
                currency,
                f"{currency}/{self.currency}",
            )
        return found

    def _drop(self, reason: str, what: str, why: str) -> None:
        faults.drop(reason, "%s: %s; dropped", what, why, about=what)


def _is_symbol(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"Account: {argument} is {value!r}, expected a text that is not empty")
    return value.strip()


def _optional(argument: str, value: object) -> str | None:
    return None if value is None else _text(argument, value)
