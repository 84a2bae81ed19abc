"""Grading a file: its engine runs in a process of its own, which may crash, hang and print."""

from __future__ import annotations

import math
import os
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG
from time import monotonic
from typing import TYPE_CHECKING, Any

from autograd_lite.testing.grading.milestones import MILESTONES
from autograd_lite.testing.grading.report import Report, Result
from autograd_lite.testing.grading.trials import expected
from autograd_lite.testing.grading.worker import IMPORT

if TYPE_CHECKING:
    from autograd_lite.testing.grading.worker_process import WorkerProcess

TIME_LIMIT = 10.0
"""Seconds for one milestone, and for the import of the file, unless others are asked for."""

LATE_IN_A_ROW = 2
"""How many milestones in a row have to run out of time until the rest is not tried."""

TIMES_IN_ALL = 5
"""How many times that limit the whole may take."""

STARTING = 60.0
"""Seconds in which a worker has to be ready, however busy the machine is."""

GRACE = 0.5
"""Seconds that a worker has, after the limit, to write down where it is."""

POLL = 0.02
"""Seconds between two looks at what a worker has written."""


def grade_file(
    path: str | os.PathLike[str], *, class_name: str = "Value", time_limit: float = TIME_LIMIT
) -> Report:
    """Grade the engine in a file, which runs in a separate process with a time limit.

    Whatever the file does is a result: where it crashes or does not come to an end, that milestone
    failed, and a new process goes on with the next. It is a grader, not a sandbox: the engine runs
    with all rights of whoever calls this.

    Parameters
    ----------
    path : str or os.PathLike
        The Python file. It is imported, not run as ``__main__``; its own folder comes first in
        ``sys.path``. Its standard input is empty, and what it prints is not shown.
    class_name : str, optional
        The class to grade.
    time_limit : float, optional
        Seconds for each milestone and for the import of the file; the whole may take 5 times as
        long. More than 0.

    Returns
    -------
    Report
        One result per milestone. Where the process ended, the cause is ``"crash"`` or ``"exit"``;
        where it took too long, ``"time-limit"``; for what was not tried because two milestones in a
        row had taken too long, or because the time for the whole was up, ``"time"``. If the file
        cannot be imported or its class cannot be graded, the last result is the failed milestone
        ``"import"``, and its diagnosis says why.

    Raises
    ------
    OSError
        If the file does not exist, is not a file, or cannot be read.
    ValueError
        If ``time_limit`` is not a finite number above 0.
    RuntimeError
        If no process can be started for the engine.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from autograd_lite.testing import grade_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "my_engine.py")
    ...     _ = path.write_text("class Value: ...")
    ...     report = grade_file(path)
    >>> report.passed, report.results[0].milestone
    (False, 'import')
    >>> report.results[0].diagnosis
    'Value(2.0) does not work: it raises TypeError: Value() takes no arguments'
    """
    if not 0.0 < time_limit < math.inf:
        raise ValueError(f"time_limit has to be a finite number above 0, got {time_limit!r}")
    file = Path(path).absolute()
    if not S_ISREG(file.stat().st_mode):
        raise OSError(EINVAL, "this is not a file", os.fspath(path))
    file.open("rb").close()
    grading = _Grading(file, class_name, time_limit)
    grading.run()
    return Report(f"{class_name} in {file.name}", tuple(grading.results))


class _Grading:
    """The results so far, and how to get the next ones."""

    def __init__(self, path: Path, class_name: str, time_limit: float) -> None:
        self.path = path
        self.class_name = class_name
        self.time_limit = time_limit
        self.time_left = TIMES_IN_ALL * time_limit
        self.results: list[Result] = []
        self.over = False

    def run(self) -> None:
        """Grade with as many workers as it takes, one after the other."""
        from autograd_lite.testing.grading.worker_process import WorkerProcess

        while not self.over and len(self.results) < len(MILESTONES):
            first = len(self.results)
            with WorkerProcess(self.path, self.class_name, first, self.time_limit) as worker:
                _Watch(self, worker).run()
            if not self.over:
                self._give_up_if_late()

    def fail_import(self, diagnosis: str) -> None:
        """Note that there is nothing to grade."""
        self.results.append(Result("import", "failed", diagnosis=diagnosis, cause="import"))
        self.over = True

    def _give_up_if_late(self) -> None:
        """Let all fail that is left, if no time is left or there is little hope."""
        last = [result.cause for result in self.results[-LATE_IN_A_ROW:]]
        if self.time_left <= 0.0:
            why = f"there was no time left after {TIMES_IN_ALL * self.time_limit:g} s in all"
        elif last == ["time-limit"] * LATE_IN_A_ROW:
            why = f"two milestones in a row took longer than {self.time_limit:g} s"
        else:
            return
        self.results += [
            Result(milestone.name, "failed", diagnosis=f"not tried: {why}", cause="time")
            for milestone in MILESTONES[len(self.results) :]
        ]


