"""Sums of products, written out as ``b + w0*x0 + w1*x1 + …``, found again as one `dot` each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from autograd_lite.native.columns import Operands, Operations
from autograd_lite.native.lowering.flat import Flat
from autograd_lite.primitives import arithmetic, nary

MANY = 4  # terms from which on a sum is worth a dot, even if nothing else uses the same numbers

Terms = list[tuple[int, int]]


def sums_as_dots(
    flat: Flat,
    operations: Operations,
    operands: Operands,
    ends: Collection[int],
) -> tuple[Operations, Operands] | None:
    """Return operations and operands with `dot` nodes in place of such sums; None without any.

    The sum keeps its order. Products that only the sum used are left without a user.
    """
    chains = _chains(flat, ends)
    shared = Counter(half for _, terms in chains.values() for half in zip(*terms, strict=True))
    found = {
        node: (start, terms)
        for node, (start, terms) in chains.items()
        if len(terms) >= MANY or max(shared[half] for half in zip(*terms, strict=True)) > 1
    }
    if not found:
        return None
    others, factors = [*operations], [*operands]
    for node, (start, terms) in found.items():
        others[node] = nary.dot_product
        left, right = zip(*terms, strict=True)
        factors[node] = (*left, *right, *start)
    return Operations(others), Operands(factors)


def _chains(flat: Flat, ends: Collection[int]) -> dict[int, tuple[tuple[int, ...], Terms]]:
    """Return, for the last addition of every sum of two products or more, its start and terms."""
    import numpy as np

    single = np.bincount(flat.operands, minlength=len(flat.codes)) == 1
    single[list(ends)] = False
    single &= flat.flows.astype(bool)
    is_term = np.zeros(len(flat.codes), bool)
    is_term[flat.using(arithmetic.multiply)] = True
    is_term &= single
    additions = flat.using(arithmetic.add)
    first = flat.starts[additions]
    left, right = flat.operands[first], flat.operands[first + 1]
    linked = (is_term[left] | is_term[right]) & flat.flows[additions].astype(bool)
    others = np.where(is_term[right], left, right)
    # A sum of two products or more: of two here, or of one here and others in the rest.
    linked[linked] = _in_chains(len(single), is_term, additions[linked], others[linked])
    chains: dict[int, tuple[tuple[int, ...], Terms]] = {}
    columns = (additions[linked], left[linked], right[linked])
    met = np.concatenate(columns[1:])
    factors = _factors(flat, met[is_term[met]])
    for node, a, b in zip(*(column.tolist() for column in columns), strict=True):
        rest, term = (a, b) if b in factors else (b, a)
        if rest in chains and single[rest]:
            start, terms = chains.pop(rest)
        elif rest in factors:
            start, terms = (), [factors[rest]]
        else:
            start, terms = (rest,), []
        terms.append(factors[term])
        chains[node] = start, terms
    return {node: chain for node, chain in chains.items() if len(chain[1]) > 1}


def _in_chains(count: int, is_term: Any, additions: Any, rest: Any) -> Any:
    """Tell which additions of a product have another product among what they are linked with."""
    import numpy as np

    is_linked, goes_on = np.zeros((2, count), bool)
    is_linked[additions] = True
    goes_on[rest] = True
    return is_term[rest] | is_linked[rest] | goes_on[additions]


def _factors(flat: Flat, products: Any) -> dict[int, tuple[int, int]]:
    """Return the operands of each product."""
    first = flat.starts[products]
    pairs = zip(flat.operands[first].tolist(), flat.operands[first + 1].tolist(), strict=True)
    return dict(zip(products.tolist(), pairs, strict=True))
