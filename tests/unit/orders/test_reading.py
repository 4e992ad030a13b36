"""Only what is plainly stored is read, as the numbers and texts that it is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pytest

from otel_trading.orders.reading import amount, first, lookup, paths, text


@dataclass
class Data:
    status: str = "filled"


class Slots:
    __slots__ = ("never", "status")

    def __init__(self) -> None:
        self.status = "filled"


class Named(NamedTuple):
    status: str = "filled"


class Constant:
    status = "filled"


class Frozen:
    """Both a dict of its own and slots above it."""

    def __init__(self) -> None:
        self.__dict__["status"] = "filled"


class Computed:
    @property
    def status(self) -> str:
        raise AssertionError("a property is code")


class Method:
    def status(self) -> str:
        raise AssertionError("a method is code")


@pytest.mark.parametrize(
    "source",
    [
        {"status": "filled"},
        MappingProxyType({"status": "filled"}),
        Data(),
        Slots(),
        Named(),
        Constant(),
        Frozen(),
        SimpleNamespace(status="filled"),
    ],
)
def test_stored_attributes_and_keys_are_found(source) -> None:
    assert lookup(source)("status") == "filled"
    assert lookup(source)("missing") is None
    assert lookup(source)("never") is None


@pytest.mark.parametrize("source", [Computed(), Method(), object(), 3, "text", None, [1], int])
def test_what_would_have_to_be_run_is_not_there(source) -> None:
    assert lookup(source)("status") is None


def test_paths_lead_into_nested_objects() -> None:
    source = lookup({"a": SimpleNamespace(b={"c": 1}), "empty": "", "none": None, "d": 2})
    assert first(source, paths("missing", "a.b.c", "d")) == 1
    assert first(source, paths("none", "empty", "a.x.y", "d")) == 2
    assert first(source, ()) is None


class Number(Enum):
    TWO = 2
    TEXT = "2"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(2, 2), (2.5, 2.5), (Decimal("0.1"), Decimal("0.1")), (Fraction(1, 3), Fraction(1, 3)), ("0.10", Decimal("0.10"))],
        *[(" 1e3 ", Decimal(1000)), (np.float32(0.5), 0.5), (np.int64(3), 3), (Number.TWO, 2), (Number.TEXT, Decimal(2))],
        *[(True, None), (None, None), ("", None), ("many", None), ("nan", None), ("inf", None), (float("nan"), None)],
        *[
            (float("-inf"), None),
            (Decimal("sNaN"), None),
            (np.float64("nan"), None),
            (b"1", None),
            ([1], None),
            ("1" * 500, None),
        ],
        *[(np.array([1.0]), None), (1 + 2j, None)],
    ],
)
def test_amounts_are_finite_numbers_and_texts_of_them(value, expected) -> None:
    """Text becomes a Decimal, so that no digit is lost; what is no finite number is none."""
    found = amount(value)
    assert found == expected
    assert isinstance(value, str) is isinstance(found, Decimal) or found is None or isinstance(value, (Decimal, Enum))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[("id", "id"), (7, "7"), (UUID(int=1), str(UUID(int=1))), (Number.TEXT, "2"), (np.str_("id"), "id")],
        *[("", None), (True, None), (1.5, None), (None, None), (b"id", None), ("x" * 201, None), (10**100, None), ([], None)],
    ],
)
def test_texts_are_texts_and_ids(value, expected) -> None:
    assert text(value) == expected
