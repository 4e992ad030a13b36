"""How the venue knows its customers: a key, a timestamp and an HMAC signature in the query, as the large venues have it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """An account number with its API key and secret (no `repr`: a secret has no business in a traceback)."""

    account: str
    key: str
    secret: str

    @classmethod
    def for_seed(cls, seed: int) -> Credentials:
        """The credentials that a paper exchange started with `seed` accepts."""
        digest = hashlib.sha256(f"paper exchange {seed}".encode()).hexdigest()
        return cls(account=f"U{int(digest[:8], 16) % 10**7:07d}", key=digest[8:32], secret=digest[32:])

    def sign(self, parameters: Mapping[str, str], timestamp: int) -> dict[str, str]:
        """Return `parameters` with key, `timestamp` (unix milliseconds of the venue's clock) and signature."""
        signed = {**parameters, "apiKey": self.key, "timestamp": str(timestamp)}
        return {**signed, "signature": self._signature(signed)}

    def verify(self, parameters: Mapping[str, str]) -> bool:
        signed = {name: value for name, value in parameters.items() if name != "signature"}
        genuine = hmac.compare_digest(parameters.get("signature", ""), self._signature(signed))
        return genuine and signed.get("apiKey") == self.key

    def _signature(self, parameters: Mapping[str, str]) -> str:
        return hmac.new(self.secret.encode(), urlencode(sorted(parameters.items())).encode(), hashlib.sha256).hexdigest()
