"""Exact money: what comes in becomes a Decimal once, and sums and products of it never round.

Only a quotient may be inexact (the cost of a third of a position, the inverse of a rate); it is rounded once to 40 digits
and whatever is made of it is exact again, so the identities of the books hold to the last digit.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
    getcontext,
    setcontext,
)
from enum import Enum
from typing import SupportsFloat

from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float

Amount = SupportsFloat | str
"""A number as bots have them: int, float, Decimal, Fraction, numpy scalar, or the text that venues send."""

ZERO = Decimal(0)
ONE = Decimal(1)

_FAULTS = [InvalidOperation, DivisionByZero, Overflow]
_EXACT = Context(prec=10_000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[*_FAULTS, Inexact])
QUOTIENT = Context(prec=40, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_FAULTS)
_RATIO = Context(prec=20, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_FAULTS)
# Sixty digits between 1e-60 and 1e50: products of four such numbers, summed for ever, stay far inside the exact context.
_INPUT = Context(prec=60, Emin=-60, Emax=50, traps=[*_FAULTS, Inexact, Subnormal])
SMALLEST, LARGEST = 1e-60, 1e50
"""What an amount is between, without its sign."""

add, subtract, multiply = _EXACT.add, _EXACT.subtract, _EXACT.multiply
"""Exact in whatever context: dearer than an operator, cheaper than to change the context for a few of them."""


class Exact:
    """While entered, Decimal operators of this thread are exact, whatever context the application has set; entered once."""

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer = getcontext()
        setcontext(_EXACT)

    def __exit__(self, *_: object) -> None:
        setcontext(self._outer)


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """`dividend / divisor`, rounded to 40 significant digits."""
    return QUOTIENT.divide(dividend, divisor)


def ratio(dividend: Decimal, divisor: Decimal) -> float:
    """`dividend / divisor` as a float: for what is asked for before each order, as a float of 40 digits takes long."""
    return float(_RATIO.divide(dividend, divisor))


def amount(value: object, what: str) -> Decimal | None:
    """`value` as the Decimal that it is written as, or None after it was counted as dropped and logged once for `what`."""
    if type(value) is float and SMALLEST < abs(value) < LARGEST:  # most prices
        return Decimal(repr(value))
    try:
        result = _written(value)
        if result is None:
            faults.drop("not_a_number", "%s: a value of type %s is no number; dropped", what, type(value).__name__, about=what)
        elif not result.is_finite():
            faults.drop("non_finite", "%s: a value that is not finite was dropped", what, about=what)
        else:
            return _INPUT.plus(result)
    except DecimalException:
        faults.drop("not_a_number", "%s: no number of at most 60 digits from 1e-60 to 1e50; dropped", what, about=what)
    return None


def _written(value: object) -> Decimal | None:
    """`value` as the decimal number that it prints as (the float 0.1 is 0.1), None if it is no number."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, float):
        return Decimal(float.__repr__(value))
    if isinstance(value, (Decimal, int)):
        return Decimal(value)
    if not isinstance(value, (str, SupportsFloat)):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        # Not written as a decimal number: a Fraction, a tensor.
        number = as_float(value)
        return None if number is None else Decimal(repr(number))
