"""The loops that do the runs of a native program: one kernel per operation, compiled once."""
