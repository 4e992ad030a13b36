"""Reads a scrape just far enough to check what it counts."""

from __future__ import annotations

import http.client
import math
import time
from urllib.parse import urlsplit


def fetch(url: str) -> tuple[str, float]:
    """Return what `url` answers, uncompressed, and the seconds from the connection to the last byte."""
    parts = urlsplit(url)
    start = time.perf_counter()
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("GET", parts.path, headers={"Accept": "text/plain", "Accept-Encoding": "identity"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    seconds = time.perf_counter() - start
    if answer.status != http.client.OK:
        raise RuntimeError(f"{url} answered {answer.status}: {body[:500]!r}")
    return body.decode(), seconds


def values(text: str, prefix: str, ending: str = "", label: str = "") -> list[float]:
    """The values of the series whose name is `prefix…ending`, and whose labels contain the text `label`."""
    found: list[float] = []
    for line in text.splitlines():
        if line.startswith(prefix) and label in line:
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0].endswith(ending):
                found.append(float(value))
    return found


def total(text: str, prefix: str, ending: str = "", label: str = "") -> float:
    """The sum of these values."""
    return math.fsum(values(text, prefix, ending, label))
