"""What the demo keeps in a directory: after a kill -9 it goes on as if nothing had been lost."""

from __future__ import annotations

import itertools
import signal
import subprocess

import pytest

from tests.demo import ledger_of_record
from tests.demo.program import PROGRAM, Demo, total
from tests.harness import find, free_port, one, scrape, wait_until

KEY = {"trading_account_name": "main"}


def figures(samples) -> dict[str, float]:
    """What must never go back, whatever happens to the process."""
    names = ("trading_drawdown_max_ratio", "trading_trades_total")
    return {name: total(samples, name, **KEY) for name in names}


@pytest.mark.parametrize("seed", [3, 12])
def test_an_account_survives_kills_with_the_same_peak_drawdown_and_statistics(seed, tmp_path):
    """The venue's record over all runs, added up by somebody else, is what the last run shows."""
    options = ("--bars", "160", "--seed", str(seed), "--state", tmp_path / "state")
    before: dict[str, float] = {}
    for number, fills in enumerate((4, 3, 2)):
        with Demo(tmp_path, *options, "--speed", "40", name=f"killed-{number}") as demo:
            samples = wait_until(
                lambda demo=demo, fills=fills: (
                    (seen := scrape(demo.url)) and total(seen, "trading_fills_total") >= fills and seen
                ),
                "the bot has traded",
            )
            demo.kill()
            assert demo.returncode == -signal.SIGKILL
        assert all(now >= figure for now, figure in zip(figures(samples).values(), before.values(), strict=False))
        before = figures(samples)
        assert (one(samples, "trading_sdk_unclean_stops_total") or 0) == number

    with Demo(tmp_path, *options, "--speed", "max", "--linger", "300", name="last") as demo:
        demo.wait_until_lingering()
        samples, record = scrape(demo.url), demo.record

    truth = ledger_of_record.read(record)
    assert record["days"] == 160
    assert [event["seq"] for event in record["events"]] == list(range(len(record["events"])))
    assert any(event["type"] == "transfer" for event in record["events"])
    assert one(samples, "trading_sdk_unclean_stops_total") == 3
    for metric, value in {
        "trading_portfolio_equity": truth.equity,
        "trading_portfolio_cash": truth.cash,
        "trading_portfolio_peak_equity": truth.peak_equity,
        "trading_pnl_realized": truth.realized,
        "trading_pnl_net": truth.net,
        "trading_funding": truth.funding,
        "trading_drawdown_max_ratio": truth.deepest,
        "trading_drawdown_current_ratio": truth.drawdown,
        "trading_trade_win_ratio": truth.win_ratio,
        "trading_trade_expectancy": truth.expectancy,
        "trading_returns_sharpe_ratio": truth.sharpe,
        "trading_returns_volatility_ratio": truth.volatility,
    }.items():
        assert one(samples, metric, **KEY) == pytest.approx(float(value), rel=1e-9), metric
    counted = {
        (s.labels["trading_instrument_symbol"], s.labels["trading_trade_outcome"]): s.value
        for s in find(samples, "trading_trades_total", **KEY)
    }
    assert counted == truth.outcomes


def test_after_a_clean_stop_nothing_is_unclean_and_the_run_goes_on(tmp_path):
    options = ("--bars", "60", "--state", tmp_path / "state")
    with Demo(tmp_path, *options, "--speed", "20", name="first") as demo:
        wait_until(lambda: total(scrape(demo.url), "trading_fills_total") > 0, "the bot has traded")
        demo.interrupt()
        assert demo.wait() == 130
        played = demo.record["days"]
    with Demo(tmp_path, *options, "--speed", "max", "--linger", "300", name="second") as demo:
        demo.wait_until_lingering()
        samples, record = scrape(demo.url), demo.record

    assert 0 < played < record["days"] == 60
    assert not find(samples, "trading_sdk_unclean_stops_total") or one(samples, "trading_sdk_unclean_stops_total") == 0
    truth = ledger_of_record.read(record)
    assert one(samples, "trading_portfolio_equity", **KEY) == pytest.approx(float(truth.equity), rel=1e-12)
    dates = [event["data"]["index"] for event in record["events"] if event["type"] == "day"]
    assert all(later == day + 1 for day, later in itertools.pairwise(dates))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--bars", "3", "--seed", "2"), "the record of another run, with seed 1"),
        (("--bars", "4"), "the record of another run, with bars 3"),
    ],
    ids=["another seed", "more days"],
)
def test_a_directory_of_another_run_is_refused_in_plain_words(options, complaint, tmp_path):
    own = [PROGRAM, "demo", "--port", str(free_port()), "--state", "state", "--speed", "max", "--linger", "0"]
    first = subprocess.run([*own, "--bars", "3"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert first.returncode == 0, first.stderr
    kept = (tmp_path / "state" / "exchange.jsonl").read_bytes()

    second = subprocess.run([*own, *options], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert second.returncode == 2
    assert complaint in second.stderr
    assert "Traceback" not in second.stderr
    assert (tmp_path / "state" / "exchange.jsonl").read_bytes() == kept


def test_two_runs_cannot_share_a_directory(tmp_path):
    with Demo(tmp_path, "--speed", "5", "--state", tmp_path / "state") as demo:
        wait_until(lambda: total(scrape(demo.url), "trading_fills_total") > 0, "the bot trades")
        second = subprocess.run(
            [PROGRAM, "demo", "--port", str(free_port()), "--state", tmp_path / "state"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

        assert second.returncode == 2
        assert str(demo.pid) in second.stderr
        assert "Traceback" not in second.stderr
        demo.interrupt()
        assert demo.wait() == 130
