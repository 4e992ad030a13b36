"""Service levels: what is left of what the objectives allow to be slow or to fail, and how fast it is used up."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build.panels import Ask, Panel, Steps
from otel_trading.stack.grafana.build.queries import narrowed, tell
from otel_trading.stack.prometheus.slo import OBJECTIVE, SLO, recorded
from otel_trading.stack.promql import MODEL, STRATEGY, VENUE

ORDERS: Final = "order-latency", "order-errors"
MODELS: Final = ("inference-latency",)

_WHAT: Final = {
    "order-latency": "orders that the venue answered too late",
    "order-errors": "orders that did not get through to the venue",
    "inference-latency": "inferences that took too long",
}
_LABELS: Final = {**dict.fromkeys(ORDERS, (STRATEGY, VENUE)), **dict.fromkeys(MODELS, (MODEL,))}
_WINDOWS: Final = "1h", "6h", "3d"
_BURNING: Final[Steps] = {1: show.YELLOW, 3: show.ORANGE, 6: show.RED}
"""The rates at which alerts fire, but for the fastest."""
_ABSENT: Final = "No event, or no recording rules"


def _burn(name: str, window: str) -> str:
    """How many times faster than the objective allows bad events come."""
    bad = narrowed(recorded(window), *_LABELS[name], **{SLO: name})
    return f"{bad} / on ({SLO}) group_left () (1 - {OBJECTIVE})"


def left(*names: str, size: tuple[int, int]) -> Panel:
    """What is left of each of these objectives' error budgets."""
    return show.bars(
        "Error budget left",
        "Of what the objectives in alerts.yaml allow to be slow or to fail within three days. Below 0 an objective is missed.",
        *(Ask(f"1 - ({_burn(name, '3d')})", f"{name.replace('-', ' ')} {tell(*_LABELS[name])}") for name in names),
        unit=show.SHARE,
        high=1,
        base=show.RED,
        at={0: show.ORANGE, 0.25: show.GREEN},
        decimals=0,
        size=size,
        absent=_ABSENT,
    )


def burning(*names: str, size: tuple[int, int]) -> Panel:
    """How fast these objectives' error budgets are used up now."""
    return _rates(
        "Burn rates of the last hour",
        "How fast bad events use up what the objectives allow: 1 uses up exactly that, 14.4 within an hour wakes somebody.",
        *(Ask(_burn(name, "1h"), f"{name.replace('-', ' ')} {tell(*_LABELS[name])}") for name in names),
        size=size,
    )


def windows(name: str, size: tuple[int, int]) -> Panel:
    """How fast one objective's error budget was used up, over the windows that its alerts look at."""
    return _rates(
        f"Burn rate of {name.replace('-', ' ')}",
        f"How fast {_WHAT[name]} use up what the objective in alerts.yaml allows: 1 uses up exactly that.",
        *(Ask(_burn(name, window), f"{window} {tell(*_LABELS[name])}") for window in _WINDOWS),
        size=size,
    )


def _rates(title: str, description: str, *asked: Ask, size: tuple[int, int]) -> Panel:
    return show.course(
        title,
        description,
        *asked,
        unit=show.RATIO,
        at=_BURNING,
        low=0,
        seen=1.5,
        decimals=2,
        size=size,
        absent=_ABSENT,
    )
