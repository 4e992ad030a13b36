"""What an exception means for the order that was being sent."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import socket
import ssl

import aiohttp
import pytest
import requests
import urllib3.exceptions
import websockets.exceptions

from otel_trading.orders import classify, error_type
from otel_trading.semconv import attributes as a


def descendants(*names: str) -> type[Exception]:
    """A class with these ancestors, most derived first: what matters is what they are called."""
    kind: type[Exception] = Exception
    for name in reversed(names):
        kind = type(name, (kind,), {})
    return kind


# The classes of ccxt 4.5.90, each with its ancestors below `BaseError`, as its own hierarchy has them.
CCXT = {
    ("RequestTimeout", "NetworkError", "OperationFailed"): ("timeout", "unknown", None),
    ("DDoSProtection", "NetworkError", "OperationFailed"): ("rate_limited", "rejected", "rate_limited"),
    ("RateLimitExceeded", "NetworkError", "OperationFailed"): ("rate_limited", "rejected", "rate_limited"),
    ("InvalidNonce", "NetworkError", "OperationFailed"): ("clock", "rejected", "other"),
    ("ExchangeNotAvailable", "NetworkError", "OperationFailed"): ("exchange_unavailable", "unknown", None),
    ("OnMaintenance", "ExchangeNotAvailable", "NetworkError"): ("exchange_unavailable", "unknown", None),
    ("NetworkError", "OperationFailed"): ("network", "unknown", None),
    ("InsufficientFunds", "ExchangeError"): ("insufficient_funds", "rejected", "insufficient_funds"),
    ("InvalidOrder", "ExchangeError"): ("invalid_request", "rejected", "invalid_order"),
    ("OrderImmediatelyFillable", "InvalidOrder", "ExchangeError"): ("invalid_request", "rejected", "invalid_order"),
    ("DuplicateOrderId", "InvalidOrder", "ExchangeError"): ("invalid_request", "rejected", "duplicate"),
    ("BadSymbol", "BadRequest", "ExchangeError"): ("invalid_request", "rejected", "invalid_order"),
    ("AuthenticationError", "ExchangeError"): ("auth", "rejected", "auth"),
    ("AccountSuspended", "AuthenticationError", "ExchangeError"): ("auth", "rejected", "auth"),
    ("MarketClosed", "OperationRejected", "ExchangeError"): ("invalid_request", "rejected", "market_closed"),
    ("BadResponse", "OperationFailed"): ("BadResponse", "unknown", None),
    ("ExchangeError",): ("ExchangeError", "unknown", None),
}


@pytest.mark.parametrize("names", CCXT, ids=lambda names: names[0])
def test_errors_of_ccxt(names) -> None:
    assert tuple(classify(descendants(*names, "BaseError")())) == CCXT[names]


REAL = [
    # What became of the order is not known: the request may have arrived.
    (TimeoutError(), "timeout", "unknown"),
    (asyncio.TimeoutError(), "timeout", "unknown"),
    (concurrent.futures.TimeoutError(), "timeout", "unknown"),
    (TimeoutError(), "timeout", "unknown"),
    (requests.exceptions.ReadTimeout(), "timeout", "unknown"),
    (requests.exceptions.ConnectionError(), "network", "unknown"),
    (requests.exceptions.ChunkedEncodingError(), "network", "unknown"),
    (urllib3.exceptions.ReadTimeoutError(None, "/", "read"), "timeout", "unknown"),
    (aiohttp.ServerTimeoutError(), "timeout", "unknown"),
    (aiohttp.ServerDisconnectedError(), "network", "unknown"),
    (websockets.exceptions.ConnectionClosedError(None, None), "network", "unknown"),
    (http.client.RemoteDisconnected(), "network", "unknown"),
    (ConnectionResetError(), "network", "unknown"),
    (BrokenPipeError(), "network", "unknown"),
    (asyncio.CancelledError(), "canceled", "unknown"),
    (GeneratorExit(), "canceled", "unknown"),
    # The request never left.
    (ConnectionRefusedError(), "network", "rejected"),
    (socket.gaierror(), "network", "rejected"),
    (ssl.SSLCertVerificationError(), "network", "rejected"),
    (requests.exceptions.ConnectTimeout(), "timeout", "rejected"),
    (urllib3.exceptions.NewConnectionError(None, "refused"), "network", "rejected"),
    (aiohttp.ConnectionTimeoutError(), "timeout", "rejected"),
    # We cannot tell.
    (ValueError(), "ValueError", "unknown"),
    (KeyboardInterrupt(), "KeyboardInterrupt", "unknown"),
    (OSError(), "OSError", "unknown"),
]


@pytest.mark.parametrize(("error", "kind", "status"), REAL, ids=lambda each: type(each).__qualname__)
def test_errors_of_the_standard_library_and_of_real_clients(error, kind, status) -> None:
    found = classify(error)
    assert (found.error_type, found.status) == (kind, status)
    assert (found.reject_reason is None) == (status == "unknown")


def test_rejections_of_the_users_client_come_first() -> None:
    kind = descendants("TooSmall", "ApiError", "TimeoutError")
    assert classify(kind()).status == "unknown"
    assert tuple(classify(kind(), {"ApiError": "invalid_order"})) == ("timeout", "rejected", "invalid_order")


def test_all_that_is_said_is_in_the_vocabulary() -> None:
    from otel_trading.orders.errors import _TABLE

    for found in _TABLE.values():
        assert found.error_type in a.ERROR_TYPE_VALUES
        assert found.status in a.ORDER_STATUS_VALUES
        assert found.reject_reason in {None, *a.ORDER_REJECT_REASON_VALUES}


@pytest.mark.parametrize(
    ("error", "kind"), [(TimeoutError("x"), "timeout"), (TimeoutError, "timeout"), (KeyError, "KeyError"), ("stale", "stale")]
)
def test_error_type_of_an_exception_a_class_or_a_word(error, kind) -> None:
    assert error_type(error) == kind
