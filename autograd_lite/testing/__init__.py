"""Checking derivatives: of functions, of programs drawn at random, of other people's engines."""

from autograd_lite.testing.bug_lab import correct_engine, faulty_engine
from autograd_lite.testing.checking import GradientCheck, check_gradients
from autograd_lite.testing.comparing import assert_same_gradients
from autograd_lite.testing.differences import Difference, finite_difference
from autograd_lite.testing.error_curves import ErrorCurve, error_curve
from autograd_lite.testing.grading.grader import grade
from autograd_lite.testing.grading.runner import grade_file
from autograd_lite.testing.programs import Program
from autograd_lite.testing.random_points import points
from autograd_lite.testing.strategies import expressions
from autograd_lite.testing.verdicts import DerivativeError

__all__ = [
    "DerivativeError",
    "Difference",
    "ErrorCurve",
    "GradientCheck",
    "Program",
    "assert_same_gradients",
    "check_gradients",
    "correct_engine",
    "error_curve",
    "expressions",
    "faulty_engine",
    "finite_difference",
    "grade",
    "grade_file",
    "points",
]
