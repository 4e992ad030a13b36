"""The eight records of a filled order, written by hand on stock instruments: the same points that `@order_execution` makes."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.metrics import Meter

from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

_STATUS = {"closed": "filled", "open": "new", "canceled": "canceled", "rejected": "rejected", "expired": "expired"}


class OrderMetrics:
    """The instruments, with the names and attributes of the vocabulary."""

    def __init__(self, meter: Meter) -> None:
        self._known = {a.VENUE_NAME: "kraken", a.STRATEGY_NAME: "sma_cross"}
        bounds = m.ORDER_DURATION.bounds
        self._duration = meter.create_histogram(m.ORDER_DURATION.name, "s", explicit_bucket_boundaries_advisory=bounds)
        self._submissions = meter.create_counter(m.ORDER_SUBMISSIONS.name)
        self._orders = meter.create_counter(m.ORDERS.name)
        bounds = m.ORDER_FILL_RATIO.bounds
        self._fill_ratio = meter.create_histogram(m.ORDER_FILL_RATIO.name, explicit_bucket_boundaries_advisory=bounds)
        self._fills = meter.create_counter(m.FILLS.name)
        bounds = m.FILL_NOTIONAL.bounds
        self._notional = meter.create_histogram(m.FILL_NOTIONAL.name, explicit_bucket_boundaries_advisory=bounds)
        self._volume = meter.create_counter(m.VOLUME.name)
        self._fees = meter.create_counter(m.FEES.name)

    def decorate(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Record the orders of `function`, which is called and answers as ccxt's `create_order`."""

        @functools.wraps(function)
        def wrapper(symbol: str, type: str, side: str, *more: Any) -> Any:  # noqa: A002 - ccxt's name
            start = self._sent(type, side)
            try:
                order = function(symbol, type, side, *more)
            except BaseException as error:
                self._failed(start, type, side, error)
                raise
            self._answered(start, symbol, type, side, order)
            return order

        @functools.wraps(function)
        async def async_wrapper(symbol: str, type: str, side: str, *more: Any) -> Any:  # noqa: A002 - ccxt's name
            start = self._sent(type, side)
            try:
                order = await function(symbol, type, side, *more)
            except BaseException as error:
                self._failed(start, type, side, error)
                raise
            self._answered(start, symbol, type, side, order)
            return order

        return async_wrapper if inspect.iscoroutinefunction(function) else wrapper

    def _sent(self, kind: str, side: str) -> float:
        self._submissions.add(1, {**self._known, a.ORDER_TYPE: kind, a.ORDER_SIDE: side})
        return time.perf_counter()

    def _failed(self, start: float, kind: str, side: str, error: BaseException) -> None:
        known = {**self._known, a.ORDER_OPERATION: "submit", a.ERROR_TYPE: type(error).__name__}
        self._duration.record(time.perf_counter() - start, known)
        self._orders.add(1, {**self._known, a.ORDER_TYPE: kind, a.ORDER_SIDE: side, a.ORDER_STATUS: "unknown"})

    def _answered(self, start: float, symbol: str, kind: str, side: str, order: Mapping[str, Any]) -> None:
        known, status = self._known, _STATUS.get(order["status"], "unknown")
        self._duration.record(time.perf_counter() - start, {**known, a.ORDER_OPERATION: "submit", a.ORDER_STATUS: status})
        self._orders.add(1, {**known, a.ORDER_TYPE: kind, a.ORDER_SIDE: side, a.ORDER_STATUS: status})
        if order["amount"]:
            self._fill_ratio.record(order["filled"] / order["amount"], {**known, a.ORDER_TYPE: kind})
        if order["filled"]:
            currency = symbol.partition("/")[2]
            value = order["filled"] * order["average"]
            traded = {**known, a.INSTRUMENT_SYMBOL: symbol, a.ORDER_SIDE: side}
            self._fills.add(1, {**traded, a.FILL_LIQUIDITY: "unknown"})
            self._notional.record(value, {**known, a.ORDER_SIDE: side, a.CURRENCY: currency})
            self._volume.add(value, {**traded, a.CURRENCY: currency})
            fee = order["fee"]
            self._fees.add(fee["cost"], {**known, a.CURRENCY: fee["currency"]})
