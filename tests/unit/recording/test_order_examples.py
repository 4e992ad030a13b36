"""The short examples of orders run as they stand, and record what they promise."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
PROMISED = {
    "orders_decorator.py": {"trading.order.submissions": 1, "trading.orders": 1, "trading.volume": 199.0},
    "orders_context_manager.py": {"trading.order.submissions": 1, "trading.orders": 1, "trading.volume": 200.4},
    "orders_websocket.py": {
        "trading.order.submissions": 1,
        "trading.orders": 1,
        "trading.volume": 200.4,
        "trading.fills": 1,
        "trading.position.size": 2.0,
        "trading.portfolio.cash": 799.6,
    },
}


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_example_records_what_it_promises(name, tmp_path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, EXAMPLES / name], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), {}
    while text:  # one document for each collection; the last one counts
        document, end = decoder.raw_decode(text)
        text = text[end:].strip()
        metrics = [
            metric for each in document["resource_metrics"] for scope in each["scope_metrics"] for metric in scope["metrics"]
        ]
        found |= {metric["name"]: sum(point.get("value", 0) for point in metric["data"]["data_points"]) for metric in metrics}
    assert {metric: found.get(metric) for metric in PROMISED[name]} == PROMISED[name]
    others = {metric for metric in found if not metric.startswith("trading.")}
    assert others == {"process.uptime"}, "what it prints is about the order, and not half of it about the machine"
    statements = [node for node in ast.walk(ast.parse((EXAMPLES / name).read_text())) if isinstance(node, ast.stmt)]
    assert len(statements) - 1 <= 10, "an example of ten lines, and what it is"
