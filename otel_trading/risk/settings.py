"""What a circuit breaker is told to watch, checked, as limits."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection

from otel_trading.errors import ConfigurationError
from otel_trading.metrics.values import as_float
from otel_trading.recording import market_data
from otel_trading.risk.rules import Limit, Recovery
from otel_trading.risk.windows import MOST, OrderRate, Rejects


class Rules:
    """The limits in the order in which they are asked: the first that is reached is the reason."""

    def __init__(self) -> None:
        self.limits: list[Limit] = []
        self.rate: OrderRate | None = None
        self.rejects: Rejects | None = None

    def of_account(self, account: object, max_daily_loss: object, max_drawdown: object, max_consecutive_losses: object) -> None:
        if max_daily_loss is not None:
            read = _figure("max_daily_loss", account, "daily_ratio")
            allowed = fraction("max_daily_loss", max_daily_loss)
            self.limits.append(Limit("max_daily_loss", "max_daily_loss", allowed, read, negated=True))
        if max_drawdown is not None:
            read = _figure("max_drawdown", account, "drawdown")
            allowed = fraction("max_drawdown", max_drawdown)
            self.limits.append(Limit("max_drawdown", "max_drawdown", allowed, read, compounds=True))
        if max_consecutive_losses is not None:
            read = _figure("max_consecutive_losses", account, "losing_streak")
            allowed = whole("max_consecutive_losses", max_consecutive_losses)
            self.limits.append(Limit("max_losing_streak", "max_losing_streak", allowed, read, recovery=Recovery.BY_TRADING))

    def of_orders(
        self, max_reject_ratio: object, reject_window: object, min_orders: object, max_order_rate: object, rate_window: object
    ) -> None:
        if max_reject_ratio is not None:
            allowed = fraction("max_reject_ratio", max_reject_ratio)
            self.rejects = Rejects(positive("reject_window", reject_window), whole("min_orders", min_orders))
            self.limits.append(
                Limit("max_reject_ratio", "max_reject_ratio", allowed, self.rejects.ratio, recovery=Recovery.ANEW)
            )
        if max_order_rate is not None:
            most = whole("max_order_rate", max_order_rate)
            if most > MOST:
                raise ConfigurationError(f"CircuitBreaker: max_order_rate is {most}, at most {MOST} orders can be remembered")
            self.rate = OrderRate(positive("rate_window", rate_window), most)
            self.limits.append(
                Limit("max_order_rate", "max_order_rate", most, self.rate.count, recovery=Recovery.ANEW, inclusive=False)
            )

    def of_data(self, max_data_age: object, data_streams: Collection[str] | None, began: float) -> None:
        some = isinstance(data_streams, Collection) and len(data_streams) > 0  # pyright: ignore[reportUnnecessaryIsInstance]
        if isinstance(data_streams, str) or not (data_streams is None or some):
            raise ConfigurationError(f"CircuitBreaker: data_streams are the names of streams, not {data_streams!r}")
        if max_data_age is not None:
            streams = None if data_streams is None else frozenset(data_streams)
            allowed = positive("max_data_age", max_data_age)
            self.limits.append(Limit("max_data_age", "stale_data", allowed, lambda now: market_data.age(now, streams, began)))


def text(argument: str, value: object) -> str:
    """Return `value` if it is a text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"CircuitBreaker: {argument} is {value!r}, expected a text that is not empty")
    return value.strip()


def positive(argument: str, value: object) -> float:
    """Return `value` if it can be a length of time."""
    return _number(argument, value, "a positive number of seconds")


def fraction(argument: str, value: object) -> float:
    """Return `value` if it is a fraction: 10 for 10 % would never be reached."""
    expected = "a fraction above 0 and up to 1 (0.1 is 10 %)"
    found = _number(argument, value, expected)
    if found > 1:
        raise ConfigurationError(f"CircuitBreaker: {argument} is {value!r}, expected {expected}")
    return found


def whole(argument: str, value: object) -> int:
    """Return `value` if it is a number of things."""
    expected = "a whole number from 1 on"
    found = _number(argument, value, expected)
    if not found.is_integer():
        raise ConfigurationError(f"CircuitBreaker: {argument} is {value!r}, expected {expected}")
    return int(found)


def _number(argument: str, value: object, expected: str) -> float:
    found = None if isinstance(value, bool) else as_float(value)
    if found is None or not math.isfinite(found) or found <= 0:
        raise ConfigurationError(f"CircuitBreaker: {argument} is {value!r}, expected {expected}")
    return found


def _figure(argument: str, account: object, figure: str) -> Callable[[float], object]:
    there = account is not None
    with contextlib.suppress(Exception):  # one that cannot be read just now is there all the same
        there = hasattr(account, figure)
    if not there:
        what = "account=, whose figures it reads" if account is None else f"an account that has {figure}, not {account!r}"
        raise ConfigurationError(f"CircuitBreaker: {argument} needs {what}")
    return lambda _now: getattr(account, figure)
