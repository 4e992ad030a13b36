"""Reads what a foreign object says without running any code of it.

What a decorated function takes and returns may be anything: a proxy that loads itself over the network when it is touched, an
object whose `__getattr__` raises, a generator that one look would use up. So the type is taken by `type()` (`isinstance` asks
the object), and only what is plainly stored is read: the keys of a `dict` (and of a read-only view of one), and attributes in
the instance's `__dict__`, in slots, and in fields of named tuples and of compiled classes. Properties, `__getattr__`,
`__getitem__` and `__str__` of foreign classes are never called; an object that hides its data behind them is read by a
function that the user gives.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from functools import partial
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any, Final, NamedTuple, TypeAlias, cast
from uuid import UUID

Amount: TypeAlias = "int | float | Decimal | Fraction"
"""A number as it was given: text has become a Decimal, so that nothing is lost before the account sees it."""

Lookup: TypeAlias = Callable[[str], object]
"""Returns what is stored under a name, or None."""


class _Named(NamedTuple):
    field: object


_PLAIN: Final[tuple[type, ...]] = (MemberDescriptorType, GetSetDescriptorType, type(cast("object", _Named.__dict__["field"])))
_get = cast("Callable[[object, str], object]", dict[str, object].get)  # not the `get` of a subclass
_CONSTANTS: Final = (str, int, float, bool, Decimal, Enum)
_LONGEST_TEXT: Final = 200
_QUOTIENT: Final = Context(prec=40)
_LARGEST_BITS: Final = 1_024
"""An integer with so many is too large for a float, which our figures are."""
_MOST_BITS: Final = 128
"""Of an integer that is an id."""


def lookup(source: object) -> Lookup:
    """Return a function that gives what `source` stores under a name, None where it stores nothing."""
    kind = type(source)
    if kind is dict:
        return cast("dict[str, object]", source).get
    if issubclass(kind, dict):
        return partial(_get, source)
    if kind is MappingProxyType:
        return cast("MappingProxyType[str, object]", source).get
    own = _own_attributes(source, kind)

    def attribute(name: str) -> object:
        if name in own:
            return own[name]
        for base in kind.__mro__:
            members = type.__getattribute__(base, "__dict__")
            if name in members:
                return _member(members[name], source, kind)
        return None

    return attribute


def _own_attributes(source: object, kind: type) -> dict[str, object]:
    """The instance's own `__dict__`, unless its class computes it, as proxies do."""
    for base in kind.__mro__:
        members = type.__getattribute__(base, "__dict__")
        if "__dict__" in members:
            if type(members["__dict__"]) in (GetSetDescriptorType, MemberDescriptorType):
                attributes = members["__dict__"].__get__(source, kind)
                return cast("dict[str, object]", attributes) if type(attributes) is dict else {}
            break
    return {}


def _member(member: Any, source: object, kind: type) -> object:
    if type(member) in _PLAIN:
        try:
            return member.__get__(source, kind)
        except AttributeError:  # a slot that was never filled
            return None
    return member if issubclass(type(member), _CONSTANTS) else None


Paths: TypeAlias = "tuple[str | tuple[str, ...], ...]"
"""Names under which something may be stored, also in what is stored under another name."""


def paths(*names: str) -> Paths:
    """Return the paths that `names` are: `a.b` is what `a` stores as `b`."""
    return tuple(tuple(name.split(".")) if "." in name else name for name in names)


def first(source: Lookup, names: Paths) -> object:
    """Return what is stored under the first of `names` that has anything (empty text is nothing), else None."""
    for name in names:
        value = source(name) if type(name) is str else _nested(source, name)
        if value is not None and not (type(value) is str and not value):
            return value
    return None


def _nested(source: Lookup, names: Sequence[str]) -> object:
    value = source(names[0])
    for name in names[1:]:
        if value is None:
            return None
        value = lookup(value)(name)
    return value


def amount(value: object) -> Amount | None:
    """`value` as a finite number if it is one or a text of one, else None; a bool is no amount."""
    kind = type(value)
    if kind is float:
        return cast("float", value) if math.isfinite(cast("float", value)) else None
    if kind is int:
        return cast("int", value) if cast("int", value).bit_length() < _LARGEST_BITS else None
    if kind is bool or value is None:
        return None
    if issubclass(kind, Enum):
        return amount(cast("Enum", value).value)
    if issubclass(kind, str):
        return _parsed(str.__str__(cast("str", value)))
    if issubclass(kind, Decimal):
        return cast("Decimal", value) if cast("Decimal", value).is_finite() else None
    if is_fraction(kind):
        return cast("Fraction", value)
    return amount(numpy_item(value)) if is_numpy_scalar(kind) else None


def exact(number: Amount) -> Decimal:
    """Return the Decimal that a finite `number` is written as (the float 0.1 is 0.1); a fraction has 40 digits."""
    if isinstance(number, float):
        return Decimal(float.__repr__(number))
    if isinstance(number, (int, Decimal)):
        return Decimal(number)
    return _QUOTIENT.divide(Decimal(number.numerator), Decimal(number.denominator))


def is_fraction(kind: type) -> bool:
    """Whether it is a class of fractions; `issubclass` would ask an abstract class, which hashes what it is asked about."""
    return type.__subclasscheck__(Fraction, kind)


def is_numpy_scalar(kind: type) -> bool:
    """Whether it is a class of numpy's scalars, which nothing is where numpy was never imported."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.generic)


def numpy_item(scalar: object) -> object:
    """Return what a scalar of numpy's holds, as an object of Python's."""
    return cast("Any", scalar).item()


def _parsed(text: str) -> Decimal | None:
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def text(value: object) -> str | None:
    """`value` as text if it is text, an Enum of it, or an id (an integer or a UUID), else None."""
    kind = type(value)
    if kind is str:
        found = cast("str", value)
    elif issubclass(kind, Enum):
        return text(cast("Enum", value).value)
    elif issubclass(kind, str):
        found = str.__str__(cast("str", value))
    elif kind is UUID or (kind is int and cast("int", value).bit_length() <= _MOST_BITS):
        found = str(value)
    else:
        return None
    return found if 0 < len(found) <= _LONGEST_TEXT else None
