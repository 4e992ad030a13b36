"""The format and the compression that RFC 9110 gives to a scraper's headers (sections 12.5.1 and 12.5.3)."""

from __future__ import annotations

import pytest

from otel_trading.exposition.negotiation import accepts_gzip, prefers_openmetrics

OPENMETRICS = "application/openmetrics-text"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (OPENMETRICS, True),
        (f"{OPENMETRICS};version=1.0.0;q=0.5,{OPENMETRICS};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", True),
        (f"text/plain;version=0.0.4;q=0.6,{OPENMETRICS};version=1.0.0;q=0.5,*/*;q=0.2", False),
        (f'{OPENMETRICS.upper()} ; VERSION="1.0.0" ; Q=0.9 , text/plain;q=0.8', True),
        (f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.9", True),
        (f"{OPENMETRICS};version=2.0.0", False),
        (f"{OPENMETRICS};q=0", False),
        (f"{OPENMETRICS};q=0,*/*", False),
        (f"{OPENMETRICS};q=0.3,*/*;q=0.5", False),
        (f"{OPENMETRICS};q=0.5,text/plain;q=0.1,*/*;q=0.9", True),  # the specific range counts, not the wildcard
        (f"{OPENMETRICS};q=0.5,text/*;q=0.1,*/*;q=0.9", True),
        (f"{OPENMETRICS};q=0.5,text/plain;q=0", True),
        (f"{OPENMETRICS};q=x,text/plain;q=0.1", False),
        (f"{OPENMETRICS};q=nan", False),
        ("*/*;q=0.5", False),
        ("", False),
        (";;;,,,=;q", False),
    ],
)
def test_openmetrics_is_preferred_when_its_quality_is_not_below_that_of_text(accept, expected):
    assert prefers_openmetrics(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("GZIP;q=0.001", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*;q=0.5", True),
        ("identity;q=0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),  # `*` is what is not named itself
        ("*, gzip;q=0.0", False),
        ("*;q=0", False),
        ("identity;q=0", False),  # nothing that we have is left: the answer is plain rather than none
        ("identity", False),
        ("br;q=1.0", False),
        ("gzip;q=x", False),
        ("", False),
        (";q=1,,;", False),
    ],
)
def test_compressed_only_for_who_takes_gzip(accept_encoding, expected):
    assert accepts_gzip(accept_encoding) is expected
