"""`otel-trading dashboards`: the Grafana dashboards as files, or into a Grafana that runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="dashboards")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write.  [default: grafana]",
)
def command(output: Path | None) -> None:
    """Write the Grafana dashboards, and files that let Grafana find them by itself."""
    from otel_trading.stack.grafana.documents import texts

    folder = (output or Path("grafana")) / "dashboards"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"{folder}: {len(texts())} dashboards")
