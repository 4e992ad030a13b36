"""Takes secrets out of addresses and texts before they reach a span, a log or a page.

Signed exchange APIs carry keys and signatures in the query, and account numbers in the path.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

PLACEHOLDER = "{id}"

_IDENTIFIED = frozenset(
    {"account", "accounts", "subaccount", "subaccounts", "order", "orders", "user", "users", "wallet", "wallets"}
)
"""Path segments after which an identifier follows, whatever it looks like."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*\Z")
_VERSION = re.compile(r"v\d+(\.\d+)?\Z")
_ID = re.compile(
    r"\d+\Z"  # a number
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\Z"  # a UUID
    r"|(?=.*\d)[A-Za-z0-9_.~=-]{6,}\Z"  # letters with digits, longer than a symbol's suffix
    r"|.{33,}\Z"
)
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")
_QUERY = re.compile(r"(/[^\s?'\"<>]*)\?[^\s'\"<>]*")
_SECRET = re.compile(
    r"(?i)\b([\w-]*(?:signature|api[-_]?key|secret|token|passphrase|password|authorization|listen[-_]?key))"
    r"(['\"]?\s*[=:]\s*)(?:bearer\s+|basic\s+)?[^\s,;&'\")}]*"
)


def path(text: str) -> str:
    """`text`, a path, with every segment that looks like an identifier replaced by `{id}`."""
    segments = text.split("/")
    return "/".join(
        PLACEHOLDER if segment and _identifies(segment, segments[index - 1] if index else "") else segment
        for index, segment in enumerate(segments)
    )


def _identifies(segment: str, before: str) -> bool:
    if _VERSION.match(segment):
        return False
    if before.lower() in _IDENTIFIED:
        return not _WORD.match(segment) or segment.isupper()
    return bool(_ID.match(segment))


def url(text: str) -> str:
    """`text`, an address, without user information, query and fragment, and with its path as `path()` gives it."""
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:  # not an address at all
        return PLACEHOLDER
    return urlunsplit((parts.scheme, host, path(parts.path), "", ""))


def message(text: str) -> str:
    """`text`, such as an exception's, with the addresses in it reduced by `url()` and the values of known secrets taken out."""
    text = _URL.sub(lambda match: url(match.group()), text)
    text = _QUERY.sub(r"\1", text)
    return _SECRET.sub(r"\1\2[redacted]", text)
