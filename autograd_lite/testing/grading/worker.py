"""The process in which a student's engine runs, one milestone after the other.

It reports to the process that started it by lines of JSON in a file, which nothing that the engine
prints can disturb: ``{"started": stage}`` before and ``{"result": …}`` after each milestone,
``{"trial": index}`` before each of its trials, ``{"error": sentence}`` if there is nothing to
grade, and ``{"finished": true}`` at the end.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import TIMEOUT_MAX, Thread
from typing import Any, Final

from autograd_lite.testing.grading.diagnosis import OUT_OF_MEMORY, Diagnosis
from autograd_lite.testing.grading.grader import grade_milestone
from autograd_lite.testing.grading.loading import EngineError, described, load_class
from autograd_lite.testing.grading.milestones import MILESTONES, Milestone
from autograd_lite.testing.grading.report import Result
from autograd_lite.testing.grading.trials import Trial

IMPORT: Final = -1
"""The stage before the first milestone."""

RECORDS: Final = "records.jsonl"
PLACES: Final = "places.txt"

MEMORY: Final = 4 * 1024**3
"""Bytes of data that an engine may hold, where the operating system can limit it."""


def work(folder: Path, path: Path, class_name: str, first: int, time_limit: float) -> None:
    """Grade from the milestone with index ``first`` on, then end the process."""
    _limit_resources()
    _end_with_the_parent(folder)
    records = _File(folder / RECORDS)
    places = _File(folder / PLACES)
    faulthandler.enable(places.descriptor)
    timeout = min(max(time_limit, 1e-3), TIMEOUT_MAX)  # what faulthandler takes

    def start(stage: int) -> None:
        places.clear()
        records.write({"started": stage})
        faulthandler.dump_traceback_later(timeout, file=places.descriptor)

    start(IMPORT)
    try:
        engine = load_class(path, class_name)
    except EngineError as error:
        records.write({"error": str(error)})
    else:
        for index, milestone in enumerate(MILESTONES[first:], first):
            start(index)
            try:
                result = grade_milestone(_announcing(milestone, records), engine)
            except BaseException as error:
                got, (cause, words) = described(error, path), _meaning(error)
                result = Result(milestone.name, "failed", got=got, diagnosis=words, cause=cause)
            records.write({"result": result._asdict()})
    records.write({"finished": True})
    # Threads and exit handlers of the engine could keep an ordinary exit from ending the process.
    os._exit(0)


class _Announced(tuple[Trial, ...]):
    """Trials of which each is written down before it is tried, which is the first time through."""

    records: _File | None

    def __iter__(self) -> Iterator[Trial]:
        records, self.records = self.records, None
        for index, trial in enumerate(super().__iter__()):
            if records is not None:
                records.write({"trial": index})
            yield trial


def _announcing(milestone: Milestone, records: _File) -> Milestone:
    trials = _Announced(milestone.trials)
    trials.records = records
    return milestone._replace(trials=trials)


class _File:
    """A file that only the process which opened it writes to, unbuffered."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self.descriptor = os.open(path, flags)
        self.process = os.getpid()

    def write(self, record: dict[str, Any]) -> None:
        if os.getpid() != self.process:
            os._exit(0)  # a copy made by os.fork in the engine, which fell through to here
        os.write(self.descriptor, json.dumps(record).encode() + b"\n")

    def clear(self) -> None:
        os.ftruncate(self.descriptor, 0)


def _meaning(error: BaseException) -> Diagnosis:
    if isinstance(error, SystemExit):
        words = "the engine calls exit(): it may never end the program that uses it"
        return Diagnosis("exit", words)
    if isinstance(error, MemoryError):
        return Diagnosis("memory", OUT_OF_MEMORY)
    return Diagnosis("", "an exception of the engine reached the grader")


def _limit_resources() -> None:
    """Let memory run out in this process alone, and leave no core files behind."""
    if sys.platform != "win32":
        import resource

        for kind, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(kind)[1]
            if hard == resource.RLIM_INFINITY or hard > most:
                resource.setrlimit(kind, (most, hard))


def _end_with_the_parent(folder: Path) -> None:
    """Give the engine an empty standard input; clear up and end when the real one is closed."""
    from shutil import rmtree

    lifeline = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def watch() -> None:
        os.read(lifeline, 1)
        rmtree(folder, ignore_errors=True)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
