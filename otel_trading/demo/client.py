"""The venue's client, as one would write it for any exchange: signed requests, a stream, ccxt's method names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import requests

from otel_trading.demo import errors
from otel_trading.demo.exchange.signing import Credentials
from otel_trading.demo.stream import Stream
from otel_trading.demo.wire import Json, decode


class VenueClient:
    """One account at the paper exchange. Every method raises one of `errors` when the venue says no, or nothing."""

    def __init__(self, url: str, credentials: Credentials, *, timeout: float = 1.0) -> None:
        self._url = url
        self._credentials = credentials
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback
        self._stream: Stream | None = None
        self._weight_limit = self._public("/exchangeInfo")["rateLimits"][0]["limit"]
        self.rate_limit_utilization = 0.0
        """Share of the venue's request weight that is used up in this window, from its last answer."""
        self.clock_offset = 0.0
        """Seconds that the venue's clock is ahead of ours."""
        self.measure_clock()

    def measure_clock(self) -> None:
        sent = time.time()
        venue_time = self._public("/time")["serverTime"] / 1000
        self.clock_offset = venue_time - (sent + time.time()) / 2

    def create_order(
        self, symbol: str, order_type: str, side: str, amount: Decimal, price: Decimal | None = None, **extra: str
    ) -> Json:
        optional = {} if price is None else {"price": str(price)}
        order = {"symbol": symbol, "type": order_type, "side": side, "amount": str(amount), **optional, **extra}
        return self._signed("POST", "/orders", order)

    def cancel_order(self, order_id: str) -> Json:
        return self._signed("DELETE", f"/orders/{order_id}")

    def fetch_order(self, reference: str) -> Json:
        """Ask for an order by the venue's id or by ours (`clientOrderId`)."""
        return self._signed("GET", f"/orders/{reference}")

    def fetch_account(self) -> Json:
        return self._signed("GET", "")

    def transfer(self, amount: Decimal) -> Json:
        """Pay in, or out when `amount` is negative."""
        return self._signed("POST", "/transfers", {"amount": str(amount)})

    def events(self) -> Iterator[tuple[str, Json]]:
        """Yield what happens as (type, data) until the replay ends.

        Types: bar, fill, order, day (the last of a trading day: the next one is asked for when the loop comes back),
        connected, disconnected.
        """
        self._stream = Stream(self._stream_address)
        self._stream.send(json.dumps({"after": -1}))
        while (message := self._stream.receive())["type"] != "end":
            kind, data = message["type"], message["data"]
            yield kind, data
            if kind == "day":
                self._stream.send(json.dumps({"after": data["index"]}))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._session.close()

    def _stream_address(self, last: int) -> str:
        query = urlencode(self._sign({"last": str(last)}))
        return f"{self._url.replace('http', 'ws', 1)}/accounts/{self._credentials.account}/stream?{query}"

    def _sign(self, parameters: dict[str, str]) -> dict[str, str]:
        return self._credentials.sign(parameters, int((time.time() + self.clock_offset) * 1000))

    def _public(self, path: str) -> Json:
        return self._request("GET", path, {})

    def _signed(self, method: str, path: str, parameters: dict[str, str] | None = None) -> Json:
        return self._request(method, f"/accounts/{self._credentials.account}{path}", self._sign(parameters or {}))

    def _request(self, method: str, path: str, query: dict[str, str]) -> Json:
        try:
            answer = self._session.request(method, self._url + path, params=query, timeout=self._timeout)
        # From None: the messages of requests hold the URL, and the URL holds key and signature.
        except requests.Timeout:
            raise errors.RequestTimeout(f"no answer within {self._timeout:g} s") from None
        except requests.ConnectionError:
            raise errors.NetworkError("no connection to the venue") from None
        used = answer.headers.get("X-MBX-USED-WEIGHT-1M")
        if used is not None:
            self.rate_limit_utilization = int(used) / self._weight_limit
        data: Json = decode(answer.content)
        if answer.status_code == requests.codes.too_many_requests:
            raise errors.RateLimitExceeded(data["msg"], float(answer.headers["Retry-After"]))
        if not answer.ok:
            raise errors.BY_CODE.get(data["code"], errors.VenueError)(data["msg"])
        return data
