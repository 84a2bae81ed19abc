"""Native programs: a function is recorded once and then replayed at full speed.

`tape` is what a recording leaves: operations in the order in which they ran. `recording` makes it,
`lowering` turns it into runs of equal operations on neighbouring rows, `kernels` are the loops that
do the runs, `machine` holds the numbers and goes through them, and `program` is what users call.
"""
