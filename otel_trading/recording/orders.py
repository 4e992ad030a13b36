"""Turns what became of an operation on an order into metrics: for the decorators and for the plain calls alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

from otel_trading.errors import ConfigurationError
from otel_trading.metrics.values import as_float
from otel_trading.orders import Failure, Known, Outcome, Report, seen
from otel_trading.orders.reading import Amount
from otel_trading.orders.tracker import Sink
from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.recording.order_fills import AccountLike, FillRecorder, Terms
from otel_trading.recording.order_series import Context
from otel_trading.recording.series import Table
from otel_trading.semconv.attributes import OrderLeg, OrderOperation, OrderRejectReason, OrderSide, OrderStatus, OrderType

__all__ = ["AccountLike", "OrderRecorder", "Request", "Terms", "finite", "recorders", "waiting"]


class Request(NamedTuple):
    """What is known of an order, or of the one that is meant, when an operation on it begins."""

    reference: float | None = None
    """The price that was meant when the order was decided."""
    quantity: float | None = None
    order_id: str | None = None
    client_id: str | None = None
    began: float | None = None
    """When the operation began by a clock that the bot gave, in unix seconds; the system's is not read for it."""


class OrderRecorder(FillRecorder):
    """Records the orders of one context under one set of terms: what operations on them say, and what becomes of them."""

    __slots__ = ()

    def returned(self, operation: OrderOperation, seconds: float, report: Report, request: Request = Request()) -> None:  # noqa: B008 - immutable
        """Record that an operation on the order that was meant returned, after `seconds`, what `report` says."""
        known = self.completed(report)
        submitted = operation == "submit"
        status = report.status if submitted or report.stated else None
        known.series.durations[operation, status, None].record(seconds)
        if submitted:
            known.submitted(seconds, report, request)
        else:
            known.told(operation, report, request)

    def listed(self, operation: OrderOperation, seconds: float, reports: Sequence[Report]) -> None:
        """Record that an operation on several orders returned what became of each."""
        self.series.durations[operation, None, None].record(seconds)
        for report in reports:
            self.completed(report).told(operation, report, Request())

    def failed(
        self,
        operation: OrderOperation,
        seconds: float,
        failure: Failure,
        request: Request = Request(),  # noqa: B008 - immutable
    ) -> None:
        """Record that an operation raised; only a submission says something about the order itself."""
        self.series.durations[operation, None, failure.error_type].record(seconds)
        if operation == "submit":
            keys = () if request.client_id is None else (request.client_id,)
            known = self._known(request, seconds) if failure.status == "unknown" else None
            followed = self.memory.life(*keys)
            if self.ended(failure.status, failure.reject_reason, keys, known) and known is None and followed is None:
                self._filled_of(0.0, request.quantity)

    def acknowledged(self, seconds: float, report: Report, request: Request) -> None:
        """Record that the submission of an order returned no more than that it was sent, or its id."""
        self.series.durations["submit", report.status, None].record(seconds)
        self._follow(report, request, seconds)

    def stated(
        self,
        operation: OrderOperation,
        status: OrderStatus,
        reason: OrderRejectReason | None,
        order: str | None,
        seconds: Any,
    ) -> None:
        """Take the status of an order that somebody knows: `seconds` is how long the operation took, None if nobody knows."""
        submitted = operation == "submit"
        if submitted and (order is None or self.memory.submission(order)):
            self.series.submissions.add()
        if seconds is not None:
            self.series.durations[operation, status, None].record(seconds)
        keeper = self if submitted or order is None else self.keeper(order)
        keys = () if order is None else (order,)
        if status in TERMINAL or status == "unknown":
            keeper.ended(status, reason, keys)
        elif keys:
            now, took = self.memory.clock.stamp(), finite(seconds)
            known = Known(submitted=now - took, at=now) if submitted and took is not None and took >= 0 else Known()
            keeper.memory.tell(keys, keeper, status, known)

    def ended(
        self, status: OrderStatus, reason: OrderRejectReason | None, keys: Sequence[str], known: Known | None = None
    ) -> bool:
        """Count an order that ended, or whose fate is unknown; with an id, each end counts once. Return whether it counted."""
        nameless = not keys and status != "unknown"
        counts = nameless or self.memory.tell(keys, self, status, known)
        if counts:
            owner = cast("OrderRecorder | None", self.memory.owner(*keys)) or self
            owner.series.ends[status, (reason or "other") if status == "rejected" else None].add()
        return counts

    def joined(self, other: Sink) -> OrderRecorder:
        """The recorder of what this one and the `other` one know of an order."""
        mine, its = self.context, cast("OrderRecorder", other).context
        return self.of(mine.symbol or its.symbol, mine.side or its.side, mine.type or its.type)

    def leg(self, leg: OrderLeg, seconds: float) -> None:
        """Record a leg of an order's life."""
        self.series.legs[leg].record(seconds)

    def timed_out(self) -> None:
        """Count an order that is unknown because no answer came in time."""
        self.series.ends["unknown", None].add()

    def closed(self, outcome: Outcome) -> None:
        """Record how much of an order that was followed was filled, and how far from what was meant."""
        self._filled_of(outcome.filled, outcome.quantity)
        if outcome.reference is not None and outcome.average is not None:
            self.slipped(outcome.filled, outcome.average, outcome.reference)

    def completed(self, report: Report) -> OrderRecorder:
        """The recorder of what the report says, too, where it was not known when the order was sent."""
        context = self.context
        if context.symbol is not None and context.side is not None and context.type is not None:
            return self
        symbol, side, kind = context.symbol or report.symbol, context.side or report.side, context.type or report.type
        return self if (symbol, side, kind) == context[3:] else self.of(symbol, side, kind)

    def of(self, symbol: str | None, side: OrderSide | None, kind: OrderType | None) -> OrderRecorder:
        """The recorder of such orders of the same venue, strategy and account."""
        context = self.context._replace(symbol=symbol, side=side, type=kind)
        return self if context == self.context else self._others[context]

    def submitted(self, seconds: float, report: Report, request: Request) -> None:
        """Take the answer to a submission."""
        status, order = report.status, report.id
        if status not in TERMINAL:
            self.count(report, self.terms.account)
            if status == "unknown":
                keys = _ids(report, request)
                self.ended(status, None, keys, self._known(request, seconds, report))
            else:
                self._follow(report, request, seconds)
            return
        followed = None if order is None else self.memory.life(order, request.client_id)
        self.count(report, self.terms.account)
        if order is None:
            counts = True
        else:
            keys = _ids(report, request) if followed else (order,)
            # What is told of it later, by somebody who does not know whose it is, is of its account.
            counts = self.memory.tell(keys, self, status, sent=True, kept=self.terms.account is not None)
        if counts:
            self.series.ends[status, (report.reject_reason or "other") if status == "rejected" else None].add()
            if followed is None:
                quantity = request.quantity if report.quantity is None else report.quantity
                self._filled_of(report.filled if report.filled is not None or status != "filled" else quantity, quantity)
            if request.reference is not None and (followed is None or followed.known.reference is None):
                self.slipped(report.filled, report.average, request.reference)

    def told(self, operation: OrderOperation, report: Report, request: Request) -> None:
        """Take what an operation on an order that was sent before says of it."""
        order = report.id or request.order_id
        if order is None:
            return  # it could be one that was counted before
        meant = (order, request.client_id, request.order_id)
        keeper = self.keeper(*meant).completed(report)
        life = keeper.memory.life(*meant)
        status, stated = report.status, report.stated or bool(report.filled)
        keys = _ids(report, request) if report.id else [order]
        if operation == "edit" and request.order_id not in (None, order):
            # The venue has put another order in its place: it goes on under the new id.
            keeper.ended("canceled", None, [request.order_id])
            keys, stated, life = [order], True, None
        elif not stated and life is not None and operation in _PENDING:
            # It was asked for; whether it comes to pass is still to be said.
            status, stated = _PENDING[operation], True
        if report.id is None:
            report = replace(report, id=order)
        keeper.count(report, keeper.terms.account_or(self.terms.account))
        if not stated or status == "unknown":
            return
        quantity = request.quantity if report.quantity is None else finite(report.quantity)
        refers, followed = life is not None and life.known.reference is not None, keeper.memory.life(*keys)
        more = None if status in TERMINAL else Known(quantity, timeout=self.terms.timeout, grace=self.terms.grace)
        if keeper.memory.tell(keys, keeper, status, more):
            keeper.series.ends[status, (report.reject_reason or "other") if status == "rejected" else None].add()
            if followed is None:
                filled = report.filled if report.filled is not None or status != "filled" else quantity
                keeper._filled_of(filled, quantity)  # noqa: SLF001 - one of ours
            if request.reference is not None and not refers:
                keeper.slipped(report.filled, report.average, request.reference)

    def keeper(self, *keys: str | None) -> OrderRecorder:
        """The recorder of the order with these ids: of what was said when it was sent, and of the account then."""
        owner = self.memory.owner(*keys)
        if owner is None and not self.memory.knows(*keys):
            place = seen.find(self.context.venue, self.context.account, *keys)
            if place is not None:
                account, memory = place
                owner = memory.owner(*keys) or self._others[self.context._replace(account=account)]
        return self if owner is None else cast("OrderRecorder", owner)

    def _filled_of(self, filled: Amount | None, quantity: Amount | None) -> None:
        """Record how much was filled of the `quantity` of an order that ended, if that is known."""
        ordered = finite(quantity)
        if ordered is not None and ordered > 0:
            self.series.fill_ratios.record(min(max((finite(filled) or 0.0) / ordered, 0.0), 1.0))

    def _follow(self, report: Report, request: Request, seconds: float) -> None:
        keys = _ids(report, request)
        if keys:
            self.memory.tell(keys, self, report.status, self._known(request, seconds, report), sent=True)

    def _known(self, request: Request, seconds: float, report: Report | None = None) -> Known:
        quantity = request.quantity if report is None or report.quantity is None else finite(report.quantity)
        now = self.memory.clock.stamp()
        began = now - seconds if request.began is None else request.began
        terms = self.terms
        return Known(quantity, request.reference, submitted=began, at=now, timeout=terms.timeout, grace=terms.grace)


_PENDING: Final[dict[OrderOperation, OrderStatus]] = {
    "cancel": "pending_cancel",
    "cancel_all": "pending_cancel",
    "edit": "pending_replace",
}
"""What an order is in whose cancellation or change was taken without a word on it."""


def _ids(report: Report, request: Request) -> list[str]:
    """The ids of an order; its own first."""
    return list(dict.fromkeys(key for key in (report.id, request.client_id or report.client_id) if key is not None))


def finite(number: object) -> float | None:
    """Return `number` as a float, None if it is none or too large for one."""
    found = as_float(number)
    return found if found is not None and math.isfinite(found) else None


def waiting(what: str, given: object, least: float) -> float:
    """Return how long to wait, in seconds; raises `ConfigurationError`, which names `what`, for anything else."""
    seconds = as_float(given)
    if seconds is None or not least <= seconds < math.inf:
        raise ConfigurationError(f"{what} is {given!r}, expected a {'positive' if least else 'non-negative'} number of seconds")
    return seconds


def recorders(terms: Terms) -> Table[Context, OrderRecorder]:
    """Return the recorders of orders under these terms, by context."""
    table: Table[Context, OrderRecorder] = Table(lambda context: OrderRecorder(context, terms, table))
    return table
