"""A hundred kills at random moments: what was written is whole, what is missing is new, and a replay closes the hole.

A process that is prepared forks the bots, so that each lives for a moment only. Each of them writes what it does to a record of
its own, in system calls that a kill cannot take back, before the account hears of it: the record is the truth.
"""

from __future__ import annotations

import json

from tests.integration.programs import Program

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


TRADING = """
START = 1_700_000_000
CAPITAL = Decimal(100_000)
now = [START]

def fill(n):
    "The n-th fill of the stream, as its record has it: side, quantity, price, fee."
    draw = random.Random(n)
    quantity, price = Decimal(draw.randint(1, 3)), Decimal(round(100 + 20 * math.sin(n / 40) + draw.random(), 2)).quantize(Decimal("0.01"))
    return draw.choice(("buy", "sell")), quantity, price, quantity * price / 1000

def arguments(n):
    side, quantity, price, fee = events[n - 1][1:]
    return {"symbol": "BTC/USD", "side": side, "quantity": quantity, "price": price, "fee": fee, "execution_id": f"x{n}",
            "time": START + 60 * n}

def made(name, **options):
    return ot.Account(name, currency="USD", cash=CAPITAL, clock=lambda: now[0], returns_every=3600, min_periods=5, **options)

def shown(account):
    trades = account.trades
    held = {symbol: (position.size, position.entry_price) for symbol, position in account.positions.items()}
    return (account.cash, account.equity, held, account.realized_pnl, account.unrealized_pnl, account.fees, account.drawdown,
            account.max_drawdown, account.daily_pnl, trades.count, trades.wins, trades.losses, trades.profit_ratio,
            trades.longest_losing_streak, account.sharpe_ratio, account.volatility, account.value_at_risk, len(account.returns))

never_killed = made("never killed")
states = [shown(never_killed)]  # the n-th after the n-th fill
cash, size, fees, peak, deepest = CAPITAL, Decimal(0), Decimal(0), CAPITAL, 0.0  # by the record's own arithmetic

def learn():
    global cash, size, fees, peak, deepest
    for n in range(len(states), len(events) + 1):
        told = arguments(n)
        now[0] = told["time"]
        never_killed.fill(**told)
        states.append(shown(never_killed))
        quantity, price, fee = (Decimal(told[key]) for key in ("quantity", "price", "fee"))
        signed = quantity if told["side"] == "buy" else -quantity
        cash, size, fees = cash - signed * price - fee, size + signed, fees + fee
        equity = cash + size * price
        peak = max(peak, equity)
        deepest = max(deepest, float(1 - equity / peak))
        assert (never_killed.cash, never_killed.equity, never_killed.fees) == (cash, equity, fees)
        assert math.isclose(never_killed.max_drawdown, deepest, rel_tol=1e-9)
        assert math.isclose(never_killed.drawdown, float(1 - equity / peak), rel_tol=1e-9, abs_tol=1e-15)
        assert size == (never_killed.positions["BTC/USD"].size if size else 0)

def begun():
    global account
    n = len(Ledger.open("main.db", flush_every=FLUSH_EVERY).executions("main"))
    now[0] = START + 60 * n
    account = made("main", ledger="main.db", flush_every=FLUSH_EVERY)
    assert least <= n <= len(events), (least, n, len(events))
    assert shown(account) == states[n], (n, shown(account), states[n])
    note("open", n, len(events))
    now[0] = START + 60 * len(events)
    assert account.sync_fills([arguments(number) for number in range(1, len(events) + 1)]) == len(events) - n
    assert shown(account) == states[-1], (n, shown(account), states[-1])
    return account.ledger

def go_on():
    n = len(events) + 1
    events.append((time.monotonic(), *map(str, fill(n))))
    note("event", n, *events[-1])
    now[0] = START + 60 * n
    account.fill(**arguments(n))
    if n % 100 == 0 and account.ledger.flush():
        note("flushed", n)
    time.sleep(0.001)
"""


def crashes(directory, bot, imports="", seed="ledger"):
    with Program(directory, DRIVER.format(bot=bot, imports=imports, kills=KILLS, seed=seed)) as driver:
        assert driver.wait(120) == 0, driver.output()
    first, second = (json.loads(line) for line in driver.output().splitlines() if line.startswith("{"))
    return {**first, **second}


def check(found):
    assert found["events"] > 500
    assert found["opens"] > KILLS / 2, "some are killed before they have begun, but not that many"
    assert found["opens"] - 1 <= found["unclean_stops"] <= KILLS, "each kill of one that had begun is counted"
    assert found["lost"] > 0, "the kills came in between"
    assert found["age"] < 0.5, "half of what is lost is about as new as flush_every, on a busy machine too"


def test_a_state_survives_a_hundred_kills(tmp_path):
    """Each restart finds a whole state, with the executions that are in it, and nothing older than the last flush is missing."""
    check(crashes(tmp_path, COUNTING))


def test_an_account_goes_on_after_a_hundred_kills_as_if_there_had_been_none(tmp_path):
    """Found: what the record says up to some fill. After a replay of the record: what it says at its end, to the last digit."""
    imports = "import math\nfrom decimal import Decimal\nimport otel_trading as ot\n"
    check(crashes(tmp_path, TRADING, imports, "account"))
