"""Nothing that identifies an account or signs a request is left in a path, an address or a message."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading import redaction

KEPT = [
    "/api/v3/order",
    "/fapi/v1/openOrders",
    "/api/v5/trade/orders-pending",
    "/api/v5/market/books.json",
    "/ticker/24hr",
    "/orders/open",
    "/orders/cancel-all",
    "/orders/cancel_all_after",
    "/account/balance",
    "/v2/account/activities",
    "/accounts/me/positions",
    "/wallet/transfer/history",
    "/products/BTC-USD/book",
    "/",
    "",
]
"""Paths of venues' own documentation that identify nobody."""

REDUCED = [
    ("/accounts/12345678/orders", "/accounts/{id}/orders"),
    ("/accounts/DU1234567/orders", "/accounts/{id}/orders"),
    ("/accounts/abcdefgh/orders", "/accounts/{id}/orders"),
    ("/Accounts/abcdefgh", "/Accounts/{id}"),
    ("/account/XKQJZ", "/account/{id}"),
    ("/users/jane.doe/wallets/main", "/users/{id}/wallets/{id}"),
    ("/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", "/v2/orders/{id}"),
    ("/orders/by-me", "/orders/{id}"),
    ("/orders/abc/cancel", "/orders/{id}/cancel"),
    ("/api/v1/orders/client-order/5c52e11203aa677f33e493fb", "/api/v1/orders/{id}/{id}"),
    ("/0/private/AddOrder", "/{id}/private/AddOrder"),
    ("/ws/pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1", "/ws/{id}"),
    ("/ws/" + "abcdefghij" * 4, "/ws/{id}"),
    ("/bot123456:AAE-secret/sendMessage", "/{id}/sendMessage"),
    ("/x;jsessionid=ABC/y", "/{id}/y"),
    ("/a%2Fb/c", "/{id}/c"),
    ("/keys/mykey/rotate", "/keys/{id}/rotate"),
    ("/5f4dcc3b5aa765d61d8327deb882cf99", "/{id}"),
    ("/accounts/{id}/orders", "/accounts/{id}/orders"),
]


@pytest.mark.parametrize("path", KEPT)
def test_words_of_an_api_stay(path):
    assert redaction.path(path) == path


@pytest.mark.parametrize(("path", "reduced"), REDUCED)
def test_what_may_identify_goes(path, reduced):
    assert redaction.path(path) == reduced


@given(st.text(st.characters(codec="ascii", exclude_characters="/"), min_size=1))
def test_whatever_stands_after_accounts_goes_unless_it_is_a_word_of_the_api(segment):
    reduced = redaction.path(f"/accounts/{segment}/orders")
    assert reduced in {"/accounts/{id}/orders", f"/accounts/{segment}/orders"}
    if any(character.isdigit() for character in segment):
        assert reduced == "/accounts/{id}/orders"


@given(st.text())
def test_twice_is_as_once(text):
    assert redaction.path(redaction.path(text)) == redaction.path(text)


@pytest.mark.parametrize(
    ("address", "reduced"),
    [
        ("https://api.venue.com/api/v3/order?symbol=X&signature=abc", "https://api.venue.com/api/v3/order"),
        ("https://key:secret@api.venue.com:8443/v1/x#frag", "https://api.venue.com:8443/v1/x"),
        ("https://k@e:y@host/", "https://host/"),
        ("wss://stream.venue.com/ws/" + "k3y" * 20, "wss://stream.venue.com/ws/{id}"),
        ("http://[::1]:8080/accounts/9/x", "http://[::1]:8080/accounts/{id}/x"),
        ("http://[::1", "{id}"),
        ("/accounts/9?signature=1", "/accounts/{id}"),
    ],
)
def test_an_address_keeps_its_host_and_its_words(address, reduced):
    assert redaction.url(address) == reduced


MESSAGES = [
    (
        "Max retries exceeded with url: /accounts/1234567/orders?symbol=X&signature=s3cr3t (Caused by X('<x>: [Errno 111] no'))",
        "Max retries exceeded with url: /accounts/{id}/orders (Caused by X('<x>: [Errno 111] no'))",
    ),
    ("401 for https://u:s3cr3t@h/accounts/1234567/x?k=s3cr3t, sorry", "401 for https://h/accounts/{id}/x sorry"),
    ("{'apiKey': 's3cr3t', 'x': 1}", "{'apiKey': [redacted], 'x': 1}"),
    ('{"api_key":"s3cr3t","x":1}', '{"api_key":[redacted],"x":1}'),
    ("X-MBX-APIKEY: s3cr3t", "X-MBX-APIKEY: [redacted]"),
    ("Authorization: Bearer s3cr3t.x", "Authorization: [redacted]"),
    ("'Authorization': 'Bearer s3cr3t'", "'Authorization': [redacted]"),
    ("authorization: Basic s3cr3t==", "authorization: [redacted]"),
    ("API-Sign=s3cr3t&nonce=5", "API-Sign=[redacted]&nonce=5"),
    ("sign=s3cr3t", "sign=[redacted]"),
    ("KC-API-PASSPHRASE: s3cr3t", "KC-API-PASSPHRASE: [redacted]"),
    ("client_secret=s3cr3t", "client_secret=[redacted]"),
    ("listenKey = s3cr3t", "listenKey = [redacted]"),
    ("password:s3cr3t", "password:[redacted]"),
]


@pytest.mark.parametrize(("text", "reduced"), MESSAGES)
def test_a_message_keeps_its_sense_and_loses_its_secrets(text, reduced):
    assert redaction.message(text) == reduced
    assert "s3cr3t" not in reduced


@pytest.mark.parametrize(
    "text",
    [
        "design: good",
        "ratio 3/4, a/b or n/a",
        "[Errno 13] Permission denied: '/var/lib/bot/ledger.db'",
        "signed 5 orders",
        "token is missing",
    ],
)
def test_a_harmless_message_stays_whole(text):
    assert redaction.message(text) == text


def test_a_traceback_keeps_the_names_of_files():
    text = 'Traceback:\n  File "/opt/bot-2/site-packages/x1y2z3/a.py", line 5, in f\n    get(url)\nOSError: /accounts/123/x?signature=1\n'
    assert redaction.trace(text) == text.replace("123/x?signature=1", "{id}/x")


@pytest.mark.parametrize(
    "text", ["-" * 100_000, "a" * 100_000, "/" * 100_000, "apikey" * 20_000, "'" * 100_000, "https://" * 10_000]
)
def test_a_long_message_takes_no_long_time(text):
    begun = time.process_time()
    redaction.message(text)
    assert time.process_time() - begun < 5
