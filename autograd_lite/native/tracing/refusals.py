"""What a recording refuses, and what to write instead."""

from __future__ import annotations


class RecordingError(RuntimeError):
    """A function did something that a recording of it could not repeat for other numbers."""


_FROZEN = "which would freeze the number of this one call into the program"

_ADVICE = {
    ".data": f"{_FROZEN}: compute with the Value itself, or with x.detach() for a constant",
    ".item()": f"{_FROZEN}: compute with the Value itself, or with x.detach() for a constant",
    "float()": (
        f"{_FROZEN}: write operators and functions of autograd_lite, such as sin(x) or x.sin() in"
        " place of math.sin(x), or x.detach() for a constant"
    ),
    "int()": (
        f"{_FROZEN}: write floor(x) for a number, or give the function a whole number as its"
        " argument, which can be a label"
    ),
    "round()": f"{_FROZEN}: write x.round() or autograd_lite.round(x), which are recorded",
    "format()": (
        "which would show the number of this one call for all others: print what the program"
        " returns, or repr(x) to see what is recorded"
    ),
    ".partials": (
        f"{_FROZEN}: write autograd_lite.grad inside of the function, whose result is recorded"
    ),
    ".data = …": (
        "which would happen once and not at the calls after: compute a new Value, and change"
        " numbers outside of the function"
    ),
    ".grad": (
        f"{_FROZEN}: write autograd_lite.grad inside of the function, whose result is recorded"
    ),
    ".grad = …": (
        "which would happen once and not at the calls after: change gradients outside of the"
        " function"
    ),
    ".requires_grad = …": (
        "which would happen once and not at the calls after: write x.detach() where no gradient"
        " is to flow"
    ),
    ".backward()": (
        "but a recording has no gradients yet: return the loss and let the program differentiate"
        " it, or write autograd_lite.grad inside of the function"
    ),
    ".register_hook()": (
        "but programs call no hooks: write what the hook does as part of the function"
    ),
    "copy()": (
        f"{_FROZEN}: use the Value itself, which never changes, or x.detach() for a constant"
    ),
}


def refusal(how: str, name: str) -> RecordingError:
    """Return the error for something that was done to a Value."""
    return RecordingError(
        f"{how} was used on {name} while the function was being recorded, {_ADVICE[how]}"
    )
