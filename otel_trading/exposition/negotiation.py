"""Which format a scraper gets: the one that it prefers by the q-values of its Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_VERSIONS: Final = {"1.0.0", "0.0.1", ""}
"""Versions of OpenMetrics that our output is valid for; none said means any."""

_TEXT_RANGES: Final = ("text/plain", "text/*", "*/*")
"""What takes the text format, the most specific first."""


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
    """Whether OpenMetrics is wanted rather than the text format; a scraper that says nothing gets text.

    What is named counts as it is named, text that is not named as the most specific wildcard; wildcards alone mean text.
    """
    openmetrics = 0.0
    text: dict[str, float] = {}
    for media in map(_parsed, accept.split(",")):
        if media.kind == "application/openmetrics-text" and media.parameters.get("version", "") in _VERSIONS:
            openmetrics = max(openmetrics, media.quality)
        elif media.kind in _TEXT_RANGES and media.parameters.get("version", "0.0.4") == "0.0.4":
            text[media.kind] = max(text.get(media.kind, 0.0), media.quality)
    return openmetrics > 0 and openmetrics >= next((text[kind] for kind in _TEXT_RANGES if kind in text), 0.0)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the answer may be compressed; `*` stands for what is not named itself."""
    qualities = {coding.kind: coding.quality for coding in map(_parsed, accept_encoding.split(","))}
    return next((qualities[name] for name in ("gzip", "x-gzip", "*") if name in qualities), 0.0) > 0


def _parsed(entry: str) -> _Range:
    kind, *parameters = (part.strip() for part in entry.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return _Range(kind.lower(), {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs})
