"""Recordings as straight-line Python: to be read, and to run where there are no kernels."""
