"""The venue's client, as one would write it for any exchange: signed requests, streams, ccxt's method names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

import requests

from otel_trading import clock_offset
from otel_trading.demo import errors
from otel_trading.demo.exchange.signing import Credentials
from otel_trading.demo.stream import Streams
from otel_trading.demo.wire import Json, decode


class Event(NamedTuple):
    """Something that happened at the venue, or to the connection with it."""

    kind: str
    """bar, day (the last of a trading day), order, fill, funding, transfer; or stream, of which `data` says name and state."""
    data: Json
    time: float
    """Unix seconds of the venue's event, each later than the one before."""
    past: bool
    """Whether it happened before this client was made: the venue tells the whole story to who comes back."""


class VenueClient:
    """One account at the paper exchange. Every method raises one of `errors` when the venue says no, or nothing."""

    def __init__(self, url: str, credentials: Credentials, *, timeout: float = 2.0) -> None:
        self._url = url
        self._credentials = credentials
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback
        self._streams: Streams | None = None
        self._positions: dict[str, Decimal] = {}
        self._open_orders: dict[str, Json] = {}
        self.fills = 0
        self.days = 0
        """Trading days that have been played."""
        self.time: datetime | None = None
        """The close of the last one of them."""
        self.rate_limits: dict[str, tuple[int, int]] = {}
        """How much of each of the venue's limits is used, and the limit, from its last answer."""
        self.clock_offset = 0.0
        """Seconds that the venue's clock is ahead of ours."""
        self.measure_clock()
        status = self._signed("GET", "/status")
        self._past = status["messages"]
        self.orders_sent = status["orderRequests"]

    def measure_clock(self) -> float:
        """Return how many seconds the venue's clock is ahead of ours; requests are signed by its time."""
        sent = time.time()
        venue_time = self._public("/time")["serverTime"] / 1000
        self.clock_offset = clock_offset(venue_time, sent, time.time()) or 0.0
        return self.clock_offset

    def next_order_id(self) -> str:
        """Return an id for an order, which has not been used before."""
        self.orders_sent += 1
        return f"ot-{self.orders_sent}"

    def create_order(
        self, symbol: str, order_type: str, side: str, amount: Decimal, client_order_id: str | None = None, **more: object
    ) -> Json:
        """Send an order; `more` are `price`, `triggerPrice` and `timeInForce`, as its type needs them."""
        reference = client_order_id or self.next_order_id()
        order = {"symbol": symbol, "type": order_type, "side": side, "amount": amount, "clientOrderId": reference, **more}
        return self._signed("POST", "/orders", {name: str(value) for name, value in order.items()})

    def cancel_order(self, order_id: str) -> Json:
        return self._signed("DELETE", f"/orders/{order_id}")

    def fetch_order(self, reference: str) -> Json:
        """Ask for an order by the venue's id or by ours (`clientOrderId`)."""
        return self._signed("GET", f"/orders/{reference}")

    def fetch_account(self) -> Json:
        return self._signed("GET", "")

    def fetch_open_orders(self) -> list[Json]:
        listed: Any = self._signed("GET", "/orders")
        return listed

    def transfer(self, amount: Decimal) -> Json:
        """Pay in, or out when `amount` is negative."""
        return self._signed("POST", "/transfers", {"amount": str(amount)})

    def position(self, symbol: str) -> Decimal:
        """How much is held, as the stream tells it."""
        return self._positions.get(symbol, Decimal(0))

    def open_orders(self, symbol: str | None = None) -> tuple[list[Json], list[Json]]:
        """The buys and the sells that rest at the venue, as the stream tells it."""
        orders = [order for order in self._open_orders.values() if symbol in (None, order["symbol"])]
        return [o for o in orders if o["side"] == "buy"], [o for o in orders if o["side"] == "sell"]

    def events(self) -> Iterator[Event]:
        """Yield what happens until the replay ends. After a `day` the next one is asked for when the loop comes back."""
        self._streams = Streams({"market": self._market_address, "user": self._user_address})
        self._streams.send("market", json.dumps({"after": -1}))
        time = 0.0
        while (message := self._streams.receive())["type"] != "end":
            kind, data = message["type"], message["data"]
            time = message.get("time", time * 1000) / 1000
            self._remember(kind, data)
            yield Event(kind, data, time, message.get("seq", self._past) < self._past)
            if kind == "day":
                self._streams.send("market", json.dumps({"after": data["index"]}))

    def close(self) -> None:
        if self._streams is not None:
            self._streams.close()
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

    def _market_address(self, last: int) -> str:
        return f"{self._url.replace('http', 'ws', 1)}/stream?{urlencode({'last': last})}"

    def _user_address(self, last: int) -> str:
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
        limit = answer.headers.get("X-RateLimit-Name")
        if limit is not None:
            self.rate_limits[limit] = int(answer.headers["X-RateLimit-Used"]), int(answer.headers["X-RateLimit-Limit"])
        data: Json = decode(answer.content)
        if answer.status_code == requests.codes.too_many_requests:
            raise errors.RateLimitExceeded(data["msg"], float(answer.headers["Retry-After"]))
        if not answer.ok:
            raise errors.BY_CODE.get(data["code"], errors.VenueError)(data["msg"])
        return data