class _Watch:
    """One worker, and what it is at."""

    def __init__(self, grading: _Grading, worker: WorkerProcess) -> None:
        self._grading = grading
        self._worker = worker
        self._stage: int | None = None
        self._trial: int | None = None
        self._finished = False
        self._since = monotonic()

    def run(self) -> None:
        """Note results until the worker has finished, or ended otherwise, or was given up."""
        while not self._finished:
            ended = self._worker.wait(POLL)
            for record in self._worker.records():
                self._note(record)
            if self._finished or self._grading.time_left <= 0.0:
                return
            if ended or self._is_late():
                self._worker.end()
                if self._was_at_something():
                    self._fail(ended)
                return

    def _note(self, record: dict[str, Any]) -> None:
        grading = self._grading
        if "started" in record:
            now = monotonic()
            if self._stage is not None:
                grading.time_left -= now - self._since
            self._stage, self._trial, self._since = record["started"], None, now
        elif "trial" in record:
            self._trial = record["trial"]
        elif "result" in record:
            result = Result(**record["result"])
            grading.results.append(result._replace(missing=tuple(result.missing)))
        elif "error" in record:
            grading.fail_import(record["error"])
        else:
            self._finished = True

    def _is_late(self) -> bool:
        allowed = STARTING if self._stage is None else self._grading.time_limit + GRACE
        return monotonic() - self._since > allowed

    def _was_at_something(self) -> bool:
        stage = self._stage
        return not self._grading.over and stage in (None, IMPORT, len(self._grading.results))

    def _fail(self, ended: bool) -> None:
        """Note that the worker ended, or did not go on, in the middle of what it was at."""
        self._grading.time_left -= monotonic() - self._since
        how = self._worker.how_it_ended() if ended else ""
        printed = " | ".join(self._worker.last_lines(3)) if ended else ""
        printed = f"; it printed last: {printed}" if printed else ""
        if self._stage is None:
            how = how or f"it was not ready within {STARTING:g} s"
            raise RuntimeError(f"no process could be started for the engine: {how}{printed}")
        if self._stage == IMPORT:
            self._fail_import(how, printed)
        else:
            self._fail_milestone(self._stage, how, printed)

    def _fail_import(self, how: str, printed: str) -> None:
        grading = self._grading
        made = f"{grading.class_name}(2.0)"
        if how:
            wrong = f"on the way to {made} {how}"
        else:
            wrong = f"there was no {made} within {grading.time_limit:g} s"
        at = f"; it was in {place}" if (place := self._worker.place()) else ""
        grading.fail_import(f"{grading.path.name} cannot be graded: {wrong}{at}{printed}")

    def _fail_milestone(self, stage: int, how: str, printed: str) -> None:
        milestone = MILESTONES[stage]
        program, wanted = "", ""
        if self._trial is not None:
            trial = milestone.trials[self._trial]
            program, wanted = trial.program(trial.checks[0]), f"{expected(trial)[0]:.10g}"
        if how:
            got = how
            cause, diagnosis = self._worker.why_it_ended()
            diagnosis += printed
        else:
            got = f"no answer within {self._grading.time_limit:g} s"
            at = f": it was in {place}" if (place := self._worker.place()) else ""
            diagnosis, cause = f"an endless loop, or far too slow{at}", "time-limit"
        self._grading.results.append(
            Result(milestone.name, "failed", program, wanted, got, diagnosis, cause)
        )
