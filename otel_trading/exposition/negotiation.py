"""Which format a scraper gets: the one that it prefers by the q-values of its Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_VERSIONS: Final = {"1.0.0", "0.0.1", ""}
"""Versions of OpenMetrics that our output is valid for; none said means any."""


class _Range(NamedTuple):
    kind: str
    parameters: dict[str, str]

    @property
    def quality(self) -> float:
        try:
            return min(1.0, max(0.0, float(self.parameters.get("q", "1"))))
        except ValueError:
            return 0.0


def prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is wanted rather than the text format; a scraper that says nothing gets text."""
    openmetrics = text = wildcard = 0.0
    for media in map(_parsed, accept.split(",")):
        if media.kind == "application/openmetrics-text" and media.parameters.get("version", "") in _VERSIONS:
            openmetrics = max(openmetrics, media.quality)
        elif media.kind == "text/plain" and media.parameters.get("version", "0.0.4") == "0.0.4":
            text = max(text, media.quality)
        elif media.kind in {"*/*", "text/*"}:
            wildcard = max(wildcard, media.quality)
    return openmetrics > 0 and openmetrics >= max(text, wildcard)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the answer may be compressed."""
    return any(
        coding.kind in {"gzip", "x-gzip", "*"} and coding.quality > 0 for coding in map(_parsed, accept_encoding.split(","))
    )


def _parsed(entry: str) -> _Range:
    kind, *parameters = (part.strip() for part in entry.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return _Range(kind.lower(), {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs})
