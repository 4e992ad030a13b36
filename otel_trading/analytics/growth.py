"""Growth by calendar time, and what it is worth given the worst drawdown on the way."""

from __future__ import annotations

import math

YEAR = 365.25 * 86_400.0
"""Seconds of a year (the Julian one, as in ffn)."""

SHORTEST = 30 * 86_400.0
"""Seconds below which nothing is annualized: a good week, compounded 52 times, says nothing of the year."""


def annual_growth(start_value: float, value: float, start_time: float, time: float) -> float | None:
    """Return the compound annual growth rate from `start_value` at `start_time` to `value` at `time` (unix seconds).

    None below 30 days, from a start that is not positive, to a negative value, and where the rate is too large for a float.
    """
    elapsed = time - start_time
    if not (elapsed >= SHORTEST and start_value > 0.0 and value >= 0.0):
        return None
    try:
        growth = math.pow(value / start_value, YEAR / elapsed) - 1.0
    except OverflowError:
        return None
    return growth if math.isfinite(growth) else None


def calmar(start_value: float, value: float, start_time: float, time: float, max_drawdown: float | None) -> float | None:
    """Return the annual growth rate over the maximum drawdown (a positive fraction) of the same time.

    None where there is no growth rate, and without a drawdown.
    """
    growth = annual_growth(start_value, value, start_time, time)
    if growth is None or max_drawdown is None or not max_drawdown > 0.0:
        return None
    ratio = growth / max_drawdown
    return ratio if math.isfinite(ratio) else None
