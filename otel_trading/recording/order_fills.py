"""Records fills of orders, and their money, each once, and hands them to the account that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from typing_extensions import Self

from otel_trading.metrics import faults
from otel_trading.orders import Fill, Report, measure, seen
from otel_trading.orders import currency as currencies
from otel_trading.orders.reading import Amount
from otel_trading.orders.results import Fee
from otel_trading.orders.tally import Growth
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

        `time` is given where somebody said it; `fee` is pairs of an amount and its currency where there are several. One that
        has `fill_order` too keeps count of its orders by itself: it gets everything, `fill` with an `order_id`.
        """
        ...


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
        key = (self.context.symbol, self.context.side, fill.execution_id)
        once = fill.execution_id is not None
        if not once or self.memory.execution(key, order):
            quantity, price, whole = float(fill.quantity), float(fill.price), abs(float(fill.quantity))
            part = whole if order is None else self.memory.executed(order, whole, price)
            if part:
                self._traded(quantity if part == whole else part, price, fill.liquidity, fill.fees)
        # On its own: a fill that was told without the account before is still new to it.
        if account is not None and hasattr(account, "fill_order"):
            self._hand_over(account, fill, order)
        elif account is not None and (not once or self.memory.execution((*key, "account"), order)):
            whole = abs(float(fill.quantity))
            part = whole if order is None else self.memory.executed(order, whole, float(fill.price), handed=True)
            if part:
                self._hand_over(account, fill if part == whole else fill._replace(quantity=part))

    def count(self, report: Report, account: AccountLike | None, time: float | None = None) -> None:
        """Record the fills that the report tells of, as far as they were not counted before; `time` is when they happened."""
        if report.execution is not None:
            self.recorder_of(report.execution).fill(report.execution._replace(time=time), report.id, account)
        if report.filled is None or report.average is None or report.filled <= 0:
            return
        keeps = account is not None and hasattr(account, "fill_order")
        other = None if keeps else account
        if not (report.fills and self._listed(report, other, time)):
            self._totals(report, other, time)
        if keeps:
            self._tell(account, report, time)

    def _tell(self, account: Any, report: Report, time: float | None) -> None:
        """Tell all that the report says to an account that keeps count of its orders."""
        listed, order = report.fills, report.id
        if listed and (order is None or all(fill.execution_id is not None for fill in listed)):
            for fill in listed:
                self.recorder_of(fill)._hand_over(account, fill._replace(time=time), order)  # noqa: SLF001 - one of ours
            return
        fees = report.fees or tuple([fee for fill in listed for fee in fill.fees])
        whole = Fill(report.filled or 0, report.average or 0, fees=fees, time=time)
        self._hand_over(account, whole, order, totals=order is not None)

    def _listed(self, report: Report, account: AccountLike | None, time: float | None) -> bool:
        """Record the fills that the report lists; False if the order was counted by its totals before."""
        listed, order = report.fills, report.id
        if order is not None:
            filled = sum([float(fill.quantity) for fill in listed])
            cost = sum([float(fill.quantity) * float(fill.price) for fill in listed])
            if not self.memory.listed(order, filled, cost, handed=account is not None):
                return False
        for place, fill in enumerate(listed):
            # A venue lists an order's fills in their order, so that the place is an id of its own.
            named = fill.execution_id is not None or order is None
            told = fill if named else fill._replace(execution_id=f"{order}#{place}")
            self.recorder_of(fill).fill(told._replace(time=time), None, account)
        return True

    def _totals(self, report: Report, account: AccountLike | None, time: float | None) -> None:
        """Record what the order was filled by since it was last told, as one fill."""
        order, fees = report.id, report.fees
        filled, average = float(report.filled or 0), float(report.average or 0)
        if order is None:
            self.fill(Fill(report.filled or 0, report.average or 0, fees=fees, time=time), None, account)
            return
        paid = tuple([float(fee) for fee, _ in fees])
        grown, _ = self.memory.totals(order, filled, filled * average, paid, None)
        if grown is not None:
            self._traded(grown.quantity, _price(grown, filled, average), "unknown", _shares(grown, filled, fees))
        if account is None:
            return
        grown = self.memory.handed(order, filled, filled * average, paid)
        if grown is not None:
            # All at once: with the numbers as they were given, to the last digit.
            whole = grown.quantity == filled
            exact = (report.filled or 0, report.average or 0) if whole else (grown.quantity, _price(grown, filled, average))
            self._hand_over(
                account, Fill(*exact, f"{order}:{filled:.12g}", fees=tuple(_shares(grown, filled, fees)), time=time)
            )

    def slipped(self, filled: Amount | None, average: Amount | None, reference: float) -> None:
        """Record how far from the price that was meant an order was filled."""
        side = self.context.side
        if side is None or not filled or not average:
            return
        money = self._money or self._counted_in()
        measured = measure(side, float(average), reference, float(filled), self.multiplier, inverse=money.inverse)
        if measured is not None:
            self.series.money[money.currency].slippage(measured)

    def _traded(self, quantity: float, price: float, liquidity: FillLiquidity, fees: Sequence[Fee]) -> None:
        money = self._money or self._counted_in()
        own = self._money_series or self.series.money[money.currency]
        value = money.value(quantity, price, self.multiplier)
        self.series.fills[liquidity].add()
        own.notional.record(value)
        own.volume.add(value)
        for paid, currency in fees:
            charged = own if currency is None or currency == money.currency else self.series.money[currency]
            if paid > 0:
                charged.fees.add(paid)
            elif paid < 0:
                charged.rebates.add(-paid)

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
    def _hand_over(self, account: Any, fill: Fill, order: str | None = None, *, totals: bool = False) -> None:
        symbol, side = self.context.symbol, self.context.side
        if symbol is None or side is None:
            return
        fee, fee_currency = fill.fees[0] if fill.fees else (0, None)
        if len(fill.fees) > 1:
            fee, fee_currency = fill.fees, None
        said: dict[str, Any] = {} if fill.time is None else {"time": fill.time}
        if order is not None:
            said["order_id"] = self.memory.names(order)
        if not totals:
            said["execution_id"] = fill.execution_id
        enter = account.fill_order if totals else account.fill
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


def _price(grown: Growth, filled: float, average: float) -> float:
    """The price of what was added."""
    # An average that was corrected downwards can leave the increment without a price: take the average then.
    return average if grown.quantity == filled or grown.cost <= 0 else grown.cost / grown.quantity


def _shares(grown: Growth, filled: float, fees: Sequence[Fee]) -> Sequence[Fee]:
    """The fees of what was added."""
    return fees if grown.quantity == filled else tuple([(part, of) for part, (_, of) in zip(grown.fees, fees, strict=True)])
