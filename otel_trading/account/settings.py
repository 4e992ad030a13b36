"""The parameters of an account, checked: what is wrong is named before anything starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from otel_trading.account.lots import COST_METHODS, CostMethod
from otel_trading.account.position import Position
from otel_trading.account.sessions import TradingDay
from otel_trading.errors import ConfigurationError

Rule = Callable[[Position], object]


@dataclass(frozen=True, slots=True)
class Settings:
    """How an account measures; `checked` makes one of what the bot says."""

    cost: CostMethod
    day: TradingDay
    returns_every: float
    window: int
    min_periods: int
    periods_per_year: float
    risk_free_rate: float
    confidence: float
    risky: Rule | None
    stale_after: float | None


def checked(
    *,
    cost: object,
    session: object,
    returns_every: object,
    window: object,
    min_periods: object,
    periods_per_year: object,
    risk_free_rate: object,
    confidence: object,
    risky: object,
    stale_after: object,
) -> Settings:
    """Return the settings; `ConfigurationError` names the first that is wrong."""
    if cost not in COST_METHODS:
        raise ConfigurationError(f"Account: cost is {cost!r}, expected 'average' or 'fifo'")
    if risky is not None and not callable(risky):
        raise ConfigurationError(f"Account: risky is {risky!r}, expected a function of a position that returns true or false")
    size = _whole("window", window, 2)
    needed = _whole("min_periods", min_periods, 2)
    if needed > size:
        raise ConfigurationError(f"Account: min_periods is {needed}, more than the {size} returns of the window")
    level = _number("confidence", confidence)
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"Account: confidence is {confidence!r}, expected a fraction between 0 and 1, such as 0.95")
    rate = _number("risk_free_rate", risk_free_rate)
    if rate <= -1.0:
        raise ConfigurationError(f"Account: risk_free_rate is {risk_free_rate!r}, expected a fraction a year above -1")
    return Settings(
        cost=cost,
        day=_day(session),
        returns_every=positive("returns_every", returns_every),
        window=size,
        min_periods=needed,
        periods_per_year=positive("periods_per_year", periods_per_year),
        risk_free_rate=rate,
        confidence=level,
        risky=cast("Rule | None", risky),
        stale_after=None if stale_after is None else positive("stale_after", stale_after),
    )


def text(argument: str, value: object) -> str:
    """Return `value` without the blanks around it; `ConfigurationError` names `argument` if it is no text, or empty."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"Account: {argument} is {value!r}, expected a text that is not empty")
    return value.strip()


def _day(session: object) -> TradingDay:
    if not isinstance(session, (tuple, list)):
        raise ConfigurationError(f"Account: session is {session!r}, expected a time of day and a zone such as ('17:00', 'UTC')")
    parts = cast("tuple[object, ...] | list[object]", session)
    if len(parts) != 2 or not all(isinstance(part, str) for part in parts):  # noqa: PLR2004 - a pair
        raise ConfigurationError(f"Account: session is {session!r}, expected a time of day and a zone such as ('17:00', 'UTC')")
    start, zone = cast("tuple[str, str]", tuple(parts))
    return TradingDay(start, zone)


def _number(argument: str, value: object) -> float:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ConfigurationError(f"Account: {argument} is {value!r}, expected a finite number")


def positive(argument: str, value: object) -> float:
    """Return `value` as a float; `ConfigurationError` names `argument` if it is no finite number above 0."""
    number = _number(argument, value)
    if number <= 0.0:
        raise ConfigurationError(f"Account: {argument} is {value!r}, expected a positive number")
    return number


def _whole(argument: str, value: object, least: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise ConfigurationError(f"Account: {argument} is {value!r}, expected a whole number of at least {least}")
