"""Records fills of orders, and their money, each once, and hands them to the account that they are of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from typing_extensions import Self

from otel_trading.metrics import faults
from otel_trading.orders import Fill, Report, measure, seen
from otel_trading.orders import currency as currencies
from otel_trading.orders.reading import Amount, exact
from otel_trading.orders.results import Fee
from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.recording.order_series import Context, MoneySeries, series
from otel_trading.recording.series import Table
from otel_trading.recording.whole import WholeOrders
from otel_trading.semconv.attributes import FillLiquidity


class AccountLike(Protocol):
    """What an account is here: something that takes fills, as `otel_trading.Account` does."""

    def fill(
        self,
        symbol: str,
        side: Any,
        quantity: Any,
        price: Any,
        /,
        *,
        fee: Any,
        fee_currency: str | None,
        multiplier: Any,
        execution_id: str | None,
        time: Any = ...,
    ) -> object:
        """Take one fill.

        `time` is given where somebody said it; `fee` is pairs of an amount and its currency where there are several. The
        quantity is 0 where only the fee is new, of what was taken before. One that has `fill_order` too keeps count of its
        orders by itself: it gets everything, `fill` with an `order_id`.
        """
        ...


_NO_FEES: Final[Mapping[str, float]] = {}
_WHOLE: Final = 1 - 1e-9
"""The share of a quantity that is all of it, but for the rounding of floats."""


class Terms(NamedTuple):
    """What is agreed about orders and their money, apart from what the venue says of them."""

    currency: str | None = None
    """The currency of prices where the symbol does not say it."""
    account: AccountLike | None = None
    """Gets each fill, if there is one."""
    multiplier: float = 1
    """Units of the instrument in one contract."""
    fill_currency: str | None = None
    """The currency of prices, whatever the symbol says: for a caller that knows it of each fill."""
    timeout: float | None = None
    """Seconds after which an order whose answer is due is unknown, where they are said."""
    grace: float | None = None
    """Seconds after its end in which an id is that order's only, where they are said."""

    def account_or(self, other: AccountLike | None) -> AccountLike | None:
        """Our account, which is that of the order; the `other` one where we have none, or where it has taken over from ours."""
        mine = self.account
        if mine is None or other is None:
            return mine or other
        identity = getattr(mine, "identity", None)
        return mine if identity is None or identity != getattr(other, "identity", None) else other

    def money(self, symbol: str | None) -> currencies.Money:
        """Return how the money of `symbol` is counted: as it says itself, else in our currency, else in the account's."""
        account = self.account
        own = None if account is None else getattr(account, "currency", None)
        return _money(symbol, self.fill_currency, self.currency, own if isinstance(own, str) else None)


@lru_cache(maxsize=2048)
def _money(symbol: str | None, certain: str | None, ours: str | None, accounts: str | None) -> currencies.Money:
    said = currencies.of_symbol(symbol) if symbol else currencies.Money(currencies.UNKNOWN)
    known = certain or (said.currency if said.currency != currencies.UNKNOWN else None) or ours or accounts
    if known is None:
        faults.log_once(
            ("no currency", symbol),
            "otel_trading: no currency is known for %s, its money is recorded as %s; give `currency=`",
            symbol,
            currencies.UNKNOWN,
        )
    return said._replace(currency=known or currencies.UNKNOWN)


