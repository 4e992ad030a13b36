"""A hundred kills at random moments: what was written is whole, what is missing is new, and a replay closes the hole.

A process that is prepared forks the bots, so that each lives for a moment only. Each of them writes what it does to a record of
its own, in system calls that a kill cannot take back, before the account hears of it. What was done is the truth: for the simplest
account this record, for a trading one the journal of the paper exchange, which lives and dies in the same process.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.harness.python_programs import Program

KILLS = 100

DRIVER = """
import json, os, random, signal, statistics, sys, threading, time, traceback
from otel_trading.account.ledger import Changes, Ledger
{imports}
KILLS, FLUSH_EVERY = {kills}, 0.03
chance = random.Random({seed!r})
record = os.open("record", os.O_RDWR | os.O_CREAT | os.O_APPEND)

def note(*words):
    os.write(record, (" ".join(map(str, words)) + "\\n").encode())

events = []  # of all bots, as recorded; [n - 1] is the n-th
read_to = 0
least = 0    # what the next bot has to find at least
lost, ages, opens = [], [], 0
killed = None  # when the last bot was that did anything
start = 0      # and how many events there were before it
{bot}
def hear(killed_at):
    "Read what the bot that was killed has recorded."
    global read_to, least, opens, killed, start
    known, text = len(events), os.pread(record, 1 << 30, read_to)
    read_to += len(text)
    asked = []
    for line in text.decode().splitlines():
        kind, *words = line.split()
        if kind == "event":
            assert int(words[0]) == len(events) + 1
            events.append(words[1:])
        elif kind == "asked":
            asked.append(int(words[0]))
        elif kind == "flushed":
            least = int(words[0])
        else:
            opens += 1
            found, before = int(words[0]), int(words[1])
            least = found
            lost.append(before - found)
            if before > max(found, start):
                ages.append(killed - float(events[max(found, start)][0]))
            start = before
    # A source is asked again only when what it said before is in the file.
    least = max([least, *asked[:-1]])
    if asked or len(events) > known:
        killed = killed_at
    learn()

def forked(job):
    child = os.fork()
    if child:
        return child
    try:
        job()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

def bot_until_killed():
    ledger = begun()
    while True:
        go_on()

def last_bot():
    ledger = begun()
    print(json.dumps({{"unclean_stops": ledger.unclean_stops}}), flush=True)
    ledger.close()

print("ready")
for _ in range(KILLS):
    child = forked(bot_until_killed)
    if chance.random() < 0.8:  # the others are killed while they open it, or before
        while os.fstat(record).st_size == read_to:
            time.sleep(0.001)
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
    time.sleep(chance.uniform(0.0, 0.15))
    os.kill(child, signal.SIGKILL)
    killed_at = time.monotonic()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGKILL, status
    hear(killed_at)
child = forked(last_bot)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
hear(time.monotonic())
print(json.dumps({{"events": len(events), "opens": opens, "lost": sum(map(bool, lost)),
                   "age": statistics.median(ages) if ages else None, "oldest": max(ages, default=None)}}))
"""

COUNTING = """
amount = lambda n: n * 7919 % 2003 - 1000

class Counting:
    "The simplest account: it adds up, and keeps its peak."
    def __init__(self, document):
        self.n, self.total, self.peak = (document[key] for key in ("n", "total", "peak"))
        self.executions = []
        self.lock = threading.Lock()
    def add(self, n, value):
        with self.lock:
            self.n, self.total = n, self.total + value
            self.peak = max(self.peak, self.total)
            self.executions.append(str(n))
    def state(self):
        return {"n": self.n, "total": self.total, "peak": self.peak}
    def changes(self):
        with self.lock:
            state, executions, self.executions = self.state(), self.executions, []
        note("asked", state["n"])
        return Changes(state, executions)

NEW = {"n": 0, "total": 0, "peak": 0}
truth = Counting(NEW)
states = [NEW]  # the n-th after the n-th event, as the record says
KEPT = 50_000

