"""Where plots draw: Axes that are given or made, titles that can be read from the last row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito, Color Universal Design, 2008.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, YELLOW = "#CC79A7", "#56B4E9", "#000000", "#F0E442"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, YELLOW, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

TITLE, LABEL, TICK = 17, 15, 13  # font sizes in points, on figures about 8 inches wide
BOLD, FAINT = 2.5, 1.0  # widths of lines in points
SIZE = (8.0, 5.0)  # of a figure in inches


def matplotlib_module(name: str) -> Any:
    """Return matplotlib.<name>, or say how to install it."""
    from importlib import import_module

    try:
        import_module("matplotlib")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'nn.plots needs matplotlib, which is not installed: pip install "autograd-lite[plot]"',
            name="matplotlib",
        ) from None
    return import_module(f"matplotlib.{name}")


@contextmanager
def drawing(owner: str, ax: Any, *, size: tuple[float, float] = SIZE) -> Iterator[Axes]:
    """Give the Axes to draw on; a figure made for it is closed again if drawing fails."""
    if ax is not None:
        yield _checked(owner, ax)
        return
    plt = matplotlib_module("pyplot")
    figure, made = plt.subplots(figsize=size, layout="constrained")
    try:
        yield made
    except BaseException:
        plt.close(figure)
        raise


@contextmanager
def drawing_several(owner: str, ax: Any, count: int) -> Iterator[Any]:
    """Give an array of so many Axes, three in a row where they are made."""
    plt = matplotlib_module("pyplot")
    if ax is not None:
        from numpy import array

        given = list(ax) if hasattr(ax, "__iter__") else [ax]
        if len(given) != count:
            raise ValueError(f"{owner} expected {count} Axes, one for each layer, got {len(given)}")
        yield array([_checked(owner, one) for one in given], dtype=object)
        return
    columns = min(count, 3)
    rows = -(-count // columns)
    figure, made = plt.subplots(
        rows, columns, figsize=(4.5 * columns, 3.6 * rows), layout="constrained", squeeze=False
    )
    try:
        for spare in made.flat[count:]:
            spare.remove()
        yield made.flatten()[:count]
    except BaseException:
        plt.close(figure)
        raise


def _checked(owner: str, ax: Any) -> Axes:
    if not isinstance(ax, matplotlib_module("axes").Axes):
        raise TypeError(f"{owner} expected Axes of matplotlib as ax, got {type(ax).__name__}")
    checked: Axes = ax
    return checked


def label(ax: Axes, title: str, x: str = "", y: str = "", *, smaller: int = 0) -> None:
    """Write title and axis labels, and make the numbers at the axes large too."""
    ax.set_title(title, fontsize=TITLE - smaller)
    ax.set_xlabel(x, fontsize=LABEL - smaller)
    ax.set_ylabel(y, fontsize=LABEL - smaller)
    ax.tick_params(which="both", labelsize=TICK - smaller)
    for offset in (ax.xaxis.get_offset_text(), ax.yaxis.get_offset_text()):
        offset.set_fontsize(TICK - smaller)


def log_if_possible(ax: Axes, losses: list[float]) -> None:
    """Use a log scale for losses that are positive; a loss of 0 then leaves at the bottom."""
    if losses and min(losses) >= 0.0 < max(losses):
        ax.set_yscale("log", nonpositive="clip")
    ax.grid(visible=True, which="major", alpha=0.3)
