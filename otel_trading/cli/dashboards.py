"""`otel-trading dashboards`: the Grafana dashboards as files, or into a Grafana that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from otel_trading.stack.prometheus.settings import RuleSettings

_PROMETHEUS = "http://127.0.0.1:9090"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="dashboards")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("grafana"),
    show_default=True,
    metavar="DIR",
    help="Where to write.",
)
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@click.option("--settings", type=_FILE, metavar="FILE", help="The alerts.yaml that says where runbooks are.")
@click.option(
    "--prometheus", default=_PROMETHEUS, show_default=True, metavar="URL", help="Where your browser finds Prometheus."
)
@click.option("--datasource", metavar="URL", help="Where Grafana finds Prometheus.  [default: as your browser]")
@click.option("--import", "grafana", metavar="URL", help="Put them into the Grafana there, and write nothing.")
@click.option("--token-file", type=_FILE, metavar="FILE", help="The token of a service account of that Grafana.")
def command(
    output: Path,
    *,
    force: bool,
    settings: Path | None,
    prometheus: str,
    datasource: str | None,
    grafana: str | None,
    token_file: Path | None,
) -> None:
    """Write the Grafana dashboards, or put them into a Grafana that runs.

    DIR/dashboards has the dashboards as JSON. DIR/provisioning is for Grafana's own directory of that name: with it, Grafana
    makes its data source and the dashboards when it starts.

    With --import they go through Grafana's HTTP API into the folder Trading, over those that are there; the token needs the
    role Editor.
    """
    if (grafana is None) != (token_file is None):
        raise click.UsageError("--import and --token-file belong together")
    from otel_trading.errors import ConfigurationError

    try:
        if grafana is not None and token_file is not None:
            _import(grafana, token_file, settings, prometheus)
        else:
            _write(output, settings, prometheus, datasource or prometheus, force=force)
    except ConfigurationError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except OSError as failed:
        raise click.ClickException(f"cannot write to {failed.filename or output}: {failed.strerror}") from failed


def _import(url: str, token_file: Path, settings: Path | None, prometheus: str) -> None:
    from otel_trading.stack.grafana.documents import dashboards
    from otel_trading.stack.grafana.upload import upload

    try:
        token = token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as failed:
        raise click.ClickException(f"cannot read {token_file}: {failed}") from failed
    if not token.isprintable() or not token.isascii() or not token or " " in token:
        raise click.ClickException(f"{token_file}: there is no token in it, or more than that")
    for address in upload(url, token, dashboards(_settings(settings), prometheus)).values():
        click.echo(address)


def _write(output: Path, settings: Path | None, prometheus: str, datasource: str, *, force: bool) -> None:
    from otel_trading.stack.grafana.provisioning import files

    folder = output.resolve() / "dashboards"
    wanted = files(_settings(settings), prometheus_url=prometheus, datasource_url=datasource, dashboards=folder.as_posix())
    different = [name for name, text in wanted.items() if (output / name).exists() and _text(output / name) != text]
    if different and not force:
        raise click.ClickException(
            f"{', '.join(different)}: there already, and different; --force overwrites, -o writes somewhere else"
        )
    for name, text in wanted.items():
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text, encoding="utf-8", newline="\n")
        click.echo(str(output / name))


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", errors="replace")


def _settings(file: Path | None) -> RuleSettings | None:
    from otel_trading.stack.prometheus.rules import alerts
    from otel_trading.stack.prometheus.settings import load

    return None if file is None else load(file, alerts())