def learn():
    for n in range(len(states), len(events) + 1):
        truth.add(n, int(events[n - 1][1]))
        states.append(truth.state())

def begun():
    global account
    ledger = Ledger.open("main.db", flush_every=FLUSH_EVERY)
    found = ledger.document("account", "main") or NEW
    n = found["n"]
    assert least <= n <= len(events), (least, n, len(events))
    assert found == states[n], (found, states[n])
    newest = [str(number) for number in range(max(1, n - KEPT + 1), n + 1)]
    assert ledger.executions("main") == newest, "the executions are those of the state"
    note("open", n, len(events))
    account = Counting(found)
    for number in range(n + 1, len(events) + 1):  # what a replay of the fills does
        account.add(number, int(events[number - 1][1]))
    assert account.state() == states[-1]
    ledger.keep("account", "main", account.changes)
    return ledger

def go_on():
    n = account.n + 1
    note("event", n, time.monotonic(), amount(n))
    account.add(n, amount(n))
"""


TRADING_IMPORTS = f"""
import math
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
import otel_trading as ot
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.engine import Engine
from otel_trading.demo.exchange.journal import Journal
from otel_trading.demo.exchange.orders import NewOrder, RefusedError
from otel_trading.demo.prices import Day, load
sys.path.append({str(Path(__file__).parents[2])!r})  # last: it may be the installed library that is tested
from tests.demo import ledger_of_record
"""

TRADING = """
SETTINGS = {"cash": "100000", "seed": 7}
BEHAVIOUR = Behaviour(funding=0.0)  # fills alone are what sync_fills() is told
DAYS = [Day(day.time, tuple(bar for bar in day.bars if bar.symbol in ("AAPL", "IBM"))) for day in load()]
now = [DAYS[0].time.timestamp()]

def learn():
    "Nothing: each bot reads the exchange's journal itself."

def made(**options):
    return ot.Account("main", currency="USD", cash=SETTINGS["cash"], clock=lambda: now[0], periods_per_year=252, **options)

def compare(account, fills):
    "Compare the account with what the journal's fills come to by somebody else's arithmetic."
    truth = ledger_of_record.read({"startingCash": SETTINGS["cash"], "events": fills})
    trades = account.trades
    found = account.cash, account.equity, account.fees, trades.count, trades.wins, trades.losses
    expected = truth.cash, truth.equity, truth.fees - truth.rebates, len(truth.trades), len(truth.wins), len(truth.losses)
    assert found == expected, (len(fills), found, expected)
    assert {symbol: held.size for symbol, held in account.positions.items()} == {s: held.size for s, held in truth.positions.items()}
    found = [account.realized_pnl, account.unrealized_pnl, account.net_pnl, account.drawdown, account.max_drawdown]
    expected = [truth.realized, truth.unrealized, truth.net, truth.drawdown, truth.deepest]
    assert len(account.returns) == len(truth.returns)
    found, expected = [*found, *account.returns], [*expected, *truth.returns]
    if len(truth.returns) >= ledger_of_record.LEAST:
        found, expected = [*found, account.sharpe_ratio, account.volatility], [*expected, truth.sharpe, truth.volatility]
    for ours, theirs in zip(found, expected, strict=True):
        assert math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12), (len(fills), ours, theirs)

def witness():
    "Asked in each flush just before the account is: what it has been told by now is in the file when this is asked again."
    if told is not None:
        note("asked", told)

