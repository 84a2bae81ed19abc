"""Decision boundaries: what a classifier of points in the plane says of each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_lite import no_grad
from nn.data.samples import as_pair, dataset
from nn.module import Module
from nn.nested import is_list
from nn.observing import checked_model
from nn.plots.axes import COLOURS, MARKERS, TICK, drawing, label
from nn.prediction import predict
from nn.restoring import restored
from nn.settings import checked_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AT_A_TIME = 500  # points of the grid that are computed together, which bounds the memory


def decision_boundary(
    model: Module, data: tuple[Any, Any], *, resolution: int = 80, ax: Axes | None = None
) -> Axes:
    """Draw the regions of the classes that a model predicts, and the data on them.

    Parameters
    ----------
    model : Module
        From samples of two numbers to K ≥ 2 scores, of which the largest decides, or to one, whose
        sign does (`nn.predict`). Called in inference mode and without recording.
    data : Dataset or pair (inputs, targets)
        Points of the plane and their labels: 0 to K - 1 for K scores; -1 and 1, or 0 and 1, for
        one.
    resolution : int, optional
        The model is asked at so many places along each axis, in the middle of as many cells.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its image has the predicted classes, from the lowest row up; the lines between them are
        contours. Each label's points are one scatter of its own colour and marker.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    ModuleNotFoundError
        Without matplotlib.
    """
    name = "decision_boundary"
    points, targets = dataset(*as_pair(name, data))
    checked_model(name, model)
    cells = checked_count(name, "resolution", resolution, least=2)
    if len(points[0]) != 2 or is_list(points[0][0]):
        raise ValueError(f"{name} expected samples of two numbers, got {len(points[0])}")
    columns = _middles([float(x) for x, _ in points], cells)
    rows = _middles([float(y) for _, y in points], cells)
    outputs = _outputs(model, [[x, y] for y in rows for x in columns])
    several = is_list(outputs[0]) and len(outputs[0]) > 1
    if several:
        classes, labels = predict(outputs, "argmax"), list(range(len(outputs[0])))
        leads = [_lead(outputs, wanted) for wanted in labels[len(labels) == 2 :]]
    else:
        outputs = [output[0] if is_list(output) else output for output in outputs]
        labels = [0, 1] if 0 in targets else [-1, 1]
        classes = [int(sign > 0) for sign in predict(outputs, "sign")]
        leads = [list(map(float, outputs))]
    for position, target in enumerate(targets):
        if is_list(target) or target not in labels:
            expected = (
                f"labels from 0 to {labels[-1]}" if several else "labels -1 and 1, or 0 and 1"
            )
            raise ValueError(f"{name} expected {expected}, got {target!r} at position {position}")
    extent = (_edge(columns, 0), _edge(columns, -1), _edge(rows, 0), _edge(rows, -1))
    with drawing(name, ax, size=(7.0, 6.0)) as axes:
        from matplotlib.colors import ListedColormap

        axes.imshow(
            _in_rows(classes, cells),
            cmap=ListedColormap([_colour(i) for i in range(len(labels))]),
            vmin=-0.5,
            vmax=len(labels) - 0.5,
            alpha=0.3,
            origin="lower",
            extent=extent,
            aspect="auto",
            interpolation="nearest",
        )
        for lead in leads:
            if min(lead) < 0.0 < max(lead):  # matplotlib warns where there is no line to draw
                over = _in_rows(lead, cells)
                axes.contour(columns, rows, over, levels=[0.0], colors="black", linewidths=2)
        for i, wanted in enumerate(labels):
            members = [point for point, t in zip(points, targets, strict=True) if t == wanted]
            if members:
                axes.scatter(
                    [float(x) for x, _ in members],
                    [float(y) for _, y in members],
                    color=_colour(i),
                    marker=MARKERS[i % len(MARKERS)],
                    edgecolors="black",
                    s=45,
                    label=f"label {wanted}",
                )
        axes.legend(fontsize=TICK, framealpha=0.9)
        label(axes, "Predicted classes and the data", "x₁", "x₂")
    return axes


def _outputs(model: Module, points: list[list[float]]) -> list[Any]:
    found: list[Any] = []
    with restored(model), no_grad():
        model.eval()
        for first in range(0, len(points), _AT_A_TIME):
            found += model(points[first : first + _AT_A_TIME])
    return found


def _lead(outputs: list[Any], label: int) -> list[float]:
    """Return by how much the score of one class is larger than the largest of the others."""
    return [
        float(scores[label]) - max(float(s) for i, s in enumerate(scores) if i != label)
        for scores in outputs
    ]


def _middles(numbers: list[float], cells: int) -> list[float]:
    """Return the middles of cells that cover the numbers and a tenth more on both sides."""
    margin = 0.1 * (max(numbers) - min(numbers)) or 0.5
    low, high = min(numbers) - margin, max(numbers) + margin
    return [low + (high - low) * (i + 0.5) / cells for i in range(cells)]


def _edge(middles: list[float], at: int) -> float:
    """Return the outer edge of the first (0) or last (-1) cell."""
    half = 0.5 * (middles[1] - middles[0])
    return middles[at] - half if at == 0 else middles[at] + half


def _in_rows(numbers: list[Any], cells: int) -> list[list[Any]]:
    return [numbers[i * cells : (i + 1) * cells] for i in range(cells)]


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
