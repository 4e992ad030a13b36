"""First in, first out beside average cost: worked examples, and a queue of single units as the reference."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.account import Account


def test_sale_takes_the_oldest_units_first(account) -> None:
    """IRS Publication 550 (stocks, identification of shares): 10 at 100 and 30 at 104; 15 sold at 110 cost 10*100 + 5*104."""
    main = account(cost="fifo")
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "buy", 30, 104)
    main.fill("AAPL", "sell", 15, 110)
    assert main.realized_pnl == Decimal(15 * 110 - 10 * 100 - 5 * 104)
    assert main.positions["AAPL"].entry_price == Decimal(104)
    assert main.unrealized_pnl == Decimal(25 * 6)


def test_short_position_is_covered_oldest_first(account) -> None:
    main = account(cost="fifo")
    main.fill("AAPL", "sell", 10, 50)
    main.fill("AAPL", "sell", 10, 60)
    main.fill("AAPL", "buy", 15, 45)
    assert main.realized_pnl == Decimal(10 * 5 + 5 * 15)
    assert main.positions["AAPL"].entry_price == Decimal(60)


def test_flip_through_zero_begins_one_new_lot(account) -> None:
    main = account(cost="fifo")
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "buy", 10, 110)
    main.fill("AAPL", "sell", 25, 90)
    main.fill("AAPL", "buy", 2, 80)
    assert main.realized_pnl == Decimal(-10 * 10 - 10 * 20 + 2 * 10)
    assert (main.positions["AAPL"].size, main.positions["AAPL"].entry_price) == (Decimal(-3), Decimal(90))


def test_contract_settled_in_its_base_is_released_oldest_first(account) -> None:
    """100 contracts of 1 USD at 10,000 and 100 at 20,000: a long of the first closed at 20,000 gains 100/10,000 - 100/20,000."""
    main = account(currency="BTC", cash=1, cost="fifo")
    main.fill("BTC/USD:BTC", "buy", 100, 10_000)
    main.fill("BTC/USD:BTC", "buy", 100, 20_000)
    main.fill("BTC/USD:BTC", "sell", 100, 20_000)
    assert main.realized_pnl == Decimal("0.005")
    assert main.unrealized_pnl == 0


def test_lots_survive_the_average_price_that_a_venue_tells(account) -> None:
    """A venue's position has one average price; the same size told with it says nothing new of the lots."""
    main = account(cost="fifo")
    main.fill("AAPL", "buy", 1, 100)
    main.fill("AAPL", "buy", 1, 200)
    main.update(positions=[{"symbol": "AAPL", "size": 2, "entry_price": 150}])
    main.fill("AAPL", "sell", 1, 200)
    assert main.realized_pnl == Decimal(100)


trades = st.lists(st.tuples(st.integers(-6, 6).filter(bool), st.integers(1, 50)), max_size=30)


@given(trades)
def test_profit_is_that_of_a_queue_of_single_units(history: list[tuple[int, int]]) -> None:
    main = Account("queue", currency="USD", cash=1, cost="fifo")
    held: deque[tuple[int, int]] = deque()
    realized = 0
    for quantity, price in history:
        main.fill("AAPL", "buy" if quantity > 0 else "sell", abs(quantity), price)
        sign = 1 if quantity > 0 else -1
        for _ in range(abs(quantity)):
            if held and held[0][0] != sign:
                entered = held.popleft()
                realized += entered[0] * (price - entered[1])
            else:
                held.append((sign, price))
    assert main.realized_pnl == realized
    position = main.positions.get("AAPL")
    assert (position.size if position else 0) == sum(sign for sign, _ in held)
    if position:
        assert position.entry_price == pytest.approx(Decimal(sum(price for _, price in held)) / len(held))
    main.close()


@given(trades)
def test_both_methods_agree_on_everything_but_when_profit_is_realised(history: list[tuple[int, int]]) -> None:
    both = [Account("one", currency="USD", cash=1, cost="average"), Account("two", currency="USD", cash=1, cost="fifo")]
    for main in both:
        for quantity, price in history:
            main.fill("AAPL", "buy" if quantity > 0 else "sell", abs(quantity), price)
    average, fifo = both
    assert (average.equity, average.cash) == (fifo.equity, fifo.cash)
    assert average.realized_pnl + average.unrealized_pnl == fifo.realized_pnl + fifo.unrealized_pnl
    assert (average.trades.wins, average.trades.losses) == (fifo.trades.wins, fifo.trades.losses)
    assert average.trades.expectancy == pytest.approx(fifo.trades.expectancy)
    for main in both:
        main.close()
