"""The identities of bookkeeping, to the last digit, whatever happens to an account."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from otel_trading.account import Account

symbols = st.sampled_from(["AAPL", "BTC/USD", "ETH/USD", "BTC/USD:USD", "BTC/USD:BTC"])
amounts = st.decimals("0.00000001", 10**9, places=8, allow_nan=False)
prices = st.one_of(amounts, st.floats(1e-8, 1e8))
fills = st.tuples(
    st.just("fill"), symbols, st.sampled_from(["buy", "sell"]), amounts, prices, st.decimals(-100, 100, places=8), st.booleans()
)
marks = st.tuples(st.just("mark"), symbols, prices)
flows = st.tuples(st.sampled_from(["deposit", "withdraw"]), amounts)
income = st.tuples(st.sampled_from(["funding", "dividend"]), st.decimals(-1000, 1000, places=8), st.one_of(st.none(), symbols))
histories = st.lists(st.one_of(fills, fills, marks, flows, income), max_size=40)
methods = st.sampled_from(["average", "fifo"])


def play(account: Account, history: list[tuple]) -> Fraction:
    """Let it happen; return the sum of all flows."""
    total = Fraction(0)
    # Coins that pay fees or settle contracts have a rate from the start.
    account.mark("BTC/USD", 20_000)
    account.mark("ETH/USD", 1_000)
    for event in history:
        if event[0] == "fill":
            _, symbol, side, quantity, price, fee, in_base = event
            currency = symbol.partition("/")[0] if in_base and "/" in symbol else None
            account.fill(symbol, side, quantity, price, fee=fee, fee_currency=currency)
        elif event[0] == "mark":
            account.mark(event[1], event[2])
        elif event[0] in ("funding", "dividend"):
            getattr(account, event[0])(event[1], event[2])
        else:
            getattr(account, event[0])(event[1])
            total += Fraction(event[1]) * (1 if event[0] == "deposit" else -1)
    return total


def exact(number: Decimal) -> Fraction:
    assert number is not None
    return Fraction(number)


@given(st.decimals(-(10**9), 10**9, places=8).filter(bool), histories, methods)
def test_realized_plus_unrealized_less_fees_plus_funding_plus_flows_is_the_change_of_equity(
    cash: Decimal, history: list[tuple], cost: str
) -> None:
    """Over spot, contracts that settle in the quote and in the base currency, and fees in the base coin; by both costs."""
    account = Account("identity", currency="USD", cash=cash, cost=cost)
    total = play(account, history)
    profit = exact(account.realized_pnl) + exact(account.unrealized_pnl) - exact(account.fees) + exact(account.funding_pnl)
    assert profit == exact(account.net_pnl)
    assert profit + total == exact(account.equity) - Fraction(cash)
    account.close()


@given(st.decimals(-(10**9), 10**9, places=8).filter(bool), histories, methods)
def test_equity_is_cash_plus_the_value_of_what_is_owned(cash: Decimal, history: list[tuple], cost: str) -> None:
    """A contract on margin is not owned: it adds its unrealised profit; one that settles in BTC at the rate of BTC."""
    account = Account("identity", currency="USD", cash=cash, cost=cost)
    play(account, history)
    bitcoin = [
        event for event in [("mark", "BTC/USD", 20_000), *history] if event[0] in ("mark", "fill") and event[1] == "BTC/USD"
    ]
    last = bitcoin[-1]
    rate = Fraction(str(last[2] if last[0] == "mark" else last[4]))
    owned = Fraction(0)
    for symbol, position in account.positions.items():
        margined = ":" in symbol
        worth = exact(position.unrealized_pnl if margined else position.value)
        owned += worth * (rate if position.currency == "BTC" else 1)
    assert exact(account.cash) + owned == exact(account.equity)
    account.close()


@given(histories)
def test_the_context_of_the_application_changes_nothing_and_is_left_alone(history: list[tuple]) -> None:
    """A bot that computes with five digits and traps inexact results gets the same account as any other."""
    one = Account("precise", currency="USD", cash=1000)
    other = Account("coarse", currency="USD", cash=1000)
    play(one, history)
    coarse = Context(prec=5)
    with localcontext(coarse) as context:
        for signal in context.traps:
            context.traps[signal] = True
        traps = dict(context.traps)
        for event in [("mark", "BTC/USD", 20_000), ("mark", "ETH/USD", 1_000), *history]:
            if event[0] == "fill":
                _, symbol, side, quantity, price, fee, in_base = event
                currency = symbol.partition("/")[0] if in_base and "/" in symbol else None
                other.fill(symbol, side, quantity, price, fee=fee, fee_currency=currency)
            else:
                getattr(other, event[0])(*event[1:])
        found = other.equity, other.cash, other.realized_pnl, other.unrealized_pnl, other.fees
        assert context.prec == 5
        assert dict(context.traps) == traps
    assert found == (one.equity, one.cash, one.realized_pnl, one.unrealized_pnl, one.fees)
    one.close()
    other.close()


def test_mark_that_makes_equity_known_is_exact_in_any_context() -> None:
    """The first price of what the bot told is where the day's profit is measured from: 9 digits in a context of 3."""
    account = Account("context", currency="USD")
    account.update(cash=1, positions={"AAPL": "1000000.01"})
    with localcontext(Context(prec=3)) as context:
        for signal in context.traps:
            context.traps[signal] = True
        account.mark("AAPL", "1.01")
        account.mark("AAPL", "1.02")
    assert account.daily_pnl == Decimal("10000.0001")
    account.close()
