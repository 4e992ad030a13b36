"""Turns what became of an operation on an order into metrics: for the decorators and for the plain calls alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from otel_trading.metrics import faults
from otel_trading.orders import Failure, Fill, Report, measure, seen
from otel_trading.orders import currency as currencies
from otel_trading.orders.results import Fee
from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.recording.order_series import Context, MoneySeries, series
from otel_trading.recording.series import Table
from otel_trading.recording.whole import WholeOrders
from otel_trading.semconv.attributes import FillLiquidity, OrderOperation, OrderRejectReason, OrderStatus


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
    ) -> object:
        """Take one fill."""
        ...


class Terms(NamedTuple):
    """What is agreed about an order's money, apart from what the venue says of it."""

    currency: str | None = None
    """The currency of prices where the symbol does not say it."""
    account: AccountLike | None = None
    """Gets each fill, if there is one."""
    multiplier: float = 1
    """Units of the instrument in one contract."""
    fill_currency: str | None = None
    """The currency of prices, whatever the symbol says: for a caller that knows it of each fill."""

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


class OrderRecorder:
    """Records the orders of one context under one set of terms."""

    __slots__ = ("_money", "_money_series", "_others", "context", "memory", "series", "terms", "whole")

    def __init__(self, context: Context, terms: Terms, others: Table[Context, OrderRecorder]) -> None:
        self.context = context
        self.terms = terms
        self.series = series[context]
        self.memory = seen[context.venue, context.account]
        self._others = others
        self._money: currencies.Money | None = None
        self._money_series: MoneySeries | None = None
        self.whole: WholeOrders | None = None
        """Records the orders that were filled at once, as soon as it is known how their money is counted."""

    def returned(self, operation: OrderOperation, seconds: float, report: Report, reference: float | None = None) -> None:
        """Record that an operation returned, after `seconds`, what `report` says.

        `reference` is the price that was meant when the order was decided, if it is known.
        """
        context = self.context
        if context.symbol is None or context.side is None or context.type is None:
            known = self._completed(report)
            if known is not self:
                known.returned(operation, seconds, report, reference)
                return
        submitted = operation == "submit"
        status, order = report.status, report.id
        self.series.durations[operation, status if submitted or report.stated else None, None].record(seconds)
        ended = status in TERMINAL
        if not submitted:
            # Without an id, an answer to anything but the submission could be one that was counted before.
            ended = ended and order is not None
        elif status == "unknown":
            ended = True
        by_totals = report.filled is not None and report.average is not None and report.filled > 0
        if by_totals and not (report.fills and self._listed(report)):
            counts = self._totals(report, status if ended else None)
        else:
            counts = ended and (order is None or self.memory.end(order, status))
        if counts:
            self.series.ends[status, (report.reject_reason or "other") if status == "rejected" else None].add()
            if reference is not None:
                self._slipped(report, reference)

    def failed(self, operation: OrderOperation, seconds: float, failure: Failure) -> None:
        """Record that an operation raised; only a submission says something about the order itself."""
        self.series.durations[operation, None, failure.error_type].record(seconds)
        if operation == "submit":
            self.ended(failure.status, failure.reject_reason, None)

    def ended(self, status: OrderStatus, reason: OrderRejectReason | None, order: str | None) -> None:
        """Count an order that ended, or whose fate is unknown; with an id, each end counts once."""
        if order is None or self.memory.end(order, status):
            self.series.ends[status, (reason or "other") if status == "rejected" else None].add()

    def filled(self, fill: Fill) -> None:
        """Record a fill and hand it to the account, each once where it has an execution id."""
        context = self.context._replace(symbol=fill.symbol or self.context.symbol, side=fill.side or self.context.side)
        if context != self.context:
            self._others[context].filled(fill)
            return
        key = (context.symbol, context.side, fill.execution_id)
        once = fill.execution_id is not None
        if not once or self.memory.execution(key):
            self._traded(float(fill.quantity), float(fill.price), fill.liquidity, fill.fees)
        # On its own: a fill that was told without the account before is still new to it.
        if self.terms.account is not None and (not once or self.memory.execution((*key, "account"))):
            self._hand_over(self.terms.account, fill)

    def _completed(self, report: Report) -> OrderRecorder:
        """The recorder of what the report says, too, where it was not known when the order was sent."""
        context = self.context
        symbol, side, kind = context.symbol or report.symbol, context.side or report.side, context.type or report.type
        if (symbol, side, kind) == context[3:]:
            return self
        return self._others[context._replace(symbol=symbol, side=side, type=kind)]

    def _listed(self, report: Report) -> bool:
        """Record the fills that the report lists; False if the order was counted by its totals before."""
        listed, order = report.fills, report.id
        if order is not None:
            filled = sum([float(fill.quantity) for fill in listed])
            cost = sum([float(fill.quantity) * float(fill.price) for fill in listed])
            if not self.memory.listed(order, filled, cost):
                return False
        for place, fill in enumerate(listed):
            # A venue lists an order's fills in their order, so that the place is an id of its own.
            named = fill.execution_id is not None or order is None
            self.filled(fill if named else fill._replace(execution_id=f"{order}#{place}"))
        return True

    def _totals(self, report: Report, status: OrderStatus | None) -> bool:
        """Record what the order was filled by since it was last told, as one fill; returns whether its end counts."""
        order, fees = report.id, report.fees
        filled, average = float(report.filled or 0), float(report.average or 0)
        if order is None:
            self.filled(Fill(report.filled or 0, report.average or 0, fees=fees))
            return status is not None
        paid = tuple([float(fee) for fee, _ in fees])
        grown, ended = self.memory.totals(order, filled, filled * average, paid, status)
        if grown is None:
            return ended
        quantity, price = grown.quantity, average
        whole = quantity == filled
        if not whole:
            # An average that was corrected downwards can leave the increment without a price: take the average then.
            price = grown.cost / quantity if grown.cost > 0 else average
            fees = tuple([(share, currency) for share, (_, currency) in zip(grown.fees, fees, strict=True)])
        self._traded(quantity, price, "unknown", fees)
        if self.terms.account is not None:
            # All at once: with the numbers as they were given, to the last digit.
            exact = (report.filled or 0, report.average or 0) if whole else (quantity, price)
            self._hand_over(self.terms.account, Fill(*exact, f"{order}:{filled:.12g}", fees=fees))
        return ended

    def _traded(self, quantity: float, price: float, liquidity: FillLiquidity, fees: Sequence[Fee]) -> None:
        money = self._money or self._counted_in()
        own = self._money_series or self.series.money[money.currency]
        value = money.value(quantity, price, self.terms.multiplier)
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
            self.whole = WholeOrders(self.series, self.memory, money.currency, terms.multiplier)
        return money

    def _slipped(self, report: Report, reference: float) -> None:
        side = self.context.side
        if side is None or not report.filled or not report.average:
            return
        money = self._money or self._counted_in()
        filled, average = float(report.filled), float(report.average)
        measured = measure(side, average, reference, filled, self.terms.multiplier, inverse=money.inverse)
        if measured is not None:
            self.series.money[money.currency].slippage(measured)

    @faults.contained("account")
    def _hand_over(self, account: AccountLike, fill: Fill) -> None:
        symbol, side = self.context.symbol, self.context.side
        if symbol is None or side is None:
            return
        fee, fee_currency = fill.fees[0] if fill.fees else (0, None)
        account.fill(
            symbol,
            side,
            abs(fill.quantity),
            fill.price,
            fee=fee,
            fee_currency=fee_currency,
            multiplier=self.terms.multiplier,
            execution_id=fill.execution_id,
        )


def recorders(terms: Terms) -> Table[Context, OrderRecorder]:
    """Return the recorders of orders under these terms, by context."""
    table: Table[Context, OrderRecorder] = Table(lambda context: OrderRecorder(context, terms, table))
    return table
