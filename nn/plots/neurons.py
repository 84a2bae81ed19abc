"""The network as neurons in columns, joined by lines as wide as the weights are large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nn.module import Module
from nn.nested import is_list, shape_of
from nn.observing import checked_model
from nn.plots.axes import BLUE, RED, TICK, TITLE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 6.0  # points, the line of the largest weight


def network(model: Module, *, ax: Axes | None = None) -> Axes:
    """Draw a network's neurons and its weights: wide lines are large weights.

    Parameters
    ----------
    model : Module
        Its weight matrices, in the order of definition, must fit behind each other, as those of an
        `MLP`. Biases are not drawn.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        For each matrix one collection of lines, row by row, whose widths are proportional to |w|;
        positive weights are blue and solid, negative ones red and dashed.

    Raises
    ------
    TypeError
        If it is no Module.
    ValueError
        If it has no weight matrices, or they do not fit behind each other.
    ModuleNotFoundError
        Without matplotlib.
    """
    matrices = {
        name: array
        for name, array in checked_model("network", model).state_dict().items()
        if is_list(array) and len(shape_of(array, "network")) == 2
    }
    if not matrices:
        raise ValueError(
            f"network expected a module with weight matrices, got {type(model).__name__} without"
        )
    names = ["inputs", *(name.rpartition(".")[0] or "outputs" for name in matrices)]
    sizes = [len(next(iter(matrices.values()))[0])]
    for name, rows in matrices.items():
        if len(rows[0]) != sizes[-1]:
            raise ValueError(
                f"network expected weight matrices that fit behind each other, got {name!r} with"
                f" {len(rows[0])} columns after {sizes[-1]} neurons"
            )
        sizes.append(len(rows))
    largest = max(abs(w) for rows in matrices.values() for row in rows for w in row) or 1.0
    with drawing("network", ax, size=(max(7.0, 2.2 * len(sizes)), 6.0)) as axes:
        from matplotlib.collections import LineCollection
        from matplotlib.lines import Line2D

        heights = [[0.5 - (i + 0.5) / size for i in range(size)] for size in sizes]
        for column, rows in enumerate(matrices.values()):
            weights = [w for row in rows for w in row]
            axes.add_collection(
                LineCollection(
                    [
                        [(column, start), (column + 1, end)]
                        for end in heights[column + 1]
                        for start in heights[column]
                    ],
                    linewidths=[WIDEST * abs(w) / largest for w in weights],
                    colors=[BLUE if w >= 0.0 else RED for w in weights],
                    linestyles=["-" if w >= 0.0 else (0, (2, 1)) for w in weights],
                    zorder=1,
                )
            )
        diameter = min(28.0, 250.0 / max(sizes))
        for column, (title, places) in enumerate(zip(names, heights, strict=True)):
            axes.scatter(
                [column] * len(places),
                places,
                s=diameter**2,
                facecolors="white",
                edgecolors="black",
                linewidths=1.5,
                zorder=2,
            )
            axes.annotate(
                f"{title}\n{len(places)}",
                (column, -0.52),
                ha="center",
                va="top",
                fontsize=TICK,
                annotation_clip=False,
            )
        axes.legend(
            [
                Line2D([], [], color=BLUE, linewidth=WIDEST / 2),
                Line2D([], [], color=RED, linewidth=WIDEST / 2, linestyle=(0, (2, 1))),
            ],
            ["positive weight", "negative weight"],
            fontsize=TICK,
            loc="upper center",
            bbox_to_anchor=(0.5, 1.02),
            ncols=2,
            frameon=False,
        )
        axes.set_xlim(-0.4, len(sizes) - 0.6)
        axes.set_ylim(-0.65, 0.6)
        axes.set_axis_off()
        axes.set_title(f"Weights of the network, at most {largest:.2g} in size", fontsize=TITLE)
    return axes
