"""Reads what a venue answers when it is asked for the account: balances, positions, account objects, plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final, SupportsFloat, cast

UPDATE: Final = frozenset(("equity", "cash", "positions", "buying_power", "margin_used", "margin_available", "time"))
"""The arguments of `Account.update`."""

_NAMES: Final = {
    "equity": ("equity", "portfolio_value", "net_liquidation"),
    "cash": ("cash",),
    "buying_power": ("buying_power",),
    "margin_used": ("margin_used", "initial_margin"),
    "margin_available": ("margin_available",),
    "positions": ("positions",),
}


class Balance:
    """A balance as ccxt's `fetch_balance` returns it: amounts by currency."""

    def __init__(self, total: Mapping[object, object]) -> None:
        self.total = {str(coin).upper(): amount for coin, amount in total.items() if amount is not None}


def read(answer: object) -> dict[str, Any] | Balance:
    """Return what `answer` says as arguments of `Account.update`, or as a balance.

    - a mapping of arguments of `update`;
    - a balance of ccxt, with its `total`;
    - a list of positions;
    - a mapping or an object that has an equity, cash or a buying power, as alpaca's account;
    - a number: the equity.

    :raises TypeError: it is nothing of that.
    """
    if isinstance(answer, Mapping):
        said = cast("Mapping[str, object]", answer)
        if said and said.keys() <= UPDATE:
            return dict(said)
        total = said.get("total")
        if isinstance(total, Mapping):
            return Balance(cast("Mapping[object, object]", total))
        return _known(said.get, said)
    if isinstance(answer, (list, tuple)):
        return {"positions": cast("object", answer)}
    if isinstance(answer, (int, float, Decimal, str)) and not isinstance(answer, bool):
        return {"equity": answer}
    if isinstance(answer, SupportsFloat) and not isinstance(answer, bool):
        return {"equity": answer}
    return _known(partial(_attribute, answer), answer)


def _attribute(answer: object, name: str) -> object:
    return getattr(answer, name, None)


def _known(get: Callable[[str], object], answer: object) -> dict[str, Any]:
    found = {
        argument: value
        for argument, names in _NAMES.items()
        if (value := next((said for name in names if (said := get(name)) is not None), None)) is not None
    }
    if not found:
        raise TypeError(f"an answer of type {type(answer).__name__} says nothing of an account")
    return found
