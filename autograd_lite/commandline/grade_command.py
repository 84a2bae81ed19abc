"""``python -m autograd_lite grade``: how well somebody else's engine does."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from autograd_lite.commandline.arguments import Parser
from autograd_lite.commandline.errors import UsageError
from autograd_lite.notation import printable
from autograd_lite.testing.grading.milestones import MILESTONES
from autograd_lite.testing.grading.report import Report, wrapped
from autograd_lite.testing.grading.runner import TIME_LIMIT, TIMES_IN_ALL, grade_file

DESCRIPTION = f"""\
Grade an autodiff engine of your own: a Python file with a class Value that has
data, grad, backward() and operators, as in micrograd. It is tried at
{len(MILESTONES)} milestones, from addition to deep graphs. Each is passed, failed (with the
smallest program that fails, what it should give, what it gave, and what is
probably wrong), or skipped for want of an operation, which is no failure.
"""

EPILOG = f"""\
The file runs in a process of its own, with an empty standard input; what it
prints is not shown. It is imported: what stands under
if __name__ == "__main__" does not run. A crash or an endless loop fails the
milestone at which it happens. After two milestones in a row that took too long,
the rest is not tried; the whole takes {TIMES_IN_ALL} times the time limit at most.

This is a grader, not a sandbox: the file runs with your rights and can do
whatever you can. Look at what you grade, or grade it in a container.

--json writes file, class, engine, passed, results and totals (milestones,
passed, failed, skipped). Each result has milestone, outcome ("passed", "failed"
or "skipped"), program, expected, got, diagnosis, cause (the diagnosis as one
word) and missing (operations). What there was no time to try is "failed", with
the cause "time". If the engine cannot be graded at all, the one result is the
failed milestone "import", and all milestones count as failed.

exit status: 0 if no milestone failed, 1 if one failed or the engine could not
be graded, 2 if the command was wrong, there is no such file or no process can
be started, 130 after Ctrl-C.
"""


def parser() -> Parser:
    """Return the parser of ``grade``."""
    found = Parser(
        prog="python -m autograd_lite grade",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument("file", metavar="FILE", help="the engine, such as my_engine.py")
    found.add_argument("--json", action="store_true", help="write JSON instead of text")
    found.add_argument(
        "--class",
        dest="class_name",
        metavar="NAME",
        default="Value",
        help="the class to grade (default: Value)",
    )
    found.add_argument(
        "--time-limit",
        metavar="SECONDS",
        type=_seconds,
        default=TIME_LIMIT,
        help=f"for each milestone and for the import (default: {TIME_LIMIT:g})",
    )
    return found


def answer(given: Sequence[str]) -> tuple[str, bool]:
    """Grade what the arguments after ``grade`` name.

    Parameters
    ----------
    given : sequence of str
        The arguments.

    Returns
    -------
    str
        What there is to print. As JSON it is one object: `Report.as_data`, with ``"file"`` and
        ``"class"`` as they were given before it, and after it ``"totals"``, the numbers of
        ``"milestones"`` and of those that are ``"passed"``, ``"skipped"`` and ``"failed"``, which
        are all others, those that could not be tried included.
    bool
        Whether no milestone failed.

    Raises
    ------
    UsageError
        If the arguments are wrong, the file cannot be read, or no process can be started.

    Examples
    --------
    >>> from autograd_lite.commandline.grade_command import answer
    >>> answer(["no_such_engine.py"])
    Traceback (most recent call last):
    autograd_lite.commandline.errors.UsageError: no_such_engine.py: No such file or directory
    """
    if "-h" in given or "--help" in given:
        return parser().format_help(), True
    options = parser().parse_args(given)
    shown = printable(options.file)
    if Path(options.file).suffix == ".ipynb":
        raise UsageError(f"{shown} is a notebook; save the class in a file that ends with .py")
    try:
        report = grade_file(
            options.file, class_name=options.class_name, time_limit=options.time_limit
        )
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}") from None
    except RuntimeError as error:
        raise UsageError(str(error)) from None
    if not options.json:
        return f"{_text(report)}\n", report.passed
    data = {
        "file": options.file,
        "class": options.class_name,
        **report.as_data(),
        "totals": _totals(report),
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n", report.passed


def _text(report: Report) -> str:
    if report.results[0].milestone == "import":
        text = "\n".join((report.engine, "", *wrapped("", report.results[0].diagnosis)))
    else:
        text = report.text(sys.stdout.encoding)
    return "\n".join(map(printable, text.splitlines()))


def _totals(report: Report) -> dict[str, int]:
    outcomes = Counter(result.outcome for result in report.results)
    passed, skipped = outcomes["passed"], outcomes["skipped"]
    return {
        "milestones": len(MILESTONES),
        "passed": passed,
        "failed": len(MILESTONES) - passed - skipped,
        "skipped": skipped,
    }


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected a finite number of seconds above 0, got {text}")
    return seconds
