"""Walking through the steps: with single keys on a terminal, else line by line."""

from __future__ import annotations

import os
import sys

from autograd_lite.contributions import BackwardPass
from autograd_lite.notation import encodable, symbols_for
from autograd_lite.terminal.keys import Keyboard, keyboard
from autograd_lite.terminal.tour import Tour

PLAY = 0.8  # seconds a step is shown for while playing
RESIZED = 0.25  # seconds after which a changed size of the window is seen

NEXT, BACK = {"n", "right", "down", "enter"}, {"p", "left", "up", "backspace"}
COMMAND_KEYS = {"", "n", "p", "home", "end", "b", "B"}
NO_BREAKPOINT = "no breakpoint in this direction; / searches and sets one"


def walk_through(walk: BackwardPass, *, forward: bool = False) -> None:
    """Show one step after the other, as the keys say, until q."""
    tour = Tour(walk, forward=forward)
    if _is_terminal():
        with keyboard(sys.stdin.fileno()) as keys:
            _on_screen(tour, keys)
    else:
        _line_by_line(tour)


def _is_terminal() -> bool:
    return (
        sys.stdin is not None
        and sys.stdin.isatty()
        and sys.stdout.isatty()
        and os.environ.get("TERM") != "dumb"
    )


def _on_screen(tour: Tour, keys: Keyboard) -> None:
    from rich.console import Console

    from autograd_lite.terminal.screen import drawn

    console = Console(force_jupyter=False)
    message, playing = "", False
    typed: str | None = None
    with console.screen() as screen:
        while True:
            shown = f"/{typed}_   a name, 0, nan or > number" if typed is not None else message
            screen.update(drawn(tour, console, message=shown, playing=playing))
            size = console.size
            key = keys.read(PLAY if playing else RESIZED)
            while key is None and not playing and console.size == size:
                key = keys.read(RESIZED)
            if key == "closed":
                return
            if key is None:
                if playing:
                    tour.go(tour.at + 1)
                    playing = tour.at < tour.last and not tour.stops_here()
                continue
            if typed is not None:
                typed, message = _typed(tour, typed, key)
                continue
            message, was_playing, playing = "", playing, False
            if key == "q":
                return
            if key == "/":
                typed = ""
            elif key == "space":
                playing = not was_playing and tour.at < tour.last
            else:
                message = _obey(tour, key)


def _typed(tour: Tour, typed: str, key: str) -> tuple[str | None, str]:
    """Take a key into what is searched for; return that, None once it is done, and a message."""
    if key == "enter":
        return None, _search(tour, typed)
    if key == "escape":
        return None, ""
    if key == "backspace":
        return (typed[:-1], "") if typed else (None, "")
    return typed + (" " if key == "space" else key if len(key) == 1 else ""), ""


def _search(tour: Tour, wanted: str) -> str:
    if not wanted.strip():
        return ""
    try:
        tour.search(wanted)
    except ValueError as error:
        return str(error)
    return _obey(tour, "b")


def _obey(tour: Tour, key: str) -> str:
    """Move as a key says; return what there is to say about it."""
    if key in NEXT:
        if tour.at == tour.last:
            return "this is the last step"
        tour.go(tour.at + 1)
    elif key in BACK:
        if tour.at == 0:
            return "this is the start"
        tour.go(tour.at - 1)
    elif key in ("home", "end"):
        tour.go(0 if key == "home" else tour.last)
    elif key in ("b", "B"):
        place = tour.next_stop(backward=key == "B")
        if place is None:
            return NO_BREAKPOINT
        tour.go(place)
    return ""


# -- where there is no terminal ------------------------------------------------------------------

COMMANDS = "Enter or n: next, p: back, home, end, b and B: breakpoints, /a: search for a, q: quit"


def _line_by_line(tour: Tour) -> None:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    symbols = symbols_for(encoding)
    message = COMMANDS
    while True:
        lines = [message] if message else []
        lines += [tour.title(), *(f"  {line}" for line in tour.account(symbols))]
        sys.stdout.write(encodable("\n".join(lines), encoding) + "\n")
        try:
            given = input("> ").strip()
        except EOFError:
            sys.stdout.write("\n")
            return
        if given == "q":
            return
        if given.startswith("/"):
            message = _search(tour, given[1:])
        elif given in COMMAND_KEYS:
            message = _obey(tour, given or "enter")
        else:
            message = COMMANDS
