"""The example of a bot that survives a restart does what its first lines say, twice in a row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "safe_bot.py"


def run(tmp_path: Path) -> list[str]:
    env = {**os.environ, "PORT": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, EXAMPLE], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


def test_a_second_run_goes_on_where_the_first_one_ended(tmp_path: Path) -> None:
    """400 at 50, and one each bought at 51 and 52: 79,897 of cash, and a peak of 100,801 at 52.

    At 10 the 402 are worth 4,020. The fill and the orders count once, and the breaker stays open.
    """
    stopped = "no more orders: circuit breaker 'daily-loss' is open: max_daily_loss"
    assert run(tmp_path) == [stopped, "holds 402.0 equity 83917.00 drawdown 16.7% breaker open"]
    # Its first bar marks at 51 again: the peak is still that of the run before.
    assert run(tmp_path) == [stopped, "holds 402.0 equity 100399.00 drawdown 0.4% breaker open"]
