"""`otel-trading stack`: the directory of a deployment, and the stack itself on this machine."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from otel_trading.stack.ports import DEFAULTS, LINKED

if TYPE_CHECKING:
    from otel_trading.stack.directory import Report
    from otel_trading.stack.programs import Name
    from otel_trading.stack.prometheus.model import Severity

_DEFAULT = Path("otel-trading-stack")
_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_PROGRAMS = ("prometheus", "alertmanager", "otelcol")

F = TypeVar("F", bound=Callable[..., Any])


class StackError(click.ClickException):
    """The directory cannot be written, or the stack cannot start."""


@click.group(name="stack")
def command() -> None:
    """Prometheus, Alertmanager, the Collector and Grafana around your bot."""


@command.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--force", is_flag=True, help="Overwrite what you changed, thresholds included.")
def init(directory: Path, *, force: bool) -> None:
    """Write all configurations into DIRECTORY, or bring it up to date.

    Run it again after you edited alerts.yaml, or installed another version. What you changed is kept: what would be written
    now is beside it, with .new after its name.
    """
    _require_markdown()
    from otel_trading.errors import ConfigurationError
    from otel_trading.stack import directory as stack
    from otel_trading.stack.routing import unheard

    try:
        report = stack.init(directory, force=force)
        silent = unheard(directory)
    except ConfigurationError as wrong:
        raise StackError(str(wrong)) from wrong
    click.echo(_told(directory, report))
    where = quote(str(directory))
    if silent:
        click.echo(f"{silent}; otel-trading stack test-alert {where} tries it.")
    click.echo(f"Next: otel-trading stack up --local {where}, or docker compose up --detach in it; README.md says more.")


def _require_markdown() -> None:
    if find_spec("markdown_it") is None:
        raise click.ClickException("markdown_it is missing: pip install 'otel-trading[cli]'")


def _told(directory: Path, report: Report) -> str:
    from otel_trading.stack import secret_files

    lines = [f"{directory}: {len(report.written)} files written, {len(report.same)} were as they should be."]
    lines += [f"removed, no longer in use: {path}" for path in report.removed]
    lines += [f"replaced, though you had changed it: {path}" for path in report.replaced]
    lines += [f"kept as you changed it: {path}" for path in report.kept]
    lines += [f"kept as you changed it: {path}; what is new is in {path}.new" for path in report.offered]
    if report.offered:
        lines.append("Take over from the .new files what you want; --force replaces your files by them.")
    read = ("prometheus/prometheus.yml", "prometheus/rules/", "alertmanager/", "collector/")
    if report.same and any(path.startswith(read) for path in (*report.written, *report.replaced, *report.removed)):
        lines.append(
            "What runs goes on with what it has read: send Prometheus and Alertmanager a SIGHUP, or start the stack again."
        )
    if unseen := secret_files.unseen(directory):
        names = ", ".join(unseen)
        lines.append(
            f"alertmanager/alertmanager.yml reads {names}, which its container does not see: {secret_files.move(unseen)}"
        )
    # On Windows every file is said to be that user's.
    if directory.stat().st_uid == 0 and sys.platform != "win32":
        where = quote(str(directory))
        lines.append(
            f"{directory} is root's, and so the containers run as root. A user of their own is better:\n"
            f"  useradd --system otel-trading; chown -R otel-trading: {where}; otel-trading stack init {where}"
        )
    return "\n".join(lines)


def _port_options(function: F) -> F:
    for name, default in reversed(list(DEFAULTS.items())):
        option = click.option(
            f"--{name}-port", type=click.IntRange(0, 65535), metavar="P", help=f"[default: {default}; 0: any that is free]"
        )
        function = option(function)
    return function


def _address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    from otel_trading.stack.prometheus.settings import is_address

    if url and not is_address(url):
        raise click.BadParameter("It has to begin with http:// or https://.")
    return url


def _link_options(function: F) -> F:
    for name in reversed(LINKED):
        option = click.option(
            f"--{name}-external-url",
            metavar="URL",
            callback=_address,
            help=f"Where {name} is reached from outside, for the links in messages.  [default: as .env says, else its address]",
        )
        function = option(function)
    return function


def _program_options(function: F) -> F:
    for name in reversed(_PROGRAMS):
        # Not a Path: a name without a slash is looked for on PATH.
        option = click.option(f"--{name}", metavar="PATH", help=f"The program {name}.  [default: looked for on PATH]")
        function = option(function)
    return function


@command.command()
@click.argument("directory", type=_DIRECTORY, required=False)
@click.option("--local", is_flag=True, help="As plain processes on this machine.")
@click.option("--free-ports", is_flag=True, help="Free ports for all that no option names.")
@_port_options
@_program_options
@_link_options
@click.option("--bot", default="127.0.0.1:9464", show_default=True, metavar="HOST:PORT", help="Where to look for a bot.")
def up(directory: Path | None, *, local: bool, free_ports: bool, bot: str, **given: Any) -> int:
    """Run Prometheus, Alertmanager and the Collector with the files in DIRECTORY, until Ctrl-C.

    Without DIRECTORY it is ./otel-trading-stack, written if it is not there. Those that are not installed are left out, and it
    is said how to get them. A part that dies is reported; the others go on. What they keep is in DIRECTORY/data/local.

    The exit code is 0 when it was asked to end, and 1 when it could not start or a part died.
    """
    if not local:
        raise click.UsageError("say --local; with Docker it is `docker compose up --detach` in the directory")
    _require_markdown()
    from otel_trading.errors import ConfigurationError
    from otel_trading.stack import directory as stack
    from otel_trading.stack.local import Local, Plan

    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _setting(stop))
    # Windows has none; under `nohup` it is to outlive its terminal.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _setting(stop))
    chosen = {name: given[f"{name.replace('-', '_')}_port"] for name in DEFAULTS}
    try:
        where = _ready(directory)
        if stale := stack.outdated(where):
            click.echo(
                f"{len(stale)} files are out of date, {stale[0]} for one: alerts.yaml or otel_trading was changed."
                f" otel-trading stack init {quote(str(where))} writes them anew."
            )
        plan = Plan(
            where,
            programs=cast("dict[Name, Path]", {name: Path(given[name]) for name in _PROGRAMS if given[name]}),
            ports={name: 0 if port is None else port for name, port in chosen.items() if port is not None or free_ports},
            bot=bot,
            links={name: url for name in LINKED if (url := given[f"{name}_external_url"])},
        )
        return 0 if Local(plan, click.echo).run(stop) else 1
    except (ConfigurationError, OSError) as wrong:
        raise StackError(str(wrong)) from wrong


def _setting(stop: Event) -> Callable[[int, FrameType | None], None]:
    return lambda _number, _frame: stop.set()


def _ready(directory: Path | None) -> Path:
    """The directory to use; the one that nobody named is written if it is not there."""
    from otel_trading.stack import directory as stack

    where = directory or _DEFAULT
    if not stack.is_stack(where):
        if directory is not None:
            raise StackError(f"{directory} is no directory of a stack: otel-trading stack init {quote(str(directory))}")
        click.echo(_told(where, stack.init(where)))
    return where


@command.command("test-alert")
@click.argument("directory", type=_DIRECTORY, required=False)
@click.option(
    "--severity",
    type=click.Choice(["critical", "warning", "info"]),
    default="critical",
    show_default=True,
    help="Who is told of it, and how soon.",
)
@click.option(
    "--alertmanager", metavar="URL", help="The Alertmanager to use.  [default: that of DIRECTORY, else http://127.0.0.1:9093]"
)
def test_alert(directory: Path | None, *, severity: Severity, alertmanager: str | None) -> int:
    """Send an alert that is only a test, to see that it arrives; it says so, and ends by itself after five minutes.

    Without DIRECTORY it is ./otel-trading-stack, if that is one. The exit code is 1 when Alertmanager does not take it, or
    tells nobody of it.
    """
    from otel_trading.errors import ConfigurationError
    from otel_trading.pipeline.kinds import shown
    from otel_trading.stack import directory as stack
    from otel_trading.stack import running, trial

    if directory is not None and not stack.is_stack(directory):
        raise StackError(f"{directory} is no directory of a stack: otel-trading stack init {quote(str(directory))}")
    where = directory or (_DEFAULT if stack.is_stack(_DEFAULT) else None)
    url = (alertmanager or running.where(where, "alertmanager")).rstrip("/")
    try:
        sent = trial.send(url, severity, where)
    except ConfigurationError as wrong:
        raise StackError(str(wrong)) from wrong
    click.echo(f"{shown(url)} has {trial.NAME}, {severity}; it ends by itself at {sent.ends:%H:%M:%S} UTC.")
    for stop in sent.stops:
        if stop.channels:
            click.echo(f"The receiver {stop.receiver} tells it by {', '.join(stop.channels)}, after {stop.wait} or so.")
        else:
            click.echo(f"The receiver {stop.receiver} has no channel: it tells nobody. Give it one in alertmanager.yml.")
    if not any(stop.channels for stop in sent.stops):
        return 1
    click.echo("If it does not arrive, the log of Alertmanager says why.")
    return 0
