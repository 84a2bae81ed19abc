"""The command: from arguments to output and exit status."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from autograd_lite.commandline.arguments import arguments, parser, point_from
from autograd_lite.commandline.derivation import Derivation, derive
from autograd_lite.commandline.errors import SavingError, UsageError
from autograd_lite.commandline.parsing import parse
from autograd_lite.commandline.report import as_data, as_text
from autograd_lite.drawing.pictures import Drawing, draw
from autograd_lite.notation import encodable, printable, symbols_for
from autograd_lite.stepping import Steps, steps
from autograd_lite.value import Value

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def run(given: Sequence[str]) -> int:
    """Run the command line and return its exit status; errors are one clear line on stderr."""
    status = OK
    try:
        if given and given[0] == "grade":
            from autograd_lite.commandline.grade_command import answer

            text, passed = answer(given[1:])
            status = OK if passed else FAILED
        else:
            text = _answer(given)
        _write(text)
        sys.stdout.flush()
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG_USAGE
    except SavingError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # What is left in the buffer goes nowhere, else Python complains while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: the output could not be written: {error.strerror}\n")
        return FAILED
    return status


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
    saved = _saved(derivation, options)
    if options.step:
        _steps_of(derivation).run(forward=True)
        return ""
    if options.json:
        data = {"expression": options.expression, **as_data(derivation)}
        return json.dumps(data, indent=2, allow_nan=False) + "\n"
    return as_text(derivation, symbols_for(sys.stdout.encoding)) + saved


def _saved(derivation: Derivation, options: Namespace) -> str:
    """Save what is asked for; return what there is to say about it."""
    saved = []
    for path, make in ((options.svg, _picture_of), (options.html, _steps_of)):
        if path is not None:
            shown = printable(path)
            try:
                make(derivation).save(path)
            except OSError as error:
                raise SavingError(f"{shown} could not be written: {error.strerror}") from None
            saved.append(f"Saved {shown}.\n")
    return "".join(["\n", *saved]) if saved else ""


def _picture_of(derivation: Derivation) -> Drawing:
    return draw(_root_of(derivation), names=derivation.names)


def _steps_of(derivation: Derivation) -> Steps:
    return steps(_root_of(derivation), names=derivation.names)


def _root_of(derivation: Derivation) -> Value:
    if derivation.root is None:
        raise UsageError(
            f"{derivation.result} needs no gradient at this point, so there is nothing to show"
        )
    return derivation.root


def _write(text: str) -> None:
    """Write to stdout; a user's own letters that the console cannot show are escaped."""
    sys.stdout.write(encodable(text, sys.stdout.encoding))
