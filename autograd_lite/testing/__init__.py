"""Checking derivatives: of functions, of programs drawn at random, of other people's engines."""
