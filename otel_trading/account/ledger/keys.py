"""Under which name a ledger keeps something of which several parts tell it from others, such as account, strategy and venue."""

from __future__ import annotations

from urllib.parse import unquote


def key(*parts: str | None) -> str:
    """Return the parts as one name, `main/sma/kraken`: no other parts have the same.

    Only what would make it ambiguous is written otherwise, as in URLs (`%2F` is a `/`), so that it stays readable.
    """
    return "/".join((part or "").replace("%", "%25").replace("/", "%2F") for part in parts).rstrip("/")


def parts(name: str) -> list[str | None]:
    """Return the parts of a name that `key` has made, without those at the end that were None."""
    return [unquote(part) or None for part in name.split("/")]
