"""What is secret in a directory of the stack: a place for each part that has secrets, which no other part's container sees."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

FOLDER: Final = "secrets"
PASSWORD: Final = f"{FOLDER}/grafana-admin-password"
BOT: Final = f"{FOLDER}/bot.env"

_PARTS: Final = ("alertmanager", "bot")
"""Who has a directory of secrets, for as many files as the user likes."""

_BOT: Final = """\
# What your bot alone gets to know, as environment variables: its keys to the venue. No other container sees this file.
#
# One NAME=value a line. In single quotes a value is taken as it stands; without them a $ or a # in it means something else.
# Let the keys trade and not withdraw. Who may use Docker on this machine can see them: `docker inspect` shows variables.
# A key that is a file belongs into bot/ beside this one; the bot reads it at /run/secrets/NAME.
#
# After a change: docker compose up --detach bot
#
# EXCHANGE_API_KEY='…'
# EXCHANGE_API_SECRET='…'
"""

_ELSEWHERE: Final = re.compile(r"^[^#\n]*\.\./secrets/(?!alertmanager/)([^\s'\",\]}]+)", re.MULTILINE)


def make(directory: Path) -> None:
    """Make once what is not there; only the owner can read it, and nothing is ever replaced."""
    folder = directory / FOLDER
    for path in (folder, *(folder / part for part in _PARTS)):
        path.mkdir(mode=0o700, exist_ok=True)
    _once(directory / PASSWORD, lambda: secrets.token_urlsafe(24))
    _once(directory / BOT, lambda: _BOT)


def unseen(directory: Path) -> list[str]:
    """Return the files that alertmanager.yml reads and its container does not see: older versions had one place for all."""
    try:
        text = (directory / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return sorted({f"{FOLDER}/{name}" for name in _ELSEWHERE.findall(text)})


def move(names: list[str]) -> str:
    """Return how to mend that some are `unseen`."""
    return f"move {', '.join(names)} into {FOLDER}/alertmanager, and write ../{FOLDER}/alertmanager/… in alertmanager.yml"


def _once(file: Path, text: Callable[[], str]) -> None:
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text())
