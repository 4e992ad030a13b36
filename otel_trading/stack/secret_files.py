"""What is secret in a directory of the stack: a place for each part that has secrets, which no other part's container sees."""

from __future__ import annotations

import os
import posixpath
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import yaml

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


def make(directory: Path) -> None:
    """Make once what is not there; only the owner can read it, and nothing is ever replaced."""
    folder = directory / FOLDER
    for path in (folder, *(folder / part for part in _PARTS)):
        path.mkdir(mode=0o700, exist_ok=True)
    _once(directory / PASSWORD, lambda: secrets.token_urlsafe(24))
    _once(directory / BOT, lambda: _BOT)


def unseen(directory: Path) -> list[str]:
    """Return the files that alertmanager.yml reads and its container does not see: older versions had one place for all."""
    file = directory / "alertmanager" / "alertmanager.yml"
    named = {posixpath.normpath(f"{file.parent.name}/{value}") for _, value in texts(file)}
    return sorted(name for name in named if name.startswith(f"{FOLDER}/") and not name.startswith(f"{FOLDER}/alertmanager/"))


def empty(directory: Path) -> list[str]:
    """Return the files that alertmanager.yml reads and that are not there or empty: no message gets out then.

    Where absolute paths lead in a container is not known.
    """
    file = directory / "alertmanager" / "alertmanager.yml"
    named = {value for name, value in texts(file) if name.endswith("_file") and not value.startswith("/")}
    return sorted(value for value in named if _is_empty(file.parent / value))


def texts(configuration: Path) -> Iterator[tuple[str, str]]:
    """Each setting of a YAML file that is a text: its name, and the text; none of a file that is malformed or not there."""
    try:
        opened: list[tuple[str, Any]] = [("", yaml.safe_load(configuration.read_text(encoding="utf-8")))]
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return
    while opened:
        name, given = opened.pop()
        if isinstance(given, dict):
            opened += cast("dict[str, Any]", given).items()
        elif isinstance(given, list):
            opened += ((name, each) for each in cast("list[Any]", given))
        elif isinstance(given, str):
            yield name, given


def move(names: list[str]) -> str:
    """Return how to mend that some are `unseen`."""
    return f"move {', '.join(names)} into {FOLDER}/alertmanager, and write ../{FOLDER}/alertmanager/… in alertmanager.yml"


def _once(file: Path, text: Callable[[], str]) -> None:
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text())


def _is_empty(file: Path) -> bool:
    try:
        return file.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:  # another user's
        return False
