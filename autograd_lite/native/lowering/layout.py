"""From a tape to a schedule: who has a row, in which order runs go, what is a matrix product."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from autograd_lite.native.kernels.convention import LANES, UNIFORM
from autograd_lite.native.kernels.table import KINDS, SOLE, UNIFORM_OPTIONS, Kernels
from autograd_lite.native.lowering.analysis import Workspace
from autograd_lite.native.lowering.flat import Flat, flat
from autograd_lite.native.lowering.products import Product, products_of
from autograd_lite.native.lowering.sources import Sources, sources_of
from autograd_lite.native.lowering.sums import sums_as_dots
from autograd_lite.native.order import observed
from autograd_lite.native.tape import (
    LANE_MEAN,
    LANE_VARIANCE,
    PICK,
    Argument,
    Drawn,
    Parameter,
    Tape,
)
from autograd_lite.primitives import TABLE

NO_ROW = -1


class Analysed(NamedTuple):
    """A tape with what has to be known of its nodes before they can be laid out.

    Attributes
    ----------
    tape : Tape
    flat : Flat
        With sums of products as `dot` nodes.
    varies, live, active : arrays (n,) of bool
        Whether a node's number differs between lanes; is needed; gets a gradient.
    level : int array (n,)
    products : list of Product
    exact : bool
    output : int
        Which output is differentiated, if gradients are to be those of one alone.
    sources : Sources
    """

    tape: Tape
    flat: Flat
    varies: Any
    live: Any
    active: Any
    level: Any
    products: list[Product]
    exact: bool
    output: int
    sources: Sources

    @property
    def joined(self) -> bool:
        """Whether numbers of all lanes come together somewhere before the outputs."""
        return LANE_MEAN in self.flat.operations or LANE_VARIANCE in self.flat.operations


def analysed(
    tape: Tape,
    *,
    varying: Collection[int],
    wanted: Collection[int],
    exact: bool,
    output: int | None = None,
) -> Analysed:
    """Find out about every node of a tape what its layout depends on.

    Parameters
    ----------
    varying, wanted : collections of int
        The positions of the arguments that differ between lanes, and of those to differentiate.
        Parameters are differentiated in any case.
    exact : bool
        Whether everything is to be computed as the eager engine does, in its order.
    output : int, optional
        The only output that is differentiated; by default any of them is.
    """
    import numpy as np

    found = flat(tape.operations, tape.operands, tape.flows)
    ends = observed(tape)
    rewritten = None if exact else sums_as_dots(found, tape.operations, tape.operands, ends)
    if rewritten is not None:
        found = flat(*rewritten, tape.flows)
    work = Workspace(found.starts, found.operands)
    work.flows[:] = found.flows
    work.joins[found.using(LANE_MEAN, LANE_VARIANCE)] = 1
    sources = sources_of(tape, found)
    given = sources.are(Argument)
    among = [given & np.isin(sources.which, list(some)) for some in (varying, wanted)]
    work.varies[sources.nodes] = among[0] | (sources.are(Drawn) & bool(varying))
    work.wants[sources.nodes] = among[1] | sources.are(Parameter)
    work.run("spread")
    work.live[ends] = 1
    roots = list(tape.outputs if output is None else tape.outputs[output : output + 1])
    work.carries[roots] = work.wants[roots]
    work.run("reach")
    work.run("rank")
    live, varies, active = (x.astype(bool) for x in (work.live, work.varies, work.carries))
    products = (
        []
        if exact
        else products_of(found, live=live, varies=varies, active=active, level=work.level)
    )
    return Analysed(
        tape, found, varies, live, active, work.level, products, exact, output or 0, sources
    )


# -- rows and their order --------------------------------------------------------------------------


class Layout(NamedTuple):
    """Where every number has its row, and the order in which rows are computed.

    Nodes from n on are broadcasts: rows with lanes of numbers without.

    Attributes
    ----------
    row : int array
        Of every node, its row in its own space; `NO_ROW` where there is none.
    rows : tuple of two int
        How many rows the uniform space and the lanes have.
    order : int array
        The nodes that kernels (or Python) compute, in order.
    place : int array
        Of every node of ``order``, when it is computed: runs do not cross from one to the next.
    kind : int array
        Of every node of ``order``, operation and mask: runs are of one kind.
    space : uint8 array
        Of every node, `UNIFORM` or `LANES`.
    product_place : list of int
        When the products are computed: after all kernels of that place.
    operands : int array
        As in `Flat`, but with broadcasts in place of what has no lanes where lanes are needed.
    broadcast : int array
        What each broadcast is of.
    begun : bool array
        Of every node, whether its adjoint needs no 0 to begin with: the first part that it gets is
        written, or it has an heir.
    heir : int array
        Of every node, whose adjoint is its own: that of a sum, if this is all that it goes into.
    """

    row: Any
    rows: tuple[int, int]
    order: Any
    place: Any
    kind: Any
    space: Any
    product_place: list[int]
    operands: Any
    broadcast: Any
    begun: Any
    heir: Any


def laid_out(about: Analysed, direct: Collection[int], kernels: Kernels) -> Layout:
    """Give every number its row.

    Parameters
    ----------
    about : Analysed
    direct : collection of int
        Nodes that need no row: products read them from where the caller has them.
    kernels : Kernels
        Those of the operations.
    """
    import numpy as np

    flat, n = about.flat, len(about.flat.codes)
    consumer = flat.users()
    slot = np.arange(len(consumer)) - flat.starts[consumer]
    in_product = np.zeros(n, bool)
    for product in about.products:
        for column in product.outputs:
            in_product[column] = True
    computed = about.live & (flat.codes > 0) & ~in_product
    picks = np.zeros(n, bool)
    picks[flat.using(PICK)] = True
    label = picks[consumer] & (slot == 0)
    used = computed[consumer] & ~label
    uniform_pick = picks.copy()
    uniform_pick[consumer[~label & about.varies[flat.operands]]] = False
    joins = np.zeros(n, bool)
    joins[flat.using(LANE_MEAN, LANE_VARIANCE)] = True
    with_lanes = (about.varies | joins) & ~uniform_pick
    # -- broadcasts: what lanes need of the numbers without lanes
    lifted = used & with_lanes[consumer] & ~about.varies[flat.operands] & bool(about.varies.any())
    broadcast = np.unique(flat.operands[lifted])
    twin = np.full(n, NO_ROW, np.int64)
    twin[broadcast] = n + np.arange(len(broadcast))
    operands = flat.operands.astype(np.int64)
    operands[lifted] = twin[flat.operands[lifted]]
    space = np.concatenate([about.varies, np.ones(len(broadcast), bool)]).astype(np.uint8)
    # -- what is computed, and when
    level = np.concatenate([2 * about.level.astype(np.int64), 2 * about.level[broadcast] + 1])
    if not about.joined:  # all numbers without lanes first, once, and then block after block
        level += np.where(space == LANES, 2 * (int(about.level.max(initial=0)) + 1), 0)
    kind = np.concatenate([_kinds(about, uniform_pick), np.zeros(len(broadcast), np.int64)])
    kind[n:] = np.where(about.active[broadcast], 1, 0)  # of code 0: no operation of the table
    own = [np.flatnonzero(computed), n + np.arange(len(broadcast))]
    products = [np.ravel(product.outputs) for product in about.products]
    place = level
    if not (about.varies.any() or about.products or about.exact):
        place = _turns(flat, computed, kind)
    if about.exact:  # one after the other, as recorded
        place = np.concatenate([1 + np.arange(n), np.zeros(len(broadcast), np.int64)])
        if not about.joined:
            place += np.where(space == LANES, n + 1, 0)
    begun = np.zeros(len(place), bool)
    heir = np.arange(len(place))
    if about.varies.any() and not about.exact:
        native = computed & (_has_fixed_arity(flat) & ~kernels.in_python)[flat.codes]
        able = about.active[flat.operands] & (space[operands] == LANES) & native[consumer]
        alone = able & (operands < n) & native[flat.operands]
        counts = about.active[consumer] & about.live[consumer]
        alone &= _passed_on(about, consumer, slot, counts)
        kind -= np.bincount(consumer[alone], 1 << slot[alone], len(kind)).astype(np.int64)
        heir[flat.operands[alone]] = consumer[alone]
        while (heir[heir] != heir).any():
            heir = heir[heir]
        first = _first_of(about, operands, consumer, place, counts) & able & ~alone & used
        kind += np.bincount(consumer[first], SOLE << slot[first], len(kind)).astype(np.int64)
        begun[operands[first | alone]] = True
    order = np.concatenate(own)
    last = int(kind.max(initial=0)) + 1
    ranks = np.concatenate(
        [kind[order], *[np.full(len(p), last + i) for i, p in enumerate(products)]]
    )
    everything = np.concatenate([order, *products]).astype(np.int64)
    everything = everything[_stable(ranks)]
    everything = everything[_stable(place[everything])]
    # -- rows: leaves first, then everything else in the order in which it is computed
    needed = np.zeros(n + len(broadcast), bool)
    needed[operands[used]] = True
    needed[broadcast] = True
    needed[observed(about.tape)] = True
    learned = about.sources.positions(Parameter, n) >= 0
    for product in about.products:
        needed[np.ravel(product.inputs)] = True
        if product.starts is not None:
            needed[np.ravel(product.starts)] = True
        weights = np.ravel(product.weights)
        if not learned[weights].all():
            needed[weights] = True
    needed[:n] &= about.live
    needed[list(direct)] = False
    leaves = _leaves(about, needed)
    keeping = np.concatenate([kernels.keeping[flat.codes], np.zeros(len(broadcast), bool)])
    keeping[:n] &= about.active & about.varies
    row = np.full(n + len(broadcast), NO_ROW, np.int64)
    sizes = []
    for which in (UNIFORM, LANES):
        given, found = leaves[space[leaves] == which], everything[space[everything] == which]
        row[given] = np.arange(len(given))
        behind, size = _rows(found, kind, place, keeping)
        row[found] = len(given) + behind
        sizes.append(len(given) + size)
    by_kernel = np.concatenate([~in_product, np.ones(len(broadcast), bool)])
    order = everything[by_kernel[everything]]
    return Layout(
        row,
        (sizes[0], sizes[1]),
        order,
        place[order],
        kind[order],
        space,
        [int(place[p[0]]) for p in products],
        operands,
        broadcast,
        begun,
        heir,
    )


def _rows(nodes: Any, kind: Any, place: Any, keeping: Any) -> tuple[Any, int]:
    """Return the rows of nodes that are computed, from 0 on, and how many there are.

    Those of a run that keeps partials are followed by as many for these.
    """
    import numpy as np

    begins = begins_of_runs(kind[nodes], place[nodes])
    sizes = np.diff(np.append(begins, len(nodes)))
    kept = np.where(keeping[nodes[begins]], sizes, 0)
    before = np.cumsum(kept) - kept
    return np.arange(len(nodes)) + np.repeat(before, sizes), len(nodes) + int(kept.sum())


def begins_of_runs(*columns: Any) -> Any:
    """Return where, going down a table's rows, one of its columns changes; and 0 if it has any."""
    import numpy as np

    changes = [column[1:] != column[:-1] for column in columns]
    return np.flatnonzero(np.append(np.ones(len(columns[0][:1]), bool), np.any(changes, axis=0)))


