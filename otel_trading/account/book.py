"""The books of an account: cash by currency, holdings, fees, funding and realised profit, exact in every digit.

All methods but `mark` expect to be called inside `money.Exact`. Identities, in each currency: what the account is worth is cash
plus the worth of the holdings, and its change is realised plus unrealised profit minus fees plus funding plus flows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from otel_trading.account.instrument import instrument
from otel_trading.account.lots import CostMethod
from otel_trading.account.money import ONE, ZERO, add, multiply, quotient, subtract
from otel_trading.account.position import SYMBOL, Holding
from otel_trading.account.rates import Rates

MAX_SYMBOLS = 10_000
"""Symbols whose prices are kept; a mark of a further one is left out, a fill is not."""

_FLOAT_ERROR = Decimal("1e-12")
"""A float that a bot summed up itself is this close, relatively, to the size that it meant."""


class Refusal(Enum):
    """Why a price or a fill was left out."""

    LATE = "the price is older than the last one"
    NOT_POSITIVE = "an inverse contract has a positive price"
    TOO_MANY_SYMBOLS = f"prices of more than {MAX_SYMBOLS} symbols are not kept"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, checked and exact."""

    symbol: str
    quantity: Decimal
    """Signed: negative when sold."""
    price: Decimal
    fee: Decimal = ZERO
    fee_currency: str | None = None
    more_fees: tuple[tuple[Decimal, str | None], ...] = ()
    """Further fees and their currencies."""
    multiplier: Decimal | None = None
    """Units of money for each unit of price and quantity; None where the fill does not say."""
    inexact: bool = False
    """The quantity was a binary float."""


@dataclass(frozen=True, slots=True)
class Told:
    """A position as the bot, or its venue, says it is."""

    symbol: str
    size: Decimal
    entry_price: Decimal | None = None
    price: Decimal | None = None
    value: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    multiplier: Decimal | None = None
    liquidation_price: Decimal | None = None
    margin: Decimal | None = None
    protected: bool | None = None


class Closed(NamedTuple):
    """A trade that was closed: what it earned by currency, net of fees and funding; None where a part is not known."""

    symbol: str
    result: dict[str, Decimal] | None


