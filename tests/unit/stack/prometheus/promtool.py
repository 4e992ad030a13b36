"""Runs the real promtool on the rules as they are written for a user."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from otel_trading.stack.prometheus.model import Group, Record
from otel_trading.stack.prometheus.rules import FILES, document
from otel_trading.stack.prometheus.settings import RuleSettings
from tests.harness import require_program
from tests.unit.stack.prometheus.vocabulary import used

DEFAULTS = RuleSettings()


def promtool(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit status and all that it printed."""
    done = subprocess.run([require_program("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=150)
    return done.returncode, done.stdout + done.stderr


def write(directory: Path, contents: Mapping[str, Any]) -> Path:
    file = directory / "test.yml"
    file.write_text(yaml.safe_dump(dict(contents), sort_keys=False, width=1_000_000))
    return file


def needed(wanted: Collection[str]) -> dict[str, Any]:
    """A rule file with the rules of these names and, before them, those whose results they need."""
    groups = [group for groups in FILES.values() for group in groups]
    rules = [rule for group in groups for rule in group.rules]
    recorded = {rule.name for rule in rules if isinstance(rule, Record)}
    names, open_ = set[str](), list(wanted)
    while open_:
        name = open_.pop()
        if name not in names:
            names.add(name)
            expressions = [rule.expr.replace("$threshold", "1") for rule in rules if rule.name == name]
            open_ += [other for expression in expressions for other in used(expression).names & recorded]
    kept = tuple(
        Group(group.name, tuple(rule for rule in group.rules if rule.name in names), group.interval) for group in groups
    )
    return document(kept, DEFAULTS)
