"""One HTTP request with a deadline; what does not answer says why in words."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlencode, urlsplit

from otel_trading import redaction
from otel_trading.pipeline.kinds import is_loopback

TIMEOUT = 5.0
"""Seconds within which each answer has to be there."""

_MOST = 64 << 20
_LONGEST = 200


class UnansweredError(Exception):
    """Nobody answered, or not as was asked; the message says why."""


class Answer(NamedTuple):
    status: int
    text: str


def ask(url: str, content: object = None) -> Answer:
    """Return what `url` answers, whatever the status; user and password may stand before its host.

    With `content` it is a POST of that as JSON.

    Raises `UnansweredError`.
    """
    try:
        request, host = _request(url)
        if content is not None:
            request.data = json.dumps(content).encode()
            request.add_header("Content-Type", "application/json")
        # A proxy knows nothing of this machine's own addresses.
        proxies: dict[str, str] | None = {} if is_loopback(host) else None
        with urllib.request.build_opener(urllib.request.ProxyHandler(proxies)).open(request, timeout=TIMEOUT) as response:
            return Answer(response.status, response.read(_MOST).decode(errors="replace"))
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read(_MOST).decode(errors="replace"))
    except URLError as error:
        raise UnansweredError(reason(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnansweredError(reason(error)) from None


def _request(url: str) -> tuple[urllib.request.Request, str]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it is not an http:// or https:// address")
    login, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(parts._replace(netloc=host).geturl())  # noqa: S310 - the schemes are looked at above
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(unquote(login).encode()).decode("ascii"))
    return request, parts.hostname


def reason(fault: object) -> str:
    """Why somebody did not answer."""
    if isinstance(fault, socket.gaierror):
        return "there is no host of that name"
    if isinstance(fault, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(fault, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    if isinstance(fault, http.client.RemoteDisconnected | http.client.BadStatusLine | ConnectionResetError):
        return "what listens there does not speak HTTP"
    return short(str(fault) or type(fault).__name__)


def short(text: str) -> str:
    """A text of somebody else's on one line, without what may be secret in it."""
    line = redaction.message(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


class Sample(NamedTuple):
    """One element of a query's result."""

    labels: dict[str, str]
    value: float


class Target(NamedTuple):
    """What Prometheus scrapes."""

    url: str
    job: str
    down: bool
    error: str

    def is_endpoint(self, port: int) -> bool:
        """Whether it may be the endpoint on this port: under which name Prometheus reaches this machine nobody knows."""
        return urlsplit(self.url).port == port


class Rule(NamedTuple):
    """A rule that Prometheus has loaded."""

    name: str
    alerting: bool
    firing: bool
    failing: bool
    error: str


class Prometheus:
    """The HTTP API of a Prometheus server. Each call raises `UnansweredError` when it does not answer as Prometheus does."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def version(self) -> str:
        with self._get("status/buildinfo") as data:
            return str(data["version"])

    def query(self, expression: str) -> list[Sample]:
        """Return what an expression gives now."""
        with self._get("query", query=expression) as data:
            return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def time(self) -> tuple[float, float]:
        """Return by how many seconds its clock is ahead of ours, and how much of that the way there may be."""
        best = (0.0, float("inf"))
        for _ in range(3):
            asked = time.time()
            with self._get("query", query="time()") as data:
                theirs = float(data["result"][1])
            answered = time.time()
            best = min(best, (theirs - (asked + answered) / 2, (answered - asked) / 2), key=lambda found: found[1])
        return best

    def targets(self) -> list[Target]:
        with self._get("targets", state="active") as data:
            return [
                Target(each["scrapeUrl"], each["labels"].get("job", ""), each["health"] == "down", short(each["lastError"]))
                for each in data["activeTargets"]
            ]

    def rules(self) -> list[Rule]:
        with self._get("rules") as data:
            return [
                Rule(
                    rule["name"],
                    rule["type"] == "alerting",
                    rule.get("state") == "firing",
                    rule["health"] == "err",
                    short(rule.get("lastError", "")),
                )
                for group in data["groups"]
                for rule in group["rules"]
            ]

    def configured(self) -> tuple[float, bool]:
        """Return when it took over its configuration, in unix seconds, and whether it took what it was to read last."""
        with self._get("status/runtimeinfo") as data:
            when = re.sub(r"\.\d+", "", str(data["lastConfigTime"])).replace("Z", "+00:00")
            return datetime.fromisoformat(when).timestamp(), bool(data["reloadConfigSuccess"])

    def alertmanagers(self) -> list[str]:
        """Return where it sends alerts to."""
        with self._get("alertmanagers") as data:
            return [str(each["url"]) for each in data["activeAlertmanagers"]]

    @contextmanager
    def _get(self, path: str, **parameters: str) -> Iterator[Any]:
        """Give the data at a path of the API to a block that reads it; what cannot be read is no answer of Prometheus."""
        answer = ask(f"{self.url}/api/v1/{path}?{urlencode(parameters)}")
        try:
            content: Any = json.loads(answer.text)
            if content["status"] != "success":
                raise UnansweredError(f"it refuses {path}: {short(str(content['error']))}")
            yield content["data"]
        except (ValueError, LookupError, TypeError, AttributeError):
            raise UnansweredError(f"to {path} it answers {answer.status}, and not as Prometheus does") from None
