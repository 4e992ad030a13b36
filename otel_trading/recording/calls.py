"""The plain recording calls: for code that has the numbers already. None of them ever raises into its caller."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from otel_trading import metrics
from otel_trading.metrics import faults
from otel_trading.metrics.clock import process
from otel_trading.orders import Fill, error_type, vocabulary
from otel_trading.orders.reading import amount
from otel_trading.recording import inference, market_data
from otel_trading.recording.drift import Drift, watched
from otel_trading.recording.operations import error_series, severity_of
from otel_trading.recording.order_series import Context
from otel_trading.recording.orders import Terms, recorders
from otel_trading.recording.series import Table, select
from otel_trading.recording.strategy import direction_of
from otel_trading.recording.streams import stream_state
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.attributes import OrderOperation

_SIGNALS = metrics.counter(m.SIGNALS)
_MESSAGES = metrics.counter(m.STREAM_MESSAGES)
_ALERTS = metrics.counter(m.ALERTS)

_recorders = Table(recorders)
"""The recorders of what is told without an account object, by its terms."""

StreamEvent: TypeAlias = Literal["connected", "disconnected", "reconnected", "message"]


@faults.contained("record_order")
def record_order(
    *,
    venue: str,
    side: object,
    type: object,  # noqa: A002 - the public name of an order's type
    status: object,
    symbol: str | None = None,
    latency: object = None,
    strategy: str | None = None,
    account: str | None = None,
    reject_reason: object = None,
    order_id: str | None = None,
    operation: OrderOperation = "submit",
) -> None:
    """Record an order that was sent, and what became of it.

    It counts as one submission; `latency`, in seconds, goes to the duration, and a `status` in which an order ends (or
    `unknown`) to the orders. `side`, `type` and `status` are words of the vocabulary or of a library that it knows. Tell the
    same order again, when it has ended, with the `order_id` it had before: its submission and each of its ends count once.
    """
    if not metrics.active():
        return
    said = vocabulary.status(status)
    context = Context(venue, strategy, account, symbol, vocabulary.side(side), vocabulary.order_type(type))
    found = _recorders[Terms()][context]
    reason = None if reject_reason is None else vocabulary.reject_reason(reject_reason)
    found.stated(operation, said, reason, order_id, latency)


@faults.contained("record_fill")
def record_fill(
    *,
    venue: str,
    symbol: str,
    side: object,
    quantity: object,
    price: object,
    fee: object = 0,
    currency: str | None = None,
    liquidity: object = None,
    fee_currency: str | None = None,
    execution_id: str | None = None,
    strategy: str | None = None,
    account: Any = None,
    multiplier: float = 1,
) -> None:
    """Record a fill: its count, its money value, and its fee, or its rebate if `fee` is negative.

    `currency` is that of `price`; where it is None it is taken from a symbol such as `BTC/USDT`, and `fee_currency` from
    `currency`. A fill whose `execution_id` is known already is not recorded again. `account` is the name of one, or an
    `Account`, which then gets the fill too. `multiplier` is the units of the instrument in one contract.
    """
    bought, paid_for, paid = amount(quantity), amount(price), amount(fee)
    if bought is None or paid_for is None:
        faults.drop("not_a_number", "record_fill: quantity or price is no finite number; the fill was dropped", about=venue)
        return
    keeper = None if isinstance(account, str) else account
    if keeper is None and not metrics.active():
        return
    name = account if isinstance(account, str) else account_name(account)
    fill = Fill(
        bought,
        paid_for,
        execution_id,
        vocabulary.liquidity(liquidity),
        ((paid, fee_currency),) if paid else (),
    )
    context = Context(venue, strategy, name, symbol, vocabulary.side(side))
    terms = Terms(None, keeper, multiplier, fill_currency=currency)
    known = _recorders[terms] if keeper is None else recorders(terms)
    known[context].filled(fill)


@faults.contained("record_inference")
def record_inference(
    seconds: object,
    *,
    model: str,
    version: str | None = None,
    label: object = None,
    score: object = None,
    strategy: str | None = None,
    symbol: str | None = None,
    error: BaseException | str | None = None,
    drift: Drift | None = None,
) -> None:
    """Record one inference that took `seconds`, and the `label` or `score` that it predicted, or the `error` it ended with.

    Labels beyond the first 20 distinct ones of a model are `other`. A score is recorded by its size and its sign. With `drift`
    either is compared with its reference, too.
    """
    known = inference.Model(model, version, strategy, symbol)
    found = inference.series[known] if drift is None else watched[known, drift.of(model, version, strategy)]
    if error is not None:
        found.failures[error_type(error)].record(seconds)
        return
    found.duration.record(seconds)
    if score is not None:
        found.scored(score)
    if label is not None or score is None:
        found.labelled(label)


@faults.contained("record_signal")
def record_signal(strategy: str, direction: object, *, symbol: str | None = None) -> None:
    """Count a signal of a strategy: to be `long`, `short` or `flat` (also as buy, sell, hold, or 1, -1, 0)."""
    known = {
        a.STRATEGY_NAME: strategy,
        a.SIGNAL_DIRECTION: direction_of(direction),
        a.INSTRUMENT_SYMBOL: symbol,
    }
    _SIGNALS.add(1, select(m.SIGNALS, known))


@faults.contained("record_market_data")
def record_market_data(stream: str, *, venue: str, symbol: str | None = None, at: float | None = None) -> None:
    """Record that market data came over a stream, just now or at the unix time `at` (seconds): its time, and one message."""
    _MESSAGES.add(1, {a.VENUE_NAME: venue, a.STREAM_NAME: stream})
    market_data.updated((venue, stream, symbol), process.now() if at is None else at)


@faults.contained("record_stream_event")
def record_stream_event(stream: str, event: StreamEvent, *, venue: str) -> None:
    """Record what happened to a stream.

    - `connected`: it is connected; a reconnect if it was connected before and has been lost since;
    - `disconnected`: it was lost (telling it again changes nothing);
    - `reconnected`: it was lost and is connected again;
    - `message`: a message came that is not market data (for that there is `record_market_data`).
    """
    if event == "message":
        _MESSAGES.add(1, {a.VENUE_NAME: venue, a.STREAM_NAME: stream})
    else:
        stream_state.changed(venue, stream, event)


@faults.contained("end_market_data")
def end_market_data(stream: str, *, venue: str, symbol: str | None = None) -> None:
    """Say that no more market data is expected (the bot unsubscribed): its time is no longer shown, and nobody waits for it."""
    market_data.ended((venue, stream, symbol))


@faults.contained("record_alert")
def record_alert(severity: object, *, strategy: str | None = None) -> None:
    """Count an alert that the bot raised: `critical`, `warning` or `info`, or a word that logging has for one of them."""
    _ALERTS.add(1, {a.ALERT_SEVERITY: severity_of(severity), a.STRATEGY_NAME: strategy})


@faults.contained("record_error")
def record_error(component: str, error: BaseException | type[BaseException] | str) -> None:
    """Count an error of a part of the bot; `error` is an exception, its class, or a word of a bounded set."""
    error_series[component, error_type(error)].add()


def account_name(account: object) -> str | None:
    """Return the name of an account that fills go to, if it has one."""
    name = getattr(account, "name", None)
    return name if isinstance(name, str) else None
