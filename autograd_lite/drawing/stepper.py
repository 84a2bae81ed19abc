"""The backward pass as a page to step through: one piece of HTML, for notebooks and for slides.

What stands in the HTML is a picture of the final state (an ``<img>``) and a list of all steps; a
script beside them turns the two into the interactive stepper. Where scripts are stripped, picture
and list remain; the list comes first, since some places write what they strip as text. The list is
the only statement of the steps: the script reads it and computes nothing.

The DOM contract, for styles and tests:

==============================  ====================================================================
``.autograd-stepper``           the root; ``data-step`` is the state, from 0 to n + 1 for n
                                contributions: 0 before the backward pass, 1 the seed, then one
                                state for each contribution. Where the forward pass comes first,
                                0 is before it, and there is one more state for each operation,
                                between 0 and the seed; class ``ready`` once the script has
                                run; ``data-theme`` is ``light`` or ``dark``
``[data-node]``, ``data-label`` a node with its index and its name; ``data-grad`` is its gradient
                                with all digits, missing while it has none. Classes ``receiving``
                                (its gradient grows) and ``giving`` (the consumer); ``computed``
                                (of this operation), ``unknown`` (of a later one)
``[data-edge]``                 an edge, ``CONSUMER-POSITION``. Classes ``active`` (of this step
                                or operation), ``done`` (of this step or an earlier one) and
                                ``unknown`` (of a later operation)
``[data-do]``                   the buttons ``first``, ``previous``, ``play``, ``next``, ``last``
``input[type=range]``           the slider
``.formula``                    what happens in this step
``li``                          one for each state; ``aria-current`` for this one
==============================  ====================================================================

The classes of nodes and edges and ``data-grad`` are those of the inline ``<svg>``, which stands in
the place of the ``<img>`` once the script has run.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, NamedTuple

from autograd_lite.notation import UNICODE, printable, product, short, summed

if TYPE_CHECKING:
    from autograd_lite.contributions import BackwardPass, Step
    from autograd_lite.drawing.collapsing import View
    from autograd_lite.drawing.scene import Scene
    from autograd_lite.graphs import Graph

MAX_NODES = 1000
MAX_STEPS = 5000
UPRIGHT_UP_TO = 100
"""Pictures of so many nodes have a second, upright form for narrow places."""


def page(walk: BackwardPass, *, document: bool = False, max_nodes: int = MAX_NODES) -> str:
    """Return the stepper as HTML.

    Parameters
    ----------
    walk : BackwardPass
        Such as `steps` returns. Steps that it was told to stop at are breakpoints of the page.
    document : bool
        Whether to return a whole document, which can be saved as a file and needs no network,
        rather than an element to be placed in one.
    max_nodes : int
        How many nodes to draw at most. Where there are more, the page has the first steps only,
        and says so.

    Returns
    -------
    str

    Examples
    --------
    >>> from autograd_lite import Value, steps
    >>> from autograd_lite.drawing.stepper import page
    >>> x = Value(3.0, label="x")
    >>> html = page(steps(x * x), document=True)
    >>> html.count("</li>"), html.count("http://") - html.count("http://www.w3.org/")
    (4, 0)
    """
    from html import escape

    shown = _shown(walk, max_nodes)
    passes = "Forward and backward pass" if shown.operations else "Backward pass"
    title = escape(f"{passes} of {printable(walk.graph.root.name)}")
    script, style = _part("stepper.js"), _part("stepper.css")
    items = "\n".join([*_beginning(shown), *(_item(shown, step) for step in shown.steps)])
    note = f'<p class="left-out">{_left_out(shown)}</p>\n' if shown.partly else ""
    last = len(shown.operations) + len(shown.steps) + 1
    stepper = f"""\
<div class="autograd-stepper{" page" if document else ""}" data-step="{last}"\
 data-lm-suppress-shortcuts="true" role="region" aria-label="{title}, step by step"\
 style="display: flex; flex-direction: column">
<p class="title">{title}</p>
{note}<details open style="order: 1"><summary>All steps</summary>
<ol start="0">
{items}
</ol></details>
{_pictures(shown, title)}
<style>{style}</style>
<script>{script}</script>
</div>
"""
    if not document:
        return stepper
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;\
 style-src 'unsafe-inline'; script-src '{_fingerprint(script)}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
</head>
<body>
{stepper}</body>
</html>
"""


def _part(name: str) -> str:
    from importlib.resources import files

    return files("autograd_lite.drawing").joinpath(name).read_text(encoding="utf-8")


def _fingerprint(script: str) -> str:
    """Return what lets this script run and no other: hostile labels have no way round it."""
    from base64 import b64encode
    from hashlib import sha256

    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


# -- what is shown -------------------------------------------------------------------------------


class _Shown(NamedTuple):
    """The steps of a page, and the graph as they leave it."""

    walk: BackwardPass
    steps: list[Step]
    graph: Graph
    scale: float
    operations: list[int]

    @property
    def partly(self) -> bool:
        return len(self.steps) < len(self.walk)

    def tint(self, grad: float) -> str:
        """Return the class that colours a gradient."""
        from autograd_lite.drawing.boxes import tint_of
        from autograd_lite.drawing.svg import tint_class

        return tint_class(tint_of(grad, self.scale))


def _shown(walk: BackwardPass, max_nodes: int) -> _Shown:
    """Return all steps, or the first ones that have to do with ``max_nodes`` nodes."""
    from autograd_lite.drawing.boxes import grad_scale

    graph = copy(walk.graph)
    graph._grads = [None] * len(graph)
    graph._grads[-1] = 1.0
    everything = len(graph) <= max_nodes and len(walk) <= MAX_STEPS
    steps: list[Step] = []
    nodes = {graph.root.value}
    for step in walk:
        nodes.add(step.operand)
        if not everything and (len(nodes) > max_nodes or len(steps) == MAX_STEPS):
            break
        steps.append(step)
        graph._grads[graph._index[step.operand]] = step.total
    first = walk.begins_forward and len(steps) == len(walk)
    operations = [index for index, value in enumerate(graph._values) if first and value.op]
    return _Shown(walk, steps, graph, grad_scale(graph._grads), operations)


