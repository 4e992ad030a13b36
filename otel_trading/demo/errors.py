"""What the venue client raises. The names are ccxt's, which is what people who trade know them by."""
# ruff: noqa: N818 - ccxt's names do not end in Error

from __future__ import annotations


class VenueError(Exception):
    """The venue said no, or nothing. The message never holds a URL: its query has the signature in it."""


class InvalidOrder(VenueError):
    """The order breaks a rule of the venue."""


class DuplicateOrderId(InvalidOrder):
    """The client order id has been used before."""


class OrderNotFound(InvalidOrder):
    """There is no such order, or it is no longer open."""


class InsufficientFunds(VenueError):
    """Not enough free cash or shares."""


class MarketClosed(VenueError):
    """The symbol does not trade now."""


class AuthenticationError(VenueError):
    """Key or signature is wrong."""


class InvalidNonce(VenueError):
    """The timestamp is too far from the venue's clock."""


class RateLimitExceeded(VenueError):
    """Too many requests in this window; `retry_after` is the venue's advice in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoAnswer(VenueError):
    """What was sent may have been executed or not, only the venue knows: ask for the order by `reference`."""

    def __init__(self, message: str, reference: str) -> None:
        super().__init__(message)
        self.reference = reference


class NetworkError(NoAnswer):
    """The connection to the venue failed."""


class RequestTimeout(NoAnswer):
    """The venue did not answer in time."""


BY_CODE: dict[str, type[VenueError]] = {
    "INVALID_ORDER": InvalidOrder,
    "DUPLICATE_ORDER": DuplicateOrderId,
    "UNKNOWN_ORDER": OrderNotFound,
    "INSUFFICIENT_FUNDS": InsufficientFunds,
    "MARKET_CLOSED": MarketClosed,
    "INVALID_SIGNATURE": AuthenticationError,
    "INVALID_TIMESTAMP": InvalidNonce,
}
