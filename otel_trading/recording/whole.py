"""The commonest answer to an order, that it was filled at once, recorded without taking it apart first."""

from __future__ import annotations

import sys
from operator import itemgetter
from typing import Any, Final

from otel_trading.orders.seen import Memory
from otel_trading.recording.order_series import OrderSeries

_READ: Final = itemgetter("id", "status", "amount", "filled", "average", "trades", "fees")
_MAX: Final = sys.float_info.max
_LONGEST_ID: Final = 200
_LIST: Final[type] = list
_DICT: Final[type] = dict


class WholeOrders:
    """Submissions of one context that came back filled, told as ccxt tells it: by totals, with at most one fee.

    What is anything else is left to the reading of every answer (`otel_trading.orders.results`), which records the same of
    what is recorded here, at several times the cost.
    """

    __slots__ = ("_currency", "_duration", "_end", "_fill", "_memory", "_money", "_multiplier", "_ratio")

    def __init__(self, found: OrderSeries, memory: Memory, currency: str, multiplier: float) -> None:
        self._memory = memory
        self._currency = currency
        self._multiplier = multiplier
        self._duration = found.durations["submit", "filled", None]
        self._end = found.ends["filled", None]
        self._fill = found.fills["unknown"]
        self._ratio = found.fill_ratios
        self._money = found.money[currency]

    def record(self, answer: Any, seconds: float) -> bool:
        """Record the answer to an order; False if it has to be read, and nothing was recorded."""
        if type(answer) is not _DICT:
            return False
        try:
            identity, status, amount, filled, average, trades, fees = _READ(answer)
        except KeyError:
            return False
        if (
            # By exact types, so that nothing of a foreign class is called.
            type(status) is not str
            or status != "closed"
            or type(trades) is not _LIST
            or trades
            or type(amount) is not float
            or type(filled) is not float
            or not 0.0 < amount <= filled <= _MAX
            or type(average) is not float
            or not 0.0 < average <= _MAX
            or type(identity) is not str
            or not 0 < len(identity) <= _LONGEST_ID
            or type(fees) is not _LIST
        ):
            return False
        paid = None
        if fees:
            fee = fees[0]
            if len(fees) > 1 or type(fee) is not _DICT:
                return False
            paid, currency = fee.get("cost"), fee.get("currency")
            if type(paid) is not float or not 0.0 <= paid <= _MAX or type(currency) is not str or currency != self._currency:
                return False
        elif answer.get("fee") is not None or answer.get("commission") is not None:
            return False
        if not self._memory.at_once(identity, filled, average, paid, self._currency):
            return False
        money, value = self._money, filled * self._multiplier * average
        self._duration.record(seconds)
        self._end.add()
        self._ratio.record(1.0)
        self._fill.add()
        money.notional.record(value)
        money.volume.add(value)
        if paid:
            money.fees.add(paid)
        return True