def _passed_on(about: Analysed, consumer: Any, slot: Any, counts: Any) -> Any:
    """Mark the operands whose adjoint is that of their only user, a sum.

    Of a difference it is the first operand.
    """
    import numpy as np

    flat = about.flat
    passes = np.zeros(len(consumer), bool)
    for sign, slots in (("+", 2), ("-", 1)):
        of_sign = np.array([operation is TABLE[sign] for operation in flat.operations])
        passes |= of_sign[flat.codes[consumer]] & (slot < slots)
    often = np.bincount(flat.operands[counts], minlength=len(flat.codes)) != 1
    return passes & counts & ~often[flat.operands]


def _first_of(about: Analysed, operands: Any, consumer: Any, place: Any, counts: Any) -> Any:
    """Mark the operands whose adjoint gets its first part from here, all others coming later.

    Going backward, that is the user of the highest place, and there, as runs of one place are in
    the order of their kinds, of the last operation; if there is one alone. Outputs have got theirs
    before.
    """
    import numpy as np

    when = place[consumer] * len(about.flat.operations) + about.flat.codes[consumer]
    latest = np.full(len(place), -1, np.int64)
    np.maximum.at(latest, operands[counts], when[counts])
    first = counts & (when == latest[operands])
    several = np.bincount(operands[first], minlength=len(place)) > 1
    several[list(about.tape.outputs)] = True
    return first & ~several[operands]


