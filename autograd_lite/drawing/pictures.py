"""`draw`: a picture of a computation graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from autograd_lite.graphs import Graph, GraphEdge
from autograd_lite.value import Value

if TYPE_CHECKING:
    from graphviz import Digraph

    from autograd_lite.drawing.highlighting import Highlight
    from autograd_lite.drawing.scene import Scene

Expand = str | Value | Iterable[str | Value]
SHOWN = ("data", "grad", "partials")
DIRECTIONS = ("LR", "RL", "TB", "BT")
MAX_NODES = 60


class Drawing:
    """A picture of a graph as it was when `draw` was called; notebooks show it by themselves.

    The picture is laid out when it is first needed, by Graphviz's ``dot`` where that is installed
    and by the project itself elsewhere.

    Attributes
    ----------
    graph : Graph
        What is drawn.
    direction : str
        Where the arrows lead.
    """

    def __init__(self, graph: Graph, scene: Scene, direction: str, highlight: Highlight) -> None:
        self.graph = graph
        self.direction = direction
        self._scene = scene
        self._highlight = highlight
        self._svg = ""

    @property
    def svg(self) -> str:
        """The picture as a complete SVG document.

        It has no ids, so that any number of pictures can stand on one page. Its structure is
        described in `autograd_lite.drawing.svg`.
        """
        if not self._svg:
            from autograd_lite.drawing.layout import lay_out
            from autograd_lite.drawing.svg import svg

            scene = self._scene
            layout = lay_out(
                scene.sizes(),
                scene.layout_edges(),
                direction=self.direction,
                clusters=scene.layout_clusters(),
            )
            self._svg = svg(scene, layout, highlight=self._highlight)
        return self._svg

    def __repr__(self) -> str:
        return f"<drawing of {self.graph.root.name!r}: {len(self.graph)} nodes>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return the picture, and a table for where there are no pictures.

        In HTML the picture is an image, which notebooks show that are not trusted too, and it
        keeps its size: where it is wider than the page, it can be scrolled.
        """
        from html import escape
        from urllib.parse import quote

        source = quote(self.svg, safe=" !$&'()*+,/:;=?@[]^`{|}~")
        image = f"""\
<div style="overflow-x: auto"><img style="max-width: none" alt="{escape(self._scene.title)}:\
 {escape(self._scene.description)}" src="data:image/svg+xml,{escape(source)}"></div>"""
        return {"image/svg+xml": self.svg, "text/html": image, "text/plain": str(self.graph)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, whole or not at all.

        Parameters
        ----------
        path : str or path
            The extension says what is written: ``.svg``; ``.html``, a page with the same picture;
            ``.dot``, the source for Graphviz (see `draw_dot`); ``.png`` or ``.pdf``, drawn by
            Graphviz, which has to be installed, in its own look.

        Raises
        ------
        ValueError
            For another extension.
        OSError
            If the file cannot be written.
        RuntimeError
            If Graphviz is needed and not installed.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from autograd_lite import Value, draw
        >>> x = Value(3.0, label="x")
        >>> with TemporaryDirectory() as folder:
        ...     draw(x * x).save(f"{folder}/square.svg")
        ...     with open(f"{folder}/square.svg") as file:
        ...         file.read(4)
        '<svg'
        """
        from autograd_lite.saving import extension_of, write_whole

        makers: dict[str, Callable[[], str | bytes]] = {
            ".svg": lambda: self.svg,
            ".html": self._html,
            ".dot": lambda: self._digraph().source,
            ".png": lambda: self._drawn_by_graphviz("png"),
            ".pdf": lambda: self._drawn_by_graphviz("pdf"),
        }
        make = makers[extension_of(path, makers)]
        write_whole(path, make())

    def _html(self) -> str:
        from html import escape

        return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(self._scene.title)}</title>
</head>
<body>
{self.svg}</body>
</html>
"""

    def _digraph(self) -> Digraph:
        from autograd_lite.drawing.dot_source import digraph

        return digraph(self._scene, self.direction, self._highlight)

    def _drawn_by_graphviz(self, form: str) -> bytes:
        """Return the picture in a form that only Graphviz draws."""
        from graphviz import CalledProcessError, ExecutableNotFound

        dot = self._digraph()
        if form == "png":
            dot.graph_attr["dpi"] = "144"
        try:
            return bytes(dot.pipe(format=form, quiet=True))
        except ExecutableNotFound:
            raise RuntimeError(
                f"a .{form} file is drawn by Graphviz, whose program 'dot' was not found: install"
                " it from graphviz.org or your package manager, or save as .svg or .html"
            ) from None
        except CalledProcessError as error:
            said = (error.stderr or b"").decode(errors="replace").strip().partition("\n")[0]
            raise RuntimeError(f"Graphviz could not draw a .{form} file: {said}") from None


def draw(
    root: Value,
    *,
    names: Mapping[str, Any] | None = None,
    direction: str = "LR",
    show: Collection[str] = SHOWN,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    expand: Expand = (),
    highlight: Iterable[GraphEdge] = (),
) -> Drawing:
    """Draw the graph of what ``root`` was computed from.

    A box shows a value: its name, its operation (with plain numbers in it), its data and its
    gradient, ``–`` until backward has reached it. Leaves are round with a dot, parameters have a
    double border and a diamond, constants a dashed border and a square, the result a thick border.
    Each operand has an arrow with its local partial, ``x * x`` two. A gradient's ground is blue
    below and orange above zero, the darker the larger it is compared with the largest, and grey
    for exactly zero.

    Parameters
    ----------
    root : Value
        The result.
    names : mapping of str to Value, optional
        Names for the nodes, such as ``locals()``; see `graph`.
    direction : str
        Where arrows lead: ``"LR"`` to the right, ``"RL"``, ``"TB"`` downwards or ``"BT"``.
    show : collection of str
        What is written: any of ``"data"``, ``"grad"`` and ``"partials"``.
    max_nodes : int or None
        A graph of more nodes than this is collapsed: first the parts of a network, the innermost
        first, until there are at most ``max_nodes`` boxes and twice as many arrows; then nodes
        that do the same, such as the losses of many samples; at last only the boxes nearest to
        the result are drawn. The picture says what was done. None draws every node.
    depth : int, optional
        Open this many levels of parts: 0 shows each outermost part (a module such as a layer, or
        a `scope`) as one box, 1 what is in those, such as neurons. By default as many as
        ``max_nodes`` allows.
    expand : name or Value, or several of them
        Parts to open in addition, by their path (``"layers.0"``), and nodes of a `dot` to be drawn
        as products and their sum.
    highlight : iterable of GraphEdge
        Edges to draw bold, such as those of a path that `explain` has found.

    Returns
    -------
    Drawing
        Shown by notebooks; ``.svg`` is its text, ``.save("f.svg")`` writes a file.

    Raises
    ------
    TypeError
        If ``root`` is not a Value, or another argument of a wrong type.
    ValueError
        For an unknown direction or thing to show, a negative depth, ``max_nodes`` below 1, a name
        or edge that is not in the graph, or a name that is given twice.
    RuntimeError
        If nothing was recorded: the root is a constant, or was computed under `no_grad`.

    Examples
    --------
    >>> from autograd_lite import Value, draw, sin
    >>> x = Value(2.0)
    >>> a = x**2
    >>> f = (a + sin(a)) * a
    >>> f.backward()
    >>> picture = draw(f, names={"x": x, "a": a, "f": f})
    >>> picture
    <drawing of 'f': 5 nodes>
    >>> picture.svg.count('class="edge"')
    6
    """
    options = direction, show, max_nodes, depth, expand, highlight
    graph, scene, bold = prepared(root, names, *options)
    return Drawing(graph, scene, direction, bold)


def draw_dot(
    root: Value,
    *,
    names: Mapping[str, Any] | None = None,
    direction: str = "LR",
    show: Collection[str] = SHOWN,
    max_nodes: int | None = MAX_NODES,
    depth: int | None = None,
    expand: Expand = (),
    highlight: Iterable[GraphEdge] = (),
) -> Digraph:
    """Return the graph as a ``graphviz.Digraph``, to be styled with Graphviz's attributes.

    Nodes are called ``n0``, ``n1``, … in the order of `graph` as far as every node is drawn. Only
    to render it takes Graphviz's program ``dot``.

    Parameters
    ----------
    root, names, direction, show, max_nodes, depth, expand, highlight
        As in `draw`.

    Returns
    -------
    graphviz.Digraph

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As in `draw`.

    Examples
    --------
    >>> from autograd_lite import Value, draw_dot
    >>> x = Value(3.0, label="x")
    >>> dot = draw_dot(x * x)
    >>> dot.attr(bgcolor="transparent")
    >>> dot.source.count("n0 -> n1")
    2
    """
    from autograd_lite.drawing.dot_source import digraph

    options = direction, show, max_nodes, depth, expand, highlight
    _, scene, bold = prepared(root, names, *options)
    return digraph(scene, direction, bold)


def prepared(
    root: Value,
    names: Mapping[str, Any] | None,
    direction: str,
    show: Collection[str],
    max_nodes: int | None,
    depth: int | None,
    expand: Expand,
    highlight: Iterable[GraphEdge],
) -> tuple[Graph, Scene, Highlight]:
    """Return the graph and what is drawn of it, or say which argument is wrong."""
    from autograd_lite.drawing.collapsing import collapse
    from autograd_lite.drawing.highlighting import highlight_of
    from autograd_lite.drawing.scene import scene_of

    if direction not in DIRECTIONS:
        raise ValueError(f"direction expected one of {', '.join(DIRECTIONS)}, got {direction!r}")
    whole = isinstance(show, str) or not isinstance(show, Collection)
    wrong = [show] if whole else [each for each in show if each not in SHOWN]
    if wrong:
        raise ValueError(
            f'show expected a collection of "data", "grad" and "partials", got {wrong[0]!r}'
        )
    _check_whole(max_nodes, "max_nodes", 1)
    _check_whole(depth, "depth", 0)
    graph = Graph(root, names)
    taken = _checked(highlight, graph)
    if not root.operands and not root.requires_grad:
        raise RuntimeError(
            f"there is nothing to draw: {graph.root.name!r} is a constant, or it was computed from"
            " constants only, or under no_grad()"
        )
    view = collapse(graph, max_nodes=max_nodes, depth=depth, expand=expand)
    scene = scene_of(view, show=show)
    return graph, scene, highlight_of(scene, view, taken)


def _checked(highlight: Iterable[GraphEdge], graph: Graph) -> list[GraphEdge]:
    taken = list(highlight) if isinstance(highlight, Iterable) else [highlight]
    for edge in taken:
        if not isinstance(edge, GraphEdge):
            raise TypeError(
                "highlight expected edges, such as explain(y, x).paths[0].edges, got"
                f" {type(edge).__name__}: {edge!r}"
            )
        known = edge.consumer < len(graph) and edge.position < len(graph[edge.consumer].operands)
        if not known or graph[edge.consumer].operands[edge.position] != edge.operand:
            raise ValueError(f"{edge} in highlight is not in the graph of {graph.root.name!r}")
    return taken


def _check_whole(given: Any, what: str, least: int) -> None:
    if given is None:
        return
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(
            f"{what} expected a whole number or None, got {type(given).__name__}: {given!r}"
        )
    if given < least:
        raise ValueError(f"{what} expected at least {least}, got {given}")
