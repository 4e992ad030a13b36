"""Looks for a bot with an endpoint, so that it is scraped without having been named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from otel_trading.errors import ConfigurationError
from otel_trading.stack import placement
from otel_trading.stack.part import fetch

SCRAPE_INTERVAL: Final = 15.0
"""Seconds between two looks at last: a bot that is scraped is not asked more often either."""

_FIRST: Final = 1.0
_SETTLED: Final = 6.0
"""Seconds until Prometheus, which takes over new targets every five, knows those of its configuration."""


class Lookout:
    """A bot is looked for at one address, at first once a second and ever less often, until Prometheus has it as a target."""

    def __init__(self, bot: str, *, prometheus: str, bots: Path, placed: Path, say: Callable[[str], None]) -> None:
        """`bots` are the user's own targets, `placed` is where Prometheus has its configuration."""
        self._bot = bot
        self._prometheus = prometheus
        self._bots = bots
        self._placed = placed
        self._say = say
        self._began: float | None = None
        self._next = 0.0
        self._pause = _FIRST
        self._ended = False

    def look(self, now: float) -> None:
        """Look if it is time to; have the bot scraped once it answers: before, its target would be down, which is an alert."""
        if self._ended or (self._began is not None and now < self._next):
            return
        self._began = now if self._began is None else self._began
        self._next = now + self._pause
        self._pause = min(2 * self._pause, SCRAPE_INTERVAL)
        try:
            if placement.named(self._bots, self._bot):
                return
        except (ConfigurationError, OSError):  # the user is writing in it; Prometheus says what is wrong
            return
        targets = self._targets()
        if targets is None or (not targets and now < self._began + _SETTLED):
            return
        if self._bot in targets:
            self._ended = True
        elif b"trading_sdk_" in (fetch(f"http://{self._bot}/metrics") or b""):
            self._ended = True
            placement.found(self._placed, self._bot)
            self._say(f"A bot answers at {self._bot}: it is scraped from now on, as the job trading-bots.")

    def _targets(self) -> set[str] | None:
        """What Prometheus scrapes by now, under whatever job; None when it does not say."""
        try:
            told: Any = json.loads(fetch(f"http://{self._prometheus}/api/v1/targets?state=active") or b"")
            return {target["discoveredLabels"]["__address__"] for target in told["data"]["activeTargets"]}
        except (ValueError, LookupError, TypeError):
            return None
