"""What each alert does with which series: a module of plain data for each area, a `CASES` in each.

    CASES = {
        "TradingSomething": {
            "firing": Case(
                {'trading_something{job="bot",instance="a"}': "0x4 7x10"},   # promtool's notation: a sample a minute from 0
                at="10m",
                fires=[fired("7 of it at bot.", job="bot")],                 # the description, and all labels but severity
            ),
            "missing": Case({}, at="10m"),                                   # nothing is there, and nothing fires
        },
    }

Every alert has `firing` and `missing`; any other name may stand beside them. `up` and the like may be given in `missing`, too,
and an alert about what is absent may fire there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Fired:
    """An alert that fires."""

    description: str
    labels: Mapping[str, str]


def fired(description: str, **labels: str) -> Fired:
    return Fired(description, labels)


@dataclass(frozen=True)
class Case:
    """Series and what an alert makes of them."""

    series: Mapping[str, str]
    """Values by series, as `promtool test rules` reads them."""
    at: str = "10m"
    """When it is looked at."""
    fires: Sequence[Fired] = ()
    every: str = "1m"
    """Time between two samples, and between two evaluations."""


Cases: TypeAlias = Mapping[str, Mapping[str, Case]]