class FillRecorder:
    """Records the fills of orders of one context under one set of terms."""

    __slots__ = ("_money", "_money_series", "_others", "context", "memory", "multiplier", "series", "terms", "whole")

    def __init__(self, context: Context, terms: Terms, others: Table[Context, Self]) -> None:
        self.context = context
        self.terms = terms
        self.series = series[context]
        self.memory = seen[context.venue, context.account]
        self.multiplier = float(terms.multiplier)
        """Of our figures; the account gets it as it was given."""
        self._others = others
        self._money: currencies.Money | None = None
        self._money_series: MoneySeries | None = None
        self.whole: WholeOrders | None = None
        """Records the orders that were filled at once, as soon as it is known how their money is counted."""

    def filled(self, fill: Fill, order: str | None = None, account: AccountLike | None = None) -> None:
        """Record a fill and hand it to the account (ours, if we have one), each once where it has an execution id.

        With the id of its order it counts as far as it was not counted with the totals of that.
        """
        self.recorder_of(fill).fill(fill, order, self.terms.account_or(account))

    def recorder_of(self, fill: Fill) -> Self:
        """The recorder of what the fill itself says."""
        context = self.context._replace(symbol=fill.symbol or self.context.symbol, side=fill.side or self.context.side)
        return self if context == self.context else self._others[context]

    def fill(self, fill: Fill, order: str | None, account: AccountLike | None) -> None:
        """Record a fill of this very context, and hand it to `account`."""
        if fill.execution_id is None or self.memory.execution(self._key(fill), order):
            quantity, price, paid = float(fill.quantity), float(fill.price), self._paid(fill.fees)
            if order is None:
                self._traded(quantity, price, fill.liquidity, paid)
            elif (part := self.memory.executed(order, abs(quantity), price, paid)) is not None:
                self._traded(part.quantity, part.price, fill.liquidity, part.fees)
        if account is not None:  # also what was told without it before
            self._hand_over(account, fill, order)

    def count(self, report: Report, account: AccountLike | None, time: float | None = None) -> None:
        """Record the fills that the report tells of, as far as they were not counted before; `time` is when they happened."""
        order = report.id
        if report.execution is not None:
            self.recorder_of(report.execution).fill(report.execution._replace(time=time), order, account)
        if report.filled is None or report.filled <= 0:
            return
        if report.average is None:
            self._priceless(report)
            return
        listed, fees = [fill._replace(time=time) for fill in report.fills], report.fees
        if order is None or all(fill.execution_id is not None for fill in listed):
            for fill in listed:
                self.recorder_of(fill).fill(fill, order, account)
        else:
            fees = fees or tuple([fee for fill in listed for fee in fill.fees])
            for fill in _totals_of(listed):
                self.recorder_of(fill).totals(fill, order, None)
        whole = Fill(report.filled, report.average, fees=fees, time=time)
        if order is not None:
            self.totals(whole, order, account)
        elif not listed:
            self.fill(whole, None, account)

    def _priceless(self, report: Report) -> None:
        """Say that an order has ended of which more was filled than anybody has told the price of."""
        known = 0.0 if report.id is None else self.memory.filled(report.id)
        if report.status in TERMINAL and known < float(report.filled or 0) * _WHOLE:
            faults.log_once(
                ("no price", self.context.venue),
                "otel_trading: an order at %s was filled, and nothing said at which price: its fills are in no metric and "
                "no account until they are told with one (a query of the order, its trades, Account.sync_fills)",
                self.context.venue,
            )

    def totals(self, whole: Fill, order: str, account: AccountLike | None) -> None:
        """Record what is new of the totals of an order, given as one fill, and hand them to `account`."""
        filled, average, paid = float(whole.quantity), float(whole.price), self._paid(whole.fees)
        new = self.memory.totals(order, filled, average, paid)
        if new is not None:
            self._traded(new.quantity, new.price, whole.liquidity, new.fees)
        if account is not None:
            self._hand_over(account, whole, order, totals=True)

    def slipped(self, filled: Amount | None, average: Amount | None, reference: float) -> None:
        """Record how far from the price that was meant an order was filled."""
        side = self.context.side
        if side is None or not filled or not average:
            return
        money = self._money or self._counted_in()
        measured = measure(side, float(average), reference, float(filled), self.multiplier, inverse=money.inverse)
        if measured is not None:
            self.series.money[money.currency].slippage(measured)

    def _traded(self, quantity: float, price: float, liquidity: FillLiquidity, fees: Mapping[str, float]) -> None:
        money = self._money or self._counted_in()
        own = self._money_series or self.series.money[money.currency]
        if quantity:
            value = money.value(quantity, price, self.multiplier)
            self.series.fills[liquidity].add()
            own.notional.record(value)
            own.volume.add(value)
        for currency, paid in fees.items():
            charged = own if currency == money.currency else self.series.money[currency]
            if paid > 0:
                charged.fees.add(paid)
            else:
                charged.rebates.add(-paid)

    def _paid(self, fees: Sequence[Fee]) -> Mapping[str, float]:
        """What was paid, by currency: that of the prices where no other is said."""
        if not fees:
            return _NO_FEES
        own, paid = (self._money or self._counted_in()).currency, dict[str, float]()
        for amount, currency in fees:
            fee = float(amount)
            if not math.isfinite(fee):
                faults.drop("non_finite", "otel_trading: a fee is too large for a float; it was dropped", about=own)
            elif fee:
                paid[currency or own] = paid.get(currency or own, 0.0) + fee
        return paid

    def _key(self, fill: Fill) -> tuple[str | None, ...]:
        """What an execution is known by: some venues number those of each symbol, and both sides may be ours."""
        return (self.context.symbol, self.context.side, fill.execution_id)

    def _counted_in(self) -> currencies.Money:
        """How money is counted here, found out with the first fill."""
        self._money = money = self.terms.money(self.context.symbol)
        self._money_series = self.series.money[money.currency]
        context, terms = self.context, self.terms
        complete = context.symbol is not None and context.side is not None and context.type is not None
        if complete and terms.account is None and not money.inverse:
            self.whole = WholeOrders(self.series, self.memory, money.currency, self.multiplier)
        return money

    @faults.contained("account")
    def _hand_over(self, account: Any, fill: Fill, order: str | None, *, totals: bool = False) -> None:
        symbol, side = self.context.symbol, self.context.side
        if symbol is None or side is None:
            return
        said: dict[str, Any] = {} if fill.time is None else {"time": fill.time}
        enter = account.fill
        if not hasattr(account, "fill_order"):
            new = self._new_to_account(fill, order, totals=totals)
            if new is None:
                return
            fill, totals = new, False
        elif order is not None:
            said["order_id"] = self.memory.names(order)
            enter = account.fill_order if totals else account.fill
        fee, fee_currency = fill.fees[0] if fill.fees else (0, None)
        if len(fill.fees) > 1:
            fee, fee_currency = fill.fees, None
        if not totals:
            said["execution_id"] = fill.execution_id
        enter(
            symbol,
            side,
            abs(fill.quantity),
            fill.price,
            fee=fee,
            fee_currency=fee_currency,
            multiplier=self.terms.multiplier,
            **said,
        )

    def _new_to_account(self, fill: Fill, order: str | None, *, totals: bool) -> Fill | None:
        """What an account that has only `fill` did not get yet; the numbers as they were given where all of it is new."""
        if fill.execution_id is not None and not self.memory.execution((*self._key(fill), "account"), order):
            return None
        if order is None:
            return fill
        own, paid = self.terms.money(self.context.symbol).currency, dict[str, Decimal]()
        for amount, of in fill.fees:
            if amount:
                paid[of or own] = paid.get(of or own, Decimal(0)) + exact(amount)
        quantity = abs(exact(fill.quantity))
        new = self.memory.handed(order, quantity, exact(fill.price), paid, totals=totals)
        if new is None:
            return None
        fees = fill.fees if new.fees == paid else tuple([(fee, None if of == own else of) for of, fee in new.fees.items()])
        if new.quantity != quantity:
            fill = fill._replace(quantity=new.quantity, price=new.price)
        name = f"{order}:{quantity:.12g}" if totals and new.quantity else fill.execution_id
        return fill._replace(fees=fees, execution_id=name)


def _totals_of(listed: Sequence[Fill]) -> Iterator[Fill]:
    """The totals of an order after each of its fills, where these have no ids to know them again by."""
    filled = cost = 0.0
    fees: tuple[Fee, ...] = ()
    for fill in listed:
        quantity = abs(float(fill.quantity))
        filled, cost, fees = filled + quantity, cost + quantity * float(fill.price), fees + fill.fees
        yield fill._replace(quantity=filled, price=cost / filled, fees=fees)
