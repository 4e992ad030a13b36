"""What is done around each operation on an order: what is known when it is sent, and what its answer says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast, get_args

from opentelemetry.trace import SpanKind

from otel_trading import tracing
from otel_trading.decorators import spans
from otel_trading.decorators.arguments import Reader, Request
from otel_trading.decorators.spans import OpenSpan
from otel_trading.errors import CircuitOpen, ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.clock import WALL
from otel_trading.orders import Report, classify, read_event, vocabulary
from otel_trading.recording.calls import account_name
from otel_trading.recording.order_series import Context
from otel_trading.recording.orders import AccountLike, OrderRecorder, Terms, finite, recorders, waiting
from otel_trading.recording.orders import Request as Meant
from otel_trading.recording.series import Table
from otel_trading.semconv import attributes as a
from otel_trading.semconv.attributes import OrderOperation as Operation
from otel_trading.semconv.attributes import OrderRejectReason, OrderSide, OrderStatus, OrderType

_MOST_ORDERS: Final = 1_000
"""Orders of one answer that are read."""

Errors: TypeAlias = "Mapping[type[BaseException] | str, OrderRejectReason]"
"""Exception classes, or their names, that mean a rejection, and its reason."""

_HeadKey: TypeAlias = "tuple[str | None, str | None, str | None, str | None, bool]"


class BreakerLike(Protocol):
    """What a circuit breaker is here: something that is asked before an order is sent, as `otel_trading.CircuitBreaker` is."""

    def allow(self, *, reduce_only: bool = False) -> object:
        """Let an order pass, or raise `otel_trading.CircuitOpen`; `reduce_only` is only given where it is true."""
        ...

    def ordered(self, status: OrderStatus, /) -> object:
        """Take what became of an order that was let pass."""
        ...


class Settings(NamedTuple):
    """What a decorator was told, checked."""

    venue: str | None
    strategy: str | None
    operation: Operation
    terms: Terms
    account: str | None
    symbol: str | None
    side: OrderSide | None
    type: OrderType | None
    result: Callable[[Any], object] | None
    errors: Mapping[str, OrderRejectReason]
    breaker: BreakerLike | None = None


def settings(
    *,
    venue: str | None,
    strategy: str | None,
    currency: str | None,
    account: AccountLike | None,
    operation: Operation,
    symbol: str | None,
    side: str | None,
    order_type: str | None,
    result: Callable[[Any], object] | None,
    errors: Errors | None,
    multiplier: float,
    breaker: BreakerLike | None = None,
    timeout: float | None = None,
    grace: float | None = None,
) -> Settings:
    """Check what a decorator was told; raises `ConfigurationError` for what cannot be meant."""
    operations = get_args(Operation)
    if operation not in operations:
        raise ConfigurationError(f"operation is one of {', '.join(operations)}, not {operation!r}")
    meant = vocabulary.side(side)
    if side is not None and meant is None:
        raise ConfigurationError(f"side is buy or sell, not {side!r}")
    if not multiplier > 0:
        raise ConfigurationError(f"multiplier is the units of the instrument in one contract, not {multiplier!r}")
    if account is not None and not callable(getattr(account, "fill", None)):
        raise ConfigurationError(f"account is an Account, or has its method fill, not {account!r}")
    if breaker is not None and not (callable(getattr(breaker, "allow", None)) and callable(getattr(breaker, "ordered", None))):
        raise ConfigurationError(f"breaker is a CircuitBreaker, or has its methods allow and ordered, not {breaker!r}")
    reasons = a.ORDER_REJECT_REASON_VALUES
    named: dict[str, OrderRejectReason] = {
        kind if isinstance(kind, str) else kind.__name__: reason for kind, reason in (errors or {}).items()
    }
    if strange := sorted({str(reason) for reason in named.values()} - set(reasons)):
        raise ConfigurationError(
            f"errors: {', '.join(strange)} is no reason of a rejection; the reasons are {', '.join(reasons)}"
        )
    return Settings(
        venue,
        strategy,
        operation,
        Terms(
            currency,
            account,
            multiplier,
            timeout=None if timeout is None else waiting("order_execution: timeout", timeout, 1e-9),
            grace=None if grace is None else waiting("order_execution: grace", grace, 0.0),
        ),
        None if account is None else account_name(account),
        symbol,
        meant,
        None if order_type is None else vocabulary.order_type(order_type),
        result,
        named,
        breaker,
    )


_Sent: TypeAlias = "tuple[OrderRecorder, tuple[object, ...], Request | None, OpenSpan | None, float | None]"
"""An operation that was begun: its recorder, what the request can be read from, the request if it was read, the span, and when
it began by a clock that the bot gave."""


class OrderOperation:
    """The hooks of one decorated function, or of one block."""

    def __init__(self, chosen: Settings, reader: Reader | None, *, current: bool) -> None:
        self._chosen = chosen
        self._reader = reader
        self._current = current
        self._submits = chosen.operation == "submit"
        self._direct = reader is not None and reader.direct
        self._refers = reader is not None and (reader.refers or not self._submits)
        self._by_totals = self._submits and chosen.result is None and not self._refers
        """Whether there is nothing to know of a filled order but its totals."""
        self.guarded = chosen.breaker is not None and self._submits
        """Whether a breaker is asked before an order is sent."""
        self._exits = self.guarded and reader is not None and reader.exits
        self._recorders = recorders(chosen.terms)
        self._by_heads: Table[_HeadKey, OrderRecorder] = Table(self._recorder_of_heads)

    def guard(self, *inputs: Any) -> None:
        """Ask the breaker whether an order may be sent; raises `CircuitOpen` if it says no."""
        self._ask(lambda: self._read(inputs[-1]), reduces=self._exits and self._reduces(inputs[-1]))

    def guard_with(self, request: Request, *, reduces: bool) -> None:
        """The same where the request is known, and whether it can only make a position smaller."""
        self._ask(lambda: request, reduces=reduces)

    def _ask(self, request: Callable[[], Request], *, reduces: bool) -> None:
        breaker = self._chosen.breaker
        if breaker is None or not self._submits:
            return
        try:
            if reduces:
                breaker.allow(reduce_only=True)
            else:
                breaker.allow()
        except CircuitOpen:
            self._refused(request)
            raise
        except Exception as fault:  # noqa: BLE001 - a breaker of the bot's own that fails is none that refuses
            faults.report("breaker", fault)

    def _reduces(self, rest: tuple[object, ...]) -> bool:
        with faults.containing("order_execution.breaker"):
            return self._reader is not None and self._reader.reduces(rest)
        return False

    @faults.contained("order_execution.breaker")
    def _refused(self, request: Callable[[], Request]) -> None:
        """Count an order that the breaker refused, and that was never sent."""
        self._recorders[self._context(request())].ended("rejected", "risk_limit", ())

    @faults.contained("order_execution.breaker")
    def _ordered(self, status: OrderStatus | None) -> None:
        breaker = self._chosen.breaker
        if breaker is not None and status is not None:
            breaker.ordered(status)

    def begin(self, venue: Any, symbol: Any, side: Any, kind: Any, price: Any, rest: tuple[object, ...]) -> _Sent:
        """Count what is sent; the arguments are the `inputs` of the reader."""
        if (
            self._direct
            and tracing.provider.delegate is None
            # A call whose arguments are plain text is looked up as it is; other objects have a say in how they compare.
            and (type(symbol) is str or symbol is None)
            and (type(side) is str or side is None)
            and (type(kind) is str or kind is None)
            and (type(venue) is str or venue is None)
        ):
            found = self._by_heads[venue, symbol, side, kind, price is None]
            if self._submits:
                found.series.submissions.add()
            clock = found.memory.clock
            return found, rest, None, None, None if clock.now is WALL else clock.moment()
        return self.begin_with(self._read(rest))

    def begin_with(self, request: Request) -> _Sent:
        """Count what is sent, as `request` says it."""
        found = self._recorders[self._context(request)]
        if self._submits:
            found.series.submissions.add()
        span = self._span(found.context, request) if tracing.enabled() else None
        clock = found.memory.clock
        return found, (), request, span, None if clock.now is WALL else clock.moment()

    def ended(self, result: object, seconds: float, sent: _Sent | None) -> OrderStatus | None:
        """Record what the operation returned, and return the status that it says."""
        if sent is None:
            return None
        found, rest, request, span, began = sent
        whole = found.whole
        if whole is not None and span is None and self._by_totals and whole.record(result, seconds):
            return "filled"
        operation, convert = self._chosen.operation, self._chosen.result
        answer = result if convert is None else _converted(convert, result)
        if operation == "cancel_all" and type(answer) in {list, tuple}:
            found.listed(operation, seconds, [read_event(each) for each in cast("Sequence[object]", answer)[:_MOST_ORDERS]])
            if span is not None:
                span.end({})
            return None
        report = read_event(answer)
        if request is None and (self._refers or report.status not in vocabulary.TERMINAL or report.quantity is None):
            request = self._read(rest)
        if self._submits and report.understood and not (report.stated or report.filled or report.symbol):
            found.acknowledged(seconds, report, _meant(request, began))  # sent or acknowledged, and no more is known
        else:
            if self._submits and not report.understood:
                _not_understood(result)
            found.returned(operation, seconds, report, _meant(request, began))
        if span is not None:
            span.end(_answer(report))
        return report.status

    def failed(self, error: BaseException, seconds: float, sent: _Sent | None) -> OrderStatus | None:
        """Record what the operation raised, and return the status that it means."""
        if sent is None:
            return None
        found, rest, request, span, began = sent
        failure = classify(error, self._chosen.errors)
        if request is None and self._submits:
            request = self._read(rest)
        found.failed(self._chosen.operation, seconds, failure, _meant(request, began))
        if span is not None:
            known = {a.ORDER_STATUS: failure.status, a.ORDER_REJECT_REASON: failure.reject_reason}
            span.end(known if self._submits else None, failure.error_type)
        return failure.status

    def ended_guarded(self, result: object, seconds: float, sent: _Sent | None) -> None:
        """Record what the operation returned, and tell the breaker."""
        self._ordered(self.ended(result, seconds, sent))

    def failed_guarded(self, error: BaseException, seconds: float, sent: _Sent | None) -> None:
        """Record what the operation raised, and tell the breaker."""
        self._ordered(self.failed(error, seconds, sent))

    def _read(self, rest: tuple[object, ...]) -> Request:
        return Request() if self._reader is None else self._reader.read(rest)

    def _recorder_of_heads(self, heads: _HeadKey) -> OrderRecorder:
        venue, symbol, side, kind, unpriced = heads
        said = "limit" if kind is None and not unpriced else kind
        known = None if said is None else vocabulary.order_type(said)
        return self._recorders[self._context(Request(venue, symbol, vocabulary.side(side), known))]

    def _context(self, request: Request) -> Context:
        chosen = self._chosen
        return Context(
            chosen.venue or request.venue or "unknown",
            chosen.strategy,
            chosen.account,
            request.symbol or chosen.symbol,
            request.side or chosen.side,
            request.type or chosen.type,
        )

    def _span(self, context: Context, request: Request) -> OpenSpan:
        operation = self._chosen.operation
        known = {
            a.VENUE_NAME: context.venue,
            a.ORDER_OPERATION: operation,
            a.STRATEGY_NAME: context.strategy,
            a.INSTRUMENT_SYMBOL: context.symbol,
            a.ORDER_SIDE: context.side,
            a.ORDER_TYPE: context.type,
            a.ORDER_ID: request.order_id,
            a.ORDER_CLIENT_ID: request.client_id,
            a.ORDER_QUANTITY: request.quantity,
            a.ORDER_PRICE: request.price,
            a.ORDER_TIME_IN_FORCE: request.time_in_force,
            a.ORDER_SHORT_SALE: request.short_sale,
        }
        return spans.start(f"{operation} {context.venue}", SpanKind.CLIENT, known, current=self._current)


_NOTHING: Final = Meant()


def _meant(request: Request | None, began: float | None) -> Meant:
    """What is known of the order that is meant."""
    if request is None:
        return _NOTHING if began is None else Meant(began=began)
    return Meant(finite(request.reference_price), finite(request.quantity), request.order_id, request.client_id, began)


def _answer(report: Report) -> dict[str, object]:
    """The attributes of a span that the answer says."""
    return {
        a.ORDER_STATUS: report.status,
        a.ORDER_REJECT_REASON: report.reject_reason,
        a.ORDER_ID: report.id,
        a.ORDER_CLIENT_ID: report.client_id,
        a.ORDER_FILLED_QUANTITY: report.filled,
        a.ORDER_AVERAGE_PRICE: report.average,
    }


@faults.contained("order_execution.result")
def _converted(convert: Callable[[Any], object], result: object) -> object:
    return convert(result)


def _not_understood(result: object) -> None:
    kind = type(result).__name__
    faults.log_once(
        ("order result", kind),
        "otel_trading: an order's result of type %s says nothing that we understand, so the order counts as unknown; "
        "give order_execution a `result=` function that returns a dict with its id and status",
        kind,
    )
