"""Native programs: a function is recorded once and then replayed at full speed.

`tape` is what a recording leaves: operations in the order in which they ran. `tracing` makes it,
`lowering` turns it into runs of equal operations on neighbouring rows, `kernels` are the loops that
do the runs, `running` holds the numbers and goes through them, `parameters` keeps what is learned
in flat arrays, `python` writes the same as straight-line Python, and `programs` is what users call.
"""
