"""What the decorators of coroutine functions cost beyond those of plain functions."""

from __future__ import annotations

from benchmarks.cases.calls import INFERENCE, TIMED, Calls
from benchmarks.cases.orders import ORDER, Orders
from benchmarks.processes import Worker
from benchmarks.results import OURS, STOCK, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale


def run(scale: Scale) -> Outcome:
    """Measure both variants of each decorator, in the same round of the same process."""
    outcome = Outcome(
        "async",
        "Async variants",
        "Nanoseconds that the decorator adds to an awaited call, beyond a coroutine that only awaits the function, and how "
        "much more that is than what it adds to a plain call in the same round.",
    )
    calls = {"calls": scale.calls}
    sides = {
        TIMED: Side(OURS, Calls, {"name": "ours", "way": "timed", **calls}),
        INFERENCE: Side(OURS, Calls, {"name": "ours", "way": "inference", **calls}),
        ORDER: Side(OURS, Orders, {"name": "ours", **calls}),
        f"{TIMED} by hand": Side(STOCK, Calls, {"name": "stock", "way": "by_hand", **calls}),
    }

    def both(worker: Worker, _: Side) -> tuple[float, float]:
        return worker.call("round", blocks=scale.blocks), worker.call("awaited_round", blocks=scale.blocks)

    found = in_turn(list(sides.values()), both, rounds=scale.rounds, processes=scale.processes)
    for what, side in sides.items():
        outcome.add(f"{what}, awaited", side.library, [awaited for _, awaited in found[side]], "ns")
        outcome.add(f"{what}, more than plain", side.library, [awaited - plain for plain, awaited in found[side]], "ns")
        if side.library == OURS:
            outcome.reach(f"{what}, more than plain", 150, "ns")
    return outcome
