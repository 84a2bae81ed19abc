"""The command line ``python -m autograd_lite``: an expression, its gradient, and every step.

`parsing` reads the text into a `program.Program` of distinct operations, in the words that
`vocabulary` lists; `derivation` records and differentiates it; `report` shows the result to people
and to machines; `arguments` and `application` are the command itself.
"""
