"""Matrix products of a plan: where their numbers are, and what is to be done around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_lite.native.lowering.layout import NO_ROW, Analysed, Layout
from autograd_lite.native.order import observed
from autograd_lite.native.tape import Argument, Parameter


class Placed(NamedTuple):
    """A product with the places of its numbers.

    Attributes
    ----------
    m, n, columns : int
        Rows of weights, terms, and columns of inputs (1 with lanes).
    with_lanes : bool
    place : int
        When it is computed.
    weights : int array (m, n)
        Where the weights are: in the parameters' array or among the uniform rows.
    of_parameters : bool
    in_order : bool
        Whether the weights are one stretch of memory, row after row.
    alone : bool
        Whether nothing else uses these parameters, so that their gradient can be overwritten.
    inputs : int array (columns, n)
        Rows of the inputs, or of their copies.
    argument : int or None
        The argument that the inputs are all numbers of, and that nothing else reads.
    copied : int array (columns, n) or None
        The rows that have to be copied side by side first, to be the inputs.
    outputs : slice
        Rows of the results, column after column.
    starts : int array (columns, m) or None
        Uniform rows of what sums start from.
    learns : bool
        Whether the weights need a gradient.
    passes_on : bool
        Whether the inputs need one.
    only_user : bool
        Whether the inputs get their whole gradient from here.
    active : bool
    """

    m: int
    n: int
    columns: int
    with_lanes: bool
    place: int
    weights: Any
    of_parameters: bool
    in_order: bool
    alone: bool
    inputs: Any
    argument: int | None
    copied: Any
    outputs: slice
    starts: Any
    learns: bool
    passes_on: bool
    only_user: bool
    active: bool


class Around(NamedTuple):
    """Native records before and after a product, in both directions."""

    before: list[Any]
    after: list[Any]
    after_backward: list[Any]
    before_backward: list[Any]


def direct_arguments(about: Analysed, wanted: Sequence[int]) -> dict[int, list[int]]:
    """Return, by position, arguments that products alone read, and always whole: their leaves."""
    import numpy as np

    if not about.products:
        return {}
    given = about.sources.are(Argument) & about.varies[about.sources.nodes]
    leaves, _, which, column = (x[given] for x in about.sources)
    found = {}
    read = _read_singly(about)
    for product in about.products:
        read[np.ravel(product.weights)] = True
    for position in np.unique(which).tolist():
        own = which == position
        nodes = leaves[own].tolist()
        whole = tuple(nodes)
        touched = set(nodes)
        uses = [x for product in about.products for x in product.inputs if touched & {*x}]
        if position in wanted or not uses or any(read[node] for node in nodes):
            continue
        in_order = column[own].tolist() == [*range(len(nodes))]
        if in_order and all(x == whole for x in uses):
            found[position] = nodes
    return found


def placed(
    about: Analysed,
    layout: Layout,
    direct: dict[int, list[int]],
    places: Any,
    rows: tuple[int, int],
) -> tuple[list[Placed], tuple[int, int]]:
    """Find the places of all products' numbers; return also how many rows there are with copies.

    Parameters
    ----------
    direct : dict
        As `direct_arguments` returns them.
    places : int array
        Of every parameter, where its number is.
    rows : tuple of two int
        How many rows the layout has in each space.
    """
    import numpy as np

    if not about.products:
        return [], rows
    parameter = about.sources.positions(Parameter, len(about.flat.codes))
    owner = {node: position for position, nodes in direct.items() for node in nodes}
    users = _users(about)
    learned = _weight_uses(about)
    ends = [*rows]
    found = []
    for product, place in zip(about.products, layout.product_place, strict=True):
        m, n, columns = product.shape
        nodes = np.array(product.weights)
        of_parameters = bool((parameter[nodes] >= 0).all())
        weights = places[parameter[nodes]] if of_parameters else layout.row[nodes]
        inputs = np.array(product.inputs)
        argument = owner.get(int(inputs.flat[0]))
        with_lanes = bool(about.varies[product.outputs[0][0]])
        given = layout.row[inputs] if argument is None else np.full(inputs.shape, NO_ROW)
        copied = argument is None and not _in_order(given)
        begin = ends[with_lanes]
        if copied:
            ends[with_lanes] += given.size
        outputs = layout.row[np.ravel(product.outputs)]
        first = int(outputs[0])
        active = bool(about.active[product.outputs[0][0]])
        passes_on = active and bool(about.active[inputs].any()) and argument is None
        found.append(
            Placed(
                m,
                n,
                columns,
                with_lanes,
                place,
                weights,
                of_parameters,
                _in_order(weights) and (m == 1 or int(weights[1, 0] - weights[0, 0]) == n),
                of_parameters and bool((learned[nodes] == 1).all()),
                begin + np.arange(given.size).reshape(given.shape) if copied else given,
                argument,
                given if copied else None,
                slice(first, first + m * columns),
                None if product.starts is None else layout.row[np.array(product.starts)],
                active and bool(about.active[nodes].any()),
                passes_on,
                passes_on and (copied or bool((users[inputs] == m).all())),
                active,
            )
        )
    return found, (ends[0], ends[1])


def _in_order(rows: Any) -> bool:
    """Tell whether a matrix of places is one of neighbours, row after row at one distance."""
    import numpy as np

    m, n = rows.shape
    step = int(rows[1, 0] - rows[0, 0]) if m > 1 else n
    expected = rows[0, 0] + step * np.arange(m)[:, None] + np.arange(n)
    return step >= n and bool((rows == expected).all())


def view(numbers: Any, places: Any) -> Any:
    """Return the numbers at a matrix of places without copying, None if that is not possible."""
    import numpy as np

    if not _in_order(places):
        return None
    m, n = places.shape
    first = int(places[0, 0])
    step = int(places[1, 0]) - first if m > 1 else n
    size = numbers.itemsize
    found = numbers[first:]
    return np.lib.stride_tricks.as_strided(found, (m, n), (step * size, size))


def _users(about: Analysed) -> Any:
    """Count, for every node, the operands that it is of nodes with a gradient (and outputs)."""
    import numpy as np

    flat = about.flat
    consumer = flat.users()
    active = flat.operands[about.active[consumer] & about.live[consumer]]
    users = np.bincount(active, minlength=len(flat.codes))
    users[list(about.tape.outputs)] += 1
    return users


def _weight_uses(about: Analysed) -> Any:
    """Count in how many products' weights a node stands; any other use counts once more."""
    import numpy as np

    uses = _read_singly(about).astype(int)
    for product in about.products:
        np.add.at(uses, np.ravel(product.weights), 1)
        uses[np.ravel(product.inputs)] += 1
    return uses


def _read_singly(about: Analysed) -> Any:
    """Mark what is read number by number: by kernels, by Python, as an output or a start."""
    import numpy as np

    flat = about.flat
    consumer = flat.users()
    by_product = np.zeros(len(flat.codes), bool)
    read = np.zeros(len(flat.codes), bool)
    for product in about.products:
        by_product[np.ravel(product.outputs)] = True
        if product.starts is not None:
            read[np.ravel(product.starts)] = True
    read[flat.operands[about.live[consumer] & ~by_product[consumer]]] = True
    read[observed(about.tape)] = True
    return read