def _left_out(shown: _Shown) -> str:
    without = " The forward pass is left out." if shown.walk.begins_forward else ""
    return (
        f"Here are the first {len(shown.steps):,} of {len(shown.walk):,} contributions and the"
        f" numbers that they concern; the graph has {len(shown.graph):,} numbers. table() prints"
        f" all steps.{without}"
    )


# -- the list of steps ---------------------------------------------------------------------------


def _beginning(shown: _Shown) -> list[str]:
    """Return the list items before the first contribution: the start, operations, the seed."""
    from html import escape

    last = shown.graph.root
    root = escape(printable(last.name))
    start = "The forward pass is done: every node has its number, and no gradient yet."
    if shown.operations:
        start = "The leaves have their numbers; the operations follow, with their local partials."
    return [
        f"<li>{start}</li>",
        *(_operation(shown, place) for place in range(len(shown.operations))),
        f"<li data-to={last.index} data-grad=1.0 data-shown=1 data-tint={shown.tint(1.0)}>"
        f"<code><b>{root}.grad</b> = ∂{root}/∂{root} = 1</code>"
        " <em>The backward pass starts at the result.</em></li>",
    ]


def _operation(shown: _Shown, place: int) -> str:
    """Return the list item of an operation of the forward pass."""
    from html import escape

    from autograd_lite.step_table import operation_in_words

    index = shown.operations[place]
    made = operation_in_words(shown.graph, index, UNICODE)
    return (
        f"<li data-made={index}><code><b>{escape(made.name)}</b> = {escape(made.expression)}"
        f" = {made.result}</code> <code>{escape(made.partials)}</code>"
        f" <em>operation {place + 1} of {len(shown.operations)}</em></li>"
    )


def _item(shown: _Shown, step: Step) -> str:
    """Return the list item of a step, with what the script has to know as attributes."""
    from html import escape

    place = shown.graph._index
    node, x = escape(printable(step.node_name)), escape(printable(step.operand_name))
    grown = product(step.upstream, step.partial, step.contribution)
    total = summed(step.before, step.contribution, step.total)
    running = str(total) if step.index > 1 else total.result
    stop = " data-stop" if shown.walk.stops_at(step) else ""
    return (
        f"<li data-on={place[step.node]}-{step.position} data-to={place[step.operand]}"
        f" data-grad={step.total!r} data-shown={short(step.total)}"
        f" data-tint={shown.tint(step.total)}{stop}>"
        f"<code><b>{x}.grad</b> += <i>{node}.grad</i> · {UNICODE.derivative(node, x)}"
        f" <span>= {grown.terms} {grown.sign} {grown.result}</span></code>"
        f" <code><b>{x}.grad</b> = {running}</code>"
        f" <em>{step.index} of {step.count}</em></li>"
    )


# -- the picture ---------------------------------------------------------------------------------


def _pictures(shown: _Shown, title: str) -> str:
    """Return the graph after the steps as an image; upright as well, for narrow places."""
    from autograd_lite.drawing.scene import scene_of

    texts: dict[int, list[str]] = {}
    for step in shown.steps:
        room = texts.setdefault(shown.graph._index[step.operand], ["–"])
        room.append(short(step.total))
    scene = scene_of(_view(shown), grad_texts=texts)
    upright = ""
    if len(scene.boxes) <= UPRIGHT_UP_TO:
        source = _picture(scene, "TB").replace(" ", "%20")
        upright = f'<source media="(max-width: 640px)" srcset="{source}">'
    return (
        f'<picture>{upright}<img alt="{title}: the graph with its gradients"'
        f' src="{_picture(scene, "LR")}"></picture>'
    )


def _view(shown: _Shown) -> View:
    """Return each node that the steps concern by itself, and all others as one box."""
    from autograd_lite.drawing.clusters import OUTSIDE
    from autograd_lite.drawing.collapsing import Group, collapse

    graph = shown.graph
    view = collapse(graph, max_nodes=None)
    if shown.partly:
        rest = [index for index, grad in enumerate(graph._grads) if grad is None]
        home = view.clusters.home
        view.groups = [
            Group("rest", rest, OUTSIDE),
            *(
                Group("node", [index], home[index])
                for index, grad in enumerate(graph._grads)
                if grad is not None
            ),
        ]
        view.group_of = [0] * len(graph)
        for number, group in enumerate(view.groups):
            for index in group.members:
                view.group_of[index] = number
    return view


def _picture(scene: Scene, direction: str) -> str:
    """Return a scene as a data URI."""
    import re
    from urllib.parse import quote

    from autograd_lite.drawing.layout import lay_out
    from autograd_lite.drawing.svg import svg

    layout = lay_out(
        scene.sizes(), scene.layout_edges(), direction=direction, clusters=scene.layout_clusters()
    )
    drawn = svg(scene, layout).replace('"', "'")  # in text there are &quot; and &#39; only
    drawn = re.sub(r"(<g [^>]*>)<title>[^<]*</title>", r"\1", drawn)  # an image has no hints
    return f"data:image/svg+xml,{quote(drawn, safe=_UNQUOTED)}"


_UNQUOTED = " !$'()*+,/:;=>?@[]^`{|}~"
"""What may stand as it is in a data URI and in an attribute; this makes pages a fifth shorter."""
