"""What a bot hands over becomes a finite number and bounded texts, or is dropped and counted; nothing raises."""

from __future__ import annotations

import enum
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.metrics import faults
from otel_trading.metrics.values import MAX_LABEL_LENGTH, as_float, key_of, label, labels, number


class Side(enum.Enum):
    BUY = "buy"
    ONE = 1


class Code(str, enum.Enum):
    LIMIT = "limit"


class Level(enum.IntEnum):
    HIGH = 3


class Unwritable:
    def __str__(self) -> str:
        raise RuntimeError("no")


class Weight:
    def __init__(self, result: object) -> None:
        self.result = result

    def __float__(self) -> float:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (3, 3.0),
        (True, 1.0),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        (Side.ONE, 1.0),
        (Level.HIGH, 3.0),
        (2**53 + 2, float(2**53 + 2)),
        (Weight(2.5), 2.5),
        (-0.0, 0.0),
    ],
)
def test_numbers_of_every_kind_become_floats(value, expected):
    converted = number(value, "m")
    assert converted == expected
    assert type(converted) is float
    assert not faults.dropped


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1.5",
        b"1",
        bytearray(b"1"),
        1j,
        [],
        {},
        object(),
        Side.BUY,
        Code.LIMIT,
        Decimal("sNaN"),
        Weight(TypeError()),
        "nan",
    ],
    ids=lambda value: type(value).__name__,  # the same in every process of a parallel run
)
def test_what_is_no_number_is_dropped_and_counted(value):
    assert number(value, "m") is None
    assert dict(faults.dropped) == {"not_a_number": 1}


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        Decimal("NaN"),
        Decimal("-Infinity"),
        10**400,
        -(10**400),
        Fraction(10**400),
        Decimal("1e400"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_not_finite_is_dropped_and_counted(value):
    assert number(value, "m") is None
    assert dict(faults.dropped) == {"non_finite": 1}


def test_numpy_scalars_are_numbers_and_arrays_are_none():
    numpy = pytest.importorskip("numpy")
    scalars = (numpy.float64(1.5), numpy.float32(1.5), numpy.array(1.5))
    assert [as_float(value) for value in (*scalars, numpy.int64(2), numpy.bool_(1))] == [1.5, 1.5, 1.5, 2.0, 1.0]
    assert type(as_float(numpy.float64(1.5))) is float
    assert [as_float(value) for value in (numpy.array([1.5]), numpy.zeros(3), numpy.str_("1"), numpy.array("x"))] == [None] * 4
    assert number(numpy.float64("nan"), "m") is None
    assert dict(faults.dropped) == {"non_finite": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("kraken", "kraken"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (Side.BUY, "buy"),
        (Code.LIMIT, "limit"),
        (Level.HIGH, "3"),
        ("Zürich", "Zürich"),
        ("a\nb", "a\nb"),
        (None, None),
        ("", None),
    ],
)
def test_attribute_values_become_texts(value, expected):
    assert label(value) == expected


def test_an_attribute_is_the_same_however_it_is_given():
    """`1` and `"1"`, a member and its value: two series of the SDK that would be one when exposed."""
    assert labels({"a": 1, "b": Code.LIMIT, "c": True}) == labels({"a": "1", "b": "limit", "c": "true"})


def test_absent_and_empty_attributes_are_left_out():
    assert labels({"a": None, "b": "", "c": "x"}) == {"c": "x"}
    assert labels(None) == labels({}) == {}


def test_a_huge_attribute_is_cut_and_counted():
    cut = label("x" * 1_000_000)
    assert cut == "x" * (MAX_LABEL_LENGTH - 1) + "…"
    assert label("y" * MAX_LABEL_LENGTH) == "y" * MAX_LABEL_LENGTH
    assert dict(faults.dropped) == {"label_too_long": 1}


def test_an_attribute_that_utf8_does_not_know_is_replaced():
    assert label("a\ud800b") == "a?b"


@pytest.mark.parametrize("value", [Unwritable(), 10**5000], ids=["raises", "too long for str"])
def test_an_attribute_that_cannot_be_written_is_absent_and_reported(value):
    assert labels({"a": value, "b": "x"}) == {"b": "x"}
    assert [component for component, _ in faults.errors] == ["attributes"]


def test_a_key_that_is_no_text_becomes_one():
    assert labels({1: "x", Code.LIMIT: "y"}) == {"1": "x", str(Code.LIMIT): "y"}


def test_the_order_of_attributes_makes_no_other_series():
    assert key_of({"a": "1", "b": "2"}) == key_of({"b": "2", "a": "1"})


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())))
def test_any_attributes_become_texts_that_can_be_sent(attributes):
    for key, text in labels(attributes).items():
        assert key in attributes
        assert 0 < len(text) <= MAX_LABEL_LENGTH
        text.encode()


@given(st.one_of(st.integers(), st.floats(), st.decimals(), st.fractions(), st.text(), st.none()))
def test_any_value_becomes_a_finite_float_or_nothing(value):
    converted = number(value, "m")
    assert converted is None or (type(converted) is float and math.isfinite(converted))
