"""The command: from arguments to output and exit status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from autograd_lite.commandline.arguments import arguments, parser, point_from
from autograd_lite.commandline.derivation import Derivation, derive
from autograd_lite.commandline.errors import UsageError
from autograd_lite.commandline.parsing import parse
from autograd_lite.commandline.report import as_data, as_text
from autograd_lite.notation import encodable, symbols_for
from autograd_lite.stepping import steps

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def run(given: Sequence[str]) -> int:
    """Run the command line and return its exit status; errors are one clear line on stderr."""
    try:
        _write(_answer(given))
        sys.stdout.flush()
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # What is left in the buffer goes nowhere, else Python complains while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: the output could not be written: {error.strerror}\n")
        return FAILED
    return OK


def _answer(given: Sequence[str]) -> str:
    """Return what an expression with its values asks for."""
    if "-h" in given or "--help" in given:
        return parser().format_help()
    options = arguments(given)
    point = point_from(options.assignments)
    program = parse(options.expression, list(point))
    for name in point:
        if name not in program.variables:
            used = ", ".join(program.variables)
            has = f"it has {used}" if used else "it has no variables"
            raise UsageError(f"{name} is given a value, but is not in the expression ({has})")
    derivation = derive(program, point)
    if options.step:
        _walk_through(derivation)
        return ""
    if options.json:
        data = {"expression": options.expression, **as_data(derivation)}
        return json.dumps(data, indent=2, allow_nan=False) + "\n"
    return as_text(derivation, symbols_for(sys.stdout.encoding))


def _walk_through(derivation: Derivation) -> None:
    if derivation.root is None:
        raise UsageError(
            f"{derivation.result} needs no gradient at this point, so there are no steps to show"
        )
    steps(derivation.root, names=derivation.names).run(forward=True)


def _write(text: str) -> None:
    """Write to stdout; a user's own letters that the console cannot show are escaped."""
    sys.stdout.write(encodable(text, sys.stdout.encoding))
