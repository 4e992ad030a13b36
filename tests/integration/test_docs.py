"""The Python blocks of the pages run as they stand, one after another, with what their text takes for granted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.python_programs import run

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md") if "```python" in path.read_text(encoding="utf-8"))

PROGRAM = """
import ast, asyncio, inspect, random, sys, time
from types import SimpleNamespace

import otel_trading as ot
from otel_trading.metrics import faults

blocks = {blocks!r}
if not any("ot.configure(" in block for block in blocks):
    ot.configure(service_name="docs", exporters="none")

async def messages():
    yield {{}}

training = {{"rsi": [random.random() for _ in range(1000)]}}
account = ot.Account("main", currency="USD", cash=100_000, strategy="sma_cross", venue="kraken")
names = dict(
    ot=ot, account=account, breaker=ot.CircuitBreaker("losses", account=account, max_daily_loss=0.03),
    venue=SimpleNamespace(my_trades=lambda since: []), yesterday=0, stream=messages(),
    message={{"id": "O-1", "clientOrderId": "c-1", "status": "open", "amount": 2.0, "filled": 0.0}},
    training=training, training_scores=[random.random() for _ in range(1000)],
    server_time=time.time(), sent=time.time(), received=time.time(), error=ConnectionError("no answer"),
)
for block in blocks:
    found = eval(compile(block, "a block", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.iscoroutine(found):
        asyncio.run(found)
assert not faults.errors, faults.errors
assert not faults.dropped, faults.dropped
"""


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_a_page_run_and_nothing_of_them_is_left_out(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    secrets = tmp_path / "alert-urls"
    secrets.write_text("json://127.0.0.1:9\n", encoding="utf-8")
    blocks = [
        block.replace("/run/secrets/alert-urls", str(secrets)) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ]
    run(tmp_path, PROGRAM.format(blocks=blocks))
