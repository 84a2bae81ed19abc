"""Checking derivatives: of functions, of programs drawn at random, of other people's engines."""

from autograd_lite.testing.bug_lab import correct_engine, faulty_engine
from autograd_lite.testing.comparing import assert_same_gradients
from autograd_lite.testing.grading.grader import grade
from autograd_lite.testing.grading.runner import grade_file
from autograd_lite.testing.programs import Program
from autograd_lite.testing.strategies import expressions, points

__all__ = [
    "Program",
    "assert_same_gradients",
    "correct_engine",
    "expressions",
    "faulty_engine",
    "grade",
    "grade_file",
    "points",
]
