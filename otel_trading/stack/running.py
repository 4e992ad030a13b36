"""Where the parts of a stack are: as `up --local` says while it runs, else as `.env` says for containers, else as usual."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from otel_trading.stack import directory as stack
from otel_trading.stack.ports import DEFAULTS, HOST, address


def file(directory: Path) -> Path:
    """What `up --local` tells other programs while it runs."""
    return directory / stack.DATA / "local" / "running.json"


def where(directory: Path | None, part: str) -> str:
    """Return the address at which a part is asked from this machine."""
    if directory is None:
        return f"http://{address(DEFAULTS[part])}"
    told = _told(directory, "addresses").get(part)
    return f"http://{told or f'{HOST}:{stack.variable(directory, _port(part))}'}"


def link(directory: Path, part: str) -> str:
    """Return the address in the links of messages, which may be another one: without a slash at its end."""
    return (_told(directory, "links").get(part) or stack.link(directory, part)).rstrip("/")


def _port(part: str) -> str:
    return f"{part.upper()}_PORT"


def _told(directory: Path, what: str) -> Mapping[str, str]:
    try:
        content: Any = json.loads(file(directory).read_text(encoding="utf-8", errors="replace"))
        # One that was killed could not take its word back.
        return dict(content[what]) if psutil.pid_exists(int(content["pid"])) else {}
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return {}
