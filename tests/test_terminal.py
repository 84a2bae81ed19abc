"""Walking through the steps in a terminal: places, keys, the screen, and lines instead."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import select
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from itertools import pairwise
from time import monotonic
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite import Value, sin, steps
from autograd_lite.notation import ASCII, UNICODE
from autograd_lite.terminal import keys
from autograd_lite.terminal.screen import _window, drawn
from autograd_lite.terminal.tour import Tour

has_terminals = importlib.util.find_spec("termios") is not None
on_posix = pytest.mark.skipif(not has_terminals, reason="pseudo-terminals exist on POSIX only")


def lecture(scale=1.0):
    """Return f(x) = (x² + sin x²)·x² at 2 with its nodes named."""
    x = Value(2.0, label="x")
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    for value, label in zip((a, b, c, f), "abcf", strict=True):
        value.label = label
    return f


# -- places --------------------------------------------------------------------------------------


def test_the_places_are_the_start_the_seed_and_each_contribution():
    tour = Tour(steps(lecture()))
    titles = []
    for place in range(tour.last + 1):
        tour.go(place)
        titles.append(tour.title().removeprefix("Backward pass of f: "))
    assert titles == ["start", "seed", *(f"step {n} of 6" for n in range(1, 7))]


def test_the_forward_pass_comes_first_if_it_is_asked_for():
    tour = Tour(steps(lecture()), forward=True)
    assert (tour.last, tour.title()) == (11, "Forward pass of f: start")
    tour.go(3)
    assert [tour.is_computed(i) for i in range(5)] == [True, True, True, True, False]
    assert tour.title() == "Forward pass of f: operation 3 of 4"
    assert tour.account(UNICODE) == ["c = a + b = 3.2432", "∂c/∂a = 1, ∂c/∂b = 1"]
    tour.go(4)
    assert tour.account(ASCII) == ["f = a * c = 12.9728", "d f/d a = 3.2432, d f/d c = 4"]


@pytest.mark.parametrize(("told", "asked"), [(True, False), (False, True)])
def test_the_walk_in_a_terminal_begins_as_the_steps_were_told_to(monkeypatch, capsys, told, asked):
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    steps(lecture(), forward=told).run(forward=asked)
    assert "Forward pass of f: start" in capsys.readouterr().out


def test_a_contribution_is_accounted_for_with_rule_numbers_and_running_sum():
    tour = Tour(steps(lecture()))
    tour.go(6)
    assert tour.account(UNICODE) == [
        "a.grad += b.grad · ∂b/∂a",
        "       += 4 · (-0.653644) ≈ -2.61457",
        "a.grad  = 7.2432 + (-2.61457) ≈ 4.62862    (3 of 3)",
    ]


@given(st.lists(st.integers(-2, 14), max_size=8), st.booleans())
def test_the_gradients_at_a_place_are_the_same_however_one_came_there(places, forward):
    walk = steps(lecture())
    tour = Tour(walk, forward=forward)
    for place in places:
        tour.go(place)
    straight = Tour(walk, forward=forward)
    straight.go(tour.at)
    assert (tour.at, tour.grads) == (straight.at, straight.grads)
    assert 0 <= tour.at <= tour.last


def test_at_the_end_the_gradients_are_those_of_the_engine():
    f = lecture()
    tour = Tour(steps(f))
    tour.go(tour.last)
    f.backward()
    graph = tour.walk.graph
    assert {graph[i].value: grad for i, (grad, _) in tour.grads.items()} == {
        node.value: node.value.grad for node in graph
    }


def test_breakpoints_are_found_in_both_directions():
    tour = Tour(steps(lecture()).watch("a"))
    assert tour.next_stop() == 2
    tour.go(4)
    assert (tour.next_stop(), tour.next_stop(backward=True), tour.stops_here()) == (6, 2, True)
    tour.go(tour.last)
    assert tour.next_stop() is None


@pytest.mark.parametrize(
    ("wanted", "places"), [("b", [5]), ("> 3.5", [3, 4, 5, 7]), ("0", []), (" NaN ", [])]
)
def test_a_search_sets_a_breakpoint(wanted, places):
    tour = Tour(steps(lecture()))
    tour.search(wanted)
    found = []
    while (place := tour.next_stop()) is not None:
        tour.go(place)
        found.append(place)
    assert found == places


@pytest.mark.parametrize("wanted", ["z", ">", "> x", ">-1", "1", "a\x1b"])
def test_a_search_for_what_there_is_not_says_so(wanted):
    with pytest.raises(ValueError, match="is no node's name, nor 0, nan or > number"):
        Tour(steps(lecture())).search(wanted)


# -- the screen ----------------------------------------------------------------------------------


def on_screen(tour, width=80, height=24, **state):
    from rich.console import Console

    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(drawn(tour, console, **state))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_screen_shows_what_happened_and_all_nodes_so_far():
    tour = Tour(steps(lecture()))
    tour.go(4)
    lines = on_screen(tour)
    assert lines[0] == "Backward pass of f: step 3 of 6"
    assert lines[1] == "━" * 46 + "─" * 34
    assert lines[3:6] == [
        "  a.grad += c.grad · ∂c/∂a",
        "         += 4 · 1 = 4",
        "  a.grad  = 3.2432 + 4 = 7.2432    (2 of 3)",
    ]
    assert lines[7:13] == [
        "   name  expression  data       grad so far",
        "   x     leaf        2          –",
        "▶  a     x ** 2      4          7.2432       2 of 3",
        "   b     sin(a)      -0.756802  –",
        "•  c     a + b       3.2432     4            1 of 1",
        "   f     a * c       12.9728    1",
    ]
    assert lines[23] == "n next  p back  q quit  Space play  / search  b breakpoint  Home/End"
    assert len(lines) == 24


def test_before_an_operation_has_run_its_number_is_not_shown():
    tour = Tour(steps(lecture()), forward=True)
    tour.go(2)
    assert on_screen(tour)[8:13] == [
        "   x     leaf        2          –",
        "   a     x ** 2      4          –",
        "▶  b     sin(a)      -0.756802  –",
        "   c     a + b       –          –",
        "   f     a * c       –          –",
    ]


def test_a_breakpoint_and_a_message_are_shown():
    tour = Tour(steps(lecture()).watch("a"))
    tour.go(2)
    lines = on_screen(tour, message="a message")
    assert (lines[0], lines[-1]) == ("Backward pass of f: step 1 of 6  breakpoint", "a message")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (200, 60), (60, 16)])
def test_a_large_graph_fits_the_screen_with_both_nodes_in_view(width, height):
    x = Value(1.0, label="x")
    y = x
    for number in range(300):
        y = (y * 0.5).tanh() if number % 2 else y + x
    tour = Tour(steps(y))
    for place in (0, 1, 2, 200, tour.last):
        tour.go(place)
        lines = on_screen(tour, width, height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        if tour.step:
            assert sum(line.startswith("▶") for line in lines) == 1
            assert sum(line.startswith("•") for line in lines) == 1


@given(st.integers(1, 60), st.integers(0, 59), st.integers(0, 59), st.integers(5, 70))
def test_the_window_holds_both_nodes_in_order_and_says_where_others_are(count, a, b, most):
    a, b = a % count, b % count
    rows = list(_window(count, a, b, most))
    indices = [row for row in rows if row is not None]
    assert len(rows) <= most
    assert {a, b} <= set(indices)
    assert indices == sorted(set(indices))
    around = [-1, *indices, count]
    assert rows.count(None) == sum(later - earlier > 1 for earlier, later in pairwise(around))


def test_names_that_steer_a_terminal_or_are_very_long_do_no_harm():
    x = Value(2.0, label="\x1b[2J" + "long " * 60)
    tour = Tour(steps(x * x))
    tour.go(2)
    text = "\n".join(on_screen(tour))
    assert "\x1b" not in text
    assert "  ?[2Jlon...long long long long .grad += v1.grad · ∂v1/∂?[2Jlon...long" in text
    (row,) = [line for line in text.splitlines() if line.startswith("▶")]
    assert re.fullmatch(r"▶  \?\[2.*\.\.\..*long +leaf +2 +2 +1 of 2", row)


def test_of_long_paths_the_end_is_shown_where_they_differ():
    import nn

    model = nn.MLP(2, [16, 16, 1], seed=0)
    loss = nn.MSELoss()(model([[1.0, 2.0]]), [1.0])
    tour = Tour(steps(loss, names={"net": model}))
    tour.go(tour.last)
    (row,) = [line for line in on_screen(tour) if line.startswith("▶")]
    assert re.match(
        rf"▶  laye\.\.\.[\w.]*{re.escape(tour.step.operand_name[-10:])} +parameter", row
    )


# -- keys ----------------------------------------------------------------------------------------


@pytest.fixture
def terminal():
    """A pseudo-terminal: the side of the person, and the side of the program."""
    import pty

    person, program = pty.openpty()
    yield person, program
    for descriptor in (person, program):
        with suppress(OSError):
            os.close(descriptor)


@on_posix
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (b"n", ["n"]),
        (b"nbq", ["n", "b", "q"]),
        (b"\x1b[C\x1b[D\x1b[A\x1b[B", ["right", "left", "up", "down"]),
        (b"\x1bOC\x1bOD", ["right", "left"]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1bOH", ["home", "end", "home", "end", "home"]),
        (b"\r\n \x7f", ["enter", "enter", "space", "backspace"]),
        (b"\x1b", ["escape"]),
        (b"\x1b[5~x", ["", "x"]),
        (b"\x1b[1;5Cx", ["", "x"]),
        ("λ漢".encode(), ["λ", "漢"]),
        (b"\x01a", ["", "a"]),
        (b"\x04", ["closed"]),
        (b"", [None]),
    ],
)
def test_keys_are_told_apart(terminal, typed, expected):
    person, program = terminal
    with keys.keyboard(program) as board:
        os.write(person, typed)
        assert [board.read(0.2) for _ in expected] == expected


@on_posix
def test_a_letter_or_sequence_that_comes_in_pieces_is_one_key(terminal, monkeypatch):
    monkeypatch.setattr(keys, "ESCAPE_DELAY", 5.0)
    person, program = terminal
    with keys.keyboard(program) as board:
        os.write(person, "λ".encode()[:1])
        assert board.read(0.01) is None
        os.write(person, "λ".encode()[1:])
        assert board.read(0.2) == "λ"
        pieces = iter([b"\x1b", b"[", b"C"])
        monkeypatch.setattr(keys.os, "read", lambda *_: next(pieces))
        os.write(person, b"-")
        assert board.read(0.2) == "right"


@on_posix
def test_a_terminal_that_is_closed_sends_no_more_keys(terminal):
    person, program = terminal
    with keys.keyboard(program) as board:
        os.close(person)
        assert board.read(0.2) == "closed"


@on_posix
def test_the_terminal_is_set_back_after_an_exception(terminal):
    import termios

    _, program = terminal
    before = termios.tcgetattr(program)
    with suppress(ZeroDivisionError), keys.keyboard(program):
        assert not termios.tcgetattr(program)[3] & (termios.ECHO | termios.ICANON)
        raise ZeroDivisionError
    assert termios.tcgetattr(program) == before


def test_keys_of_a_windows_console(monkeypatch):
    typed = list("n\xe0M\xe0K\0G\0O\xe0\x85 \r\x08λ\x03")
    console = SimpleNamespace(kbhit=lambda: bool(typed), getwch=lambda: typed.pop(0))
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    with keys.WindowsKeyboard() as board:
        expected = ["n", "right", "left", "home", "end", "", "space", "enter", "backspace", "λ"]
        assert [board.read(0.0) for _ in expected] == expected
        with pytest.raises(KeyboardInterrupt):
            board.read(0.0)
        assert board.read(0.0) is None


# -- a session on a terminal ---------------------------------------------------------------------

LECTURE = """
from autograd_lite import Value, sin, steps
x = Value(2.0)
a = x**2
b = sin(a)
c = a + b
f = a * c
walk = steps(f, names=dict(x=x, a=a, b=b, c=c, f=f))
"""
SET_BACK = "\x1b[?1049l\x1b[?25h"  # the shell's screen comes back, and the cursor
LOG_IN = (
    "import os, sys; os.login_tty(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


class Person:
    """Types on a pseudo-terminal and reads what a program writes there."""

    def __init__(self, process, descriptor):
        self.process, self._descriptor, self.raw = process, descriptor, ""

    def types(self, text):
        self._seen = len(self.raw)
        os.write(self._descriptor, text.encode())

    def reads(self, text):
        """Wait until a text stands in what was written since something was typed last."""
        until = monotonic() + 30
        while text not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.raw[self._seen :]):
            assert monotonic() < until, self.raw
            assert self._receive(1.0) or self.process.poll() is None, self.raw

    def ends(self):
        """Return the exit status."""
        status = self.process.wait(30)
        while self._receive(0.0):
            pass
        return status

    def _receive(self, timeout):
        if not select.select([self._descriptor], [], [], timeout)[0]:
            return False
        try:
            received = os.read(self._descriptor, 65536).decode()
        except OSError:  # the program's side is closed
            return False
        self.raw += received
        return bool(received)


@contextmanager
def person_at(*arguments, **environment):
    """Start Python with these arguments on a terminal of 80 × 24."""
    import fcntl
    import pty
    import struct
    import termios

    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(program)
    process = subprocess.Popen(
        [sys.executable, "-c", LOG_IN, *arguments],  # so that Ctrl-C is a signal to it
        stdin=program,
        stdout=program,
        stderr=program,
        env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment},
    )
    found = Person(process, person)
    found._seen = 0
    try:
        yield found
        assert termios.tcgetattr(program) == before
    finally:
        process.kill()
        process.wait()
        os.close(person)
        os.close(program)


@on_posix
def test_keys_lead_through_the_steps():
    with person_at("-c", LECTURE + "walk.run(); print('done')") as person:
        person.reads("Backward pass of f: start")
        person.types("n")
        person.reads("f.grad = ∂f/∂f = 1")
        person.types("\x1b[Cnn")
        person.reads("a.grad  = 3.2432 + 4 = 7.2432    (2 of 3)")
        person.types("\x1b[D")
        person.reads("c.grad += f.grad · ∂f/∂c")
        person.types("\x1b[F")
        person.reads("Backward pass of f: step 6 of 6")
        person.types("n")
        person.reads("this is the last step")
        person.types("\x1b[H")
        person.reads("Backward pass of f: start")
        person.types("q")
        person.reads("done")
        assert person.ends() == 0
        assert SET_BACK in person.raw


@on_posix
def test_a_search_goes_to_the_next_step_of_its_kind_and_b_to_the_one_after():
    with person_at("-c", LECTURE + "walk.run()") as person:
        person.reads("start")
        person.types("/z")
        person.reads("/z_   a name, 0, nan or > number")
        person.types("\r")
        person.reads("'z' is no node's name, nor 0, nan or > number")
        person.types("/z\x7fa\r")
        person.reads("step 1 of 6  breakpoint")
        person.types("b")
        person.reads("step 3 of 6  breakpoint")
        person.types("bb")
        person.reads("no breakpoint in this direction")
        person.types("B")
        person.reads("step 3 of 6  breakpoint")
        person.types("q")
        assert person.ends() == 0


@on_posix
def test_playing_stops_at_a_breakpoint_and_at_the_end():
    fast = "from autograd_lite.terminal import session; session.PLAY = 0.01\n"
    with person_at("-c", fast + LECTURE + "walk.watch('b').run(forward=True)") as person:
        person.reads("Forward pass of f: start")
        person.types(" ")
        person.reads("Forward pass of f: operation 2 of 4  playing")
        person.reads("Backward pass of f: step 4 of 6  breakpoint")
        person.types(" ")
        person.reads("Backward pass of f: step 6 of 6")
        person.types("q")
        assert person.ends() == 0


@on_posix
def test_control_c_sets_the_terminal_back():
    with person_at("-c", LECTURE + "walk.run()") as person:
        person.reads("start")
        person.types("\x03")
        assert person.ends() == -signal.SIGINT
        assert person.raw.index(SET_BACK) < person.raw.index("KeyboardInterrupt")


@on_posix
def test_an_error_sets_the_terminal_back():
    code = "from autograd_lite.terminal.tour import Tour; Tour._forward = lambda self: 1 / 0\n"
    with person_at("-c", LECTURE + code + "walk.run()") as person:
        person.reads("start")
        person.types("n")
        assert person.ends() == 1
        assert person.raw.index(SET_BACK) < person.raw.index("ZeroDivisionError")


@on_posix
def test_the_end_of_input_ends_the_walk():
    with person_at("-c", LECTURE + "walk.run(); print('done')") as person:
        person.reads("start")
        person.types("\x04")
        person.reads("done")


@on_posix
def test_the_command_line_walks_through_both_passes():
    with person_at("-m", "autograd_lite", "x*y", "x=2", "y=3", "--step") as person:
        person.reads("Forward pass of f: start")
        person.types("n")
        person.reads("f = x * y = 6")
        person.types("\x1b[F")
        person.reads("y.grad  = 2    (1 of 1)")
        person.types("\x03")
        assert person.ends() == 130
        assert person.raw.rstrip().endswith(SET_BACK)


@on_posix
def test_a_dumb_terminal_gets_lines():
    with person_at("-c", LECTURE + "walk.run()", TERM="dumb") as person:
        person.reads("q: quit")
        person.types("\n")
        person.reads("  f.grad = ∂f/∂f = 1\r\n> ")
        person.types("q\n")
        assert person.ends() == 0
        assert "\x1b" not in person.raw


# -- lines ---------------------------------------------------------------------------------------


def in_lines(given, encoding="utf-8"):
    """Return what a walk writes that reads these lines; they are not echoed."""
    return subprocess.run(
        [sys.executable, "-c", LECTURE + "walk.run()"],
        input="".join(f"{line}\n" for line in given),
        capture_output=True,
        check=True,
        encoding=encoding,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    ).stdout.split("> ")


def test_without_a_terminal_lines_are_read():
    written = in_lines(["", "n", "n", "p", "/a", "b", "B", "end", "", "home", "p", "what", "q"])
    assert [text.splitlines()[0] for text in written[1:-1]] == [
        "Backward pass of f: seed",
        "Backward pass of f: step 1 of 6",
        "Backward pass of f: step 2 of 6",
        "Backward pass of f: step 1 of 6",
        "Backward pass of f: step 3 of 6",
        "Backward pass of f: step 5 of 6",
        "Backward pass of f: step 3 of 6",
        "Backward pass of f: step 6 of 6",
        "this is the last step",
        "Backward pass of f: start",
        "this is the start",
        "Enter or n: next, p: back, home, end, b and B: breakpoints, /a: search for a, q: quit",
    ]
    assert written[5].splitlines()[1:] == [
        "  a.grad += c.grad · ∂c/∂a",
        "         += 4 · 1 = 4",
        "  a.grad  = 3.2432 + 4 = 7.2432    (2 of 3)",
    ]


def test_the_end_of_the_lines_ends_the_walk():
    assert in_lines([""])[-1] == "\n"


def test_lines_are_ascii_where_the_console_is():
    assert "  c.grad += f.grad * d f/d c" in "".join(in_lines(["/c"], "ascii"))
