"""The ledger of a process: who has something to write, and the thread that writes it."""

from __future__ import annotations

import ctypes
import json
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from otel_trading import endings
from otel_trading.account.ledger.changes import Changes, Pending
from otel_trading.account.ledger.lock import locked
from otel_trading.account.ledger.schema import EXECUTIONS
from otel_trading.account.ledger.store import Key, Store
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import counter, faults
from otel_trading.metrics.worker import Worker
from otel_trading.semconv import attributes, metrics

_T = TypeVar("_T")

WAIT = 2.0
"""Seconds that anybody waits for the writer: a disk that hangs must not hang the bot."""

READ = 30.0
"""Seconds that an account which is being made waits for what it goes on from."""

_COPY_EVERY = 3600.0

_open: dict[Path, Ledger] = {}
_inherited: set[Path] = set()
_open_lock = threading.RLock()


class Ledger:
    """What of accounts and breakers survives a restart, in one SQLite file; `Ledger.open` returns it.

    A thread of its own asks every `flush_every` seconds what has changed and writes it in one transaction, so that a process
    that is killed loses at most that much. Whatever goes wrong with the file while the bot runs is counted and logged, and
    tried again.
    """

    def __init__(self, path: Path, flush_every: float, lock: FileLock) -> None:
        """Open the file, which `lock` keeps for this process; `Ledger.open` is what to call."""
        self.path = path
        self.flush_every = flush_every
        self._lock = lock
        self._store = Store(path, time.time())
        self._sources: dict[Key, Callable[[], Changes | None]] = {}
        self._pending: dict[Key, Pending] = {}
        self._shown: dict[str, Callable[[], None]] = {}
        self._changing = threading.RLock()
        self._state = "open"
        self._copied = -math.inf
        self._worker = Worker("ledger", every=flush_every, regular=self._write)
        self._worker.start()

    @classmethod
    def open(cls, path: str | Path, *, flush_every: float = 1.0) -> Ledger:
        """Open the ledger at `path`, made with its directory if there is none; the one that is open already, if there is.

        One file has one writer: it writes as often as the most demanding of those who opened it asks for.

        Raises `ConfigurationError` when it cannot be had: another process has it open, the file is another program's, of a
        newer version, damaged without a good copy, or cannot be written.
        """
        where = _resolved(path)
        _check_seconds(flush_every)
        with _open_lock:
            if where in _open:
                _open[where].hasten(flush_every)
                return _open[where]
            if where in _inherited:
                raise ConfigurationError(
                    f"ledger {where}: this process was forked from one that has it open; start it with spawn, "
                    "or open the ledger after the fork"
                )
            try:
                where.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"ledger {where}: its directory cannot be made, because {error}") from error
            lock = locked(where)
            try:
                _open[where] = ledger = cls(where, flush_every, lock)
            except BaseException:
                lock.release()
                raise
            return ledger

    @property
    def unclean_stops(self) -> int:
        """How often a process that had this ledger open ended without closing it, since there is the file."""
        return self._store.unclean_stops

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return the last state of what was kept under this kind and name; None if there is none.

        Raises `ConfigurationError` when it cannot be read: to go on from nothing would be a lie.
        """
        if (kind, name) in self._sources:
            self.flush()  # of an account that was made again in this process

        def read() -> str | None:
            waiting = self._pending.get((kind, name))
            return waiting.document if waiting and waiting.document else self._store.document((kind, name))

        found = self._answer(read)
        return None if found is None else json.loads(found)

    def executions(self, name: str) -> list[str]:
        """Return the ids of executions that were seen: the newest 50,000 of this account, the oldest first.

        Raises `ConfigurationError` when they cannot be read.
        """

        def read() -> list[str]:
            waiting = self._pending.get(("account", name))
            seen = [*self._store.executions(name), *(waiting.executions if waiting else ())]
            return list(dict.fromkeys(seen))[-EXECUTIONS:]

        return self._answer(read)

    def orders(self, name: str) -> list[Mapping[str, Any]]:
        """Return what was entered of the last 10,000 orders of this account; of several that share a name the last one counts.

        Raises `ConfigurationError` when they cannot be read.
        """

        def read() -> list[Mapping[str, Any]]:
            waiting = self._pending.get(("account", name))
            return [*self._store.orders(name), *(waiting.orders if waiting else ())]

        return self._answer(read)

    def keep(
        self, kind: str, name: str, changes: Callable[[], Changes | None], *, account: str | None = None
    ) -> Callable[[], None]:
        """Write what `changes` returns from now on; call what is returned to write it once more and end.

        `changes` is called in the writer's thread every `flush_every` seconds, at `flush()` and at the end; None means that
        nothing has changed. A second source of the same kind and name takes the place of the first. `account` is the name of
        the account on the metric of unclean stops; not given, it is `name` for the kind "account".
        """
        key = (kind, name)
        if self._state != "open":
            faults.log_once(("ledger", self.path), "otel_trading: ledger %s is %s; nothing is kept", self.path, self._state)
            return lambda: None
        with self._changing:
            self._sources[key] = changes
        self._show(account or (name if kind == "account" else None))

        def end() -> None:
            if self._sources.get(key) is changes and self._state == "open":
                self._on_worker(self._write)
                with self._changing:
                    if self._sources.get(key) is changes:
                        del self._sources[key]

        return end

    def flush_soon(self) -> None:
        """Let the writer write what has changed now rather than at its next turn; nobody waits for it."""
        self._submit(self._write)

    def flush(self) -> bool:
        """Write everything now; return whether it is in the file."""
        return self._state == "open" and bool(self._on_worker(self._write))

    def close(self) -> None:
        """Write everything, mark the stop as a clean one, and let another process have the file."""
        self.end()
        with self._changing:
            shown, self._shown = self._shown, {}
        for stop in shown.values():
            stop()

    def end(self) -> None:
        """As `close`, but the metric stays: what is exported last may be exported after this."""
        with _open_lock:
            with self._changing:
                if self._state != "open":
                    return
                ended = self._worker.submit(self._finish)
                self._worker.stop()
                self._state = "closed"
            _within(ended)
            if _open.get(self.path) is self:
                del _open[self.path]

    def hasten(self, flush_every: float) -> None:
        """Write every `flush_every` seconds from now on, if that is more often than until now."""
        with self._changing:
            if self._state != "open" or flush_every >= self.flush_every:
                return
            self.flush_every = flush_every
            before, self._worker = self._worker, Worker("ledger", every=flush_every, regular=self._write)
            before.submit(self._worker.start)  # its last job: two threads never use the file at once
            before.stop()

    def _show(self, account: str | None) -> None:
        """Export the number of unclean stops, once for each account."""
        if account is None:
            return
        with self._changing:
            if account not in self._shown:
                self._shown[account] = counter(metrics.SDK_UNCLEAN_STOPS).observe(
                    lambda: None if self._state == "inherited" else self.unclean_stops, {attributes.ACCOUNT_NAME: account}
                )

    def _submit(self, job: Callable[[], _T]) -> Future[_T | None] | None:
        """Let the writer's thread do it, which alone uses the file; None when that has ended."""
        with self._changing:
            return self._worker.submit(job) if self._state == "open" else None

    def _on_worker(self, job: Callable[[], _T]) -> _T | None:
        result = self._submit(job)
        return None if result is None else _within(result)

    def _answer(self, read: Callable[[], _T]) -> _T:
        result = self._submit(lambda: (read(),))
        answer = None if result is None else _within(result, READ)
        if answer is None:
            why = "it could not be read" if self._state == "open" else f"it is {self._state}"
            raise ConfigurationError(f"ledger {self.path}: {why}, so nothing can go on from what it has")
        return answer[0]

    def _write(self) -> bool:
        whole = self._ask()
        changed = self._writable()
        try:
            if changed:
                self._store.write(changed, time.time())
                for key in changed:
                    del self._pending[key]
            if time.monotonic() - self._copied > _COPY_EVERY:
                self._copy()
        except (OSError, sqlite3.OperationalError) as error:  # the disk is full, read-only or gone: tried again the next time
            faults.report("ledger", error, at=str(self.path))
        return whole and not self._pending

    def _ask(self) -> bool:
        """Hear what has changed, and return whether every source could say it."""
        with self._changing:
            sources = list(self._sources.items())
        heard = 0
        for key, changes in sources:
            with faults.containing("ledger"):
                found = changes()
                if found is not None:
                    self._pending.setdefault(key, Pending()).add(found)
                heard += 1
        return heard == len(sources)

    def _writable(self) -> dict[Key, Pending]:
        return {key: pending for key, pending in self._pending.items() if pending.document is not None}

    def _copy(self) -> None:
        self._copied = time.monotonic()
        self._store.copy()

    def _finish(self) -> None:
        """The last job: whatever fails, the file is free for another process."""
        try:
            whole = self._ask()
            changed = self._writable()
            self._store.write(changed, time.time(), clean=whole and len(changed) == len(self._pending))
            with faults.containing("ledger"):
                self._store.copy()
        finally:
            self._store.close()
            self._lock.release()

    def begin_in_child(self) -> None:
        """Write nothing in a process that forked: the file is the parent's."""
        if self._state == "open":
            self._state = "inherited"
            self._changing = threading.RLock()
            _inherited.add(self.path)
            # Never closed, not even when the interpreter ends: SQLite would tidy up what the parent works with.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._store.connection))


