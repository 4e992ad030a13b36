"""The venue's HTTP and WebSocket interface: authentication, rate limit, latency, and the answers that never come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from aiohttp import WSMsgType, web

from otel_trading.demo.exchange import rules
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.engine import Engine
from otel_trading.demo.exchange.orders import Json, NewOrder, RefusedError
from otel_trading.demo.exchange.signing import Credentials

_RECEIVE_WINDOW = 5000  # ms that a request's timestamp may be off
_REPLAYED = 3  # messages that are sent again after a reconnection: delivery is at least once
_SIGNED = "/accounts/"
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
        self._weight: tuple[int, int] = (-1, 0)
        self._requests = 0
        self._order_requests = 0
        self._unanswered: list[Json] = []
        self._rate_limited = 0
        self._dropped: set[int] = set()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        app.add_routes(
            [
                web.get("/time", self._time),
                web.get("/exchangeInfo", self._rules),
                web.get("/record", self._record),
                web.get("/accounts/{account}", self._account),
                web.get("/accounts/{account}/orders", self._open_orders),
                web.post("/accounts/{account}/orders", self._place),
                web.get("/accounts/{account}/orders/{order}", self._query),
                web.delete("/accounts/{account}/orders/{order}", self._cancel),
                web.post("/accounts/{account}/transfers", self._transfer),
                web.get("/accounts/{account}/stream", self._stream),
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
                headers = {"X-MBX-USED-WEIGHT-1M": str(self._weigh(request))}
                self._limit(request, headers)
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

    def _weigh(self, request: web.Request) -> int:
        """Count a request against this window's limit; a trading day is a window, so that replays do not depend on time."""
        window, used = self._weight
        if window != self._engine.day:
            busy = self._dice.roll("busy", self._engine.day) < self._behaviour.busy
            window, used = self._engine.day, rules.WEIGHT_LIMIT - 1 if busy else 0
        used += 5 if request.method == "GET" and "order" not in request.match_info else 1
        self._weight = (window, used)
        return used

    def _limit(self, request: web.Request, headers: dict[str, str]) -> None:
        if self._weight[1] <= rules.WEIGHT_LIMIT or request.path.endswith("/stream"):
            return
        self._rate_limited += 1
        headers["Retry-After"] = str(max(1, round(self._pace)))
        refused = RefusedError("RATE_LIMITED", "too many requests", 429)
        if request.method == "POST" and request.path.endswith("/orders"):
            self._engine.refuse(_new_order(request), refused)
        raise refused

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
                "unanswered": self._unanswered,
                "rateLimited": self._rate_limited,
                "droppedConnections": len(self._dropped),
                "requests": self._requests,
            }
        )

    # -- the customer's ---------------------------------------------------------------------------------------------

    async def _account(self, _: web.Request) -> web.Response:
        return _answer(self._engine.account())

    async def _open_orders(self, _: web.Request) -> web.Response:
        return _answer(self._engine.open_orders())

    async def _place(self, request: web.Request) -> web.Response:
        order = _new_order(request)
        self._order_requests += 1
        fate = self._dice.fate(self._behaviour, self._order_requests)
        if fate == "answered":
            placed = self._engine.place(order)
            await self._tell()
            return _answer(placed.to_wire())
        executed = False
        if fate == "late":
            with suppress(RefusedError):
                executed = self._engine.place(order).status != "rejected"
            await self._tell()
        self._unanswered.append({"clientOrderId": order.client_order_id, "executed": executed})
        await asyncio.sleep(self._behaviour.hold)
        if request.transport is not None:
            request.transport.abort()
        raise RefusedError("TIMEOUT", "no answer", 504)

    async def _query(self, request: web.Request) -> web.Response:
        reference = request.match_info["order"]
        order = self._engine.find(reference, client_order_id=reference)
        return _answer(order.to_wire())

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self._engine.cancel(request.match_info["order"])
        await self._tell()
        return _answer(order.to_wire())

    async def _transfer(self, request: web.Request) -> web.Response:
        amount = _decimal(request, "amount")
        if amount is None:
            raise RefusedError("INVALID_REQUEST", "amount is missing")
        self._engine.transfer(amount)
        return _answer(self._engine.account())

    # -- the stream -------------------------------------------------------------------------------------------------

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        last = int(request.query.get("last", "-1"))
        sender = asyncio.create_task(self._send(socket, max(0, last + 1 - _REPLAYED)))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._next_day(request, cast("int", json.loads(cast("str", message.data))["after"]))
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
        return socket

    async def _send(self, socket: web.WebSocketResponse, position: int) -> None:
        with suppress(ConnectionError):
            while True:
                for event in self._engine.events[position:]:
                    await socket.send_str(json.dumps(event))
                    position += 1
                async with self._news:
                    while position >= len(self._engine.events):
                        await self._news.wait()

    async def _next_day(self, request: web.Request, after: int) -> None:
        """Play the day after day `after` unless that has been done: a customer that reconnects asks again."""
        async with self._advancing:
            if after != self._engine.day or self._engine.ended:
                return
            loop = asyncio.get_running_loop()
            await asyncio.sleep(self._due - loop.time())
            self._due = max(loop.time(), self._due) + self._pace
            self._engine.advance()
            if self._dice.roll("drop", after) < self._behaviour.drop and request.transport is not None:
                self._dropped.add(after)
                request.transport.abort()
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def _new_order(request: web.Request) -> NewOrder:
    query = request.query
    side, kind, force = query.get("side", ""), query.get("type", ""), query.get("timeInForce", "gtc")
    if side not in {"buy", "sell"} or kind not in {"market", "limit", "stop_market"} or force not in {"gtc", "day", "ioc"}:
        raise RefusedError("INVALID_ORDER", "side, type or timeInForce is not one of those known here")
    return NewOrder(
        symbol=query.get("symbol", ""),
        side=cast("Any", side),
        type=cast("Any", kind),
        amount=_decimal(request, "amount") or Decimal(0),
        price=_decimal(request, "price"),
        trigger_price=_decimal(request, "triggerPrice"),
        time_in_force=cast("Any", force),
        client_order_id=query.get("clientOrderId"),
    )


def _decimal(request: web.Request, name: str) -> Decimal | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise RefusedError("INVALID_REQUEST", f"{name} is not a number")
    return value


def _answer(data: object, *, status: int = 200) -> web.Response:
    return web.json_response(data, status=status)
