"""`otel-trading demo` as a user runs it: what it says, how it ends, what it does not take."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.demo.program import PROGRAM, Demo, total
from tests.harness import Process, fetch, find, free_port, one, scrape, wait_until


def test_a_run_without_lingering_ends_with_0_and_says_plainly_what_it_does(tmp_path):
    done = subprocess.run(
        [PROGRAM, "demo", "--bars", "300", "--speed", "max", "--linger", "0", "--port", str(free_port()), "--seed", "1234567890"],
        cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("otel-trading demo: paper trading 300 days, 2003-")
    assert lines[0].endswith(", seed 1234567890")
    assert len(lines[0]) <= 80, "a usual terminal has 80 columns"
    assert lines[1].startswith("metrics: http://127.0.0.1:")
    assert lines[-2].startswith("100 %")
    assert lines[-1] == "finished"
    for part in ("equity ", "drawdown ", "breaker ", "won)", "Sharpe "):
        assert part in lines[-2]
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


# -- how it ends ----------------------------------------------------------------------------------------------------------


def test_ctrl_c_before_the_end_is_130_and_leaves_nothing_behind(tmp_path):
    with Demo(tmp_path, "--speed", "5") as demo:
        children = wait_until(lambda: children_of(demo.pid), "the exchange runs")
        wait_until(lambda: total(scrape(demo.url), "trading_fills_total") > 0, "the bot trades")
        demo.interrupt()
        assert demo.wait() == 130
        assert "Traceback" not in demo.output()
        assert "stopped after" in demo.output()
        assert demo.record["days"] > 0
        wait_until(lambda: not any(map(alive, children)), "the exchange has ended")
        with socket.create_server(("127.0.0.1", demo.port)):  # the port is free again
            pass


def test_ctrl_c_while_lingering_is_0(tmp_path):
    with Demo(tmp_path, "--bars", "3", "--speed", "max") as demo:
        demo.wait_until_lingering()
        assert fetch(demo.url).status == 200
        demo.interrupt()
        assert demo.wait() == 0
        assert "Traceback" not in demo.output()


def test_lingering_for_a_time_ends_by_itself(tmp_path):
    with Demo(tmp_path, "--bars", "3", "--speed", "max", "--linger", "0.2") as demo:
        assert demo.wait() == 0
        assert "the metrics stay for 0.2 s" in demo.output()


def test_left_alone_it_begins_again_and_stays_alive(tmp_path):
    """Here after twenty days instead of two thousand."""
    port = free_port()
    program = f"""
