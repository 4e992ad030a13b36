"""The rules of a circuit breaker: figures that must stay below their limits.

A figure that cannot be read counts as one that is over its limit: a breaker that a NaN disables protects from nothing.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, NamedTuple

from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float, label

COMPONENT: Final = "circuit_breaker"
"""The component under which faults of rules and callbacks are counted."""

UNUSABLE: Final = math.nan
"""A figure that could not be read, or was lost: no comparison with it says that all is well."""


_EXACT: Final = 2**53
"""Up to here a float has every integer."""


class Recovery(Enum):
    """How a limit that was reached can be kept again."""

    BY_ITSELF = "the market moves, data comes, the day ends: it has to"
    BY_TRADING = "only orders can change it: it is let be after the cool-down"
    ANEW = "it is of a window of orders, which begins anew after the cool-down"


class Limit:
    """A figure and how much of it is allowed.

    What was acknowledged (by `reset`, or after a cool-down) is allowed on top, until the figure is within its limit again.
    """

    def __init__(
        self,
        name: str,
        reason: str,
        allowed: float,
        read: Callable[[float], object],
        *,
        recovery: Recovery = Recovery.BY_ITSELF,
        inclusive: bool = True,
        compounds: bool = False,
        negated: bool = False,
    ) -> None:
        self.name = name
        self.reason = reason
        self.allowed = allowed
        self.recovery = recovery
        self.anew = recovery is Recovery.ANEW
        """Whether it is of a window of orders, to be read under the breaker's lock."""
        self._read = read
        self._inclusive = inclusive
        self._compounds = compounds
        self._negated = negated
        self._known = False
        self.allow_beyond(0.0)

    def allow_beyond(self, level: float) -> None:
        """Acknowledge `level`; 0 is nothing."""
        self.acknowledged = level
        self._threshold = level + self.allowed
        if self._compounds and 0 < level < 1:  # another fall by `allowed` from where it was acknowledged
            self._threshold = 1 - (1 - level) * (1 - self.allowed)
        self._end = self._threshold if self._inclusive else math.nextafter(self._threshold, math.inf)
        self.plain = -math.inf if level else self._end
        """A figure below has nothing to say: the limit is not reached, and nothing is to be rearmed."""

    def figure(self, now: float) -> float | None:
        """Return the figure: None while it was never known, `UNUSABLE` when it is not known any more or is no number."""
        try:
            value: Any = self._read(now)
            if value.__class__ is float:
                found = value
            elif value is None:
                return UNUSABLE if self._known else None
            elif value.__class__ is int and -_EXACT < value < _EXACT:
                found = float(value)
            else:  # it has to ask what can be a number
                found = as_float(value)
        except Exception as fault:  # noqa: BLE001 - a rule that cannot be read opens the breaker, and reaches nobody
            report(fault)
            return UNUSABLE
        if found is None or not math.isfinite(found):
            return UNUSABLE
        self._known = True
        return -found if self._negated else found

    def reached(self, figure: float) -> bool:
        """Whether the limit is reached; an unusable figure reaches it."""
        return not figure < self._end

    def used(self, figure: float) -> float | None:
        """The part of what is allowed now that is used; None if that is unknown."""
        return max(0.0, figure / self._threshold) if math.isfinite(figure) else None

    def rearm(self, figure: float) -> bool:
        """Forget what was acknowledged if the figure is within its limit again; return whether there was something."""
        if self.acknowledged and figure < self.allowed:
            self.allow_beyond(0.0)
            return True
        return False

    def acknowledge(self, figure: float) -> None:
        """Allow what there is on top of the limit, if it is over it; what is unusable cannot be allowed."""
        if not self.anew and self.reached(figure) and math.isfinite(figure):
            self.allow_beyond(figure)


def report(fault: Exception, outcome: str = "opens the circuit breaker, as what is unknown does") -> None:
    """Count and log a fault of a rule or a clock; where a filter or handler of the application raises, only count it."""
    with contextlib.suppress(Exception):
        faults.report(COMPONENT, fault, outcome=outcome)


class Reading(NamedTuple):
    """What the rules said at one moment."""

    time: float
    """In unix seconds; NaN if the clock failed."""
    figures: list[float | None]
    """In the order of the limits; those of windows of orders are found when it is evaluated."""
    said: str | None = None
    """The reason that the bot's own rule gave."""


def asked(rule: Callable[[], object] | None) -> str | None:
    """Return the reason that the bot's own rule gives to open: its text, or `rule` for anything else that is true."""
    if rule is None:
        return None
    try:
        answer = rule()
        if not answer:
            return None
        return (label(answer) or "rule") if isinstance(answer, (str, Enum)) else "rule"
    except Exception as fault:  # noqa: BLE001 - as above
        report(fault)
        return "unknown_figure"
