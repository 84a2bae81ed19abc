"""Parameters whose numbers lie side by side in arrays: for authors of optimisers.

A program that is compiled with ``parameters=`` moves their numbers into arrays. Each parameter goes
on working by itself; what is here works on all at once, and is of no use for other parameters.
"""

from autograd_lite.native.parameters.gradients import Gradients, gradients_of, known_gradients_of
from autograd_lite.native.parameters.rules import UntraceableError
from autograd_lite.native.parameters.updates import Settings, Update, update_of

__all__ = [
    "Gradients",
    "Settings",
    "UntraceableError",
    "Update",
    "gradients_of",
    "known_gradients_of",
    "update_of",
]
