"""Which commands there are; the file of each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

from otel_trading.version import __version__

_FILES = {
    "dashboards": "otel_trading.cli.dashboards",
    "demo": "otel_trading.cli.demo",
    "doctor": "otel_trading.cli.doctor",
    "ledger": "otel_trading.cli.ledger",
    "stack": "otel_trading.cli.stack",
}
"""A command and the module whose `command` it is."""


class Commands(click.Group):
    """A group of commands that are not imported before they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_FILES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(_FILES[cmd_name]).command if cmd_name in _FILES else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="otel-trading")
def group() -> None:
    """OpenTelemetry for trading bots."""
