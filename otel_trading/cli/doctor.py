"""`otel-trading doctor`: what is missing or wrong around a bot, and how to mend it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import click


@click.command(name="doctor")
@click.option(
    "--prometheus",
    metavar="URL",
    help="The Prometheus to ask; user and password may stand before its host.  [default: that of --dir, else http://127.0.0.1:9090]",
)
@click.option("--service", metavar="NAME", help="The bot that is meant.  [default: the one whose settings are found]")
@click.option(
    "--config-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The bot's configuration file.  [default: where the bot itself looks]",
)
@click.option(
    "--dir",
    "stack",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A directory that `otel-trading stack init` wrote: it is looked at, too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, prometheus: str | None, service: str | None, config_file: Path | None, stack: Path | None, as_json: bool) -> int:
    """Say what is missing or wrong around your bot, and how to mend it.

    Run it where the bot runs: in its directory, with its environment. It looks at the settings and where each came from, the
    installed versions, the endpoint and its port, and the Collector. It asks Prometheus if it sees the bot, freshly and once,
    under the right names, and if it has all rules, an Alertmanager and a clock that agrees. Nothing is changed, and no secret
    is printed.

    The exit code is 1 when something is wrong, else 0, also with warnings.
    """
    from otel_trading.stack.doctor.examination import Asked, examine

    diagnosis = examine(Asked(os.environ, Path(), config_file, service, prometheus, stack))
    if as_json:
        content = {
            "ok": not diagnosis.count("wrong"),
            "settings": [asdict(setting) for setting in diagnosis.settings],
            "findings": [asdict(finding) for finding in diagnosis.findings],
        }
        click.echo(json.dumps(content, indent=2))
    else:
        from otel_trading.cli import doctor_view

        doctor_view.show(diagnosis)
    return 1 if diagnosis.count("wrong") else 0
