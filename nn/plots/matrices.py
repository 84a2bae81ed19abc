"""Matrices as images: confusion matrices and weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from nn.module import Module
from nn.nested import as_lists, is_list, number_for, shape_of
from nn.plots.axes import LABEL, TICK, drawing, label
from nn.settings import checked_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def confusion_matrix(
    counts: Any, *, labels: Sequence[Any] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often each label was predicted as each label.

    Parameters
    ----------
    counts : K lists of K numbers
        As `nn.metrics.confusion_matrix` returns them: true labels down, predicted ones across.
    labels : sequence of K labels, optional
        By default the numbers from 0.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        An image of the counts, with each written on it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    ModuleNotFoundError
        Without matplotlib.
    """
    name = "confusion_matrix"
    rows = _numbers(name, counts)
    size = len(rows)
    if size != len(rows[0]):
        raise ValueError(
            f"{name} expected as many rows as columns, got shape {(size, len(rows[0]))}"
        )
    names = list(map(str, range(size) if labels is None else labels))
    if len(names) != size:
        raise ValueError(f"{name} expected {size} labels, one for each row, got {len(names)}")
    largest = max(map(max, rows)) or 1.0
    side = max(5.0, 0.6 * size + 2.0)
    with drawing(name, ax, size=(side + 1.0, side)) as axes:
        image = axes.imshow(rows, cmap="Blues", vmin=0.0, vmax=largest)
        for i, row in enumerate(rows):
            for j, count in enumerate(row):
                axes.text(
                    j,
                    i,
                    f"{count:g}",
                    ha="center",
                    va="center",
                    fontsize=LABEL if size <= 10 else 8,
                    color="white" if count > 0.55 * largest else "black",
                )
        axes.set_xticks(range(size), names)
        axes.set_yticks(range(size), names)
        label(axes, "Confusion matrix", "predicted label", "true label")
        _colour_bar(axes, image, "samples")
    return axes


def weight_images(
    weights: Any,
    *,
    shape: tuple[int, int] | None = None,
    columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the weights of each neuron as an image, such as a layer that looks at pixels has.

    Parameters
    ----------
    weights : Module, or N lists of K numbers
        Of a module, the first weight matrix in it, one row per neuron.
    shape : (int, int), optional
        Rows and columns of an image, with K = rows · columns. Without it K must be a square.
    columns : int, optional
        How many images stand side by side; by default about as many as below each other.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        One image per neuron, all with one colour scale: white is 0, blue negative, red positive.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or a module has no weight matrix.
    ModuleNotFoundError
        Without matplotlib.
    """
    name = "weight_images"
    rows = _numbers(name, _first_matrix(name, weights) if isinstance(weights, Module) else weights)
    height, width = _image_shape(name, len(rows[0]), shape)
    across = math.ceil(math.sqrt(len(rows)))
    if columns is not None:
        across = checked_count(name, "columns", columns)
    across = min(across, len(rows))
    down = -(-len(rows) // across)
    largest = max(abs(w) for row in rows for w in row) or 1.0
    gap = 0.12  # of an image's width, between images
    with drawing(name, ax, size=(8.0, max(3.0, 7.0 * down * height / (across * width)))) as axes:
        for i, row in enumerate(rows):
            left = (i % across) * width * (1 + gap)
            top = (i // across) * (height + gap * width)
            image = axes.imshow(
                [row[k * width : (k + 1) * width] for k in range(height)],
                cmap="RdBu_r",
                vmin=-largest,
                vmax=largest,
                extent=(left, left + width, top + height, top),
                interpolation="nearest",
            )
        axes.set_xlim(-gap * width, across * width * (1 + gap))
        axes.set_ylim(down * (height + gap * width), -gap * width)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        label(axes, f"Weights of {len(rows)} neurons, {height} × {width} each")
        _colour_bar(axes, image, "weight")
    return axes


def _numbers(owner: str, given: Any) -> list[list[float]]:
    """Return a matrix as lists of floats, or say what is wrong with it."""
    wanted = f"{owner} expected a matrix, lists of numbers of one length"
    lists = as_lists(given)
    if not is_list(lists):
        raise TypeError(f"{wanted}, got {type(given).__name__}: {shortened(given)}")
    shape = shape_of(lists, owner)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"{wanted}, got shape {shape}")
    return [[float(number_for(wanted, number)) for number in as_lists(row)] for row in lists]


def _first_matrix(owner: str, model: Module) -> Any:
    for array in model.state_dict().values():
        if is_list(array) and len(shape_of(array, owner)) == 2:
            return array
    raise ValueError(
        f"{owner} expected a module with a weight matrix, got {type(model).__name__} without one"
    )


def _image_shape(owner: str, count: int, shape: Any) -> tuple[int, int]:
    if shape is None:
        side = math.isqrt(count)
        if side * side != count:
            raise ValueError(
                f"{owner} expected a square number of weights per neuron, got {count}; give shape="
            )
        return side, side
    try:
        height, width = map(int, shape)
    except (TypeError, ValueError):
        raise TypeError(f"{owner} expected shape as (rows, columns), got {shape!r}") from None
    if height < 1 or width < 1 or height * width != count:
        raise ValueError(f"{owner} expected a shape of {count} weights, got {height} × {width}")
    return height, width


def _colour_bar(ax: Axes, image: Any, title: str) -> None:
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.9)
    bar.set_label(title, fontsize=LABEL)
    bar.ax.tick_params(labelsize=TICK)
