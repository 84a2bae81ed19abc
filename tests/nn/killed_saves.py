"""A process that forks savers which are killed: they write states 1, 2, 3, … of one model.

``killed_saves.py PATH each_line`` forks a saver of state 2 over a file of state 1 for each line of
nn/checkpoint.py and autograd_lite/saving.py that a save runs: the saver kills itself before that
line. The last one is spared.
``killed_saves.py PATH at_random SEED KILLS`` forks savers one after the other, each going on from
the state that the file holds, and kills each after a random time in which it can save a few times.
``killed_saves.py PATH in_place SEED KILLS`` is for comparison: its savers write over what is there.
After each kill the state that PATH holds is printed, or "broken", which ends it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import nn
from autograd_lite import saving
from nn import checkpoint


def model_of(state: float) -> nn.Module:
    model = nn.Linear(40, 40)
    for parameter in model.parameters():
        parameter.data = state
    return model


def held(path: str) -> float:
    """Return the state in a file, which all its numbers have to be."""
    model = model_of(0.0)
    extra = nn.load(path, model)
    (state,) = {parameter.data for parameter in model.parameters()}
    assert extra == {"state": state}
    return state


def save_in_place(path: str, model: nn.Module, **extra: float) -> None:
    """Save as `nn.save` does, but over what is there."""
    nn.save(f"{path}.new", model, **extra)
    with open(f"{path}.new", "rb") as new, open(path, "wb") as file:
        while chunk := new.read(4096):
            file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


def forked(work: Callable[..., None], *args: Any) -> int:
    child = os.fork()
    if child == 0:
        work(*args)
        os._exit(0)
    return child


def save_without_end(save: Callable[..., None], path: str, start: float) -> None:
    model = model_of(start)
    for state in count(start):
        for parameter in model.parameters():
            parameter.data = state
        save(path, model, state=state)


def kill_at_random(save: Callable[..., None], path: str, seed: int, kills: int) -> None:
    rng = random.Random(seed)
    state = 0.0
    start = time.perf_counter()
    save(path, model_of(state), state=state)
    seconds = 5.0 * (time.perf_counter() - start)
    for _ in range(kills):
        child = forked(save_without_end, save, path, state + 1.0)
        time.sleep(rng.uniform(0.0, seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        try:
            state = held(path)
            tell(state)
        except nn.CheckpointError:
            tell("broken")
            return


def kill_at_each_line(path: str) -> None:
    first, second = model_of(1.0), model_of(2.0)
    spared = False
    for line in count(1):
        if spared:
            return
        nn.save(path, first, state=1.0)
        child = forked(save_up_to, line, path, second)
        _, status = os.waitpid(child, 0)
        spared = os.WIFEXITED(status)
        tell(held(path))
        for part in Path(path).parent.glob(".*.part"):
            part.unlink()  # which the next save would look at, line by line


def save_up_to(line: int, path: str, model: nn.Module) -> None:
    lines = count(1)

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in (checkpoint.__file__, saving.__file__):
            return None
        if event == "line" and next(lines) == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    nn.save(path, model, state=2.0)
    sys.settrace(None)


def tell(state: float | str) -> None:
    sys.stdout.write(f"{state}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    path, way, *settings = sys.argv[1:]
    if way == "each_line":
        kill_at_each_line(path)
    else:
        seed, kills = map(int, settings)
        save = {"at_random": nn.save, "in_place": save_in_place}[way]
        kill_at_random(save, path, seed, kills)
