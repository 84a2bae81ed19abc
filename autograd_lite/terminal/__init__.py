"""Walking through the steps of a backward pass in a terminal.

`tour` holds where one is and what is known there, and puts it in words; `screen` draws it;
`keys` reads keys; `session` ties them together, or reads lines where there is no terminal.
"""
