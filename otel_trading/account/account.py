"""The account as the bot sees it."""

from __future__ import annotations

import time as clocks
from datetime import datetime
from decimal import Decimal
from enum import Enum
from threading import RLock

from otel_trading.account import execution, series, told
from otel_trading.account.book import Refusal
from otel_trading.account.figures import Figures, figures
from otel_trading.account.money import Amount, Exact, amount
from otel_trading.account.position import Position
from otel_trading.account.sessions import Clock, Timeline, seconds
from otel_trading.account.state import State, Update
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.values import labels
from otel_trading.semconv import attributes
from otel_trading.semconv.spec import Metric

REMEMBERED_EXECUTIONS = 50_000
"""Execution ids that are remembered, so that a replay does not count them twice."""

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
        self._lock = RLock()  # a signal handler may come in between and use the account too
        self._executions: dict[tuple[str, str], None] = {}
        self._figures: Figures | None = None
        self._shown_to: set[Metric] = set()
        self._changed = True
        with self._lock, Exact():
            self._state = State(self.currency, start)
        self._stops = series.observe(
            self._show,
            labels(
                {
                    attributes.ACCOUNT_NAME: self.name,
                    attributes.CURRENCY: self.currency,
                    attributes.STRATEGY_NAME: self._identity[1],
                    attributes.VENUE_NAME: self._identity[2],
                }
            ),
        )
        with _live_lock:
            before, _live[self._identity] = _live.get(self._identity), self
        if before is not None:
            before.close()

    def __repr__(self) -> str:
        return f"Account({self.name!r})"

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
        what = f"{self!r}.fill"
        entered = execution.read(what, symbol, side, quantity, price, fee, fee_currency, multiplier)
        if entered is None:
            return
        now = self._timeline.clock()
        then = self._then(time, now, what)
        with self._lock, Exact():
            if execution_id is not None and not self._first_time((symbol, str(execution_id))):
                return
            self._advance(then, now)
            refused = self._state.fill(entered, then)
        if refused is not None:
            self._report(refused, what)

    @faults.contained("account")
    def mark(self, symbol: str, price: Amount, *, time: float | datetime | None = None) -> None:
        """Take the market's price of `symbol`; that of a pair such as `EUR/USD` is a rate of exchange too."""
        value = amount(price, "Account.mark price")
        if value is None:
            return
        if not _is_text(symbol):
            faults.drop("not_a_number", "Account.mark: a %s is no symbol; dropped", type(symbol).__name__, about="Account.mark")
            return
        now = self._timeline.clock()
        then = now if time is None else self._then(time, now, "Account.mark")
        with self._lock, Exact():
            self._advance(then, now)
            refused = self._state.mark(symbol, value, then)
        if refused is not None:
            self._report(refused, f"{self!r}.mark({symbol!r})")

    @faults.contained("account")
    def update(
        self,
        *,
        equity: Amount | None = None,
        cash: Amount | None = None,
        positions: object = None,
        buying_power: Amount | None = None,
        margin_used: Amount | None = None,
        margin_available: Amount | None = None,
        time: float | datetime | None = None,
    ) -> None:
        """Take what the bot, or its venue, already knows; what is None stays as it is.

        `positions` are all open ones (one that is not in it was closed): a mapping of symbols to sizes, or several mappings or
        objects with `symbol`, `size` (negative or with a `side` when short) and, where known, `entry_price`, `mark_price`,
        `value`, `unrealized_pnl`, `multiplier`; the names of ccxt and alpaca are understood too.

        An `equity` stands until the next one is told. With cash and positions it is where the books go on from: fills and marks
        move it. Cash and positions without it give it. Before the first fill this is what the account begins with, no gain.
        Tell a deposit before the equity that contains it.
        """
        what = f"{self!r}.update"
        read = None if positions is None else told.read(positions, f"{what} positions")
        update = Update(
            equity=None if equity is None else amount(equity, f"{what} equity"),
            cash=None if cash is None else amount(cash, f"{what} cash"),
            positions=None if read is None else read[0],
            unread=frozenset() if read is None else frozenset(read[1]),
            buying_power=None if buying_power is None else amount(buying_power, f"{what} buying_power"),
            margin_used=None if margin_used is None else amount(margin_used, f"{what} margin_used"),
            margin_available=None if margin_available is None else amount(margin_available, f"{what} margin_available"),
        )
        now = self._timeline.clock()
        then = self._then(time, now, what)
        with self._lock, Exact():
            self._advance(then, now)
            consistent = self._state.update(update, then)
        if not consistent:
            faults.log_once(
                ("missed", self._identity),
                "otel_trading: %r was told positions that its fills did not lead to: realised profit is unknown from now on, "
                "and equity until update() tells it",
                self,
            )

    @faults.contained("account")
    def deposit(self, amount: Amount, *, time: float | datetime | None = None) -> None:
        """Enter money that came in: no profit, and no end of a drawdown."""
        self._flow(amount, 1, time, f"{self!r}.deposit")

    @faults.contained("account")
    def withdraw(self, amount: Amount, *, time: float | datetime | None = None) -> None:
        """Enter money that was taken out: no loss, and no drawdown."""
        self._flow(amount, -1, time, f"{self!r}.withdraw")

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
        with self._lock, Exact():
            return self._state.equity

    @property
    def cash(self) -> Decimal | None:
        """All cash, in the account's currency."""
        with self._lock, Exact():
            return self._state.cash

    @property
    def positions(self) -> dict[str, Position]:
        """The open positions by symbol."""
        with self._lock, Exact():
            return {symbol: holding.position() for symbol, holding in self._state.book.open.items()}

    @property
    def realized_pnl(self) -> Decimal | None:
        """Profit of what was closed, before fees."""
        with self._lock, Exact():
            return self._state.realized

    @property
    def unrealized_pnl(self) -> Decimal | None:
        """Profit of what is open, at its marks."""
        with self._lock, Exact():
            return self._state.unrealized

    @property
    def fees(self) -> Decimal | None:
        """All fees so far, less rebates."""
        with self._lock, Exact():
            return self._state.fees

    @property
    def drawdown(self) -> float | None:
        """Fall from the highest equity, deposits and withdrawals taken into account, as a positive fraction of it."""
        with self._lock, Exact():
            return self._state.drawdown

    @property
    def max_drawdown(self) -> float | None:
        """The deepest drawdown so far."""
        with self._lock, Exact():
            return self._state.max_drawdown

    def _flow(self, value: Amount, sign: int, time: float | datetime | None, what: str) -> None:
        flow = amount(value, what)
        if flow is None:
            return
        if flow <= 0:
            faults.drop("negative", "%s: the amount has to be positive; dropped", what, about=what)
            return
        now = self._timeline.clock()
        then = self._then(time, now, what)
        with self._lock, Exact():
            self._advance(then, now)
            self._state.flow(sign * flow)

    def _then(self, time: object, now: float, what: str) -> float:
        found = now if time is None else seconds(time, what)
        return now if found is None else found

    def _advance(self, then: float, now: float) -> None:
        self._changed = True
        if self._timeline.happened(then, now):
            self._state.performance.begin_session()

    def _first_time(self, execution: tuple[str, str]) -> bool:
        if execution in self._executions:
            return False
        self._executions[execution] = None
        if len(self._executions) > REMEMBERED_EXECUTIONS:
            del self._executions[next(iter(self._executions))]
        return True

    def _show(self, metric: Metric) -> Figures:
        """Return the figures of this moment to the first metric of a collection, and the same ones to all others.

        A metric that has seen them begins the next collection.
        """
        now = self._timeline.clock()
        with self._lock, Exact():
            if self._timeline.passed(now):
                self._state.performance.begin_session()
                self._changed = True
            found = self._figures
            if found is None or metric in self._shown_to:
                self._shown_to.clear()
                if found is None or self._changed:
                    found = self._figures = figures(self._state)
                    self._changed = False
            self._shown_to.add(metric)
            missing, self._state.book.missing = self._state.book.missing, set()
        for currency in sorted(missing):
            faults.log_once(
                ("rate", self._identity, currency),
                "otel_trading: %r has money in %s and no rate of it: what needs one is absent until mark(%r, ...)",
                self,
                currency,
                f"{currency}/{self.currency}",
            )
        return found

    def _report(self, refusal: Refusal, what: str) -> None:
        if refusal is Refusal.LATE:
            # Two feeds may overtake each other: nothing is lost, but that times are of two kinds is worth knowing.
            faults.log_once(("late", self._identity), "otel_trading: %s: %s; left out", what, refusal.value)
        else:
            reason = "negative" if refusal is Refusal.NOT_POSITIVE else "cardinality_limit"
            faults.drop(reason, "%s: %s; dropped", what, refusal.value, about=what)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"Account: {argument} is {value!r}, expected a text that is not empty")
    return value.strip()


def _optional(argument: str, value: object) -> str | None:
    return None if value is None else _text(argument, value)
