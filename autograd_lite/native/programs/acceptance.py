"""What is looked at in a recording before it is used."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.native.tape import PICK, Argument, Drawn, Parameter, Tape
from autograd_lite.value import Value


def check_draws(tape: Tape) -> None:
    """Refuse comparisons of numbers that are drawn anew at every call.

    Lanes would be sorted by numbers that are no longer those that they are computed with.
    """
    if not tape.draws or not tape.guards:
        return
    drawn = [isinstance(source, Drawn) for source in tape.sources]
    for node, operands in enumerate(tape.operands):
        if any(drawn[operand] for operand in operands):
            drawn[node] = True
    for guard in tape.guards:
        if drawn[guard.a] or (guard.b >= 0 and drawn[guard.b]):
            raise ValueError(
                f"a comparison ({guard.test}) of numbers that are drawn anew at every call, as"
                " those of dropout are, cannot be compiled: use relu, maximum, max_of, clamp or"
                " where instead"
            )


def with_numbers(tape: Tape) -> Tape:
    """Return a tape in which only labels are whole: what is computed with is a number.

    So ``f(3)`` has the derivative of ``f(3.0)``.
    """
    if not any(isinstance(x, Argument) and x.whole for x in tape.leaves):
        return tape
    operands = list(tape.operands.nodes)
    for node, operation in enumerate(tape.operations):
        if operation is PICK:  # whose first operand, the label, is not computed with
            operands[tape.operands.starts[node]] = node
    computed = {*operands, *tape.outputs}
    sources = [
        source._replace(whole=False)
        if isinstance(source, Argument) and source.whole and node in computed
        else source
        for node, source in enumerate(tape.sources)
    ]
    return tape._replace(sources=sources)


def check_parameters(tape: Tape, parameters: Sequence[Value]) -> str:
    """Refuse parameters none of which the function uses; return what to say of unused ones."""
    used = {source.position for source in tape.leaves if isinstance(source, Parameter)}
    if not used:
        raise ValueError(
            f"the function uses none of the {len(parameters)} parameters that compile was given, so"
            " it would learn nothing: give the parameters of the model that it calls"
        )
    if len(used) == len(parameters) or tape.guards:  # another branch may use them
        return ""
    unused = [p for i, p in enumerate(parameters) if i not in used]
    names = [p.label for p in unused if p.label][:3]
    named = f" ({', '.join(names)}{', …' if len(unused) > len(names) else ''})" if names else ""
    return (
        f"the function uses {len(used)} of the {len(parameters)} parameters that compile was given;"
        f" the others{named} get no gradient"
    )
