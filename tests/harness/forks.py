"""What programs of tests fork with, so that each of them says only what its child does."""

from __future__ import annotations

FORKED = """
import warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # Python 3.12 says what we test
import os, signal, sys, threading, traceback
from contextlib import ExitStack, contextmanager

@contextmanager
def held(*locks):
    "Let another thread hold the locks meanwhile."
    holding, go = threading.Event(), threading.Event()
    def hold():
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            holding.set()
            go.wait()
    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait()
    yield
    go.set()
    holder.join()

def forked(job, end=os._exit):
    "Run the job in a child and return its exit status; one that waits for ever is ended."
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(60)
    try:
        job()
        status = 0
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    end(status)
"""
"""Begins a program: `forked(job)` returns how the child ended, `held(*locks)` is a context in which another thread has them."""
