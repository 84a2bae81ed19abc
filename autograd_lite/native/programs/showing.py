"""What a recording and its plan look like: text and pictures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

from autograd_lite.drawing.pictures import draw
from autograd_lite.native.programs.arguments import Form
from autograd_lite.native.programs.paths import Recording
from autograd_lite.native.programs.summary import Facts, summary
from autograd_lite.native.python.naming import Given
from autograd_lite.native.python.replaying import replayed
from autograd_lite.native.python.source import source_of
from autograd_lite.value import Value


def source(
    recordings: Sequence[Recording],
    forms: Sequence[Form],
    names: Sequence[str],
    wanted: Collection[int] | None,
) -> str:
    """Return recordings as Python text, differentiated in ``wanted`` arguments (None for all)."""
    given = [
        Given(name, None if form.shape is None else form.width)
        for name, form in zip(names, forms, strict=True)
    ]
    texts = [source_of(one.tape, arguments=given, wanted=wanted) for one in recordings]
    return _joined(texts)


def summaries(recordings: Sequence[Recording], lanes: int, varying: frozenset[int]) -> str:
    """Return a summary of each recording, with what its plan for these lanes found."""
    texts = []
    for recording in recordings:
        plan = recording.plan_for(varying)
        facts = _facts(plan) if hasattr(plan, "rows") else None
        texts.append(
            summary(recording.tape, facts, varying=varying, lanes=lanes if varying else None)
        )
    return _joined(texts)


def picture(
    recording: Recording, parameters: Sequence[Value], output: int, options: dict[str, Any]
) -> Any:
    """Draw one output, with the numbers that the recording was made with."""
    return draw(
        replayed(recording.tape, recording.sample, parameters=parameters)[output], **options
    )


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return what the function calls its arguments by position."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C code
        found = {}.values()
    single = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [one.name for one in found if one.kind in single]
    return (names + [f"x{position}" for position in range(len(names), count)])[:count]


def _facts(plan: Any) -> Facts:
    """Return what is known of a native plan."""
    return Facts(
        plan.products,
        uniform_rows=plan.rows[0],
        lane_rows=plan.rows[1],
        itemsize=plan.dtype.itemsize,
        through_python=tuple(dict.fromkeys(plan.through_python)),
    )


def _joined(texts: Sequence[str]) -> str:
    """Put texts of several recordings together."""
    if len(texts) == 1:
        return texts[0]
    heads = [f"# Recording {i} of {len(texts)}" for i in range(1, len(texts) + 1)]
    return "\n\n".join(f"{head}\n{text}" for head, text in zip(heads, texts, strict=True))
