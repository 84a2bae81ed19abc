"""A recording as straight-line Python: what `Program.source` shows, and what runs without Numba.

The text defines ``forward`` and ``backward``. Forward has one assignment for each operation.
Backward goes through the operations from the last to the first; ``d_a`` is the adjoint of ``a``,
the derivative of the result with respect to it, to which each operation that uses ``a`` adds its
own times its partial. Contributions are added in the order in which the eager engine adds them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from autograd_lite.native.order import asked, fixed, needing, observed, swept, used
from autograd_lite.native.python.expressions import (
    Backward,
    backward_template,
    forward_template,
    term_of,
)
from autograd_lite.native.python.lines import (
    comment,
    function,
    returned,
    runs,
    shortened,
    statement,
    target_of,
    tuple_of,
)
from autograd_lite.native.python.naming import (
    TAKEN,
    Entry,
    Given,
    Names,
    derived,
    entries_of,
    number_names,
    operation_names,
    partial_names,
)
from autograd_lite.native.tape import Argument, Guard, Tape
from autograd_lite.primitives import Primitive, counted

MOST_NAMED = 2000  # operations that have names; beyond, numbers are in lists
PER_FUNCTION = 1000  # statements, of programs that are longer


def source_of(
    tape: Tape,
    *,
    arguments: Sequence[Given] | None = None,
    wanted: Collection[int] | None = None,
    output: int = 0,
) -> str:
    """Return a recording as Python text.

    Parameters
    ----------
    tape : Tape
    arguments : sequence of Given, optional
        The name of each argument, and how many numbers it has.
    wanted : collection of int, optional
        The positions of the arguments to differentiate; by default all of them.
    output : int
        Which of ``tape.outputs`` ``backward`` starts from.

    Returns
    -------
    str
        To be run with the functions of `autograd_lite.native.python.namespace.namespace`.
        ``forward(*arguments)`` gives the result and what backward needs of the numbers on the way
        there; ``backward(saved, seed=1.0)`` gives the derivatives. Lists are flat.

    Notes
    -----
    Where Python's floats raise (``1 / 0``) or turn complex, so does the text; numbers that follow
    IEEE 754 are `autograd_lite.native.python.lane_numbers.Lanes`.

    Examples
    --------
    >>> from autograd_lite.native.python.namespace import namespace
    >>> from autograd_lite.native.tracing.recording import record
    >>> from autograd_lite.native.python.source import source_of
    >>> text = source_of(record(lambda x: x * x, (2.0,)))
    >>> print(text)
    # A recording of 1 operation. To run it:
    #     from autograd_lite.native.python.namespace import namespace
    #     exec(source, names := namespace())
    #     result, saved = names["forward"](x)
    #     d_x = names["backward"](saved)
    <BLANKLINE>
    <BLANKLINE>
    def forward(x):
        v1 = x * x
        return v1, (x,)
    <BLANKLINE>
    <BLANKLINE>
    def backward(saved, d_v1=1.0):
        (x,) = saved
        # v1 = x * x
        d_x = d_v1 * x
        d_x = d_x + d_v1 * x
        return d_x
    <BLANKLINE>
    >>> exec(text, names := namespace())
    >>> result, saved = names["forward"](3.0)
    >>> result, names["backward"](saved)
    (9.0, 6.0)
    """
    return "\n\n\n".join(_Writer(tape, arguments, wanted, output).parts()) + "\n"


def functions_of(
    tape: Tape, arguments: Sequence[Given], wanted: Collection[int], output: int | None
) -> list[str]:
    """Return the functions of the text one by one; without ``backward`` if ``output`` is None."""
    return _Writer(tape, arguments, wanted, output).functions()


class _Writer:
    """Writes the text of one recording."""

    def __init__(
        self,
        tape: Tape,
        arguments: Sequence[Given] | None,
        wanted: Collection[int] | None,
        output: int | None,
    ) -> None:
        self.tape = tape
        self.operations = operation_names(tape)
        names = Names(TAKEN)
        for operation, name in self.operations.items():
            names.taken |= {name, *partial_names(operation, name)}
        self.entries = entries_of(tape, arguments, names)
        if wanted is None:
            wanted = {
                source.position
                for source in tape.sources
                if isinstance(source, Argument) and not source.whole
            }
        self.wanted = wanted
        self.needs = needing(tape, wanted)
        self.fixed = fixed(tape)
        self.used = used(tape, observed(tape))
        self.computed = [
            node
            for node, operation in enumerate(tape.operations)
            if self.used[node] and operation is not None and node not in self.fixed
        ]
        self.count = len(self.computed)
        self.long = self.count > MOST_NAMED
        if self.long:
            self.called = [f"v[{node}]" for node in range(len(tape.sources))]
        else:
            self.called = number_names(tape, self.entries, self.computed, names)
        for node, number in self.fixed.items():
            self.called[node] = repr(number)
        self.root = None if output is None else tape.outputs[output]
        self.order = [] if self.root is None else swept(tape, self.root, self.needs)
        self.reached = set(self.order)

    def parts(self) -> list[str]:
        """Return what stands in the text, with two empty lines in between."""
        differentiated = [f"d_{entry.name}" for entry in derived(self.entries, self.wanted)]
        given = ", ".join(entry.name for entry in self.entries)
        head = [
            f"# A recording of {counted(self.count, 'operation')}. To run it:",
            "#     from autograd_lite.native.python.namespace import namespace",
            "#     exec(source, names := namespace())",
            *shortened(f'#     result, saved = names["forward"]({given})'),
        ]
        if differentiated:
            head += shortened(f'#     {", ".join(differentiated)} = names["backward"](saved)')
        return ["\n".join(head), *self.functions()]

    def functions(self) -> list[str]:
        """Return the functions of the text."""
        made = self._forward()
        return made if self.root is None else [*made, *self._backward()]

    # -- forward --------------------------------------------------------------------------------

    def _forward(self) -> list[str]:
        given = ", ".join(entry.name for entry in self.entries)
        body: list[str] = []
        after = self._guards_by_node()
        computed = set(self.computed)
        said = False
        for node in sorted({*self.computed, *after}):
            if node in computed:
                body += statement(self.called[node], self._expression(node))
            for guard in after.get(node, ()):
                if not said:
                    body.append("# the recording holds where these answers are the same")
                    said = True
                body.append(self._expected(guard))
        effects = [
            f"after{i}({', '.join(self.called[node] for node in effect.nodes)})"
            for i, effect in enumerate(self.tape.effects)
        ]
        result = self._result(self.tape.result)
        saved = "v" if self.long else tuple_of(self._saved())
        last = [*effects, *returned([result, saved])]
        if len(last) > len(effects) + 1 and not self.long:
            last = [*effects, *statement("saved", saved), *returned([result, "saved"])]
        if self.long:
            return self._in_functions("forward", given, "v", self._loads(), body, last)
        return [function("forward", given, [*self._unpacked(), *body, *last])]

    def _expression(self, node: int) -> str:
        """Return what computes a node, from the names of its operands."""
        operation, operands = self.tape.operations[node], self.tape.operands[node]
        template = forward_template(operation, len(operands), self.operations[operation])
        return template.format(*self._operands(node))

    def _operands(self, node: int) -> list[str]:
        """Return the names of a node's operands; negative numbers before ``**`` in brackets."""
        names = [self.called[operand] for operand in self.tape.operands[node]]
        if self.operations[self.tape.operations[node]] == "power":
            return [f"({name})" if name.startswith("-") else name for name in names]
        return names

    def _guards_by_node(self) -> dict[int, list[Guard]]:
        """Return the guards, each under the node after which it can be asked, in their order."""
        found: dict[int, list[Guard]] = {}
        place = 0
        for guard in self.tape.guards:
            place = max(place, *asked(guard))
            found.setdefault(place, []).append(guard)
        return found

    def _expected(self, guard: Guard) -> str:
        a, b = self.called[guard.a], self.called[guard.b]
        if guard.test == "truth":
            return f"expect({a} != 0.0, {guard.answer})"
        if guard.test == "index":
            return f"expect({a} == {guard.answer}, True)"
        return f"expect({a} {guard.test} {b}, {guard.answer})"

    def _unpacked(self) -> list[str]:
        """Return the lines that give the numbers of lists their names."""
        lines: list[str] = []
        for entry in self.entries:
            if entry.width and any(node is not None for node in entry.nodes):
                names = ["_" if node is None else self.called[node] for node in entry.nodes]
                lines += statement(target_of(names), entry.name)
        return lines

    def _loads(self) -> list[str]:
        """Return the lines that copy what is given to where the numbers are."""
        lines = []
        for entry in self.entries:
            if entry.width is None:
                if entry.nodes[0] is not None:
                    lines.append(f"v[{entry.nodes[0]}] = {entry.name}")
                continue
            for column, first, length in runs(entry.nodes):
                if length == 1:
                    lines.append(f"v[{first}] = {entry.name}[{column}]")
                else:
                    stop = column + length
                    lines.append(f"v[{first}:{first + length}] = {entry.name}[{column}:{stop}]")
        return lines

    def _result(self, tree: Any) -> str:
        if isinstance(tree, list):
            return f"[{', '.join(map(self._result, tree))}]"
        if isinstance(tree, tuple):
            return tuple_of([self._result(branch) for branch in tree])
        return self.called[self.tape.outputs[tree]]

    def _saved(self) -> list[str]:
        """Return the names of the numbers that backward reads."""
        read: set[int] = set()
        for node in self.order:
            operands = self.tape.operands[node]
            if not operands:
                continue
            found = self._handing(node)
            for operand, term in zip(operands, found.terms, strict=True):
                if self.needs[operand]:
                    read.update(operands[i] for i in term.reads)
                    read.update([node] if term.reads_result else ())
        return [self.called[node] for node in sorted(read) if node not in self.fixed]

    # -- backward -------------------------------------------------------------------------------

    def _handing(self, node: int) -> Backward:
        """Return how a node hands its adjoint on."""
        operation, operands = self.tape.operations[node], self.tape.operands[node]
        name = self.operations[operation]
        known = tuple(map(self.fixed.get, operands))
        plain = name in ("add", "subtract", "multiply")  # whose terms have no operations
        if isinstance(operation, Primitive) and not plain and any(x is not None for x in known):
            return Backward(
                "", tuple(term_of(operation, i, name, known) for i in range(operation.arity))
            )
        return backward_template(operation, len(operands), name)

    def _adjoint(self, node: int) -> str:
        return f"d[{node}]" if self.long else f"d_{self.called[node]}"

    def _backward(self) -> list[str]:
        assert self.root is not None
        body: list[str] = []
        begun = {self.root}
        for node in reversed(self.order):
            if self.tape.operands[node]:
                body += self._handed_on(node, begun)
        results = [self._derivatives(entry) for entry in derived(self.entries, self.wanted)]
        last = returned(results)
        if self.long:
            first = [f"d[{self.root}] = seed"]
            return self._in_functions("backward", "v, seed=1.0", "v, d", first, body, last)
        seed = "seed" if self.root in self.fixed else self._adjoint(self.root)
        saved = self._saved()
        unpacked = statement(target_of(saved), "saved") if saved else []
        return [function("backward", f"saved, {seed}=1.0", [*unpacked, *body, *last])]

    def _handed_on(self, node: int, begun: set[int]) -> list[str]:
        """Return the lines that add to the adjoints of a node's operands."""
        operands = self.tape.operands[node]
        handing = self._handing(node)
        names = self._operands(node)
        result = self.called[node]
        lines: list[str] = []
        partials = f"p_{result}"
        if self.long:
            partials = "p"
        else:
            lines.append(comment(f"{result} = {self._expression(node)}"))
        if handing.first:
            lines += statement(partials, handing.first.format(*names, y=result))
        adjoint = self._adjoint(node)
        for operand, term in zip(operands, handing.terms, strict=True):
            if not self.needs[operand]:
                continue
            text = term.text.format(*names, y=result, d=adjoint, p=partials)
            to = self._adjoint(operand)
            if operand not in begun:
                begun.add(operand)
                lines += statement(to, f"-{text}" if term.negative else text)
            else:
                lines += statement(to, f"{to} {'-' if term.negative else '+'} {text}")
        return lines

    def _derivatives(self, entry: Entry) -> str:
        """Return the derivatives with respect to one entry."""
        nodes = [node if node in self.reached else None for node in entry.nodes]
        if entry.width is None:
            return "0.0" if nodes[0] is None else self._adjoint(nodes[0])
        if not self.long:
            return f"[{', '.join('0.0' if x is None else self._adjoint(x) for x in nodes)}]"
        pieces = []
        done = 0
        for column, first, length in runs(nodes):
            pieces += ["0.0"] * (column - done)
            pieces.append(f"d[{first}]" if length == 1 else f"*d[{first}:{first + length}]")
            done = column + length
        pieces += ["0.0"] * (len(nodes) - done)
        return f"[{', '.join(pieces)}]"

    # -- long programs --------------------------------------------------------------------------

    def _in_functions(
        self,
        name: str,
        given: str,
        lists: str,
        first: list[str],
        body: list[str],
        last: list[str],
    ) -> list[str]:
        """Spread a long body over functions that share lists."""
        chunks = [body[i : i + PER_FUNCTION] for i in range(0, len(body), PER_FUNCTION)]
        made = [
            function(f"{name}_{i}", lists, chunk or ["pass"]) for i, chunk in enumerate(chunks, 1)
        ]
        new = f"{lists[-1]} = [0.0] * {len(self.tape.sources)}"
        calls = [f"{name}_{i}({lists})" for i in range(1, len(chunks) + 1)]
        return [*made, function(name, given, [new, *first, *calls, *last])]
