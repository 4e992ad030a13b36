"""The account as the bot sees it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from threading import RLock
from typing import Any

from otel_trading.account import persistence, series, told
from otel_trading.account.entering import Entering
from otel_trading.account.money import LARGEST, SMALLEST, Amount, Exact, amount
from otel_trading.account.polling import Poll
from otel_trading.account.reconciliation import Differences
from otel_trading.account.settings import Rule, checked, positive, text
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import clock as clocks
from otel_trading.metrics import faults
from otel_trading.metrics.values import labels
from otel_trading.orders.entered import Entered
from otel_trading.semconv import attributes

_live: dict[tuple[str, str | None, str | None], Account] = {}
_live_lock = RLock()


class Account(Entering):
    """Cash, positions, profit and drawdown of one account, exact to the last digit, and their metrics.

    Either the bot says what happens (`fill`, `mark`, `funding`, `deposit`, …) and the account keeps the books, or it says what
    it knows (`update`, `poll`); both may be mixed. What is not known is absent from the metrics and None here, never invented:
    a price that no `mark` or fill gave, a rate of exchange that no mark of a pair gave (`account.mark("USDT/USD", 1)`), equity
    and cash before any capital was named.

    All methods may be called from any thread and never raise because of what they are given: what cannot be used is dropped,
    counted in `trading.sdk.dropped` and logged once. Times are unix seconds or aware datetimes, now if not given; recorded data
    either carries its times everywhere or comes with a `clock`: its own, or that of `configure`.

    An account of the same name, strategy and venue takes over from the one before: a bot that is reloaded makes it again,
    and the older one keeps its books but exports nothing any more.

    :param name: the operator's name for it (never the venue's account number); on every metric.
    :param currency: the currency that all figures are in.
    :param cash: what the account begins with, unless its ledger knows better. Without it, equity and what is a fraction of it
        are known only after `deposit` or `update`; profit is known without.
    :param strategy: the strategy that trades in it, on every metric if given.
    :param venue: the venue at which it is held, on every metric if given.
    :param ledger: the file that keeps its state over restarts; made if there is none.
    :param flush_every: seconds between two writes to it.
    :param cost: `average`, or `fifo`: which units a sale takes first.
    :param session: time of day and time zone at which a trading day begins.
    :param returns_every: seconds of one period of returns; periods begin at full multiples of it in unix time.
    :param window: returns that ratios, volatility and tails are measured by, the latest ones.
    :param min_periods: returns below which these are absent.
    :param periods_per_year: periods of returns in a year: 365 for daily ones of crypto, 252 for those of a stock exchange.
    :param risk_free_rate: a year, as a fraction; geometrically converted to a period.
    :param confidence: of value at risk and expected shortfall, as a fraction.
    :param risky: says of a `Position` whether it is risky, for `trading.position.risky`; called when metrics are collected.
    :param stale_after: seconds after which what was told or marked is no longer exported, until it is told again.
    :param clock: returns unix seconds; by default the clock of the process, see `configure`.
    :raises ConfigurationError: an argument is wrong, the message names it; or the ledger cannot be used.
    """

    def __init__(
        self,
        name: str,
        *,
        currency: str,
        cash: Amount = 0,
        strategy: str | None = None,
        venue: str | None = None,
        ledger: str | os.PathLike[str] | None = None,
        flush_every: float = 1.0,
        cost: str = "average",
        session: tuple[str, str] = ("00:00", "UTC"),
        returns_every: float = 86_400,
        window: int = 252,
        min_periods: int = 30,
        periods_per_year: float = 365,
        risk_free_rate: float = 0.0,
        confidence: float = 0.95,
        risky: Rule | None = None,
        stale_after: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = text("name", name)
        self.currency = text("currency", currency).upper()
        self._identity = (
            self.name,
            None if strategy is None else text("strategy", strategy),
            None if venue is None else text("venue", venue),
        )
        start = amount(cash, "Account(cash=)")
        if start is None:
            raise ConfigurationError(f"Account: cash is {cash!r}, expected a finite amount of money")
        self._settings = checked(
            cost=cost,
            session=session,
            returns_every=returns_every,
            window=window,
            min_periods=min_periods,
            periods_per_year=periods_per_year,
            risk_free_rate=risk_free_rate,
            confidence=confidence,
            risky=risky,
            stale_after=stale_after,
        )
        self._begin(start, clocks.chosen(clock, "Account"))
        self._stops: list[Callable[[], None]] = []
        with _live_lock:
            before = _live.get(self._identity)
            if before is not None and ledger is not None:
                before.close()  # which writes what this one goes on from
            if ledger is not None:
                self._stops.append(self._keep_in(ledger, flush_every))
            _live[self._identity] = self
        self._stops += series.observe(
            self._show,
            self._risky,
            lambda: self._checked,
            labels(
                {
                    attributes.ACCOUNT_NAME: self.name,
                    attributes.CURRENCY: self.currency,
                    attributes.STRATEGY_NAME: self._identity[1],
                    attributes.VENUE_NAME: self._identity[2],
                    attributes.RISK_CONFIDENCE: repr(self._settings.confidence),
                }
            ),
        )
        if before is not None:
            before.close()

    def __repr__(self) -> str:
        return f"Account({self.name!r})"

    @property
    def identity(self) -> tuple[str, str | None, str | None]:
        """Name, strategy and venue: what tells it from all other accounts of the process."""
        return self._identity

    @property
    def strategy(self) -> str | None:
        """The strategy that trades in it, as it was given."""
        return self._identity[1]

    @property
    def venue(self) -> str | None:
        """The venue at which it is held, as it was given."""
        return self._identity[2]

    @faults.contained("account")
    def fill(
        self,
        symbol: str,
        side: str | Enum,
        quantity: Amount,
        price: Amount,
        *,
        fee: Amount | Sequence[tuple[Amount, str | None]] | None = 0,
        fee_currency: str | None = None,
        multiplier: Amount = 1,
        execution_id: object = None,
        order_id: object = None,
        time: float | datetime | None = None,
    ) -> None:
        """Enter an execution of `quantity` units (positive) at `price`.

        `fee` is what it cost, negative if it was a rebate, in `fee_currency` (if not given, what the symbol settles in);
        several fees are pairs of an amount and its currency.
        `multiplier` is what one unit at a price of one is worth: the size of a contract. The same `execution_id` of the same
        symbol counts once. With `order_id` (or all ids of its order in a tuple) it counts as far as it was not entered by
        `fill_order`.
        """
        self._fill(symbol, side, quantity, price, fee, fee_currency, multiplier, execution_id, order_id, time)

    @faults.contained("account")
    def fill_order(
        self,
        symbol: str,
        side: str | Enum,
        filled: Amount,
        average: Amount,
        *,
        order_id: object,
        fee: Amount | Sequence[tuple[Amount, str | None]] | None = 0,
        fee_currency: str | None = None,
        multiplier: Amount = 1,
        time: float | datetime | None = None,
    ) -> None:
        """Enter an order by its totals so far: `filled` units (positive) in all, at the `average` price, for `fee` in all.

        What was entered of the order before, by its totals or by `fill` and `sync_fills` with its `order_id`, does not count
        again, also after a restart with a ledger. A fee that is told when its units were entered before is entered alone. All
        else is as with `fill`.
        """
        self._fill(symbol, side, filled, average, fee, fee_currency, multiplier, None, order_id, time, totals=True)

    def mark(self, symbol: str, price: Amount, *, time: float | datetime | None = None) -> None:
        """Take the market's price of `symbol`; that of a pair such as `EUR/USD` is a rate of exchange too."""
        try:  # not `contained`, and no exact context: this is called for every price
            if type(price) is float and SMALLEST < price < LARGEST:
                value = Decimal(repr(price))
            elif (found := amount(price, "Account.mark price")) is None:
                return
            else:
                value = found
            if not isinstance(symbol, str) or not symbol:  # pyright: ignore[reportUnnecessaryIsInstance] - what a bot gives
                faults.drop(
                    "not_a_number", "Account.mark: a %s is no symbol; dropped", type(symbol).__name__, about="Account.mark"
                )
                return
            now = self._clock.now()
            then = now if time is None else self._then(time, now, "Account.mark")
            with self._lock:
                self._version += 1
                self._dirty = True
                if self._timeline.happened(then, now):
                    self._turn()
                refused = self._state.mark(symbol, value, then)
                if refused is not None and time is None:
                    refused = self._mark_of_now(symbol, value, now)
            if refused is not None:
                self._report(refused, f"{self!r}.mark({symbol!r})")
        except Exception as fault:  # noqa: BLE001 - promise 1: no fault of ours may reach the bot
            faults.contain("account", fault)

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
        `value`, `unrealized_pnl`, `multiplier`, `liquidation_price`, `margin`, and `protected` (whether it has a stop); the
        names of ccxt and alpaca are understood too.

        An `equity` stands until the next one is told. With cash and positions it is where the books go on from: fills and marks
        move it. Cash and positions without it give it. Before the first fill this is what the account begins with, no gain.
        Tell a deposit before the equity that contains it.
        """
        what = f"{self!r}.update"
        update = told.update(what, equity, cash, positions, buying_power, margin_used, margin_available)
        self._tell(update, time, what)

    @faults.contained("account")
    def deposit(self, amount: Amount, *, currency: str | None = None, time: float | datetime | None = None) -> None:
        """Enter money that came in: no profit, and no end of a drawdown.

        It is in `currency`, the account's if not given, and worth its rate of this moment; without one, that of the first
        moment that has one: until then equity is not known.
        """
        self._flow(amount, 1, currency, time, f"{self!r}.deposit")

    @faults.contained("account")
    def withdraw(self, amount: Amount, *, currency: str | None = None, time: float | datetime | None = None) -> None:
        """Enter money that was taken out: no loss, and no drawdown.

        It is in `currency`, all else is as with `deposit`.
        """
        self._flow(amount, -1, currency, time, f"{self!r}.withdraw")

    @faults.contained("account")
    def funding(
        self,
        amount: Amount,
        symbol: str | None = None,
        *,
        currency: str | None = None,
        time: float | datetime | None = None,
    ) -> None:
        """Enter funding or interest that was received, negative if it was paid: a gain or a loss, no deposit.

        It is in `currency`; if not given, in what `symbol` settles in, or in the account's without a symbol.
        """
        self._income(amount, symbol, currency, time, "funding")

    @faults.contained("account")
    def dividend(
        self,
        amount: Amount,
        symbol: str | None = None,
        *,
        currency: str | None = None,
        time: float | datetime | None = None,
    ) -> None:
        """Enter a dividend, negative if it was paid on a short position; all else is as with `funding`."""
        self._income(amount, symbol, currency, time, "dividend")

    @faults.contained("account")
    def protect(self, symbol: str, protected: bool = True) -> None:
        """Say that a stop order at the venue protects the open position in `symbol`, or that none does any more.

        From the first time on, `trading.position.unprotected` counts the open positions that nothing was said of.
        """
        with self._lock:
            self._version += 1
            self._dirty = True
            self._state.protect(symbol, protected=bool(protected))

    def sync_fills(self, fills: object) -> int:
        """Enter those of `fills` that the account does not have yet, in any order; return how many were new.

        Each is a mapping of the arguments of `fill`, or what a client library has for one (a trade of ccxt's
        `fetch_my_trades`, an ib_async Fill). Each needs an execution id, by which it is known again; one without is left out.
        """
        return self._sync(fills) or 0

    def reconcile(self, positions: object = None, orders: object = None, open_orders: object = None) -> Differences:
        """Compare the books with the venue's `positions`, and its open `orders` with those that the bot holds to be open.

        Both sides count: a position or an order that only one of them has is a difference. Positions are given as to `update`,
        orders as ids or as client libraries have them; a tuple of ids is one order. Without `open_orders` they are those that
        decorators, trackers and plain calls of this process have told of for this account and that have not ended; one whose
        fate is unknown is no difference. Positions or orders that are None are not compared, nor orders while none was told of.
        """
        return self._reconcile(positions, orders, open_orders) or Differences({}, [], [])

    def poll(self, fetch: Callable[[], object], *, every: float = 10.0, timeout: float = 10.0) -> Poll:
        """Call `fetch` every `every` seconds and take what it returns; return what ends it when it is called.

        `fetch` is a function, which runs in a thread of its own, or a coroutine function, which runs on the running loop if
        `poll` is called in one, else on a loop of that thread. It returns arguments of `update` as a mapping, positions as a
        list, a balance as ccxt has it, an object with an equity as alpaca has it, or the equity.

        A call that raises, that takes longer than `timeout` seconds, or that returns something else is counted in
        `trading.errors` (component `account.poll`) and changes nothing.

        :raises ConfigurationError: an argument is wrong.
        """
        if not callable(fetch):
            raise ConfigurationError(f"Account.poll: fetch is {fetch!r}, expected a function")
        poll = Poll(
            fetch,
            self._take,
            self._poll_failed,
            every=positive("poll(every=)", every),
            timeout=positive("poll(timeout=)", timeout),
            name=f"otel-trading-poll-{self.name}",
        )
        with _live_lock:
            self._polls = [*(one for one in self._polls if not one.stopped), poll]
        return poll

    def dump(self) -> dict[str, Any]:
        """Return everything that the account knows as JSON can hold it; `restore` goes on from it."""
        with self._lock:
            found = persistence.capture(self._state, self._timeline)
            found["executions"], found["orders"] = list(self._executions), self._entered.dump()
        return persistence.written(found)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Go on from what `dump` returned, in place of everything that the account knows.

        :raises ConfigurationError: it is no such document, of another currency, or of a later version.
        """
        (state, timeline), entered = self._blank(), Entered()
        with Exact():
            known = persistence.restore(document, state, timeline, entered, self.name)
        with self._lock:
            self._state, self._timeline, self._entered = state, timeline, entered
            self._executions = dict.fromkeys(known, True)
            if self._unsaved is None:
                entered.take_changed()  # no ledger, or the one that has it
            else:
                self._unsaved.extend(known)
            self._version += 1
            self._dirty = True

    def close(self) -> None:
        """End all series and polls of the account, and write it to its ledger once more."""
        with _live_lock:
            if _live.get(self._identity) is self:
                del _live[self._identity]
            stops, self._stops = self._stops, []
            polls, self._polls = self._polls, []
        for stop in [*polls, *stops]:
            stop()


def _begin_in_child() -> None:
    """A process that forked has no thread that would release the locks; its accounts go on in memory alone."""
    global _live_lock  # noqa: PLW0603 - a lock cannot be released by anybody but its owner
    _live_lock = RLock()
    for account in list(_live.values()):
        account.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
