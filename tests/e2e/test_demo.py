"""`otel-trading demo` as a user runs it; the paper exchange's own record is the truth that its metrics are held against."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from otel_trading.demo.exchange.signing import Credentials
from otel_trading.semconv import metrics as registry
from tests.harness import Process, fetch, find, free_port, one, require_program, scrape, wait_until
from tests.harness.exposition import OPENMETRICS

PROGRAM = Path(sys.executable).with_name("otel-trading")
SEED = 12
"""A run under which within 300 days everything happens that a venue does to a bot."""
REASONS = {
    "INVALID_ORDER": "invalid_order",
    "INSUFFICIENT_FUNDS": "insufficient_funds",
    "MARKET_CLOSED": "market_closed",
    "RATE_LIMITED": "rate_limited",
}
KEY = {"trading_account_name": "main", "trading_venue_name": "paper", "trading_strategy_name": "sma_cross"}


class Demo(Process):
    """The demo with its endpoint on a free port, and the exchange's record in a file."""

    def __init__(self, directory: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.record_file = directory / "record.json"
        own = ["demo", "--port", str(self.port), "--record", self.record_file]
        super().__init__("demo", [PROGRAM, *own, *options], directory=directory, env=env)

    def ready(self) -> bool:
        return self.record_file.exists() or "metrics:" in self.output()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/metrics"

    @property
    def record(self):
        return json.loads(self.record_file.read_text())

    def wait_until_lingering(self) -> None:
        wait_until(lambda: "finished" in self.output() or not self.running, "the last day is over", timeout=150)
        assert self.running, self.output()

    def interrupt(self) -> None:
        os.kill(self.pid, signal.SIGINT)


@pytest.fixture(scope="module")
def lingering(tmp_path_factory):
    """One whole run whose endpoint is still there, with traces going to a server that keeps what it gets."""
    directory = tmp_path_factory.mktemp("demo")
    with Traces() as traces:
        env = {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with Demo(directory, "--bars", "300", "--speed", "max", "--seed", str(SEED), "--linger", "300", env=env) as demo:
            demo.wait_until_lingering()
            demo.traces = traces
            yield demo


@pytest.fixture(scope="module")
def samples(lingering):
    return scrape(lingering.url, openmetrics=True)


@pytest.fixture(scope="module")
def record(lingering):
    return lingering.record


class Traces(ThreadingHTTPServer):
    """Keeps the body of whatever is posted to it."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1/traces"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def total(samples, name: str, **labels: str) -> float:
    return sum(sample.value for sample in find(samples, name, **labels))


def by(samples, name: str, *labels: str) -> Counter:
    found = Counter()
    for sample in find(samples, name):
        found[tuple(sample.labels[label] for label in labels)] += sample.value
    return found


def trades(record):
    return [trade for order in record["orders"] for trade in order["trades"]]


# -- the run itself -------------------------------------------------------------------------------------------------------


def test_a_run_without_lingering_ends_with_0_and_says_plainly_what_it_does(tmp_path):
    done = subprocess.run(
        [PROGRAM, "demo", "--bars", "300", "--speed", "max", "--linger", "0", "--port", str(free_port())],
        cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("otel-trading demo: paper trading 300 days, 2003-")
    assert lines[1].startswith("metrics: http://127.0.0.1:")
    assert lines[-2].startswith("100 %")
    assert lines[-1] == "finished"
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_the_run_has_seen_everything_that_a_venue_does_to_a_bot(record):
    """The other tests would prove little about a run in which nothing went wrong."""
    statuses = {order["status"] for order in record["orders"]}
    assert statuses >= {"open", "closed", "canceled", "rejected"}
    assert {order["type"] for order in record["orders"]} == {"market", "limit", "stop_market"}
    assert {refusal["code"] for refusal in record["refusals"]} >= {"MARKET_CLOSED", "RATE_LIMITED"}
    assert {lost["executed"] for lost in record["unanswered"]} == {True, False}
    assert record["droppedConnections"] > 0
    assert any(len(order["trades"]) > 1 for order in record["orders"])
    assert Decimal(record["account"]["rebates"]) > 0
    assert [Decimal(t["amount"]) > 0 for t in record["transfers"]] == [True, False]
    assert record["account"]["positions"]


def test_the_same_seed_gives_the_same_run_with_the_sdk_and_without(lingering, tmp_path):
    """Everything that happens by chance is decided by the seed, and nothing that the bot does by its instrumentation."""
    options = ("--bars", "300", "--speed", "max", "--seed", str(SEED), "--linger", "0")
    with Demo(tmp_path, *options, env={"OTEL_SDK_DISABLED": "true"}) as silent:
        assert silent.wait(150) == 0
    for part in ("orders", "refusals", "unanswered", "transfers", "account", "equity"):
        assert silent.record[part] == lingering.record[part]


# -- the metrics against the exchange's record ----------------------------------------------------------------------------


def test_orders_by_how_they_ended(samples, record):
    unanswered = {lost["clientOrderId"] for lost in record["unanswered"]}
    expected = Counter(
        ("filled" if order["status"] == "closed" else order["status"], order["type"])
        for order in record["orders"]
        if order["status"] != "open"
    )
    expected.update(("rejected", r["type"]) for r in record["refusals"] if r["clientOrderId"] not in unanswered)

    counted = by(samples, "trading_orders_total", "trading_order_status", "trading_order_type")
    unknown = sum(counted.pop(key) for key in list(counted) if key[0] == "unknown")
    assert counted == expected
    assert unknown == len(unanswered)


def test_rejections_by_reason(samples, record):
    unanswered = {lost["clientOrderId"] for lost in record["unanswered"]}
    expected = Counter(o["rejectReason"] for o in record["orders"] if o["status"] == "rejected")
    expected.update(REASONS[r["code"]] for r in record["refusals"] if r["clientOrderId"] not in unanswered)

    rejected = find(samples, "trading_orders_total", trading_order_status="rejected")
    counted = by(rejected, "trading_orders_total", "trading_order_reject_reason")
    assert counted == {(reason,): count for reason, count in expected.items()}


def test_submissions_are_all_that_was_sent_once_each(samples, record):
    references = [entry["clientOrderId"] for entry in record["orders"] + record["refusals"] + record["unanswered"]]
    assert total(samples, "trading_order_submissions_total") == len(set(references))


def test_the_bot_asked_what_became_of_each_order_that_was_not_answered(samples, record):
    asked = total(samples, "trading_order_duration_seconds_count", trading_order_operation="query")
    assert asked >= len(record["unanswered"]) > 0


def test_fills_volume_and_their_notional(samples, record):
    fills = trades(record)
    counted = by(samples, "trading_fills_total", "trading_instrument_symbol", "trading_order_side", "trading_fill_liquidity")
    volume = sum(Decimal(trade["cost"]) for trade in fills)

    assert counted == Counter((trade["symbol"], trade["side"], trade["takerOrMaker"]) for trade in fills)
    assert total(samples, "trading_volume_total") == pytest.approx(float(volume), rel=1e-12)
    assert total(samples, "trading_fill_notional_count") == len(fills)
    assert total(samples, "trading_fill_notional_sum") == pytest.approx(float(volume), rel=1e-12)


def test_fees_and_rebates(samples, record):
    account = record["account"]
    assert total(samples, "trading_fees_total") == pytest.approx(float(account["fees"]), rel=1e-12)
    assert total(samples, "trading_rebates_total") == pytest.approx(float(account["rebates"]), rel=1e-12)


def test_equity_cash_and_profit(samples, record):
    account = record["account"]
    for metric, truth in (
        ("trading_portfolio_equity", account["equity"]),
        ("trading_portfolio_cash", account["cash"]),
        ("trading_pnl_realized", account["realizedPnl"]),
        ("trading_pnl_unrealized", account["unrealizedPnl"]),
    ):
        assert one(samples, metric, **KEY) == pytest.approx(float(truth), rel=1e-12), metric


def test_positions_are_those_at_the_venue_and_no_others(samples, record):
    held = {p["symbol"]: float(p["contracts"]) for p in record["account"]["positions"]}
    shown = {s.labels["trading_instrument_symbol"]: s.value for s in find(samples, "trading_position_size")}
    entries = {s.labels["trading_instrument_symbol"]: s.value for s in find(samples, "trading_position_entry_price")}

    assert shown == held
    assert len({trade["symbol"] for trade in trades(record)}) > len(held)  # others were closed on the way
    assert one(samples, "trading_position_active", **KEY) == len(held)
    assert entries == pytest.approx({p["symbol"]: float(p["entryPrice"]) for p in record["account"]["positions"]})


def test_drawdown_is_that_of_the_venues_daily_closes(samples, record):
    """Deposits and withdrawals taken out; the bot's own curve has the moments between two closes too, hence the tolerance."""
    unit, peak, worst, base = 1.0, 1.0, 0.0, float(record["startingCash"])
    flows = {t["day"]: float(t["amount"]) for t in record["transfers"]}
    for day, close in enumerate(map(float, record["equity"])):
        unit *= close / base
        base = close + flows.get(day, 0.0)
        peak = max(peak, unit)
        worst = max(worst, 1 - unit / peak)

    assert worst > 0.05
    assert one(samples, "trading_drawdown_max_ratio", **KEY) == pytest.approx(worst, abs=0.005)
    assert one(samples, "trading_drawdown_current_ratio", **KEY) == pytest.approx(1 - unit / peak, abs=0.005)


def test_connections_of_the_stream(samples, record):
    assert total(samples, "trading_stream_reconnects_total") == record["droppedConnections"]
    assert total(samples, "trading_market_data_last_update_time_seconds") > 0
    assert one(samples, "trading_venue_connected", trading_venue_name="paper") == 1


def test_what_the_venue_says_of_its_clock_and_its_limits(samples):
    """Its clock is 37 ms ahead of ours; its header says how much of the limit the last request has left used."""
    assert one(samples, "trading_venue_clock_offset_seconds", trading_venue_name="paper") == pytest.approx(0.037, abs=0.5)
    used = one(samples, "trading_venue_rate_limit_utilization_ratio", trading_rate_limit_name="weight_1m")
    assert 0 < used <= 1.5


# -- what is exposed ------------------------------------------------------------------------------------------------------


def test_every_trading_metric_is_in_the_registry_and_carries_only_its_attributes(samples):
    known = {metric.name.replace(".", "_"): metric for metric in registry.ALL.values()}
    seen = set()
    for sample in samples:
        if not sample.name.startswith("trading_"):
            continue
        name = max((n for n in known if sample.name == n or sample.name.startswith(n + "_")), key=len, default=None)
        assert name, f"{sample.name} is not in the registry"
        allowed = {key.replace(".", "_") for key in known[name].attributes} | {"le"}
        assert set(sample.labels) <= allowed, sample
        seen.add(known[name].name)
    assert len(seen) >= 40


def test_promtool_has_nothing_to_say(lingering):
    text = fetch(lingering.url).text
    checked = subprocess.run(
        [require_program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    ours = [line for line in (checked.stdout + checked.stderr).splitlines() if line.startswith("trading_")]
    assert ours == []


def test_the_resource_says_what_it_is(samples):
    info = find(samples, "target_info")[0].labels
    assert info["service_name"] == "otel-trading-demo"
    assert info["trading_mode"] == "paper"


def test_nothing_secret_leaves(lingering):
    """Neither the scrape nor the log nor the spans hold the key, the account's number, a signature, or a part of the query."""
    own = Credentials.for_seed(SEED)
    wait_until(lambda: len(lingering.traces.bodies) > 1, "spans have been exported")
    spans = b"".join(lingering.traces.bodies)
    assert b"submit paper" in spans
    assert b"/accounts/{id}/orders" in spans
    for text in (fetch(lingering.url, accept=OPENMETRICS).text.encode(), lingering.output().encode(), spans):
        for secret in (own.account, own.key, own.secret, "signature", "apiKey"):
            assert secret.encode() not in text, secret


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
    for part in ("metrics  http://127.0.0.1:", "right on", "60/60", "equity", "drawdown", "position", "unrealized"):
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