from otel_trading.demo import prices
days = prices.load()[:770]
prices.load = lambda: days
from otel_trading.cli import main
main(["demo", "--speed", "max", "--port", "{port}"])
"""
    url = f"http://127.0.0.1:{port}/metrics"
    with Process("demo", [sys.executable, "-c", program], directory=tmp_path) as demo:
        wait_until(lambda: "round 2, 1 days a second: it goes on until Ctrl-C" in demo.output(), "it begins again")
        again = time.time()
        wait_until(
            lambda: max(s.value for s in find(scrape(url), "trading_market_data_last_update_time_seconds")) > again,
            "prices go on",
        )
        samples = scrape(url)
        assert one(samples, "trading_portfolio_equity") == pytest.approx(100_000, rel=0.02)
        wait_until(lambda: total(scrape(url), "trading_strategy_cycle_duration_seconds_count") > 20, "the same process goes on")
        os.kill(demo.pid, signal.SIGINT)
        assert demo.wait() == 0
        assert "Traceback" not in demo.output()


def test_the_exchange_does_not_outlive_a_demo_that_is_killed(tmp_path):
    with Demo(tmp_path, "--speed", "5") as demo:
        children = wait_until(lambda: children_of(demo.pid), "the exchange runs")
        os.kill(demo.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(alive, children)), "the exchange has ended")


def test_a_taken_port_is_one_clear_line_and_2(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [PROGRAM, "demo", "--port", str(port)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(port) in done.stderr


def test_an_exchange_that_dies_is_one_clear_line_and_1(tmp_path):
    with Demo(tmp_path, "--speed", "5") as demo:
        [exchange] = wait_until(lambda: children_of(demo.pid), "the exchange runs")
        wait_until(lambda: total(scrape(demo.url), "trading_fills_total") > 0, "the bot trades")
        os.kill(exchange, signal.SIGKILL)
        assert demo.wait(60) == 1
        assert "Traceback" not in demo.output()
        assert "the paper exchange is gone" in demo.output().splitlines()[-1]


def test_sigterm_ends_it_by_the_signal(tmp_path):
    with Demo(tmp_path, "--speed", "5") as demo:
        wait_until(lambda: total(scrape(demo.url), "trading_fills_total") > 0, "the bot trades")
        assert demo.stop() == -signal.SIGTERM
        assert "Traceback" not in demo.output()


def test_on_a_terminal_there_is_a_live_table_and_ctrl_c_is_heard(tmp_path):
    """The keys go through a real terminal, whose Ctrl-C reaches the whole group of processes."""
    inner = [str(PROGRAM), "demo", "--bars", "60", "--speed", "max", "--port", str(free_port())]
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    env = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with Process("terminal", [sys.executable, "-c", spawn, *inner], directory=tmp_path, env=env) as terminal:
        wait_until(lambda: "the metrics stay until Ctrl-C" in terminal.output() or not terminal.running, "the run is over")
        terminal.tell("\x03")
        assert terminal.wait() == 0

    screen = terminal.output()
    for part in (
        "metrics  http://127.0.0.1:",
        "of unseen ones right",
        "60/60",
        "equity",
        "drawdown",
        "breaker",
        "trades",
        "position",
        "unrealized",
    ):
        assert part in screen
    assert "Traceback" not in screen


@pytest.mark.parametrize("missing", ["click", "bokeh_sampledata", "aiohttp", "rich"])
def test_a_missing_package_is_one_line_that_says_what_to_install(missing, tmp_path):
    code = f"import sys; sys.modules[{missing!r}] = None; from otel_trading.cli import main; main(['demo', '--bars', '1'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"pip install 'otel-trading[{'cli' if missing == 'click' else 'demo'}]'" in done.stderr


def test_help_needs_none_of_the_demos_packages(tmp_path):
    code = "import sys; sys.modules['numpy'] = None; from otel_trading.cli import main; main(['demo', '--help'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0
    assert "--linger" in done.stdout


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--bars", "0"], "0 is not in the range x>=1"),
        (["--bars", "99999"], "more than the"),
        (["--speed", "0"], "neither a number above 0 nor max"),
        (["--speed", "fast"], "neither a number above 0 nor max"),
        (["--speed", "nan"], "neither a number above 0 nor max"),
        (["--linger", "-1"], "-1.0 is not in the range x>=0"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--seed", "x"], "not a valid integer"),
        (["--record", "/"], "is a directory"),
        (["--record", "no/such/place"], "There is no directory 'no/such'"),
        (["--what"], "No such option"),
    ],
)
def test_wrong_options_are_usage_errors(options, complaint, tmp_path):
    done = subprocess.run([PROGRAM, "demo", *options], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.startswith("Usage: otel-trading demo")


def test_a_wrong_setting_of_the_environment_names_the_variable(tmp_path):
    done = subprocess.run(
        [PROGRAM, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "OTEL_METRICS_EXPORTER": "carrier-pigeon"},
    )  # fmt: skip

    assert done.returncode == 2
    assert "OTEL_METRICS_EXPORTER" in done.stderr
    assert "Traceback" not in done.stderr


def test_opentelemetrys_variables_decide_where_the_metrics_go_and_what_the_bot_is_called(tmp_path):
    lines = tmp_path / "metrics.jsonl"
    env = {"OTEL_METRICS_EXPORTER": "file", "OTEL_TRADING_FILE_PATH": str(lines), "OTEL_SERVICE_NAME": "mine"}
    with Demo(tmp_path, "--bars", "20", "--speed", "max", "--linger", "0", env=env) as demo:
        assert demo.wait() == 0
    assert f"metrics: file {lines}" in demo.output()
    assert '"mine"' in lines.read_text()
    assert "trading.order.duration" in lines.read_text()


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
