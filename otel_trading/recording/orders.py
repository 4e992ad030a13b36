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
from otel_trading.recording.order_series import OrderSeries, series
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
    reference_price: float | None = None
    """The price that was meant when the order was decided, if it is known."""
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


def record_result(found: OrderSeries, operation: OrderOperation, seconds: float, report: Report, terms: Terms) -> None:
    """Record that an operation returned, after `seconds`, what `report` says."""
    context = found.context
    if context.symbol is None or context.side is None or context.type is None:
        found = _completed(found, report)
    submitted = operation == "submit"
    status, identity = report.status, report.id
    found.durations[operation, status if submitted or report.stated else None, None].record(seconds)
    # Without an id, an answer to anything but the submission could be one that was counted before.
    ended = status in TERMINAL if submitted or identity is not None else False
    if submitted and status == "unknown":
        ended = True
    if report.fills and _record_listed(found, report, terms):
        counts = ended and _ends(found, status, identity)
    elif report.filled and report.average and report.filled > 0:
        counts = _record_totals(found, report, status if ended else None, terms)
    else:
        counts = ended and _ends(found, status, identity)
    if counts:
        found.ends[status, (report.reject_reason or "other") if status == "rejected" else None].add()
        if terms.reference_price is not None:
            _record_slippage(found, report, terms.reference_price, terms)


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


def record_end(found: OrderSeries, status: OrderStatus, reason: OrderRejectReason | None, order_id: str | None) -> None:
    """Count an order that ended, or whose fate is unknown; with an id, each end counts once."""
    if _ends(found, status, order_id):
        found.ends[status, (reason or "other") if status == "rejected" else None].add()


def _ends(found: OrderSeries, status: OrderStatus, order_id: str | None) -> bool:
    """Whether this end of the order is new."""
    context = found.context
    return order_id is None or seen.end((context.venue, context.account, order_id), status)


def record_fill(found: OrderSeries, fill: Fill, terms: Terms) -> None:
    """Record a fill and hand it to the account, each once where it has an execution id."""
    before = found.context
    context = before._replace(symbol=fill.symbol or before.symbol, side=fill.side or before.side)
    if context != before:
        found = series[context]
    key = (context.venue, context.account, context.symbol, context.side, fill.execution_id)
    once = fill.execution_id is not None
    if not once or seen.execution(key):
        _record_fill(found, float(fill.quantity), float(fill.price), fill.liquidity, fill.fees, terms)
    # On its own: a fill that was told without the account before is still new to it.
    if terms.account is not None and (not once or seen.execution((*key, "account"))):
        _hand_over(terms.account, found, fill, terms.multiplier)


def _record_fill(
    found: OrderSeries, quantity: float, price: float, liquidity: FillLiquidity, fees: Sequence[Fee], terms: Terms
) -> None:
    money = terms.money(found.context.symbol)
    currency = money.currency
    in_currency = found.money[currency]
    value = money.value(quantity, price, terms.multiplier)
    found.fills[liquidity].add()
    in_currency.notional.record(value)
    in_currency.volume.add(value)
    for paid, fee_currency in fees:
        charged = in_currency if fee_currency is None or fee_currency == currency else found.money[fee_currency]
        if paid > 0:
            charged.fees.add(paid)
        elif paid < 0:
            charged.rebates.add(-paid)


@faults.contained("account")
def _hand_over(account: AccountLike, found: OrderSeries, fill: Fill, multiplier: float) -> None:
    symbol, side = found.context.symbol, found.context.side
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
        multiplier=multiplier,
        execution_id=fill.execution_id,
    )


def _record_listed(found: OrderSeries, report: Report, terms: Terms) -> bool:
    """Record the fills that the report lists; False if the order was counted by its totals before."""
    listed, identity, context = report.fills, report.id, found.context
    if identity is not None:
        filled = sum([float(fill.quantity) for fill in listed])
        cost = sum([float(fill.quantity) * float(fill.price) for fill in listed])
        if not seen.listed((context.venue, context.account, identity), filled, cost):
            return False
    for place, fill in enumerate(listed):
        # A venue lists an order's fills in their order, so that the place is an id of its own.
        named = fill.execution_id is not None or identity is None
        record_fill(found, fill if named else fill._replace(execution_id=f"{identity}#{place}"), terms)
    return True


def _record_totals(found: OrderSeries, report: Report, status: OrderStatus | None, terms: Terms) -> bool:
    """Record what the order was filled by since it was last told, as one fill; returns whether its end counts."""
    context, identity, fees = found.context, report.id, report.fees
    filled, average = float(report.filled or 0), float(report.average or 0)
    if identity is None:
        fill = Fill(report.filled or 0, report.average or 0, fees=fees)
        record_fill(found, fill, terms)
        return status is not None
    paid = tuple([float(fee) for fee, _ in fees])
    grown, ended = seen.totals((context.venue, context.account, identity), filled, filled * average, paid, status)
    if grown is None:
        return ended
    quantity, price = grown.quantity, average
    whole = quantity == filled
    if not whole:
        # An average that was corrected downwards can leave the increment without a price: take the average then.
        price = grown.cost / quantity if grown.cost > 0 else average
        fees = tuple([(share, currency) for share, (_, currency) in zip(grown.fees, fees, strict=True)])
    _record_fill(found, quantity, price, "unknown", fees, terms)
    if terms.account is not None:
        # All at once: with the numbers as they were given, to the last digit.
        exact = (report.filled or 0, report.average or 0) if whole else (quantity, price)
        fill = Fill(*exact, f"{identity}:{filled:.12g}", fees=fees)
        _hand_over(terms.account, found, fill, terms.multiplier)
    return ended


def _record_slippage(found: OrderSeries, report: Report, reference: float, terms: Terms) -> None:
    side = found.context.side
    if side is None or not report.filled or not report.average:
        return
    money = terms.money(found.context.symbol)
    filled, average = float(report.filled), float(report.average)
    measured = measure(side, average, reference, filled, terms.multiplier, inverse=money.inverse)
    if measured is not None:
        found.money[money.currency].slippage(measured)
