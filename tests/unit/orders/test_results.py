"""What the answers of venues' clients say of an order."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders import Fill, read
from otel_trading.semconv import attributes as a

BINANCE = {
    # A FULL answer of POST /api/v3/order, from binance's documentation of the spot API
    "symbol": "BTCUSDT",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": "6gCrw2kRUAF9CvJDGP16IP",
    "transactTime": 1507725176595,
    "price": "0.00000000",
    "origQty": "10.00000000",
    "executedQty": "10.00000000",
    "cummulativeQuoteQty": "39998.00000000",
    "status": "FILLED",
    "timeInForce": "GTC",
    "type": "MARKET",
    "side": "SELL",
    "fills": [
        {"price": "4000.00000000", "qty": "1.00000000", "commission": "4.00000000", "commissionAsset": "USDT", "tradeId": 56},
        {"price": "3999.77777778", "qty": "9.00000000", "commission": "35.99800000", "commissionAsset": "USDT", "tradeId": 57},
    ],
}


def test_full_answer_of_binance() -> None:
    report = read(BINANCE)
    assert (report.status, report.id, report.client_id) == ("filled", "28", "6gCrw2kRUAF9CvJDGP16IP")
    assert (report.symbol, report.side, report.type) == ("BTCUSDT", "sell", "market")
    assert (report.quantity, report.filled) == (Decimal("10.00000000"), Decimal("10.00000000"))
    assert report.average == pytest.approx(3999.8)
    assert report.fills == (
        Fill(Decimal(1), Decimal(4000), "56", "unknown", ((Decimal(4), "USDT"),)),
        Fill(Decimal(9), Decimal("3999.77777778"), "57", "unknown", ((Decimal("35.998"), "USDT"),)),
    )


def test_acknowledgement_of_binance_is_a_new_order() -> None:
    """An ACK answer has no status: that there is an id is the acknowledgement."""
    report = read({"symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "x", "transactTime": 1507725176595})
    assert (report.status, report.id, report.client_id, report.symbol) == ("new", "28", "x", "BTCUSDT")
    assert not report.stated


def test_rejection_of_binance_is_not_an_order() -> None:
    assert read({"code": -2010, "msg": "Account has insufficient balance for requested action."}).status == "unknown"


def test_order_of_alpaca() -> None:
    """An object with numbers as text, an enum's text, and an id that is a UUID."""
    order = SimpleNamespace(
        id=UUID("61e69015-8549-4bfd-b9c3-01e75843f47d"),
        symbol="AAPL",
        qty="15",
        filled_qty="5",
        filled_avg_price="150.25",
        order_type="limit",
        side="buy",
        limit_price="151",
        status="partially_filled",
        legs=None,
    )
    report = read(order)
    assert (report.status, report.id) == ("partially_filled", "61e69015-8549-4bfd-b9c3-01e75843f47d")
    assert (report.symbol, report.side, report.type) == ("AAPL", "buy", "limit")
    assert (report.quantity, report.filled, report.average) == (Decimal(15), Decimal(5), Decimal("150.25"))


@pytest.mark.parametrize(
    ("status", "amount", "filled", "expected"),
    [
        ("open", 2, 0, "new"),
        ("open", 2, 1, "partially_filled"),
        ("open", 2, 2, "filled"),
        ("closed", 2, 2, "filled"),
        ("closed", 2, 2 * (1 - 1e-12), "filled"),
        ("closed", 2, 1, "canceled"),
        ("closed", 2, 0, "canceled"),
        ("closed", None, None, "filled"),
        ("closed", None, 2, "filled"),
        ("canceled", 2, 1, "canceled"),
        ("Submitted", 3, 1, "partially_filled"),
        (None, 2, 1, "partially_filled"),
        (None, 2, 2, "filled"),
        (None, 2, None, "new"),
        ("", 2, None, "new"),
        (200, 2, None, "unknown"),
    ],
)
def test_status_takes_what_was_filled_into_account(status, amount, filled, expected) -> None:
    """Ccxt says `closed` of an order that was not filled completely, and libraries say `open` of one that partly was."""
    assert read({"id": "1", "status": status, "amount": amount, "filled": filled}).status == expected


@pytest.mark.parametrize(
    ("order", "average"),
    [
        ({"filled": 2, "average": 10.5}, 10.5),
        ({"filled": 2, "cost": 21}, 10.5),
        ({"filled": 2, "average": 0, "cost": 21}, 10.5),
        ({"filled": 2, "average": -37.63}, -37.63),  # oil, 20 April 2020
        ({"trades": [{"amount": 1, "price": 10}, {"amount": 3, "price": 14}]}, 13.0),
        ({"filled": 0, "cost": 0}, None),
        ({"filled": 2}, None),
    ],
)
def test_average_price(order, average) -> None:
    assert read({"id": "1", **order}).average == average


@pytest.mark.parametrize(
    ("order", "fees"),
    [
        ({"fee": {"cost": 0.1, "currency": "USDT"}}, ((0.1, "USDT"),)),
        ({"fees": [{"cost": 0.1, "currency": "USDT"}, {"cost": 0.2, "currency": "BNB"}]}, ((0.1, "USDT"), (0.2, "BNB"))),
        ({"commission": "1.5"}, ((Decimal("1.5"), None),)),
        ({"fee": {"cost": None, "currency": None}, "fees": []}, ()),
        ({"fee": None}, ()),
    ],
)
def test_fees_of_the_whole_order(order, fees) -> None:
    assert read({"id": "1", **order}).fees == fees


def test_fees_of_fills_are_not_counted_again_for_the_order() -> None:
    order = {
        "id": "1",
        "trades": [{"amount": 1, "price": 1, "fee": {"cost": 0.1, "currency": "USDT"}}],
        "fee": {"cost": 0.1, "currency": "USDT"},
    }
    assert read(order).fees == ()


@pytest.mark.parametrize("reason", ["reject_reason", "rejected_reason", "failed_reason"])
def test_reason_of_a_rejection(reason) -> None:
    assert read({"id": "1", "status": "rejected", reason: "insufficient balance"}).reject_reason == "insufficient_funds"
    assert read({"id": "1", "status": "open", reason: "insufficient balance"}).reject_reason is None


def test_many_fills_are_read_to_a_bound() -> None:
    trades = [{"id": str(n), "amount": 1, "price": 1} for n in range(5_000)]
    assert len(read({"id": "1", "trades": trades}).fills) == 1_000


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "status", "side", "type", "amount", "filled", "average", "cost", "fee", "fees", "trades", "price"]
        ),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.decimals()),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.sampled_from(["id", "cost", "amount", "price", "currency"]), inner),
            ),
            max_leaves=10,
        ),
    )
)
def test_whatever_a_dict_holds_it_is_read(order) -> None:
    """Any mixture of types gives a report within the vocabulary."""
    report = read(order)
    assert report.status in a.ORDER_STATUS_VALUES
    assert all(float(fill.quantity) == float(fill.quantity) for fill in report.fills)
