"""Prometheus' configuration as the user has it, with the ports in it that the parts were given this time.

The user's files are not touched: a directory of links to all of them takes their place, in which only the targets are ours.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from otel_trading.errors import ConfigurationError

TARGETS: Final = "targets"

_FOUND: Final = "bots-found.yml"
"""A bot that was found by itself; prometheus.yml reads it as it reads the user's bots.yml."""


def place(source: Path, place: Path, addresses: Mapping[str, str | None]) -> None:
    """Make `place` what `source` is, but for the addresses in `targets/`: another one, or left out for None.

    Raises `ConfigurationError` for a file of targets that is malformed.
    """
    if place.exists():
        shutil.rmtree(place)
    (place / TARGETS).mkdir(parents=True)
    for file in source.iterdir():
        if file.name != TARGETS:
            (place / file.name).symlink_to(file.resolve())
    for file in sorted((source / TARGETS).glob("*.yml")):
        changed = _placed(file, addresses)
        if changed is None:
            (place / TARGETS / file.name).symlink_to(file.resolve())
        else:
            (place / TARGETS / file.name).write_text(yaml.safe_dump(changed), encoding="utf-8")


def found(place: Path, bot: str) -> None:
    """Have a bot scraped from now on: Prometheus sees the new file by itself."""
    path = place / TARGETS / _FOUND
    temporary = path.with_suffix(".writing")
    temporary.write_text(yaml.safe_dump([{"targets": [bot]}]), encoding="utf-8")
    temporary.replace(path)


def named(bots: Path, bot: str) -> bool:
    """Whether the user's own file of bots has an address already."""
    return bots.is_file() and any(bot in group["targets"] for group in _groups(bots))


def _placed(file: Path, addresses: Mapping[str, str | None]) -> list[dict[str, Any]] | None:
    """The groups of a file with other addresses; None when there is nothing to change."""
    groups = _groups(file)
    changed = [
        {**group, "targets": kept}
        for group in groups
        if (kept := [new for old in group["targets"] if (new := addresses.get(old, old)) is not None])
    ]
    return None if changed == groups else changed


def _groups(file: Path) -> list[dict[str, Any]]:
    try:
        groups: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or []
        return [{**group, "targets": [str(target) for target in group["targets"]]} for group in groups]
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"{file}: it is malformed; it should be a list of groups with `targets`: {' '.join(str(error).split())}"
        ) from None
