"""Lowering: a tape becomes a schedule of runs and matrix products, with a row for every number."""
