"""What becomes of orders: rejected, unknown, stuck, slow, too many."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, told_if, value
from otel_trading.stack.prometheus.recording import ORDERS_1D, ORDERS_5M, SENDER
from otel_trading.stack.promql import STRATEGY, SYMBOL, VENUE, buckets, count, grown, last, of, total, where

_STATUS: Final = label_name(a.ORDER_STATUS)
_LEG: Final = label_name(a.ORDER_LEG)
_TYPE: Final = label_name(a.ORDER_TYPE)
_DIRECTION: Final = label_name(a.SLIPPAGE_DIRECTION)

_WHOSE: Final = f"{told_if(STRATEGY, after=' of ')}{told('job')} at {told(VENUE)}"


def _share(status: str) -> str:
    """The share of the orders of a quarter of an hour that ended in `status`, if it is three of them at least."""
    part = f"sum by ({SENDER}) ({grown(where(of(m.ORDERS), **{_STATUS: status}), '15m')})"
    whole = f"sum by ({SENDER}) ({grown(of(m.ORDERS), '15m')})"
    return f"({part} > 2.5) / ({whole} > 0) > $threshold"


_SHARE: Final = "of the orders that ended within a quarter of an hour, as a fraction, from three of them on"

_ACKS: Final = {_LEG: "submit_ack"}

_SLIPPED: Final = f"job, {STRATEGY}, {VENUE}, {SYMBOL}"


def _slippage(name: str) -> str:
    return f"sum by ({_SLIPPED}) (increase({name}[6h]))"


_ADVERSE, _FAVORABLE = (_slippage(where(total(m.SLIPPAGE), **{_DIRECTION: way})) for way in ("adverse", "favorable"))

_FILLED: Final = f"{SENDER}, {_TYPE}"


def _filled(window: str, least: float) -> str:
    """The mean share that was filled of the orders of `window` that ended, if they are more than `least`."""
    share, orders = (
        f"sum by ({_FILLED}) (increase({name}[{window}]))" for name in (total(m.ORDER_FILL_RATIO), count(m.ORDER_FILL_RATIO))
    )
    return f"{share} / ({orders} > {least})"


_SELDOM: Final = "1 / 60"
"""An order a minute, in orders a second."""

_FIGURE: Final = value('printf "%.4g"')

GROUP: Final = Group(
    "trading-orders-alerts",
    (
        Alert(
            name="TradingOrdersRunaway",
            # What is usual is what was before: an hour ago, so that it fires for an hour and not for five minutes.
            expr=f"{ORDERS_5M} / clamp_min({ORDERS_1D} offset 1h, {_SELDOM}) > $threshold",
            summary="A bot sends many more orders than it usually does.",
            description=f"{_WHOSE} sends {_FIGURE} times as many orders as usual.",
            dashboard="trading-orders",
            severity="critical",
            threshold=Threshold(10, "times the rate of the day before, taken as one order a minute at least"),
        ),
        Alert(
            name="TradingOrdersRejected",
            expr=_share("rejected"),
            summary="Many orders are rejected.",
            description=f"{value('humanizePercentage')} of the orders of {_WHOSE} were rejected.",
            dashboard="trading-orders",
            pending="5m",
            threshold=Threshold(0.05, _SHARE),
        ),
        Alert(
            name="TradingOrdersUnknown",
            expr=_share("unknown"),
            summary="Of many orders nobody knows what became of them.",
            description=f"{value('humanizePercentage')} of the orders of {_WHOSE} ended unknown.",
            dashboard="trading-orders",
            pending="0s",
            threshold=Threshold(0.1, _SHARE),
        ),
        Alert(
            name="TradingOrdersUnresolved",
            expr=f"max without (instance) (last_over_time({of(m.ORDER_UNRESOLVED)}[5m])) > $threshold",
            summary="An order may or may not be working at the venue.",
            description=f"The state of {value()} orders of {_WHOSE} is not known.",
            dashboard="trading-orders",
            severity="critical",
            pending="2m",
            threshold=Threshold(0, "orders in the state unknown"),
        ),
        Alert(
            name="TradingOrderStuck",
            expr=f"time() - {last(m.ORDER_OLDEST_OPEN_TIME)} > $threshold",
            summary="An order has been open for very long.",
            description=f"The oldest order of {_WHOSE} is open for {value('humanizeDuration')}.",
            dashboard="trading-orders",
            pending="5m",
            threshold=Threshold(86400, "seconds that an order is open; stop orders count, too"),
        ),
        Alert(
            name="TradingOrderAckSlow",
            expr=(
                f"histogram_quantile(0.99, sum by ({SENDER}, le) (rate({where(buckets(m.ORDER_LEG_DURATION), **_ACKS)}[10m])))"
                f" > $threshold and sum by ({SENDER}) (increase({where(count(m.ORDER_LEG_DURATION), **_ACKS)}[10m])) > 4.5"
            ),
            summary="The venue acknowledges orders slowly.",
            description=f"One order in a hundred of {_WHOSE} waits {value('humanizeDuration')} or more for the venue.",
            dashboard="trading-orders",
            pending="5m",
            threshold=Threshold(5, "seconds that one order in a hundred waits, from five orders in ten minutes on"),
        ),
        Alert(
            name="TradingSlippageHigh",
            expr=(f"({_ADVERSE} - ({_FAVORABLE} or {_ADVERSE} * 0)) / ({_slippage(count(m.SLIPPAGE))} > 9.5) > $threshold"),
            summary="Orders are filled at much worse prices than when they were decided.",
            description=f"{_WHOSE} pays {_FIGURE} basis points for {told(SYMBOL)}.",
            dashboard="trading-orders",
            pending="5m",
            threshold=Threshold(20, "basis points of six hours' orders, adverse less favorable, from ten orders on"),
        ),
        Alert(
            name="TradingFillRatioLow",
            # Against its own past: a market maker fills one order in twenty, a taker all.
            expr=f"{_filled('1h', 9.5)} / ({_filled('1d', 49.5)} > 0) < $threshold",
            summary="Much less of what is ordered gets filled than usual.",
            description=f"{told(_TYPE)} orders of {_WHOSE} fill {value('humanizePercentage')} of what is usual.",
            dashboard="trading-orders",
            pending="10m",
            threshold=Threshold(0.5, "of the day's mean share that is filled, as a fraction, from ten orders in an hour on"),
        ),
    ),
)
