"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["ok", "warning", "wrong"]
"""`warning` is worth a look, `wrong` has to be mended before the metrics can be relied on."""


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis. It never holds a secret."""

    check: str
    status: Status
    says: str
    mend: str = ""
    """What to do, where there is something to do."""


def ok(check: str, says: str) -> Finding:
    return Finding(check, "ok", says)


def warning(check: str, says: str, mend: str = "") -> Finding:
    return Finding(check, "warning", says, mend)


def wrong(check: str, says: str, mend: str) -> Finding:
    return Finding(check, "wrong", says, mend)


_NAMED = 5


def listed(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def times(count: int, what: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
