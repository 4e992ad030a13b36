"""Run a paper exchange until its standard input ends: it never outlives who started it.

Prints one line of JSON, `{"url": …}`, when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from otel_trading.demo import prices
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.engine import Engine
from otel_trading.demo.exchange.journal import Journal, JournalError
from otel_trading.demo.exchange.server import Server
from otel_trading.demo.exchange.signing import Credentials

_TIMES = frozenset({"latency", "hold", "clock_skew"})
"""Parts of a behaviour that decide when something happens, not what."""


async def serve(arguments: argparse.Namespace) -> None:
    behaviour = Behaviour(**json.loads(arguments.behaviour))
    dice = Dice(arguments.seed)
    days = prices.load()[arguments.first :][: arguments.bars]
    engine = Engine(days, cash=arguments.cash, behaviour=behaviour, dice=dice, journal=_journal(arguments))
    server = Server(engine, Credentials.for_seed(arguments.seed), behaviour, dice, pace=arguments.pace)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", arguments.port)
    await site.start()
    host, port = runner.addresses[0][:2]
    sys.stdout.write(json.dumps({"url": f"http://{host}:{port}"}) + "\n")
    sys.stdout.flush()
    try:
        await _end_of_input()
    finally:
        await runner.cleanup()


def _journal(arguments: argparse.Namespace) -> Journal | None:
    """The record that the venue goes on from: only by the same settings does it come to the same again."""
    if arguments.journal is None:
        return None
    settings = {name: str(getattr(arguments, name)) for name in ("seed", "first", "bars", "cash")}
    chances = {name: value for name, value in json.loads(arguments.behaviour).items() if name not in _TIMES}
    try:
        return Journal(arguments.journal, {**settings, **chances})
    except JournalError as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(2)


async def _end_of_input() -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, name="end-of-input", daemon=True).start()
    await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m otel_trading.demo.exchange", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what decides everything that happens by chance")
    parser.add_argument("--first", type=int, default=0, help="the first trading day of the data to play")
    parser.add_argument("--bars", type=int, default=None, help="how many trading days to play (all)")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between two trading days, at least")
    parser.add_argument("--cash", type=Decimal, default=Decimal(100_000), help="what the account starts with, in USD")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (any free one)")
    parser.add_argument("--journal", type=Path, help="file to keep a record in, and to go on from if there is one")
    parser.add_argument("--behaviour", default="{}", help="JSON object of what to change in the venue's behaviour")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
