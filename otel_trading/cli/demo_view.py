"""What the demo shows while it runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from types import TracebackType
from urllib.parse import urlsplit

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from otel_trading.demo.session import Session
from otel_trading.pipeline.settings import Settings
from otel_trading.pipeline.telemetry import Telemetry

_BOT = logging.getLogger("otel_trading.demo.bot")
_ALL = logging.getLogger("otel_trading")
_LINES = 10
_INTERVAL = 0.25  # seconds between two looks at the run


def view_of(session: Session, telemetry: Telemetry) -> View:
    """Return the view that fits where standard output goes."""
    console = Console(highlight=False)
    fits = console.is_terminal and not console.is_dumb_terminal and "console" not in telemetry.settings.exporters
    return (LiveView if fits else PlainView)(session, telemetry, console)


@contextmanager
def starting() -> Generator[None]:
    """Show on a terminal that something is about to happen."""
    console = Console()
    with console.status("starting the paper exchange, training the model") if console.is_terminal else nullcontext():
        yield


class View:
    """Watches a run; a context manager."""

    def __init__(self, session: Session, telemetry: Telemetry, console: Console) -> None:
        self.session = session
        self.console = console
        self.destinations = destinations(telemetry)
        self.state = session.plan.state
        self.status = ""

    @property
    def title(self) -> str:
        plan = self.session.plan
        first, last = self.session.first.time, self.session.last.time
        return f"paper trading {plan.bars} days, {first:%Y-%m} to {last:%Y-%m}, seed {plan.seed}"

    def begins_again(self, session: Session) -> None:
        """Watch the next round from here on."""
        self.session = session
        self.status = f"round {session.plan.round}, {session.plan.speed:g} days a second: it goes on until Ctrl-C"

    def ended(self, linger: float | None) -> None:
        """Say how the trading ended, and how long the metrics stay: `linger` seconds, None for until Ctrl-C."""
        played, planned = self.session.client.days, self.session.plan.bars
        self.status = "finished" if played == planned else f"stopped after {played} of {planned} days"
        if linger is None:
            self.status += "; the metrics stay until Ctrl-C"
        elif linger:
            self.status += f"; the metrics stay for {linger:g} s"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Stop watching."""


class LiveView(View):
    """A table that is redrawn in place."""

    def __enter__(self) -> Self:
        self._latest = _Latest(logging.INFO)
        _ALL.addHandler(self._latest)
        _BOT.setLevel(logging.INFO)
        self._live = Live(console=self.console, get_renderable=self._render, refresh_per_second=1 / _INTERVAL)
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        _ALL.removeHandler(self._latest)
        self._live.__exit__(kind, error, traceback)

    def _render(self) -> RenderableType:
        session, client = self.session, self.session.client
        head = Text.assemble(("otel-trading demo  ", "bold"), self.title)
        lines = [Text(f"metrics  {destination}", style="cyan") for destination in self.destinations]
        if self.state is not None:
            lines.append(Text(f"state    {self.state}", style="cyan"))
        lines.append(Text(f"model    {model_line(session)}", style="dim"))
        progress = Table.grid(padding=(0, 1))
        progress.add_row(
            ProgressBar(total=session.plan.bars, completed=client.days, width=40),
            f"{client.days}/{session.plan.bars}",
            f"{client.time:%Y-%m-%d}" if client.time else "",
        )
        latest = Text(self._latest.text, style="dim")
        return Group(head, *lines, progress, _figures(session), _positions(session), latest, Text(self.status, style="green"))


