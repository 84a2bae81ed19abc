"""Interrupts, as of Ctrl-C, at every point of the engine where Python might deliver one."""

import os
import sys

import autograd_lite


class Interrupter:
    """Raises KeyboardInterrupt where Python might: at the n-th of certain events in the engine."""

    package = os.path.dirname(autograd_lite.__file__)

    def __init__(self, n):
        self.left = n

    def count(self):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def at_calls(self, frame, event, argument):
        """When a Python function begins and when a function written in C ends (for setprofile)."""
        code = frame.f_code  # Python itself reports what a finaliser raises, and goes on
        inside = code.co_filename.startswith(self.package) and code.co_name != "__del__"
        if inside and event in ("call", "c_return"):
            self.count()

    def at_lines(self, frame, event, argument):
        """At each line (for settrace); with_order and the modes rely on where signals come."""
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        if not path.startswith(self.package) or path.endswith("modes.py") or name == "__del__":
            return None
        if event == "line" and name != "with_order":
            self.count()
        return self.at_lines


def interrupted(action, n, kind):
    """Run ``action``, interrupted at the n-th event; tell whether there were so many."""
    interrupter = Interrupter(n)
    switch = sys.setprofile if kind == "at_calls" else sys.settrace
    before = sys.getprofile() if kind == "at_calls" else sys.gettrace()
    switch(getattr(interrupter, kind))
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        switch(before)
    return False
