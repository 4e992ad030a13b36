"""Turns what became of an operation on an order into metrics: for the decorators and for the plain calls alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from otel_trading.metrics import faults
from otel_trading.orders import Failure, Fill, Report, measure, seen
from otel_trading.orders import currency as currencies
from otel_trading.orders.reading import Amount
from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.recording.order_series import Context, OrderSeries, series
from otel_trading.semconv.attributes import OrderOperation, OrderRejectReason, OrderSide, OrderStatus


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
    reference_price: float | None = None
    """The price that was meant when the order was decided, if it is known."""
    fill_currency: str | None = None
    """The currency of prices, whatever the symbol says: for a caller that knows it of each fill."""

    def money(self, symbol: str | None) -> currencies.Money:
        """Return how the money of `symbol` is counted: as it says itself, else in our currency, else in the account's."""
        said = currencies.of_symbol(symbol) if symbol else currencies.Money(None)
        currency = self.fill_currency or said.currency or self.currency or getattr(self.account, "currency", None)
        if not isinstance(currency, str):
            currency = currencies.UNKNOWN
            faults.log_once(
                ("no currency", symbol),
                "otel_trading: no currency is known for %s, its money is recorded as %s; give `currency=`",
                symbol,
                currency,
            )
        return said._replace(currency=currency)


def record_result(found: OrderSeries, operation: OrderOperation, seconds: float, report: Report, terms: Terms) -> None:
    """Record that an operation returned, after `seconds`, what `report` says."""
    found = _completed(found, report)
    submitted = operation == "submit"
    found.durations[operation, report.status if submitted or report.stated else None, None].record(seconds)
    for fill in _fills(found.context, report):
        record_fill(found, fill, terms)
    ended = report.status in TERMINAL or (submitted and report.status == "unknown")
    # Without an id, an answer to anything but the submission could be one that was counted before.
    if ended and (submitted or report.id) and record_end(found, report.status, report.reject_reason, report.id):
        _record_slippage(found, report, terms)


def _completed(found: OrderSeries, report: Report) -> OrderSeries:
    """The series of what the report says, too, where it was not known when the order was sent."""
    context = found.context
    symbol, side, kind = context.symbol or report.symbol, context.side or report.side, context.type or report.type
    if (symbol, side, kind) == context[3:]:
        return found
    return series[context._replace(symbol=symbol, side=side, type=kind)]


def record_failure(found: OrderSeries, operation: OrderOperation, seconds: float, failure: Failure) -> None:
    """Record that an operation raised; only a submission says something about the order itself."""
    found.durations[operation, None, failure.error_type].record(seconds)
    if operation == "submit":
        record_end(found, failure.status, failure.reject_reason, None)


def record_end(found: OrderSeries, status: OrderStatus, reason: OrderRejectReason | None, order_id: str | None) -> bool:
    """Count an order that ended, or whose fate is unknown; with an id, each end counts once. Returns whether it counted."""
    context = found.context
    if order_id is not None and not seen.end((context.venue, context.account, order_id), status):
        return False
    found.ends[status, (reason or "other") if status == "rejected" else None].add()
    return True


def record_fill(found: OrderSeries, fill: Fill, terms: Terms) -> None:
    """Record a fill and hand it to the account, each once where it has an execution id."""
    before = found.context
    context = before._replace(symbol=fill.symbol or before.symbol, side=fill.side or before.side)
    if context != before:
        found = series[context]
    key = (context.venue, context.account, context.symbol, context.side, fill.execution_id)
    once = fill.execution_id is not None
    if not once or seen.execution(key):
        _record_fill(found, fill, terms)
    account = terms.account
    if account is None or context.symbol is None or context.side is None:
        return
    # On its own: a fill that was told without the account before is still new to it.
    if not once or seen.execution((*key, "account")):
        _hand_over(account, context.symbol, context.side, fill, terms.multiplier)


def _record_fill(found: OrderSeries, fill: Fill, terms: Terms) -> None:
    money = terms.money(found.context.symbol)
    currency = money.currency or currencies.UNKNOWN
    found.fills[fill.liquidity].add()
    value = money.value(float(fill.quantity), float(fill.price), terms.multiplier)
    in_currency = found.money[currency]
    in_currency.notional.record(value)
    in_currency.volume.add(value)
    for paid, fee_currency in fill.fees:
        charged = found.money[fee_currency or currency]
        if paid > 0:
            charged.fees.add(paid)
        elif paid < 0:
            charged.rebates.add(-paid)


@faults.contained("account")
def _hand_over(account: AccountLike, symbol: str, side: OrderSide, fill: Fill, multiplier: float) -> None:
    fee, fee_currency = fill.fees[0] if fill.fees else (0, None)
    account.fill(
        symbol,
        side,
        abs(fill.quantity),
        fill.price,
        fee=fee,
        fee_currency=fee_currency,
        multiplier=multiplier,
        execution_id=fill.execution_id,
    )


def _fills(context: Context, report: Report) -> Iterable[Fill]:
    """The fills that the report lists, else the one that its filled quantity has grown by since it was last told."""
    key = (context.venue, context.account, report.id)
    listed = report.fills
    filled = sum(float(fill.quantity) for fill in listed)
    cost = sum(float(fill.quantity) * float(fill.price) for fill in listed)
    if listed and (report.id is None or seen.listed(key, filled, cost)):
        for place, fill in enumerate(listed):
            # A venue lists an order's fills in their order, so that the place is an id of its own.
            named = fill.execution_id is not None or report.id is None
            yield fill if named else replace(fill, execution_id=f"{report.id}#{place}")
    elif report.filled and report.average and report.filled > 0:
        yield from _growth(key, report, report.filled, report.average)


def _growth(key: tuple[str | None, ...], report: Report, filled: Amount, average: Amount) -> Iterable[Fill]:
    if report.id is None:
        yield Fill(filled, average, fees=report.fees)
        return
    total, paid = float(filled), tuple(float(fee) for fee, _ in report.fees)
    grown = seen.grown(key, total, total * float(average), paid)
    if grown is None:
        return
    name = f"{report.id}:{total:.12g}"
    if grown.quantity == total:  # all at once: keep the numbers as they were given, to the last digit
        yield Fill(filled, average, name, fees=report.fees)
    else:
        # An average that was corrected downwards can leave the increment without a price: take the average then.
        price = grown.cost / grown.quantity if grown.cost > 0 else average
        fees = tuple((share, currency) for share, (_, currency) in zip(grown.fees, report.fees, strict=True))
        yield Fill(grown.quantity, price, name, fees=fees)


def _record_slippage(found: OrderSeries, report: Report, terms: Terms) -> None:
    side = found.context.side
    if terms.reference_price is None or side is None or not report.filled or not report.average:
        return
    money = terms.money(found.context.symbol)
    filled, average = float(report.filled), float(report.average)
    measured = measure(side, average, terms.reference_price, filled, terms.multiplier, inverse=money.inverse)
    if measured is not None:
        found.money[money.currency or currencies.UNKNOWN].slippage(measured)
