"""What of an account goes over a restart, as a document that JSON holds: exact, money as text.

An account that is restored goes on as if it had never stopped: the same peak, drawdown, statistics, lots and prices. The time
in between has no returns: the first period after it spans it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from otel_trading.account import position
from otel_trading.account.history import History
from otel_trading.account.money import ZERO, Exact
from otel_trading.account.rates import Pair
from otel_trading.account.sessions import Timeline, TradingDay
from otel_trading.account.settings import Settings
from otel_trading.account.state import State
from otel_trading.errors import ConfigurationError
from otel_trading.metrics.clock import Clock
from otel_trading.orders.entered import Entered

FORMAT: Final = 2
"""Raised with every change of what a document means."""

_ANY: Final = Settings("average", TradingDay("00:00", "UTC"), 86_400.0, 2, 2, 252.0, 0.0, 0.95, None, None)
"""Settings to look at a document with: none of them changes the figures of `summary`."""


def capture(state: State, timeline: Timeline) -> dict[str, Any]:
    """Return everything, as references to what never changes and copies of what does: cheap, under the lock of the account."""
    return {
        "format": FORMAT,
        "currency": state.book.currency,
        "cost": state.settings.cost,
        "timeline": timeline.capture(),
        "state": state.capture(),
        "rates": state.book.rates.prices.copy(),
        "holdings": [holding.capture() for holding in state.book.holdings.values()],
    }


def written(captured: dict[str, Any]) -> dict[str, Any]:
    """Return what was captured as JSON can hold it."""
    document, rates, holdings = _parted(captured)
    document["rates"] = [[*pair, None if price is None else str(price)] for pair, price in rates.items()]
    document["holdings"] = [position.written(holding) for holding in holdings]
    return document


def text(captured: dict[str, Any], texts: position.Texts) -> str:
    """Return the JSON of what is `written`, made piece by piece so that no other thread waits for the whole.

    `texts` has the pieces of the last time, for those that are the same; it belongs to the account.
    """
    document, rates, holdings = _parted(captured)
    prices = json.dumps([[*pair, None if price is None else str(price)] for pair, price in rates.items()])
    rows = ", ".join([position.text(holding, texts) for holding in holdings])
    return f'{json.dumps(document)[:-1]}, "rates": {prices}, "holdings": [{rows}]}}'


def _parted(captured: dict[str, Any]) -> tuple[dict[str, Any], dict[Pair, Decimal | None], list[position.Captured]]:
    """Return the document without the two that may be thousands, written, and these two as they were captured."""
    rest = dict(captured)
    rates, holdings = rest.pop("rates"), rest.pop("holdings")
    return _written(rest), rates, holdings


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _written(one) for key, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [one if isinstance(one, str) else _written(one) for one in cast("Iterable[Any]", value)]
    return value


def restore(document: Mapping[str, Any], state: State, timeline: Timeline, entered: Entered, name: str) -> list[str]:
    """Give `state`, `timeline` and `entered`, all of them new, what `document` says; return its ids of executions.

    Another cost method is taken over: positions that were held at average cost are one lot, lots become their average.

    :raises ConfigurationError: it is no document of an account, of a later version, or of one in another currency.
    """
    if not isinstance(document, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - what was read from a file
        raise ConfigurationError(f"Account {name!r}: what was given to restore is {type(document).__name__}, no document")
    if document.get("format") != FORMAT:
        raise ConfigurationError(
            f"Account {name!r}: the state to restore is of format {document.get('format')!r}, this version reads {FORMAT}"
        )
    currency = document.get("currency")
    if currency != state.book.currency:
        raise ConfigurationError(
            f"Account {name!r}: currency is {state.book.currency!r}, and the state to restore is in {currency!r}"
        )
    try:
        state.restore(document["state"], document["rates"], document["holdings"])
        timeline.restore(document["timeline"])
        entered.restore(document.get("orders") or ())
        return [str(identity) for identity in document.get("executions") or ()]
    except (LookupError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise ConfigurationError(
            f"Account {name!r}: what was given to restore is no state of an account ({type(error).__name__}: {error})"
        ) from error


def summary(document: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """Return the figures of the account `name` that `document` is of, for somebody who looks at it.

    `currency`; `cash`, `equity`, `peak` and `realized` as Decimal in that currency; `drawdown` and `max_drawdown` as positive
    fractions of the peak; `positions`, by symbol the signed size and the last price; `trades`, how many were closed by
    outcome. What is not known is None.

    :raises ConfigurationError: it is no document of an account, or of a later version.
    """
    currency = document.get("currency") if isinstance(document, Mapping) else None  # pyright: ignore[reportUnnecessaryIsInstance] - from a file
    with Exact():
        state = State(str(currency), ZERO, _ANY, History())
        restore(document, state, Timeline(Clock(lambda: 0.0), _ANY.day, _ANY.returns_every), Entered(), name)
        trades: dict[str, int] = {}
        for (_, outcome), number in state.trades.closed.items():
            trades[outcome] = trades.get(outcome, 0) + number
        return {
            "currency": currency,
            "cash": state.cash,
            "equity": state.equity,
            "peak": state.peak_equity,
            "drawdown": state.drawdown,
            "max_drawdown": state.max_drawdown,
            "realized": state.realized,
            "positions": {symbol: (holding.size, holding.price) for symbol, holding in state.book.open.items()},
            "trades": trades,
        }
