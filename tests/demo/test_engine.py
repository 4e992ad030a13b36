"""The matching engine against worked examples; nothing is left to chance unless a test says so."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from otel_trading.demo import prices
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.engine import Engine
from otel_trading.demo.exchange.journal import Journal, JournalError
from otel_trading.demo.exchange.orders import NewOrder, RefusedError

CALM = dict.fromkeys(Behaviour.__dataclass_fields__, 0.0)
START = datetime(2020, 1, 1, 21, tzinfo=timezone.utc)


def market(*ohlc: str, symbol: str = "IBM") -> list[prices.Day]:
    """One symbol; each day as 'open high low close'."""
    days = []
    for index, text in enumerate(ohlc):
        time = START + timedelta(days=index)
        days.append(prices.Day(time, (prices.Bar(symbol, time, *map(Decimal, text.split()), 1000),)))
    return days


def opened(*ohlc: str, cash: str = "10000", seed: int = 0, **chances: float) -> Engine:
    """An engine that has played the first day."""
    behaviour = Behaviour(**{**CALM, **chances})
    engine = Engine(market(*ohlc), cash=Decimal(cash), behaviour=behaviour, dice=Dice(seed))
    engine.advance()
    return engine


def order(side: str = "buy", amount: str = "10", **more) -> NewOrder:
    converted = {k: Decimal(v) if k in {"price", "trigger_price"} else v for k, v in more.items()}
    kind = "stop_market" if "trigger_price" in more else "limit" if "price" in more else "market"
    return NewOrder(symbol="IBM", side=side, type=kind, amount=Decimal(amount), **converted)


def test_a_market_order_pays_the_spread_and_the_takers_fee():
    """Close 100: the ask is 2 bp above, 100.02; 10 shares cost 1000.20 and 5 bp of that as fee, 0.5001."""
    engine = opened("100 100 100 100")

    wire = engine.place(order()).to_wire()

    assert (wire["status"], wire["filled"], wire["average"]) == ("closed", "10.00", "100.02")
    assert wire["fee"] == {"cost": "0.5001", "currency": "USD"}
    assert [t["takerOrMaker"] for t in wire["trades"]] == ["taker"]
    account = engine.account()
    assert account["cash"] == "8999.2999"
    assert account["equity"] == "9999.2999"
    [position] = account["positions"]
    assert (position["symbol"], position["contracts"]) == ("IBM", "10.00")
    assert (position["entryPrice"], position["markPrice"]) == ("100.02", "100")


def test_a_resting_order_is_filled_at_its_limit_and_earns_the_rebate():
    """The low of day two reaches the limit of 95; 10 shares make 950, the rebate of 1 bp is 0.0950."""
    engine = opened("100 100 100 100", "99 101 94 100")
    resting = engine.place(order(price="95"))
    assert resting.status == "open"

    engine.advance()

    wire = engine.find(resting.id).to_wire()
    assert (wire["status"], wire["average"], wire["fee"]["cost"]) == ("closed", "95", "-0.0950")
    assert wire["trades"][0]["takerOrMaker"] == "maker"
    assert engine.account()["cash"] == "9050.0950"


def test_a_resting_order_that_the_market_does_not_reach_stays():
    engine = opened("100 100 100 100", "99 101 95.01 100")
    resting = engine.place(order(price="95"))
    engine.advance()

    assert [o["id"] for o in engine.open_orders()] == [resting.id]


def test_a_day_order_expires_after_its_session():
    engine = opened("100 100 100 100", "99 101 98 100")
    resting = engine.place(order(price="95", time_in_force="day"))
    engine.advance()

    assert engine.find(resting.id).status == "expired"


def test_a_limit_order_across_the_spread_takes_at_the_books_price():
    engine = opened("100 100 100 100")

    wire = engine.place(order(price="105")).to_wire()

    assert (wire["status"], wire["average"], wire["trades"][0]["takerOrMaker"]) == ("closed", "100.02", "taker")


def test_a_stop_sells_at_its_trigger_or_worse_after_a_gap():
    """The trigger is 95; one day opens at 97 and falls through it, another opens at 90 already."""
    for second_day, paid in (("97 98 94 95", "94.98"), ("90 91 89 90", "89.98")):
        engine = opened("100 100 100 100", second_day)
        engine.place(order())
        stop = engine.place(order("sell", trigger_price="95"))
        engine.advance()

        assert engine.find(stop.id).to_wire()["average"] == paid
        assert engine.account()["positions"] == []


def test_realized_profit_is_by_average_cost_and_before_fees():
    """Bought 10 at 100.02 and 10 at 110.03 (average 105.025), sold 5 at 119.97: 5 · 14.945 = 74.725."""
    engine = opened("100 100 100 100", "110 110 110 110", "120 120 120 120")
    engine.place(order())
    engine.advance()
    engine.place(order())
    engine.advance()
    engine.place(order("sell", "5"))

    account = engine.account()
    assert Decimal(account["realizedPnl"]) == Decimal("74.725")
    assert Decimal(account["unrealizedPnl"]) == 15 * (120 - Decimal("105.025"))
    assert Decimal(account["marginUsed"]) == 900  # half of 15 · 120


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (order(amount="0"), "INVALID_ORDER"),
        (order(amount="1.001"), "INVALID_ORDER"),
        (order(amount="0.05"), "INVALID_ORDER"),
        (order(price="99.999"), "INVALID_ORDER"),
        (order(price="30"), "INVALID_ORDER"),
        (order("sell", trigger_price="100"), "INVALID_ORDER"),
        (order(trigger_price="105"), "INVALID_ORDER"),
        (NewOrder("XYZ", "buy", "market", Decimal(1)), "INVALID_ORDER"),
        (order(amount="200"), "INSUFFICIENT_FUNDS"),  # half of it is the whole cash: the fee and the spread do not fit
        (order("sell", "1"), "INSUFFICIENT_FUNDS"),
    ],
)
def test_what_is_wrong_or_cannot_be_paid_is_refused_and_put_on_record(request_, code):
    engine = opened("100 100 100 100")

    with pytest.raises(RefusedError) as refused:
        engine.place(request_)

    assert refused.value.code == code
    assert [r["code"] for r in engine.record()["refusals"]] == [code]
    assert engine.account()["cash"] == "10000"


def test_shares_and_equity_that_are_promised_to_resting_orders_cannot_be_promised_twice():
    """Half of what is held and of what rests is bound: 2500 for 50 shares, then 2375 and a fee for 50 more at 95."""
    engine = opened("100 100 100 100")
    engine.place(order(amount="50"))
    engine.place(order("sell", "50", trigger_price="90"))
    with pytest.raises(RefusedError, match="not enough shares"):
        engine.place(order("sell", "1"))

    engine.place(order(amount="50", price="95"))  # about 5122 of about 9996 are free
    engine.place(order(amount="100", price="95"))  # about 370 are left
    with pytest.raises(RefusedError, match="not enough free cash"):
        engine.place(order(amount="8"))
    with pytest.raises(RefusedError, match="not enough free cash"):
        engine.transfer(Decimal(-400))
    engine.transfer(Decimal(-300))


def test_margin_and_the_price_at_which_a_position_is_liquidated():
    """150 shares at 100.02 for 10,000: cash is -5003 and a fee of 7.5015, equity at 100 is 9989.4985.

    Half of 15,000 is bound. At 66.68 the shares are worth 10,002: of the half of 15,003 that was the customer's own, 2500.50 is
    left, a quarter of that.
    """
    engine = opened("100 100 100 100")
    engine.place(order(amount="150"))

    account = engine.account()
    assert Decimal(account["cash"]) == Decimal("-5010.5015")
    assert Decimal(account["equity"]) == Decimal("9989.4985")
    assert Decimal(account["marginUsed"]) == 7500
    assert Decimal(account["marginAvailable"]) == Decimal("2489.4985")
    assert Decimal(account["buyingPower"]) == Decimal("4978.997")
    assert float(account["positions"][0]["liquidationPrice"]) == pytest.approx(66.68, rel=1e-12)


@pytest.mark.parametrize(("close", "sold"), [("66.69", False), ("66.67", True)])
def test_a_position_is_sold_by_the_venue_below_its_liquidation_price_and_not_above(close, sold):
    """That price is 66.68, see above."""
    engine = opened("100 100 100 100", f"100 100 {close} {close}")
    engine.place(order(amount="150"))
    engine.advance()

    assert (engine.account()["positions"] == []) is sold
    assert len(engine.record()["orders"]) == 1 + sold


def test_every_fifth_day_funding_is_paid_for_what_is_held_by_the_last_close():
    engine = opened(*["100 100 100 100"] * 6, funding=0.001)
    engine.place(order(amount="10"))
    before = Decimal(engine.account()["cash"])
    for _ in range(5):
        engine.advance()

    [payment] = [event["data"] for event in engine.events if event["type"] == "funding"]
    assert (payment["symbol"], payment["currency"]) == ("IBM", "USD")
    assert Decimal(payment["amount"]) == (-1000 * Decimal(payment["rate"])).quantize(Decimal("0.0001"))
    assert -Decimal("0.00025") <= Decimal(payment["rate"]) <= Decimal("0.001")
    assert Decimal(engine.account()["cash"]) == before + Decimal(payment["amount"])
    assert Decimal(engine.account()["funding"]) == Decimal(payment["amount"])


def test_the_risk_engine_turns_an_order_down_with_an_order_in_state_rejected():
    engine = opened("100 100 100 100", risk_reject=1.0)

    wire = engine.place(order()).to_wire()

    assert (wire["status"], wire["rejectReason"], wire["trades"]) == ("rejected", "risk_limit", [])


def test_a_client_order_id_is_accepted_once_and_finds_its_order():
    engine = opened("100 100 100 100")
    placed = engine.place(order(client_order_id="mine"))

    assert engine.find(client_order_id="mine") is placed
    with pytest.raises(RefusedError, match="taken"):
        engine.place(order(client_order_id="mine"))


def test_a_cancelled_order_is_gone_and_cannot_be_cancelled_again():
    engine = opened("100 100 100 100")
    resting = engine.place(order(price="95"))

    assert engine.cancel(resting.id).status == "canceled"
    assert engine.open_orders() == []
    with pytest.raises(RefusedError, match="canceled"):
        engine.cancel(resting.id)


def test_a_fill_may_cross_the_request_to_cancel():
    """Wholly, and then there is nothing to cancel any more; or in part, and the rest is cancelled."""
    ends = []
    for seed in range(20):
        engine = opened("100 100 100 100", seed=seed, crossed=1.0)
        resting = engine.place(order(price="95"))
        with suppress(RefusedError):
            engine.cancel(resting.id)
        ends.append((resting.status, str(resting.filled)))

    assert set(ends) == {("closed", "10"), ("canceled", "5.00")}


def test_a_thin_book_fills_a_part_of_a_market_order_and_the_rest_expires():
    engine = opened("100 100 100 100", shortfall=1.0)

    wire = engine.place(order()).to_wire()

    assert (wire["status"], wire["filled"], wire["remaining"]) == ("expired", "5.00", "5.00")


def test_a_large_order_sweeps_the_book_at_worse_and_worse_prices():
    engine = opened("100 100 100 100", split=1.0)

    trades = engine.place(order()).to_wire()["trades"]

    assert len(trades) > 1
    assert sum(Decimal(t["amount"]) for t in trades) == 10
    assert [t["price"] for t in trades] == [f"100.0{2 + level}" for level in range(len(trades))]


def test_a_resting_order_may_be_filled_in_parts_over_days():
    engine = opened(*["100 100 90 100"] * 30, partial=1.0)
    resting = engine.place(order(price="95", amount="50"))
    for _ in range(29):
        engine.advance()

    done = engine.find(resting.id)
    assert len(done.fills) > 2
    assert done.filled + done.remaining == 50
    assert len({fill.id for fill in done.fills}) == len(done.fills)


def test_a_halted_symbol_takes_no_orders():
    engine = opened("100 100 100 100", halt=1.0)
    with pytest.raises(RefusedError) as refused:
        engine.place(order())
    assert refused.value.code == "MARKET_CLOSED"


def test_the_same_seed_gives_the_same_record_and_another_seed_another():
    def play(seed: int):
        engine = opened(*["100 103 97 100"] * 200, cash="100000", seed=seed, split=0.5, partial=0.5, risk_reject=0.1)
        for number in range(199):
            side = "buy" if number % 2 == 0 else "sell"
            try:
                engine.place(order(side, "3", **({"price": "98"} if number % 3 == 0 else {})))
            except RefusedError:
                engine.transfer(Decimal(1))
            engine.advance()
        return engine.record()

    assert play(1) == play(1)
    assert play(1) != play(2)


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed while it wrote"])
def test_a_venue_goes_on_from_its_journal_as_if_it_had_never_stopped(killed, tmp_path):
    """Whatever had happened: the same record as that of a venue which was not stopped."""

    def play(engine: Engine, numbers: range) -> None:
        for number in numbers:
            terms = {"price": "99"} if number % 3 == 0 else {}
            request = order("buy" if number % 2 == 0 else "sell", "3", client_order_id=f"c{number}", **terms)
            with suppress(RefusedError):
                if number % 11 == 0:
                    engine.lose(request)
                elif number % 13 == 0:
                    engine.refuse(request, "RATE_LIMITED", "too many requests")
                else:
                    placed = engine.place(request, answered=number % 7 != 0)
                    if terms and number % 2 == 0:
                        engine.cancel(placed.id)
            if number % 20 == 0:
                with suppress(RefusedError):
                    engine.transfer(Decimal(number - 50))
            engine.advance()

    chances = {"split": 0.5, "partial": 0.5, "risk_reject": 0.1, "shortfall": 0.2, "crossed": 0.5, "funding": 0.001}
    behaviour, days = Behaviour(**{**CALM, **chances}), market(*["100 103 97 100"] * 120)

    def venue(path) -> tuple[Engine, Journal]:
        journal = Journal(path, {"seed": "4"})
        return Engine(days, cash=Decimal(10_000), behaviour=behaviour, dice=Dice(4), journal=journal), journal

    whole, journal = venue(tmp_path / "whole.jsonl")
    whole.advance()
    play(whole, range(100))
    journal.close()
    path = tmp_path / "stopped.jsonl"
    first, journal = venue(path)
    first.advance()
    play(first, range(60))
    journal.close()
    if killed:
        with path.open("a") as file:
            file.write('{"command": "advan')
    second, journal = venue(path)
    assert second.record() == first.record()
    play(second, range(60, 100))
    journal.close()

    assert second.record() == whole.record()
    assert path.read_text() == (tmp_path / "whole.jsonl").read_text()
    facts = [fact for line in path.read_text().splitlines()[1:] for fact in json.loads(line)["facts"]]
    assert {fact["type"] for fact in facts} == {"order", "fill", "funding", "transfer", "refusal", "day"}


@pytest.mark.parametrize(
    "text", ["", "no json\n", "[1]\n", '{"settings": {"seed": "5"}}\n'], ids=["empty", "text", "list", "other run"]
)
def test_a_journal_that_is_not_of_this_run_is_refused(text, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text(text)
    if not text:
        Journal(path, {"seed": "4"}).close()
        return
    with pytest.raises(JournalError, match="record of"):
        Journal(path, {"seed": "4"})
    assert path.read_text() == text


def test_a_venue_goes_on_when_the_one_before_it_has_let_go_of_the_journal(tmp_path):
    """It ends a little later than its bot was killed: what it still does must not be written over."""
    path, settings = tmp_path / "journal.jsonl", {"seed": "4"}
    first = Journal(path, settings)
    with pytest.raises(JournalError, match="a paper exchange that runs"):
        Journal(path, settings, patience=0)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(Journal, path, settings)
        with first.command("advance", {}):
            pass
        first.close()
        second = waiting.result(timeout=30)
    assert [command["command"] for command in second.commands] == ["advance"]
    second.close()


def test_the_stream_ends_after_the_last_day():
    engine = opened("100 100 100 100", "100 100 100 100")
    engine.advance()
    assert not engine.ended
    engine.advance()
    assert engine.ended
    assert [event["type"] for event in engine.events] == ["bar", "day", "bar", "day", "end"]
    assert [event["seq"] for event in engine.events] == list(range(5))
