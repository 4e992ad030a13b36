"""One HTTP GET that leaks nothing: an answer of any status is a value here, not an exception that holds a socket."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import NamedTuple


class Response(NamedTuple):
    status: int
    content_type: str
    text: str


def fetch(url: str, *, accept: str = "*/*") -> Response:
    """Return what `url` answers; an OSError says that nobody is there."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return Response(answer.status or 0, answer.headers.get("Content-Type", ""), answer.read().decode())


def serves(url: str) -> bool:
    """Whether `url` answers 200."""
    return fetch(url).status == 200
