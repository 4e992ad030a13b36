"""One run of the demo: the venue is started, the model is trained, the bot trades."""

from __future__ import annotations

import importlib
import math
import os
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from otel_trading.demo import prices
from otel_trading.demo.client import VenueClient
from otel_trading.demo.exchange.behaviour import Behaviour
from otel_trading.demo.exchange.process import ExchangeProcess
from otel_trading.demo.model import Direction
from otel_trading.demo.wire import Json
from otel_trading.orders import seen

TRAINING_DAYS = 750
"""The first part of the data: the model has seen it, the bot does not trade it."""
CASH = Decimal(100_000)
"""What the account begins with, USD."""
UNHURRIED = 1.0
"""Trading days a second, at most, of all rounds but the first: what alerts count within a quarter of an hour, such as streams
that break, must not add up faster than a live bot's for long."""
_ROUND = "round-"
_USUAL_LATENCY, _LEAST_LATENCY = 0.030, 0.0002


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run."""

    bars: int
    """Trading days; each has a bar of every symbol."""
    speed: float
    """Trading days a second, at most; infinity for as fast as it goes."""
    seed: int
    state: Path | None = None
    """The directory in which the venue and the bot keep what they go on from; None for in memory."""
    round: int = 1
    """How often the days are played with this one."""

    @property
    def folder(self) -> Path | None:
        """Where the state of this round is: that of each but the first has a directory of its own below `state`."""
        return self.state if self.state is None or self.round == 1 else self.state / f"{_ROUND}{self.round}"

    def following(self) -> Plan:
        """The round after this one: the same days with other luck, and without hurry."""
        return replace(self, round=self.round + 1, seed=self.seed + 1, speed=min(self.speed, UNHURRIED))

    def resumed(self) -> Plan:
        """The last round of which there is a state."""
        last = self
        while (following := last.following()).folder is not None and following.folder.exists():
            last = following
        return last

    def behaviour(self) -> Behaviour:
        """The venue's: its latency shrinks with the day, so that a fast replay is not all waiting."""
        return Behaviour(latency=max(_LEAST_LATENCY, min(_USUAL_LATENCY, 0.15 / self.speed)))


class Session:
    """A venue with a bot that trades there; a context manager that ends both.

    With `again` it is one after another that has retired: the bot is loaded anew, and with it its account.
    """

    def __init__(self, plan: Plan, days: list[prices.Day], *, again: bool = False) -> None:
        if plan.folder is not None:
            os.environ["BOT_STATE"] = str(plan.folder)
        from otel_trading.demo import bot

        if again:
            importlib.reload(bot)
        self.plan = plan
        self.account, self.breaker = bot.account, bot.breaker
        history: dict[str, list[float]] = {}
        for day in days[:TRAINING_DAYS]:
            for bar in day.bars:
                history.setdefault(bar.symbol, []).append(float(bar.close))
        self.model = Direction.train(history.values())
        self.first, self.last = days[TRAINING_DAYS], days[TRAINING_DAYS + plan.bars - 1]
        pace = 0.0 if math.isinf(plan.speed) else 1 / plan.speed
        self._exchange = ExchangeProcess(
            seed=plan.seed,
            first=TRAINING_DAYS,
            bars=plan.bars,
            pace=pace,
            cash=CASH,
            behaviour=plan.behaviour(),
            journal=plan.folder and plan.folder / "exchange.jsonl",
        )
        self.client = VenueClient(self._exchange.url, self._exchange.credentials)
        self._bot = bot.Bot(self.client, self.model, history)

    def run(self) -> None:
        """Trade to the end of the plan."""
        self._bot.run()

    def record(self) -> Json:
        """What happened by the venue's own account."""
        return self._exchange.record()

    def close(self) -> None:
        self._bot.close()
        self.client.close()
        self._exchange.stop()

    def retire(self) -> None:
        """End the account too: the next session has a new one, at a venue that begins with the same ids again."""
        self.close()
        self.breaker.close()
        self.account.close()
        if self.account.ledger is not None:
            self.account.ledger.close()
        seen.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