class _Latest(logging.Handler):
    """Keeps the latest thing that the bot, or the SDK, has logged."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = f"latest   {record.getMessage()}"


class _Notes(logging.Handler):
    """Prints each warning as a line among the others."""

    def __init__(self, print_: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._print = print_

    def emit(self, record: logging.LogRecord) -> None:
        self._print(f"note: {self.format(record)}")


class PlainView(View):
    """A line now and then."""

    def __enter__(self) -> Self:
        self._notes = _Notes(self._print)
        _ALL.addHandler(self._notes)
        self._print(f"otel-trading demo: {self.title}")
        for destination in self.destinations:
            self._print(f"metrics: {destination}")
        if self.state is not None:
            self._print(f"state: {self.state}")
        self._start()
        return self

    def begins_again(self, session: Session) -> None:
        self._stop()
        super().begins_again(session)
        self._print(self.status)
        self._start()

    def ended(self, linger: float | None) -> None:
        self._stop()
        super().ended(linger)
        self._print(self.status)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop()
        _ALL.removeHandler(self._notes)

    def _start(self) -> None:
        self._ended = threading.Event()
        self._said = 0
        self._thread = threading.Thread(target=self._watch, name="demo-view", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(_INTERVAL):
            self._report()

    def _stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._report()

    def _report(self) -> None:
        client, bars = self.session.client, self.session.plan.bars
        tenth = client.days * _LINES // bars
        if tenth > self._said and client.time is not None:
            self._said = tenth
            figures = "  ".join(f"{name} {value}" for name, value in summary(self.session))
            self._print(f"{tenth * 100 // _LINES:3d} %  {client.time:%Y-%m-%d}  {figures}")

    def _print(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False)
        self.console.file.flush()


def destinations(telemetry: Telemetry) -> list[str]:
    """Where the metrics can be seen, one line for each exporter."""
    settings = telemetry.settings
    if settings.disabled:
        return ["none: OTEL_SDK_DISABLED is set"]
    return [line for exporter in settings.exporters if (line := _destination(exporter, settings, telemetry.endpoint_url))]


def _destination(exporter: str, settings: Settings, endpoint_url: str | None) -> str | None:
    if exporter == "prometheus":
        return endpoint_url
    if exporter == "otlp":
        collector = _host(settings.otlp_endpoint) or f"localhost:{4317 if settings.otlp_protocol == 'grpc' else 4318}"
        return f"OTLP ({settings.otlp_protocol}) to {collector} every {settings.export_interval:g} s"
    if exporter == "file":
        return f"file {settings.file_path}"
    if exporter == "pushgateway":
        return f"Pushgateway {_host(settings.pushgateway_url)}"
    return {"console": "standard output", "none": "none: the exporter is none"}[exporter]


def _host(url: str | None) -> str | None:
    """Host and port of an address: it may have a password in it."""
    return urlsplit(url).netloc.rpartition("@")[2] if url else None


def summary(session: Session) -> list[tuple[str, str]]:
    """The run in figures, each with its name."""
    account, client, trades = session.account, session.client, session.account.trades
    return [
        ("equity", f"{money(account.equity)} {account.currency}"),
        ("cash", money(account.cash)),
        ("net profit", money(account.net_pnl)),
        ("drawdown", f"{percent(account.drawdown)} (max {percent(account.max_drawdown)})"),
        ("trades", f"{trades.count} ({percent(trades.win_ratio)} won)" if trades.count else "0"),
        ("breaker", session.breaker.state.replace("_", "-")),
        ("Sharpe", "-" if account.sharpe_ratio is None else f"{account.sharpe_ratio:.2f}"),
        ("orders", f"{client.orders_sent}"),
        ("fills", f"{client.fills}"),
    ]


def model_line(session: Session) -> str:
    """Say honestly how good the model is."""
    model = session.model
    return f"direction v1, trained on {model.samples} earlier days, {model.test_accuracy:.0%} of unseen ones right"


def _figures(session: Session) -> RenderableType:
    """Two rows, so that they fit on a terminal of 80 columns."""
    pairs = summary(session)
    half = (len(pairs) + 1) // 2
    return Group(*(_row(session, part) for part in (pairs[:half], pairs[half:])))


def _row(session: Session, pairs: list[tuple[str, str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, _ in pairs:
        style = "bold red" if name == "breaker" and session.breaker.state != "closed" else "bold"
        table.add_column(name, style=style, header_style="dim", no_wrap=True, min_width=12)
    table.add_row(*(value for _, value in pairs))
    return table


def _positions(session: Session) -> RenderableType:
    table = Table(box=None, padding=(0, 3, 0, 0))
    for name in ("position", "size", "entry", "price", "unrealized"):
        table.add_column(name, header_style="dim", justify="left" if name == "position" else "right", min_width=8)
    for symbol, position in sorted(session.account.positions.items()):
        prices = (money(position.entry_price), money(position.price))
        table.add_row(symbol, f"{position.size.normalize():f}", *prices, _signed(position.unrealized_pnl))
    return table


def _signed(value: Decimal | None) -> Text:
    return Text("-" if value is None else f"{value:+,.2f}", style="red" if value is not None and value < 0 else "green")


def money(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1%}"