class Book:
    """Cash, holdings and results; amounts are kept in the currency in which they arose."""

    def __init__(self, currency: str, cash: Decimal, cost: CostMethod = "average") -> None:
        self.currency = currency
        self.cost: CostMethod = cost
        self.cash: dict[str, Decimal] = {currency: cash}
        self.fees: dict[str, Decimal] = {}
        self.funding: dict[str, Decimal] = {}
        """Funding, interest and dividends, received minus paid."""
        self.realized: dict[str, Decimal] = {}
        self.open: dict[str, Holding] = {}
        self.rates = Rates(currency)
        self.missing: set[str] = set()
        """Currencies for which a rate was needed and missing."""
        self.cash_known = True
        self.realized_known = True
        self.holdings: dict[str, Holding] = {}
        """Of every symbol that was named, open or not."""
        self._net: dict[str, Decimal] = {currency: cash}
        self._unknown: set[str] = set()
        self._closed: list[Closed] = []

    @property
    def worth(self) -> Decimal | None:
        """Cash and holdings in the account's currency; None while the cash, a price or a rate for it is not known."""
        if self._unknown or not self.cash_known:
            return None
        return self._net[self.currency] if len(self._net) == 1 else self.convert(self._net)

    @property
    def unrealized(self) -> Decimal | None:
        """Profit of all holdings at their prices, in the account's currency; None while it is not known of one of them."""
        totals: dict[str, Decimal] = {}
        for holding in self.open.values():
            if (pnl := holding.pnl) is None:
                return None
            _add(totals, holding.instrument.settle, pnl)
        return self.convert(totals)

    @property
    def exposure(self) -> tuple[Decimal, Decimal] | None:
        """Gross and net value of all holdings, in the account's currency; None while the value of one of them is not known."""
        gross: dict[str, Decimal] = {}
        net: dict[str, Decimal] = {}
        for holding in self.open.values():
            if (value := holding.value) is None:
                return None
            _add(gross, holding.instrument.settle, value.copy_abs())
            _add(net, holding.instrument.settle, value)
        gross_sum, net_sum = self.convert(gross), self.convert(net)
        return None if gross_sum is None or net_sum is None else (gross_sum, net_sum)

    def convert(self, amounts: Mapping[str, Decimal]) -> Decimal | None:
        """Return the sum in the account's currency; None, and noted in `missing`, without a rate for one of them."""
        total: Decimal | None = ZERO
        for currency, amount in amounts.items():
            if currency == self.currency:
                total = None if total is None else add(total, amount)
            elif amount:
                rate = self.rates.rate(currency)
                if rate is None:
                    self.missing.add(currency)
                total = None if rate is None or total is None else add(total, multiply(rate, amount))
        return total

    def holding(self, symbol: str) -> Holding:
        """Return the books of `symbol`, new ones if it has none yet."""
        holding = self.holdings.get(symbol)
        if holding is None:
            holding = self.holdings[symbol] = Holding(instrument(symbol, self.currency), fifo=self.cost == "fifo")
        return holding

    def mark(self, symbol: str, price: Decimal, time: float) -> Refusal | None:
        """Take the market's price of an instrument; return why it was left out if it was.

        This is called for every price of every market: it needs no exact context, and computes what changes and no more.
        """
        holding = self.holdings.get(symbol)
        if holding is None:
            if len(self.holdings) >= MAX_SYMBOLS:
                return Refusal.TOO_MANY_SYMBOLS
            holding = self.holding(symbol)
        if time < holding.time:
            return Refusal.LATE
        terms = holding.instrument
        if terms.inverse and price <= ZERO:
            return Refusal.NOT_POSITIVE
        holding.price, holding.time = price, time
        pair = terms.pair
        if pair is not None:
            self.rates.mark(pair, price)
        size = holding.size
        if size:
            holding.told_pnl = None
            plain = holding.multiplier is ONE and not terms.inverse
            holding.value = worth = multiply(size, price) if plain else holding.value_at(size, price)
            counted = holding.counted
            if terms.margined or counted is None:
                self._count(holding)
            else:
                settle = terms.settle
                self._net[settle] = add(self._net.get(settle, ZERO), subtract(worth, counted))
                holding.counted = worth
        return None

    def refusal(self, fill: Fill) -> Refusal | None:
        """Return why an execution cannot be entered, if it cannot."""
        inverse = instrument(fill.symbol, self.currency).inverse
        return Refusal.NOT_POSITIVE if inverse and fill.price <= 0 else None

    def trade(self, fill: Fill, time: float) -> None:
        """Enter an execution that there is no `refusal` of; unless it is late its price is a price too.

        With a quantity of 0 only the fees are entered, of what was traded before: at the present price, if it is known.
        """
        holding = self.holding(fill.symbol)
        terms = holding.instrument
        if not fill.quantity and holding.price is not None:
            fill = replace(fill, price=holding.price)
        if not holding.size and fill.multiplier is not None:
            holding.multiplier = fill.multiplier
        quantity = fill.quantity
        if fill.inexact and (holding.size + quantity).copy_abs() <= holding.size.copy_abs() * _FLOAT_ERROR:
            quantity = holding.size.copy_negate()
        fees: list[tuple[Decimal, str]] = []
        for charged, named in ((fill.fee, fill.fee_currency), *fill.more_fees):
            fee, currency = charged, named or terms.settle
            if currency == terms.base:
                # Coins that were bought and kept by the venue never arrive: the same as selling them back for the fee.
                quantity, fee, currency = quantity - fee, fee * fill.price * holding.multiplier, terms.quote
            fees.append((fee, currency))
        if not quantity:
            self._account(holding, holding.size, quantity, ZERO, fees)
            self._pay(fees)
            return
        before = holding.size
        paid, realized = holding.trade(quantity, fill.price)
        self._account(holding, before, quantity, realized, fees)
        if realized is None:
            self.realized_known = False
            self.cash_known = self.cash_known and not terms.margined
        _add(self.realized, terms.settle, realized or ZERO)
        self._receive(terms.settle, (realized or ZERO) if terms.margined else -paid)
        self._pay(fees)
        self.mark(fill.symbol, fill.price, time)
        holding.revalue()
        self._count(holding)
        self._list(holding)

    def flow(self, amount: Decimal, currency: str) -> None:
        """Enter a deposit, or a withdrawal as a negative amount."""
        self._receive(currency, amount)

    def receive_funding(self, amount: Decimal, currency: str | None, symbol: str | None) -> str:
        """Enter funding, interest or a dividend (negative if paid), in what `symbol` settles in if no currency is said.

        Return the currency. What is received for a position belongs to its trade.
        """
        holding = None if symbol is None else self.holdings.get(symbol)
        if currency is None:
            currency = self.currency if symbol is None else instrument(symbol, self.currency).settle
        _add(self.funding, currency, amount)
        self._receive(currency, amount)
        if holding is not None and holding.size and holding.result is not None:
            holding.result = _with(holding.result, currency, amount)
        return currency

    def take_closed(self) -> list[Closed]:
        """Return the trades that were closed since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def set_cash(self, amount: Decimal) -> None:
        """Replace all cash by `amount` of the account's currency."""
        for currency, cash in self.cash.items():
            _add(self._net, currency, -cash)
        self.cash = {}
        self._receive(self.currency, amount)

    def replace(self, positions: Iterable[Told], unread: Collection[str], time: float) -> bool:
        """Make `positions` the open ones, those of the symbols in `unread` left as they are; return whether a size changed."""
        told = {position.symbol: position for position in positions if position.size}
        changed = False
        for symbol, holding in list(self.open.items()):
            if symbol not in told and symbol not in unread:
                holding.size = ZERO
                holding.set_cost(ZERO)
                holding.result = {}
                holding.forget()
                holding.revalue()
                self._count(holding)
                self._list(holding)
                changed = True
        for symbol, position in told.items():
            holding = self.holding(symbol)
            changed = changed or holding.size != position.size
            _take(holding, position)
            if position.price is not None:
                self.mark(symbol, position.price, time)
            if position.value is not None:
                holding.value = position.value
            holding.told_pnl = position.unrealized_pnl
            self._count(holding)
            self._list(holding)
        return changed

    def capture(self) -> dict[str, Any]:
        """Return the state without rates and holdings, for `restore`."""
        return {
            "currency": self.currency,
            "cash": dict(self.cash),
            "fees": dict(self.fees),
            "funding": dict(self.funding),
            "realized": dict(self.realized),
            "cash_known": self.cash_known,
            "realized_known": self.realized_known,
            "open": list(self.open),
        }

    def restore(self, state: Mapping[str, Any], rates: Iterable[Any], holdings: Iterable[Any]) -> None:
        """Go on from what was captured, and from the rates and holdings as they were written."""
        for name in ("cash", "fees", "funding", "realized"):
            setattr(self, name, {currency: Decimal(amount) for currency, amount in state[name].items()})
        self.cash_known, self.realized_known = state["cash_known"], state["realized_known"]
        self.rates = Rates(
            self.currency, (((base, quote), None if price is None else Decimal(price)) for base, quote, price in rates)
        )
        self.holdings, self._unknown, self._closed = {}, set(), []
        self._net = dict(self.cash)
        for stored in holdings:
            holding = self.holding(stored[SYMBOL])
            holding.restore(stored)
            self._count(holding)
        self.open = {symbol: self.holdings[symbol] for symbol in state["open"]}

    def _pay(self, fees: Iterable[tuple[Decimal, str]]) -> None:
        for fee, currency in fees:
            _add(self.fees, currency, fee)
            self._receive(currency, -fee)

    def _receive(self, currency: str, amount: Decimal) -> None:
        _add(self.cash, currency, amount)
        _add(self._net, currency, amount)

    def _account(
        self,
        holding: Holding,
        before: Decimal,
        quantity: Decimal,
        realized: Decimal | None,
        fees: Iterable[tuple[Decimal, str]],
    ) -> None:
        """Enter a fill into the trade that it belongs to, from flat to flat; one that goes through zero into two of them.

        The fees of such a fill are divided in proportion to the units that it closed and opened.
        """
        symbol, after = holding.instrument.symbol, holding.size
        through_zero = bool(before and after) and (before > 0) != (after > 0)
        result = None if realized is None or holding.result is None else dict(holding.result)
        following: dict[str, Decimal] = {}
        if result is not None:
            _add(result, holding.instrument.settle, realized or ZERO)
        for fee, currency in fees:
            opening = quotient(fee * after.copy_abs(), quantity.copy_abs()) if through_zero else ZERO
            _add(following, currency, -opening)
            if result is not None:
                _add(result, currency, opening - fee)
        if before and (through_zero or not after):
            self._closed.append(Closed(symbol, result))
        holding.result = following if through_zero else result if after else {}

    def _count(self, holding: Holding) -> None:
        """Bring the totals up to date with `holding`."""
        worth, counted = holding.worth, holding.counted
        if worth is None:
            self._unknown.add(holding.instrument.symbol)
        elif self._unknown:
            self._unknown.discard(holding.instrument.symbol)
        _add(self._net, holding.instrument.settle, subtract(worth or ZERO, counted or ZERO))
        holding.counted = worth

    def _list(self, holding: Holding) -> None:
        """Bring the open holdings up to date with `holding`."""
        if holding.size:
            self.open[holding.instrument.symbol] = holding
        else:
            self.open.pop(holding.instrument.symbol, None)


