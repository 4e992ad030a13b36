"""Alerts and errors of the bot."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from otel_trading import metrics
from otel_trading.recording.series import Table
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.attributes import AlertSeverity

_ERRORS = metrics.counter(m.ERRORS)

_SEVERITIES: Final[Mapping[object, AlertSeverity]] = {
    **dict.fromkeys(("critical", "fatal", "error", "emergency", "alert", "high", "page"), "critical"),
    **dict.fromkeys(("warning", "warn", "medium", "minor"), "warning"),
    **dict.fromkeys(("info", "information", "notice", "debug", "low"), "info"),
}


def severity_of(value: object) -> AlertSeverity:
    """Return the severity that a word means; a word that we do not know is a `warning`, so that somebody looks."""
    if isinstance(value, Enum):
        value = value.value if isinstance(value.value, str) else value.name
    return _SEVERITIES.get(value.strip().lower(), "warning") if isinstance(value, str) else "warning"


def _error(key: tuple[str, str]) -> metrics.SumCell:
    return _ERRORS.bind({a.COMPONENT_NAME: key[0], a.ERROR_TYPE: key[1]})


error_series = Table(_error)
"""The series of errors by component and kind."""
