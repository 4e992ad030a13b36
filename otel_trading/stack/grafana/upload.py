"""The dashboards into a Grafana that runs, through its HTTP API; needs the extra `dashboards`."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from otel_trading.errors import ConfigurationError

if TYPE_CHECKING:
    import requests

FOLDER: Final = "otel-trading"
"""The uid of the folder that the dashboards are put into."""

TIMEOUT: Final = 10.0
"""Seconds that Grafana has to answer each request."""

_HINTS: Final = {
    HTTPStatus.UNAUTHORIZED: "is the token still valid?",
    HTTPStatus.FORBIDDEN: "the token needs the role Editor",
    HTTPStatus.PRECONDITION_FAILED: "a dashboard that was provisioned from a file can only be changed there",
}


def upload(url: str, token: str, dashboards: Mapping[str, Mapping[str, Any]], *, folder: str = "Trading") -> dict[str, str]:
    """Put the dashboards into a folder, over those with the same uid; return the address of each by its uid.

    `token` is that of a service account with the role Editor. The folder is made with the title `folder` if it is not there
    yet. Raises `ConfigurationError` when Grafana cannot be reached or refuses, with what it said.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ConfigurationError(f"{url!r} is no address of a Grafana, such as https://grafana.example.org/")
    try:
        import requests
    except ModuleNotFoundError:
        raise ConfigurationError("requests is needed: pip install 'otel-trading[dashboards]'") from None

    root = url.rstrip("/")
    found: dict[str, str] = {}
    with requests.Session() as session:
        # Not `session.headers`: what ~/.netrc has for this host would take its place.
        session.auth = _Token(token)
        try:
            if _ask(session, "GET", f"{root}/api/folders/{FOLDER}", absent=True) is None:
                _ask(session, "POST", f"{root}/api/folders", {"uid": FOLDER, "title": folder})
            for uid, document in dashboards.items():
                wanted = {"dashboard": {**document, "id": None}, "folderUid": FOLDER, "overwrite": True}
                answer = _ask(session, "POST", f"{root}/api/dashboards/db", wanted) or {}
                found[uid] = f"{parts.scheme}://{parts.netloc}{answer['url']}"
        except ConfigurationError:
            raise
        except requests.RequestException as failed:
            raise ConfigurationError(f"there is no Grafana at {root}: {failed}") from None
        except (ValueError, LookupError, TypeError):
            raise ConfigurationError(f"what answers at {root} is no Grafana") from None
    return found


class _Token:
    """Grafana's tokens are bearer tokens."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _ask(
    session: requests.Session, method: str, url: str, body: Mapping[str, Any] | None = None, *, absent: bool = False
) -> dict[str, Any] | None:
    """What Grafana answers; None for what is not there, if it may be `absent`. It is not followed to another address."""
    answer = session.request(method, url, json=body, timeout=TIMEOUT, allow_redirects=False)
    if absent and answer.status_code == HTTPStatus.NOT_FOUND:
        return None
    if answer.status_code != HTTPStatus.OK:
        hint = _HINTS.get(HTTPStatus(answer.status_code))
        raise ConfigurationError(
            f"Grafana refuses {method} {url}: {answer.status_code} {answer.reason}: {answer.text[:200]}"
            + (f" ({hint})" if hint else "")
        )
    return answer.json()
