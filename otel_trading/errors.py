"""The exceptions of this package: nothing else of ours reaches a caller."""

from __future__ import annotations


class ConfigurationError(ValueError):
    """Something is wrong with what the program was told before anything started: a setting, a taken port, a clash of names."""


class CircuitOpen(RuntimeError):  # noqa: N818 - the name is the state that the caller runs into, as in other libraries
    """A circuit breaker that enforces is open: the order was not sent.

    `breaker` is its name, and `reason` what opened it.
    """

    def __init__(self, breaker: str, reason: str) -> None:
        super().__init__(f"circuit breaker {breaker!r} is open: {reason}")
        self.breaker = breaker
        self.reason = reason

    def __reduce__(self) -> tuple[type[CircuitOpen], tuple[str, str]]:
        """Let it cross process boundaries: pickle would otherwise call it with the message alone."""
        return type(self), (self.breaker, self.reason)
