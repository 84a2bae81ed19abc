"""Checking derivatives: of functions, of programs drawn at random, of other people's engines."""

from autograd_lite.testing.programs import Program

__all__ = ["Program"]
