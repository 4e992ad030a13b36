"""Where the programs of the stack are on this machine, and how to get one that is not there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from otel_trading.errors import ConfigurationError

Name: TypeAlias = Literal["prometheus", "alertmanager", "otelcol"]
"""A program, which is also the option that says where it is."""


@dataclass(frozen=True)
class Program:
    """A program under the names that its packages give it."""

    name: Name
    commands: tuple[str, ...]
    install: str
    variable: str | None = None
    """An environment variable that may name it."""


PROGRAMS: Final = (
    Program(
        "prometheus",
        ("prometheus",),
        "apt install prometheus, brew install prometheus, or https://prometheus.io/download/",
    ),
    Program(
        "alertmanager",
        ("alertmanager", "prometheus-alertmanager"),
        "apt install prometheus-alertmanager, or https://prometheus.io/download/",
    ),
    Program(
        "otelcol",
        ("otelcol-trading", "otelcol-contrib"),
        "`make collector` in a checkout of otel_trading, or otelcol-contrib from 0.159 on of"
        " https://github.com/open-telemetry/opentelemetry-collector-releases/releases",
        variable="OTELCOL",
    ),
)


def find(program: Program, given: Path | None = None) -> Path | None:
    """Return where a program is: where it was given, else where its variable says, else on PATH.

    Raises `ConfigurationError` for one that was named and is not there.
    """
    variable = program.variable and os.environ.get(program.variable)
    for named, by in ((given, f"--{program.name}"), (variable, program.variable)):
        if named:
            found = shutil.which(Path(named).expanduser())
            if found is None:
                raise ConfigurationError(f"{by} = {named}: there is no program that can be run")
            return Path(found).absolute()
    found = next(filter(None, map(shutil.which, program.commands)), None)
    return None if found is None else Path(found).absolute()
