"""`otel-trading demo`: a paper-trading bot on real prices, and where to see its metrics."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from otel_trading.cli.demo_view import View
    from otel_trading.demo.prices import Day
    from otel_trading.demo.session import Plan, Session
    from otel_trading.pipeline.telemetry import Telemetry

_INTERRUPTED = 130
_PACKAGES = ("aiohttp", "bokeh_sampledata", "numpy", "requests", "rich", "websockets")


def _speed(_: click.Context, __: click.Parameter, value: str) -> float:
    if value == "max":
        return math.inf
    try:
        speed = float(value)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise click.BadParameter(f"{value!r} is neither a number above 0 nor max.")
    return speed


class SetupError(click.ClickException):
    """The demo cannot start as it was asked to."""

    exit_code = 2


@click.command(name="demo")
@click.option(
    "--bars", type=click.IntRange(min=1), metavar="N", help="Trading days to play.  [default: all, about 2500, again and again]"
)
@click.option("--speed", callback=_speed, default="10", show_default=True, metavar="X|max", help="Trading days a second.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Decides all that happens by chance.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="P", help="Port of the metrics endpoint.  [default: 9464]")
@click.option(
    "--linger",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Play the days once, and go on serving the metrics for S seconds.  [default: until Ctrl-C, after --bars]",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    metavar="DIR",
    help="Keep what the bot and the exchange know in DIR, and go on from it.  [default: in memory]",
)
@click.option(
    "--record",
    "record_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write the exchange's own record of the run, as JSON.",
)
def command(
    bars: int | None,
    speed: float,
    seed: int,
    port: int | None,
    linger: float | None,
    state: Path | None,
    record_file: Path | None,
) -> int:
    """Trade real prices on a paper exchange, and watch the bot's metrics.

    A moving-average bot with a small trained model trades stocks from 2003 to 2013 on an exchange that runs beside it, with
    partial fills, refusals and time-outs. The metrics are on http://127.0.0.1:9464/metrics; the standard variables of
    OpenTelemetry send them elsewhere: OTEL_METRICS_EXPORTER=otlp pushes to a Collector.

    After the last day it begins again with a new account, now at one day a second, until Ctrl-C: it can be left alone like a
    live bot. With --bars or --linger it plays its days once; then it stands still, and alerts will say so.

    With --state the run goes on where it was stopped, also by kill -9: the account's ledger is DIR/account.db, later ones are
    DIR/round-N/account.db.

    The exit code is 0 when all days were played, also when it is stopped after that, and 130 when it is stopped before.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise click.ClickException(f"{package} is missing: pip install 'otel-trading[demo]'")
    from otel_trading.cli.demo_view import starting, view_of
    from otel_trading.demo import errors, prices
    from otel_trading.demo.session import TRAINING_DAYS, Plan

    days = prices.load()
    available = len(days) - TRAINING_DAYS
    if bars is not None and bars > available:
        raise click.BadParameter(f"{bars} is more than the {available} days that there are.", param_hint="'--bars'")

    if record_file is not None and not record_file.parent.is_dir():
        raise click.BadParameter(f"There is no directory {str(record_file.parent)!r}.", param_hint="'--record'")

    plan, endless = Plan(bars or available, speed, seed, state), bars is None and linger is None
    code = _INTERRUPTED
    with ExitStack() as cleanup:
        telemetry = _configure(port, os.environ)
        cleanup.callback(telemetry.shutdown)
        try:
            with starting():
                session = cleanup.enter_context(_session(plan.resumed() if endless else plan, days))
            with view_of(session, telemetry) as view:
                code = _trade(session)
                if record_file is not None:
                    record_file.write_text(json.dumps(session.record(), indent=1), encoding="utf-8")
                if code == 0 and endless:
                    session.retire()
                    _repeat(session.plan, days, view)
                view.ended(linger if code == 0 else 0)
                if code == 0:
                    _wait(linger)
        except KeyboardInterrupt:
            return code
        except errors.VenueError as gone:
            raise click.ClickException(f"the paper exchange is gone: {gone}") from gone
    return code


def _session(plan: Plan, days: list[Day], *, again: bool = False) -> Session:
    """Start the exchange and the bot; they say in one line what is wrong with the directory of the state."""
    import otel_trading as ot
    from otel_trading.demo.session import Session

    try:
        if plan.folder is not None:
            plan.folder.mkdir(parents=True, exist_ok=True)
        return Session(plan, days, again=again)
    except (ot.ConfigurationError, OSError, RuntimeError) as wrong:
        raise SetupError(str(wrong)) from wrong


def _trade(session: Session) -> int:
    try:
        session.run()
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _repeat(plan: Plan, days: list[Day], view: View) -> NoReturn:
    """Play the days again and again; Ctrl-C ends it."""
    while True:
        plan = plan.following()
        with _session(plan, days, again=True) as session:
            view.begins_again(session)
            session.run()
            session.retire()


def _configure(port: int | None, environment: Mapping[str, str]) -> Telemetry:
    """Start the metrics as any bot would; what OpenTelemetry's variables say has precedence over the demo's own name."""
    import otel_trading as ot

    named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    name = None if named else "otel-trading-demo"
    try:
        return ot.configure(service_name=name, trading_mode="paper", prometheus_port=port)
    except ot.ConfigurationError as wrong:
        option = " (here: --port)" if str(wrong).startswith("prometheus_port") else ""
        raise SetupError(f"{wrong}{option}") from wrong


def _wait(seconds: float | None) -> None:
    end = math.inf if seconds is None else time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 3600.0))
