"""A child process that holds one library and measures on command: a line of JSON in, a line of JSON out.

It needs nothing but the standard library, so that it runs in the environment of any library that is measured.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    module, name, cpus, options = sys.argv[1:]
    # Answers go where stdout was; what a library prints must not get among them.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if cpus:
        os.sched_setaffinity(0, map(int, cpus.split(",")))
    case: Any = None
    for line in sys.stdin:
        method, arguments = json.loads(line)
        try:
            if case is None:
                case = getattr(importlib.import_module(module), name)(**json.loads(options))
            answer = {"result": getattr(case, method)(**arguments)}
        except BaseException:  # noqa: BLE001 - it is the parent that raises it
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
