"""The venue's client, as one would write it for any exchange: signed requests, a stream, ccxt's method names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import urlencode

import requests

from otel_trading.demo import errors
from otel_trading.demo.exchange.signing import Credentials
from otel_trading.demo.stream import Stream
from otel_trading.demo.wire import Json, decode


class VenueClient:
    """One account at the paper exchange. Every method raises one of `errors` when the venue says no, or nothing."""

    def __init__(self, url: str, credentials: Credentials, *, timeout: float = 2.0) -> None:
        self._url = url
        self._credentials = credentials
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback
        self._stream: Stream | None = None
        self._positions: dict[str, Decimal] = {}
        self._open_orders: dict[str, Json] = {}
        self.orders_sent = 0
        self.fills = 0
        self.days = 0
        """Trading days that have been played."""
        self.time: datetime | None = None
        """The close of the last one of them."""
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

    def create_order(self, symbol: str, order_type: str, side: str, amount: Decimal, **more: object) -> Json:
        """Send an order; `more` are `price`, `triggerPrice` and `timeInForce`, as its type needs them."""
        self.orders_sent += 1
        reference = f"ot-{self.orders_sent}"
        order = {"symbol": symbol, "type": order_type, "side": side, "amount": amount, "clientOrderId": reference, **more}
        return self._signed("POST", "/orders", {name: str(value) for name, value in order.items()})

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

    def position(self, symbol: str) -> Decimal:
        """How much is held, as the stream tells it."""
        return self._positions.get(symbol, Decimal(0))

    def rate_limits(self) -> list[tuple[float, dict[str, str]]]:
        """How much of each limit is used up, with its name, as `ot.observe` takes it."""
        return [(self.rate_limit_utilization, {"trading.rate_limit.name": "weight_1m"})]

    def open_orders(self, symbol: str) -> tuple[list[Json], list[Json]]:
        """The buys and the sells that rest at the venue, as the stream tells it."""
        orders = [order for order in self._open_orders.values() if order["symbol"] == symbol]
        return [o for o in orders if o["side"] == "buy"], [o for o in orders if o["side"] == "sell"]

    def events(self) -> Iterator[tuple[str, Json]]:
        """Yield what happens as (type, data) until the replay ends.

        Types: bar, fill, order, stream (its connection's state), and day, the last of a trading day: the next one is asked
        for when the loop comes back.
        """
        self._stream = Stream(self._stream_address)
        self._stream.send(json.dumps({"after": -1}))
        while (message := self._stream.receive())["type"] != "end":
            kind, data = message["type"], message["data"]
            self._remember(kind, data)
            yield kind, data
            if kind == "day":
                self._stream.send(json.dumps({"after": data["index"]}))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._session.close()

    def _remember(self, kind: str, data: Json) -> None:
        if kind == "fill":
            self.fills += 1
            signed = data["amount"] if data["side"] == "buy" else -data["amount"]
            self._positions[data["symbol"]] = self.position(data["symbol"]) + signed
        elif kind == "day":
            self.days = data["index"] + 1
            self.time = datetime.fromtimestamp(data["timestamp"] / 1000, tz=timezone.utc)
        elif kind == "order" and data["status"] == "open":
            self._open_orders[data["id"]] = data
        elif kind == "order":
            self._open_orders.pop(data["id"], None)

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
        reference = query.get("clientOrderId") or path.rpartition("/")[2]
        try:
            answer = self._session.request(method, self._url + path, params=query, timeout=self._timeout)
        # From None: the messages of requests hold the URL, and the URL holds key and signature.
        except requests.Timeout:
            raise errors.RequestTimeout(f"no answer within {self._timeout:g} s", reference) from None
        except requests.ConnectionError:
            raise errors.NetworkError("no connection to the venue", reference) from None
        used = answer.headers.get("X-MBX-USED-WEIGHT-1M")
        if used is not None:
            self.rate_limit_utilization = int(used) / self._weight_limit
        data: Json = decode(answer.content)
        if answer.status_code == requests.codes.too_many_requests:
            raise errors.RateLimitExceeded(data["msg"], float(answer.headers["Retry-After"]))
        if not answer.ok:
            raise errors.BY_CODE.get(data["code"], errors.VenueError)(data["msg"])
        return data
