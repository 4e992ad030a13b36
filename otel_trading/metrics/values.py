"""Converts what a bot hands over, once, at our boundary: numbers to finite floats, attribute values to bounded strings.

The OpenTelemetry SDK lets `Decimal` mixed with `float` raise into the caller and keeps `1` and `"1"` as separate series
that collide when they are exposed; neither can happen behind this module.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import SupportsFloat

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults

MAX_LABEL_LENGTH = 200
"""Characters of an attribute value that are kept; Prometheus' own `label_value_length_limit` is usually set near it."""

MIN_INT, MAX_INT = -(2**63), 2**63 - 1
"""What OTLP has room for: integers beyond become floats, as one would fail the whole batch."""

Attributes = Mapping[str, object]
Key = tuple[str, ...]
"""The identity of a series: its attributes as strings, sorted by key, key and value in turn."""


def number(value: object, about: str) -> float | None:
    """`value` as a finite float, or None after it was counted as dropped and logged once for `about` (a metric's name)."""
    result = as_float(value)
    if result is None:
        faults.drop("not_a_number", "%s: a value of type %s is no number; dropped", about, type(value).__name__, about=about)
        return None
    if not math.isfinite(result):
        faults.drop("non_finite", "%s: a value that is not finite was dropped", about, about=about)
        return None
    return result


def as_float(value: object) -> float | None:
    """`value` as a float if it is a number (int, float, bool, Decimal, Fraction, numpy scalar, numeric Enum), else None.

    Text is not parsed, an array is no number, and a number too large for a float is infinite.
    """
    if type(value) is float:
        return value
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (str, bytes, bytearray)) or not isinstance(value, SupportsFloat):
        return None
    if getattr(value, "ndim", 0):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None


@faults.contained("attributes")
def label(value: object) -> str | None:
    """`value` as the text of an attribute: an Enum by its value, a bool in lower case.

    None, which is an absent attribute, for None, for an empty text (Prometheus cannot tell the two apart, so they would be
    one series twice), and for an object that cannot be written.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if len(text) > MAX_LABEL_LENGTH:
        faults.drop("label_too_long", "an attribute value of %d characters was cut to %d", len(text), MAX_LABEL_LENGTH)
        text = text[: MAX_LABEL_LENGTH - 1] + "…"
    return encodable(text) or None


def encodable(text: str) -> str:
    """`text` without lone surrogates, which UTF-8 does not know: one of them would fail the whole scrape or batch."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def labels(attributes: Attributes | None) -> dict[str, str]:
    """`attributes` with every value as text, and those that are absent left out.

    Raises `ConfigurationError` for what is no mapping.
    """
    if not attributes:
        return {}
    try:
        given = attributes.items()
    except AttributeError:
        raise ConfigurationError(f"attributes are a mapping of names to values, not {attributes!r}") from None
    return {str(key): text for key, value in given if (text := label(value)) is not None}


def key_of(texts: Mapping[str, str]) -> Key:
    """Return the identity of the series with these attributes."""
    return tuple(text for pair in sorted(texts.items()) for text in pair)
