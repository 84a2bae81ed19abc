"""Rows in which the process may use every processor, in a process of their own.

    python -m native_rows.all_processors networks 20

Libraries decide at their start how many threads they have. The arguments are a module that has
``rows_on_all_processors``, and how many rounds, or "quick".
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from native_rows.measuring import Options, Table


def run(group: str, options: Options) -> None:
    """Print the rows of a module, from a new process."""
    rounds = "quick" if options.quick else str(options.rounds)
    sys.stdout.flush()
    command = [sys.executable, "-m", "native_rows.all_processors", group, rounds]
    subprocess.run(command, cwd=Path(__file__).parent.parent, check=True)


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    group, rounds = sys.argv[1:]
    quick = rounds == "quick"
    options = Options(1 if quick else int(rounds), quick)
    import_module(f"native_rows.{group}").rows_on_all_processors(Table(options), options)


if __name__ == "__main__":
    main()
