"""Reading what the venue sends: JSON whose numbers are decimal strings."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
_NUMBERS = frozenset(
    {"amount", "average", "contracts", "cost", "entryPrice", "filled", "liquidationPrice", "markPrice", "price", "remaining"}
    | {"open", "high", "low", "close", "triggerPrice", "rate"}
    | {"cash", "equity", "buyingPower", "marginUsed", "marginAvailable", "realizedPnl", "unrealizedPnl"}
    | {"fees", "rebates", "funding"}
)


def decode(text: str | bytes) -> Any:
    """Return what `text` says, with Decimals where it is about money and quantities."""
    return json.loads(text, object_hook=_with_decimals)


def _with_decimals(data: Json) -> Json:
    return {key: Decimal(value) if key in _NUMBERS and isinstance(value, str) else value for key, value in data.items()}
