"""Which nodes of a tape matter, and the order in which the eager engine would sweep over them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from autograd_lite.native.tape import PICK, Argument, Constant, Guard, Parameter, Tape
from autograd_lite.primitives import TABLE, arithmetic, is_stated, nary


def needing(tape: Tape, wanted: Collection[int]) -> list[bool]:
    """Tell of every node whether gradients flow through it to what is differentiated.

    That is every parameter, and the numbers of the arguments at the positions ``wanted``, except
    whole ones.
    """
    needs: list[bool] = []
    for source, operands, flows in zip(tape.sources, tape.operands, tape.flows, strict=True):
        if source is None:
            needs.append(flows and any(needs[operand] for operand in operands))
        elif isinstance(source, Argument):
            needs.append(not source.whole and source.position in wanted)
        else:
            needs.append(isinstance(source, Parameter))
    return needs


def swept(tape: Tape, root: int, needs: list[bool]) -> list[int]:
    """Return the nodes below ``root`` that gradients flow through, operands before results.

    The order is that of `autograd_lite.sweep.topological_order`: depth first, first operands
    first. Swept from its end, it adds up contributions in the order in which `backward` does.
    """
    if not needs[root]:
        return []
    order: list[int] = []
    placed = bytearray(len(tape.sources))
    stack = [root]
    while stack:
        node = stack[-1]
        if placed[node]:
            stack.pop()
            continue
        missing = [x for x in tape.operands[node] if needs[x] and not placed[x]]
        if missing:
            stack += reversed(missing)
        else:
            placed[node] = True
            order.append(node)
            stack.pop()
    return order


def used(tape: Tape, roots: Iterable[int]) -> list[bool]:
    """Tell of every node whether one of ``roots`` is computed from it."""
    found = [False] * len(tape.sources)
    for root in roots:
        found[root] = True
    for node in range(len(tape.sources) - 1, -1, -1):
        if found[node]:
            for operand in tape.operands[node]:
                found[operand] = True
    return found


GENTLE = (
    "+ - * neg abs dot total mean maximum minimum max_of min_of clamp hardtanh where sign floor"
    " ceil round copysign relu leaky_relu elu selu sigmoid log_sigmoid softplus logsumexp logaddexp"
    " tanh atan asinh sin cos erf erfc normal_cdf gelu gelu_tanh mish silu softsign"
)
"""Operations whose partials are finite wherever their operands are."""


def hides_infinities(tape: Tape) -> bool:
    """Tell whether an option that was not picked may have an infinite partial below it.

    Backward comes to it with 0, which would then give NaN; eagerly, backward does not come to it.
    """
    gentle = {None, PICK, *(TABLE[name] for name in GENTLE.split())}
    steep = [i for i, x in enumerate(tape.operations) if x not in gentle and tape.flows[i]]
    if not steep:
        return False
    # Of every node: whether an output depends on it without any choice, and for which choices.
    always = [False] * len(tape.sources)
    chosen = [0] * len(tape.sources)  # a bit for every number that a label can be
    places: dict[int, int] = {}  # where the bits of a label begin
    every: list[int] = []  # all the bits of each label
    for output in tape.outputs:
        always[output] = True
    for node in range(len(always) - 1, -1, -1):
        operands = tape.operands[node]
        if tape.operations[node] is not PICK:
            for operand in operands:
                always[operand] |= always[node]
                chosen[operand] |= chosen[node]
            continue
        label, *options = operands
        if label not in places:
            places[label] = sum(every).bit_length()
            every.append(((1 << len(options)) - 1) << places[label])
        certain = always[node] or any(chosen[node] & bits == bits for bits in every)
        for number, option in enumerate(options, places[label]):
            if certain or chosen[node] >> number & 1:
                chosen[option] |= 1 << number
    needed = used(tape, tape.outputs)
    return any(
        needed[node] and not always[node] and all(chosen[node] & bits != bits for bits in every)
        for node in steep
    )


def fixed(tape: Tape) -> dict[int, float]:
    """Return the numbers of the nodes that are constants, or computed from constants alone."""
    found: dict[int, float] = {}
    columns = zip(tape.sources, tape.operations, tape.operands, strict=True)
    for node, (source, operation, operands) in enumerate(columns):
        if isinstance(source, Constant):
            found[node] = source.number
        elif operation is not None and is_stated(operation):
            numbers = [found[x] for x in operands if x in found]
            if len(numbers) == len(operands):
                found[node] = operation.evaluate(*numbers)
    return found


def observed(tape: Tape) -> list[int]:
    """Return the nodes whose numbers are asked for: outputs, those of guards and of effects."""
    nodes = list(tape.outputs)
    for guard in tape.guards:
        nodes += asked(guard)
    for effect in tape.effects:
        nodes += effect.nodes
    return nodes


def asked(guard: Guard) -> tuple[int, ...]:
    """Return the nodes that a guard is about."""
    return (guard.a,) if guard.test in ("truth", "index") else (guard.a, guard.b)


def memory_order(tape: Tape, parameters: int) -> list[int]:
    """Return the order in which parameters should lie in memory: factors first, as they are met.

    So the weights of a matrix product are one stretch of memory, row after row, whatever order a
    model has them in.
    """
    factors: dict[int, None] = {}
    for node, operation in enumerate(tape.operations):
        if operation is nary.dot_product or operation is arithmetic.multiply:
            operands = tape.operands[node]
            factors.update(dict.fromkeys(operands[: len(operands) // 2 * 2]))
    sources = map(tape.sources.__getitem__, factors)
    order = [source.position for source in sources if isinstance(source, Parameter)]
    placed = {*order}
    return [*order, *(i for i in range(parameters) if i not in placed)]