def _check_seconds(flush_every: object) -> None:
    if isinstance(flush_every, bool) or not isinstance(flush_every, (int, float)) or not 0 < flush_every < math.inf:
        raise ConfigurationError(f"ledger: flush_every is {flush_every!r}, expected seconds above 0")


def _resolved(path: object) -> Path:
    if not isinstance(path, (str, Path)) or not str(path).strip() or str(path).startswith(":memory:"):
        raise ConfigurationError(f"ledger: {path!r} is no path of a file")
    where = Path(path).expanduser().resolve()
    if where.is_dir():
        raise ConfigurationError(f"ledger {where} is a directory; name a file in it, such as {where / 'ledger.db'}")
    return where


def _within(result: Future[_T | None], timeout: float = WAIT) -> _T | None:
    """The result of the writer's job; None, and counted, when it takes too long."""
    try:
        return result.result(timeout)
    except FutureTimeoutError as slow:
        faults.report("ledger", slow)
        return None


def _close_all() -> None:
    """A process that ends by itself has stopped cleanly."""
    for ledger in list(_open.values()):
        with faults.containing("ledger"):
            ledger.end()


endings.register(_close_all)


def _begin_in_child() -> None:
    global _open_lock  # noqa: PLW0603 - a lock cannot be released by anybody but its owner
    _open_lock = threading.RLock()
    inherited = list(_open.values())
    _open.clear()
    for ledger in inherited:
        ledger.begin_in_child()


def _say_in_parent() -> None:
    for path in list(_open):
        faults.log_once(
            ("ledger", "fork", path),
            "otel_trading: this process forks and has the ledger %s open: its children keep nothing in it",
            path,
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child, after_in_parent=_say_in_parent)
