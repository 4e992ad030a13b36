"""One run of the demo: the venue is started, the model is trained, the bot trades."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
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

TRAINING_DAYS = 750
"""The first part of the data: the model has seen it, the bot does not trade it."""
CASH = Decimal(100_000)
"""What the account begins with, USD."""
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

    def behaviour(self) -> Behaviour:
        """The venue's: its latency shrinks with the day, so that a fast replay is not all waiting."""
        return Behaviour(latency=max(_LEAST_LATENCY, min(_USUAL_LATENCY, 0.15 / self.speed)))


class Session:
    """A venue with a bot that trades there; a context manager that ends both."""

    def __init__(self, plan: Plan, days: list[prices.Day]) -> None:
        if plan.state is not None:
            os.environ["BOT_STATE"] = str(plan.state)
        from otel_trading.demo import bot

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
            journal=plan.state and plan.state / "exchange.jsonl",
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
