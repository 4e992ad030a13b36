"""Names of metrics and attributes in Prometheus' form.

OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility": units become suffixes in words, annotations in braces
and the unit 1 do not, counters end in `_total`. The Collector, with `translation_strategy: UnderscoreEscapingWithSuffixes`,
and Python's own exporter write the same names for everything in the registry.
"""

from __future__ import annotations

import re

_WORDS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
    "TiBy": "tibibytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters",
    "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz", "%": "percent",
    "1": "",
}  # fmt: skip
_PER = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
# The underscore is among them, so that several become one, as in the Collector and in Python's exporter.
_ILLEGAL = re.compile(r"[^a-zA-Z0-9:]+")
_ILLEGAL_IN_LABEL = re.compile(r"[^a-zA-Z0-9]+")


def unit_words(unit: str) -> str:
    """`unit` (UCUM) as the suffix that it becomes."""
    unit = re.sub(r"\{[^}]*\}", "", unit).strip()
    if unit in _WORDS:
        return _WORDS[unit]
    whole, slash, per = unit.partition("/")
    if slash and per:
        words = f"per_{_PER.get(per, per)}"
        return _legal(f"{_WORDS.get(whole, whole)}_{words}".strip("_"))
    return _legal(unit).strip("_")


def family_name(name: str, unit: str, *, counter: bool = False) -> str:
    """The name of the family, without the suffixes of its samples: that of a counter does without the `_total` it may have."""
    legal = _legal(name)
    if counter:
        legal = legal.removesuffix("_total")
    words = unit_words(unit)
    return legal if not words or legal.endswith(f"_{words}") else f"{legal}_{words}"


def label_name(key: str) -> str:
    """The name of the label for the attribute `key`."""
    return _guarded(_ILLEGAL_IN_LABEL.sub("_", key)) or "_"


def _legal(name: str) -> str:
    return _guarded(_ILLEGAL.sub("_", name))


def _guarded(name: str) -> str:
    return f"_{name}" if name[:1].isdigit() else name
