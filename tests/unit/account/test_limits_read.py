"""The figures that limits are about are those of the last event, and of the session that it is now."""

from __future__ import annotations

import threading
from decimal import Context, Decimal, FloatOperation, localcontext

import pytest

from otel_trading.account import Account
from otel_trading.metrics import faults

NOON = 1_700_049_600.0
"""2023-11-15, 12:00 UTC."""


@pytest.fixture
def main(account, clock) -> Account:
    clock.now = NOON
    faults.reset()
    one = account(cash=1000)
    one.fill("ACME", "buy", 10, 50)
    return one


def read(account: Account) -> tuple[float | None, float | None, int]:
    return account.drawdown, account.daily_ratio, account.losing_streak


def test_each_event_is_seen_by_the_next_reading(main) -> None:
    """By hand, of a capital of 1000: each step moves at least one of the three, and each is asked for before and after."""
    document = main.dump()
    assert read(main) == read(main) == (0.0, 0.0, 0)
    main.mark("ACME", 40)
    assert read(main) == read(main) == (0.1, -0.1, 0)
    main.fill("ACME", "sell", 10, 30)
    assert read(main) == (0.2, -0.2, 1)
    main.funding(100)
    assert read(main) == (0.1, -0.1, 1)
    main.deposit(1000)
    assert read(main) == (0.1, -0.05, 1)
    main.withdraw(950)
    assert read(main) == (0.1, -100 / 1050, 1)
    main.update(equity=1050, cash=1050, positions=[])
    assert read(main) == (1 / 190, 0.0, 1)  # of a peak of 950 / 0.9
    main.restore(document)
    assert read(main) == (0.0, 0.0, 0)


def test_session_that_ends_without_an_event_is_seen(main, clock) -> None:
    main.mark("ACME", 40)
    clock.now = NOON + 12 * 3600 - 1
    assert main.daily_ratio == -0.1
    clock.now += 1
    assert read(main) == (0.1, 0.0, 0)


def test_context_of_the_application_changes_no_digit(main) -> None:
    """One that rounds to three digits and lets no float in: 1000 - 10 * 0.01234 is a loss of 0.0001234."""
    with localcontext(Context(prec=3)) as context:
        context.traps[FloatOperation] = True
        main.mark("ACME", Decimal("49.98766"))
        assert main.daily_ratio == -0.0001234
        assert main.drawdown == 0.0001234
    assert not faults.errors


def test_clock_that_fails_does_not_keep_the_figures_from_being_read(account) -> None:
    failing = account(clock=lambda: 1 / 0)
    assert (failing.drawdown, failing.losing_streak) == (0.0, 0)


def test_thread_that_has_marked_reads_what_it_did(main) -> None:
    """Readers take no lock while nothing happens; what a thread has entered it reads nevertheless, whoever else reads."""
    ends = threading.Event()
    others = [threading.Thread(target=lambda: [read(main) for _ in iter(ends.is_set, True)]) for _ in range(3)]
    for other in others:
        other.start()
    try:
        seen = []
        for price in range(2000):
            main.mark("ACME", price % 50)
            seen.append(main.daily_ratio)
    finally:
        ends.set()
        for other in others:
            other.join()
    assert seen == [(price % 50 - 50) / 100 for price in range(2000)]
