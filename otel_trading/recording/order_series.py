"""The series that orders and fills are recorded in, bound as they are needed."""

from __future__ import annotations

from typing import NamedTuple

from otel_trading import metrics
from otel_trading.orders import Slippage
from otel_trading.recording.series import Table, select
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.attributes import (
    FillLiquidity,
    OrderLeg,
    OrderOperation,
    OrderRejectReason,
    OrderSide,
    OrderStatus,
    OrderType,
    SlippageDirection,
)

_DURATION = metrics.histogram(m.ORDER_DURATION)
_LEGS = metrics.histogram(m.ORDER_LEG_DURATION)
_FILL_RATIO = metrics.histogram(m.ORDER_FILL_RATIO)
_SUBMISSIONS = metrics.counter(m.ORDER_SUBMISSIONS)
_ORDERS = metrics.counter(m.ORDERS)
_FILLS = metrics.counter(m.FILLS)
_NOTIONAL = metrics.histogram(m.FILL_NOTIONAL)
_VOLUME = metrics.counter(m.VOLUME)
_FEES = metrics.counter(m.FEES)
_REBATES = metrics.counter(m.REBATES)
_SLIPPAGE = metrics.histogram(m.SLIPPAGE)
_SLIPPAGE_COST = metrics.counter(m.SLIPPAGE_COST)


class Context(NamedTuple):
    """Where, by whom and what: the attributes that everything about an order shares."""

    venue: str
    strategy: str | None = None
    account: str | None = None
    symbol: str | None = None
    side: OrderSide | None = None
    type: OrderType | None = None


class OrderSeries:
    """The series of the orders of one context."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._known: dict[str, object] = {
            a.VENUE_NAME: context.venue,
            a.STRATEGY_NAME: context.strategy,
            a.ACCOUNT_NAME: context.account,
            a.INSTRUMENT_SYMBOL: context.symbol,
            a.ORDER_SIDE: context.side,
            a.ORDER_TYPE: context.type or "other",
        }
        self.submissions = _SUBMISSIONS.bind(select(m.ORDER_SUBMISSIONS, self._known))
        self.durations = Table(self._duration)
        self.legs = Table(self._leg)
        self.ends = Table(self._end)
        self._fill_ratio: metrics.HistogramCell | None = None
        self.fills = Table(self._fill)
        self.money = Table(self._money)

    def _duration(self, key: tuple[OrderOperation, OrderStatus | None, str | None]) -> metrics.HistogramCell:
        operation, status, error_type = key
        more = {a.ORDER_OPERATION: operation, a.ORDER_STATUS: status, a.ERROR_TYPE: error_type}
        return _DURATION.bind(select(m.ORDER_DURATION, {**self._known, **more}))

    def _leg(self, leg: OrderLeg) -> metrics.HistogramCell:
        return _LEGS.bind(select(m.ORDER_LEG_DURATION, {**self._known, a.ORDER_LEG: leg}))

    @property
    def fill_ratios(self) -> metrics.HistogramCell:
        """The filled shares of the quantities of orders that ended."""
        if self._fill_ratio is None:
            self._fill_ratio = _FILL_RATIO.bind(select(m.ORDER_FILL_RATIO, self._known))
        return self._fill_ratio

    def _end(self, key: tuple[OrderStatus, OrderRejectReason | None]) -> metrics.SumCell:
        more = {a.ORDER_STATUS: key[0], a.ORDER_REJECT_REASON: key[1]}
        return _ORDERS.bind(select(m.ORDERS, {**self._known, **more}))

    def _fill(self, liquidity: FillLiquidity) -> metrics.SumCell:
        return _FILLS.bind(select(m.FILLS, {**self._known, a.FILL_LIQUIDITY: liquidity}))

    def _money(self, currency: str) -> MoneySeries:
        return MoneySeries({**self._known, a.CURRENCY: currency})


class MoneySeries:
    """The series of the money of one context in one currency."""

    def __init__(self, known: dict[str, object]) -> None:
        self._known = known
        self.notional = _NOTIONAL.bind(select(m.FILL_NOTIONAL, known))
        self.volume = _VOLUME.bind(select(m.VOLUME, known))
        self.fees = _FEES.bind(select(m.FEES, known))
        self.rebates = _REBATES.bind(select(m.REBATES, known))
        self._slippage_cost = _SLIPPAGE_COST.bind(select(m.SLIPPAGE_COST, known))
        self._slippages = Table(self._slippage)

    def slippage(self, found: Slippage) -> None:
        """Record the slippage of one order."""
        self._slippages[found.direction].record(abs(found.basis_points))
        self._slippage_cost.add(found.cost)

    def _slippage(self, direction: SlippageDirection) -> metrics.HistogramCell:
        return _SLIPPAGE.bind(select(m.SLIPPAGE, {**self._known, a.SLIPPAGE_DIRECTION: direction}))


series: Table[Context, OrderSeries] = Table(OrderSeries)
"""The series of every context, shared by the decorators and the plain calls."""
