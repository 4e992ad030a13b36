"""Text of anybody's as a terminal may be given it."""

from __future__ import annotations


def printable(text: object) -> str:
    """`text` without what a terminal obeys: a name may have anything in it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in str(text))