def _add(amounts: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    amounts[currency] = add(amounts.get(currency, ZERO), amount)


def _with(amounts: Mapping[str, Decimal], currency: str, amount: Decimal) -> dict[str, Decimal]:
    changed = dict(amounts)
    _add(changed, currency, amount)
    return changed


def _take(holding: Holding, position: Told) -> None:
    """Give `holding` the size of `position`, and the cost that follows from it."""
    before = holding.size
    same = before == position.size
    if position.multiplier is not None:
        holding.multiplier = position.multiplier
    holding.size = position.size
    kept = same and holding.lots is not None and holding.cost is not None  # the venue's average says less than the lots
    if position.entry_price is not None and (position.entry_price > 0 or not holding.instrument.inverse):
        if not kept:
            holding.set_cost(holding.value_at(position.size, position.entry_price))
    elif not same:
        holding.set_cost(None)
    if not same:
        holding.result = None if before else {}
        if not before or (before > 0) != (position.size > 0):
            holding.forget()
    if position.liquidation_price is not None:
        holding.liquidation_price = position.liquidation_price if position.liquidation_price > 0 else None
    holding.margin = position.margin if position.margin is not None else holding.margin
    holding.protected = position.protected if position.protected is not None else holding.protected
    holding.value = None
    holding.revalue()
