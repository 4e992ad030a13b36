"""Start a paper exchange as the separate program that it is."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from otel_trading.demo.exchange.behaviour import Behaviour
from otel_trading.demo.exchange.orders import Json
from otel_trading.demo.exchange.signing import Credentials


class ExchangeProcess:
    """A running paper exchange; a context manager that stops it.

    Raises `RuntimeError` when it does not start; its own words about that are on standard error.
    """

    def __init__(
        self,
        *,
        seed: int,
        first: int = 0,
        bars: int,
        pace: float = 0.0,
        cash: Decimal = Decimal(100_000),
        behaviour: Behaviour | None = None,
        journal: Path | None = None,
    ) -> None:
        self.credentials = Credentials.for_seed(seed)
        options = {"seed": seed, "first": first, "bars": bars, "pace": pace, "cash": cash}
        command = [sys.executable, "-m", "otel_trading.demo.exchange"]
        command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
        command += [] if journal is None else ["--journal", str(journal)]
        command += ["--behaviour", json.dumps(asdict(behaviour or Behaviour()))]
        # A session of its own: Ctrl-C in the terminal stops the bot, and the bot then stops the venue.
        self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        ready = self._process.stdout.readline()
        if not ready:
            self.stop()
            raise RuntimeError(f"the paper exchange did not start (exit code {self._process.returncode})")
        self.url: str = json.loads(ready)["url"]

    def record(self) -> Json:
        """What happened at the venue so far, by its own account."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.url}/record", timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()
