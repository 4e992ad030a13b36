"""The venue's HTTP and WebSocket interface: authentication, rate limits, latency, and the answers that never come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, cast

from aiohttp import WSMsgType, web

from otel_trading.demo.exchange import rules
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.engine import Engine
from otel_trading.demo.exchange.orders import NewOrder, RefusedError, decimal
from otel_trading.demo.exchange.signing import Credentials

_RECEIVE_WINDOW = 5000  # ms that a request's timestamp may be off
_REPLAYED = 3  # messages that are sent again after a reconnection: delivery is at least once
_QUIET_DAYS = 10  # the last ones, in which no connection breaks: who is cut off comes back before the end
_SIGNED = "/accounts/"
Feed = Literal["market", "user"]
_USERS = frozenset({"order", "fill", "funding", "transfer"})
"""What only its customer is told; everything else is told to everybody."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """One venue with one customer. `pace` is the least time between two trading days in seconds."""

    def __init__(self, engine: Engine, credentials: Credentials, behaviour: Behaviour, dice: Dice, *, pace: float) -> None:
        self._engine = engine
        self._credentials = credentials
        self._behaviour = behaviour
        self._dice = dice
        self._pace = pace
        self._due = 0.0
        self._news = asyncio.Condition()
        self._advancing = asyncio.Lock()
        self._day = self._minute = -2
        self._used = dict.fromkeys(rules.LIMITS, 0)
        self._requests = 0
        self._rate_limited = 0
        self._connections: dict[Feed, set[asyncio.Transport]] = {"market": set(), "user": set()}
        self._dropped: dict[Feed, int] = {"market": 0, "user": 0}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        app.add_routes(
            [
                web.get("/time", self._time),
                web.get("/exchangeInfo", self._rules),
                web.get("/stream", self._market_stream),
                web.get("/record", self._record),
                web.get("/accounts/{account}", self._account),
                web.get("/accounts/{account}/orders", self._open_orders),
                web.post("/accounts/{account}/orders", self._place),
                web.get("/accounts/{account}/orders/{order}", self._query),
                web.delete("/accounts/{account}/orders/{order}", self._cancel),
                web.post("/accounts/{account}/transfers", self._transfer),
                web.get("/accounts/{account}/status", self._status),
                web.get("/accounts/{account}/stream", self._user_stream),
            ]
        )
        return app

    # -- what every request passes ----------------------------------------------------------------------------------

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._requests += 1
        await asyncio.sleep(self._dice.latency(self._behaviour.latency, self._requests))
        headers: dict[str, str] = {}
        try:
            if request.path.startswith(_SIGNED):
                self._authenticate(request)
                limit = self._count(request)
                headers = {
                    "X-RateLimit-Name": limit,
                    "X-RateLimit-Used": str(self._used[limit]),
                    "X-RateLimit-Limit": str(rules.LIMITS[limit]),
                }
                self._limit(request, limit, headers)
            response = await handler(request)
        except RefusedError as refused:
            response = _answer({"code": refused.code, "msg": refused.reason}, status=refused.http_status)
        if not response.prepared:
            response.headers.update(headers)
        return response

    def _authenticate(self, request: web.Request) -> None:
        if not self._credentials.verify(request.query) or request.match_info.get("account") != self._credentials.account:
            raise RefusedError("INVALID_SIGNATURE", "key or signature is wrong", 401)
        if abs(int(request.query["timestamp"]) - self._now()) > _RECEIVE_WINDOW:
            raise RefusedError("INVALID_TIMESTAMP", "timestamp is outside of the receive window")

    def _count(self, request: web.Request) -> str:
        """Count a request against the limit that it falls under, and return that one's name.

        The window of orders is a trading day, and no request that is sent by the clock, such as a poll of the account, falls
        under that limit: so a run does not depend on time. The window of all others is a minute.
        """
        if self._day != self._engine.day:
            self._day = self._engine.day
            busy = self._dice.roll("busy", self._day) < self._behaviour.busy
            self._used["orders"] = rules.LIMITS["orders"] - 1 if busy else 0
        minute = int(time.monotonic() / 60)
        if self._minute != minute:
            self._minute, self._used["request_weight"] = minute, 0
        about_one_order = "order" in request.match_info or (request.method == "POST" and request.path.endswith("/orders"))
        limit = "orders" if about_one_order else "request_weight"
        self._used[limit] += 1 if about_one_order or request.method != "GET" else 5
        return limit

    def _limit(self, request: web.Request, limit: str, headers: dict[str, str]) -> None:
        if self._used[limit] <= rules.LIMITS[limit] or request.path.endswith("/stream"):
            return
        self._rate_limited += 1
        headers["Retry-After"] = str(max(1, round(self._pace)))
        if request.method == "POST" and request.path.endswith("/orders"):
            self._engine.refuse(NewOrder.from_wire(request.query), "RATE_LIMITED", "too many requests")
        raise RefusedError("RATE_LIMITED", "too many requests", 429)

    def _now(self) -> int:
        return int((time.time() + self._behaviour.clock_skew) * 1000)

    # -- public -----------------------------------------------------------------------------------------------------

    async def _time(self, _: web.Request) -> web.Response:
        return _answer({"serverTime": self._now()})

    async def _rules(self, _: web.Request) -> web.Response:
        return _answer(rules.describe())

    async def _record(self, _: web.Request) -> web.Response:
        """For the operator of the venue: the outside truth."""
        return _answer(
            {
                **self._engine.record(),
                "rateLimited": self._rate_limited,
                "droppedConnections": self._dropped,
                "requests": self._requests,
            }
        )

    # -- the customer's ---------------------------------------------------------------------------------------------

    async def _account(self, _: web.Request) -> web.Response:
        return _answer(self._engine.account())

    async def _status(self, _: web.Request) -> web.Response:
        """How far the venue is: for a customer that comes back."""
        return _answer({"day": self._engine.day, "messages": len(self._engine.events), "orderRequests": self._engine.requests})

    async def _open_orders(self, _: web.Request) -> web.Response:
        return _answer(self._engine.open_orders())

    async def _place(self, request: web.Request) -> web.Response:
        order = NewOrder.from_wire(request.query)
        fate = self._dice.fate(self._behaviour, self._engine.requests + 1)
        if fate == "answered":
            placed = self._engine.place(order)
            await self._tell()
            return _answer(placed.to_wire())
        if fate == "late":
            with suppress(RefusedError):
                self._engine.place(order, answered=False)
            await self._tell()
        else:
            self._engine.lose(order)
        await asyncio.sleep(self._behaviour.hold)
        if request.transport is not None:
            request.transport.abort()
        raise RefusedError("TIMEOUT", "no answer", 504)

    async def _query(self, request: web.Request) -> web.Response:
        reference = request.match_info["order"]
        order = self._engine.find(reference, client_order_id=reference)
        return _answer(order.to_wire())

    async def _cancel(self, request: web.Request) -> web.Response:
        try:
            return _answer(self._engine.cancel(request.match_info["order"]).to_wire())
        finally:
            await self._tell()

    async def _transfer(self, request: web.Request) -> web.Response:
        amount = decimal(request.query, "amount")
        if amount is None:
            raise RefusedError("INVALID_REQUEST", "amount is missing")
        self._engine.transfer(amount)
        await self._tell()
        return _answer(self._engine.account())

    # -- the streams ------------------------------------------------------------------------------------------------

    async def _market_stream(self, request: web.Request) -> web.WebSocketResponse:
        """Prices for everybody. A message `{"after": day}` asks for the next trading day."""
        return await self._stream(request, "market")

    async def _user_stream(self, request: web.Request) -> web.WebSocketResponse:
        """Orders, fills, funding and transfers of one customer."""
        return await self._stream(request, "user")

    async def _stream(self, request: web.Request, feed: Feed) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        last = int(request.query.get("last", "-1"))
        sender = asyncio.create_task(self._send(socket, feed, max(0, last + 1 - _REPLAYED)))
        transport = request.transport
        if transport is not None:
            self._connections[feed].add(transport)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and feed == "market":
                    await self._next_day(cast("int", json.loads(cast("str", message.data))["after"]))
        finally:
            if transport is not None:
                self._connections[feed].discard(transport)
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
        return socket

    async def _send(self, socket: web.WebSocketResponse, feed: Feed, position: int) -> None:
        """Send what the feed has from message number `position` on; the number is one for all messages of both feeds."""
        with suppress(ConnectionError):
            while True:
                for event in self._engine.events[position:]:
                    position += 1
                    if (event["type"] in _USERS) == (feed == "user"):
                        await socket.send_str(json.dumps(event))
                async with self._news:
                    while position >= len(self._engine.events):
                        await self._news.wait()

    async def _next_day(self, after: int) -> None:
        """Play the day after day `after` unless that has been done: a customer that reconnects asks again."""
        async with self._advancing:
            if after != self._engine.day or self._engine.ended:
                return
            loop = asyncio.get_running_loop()
            await asyncio.sleep(self._due - loop.time())
            self._due = max(loop.time(), self._due) + self._pace
            self._engine.advance()
            lasting = self._engine.days_left > _QUIET_DAYS
            if lasting and self._dice.roll("drop", after) < self._behaviour.drop:
                self._drop("user" if self._dice.roll("dropped feed", after) < 1 / 2 else "market")
        await self._tell()

    def _drop(self, feed: Feed) -> None:
        for transport in self._connections[feed]:
            self._dropped[feed] += 1
            transport.close()  # without a word of WebSocket; what was sent before arrives

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def _answer(data: object, *, status: int = 200) -> web.Response:
    return web.json_response(data, status=status)
