"""What an exception means for the order that was being sent.

Exceptions are known by the names of their classes, most derived first, so that no client library needs to be imported or even
installed. What the venue did is often not known: after a time-out the order may be working, and only an error that says so is a
rejection. An exception that is not in the table leaves the order `unknown`, with the class' name as `error.type`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from otel_trading.semconv.attributes import ErrorType, OrderRejectReason, OrderStatus


class Failure(NamedTuple):
    """What an exception means."""

    error_type: str
    """The value of `error.type`."""
    status: OrderStatus = "unknown"
    """What became of an order whose sending raised this."""
    reject_reason: OrderRejectReason | None = None


def _rejected(error_type: ErrorType, reason: OrderRejectReason) -> Failure:
    return Failure(error_type, "rejected", reason)


def _unsent(error_type: ErrorType) -> Failure:
    # The request never left: whatever else is wrong, no order is working because of it.
    return Failure(error_type, "rejected", "other")


def _lost(error_type: ErrorType) -> Failure:
    return Failure(error_type, "unknown")


_TABLE: Final[Mapping[str, Failure]] = {
    # ccxt, measured against binance's answers, and what freqtrade and others derive from it
    "RequestTimeout": _lost("timeout"),
    "DDoSProtection": _rejected("rate_limited", "rate_limited"),
    "RateLimitExceeded": _rejected("rate_limited", "rate_limited"),
    "InsufficientFunds": _rejected("insufficient_funds", "insufficient_funds"),
    "DuplicateOrderId": _rejected("invalid_request", "duplicate"),
    "InvalidOrder": _rejected("invalid_request", "invalid_order"),
    "BadRequest": _rejected("invalid_request", "invalid_order"),
    "ArgumentsRequired": _unsent("invalid_request"),
    "NotSupported": _unsent("invalid_request"),
    "OperationRejected": _rejected("invalid_request", "other"),
    "RestrictedLocation": _rejected("auth", "auth"),
    "MarketClosed": _rejected("invalid_request", "market_closed"),
    "AuthenticationError": _rejected("auth", "auth"),
    "PermissionDenied": _rejected("auth", "auth"),
    "InvalidNonce": _rejected("clock", "other"),
    "ExchangeNotAvailable": _lost("exchange_unavailable"),
    "NetworkError": _lost("network"),
    # python-binance
    "BinanceOrderException": _rejected("invalid_request", "invalid_order"),
    "BinanceRequestException": _lost("network"),
    # ours
    "CircuitOpen": _rejected("invalid_request", "risk_limit"),
    # the standard library
    "TimeoutError": _lost("timeout"),
    "CancelledError": _lost("canceled"),
    "GeneratorExit": _lost("canceled"),
    "ConnectionRefusedError": _unsent("network"),
    "gaierror": _unsent("network"),
    "SSLCertVerificationError": _unsent("network"),
    "ConnectionError": _lost("network"),
    "IncompleteReadError": _lost("network"),
    "HTTPException": _lost("network"),
    # requests and urllib3
    "ConnectTimeout": _unsent("timeout"),
    "Timeout": _lost("timeout"),
    "ConnectTimeoutError": _unsent("timeout"),
    "ReadTimeoutError": _lost("timeout"),
    "NewConnectionError": _unsent("network"),
    "MaxRetryError": _lost("network"),
    "ProtocolError": _lost("network"),
    "ChunkedEncodingError": _lost("network"),
    # httpx
    "PoolTimeout": _unsent("timeout"),
    "TimeoutException": _lost("timeout"),
    "ConnectError": _unsent("network"),
    "TransportError": _lost("network"),
    # aiohttp
    "ConnectionTimeoutError": _unsent("timeout"),
    "ServerTimeoutError": _lost("timeout"),
    "ClientConnectorError": _unsent("network"),
    "ClientConnectionError": _lost("network"),
    # websockets
    "ConnectionClosed": _lost("network"),
}


def classify(error: BaseException, more: Mapping[str, OrderRejectReason] | None = None) -> Failure:
    """Return what `error` means; `more` names classes of the user's client that are rejections, with their reasons."""
    classes = type(error).__mro__
    if more:
        for kind in classes:
            if kind.__name__ in more:
                reason = more[kind.__name__]
                known = next((_TABLE[base.__name__] for base in classes if base.__name__ in _TABLE), None)
                return Failure(known.error_type if known else type(error).__name__, "rejected", reason)
    for kind in classes:
        if (known := _TABLE.get(kind.__name__)) is not None:
            return known
    return Failure(type(error).__name__)


def error_type(error: BaseException | type[BaseException] | str) -> str:
    """Return the value of `error.type` for an exception, its class, or a word that the caller has chosen."""
    if isinstance(error, str):
        return error
    kind = error if isinstance(error, type) else type(error)
    return next((_TABLE[base.__name__].error_type for base in kind.__mro__ if base.__name__ in _TABLE), kind.__name__)