def _has_fixed_arity(flat: Flat) -> Any:
    """Tell of every operation whether it is a primitive with a fixed number of operands."""
    import numpy as np

    return np.array([getattr(x, "variadic", True) is False for x in flat.operations])


def _turns(flat: Flat, computed: Any, kind: Any) -> Any:
    """Return the number of each node's run, for a point: the longer runs are, the fewer calls."""
    import numpy as np

    met = np.bincount(kind[computed]) > 0
    count = int(met.sum())
    work = Workspace(flat.starts, flat.operands, kinds=count)
    work.computed[:] = computed
    work.kind[computed] = (np.cumsum(met) - 1)[kind[computed]]
    work.run("take_turns", count)
    return work.turn.astype(np.int64)


def _kinds(about: Analysed, uniform_pick: Any) -> Any:
    """Return operation and mask of every node as one number: kernels with one number are equal."""
    import numpy as np

    flat = about.flat
    counts = np.diff(flat.starts)
    fixed = _has_fixed_arity(flat)[flat.codes]
    mask = np.where(about.active & ~fixed, 1, 0)
    for slot in range(3):
        having = np.flatnonzero(fixed & about.active & (counts > slot))
        operand = flat.operands[flat.starts[having] + slot]
        mask[having] |= about.active[operand].astype(np.int64) << slot
    mask |= np.where(uniform_pick, UNIFORM_OPTIONS, 0)
    return flat.codes.astype(np.int64) * KINDS + mask


def _stable(keys: Any) -> Any:
    """Return what sorts small whole numbers, equal ones in their order: digit by digit."""
    import numpy as np

    order = np.argsort((keys & 0xFFFF).astype(np.uint16), kind="stable")
    if len(keys) and int(keys.max()) > 0xFFFF:
        order = order[np.argsort((keys[order] >> 16).astype(np.uint16), kind="stable")]
    return order


def _leaves(about: Analysed, needed: Any) -> Any:
    """Return the leaves that need a row: numbers of one argument, or of one draw, side by side."""
    import numpy as np

    nodes, kind, which, column = about.sources
    which = np.where(about.sources.are(Parameter), 0, which)  # these stay as they were met
    order = np.lexsort((nodes, column, which, kind))
    return nodes[order[needed[nodes[order]]]]