def begun():
    global account, engine, told
    told = None
    journal = Journal(Path("exchange.jsonl"), SETTINGS)
    fills = [fact for command in journal.commands for fact in command["facts"] if fact["type"] == "fill"]
    engine = Engine(DAYS, cash=Decimal(SETTINGS["cash"]), behaviour=BEHAVIOUR, dice=Dice(SETTINGS["seed"]), journal=journal)
    assert fills == [{key: event[key] for key in fills[0]} for event in engine.events if event["type"] == "fill"]
    ledger = Ledger.open("main.db", flush_every=FLUSH_EVERY)
    executions = ledger.executions("main")
    n = len(executions)
    assert least <= n <= len(events) <= len(fills), (least, n, len(events), len(fills))
    assert executions == [f"{fill['data']['symbol']}|{fill['data']['id']}" for fill in fills[:n]], "what is missing is the newest"
    now[0] = fills[n - 1]["time"] / 1000 if n else now[0]
    ledger.keep("witness", "main", witness)
    account = made(ledger="main.db", flush_every=FLUSH_EVERY)
    compare(account, fills[:n])
    note("open", n, len(events))
    told = n
    for number in range(len(events) + 1, len(fills) + 1):  # the exchange had written them, the bot was dead before it heard
        note("event", number, time.monotonic())
    now[0] = fills[-1]["time"] / 1000 if fills else now[0]
    assert account.sync_fills([fill["data"] for fill in fills]) == len(fills) - n
    compare(account, fills)
    told = len(fills)
    return ledger

def order(draw):
    symbol = draw.choice(("AAPL", "IBM"))
    position, close = account.positions.get(symbol), {bar.symbol: bar.close for bar in DAYS[engine.day].bars}[symbol]
    sells = position is not None and draw.random() < 0.5
    amount = position.size if sells and draw.random() < 0.7 else Decimal(draw.randint(20, 200))
    limit = (close * Decimal(draw.choice(("0.99", "1.01")))).quantize(Decimal("0.01")) if draw.random() < 0.5 else None
    return NewOrder(symbol, "sell" if sells else "buy", "limit" if limit else "market", amount, limit, time_in_force="day")

def go_on():
    global told
    draw, known = random.Random(f"{engine.requests}/{engine.day}"), len(engine.events)
    if engine.day < 0 or draw.random() < 0.2:
        engine.advance()
    else:
        with suppress(RefusedError):
            engine.place(order(draw))
    for event in engine.events[known:]:
        if event["type"] == "fill":
            note("event", told + 1, time.monotonic())
            now[0] = event["time"] / 1000
            data = event["data"]
            account.fill(data["symbol"], data["side"], data["amount"], data["price"], fee=data["fee"]["cost"],
                         execution_id=data["id"], time=now[0])
            told += 1
    if engine.requests % 100 == 0 and account.ledger.flush():
        note("flushed", told)
    time.sleep(0.001)
"""


def crashes(directory, bot, imports="", seed="ledger"):
    with Program(directory, DRIVER.format(bot=bot, imports=imports, kills=KILLS, seed=seed)) as driver:
        assert driver.wait(120) == 0, driver.output()
    first, second = (json.loads(line) for line in driver.output().splitlines() if line.startswith("{"))
    return {**first, **second}


def check(found, events):
    assert found["events"] > events
    assert found["opens"] > KILLS / 2, "some are killed before they have begun, but not that many"
    assert found["opens"] - 1 <= found["unclean_stops"] <= KILLS, "each kill of one that had begun is counted"
    assert found["lost"] > 0, "the kills came in between"
    assert found["age"] < 0.5, "half of what is lost is about as new as flush_every, on a busy machine too"


def test_a_state_survives_a_hundred_kills(tmp_path):
    """Each restart finds a whole state, with the executions that are in it, and nothing older than the last flush is missing."""
    check(crashes(tmp_path, COUNTING), events=500)


def test_an_account_goes_on_after_a_hundred_kills_as_the_exchanges_journal_says(tmp_path):
    """The paper exchange is killed with the bot; what it has written is the truth, of which at most the newest is missing.

    Found: what the journal comes to up to some fill, the last flush but one or later. After a replay: what it comes to at its end.
    """
    check(crashes(tmp_path, TRADING, TRADING_IMPORTS, "account"), events=300)
