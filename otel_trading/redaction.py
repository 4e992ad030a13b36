"""Takes secrets out of addresses and texts before they reach a span, a log or a page.

Signed exchange APIs carry keys and signatures in the query, and account numbers in the path. What is not known to be
harmless goes: a path keeps its words, an address its host and path.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

PLACEHOLDER = "{id}"
REMOVED = "[redacted]"

_OWNERS = frozenset({"account", "accounts", "subaccount", "subaccounts", "user", "users", "wallet", "wallets", "key", "keys"})
_IDENTIFIED = _OWNERS | {"order", "orders", "transfer", "transfers", "withdrawal", "withdrawals", "deposit", "deposits"}
"""Path segments after which an identifier may follow, whatever it looks like."""

_ACTION = re.compile(
    r"(?i:active|activities|address|addresses|algo|all|amend|api|balance|balances|batch|cancel|cancelall|closed|config"
    r"|configuration|create|cross|details|edit|estimate|fees|fills|funding|futures|history|info|isolated|leverage"
    r"|limits|list|margin|me|new|oco|open|options|orders|pending|place|portfolio|positions|query|replace|self"
    r"|settings|spot|status|stop|submit|summary|swap|test|trades|trading|transactions|transfer|transfers)(?:[-_][a-z_-]*)?\Z"
)
"""What follows such a segment without being an identifier."""

_KEPT = re.compile(
    r"[A-Za-z][A-Za-z_-]{0,31}(?:\.[a-z]{1,5})?\Z"  # a word, perhaps with a suffix such as .json
    r"|v\d{1,2}(?:\.\d{1,2})?\Z"  # a version
    r"|(?=.*[A-Za-z])[A-Za-z0-9]{1,5}\Z"  # 24hr, level2, b2b
)
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")
_PATH = re.compile(r"(?<![\w.:/<{}\]])/[^\s?'\"<>,;)\]]+(?:\?[^\s'\"<>]*)?")
_SECRET = re.compile(
    r"(?i)((?<![\w-])[\w-]*(?:signature|api[-_]?key|secret|token|pass(?:phrase|word)|authorization|listen[-_]?key"
    r"|(?<![A-Za-z])sign)['\"]?\s*[=:]\s*)"
    r"(?:'[^']*'|\"[^\"]*\"|(?:(?:bearer|basic)\s+)?[^\s,;&'\")}\]]+)"
)


def path(text: str) -> str:
    """`text`, a path, with every segment that may be an identifier replaced by `{id}`."""
    segments = text.split("/")
    return "/".join(
        PLACEHOLDER if segment and _identifies(segment, segments[index - 1] if index else "") else segment
        for index, segment in enumerate(segments)
    )


def _identifies(segment: str, before: str) -> bool:
    if segment == PLACEHOLDER:
        return False
    if before.lower() in _IDENTIFIED:
        return not _ACTION.match(segment)
    return not _KEPT.match(segment)


def url(text: str) -> str:
    """`text`, an address, without user information, query and fragment, and with its path as `path()` gives it."""
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:  # not an address at all
        return PLACEHOLDER
    return urlunsplit((parts.scheme, host, path(parts.path), "", ""))


def message(text: str) -> str:
    """`text`, such as an exception's, with addresses and paths in it reduced, and the values of known secrets taken out."""
    text = _SECRET.sub(rf"\1{REMOVED}", text)
    text = _URL.sub(lambda match: url(match.group()), text)
    return _PATH.sub(lambda match: path(match.group().partition("?")[0]), text)


def trace(text: str) -> str:
    """`text`, a traceback, as `message()` gives it, but with the names of our files left whole."""
    return "".join(line if line.lstrip().startswith('File "') else message(line) for line in text.splitlines(keepends=True))
