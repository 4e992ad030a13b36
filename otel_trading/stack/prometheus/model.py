"""What a rule is here, before it is written as Prometheus wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["critical", "warning", "info"]
"""`critical` wakes somebody, `warning` is looked at today, `info` is worth knowing."""


@dataclass(frozen=True)
class Threshold:
    """The figure at which an alert fires, which the settings may change."""

    value: float
    meaning: str
    """What it counts and in which unit, for the one who changes it."""

    @property
    def is_fraction(self) -> bool:
        """Whether it is a share of something: above 1 it is a percentage by mistake, and its alert would never fire."""
        return "as a fraction" in self.meaning


@dataclass(frozen=True)
class Record:
    """A recording rule. Its name has the form `level:metric:operations`, as Prometheus' naming practices want it."""

    name: str
    expr: str
    meaning: str
    """What it says and in which unit, for the one who looks for it."""
    labels: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert. `$threshold` in `expr` and `description` stands for its threshold."""

    name: str
    """In CamelCase, beginning with `Trading`; its runbook has the same name."""
    expr: str
    summary: str
    """One line without labels or values: notifications are grouped by it."""
    description: str
    """What happened where; a Go template over `$labels` and `$value`."""
    dashboard: str
    """The uid of the dashboard that shows it."""
    variable: str | None = "job"
    """The variable of that dashboard that is set to the alert's job; None where its job is not that of a bot."""
    severity: Severity = "warning"
    pending: str = "1m"
    """How long it has to be so before it fires."""
    threshold: Threshold | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, so that a later one sees what an earlier one recorded."""

    name: str
    rules: tuple[Record | Alert, ...]
    interval: str | None = None


def told(label: str) -> str:
    """The value of a label, in the description of an alert."""
    return f"{{{{ $labels.{label} }}}}"


def told_if(label: str, *, before: str = "", after: str = "") -> str:
    """The value of a label that not every bot has, with what belongs to it; nothing of both where it is not there."""
    return f"{{{{ with $labels.{label} }}}}{before}{{{{ . }}}}{after}{{{{ end }}}}"


def value(form: Literal["humanize", "humanizeDuration", "humanizePercentage", 'printf "%.4g"'] = "humanize") -> str:
    """The value of the expression, in the description of an alert. `humanize` writes 0.5 as `500m`; `printf` does not."""
    return f"{{{{ $value | {form} }}}}"
