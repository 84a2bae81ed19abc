"""Layer by layer: how outputs and gradients are distributed, how large gradients are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nn.diagnostics import GradientFlow, layer_outputs
from nn.module import Module
from nn.observing import checked_model, layer_parameters
from nn.plots.axes import (
    BLUE,
    BOLD,
    GREEN,
    RED,
    SIZE,
    TICK,
    drawing,
    drawing_several,
    label,
    log_if_possible,
)
from nn.settings import checked_count
from nn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def activation_histograms(model: Module, batch: Any, *, bins: int = 30, ax: Any = None) -> Any:
    """Draw how the outputs of each layer are distributed over its units and a batch.

    Parameters
    ----------
    model : Module
    batch : list of N samples
        See `nn.layer_outputs`.
    bins : int, optional
        How many classes each histogram has.
    ax : sequence of matplotlib Axes, optional
        One for each layer.

    Returns
    -------
    NumPy array of matplotlib Axes
        In the order of computation. Heights are shares. Infinite numbers and NaN are left out; the
        title tells how many.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    ModuleNotFoundError
        Without matplotlib.
    """
    outputs = {
        name: [y for sample in samples for y in sample]
        for name, samples in layer_outputs(model, batch).items()
    }
    return _histograms("activation_histograms", outputs, bins, ax, "output", BLUE)


def gradient_histograms(model: Module, *, bins: int = 30, ax: Any = None) -> Any:
    """Draw how the gradients of each layer's parameters are distributed.

    Parameters
    ----------
    model : Module
        After `backward`.
    bins : int, optional
        How many classes each histogram has.
    ax : sequence of matplotlib Axes, optional
        One for each layer whose parameters have gradients.

    Returns
    -------
    NumPy array of matplotlib Axes
        In the order of definition, as those of `activation_histograms`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or there are no gradients.
    ModuleNotFoundError
        Without matplotlib.
    """
    name = "gradient_histograms"
    gradients = {
        layer: [float(p.grad) for p in parameters if p.reached]
        for layer, parameters in layer_parameters(checked_model(name, model)).items()
    }
    gradients = {layer: numbers for layer, numbers in gradients.items() if numbers}
    if not gradients:
        raise ValueError(
            f"{name} expected a model with gradients, got none; call backward() on a loss computed"
            " from it first"
        )
    return _histograms(name, gradients, bins, ax, "∂loss/∂parameter", GREEN)


def _histograms(
    owner: str, layers: dict[str, list[float]], bins: int, ax: Any, quantity: str, colour: str
) -> Any:
    count = checked_count(owner, "bins", bins)
    if not layers:
        raise ValueError(f"{owner} expected a model whose layers put out Values, got none")
    with drawing_several(owner, ax, len(layers)) as several:
        for axes, (layer, numbers) in zip(several, layers.items(), strict=True):
            finite = [number for number in numbers if math.isfinite(number)]
            axes.hist(finite, count, weights=[1.0 / len(numbers)] * len(finite), color=colour)
            lost = len(numbers) - len(finite)
            title = f"{layer}\n{lost} infinite or NaN" if lost else layer
            label(axes, title, quantity, f"share of {len(numbers)}", smaller=2)
            axes.locator_params(axis="x", nbins=5)
            axes.ticklabel_format(axis="x", scilimits=(-2, 3))
    return several


def gradient_flow(found: Sequence[GradientFlow], *, ax: Axes | None = None) -> Axes:
    """Draw how large the gradient is in each layer, on a log scale.

    Parameters
    ----------
    found : Table of GradientFlow
        As `nn.gradient_flow` returns it.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Layers without gradient, or with one of 0, are crosses at the bottom.

    Raises
    ------
    TypeError
        If it is something else.
    ModuleNotFoundError
        Without matplotlib.
    """
    if not isinstance(found, Table) or not all(isinstance(row, GradientFlow) for row in found):
        raise TypeError(
            f"gradient_flow expected what nn.gradient_flow returns, got {type(found).__name__}"
        )
    places = range(len(found))
    norms = [row.gradient_norm or math.nan for row in found]
    none = [i for i, row in zip(places, found, strict=True) if not row.gradient_norm]
    with drawing("gradient_flow", ax, size=(max(SIZE[0], 0.45 * len(found)), SIZE[1])) as axes:
        axes.plot(places, norms, color=BLUE, linewidth=BOLD, marker="o", markersize=9)
        log_if_possible(axes, [norm for norm in norms if norm > 0.0])
        if none:
            axes.plot(
                none,
                [0.03] * len(none),
                "x",
                color=RED,
                markersize=12,
                markeredgewidth=BOLD,
                transform=axes.get_xaxis_transform(),
                label="gradient 0 or none",
            )
            axes.legend(fontsize=TICK)
        if len(none) == len(found):
            axes.set_yticks([])
        long = sum(len(row.layer) + 2 for row in found) > 60
        axes.set_xticks(places, [row.layer for row in found], rotation=60 if long else 0)
        label(axes, "Size of the gradient in each layer", "layer", "‖∂loss/∂parameters‖")
    return axes
