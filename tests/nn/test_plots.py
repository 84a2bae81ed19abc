"""Plots: what is in the artists is what was in the data, and nothing else changes."""

from __future__ import annotations

import base64
import io
import math
import subprocess
import sys
import types
from typing import Any

import pytest

import nn
from nn.history import Epoch, History, Step
from nn.loss_line import LossAlongLine

INPUTS, TARGETS = [[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [-1.0, -2.0]], [0, 1, 1, 0]


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib", reason="needs the extra plot")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    yield plt
    plt.close("all")
    assert dict(matplotlib.rcParams) == before


def history(steps: list[float], validation: list[float | None]) -> History:
    """Return a history of equally many steps in each epoch."""
    made = History()
    made.steps = [Step(loss, 0.1, None) for loss in steps]
    count = len(steps) // max(1, len(validation))
    made.epochs = [
        Epoch(
            i + 1, sum(steps[i * count : (i + 1) * count]) / count, held_out, None, 1.0, 0.1, None
        )
        for i, held_out in enumerate(validation)
    ]
    return made


def with_gradients(model: nn.Module) -> nn.Module:
    nn.CrossEntropyLoss()(model(INPUTS), TARGETS).backward()
    return model


def search() -> nn.RateSearch:
    losses = [2.0, 1.9, 1.7, 1.2, 0.8, 0.7, 0.9, 1.6, 3.0]
    return nn.RateSearch([10.0 ** (i - 6) for i in range(9)], losses, 1)


MODEL = nn.MLP(2, [3, 2], "tanh", seed=0)
SINGLE = {
    "loss_curves": lambda ax: nn.plots.loss_curves(
        history([3.0, 2.0, 1.0, 0.5], [1.0, 2.0]), ax=ax
    ),
    "lr_range_test": lambda ax: nn.plots.lr_range_test(search(), ax=ax),
    "schedule": lambda ax: nn.plots.schedule(nn.schedules.cosine(0.1, 10), 10, ax=ax),
    "loss_along_line": lambda ax: nn.plots.loss_along_line(
        LossAlongLine([0.0, 0.5, 1.0], [3.0, 2.0, 1.0]), ax=ax
    ),
    "gradient_flow": lambda ax: nn.plots.gradient_flow(
        nn.gradient_flow(with_gradients(nn.MLP(2, [3, 2], seed=0))), ax=ax
    ),
    "decision_boundary": lambda ax: nn.plots.decision_boundary(
        MODEL, (INPUTS, TARGETS), resolution=5, ax=ax
    ),
    "confusion_matrix": lambda ax: nn.plots.confusion_matrix([[3, 1], [0, 4]], ax=ax),
    "weight_images": lambda ax: nn.plots.weight_images(nn.Linear(4, 3, seed=0), ax=ax),
    "network": lambda ax: nn.plots.network(MODEL, ax=ax),
}
SEVERAL = {
    "activation_histograms": lambda ax: nn.plots.activation_histograms(MODEL, INPUTS, ax=ax),
    "gradient_histograms": lambda ax: nn.plots.gradient_histograms(
        with_gradients(nn.MLP(2, [3, 2], seed=0)), ax=ax
    ),
}


# -- what holds for all --------------------------------------------------------------------------


def test_all_plots_are_listed_here():
    assert {*SINGLE, *SEVERAL} == {*nn.plots.__all__} - {"LiveLoss"}


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_one_figure_is_made_and_returned(plt, monkeypatch, name):
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("show was called"))
    made = SINGLE[name](None) if name in SINGLE else SEVERAL[name](None)[0]
    assert plt.get_fignums() == [made.figure.number]
    made.figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("name", SINGLE)
def test_given_axes_are_drawn_on_and_returned(plt, name):
    figure, (_, ax) = plt.subplots(1, 2)
    assert SINGLE[name](ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert ax.has_data()


@pytest.mark.parametrize("name", SEVERAL)
def test_given_axes_are_drawn_on_layer_by_layer(plt, name):
    figure, given = plt.subplots(1, 2)
    assert list(SEVERAL[name](given)) == list(given)
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(ValueError, match=f"^{name} expected 2 Axes, one for each layer, got 1$"):
        SEVERAL[name](given[0])


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_it_can_be_read_from_the_last_row(plt, name):
    made = SINGLE[name](None) if name in SINGLE else SEVERAL[name](None)[0]
    assert made.get_title()
    assert made.title.get_fontsize() >= 15
    if name not in ("network", "weight_images"):  # which have no scales
        assert made.get_xlabel()
        assert made.get_ylabel()
        assert made.xaxis.label.get_fontsize() >= 13
        ticks = made.get_xticklabels() + made.get_yticklabels()
        assert min(tick.get_fontsize() for tick in ticks) >= 11


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_a_figure_that_could_not_be_finished_is_closed(plt, monkeypatch, name):
    from matplotlib.axes import Axes

    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Axes, "set_title", fail)
    with pytest.raises(ZeroDivisionError):
        {**SINGLE, **SEVERAL}[name](None)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_axes_of_another_kind_are_refused(plt, name):
    given = plt.figure() if name in SINGLE else [plt.figure()] * 2
    with pytest.raises(TypeError, match=f"^{name} expected Axes of matplotlib as ax, got Figure$"):
        {**SINGLE, **SEVERAL}[name](given)


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_without_matplotlib_the_error_names_the_extra(monkeypatch, name):
    for loaded in [module for module in sys.modules if module.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        {**SINGLE, **SEVERAL}[name](None)
    assert str(caught.value) == (
        'nn.plots needs matplotlib, which is not installed: pip install "autograd-lite[plot]"'
    )
    assert caught.value.name == "matplotlib"


def test_importing_plots_loads_neither_matplotlib_nor_numpy():
    script = "import nn.plots, sys; print({'matplotlib', 'numpy'} & {*sys.modules})"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout == "set()\n"


# -- curves --------------------------------------------------------------------------------------


def lines(ax: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {
        line.get_label(): (
            [float(x) for x in line.get_xdata()],
            [float(y) for y in line.get_ydata()],
        )
        for line in ax.get_lines()
    }


def test_loss_curves_have_the_losses_of_the_history(plt):
    steps = [8.0, 6.0, 4.0, 2.0, 3.0, 1.0]
    ax = nn.plots.loss_curves(history(steps, [5.0, 4.0, 4.5]), smoothing=3)
    assert lines(ax) == {
        "training, each step": ([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], steps),
        "training": ([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], [7.0, 6.0, 4.0, 3.0, 2.0, 2.0]),
        "validation, each epoch": ([1.0, 2.0, 3.0], [5.0, 4.0, 4.5]),
        "validation": ([1.0, 2.0, 3.0], [4.5, 4.5, 4.25]),
    }
    raw, bold = ax.get_lines()[:2]
    assert raw.get_linewidth() < bold.get_linewidth()
    assert raw.get_alpha() < 0.5
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*lines(ax)]


def test_few_losses_are_not_smoothed_unasked(plt):
    ax = nn.plots.loss_curves(history([3.0, 2.0, 1.0], [1.0, None, 2.0]))
    assert lines(ax) == {
        "training": ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]),
        "validation": ([1.0, 3.0], [1.0, 2.0]),
    }


def test_a_twentieth_of_the_losses_is_smoothed_over(plt):
    losses = [float(1 + i % 2) for i in range(60)]
    found = lines(nn.plots.loss_curves(history(losses, [None])))
    assert found["training, each step"][1] == losses
    assert found["training"][1][30] == pytest.approx((2.0 + 1.0 + 2.0) / 3.0)


def test_an_interrupted_epoch_is_told_from_whole_ones(plt):
    made = history([8.0, 6.0, 4.0, 2.0, 3.0, 1.0, 9.0, 9.0], [None] * 2)  # of 4 steps
    assert lines(nn.plots.loss_curves(made))["training"][0][-1] == 2.0
    made = history([8.0, 6.0, 4.0, 2.0, 3.0, 1.0], [None] * 2)
    made.steps += [Step(9.0, 0.1, None)]
    assert lines(nn.plots.loss_curves(made))["training"][0][-1] == pytest.approx(7 / 3)
    made.steps += [Step(9.0, 0.1, None)]
    assert lines(nn.plots.loss_curves(made))["training"][0][-1] == pytest.approx(8 / 3)


@pytest.mark.parametrize("samples", [12, 13, 16])
@pytest.mark.parametrize("done", [3, 5])
def test_an_interrupted_training_is_drawn_up_to_where_it_was(plt, samples, done):
    def interrupt(state: Any) -> None:
        if state.step == done * 4 + 2:
            raise KeyboardInterrupt

    model, made = nn.MLP(2, [4, 2], seed=0), History()
    with pytest.raises(KeyboardInterrupt):
        nn.fit(
            model,
            nn.data.moons(samples, noise=0.3, seed=0),
            loss=nn.CrossEntropyLoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
            epochs=9,
            batch_size=-(-samples // 4),
            step_callbacks=[interrupt],
            seed=0,
            history=made,
        )
    assert lines(nn.plots.loss_curves(made, smoothing=1))["training"][0][-1] == done + 0.5


def test_an_epoch_that_was_not_completed_is_drawn_by_steps(plt):
    made = History()
    made.steps = [Step(loss, 0.1, None) for loss in (3.0, 2.0)]
    ax = nn.plots.loss_curves(made)
    assert (lines(ax)["training"], ax.get_xlabel()) == (([1.0, 2.0], [3.0, 2.0]), "step")


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.5], "log"), ([1.0, 0.0], "log"), ([0.0, 0.0], "linear"), ([1.0, -1.0], "linear")],
)
def test_the_scale_is_logarithmic_where_that_can_be(plt, losses, scale):
    ax = nn.plots.loss_curves(history(losses, [None]))
    assert ax.get_yscale() == scale
    ax.figure.savefig(io.BytesIO(), format="png")


def test_a_history_of_fit_is_drawn(plt):
    model = nn.MLP(2, [2], seed=0)
    made = nn.fit(
        model,
        (INPUTS, TARGETS),
        loss=nn.CrossEntropyLoss(),
        optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
        epochs=3,
        batch_size=2,
        seed=0,
        validation=(INPUTS, TARGETS),
        progress=False,
    )
    found = lines(nn.plots.loss_curves(made))
    assert found["training"] == ([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], made.step_losses)
    assert found["validation"] == ([1.0, 2.0, 3.0], [epoch.validation_loss for epoch in made])


def test_the_search_for_a_rate_shows_its_suggestion(plt):
    found = search()
    ax = nn.plots.lr_range_test(found)
    drawn = lines(ax)
    assert drawn["each step"] == (found.rates, found.losses)
    assert drawn["smoothed"] == (found.rates, found.smoothed)
    assert drawn[f"suggestion: lr = {found.suggestion:.2g}"][0] == [found.suggestion] * 2
    assert ax.get_xscale() == "log"
    rising = found._replace(losses=found.losses[::-1][:4], rates=found.rates[:4])
    assert rising.suggestion is not None
    flat = found._replace(losses=[1.0] * 9)
    assert [*lines(nn.plots.lr_range_test(flat))] == ["each step", "smoothed"]


def test_a_schedule_is_drawn_step_by_step(plt):
    rate = nn.schedules.step(0.5, 2, gamma=0.5)
    (line,) = nn.plots.schedule(rate, 5).get_lines()
    assert list(line.get_xdata()) == [0, 1, 2, 3, 4]
    assert list(line.get_ydata()) == [0.5, 0.5, 0.25, 0.25, 0.125]
    assert line.get_drawstyle() == "steps-post"


def test_the_ends_of_a_line_are_marked_where_they_are_on_it(plt):
    ax = nn.plots.loss_along_line(LossAlongLine([-0.5, 0.0, 0.5], [3.0, 2.0, 1.0]))
    curve = ax.get_lines()[0]
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == ([-0.5, 0.0, 0.5], [3.0, 2.0, 1.0])
    assert [text.get_text() for text in ax.texts] == ["start"]


# -- layers --------------------------------------------------------------------------------------


def shares(ax: Any) -> list[float]:
    return [patch.get_height() for patch in ax.patches]


def test_activation_histograms_show_the_share_of_outputs(plt):
    model = nn.MLP(1, [2, 1], bias=False)
    for parameter, number in zip(model.parameters(), [2.0, -1.0, 1.0, 2.0], strict=True):
        parameter.data = number
    first, second = nn.plots.activation_histograms(model, [[1.0], [2.0]], bins=4)
    # outputs 2, 0, 4, 0 in classes of width 1
    assert shares(first) == [0.5, 0.0, 0.25, 0.25]
    assert [patch.get_x() for patch in first.patches] == [0.0, 1.0, 2.0, 3.0]
    assert shares(second) == [0.5, 0.0, 0.0, 0.5]
    assert (first.get_title(), second.get_title()) == ("layers.0", "layers.1")
    assert first.get_ylabel() == "share of 4"


def test_histograms_tell_what_they_leave_out(plt):
    model = nn.Linear(1, 2, bias=False)
    model.load_state_dict({"weight": [[1e300], [1.0]]})
    (ax,) = nn.plots.activation_histograms(model, [[1e300], [1.0]], bins=1)
    assert ax.get_title() == "Linear\n1 infinite or NaN"
    assert shares(ax) == [0.75]


def test_gradient_histograms_show_layers_with_gradients(plt):
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(3, 1, bias=False))
    model[1]([1.0, 2.0, 5.0])[0].backward()
    (ax,) = nn.plots.gradient_histograms(model, bins=2)
    assert ax.get_title() == "1"
    assert shares(ax) == pytest.approx([2 / 3, 1 / 3])
    assert ax.patches[0].get_x() == 1.0


def test_more_layers_than_stand_in_a_row_leave_no_empty_axes(plt):
    axes = nn.plots.activation_histograms(nn.MLP(2, [2, 2, 2, 2], "tanh", seed=0), INPUTS)
    assert axes.shape == (4,)
    assert axes[0].figure.axes == list(axes)


def test_gradient_flow_has_the_norms_and_marks_layers_without(plt):
    model = nn.Sequential(*(nn.Linear(1, 1, bias=False, init="ones") for _ in range(4)))
    for linear, gradient in zip(model, [0.25, 0.0, None, -3.0], strict=True):
        linear.weight[0][0].grad = gradient
    ax = nn.plots.gradient_flow(nn.gradient_flow(model))
    norms, none = ax.get_lines()
    drawn = [float(y) for y in norms.get_ydata()]
    assert [drawn[0], drawn[3]] == [0.25, 3.0]
    assert all(map(math.isnan, drawn[1:3]))
    assert list(none.get_xdata()) == [1, 2]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "2", "3"]
    assert ax.get_yscale() == "log"


# -- decision boundaries -------------------------------------------------------------------------


def plane(weight: list[list[float]], bias: list[float]) -> nn.Linear:
    layer = nn.Linear(2, len(weight))
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def regions(ax: Any) -> list[list[int]]:
    (image,) = ax.get_images()
    return [[int(cell) for cell in row] for row in image.get_array()]


def test_each_cell_has_the_class_that_is_predicted_in_its_middle(plt):
    model = plane([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0, 0.0, 0.0])
    data = ([[-5.0, -5.0], [5.0, -5.0], [-5.0, 5.0], [5.0, 5.0]], [0, 1, 2, 2])
    ax = nn.plots.decision_boundary(model, data, resolution=4)
    assert ax.get_images()[0].get_extent() == pytest.approx([-6.0, 6.0, -6.0, 6.0])
    middles = [-4.5, -1.5, 1.5, 4.5]
    assert regions(ax) == [[nn.predict(model([x, y]), "argmax") for x in middles] for y in middles]
    drawn = {
        s.get_label(): s.get_offsets().tolist() for s in ax.collections if s.get_label()[0] == "l"
    }
    assert drawn == {
        "label 0": [[-5.0, -5.0]],
        "label 1": [[5.0, -5.0]],
        "label 2": [[-5.0, 5.0], [5.0, 5.0]],
    }


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("labels", [(0, 1), (-1, 1)])
def test_one_score_decides_by_its_sign_with_a_line_at_0(plt, flat, labels):
    model = plane([[1.0, 0.0]], [-0.5])
    model = nn.Sequential(model, nn.Flatten(0, 1)) if flat else model
    data = ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [labels[0]] * 2 + [labels[1]] * 2)
    ax = nn.plots.decision_boundary(model, data, resolution=6)
    assert regions(ax) == [[0, 0, 0, 1, 1, 1]] * 6
    lines = [line for c in ax.collections if hasattr(c, "levels") for line in c.get_paths()]
    assert [float(x) for line in lines for x, _ in line.vertices] == pytest.approx([0.5] * 6)


def test_a_boundary_leaves_model_and_mode_as_they_were(plt):
    model = nn.Sequential(nn.Linear(2, 4, seed=0), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2))
    model(INPUTS)
    before = model.state_dict()
    nn.plots.decision_boundary(model, (INPUTS, TARGETS), resolution=3)
    assert model.state_dict() == before
    assert all(module.training for module in model.modules())


def test_data_on_one_line_have_a_region_too(plt):
    ax = nn.plots.decision_boundary(MODEL, ([[1.0, 2.0], [1.0, 3.0]], [0, 1]), resolution=2)
    assert ax.get_images()[0].get_extent() == pytest.approx([0.5, 1.5, 1.9, 3.1])


# -- matrices ------------------------------------------------------------------------------------


def test_confusion_matrices_show_and_write_the_counts(plt):
    counts = nn.metrics.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    ax = nn.plots.confusion_matrix(counts, labels=["a", "b", "c"])
    assert ax.get_images()[0].get_array().tolist() == counts
    assert [text.get_text() for text in ax.texts] == ["1", "0", "0", "0", "1", "0", "0", "1", "1"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted label", "true label")


@pytest.mark.parametrize("whole", [True, False])
def test_weight_images_are_the_rows_of_the_first_matrix(plt, whole):
    linear = nn.Linear(6, 5, seed=0)
    rows = linear.state_dict()["weight"]
    given = nn.Sequential(nn.ReLU(), linear, nn.Linear(5, 2)) if whole else rows
    images = nn.plots.weight_images(given, shape=(2, 3), columns=2).get_images()
    assert [image.get_array().flatten().tolist() for image in images] == rows
    assert images[0].get_array().shape == (2, 3)
    largest = max(abs(w) for row in rows for w in row)
    assert {image.get_clim() for image in images} == {(-largest, largest)}
    tops = [image.get_extent()[3] for image in images]
    assert tops[0] == tops[1] < tops[2] == tops[3] < tops[4]


def test_weights_of_a_square_number_are_square_images(plt):
    (image,) = nn.plots.weight_images([[0.0] * 9]).get_images()
    assert image.get_array().shape == (3, 3)


def test_widths_are_proportional_to_weights_and_signs_have_colours_and_styles(plt):
    model = nn.MLP(2, [2, 1], bias=False)
    numbers = [2.0, -1.0, 0.0, 0.5, -4.0, 1.0]
    for parameter, number in zip(model.parameters(), numbers, strict=True):
        parameter.data = number
    ax = nn.plots.network(model)
    first, second = (c for c in ax.collections if type(c).__name__ == "LineCollection")
    widths = [*first.get_linewidths(), *second.get_linewidths()]
    assert [width / max(widths) for width in widths] == pytest.approx([abs(w) / 4 for w in numbers])
    from matplotlib.colors import to_hex

    colours = [to_hex(c).upper() for c in [*first.get_colors(), *second.get_colors()]]
    assert [colour == "#D55E00" for colour in colours] == [w < 0.0 for w in numbers]
    dashed = [dashes is not None for _, dashes in [*first.get_linestyle(), *second.get_linestyle()]]
    assert dashed == [w < 0.0 for w in numbers]
    # row by row: both inputs to the first neuron, then to the second
    assert [[list(p) for p in s] for s in first.get_segments()] == [
        [[0.0, start], [1.0, end]] for end in (0.25, -0.25) for start in (0.25, -0.25)
    ]
    assert [text.get_text() for text in ax.texts] == ["inputs\n2", "layers.0\n2", "layers.1\n1"]


# -- live ----------------------------------------------------------------------------------------


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for IPython with a kernel behind it: the list of its outputs' pictures."""
    outputs: list[list[Any]] = []

    def display(bundle: Any, *, raw: bool, display_id: bool) -> Any:
        assert (raw, display_id) == (True, True)
        pictures = [(bundle, None)]
        outputs.append(pictures)

        def update(bundle: Any, *, raw: bool, metadata: Any) -> None:
            assert raw is True
            pictures.append((bundle, metadata))

        return types.SimpleNamespace(update=update)

    ipython: Any = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return outputs


def fitted(epochs: int, *, by_step: bool = False, **options: Any) -> History:
    model = nn.MLP(2, [2], seed=0)
    live = nn.plots.LiveLoss()
    return nn.fit(
        model,
        (INPUTS, TARGETS),
        loss=nn.CrossEntropyLoss(),
        optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
        epochs=epochs,
        batch_size=2,
        seed=0,
        progress=False,
        callbacks=[] if by_step else [live],
        step_callbacks=[live] if by_step else [],
        **options,
    )


def test_live_loss_keeps_one_output_up_to_date(plt, notebook, monkeypatch):
    monkeypatch.setattr("nn.plots.live.REFRESH", 0.0)
    made = fitted(2, validation=(INPUTS, TARGETS))
    (pictures,) = notebook
    assert len(pictures) == 1 + 2 + 1  # at first, after each epoch, at the end
    bundle, metadata = pictures[-1]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG\r\n")
    first, last = made
    assert bundle["text/plain"] == (
        f"Loss during training, epoch 2 of 2: from {first.loss:.4g} to {last.loss:.4g},"
        f" validation {last.validation_loss:.4g}"
    )
    assert metadata == {"image/png": {"alt": bundle["text/plain"]}}
    assert plt.get_fignums() == []


def test_live_loss_draws_twice_a_second_at_most(plt, notebook, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("nn.plots.live.monotonic", lambda: now[0])
    times: list[float] = []
    monkeypatch.setattr("nn.plots.live.loss_curves", lambda history, ax: times.append(now[0]))

    def tick(state: Any) -> None:
        now[0] += 0.125

    model = nn.MLP(2, [2], seed=0)
    nn.fit(
        model,
        (INPUTS, TARGETS),
        loss=nn.CrossEntropyLoss(),
        optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
        epochs=10,
        progress=False,
        callbacks=[nn.plots.LiveLoss(), tick],
    )
    assert times == [100.0, 100.5, 101.0, 101.25]  # the last at the end
    assert len(notebook[0]) == 5


def test_live_loss_after_steps_tells_of_the_step(plt, notebook):
    made = fitted(1, by_step=True)
    texts = [bundle["text/plain"] for bundle, _ in notebook[0]]
    assert texts[1] == (f"Loss during training, epoch 1 of 1: {made.steps[0].loss:.4g} at step 1")


def test_live_loss_says_before_training_that_matplotlib_is_missing(notebook, monkeypatch):
    for loaded in [module for module in sys.modules if module.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match="autograd-lite\\[plot\\]"):
        fitted(1)
    assert notebook == []


def test_live_loss_is_silent_outside_of_notebooks(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert len(fitted(2)) == 2
    assert capsys.readouterr() == ("", "")


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.plots.loss_curves([1.0]),
            TypeError,
            "loss_curves expected a History, got list",
        ),
        (
            lambda: nn.plots.loss_curves(History()),
            ValueError,
            "loss_curves expected a history of at least one step, got an empty one",
        ),
        (
            lambda: nn.plots.loss_curves(history([1.0], [None]), smoothing=0),
            ValueError,
            "loss_curves expected smoothing >= 1, got 0",
        ),
        (
            lambda: nn.plots.lr_range_test([1.0]),
            TypeError,
            "lr_range_test expected a RateSearch, got list",
        ),
        (
            lambda: nn.plots.lr_range_test(nn.RateSearch([], [], 1)),
            ValueError,
            "lr_range_test expected a search of at least one step, got an empty one",
        ),
        (
            lambda: nn.plots.schedule(0.1, 5),
            TypeError,
            "schedule expected functions of the number of the step, got float",
        ),
        (
            lambda: nn.plots.loss_along_line([1.0]),
            TypeError,
            "loss_along_line expected a LossAlongLine, got list",
        ),
        (
            lambda: nn.plots.gradient_flow(MODEL),
            TypeError,
            "gradient_flow expected what nn.gradient_flow returns, got MLP",
        ),
        (
            lambda: nn.plots.gradient_histograms(nn.MLP(1, [1])),
            ValueError,
            "gradient_histograms expected a model with gradients, got none; call backward() on a"
            " loss computed from it first",
        ),
        (
            lambda: nn.plots.activation_histograms(MODEL, INPUTS, bins=0),
            ValueError,
            "activation_histograms expected bins >= 1, got 0",
        ),
        (
            lambda: nn.plots.activation_histograms(nn.Flatten(), INPUTS),
            ValueError,
            "activation_histograms expected a model whose layers put out Values, got none",
        ),
        (
            lambda: nn.plots.decision_boundary(MODEL, ([[1.0, 2.0, 3.0]], [0])),
            ValueError,
            "decision_boundary expected samples of two numbers, got 3",
        ),
        (
            lambda: nn.plots.decision_boundary(MODEL, ([[1.0, 2.0], [2.0, 1.0]], [0, 2])),
            ValueError,
            "decision_boundary expected labels from 0 to 1, got 2 at position 1",
        ),
        (
            lambda: nn.plots.decision_boundary(nn.MLP(2, [1]), ([[1.0, 2.0]], [0.5])),
            ValueError,
            "decision_boundary expected labels -1 and 1, or 0 and 1, got 0.5 at position 0",
        ),
        (
            lambda: nn.plots.decision_boundary(max, ([[1.0, 2.0]], [0])),
            TypeError,
            "decision_boundary expected a Module, got builtin_function_or_method",
        ),
        (
            lambda: nn.plots.confusion_matrix([[1, 2, 3], [4, 5, 6]]),
            ValueError,
            "confusion_matrix expected as many rows as columns, got shape (2, 3)",
        ),
        (
            lambda: nn.plots.confusion_matrix([[1, 2], [4, 5]], labels=["a"]),
            ValueError,
            "confusion_matrix expected 2 labels, one for each row, got 1",
        ),
        (
            lambda: nn.plots.confusion_matrix(3),
            TypeError,
            "confusion_matrix expected a matrix, lists of numbers of one length, got int: 3",
        ),
        (
            lambda: nn.plots.confusion_matrix([1, 2]),
            ValueError,
            "confusion_matrix expected a matrix, lists of numbers of one length, got shape (2,)",
        ),
        (
            lambda: nn.plots.weight_images(nn.ReLU()),
            ValueError,
            "weight_images expected a module with a weight matrix, got ReLU without one",
        ),
        (
            lambda: nn.plots.weight_images(nn.Linear(5, 1)),
            ValueError,
            "weight_images expected a square number of weights per neuron, got 5; give shape=",
        ),
        (
            lambda: nn.plots.weight_images(nn.Linear(6, 1), shape=(2, 2)),
            ValueError,
            "weight_images expected a shape of 6 weights, got 2 × 2",
        ),
        (
            lambda: nn.plots.weight_images(nn.Linear(6, 1), shape=6),
            TypeError,
            "weight_images expected shape as (rows, columns), got 6",
        ),
        (
            lambda: nn.plots.weight_images(nn.Linear(4, 1), columns=0),
            ValueError,
            "weight_images expected columns >= 1, got 0",
        ),
        (
            lambda: nn.plots.network(nn.ReLU()),
            ValueError,
            "network expected a module with weight matrices, got ReLU without",
        ),
        (
            lambda: nn.plots.network(nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1))),
            ValueError,
            "network expected weight matrices that fit behind each other, got '1.weight' with 2"
            " columns after 3 neurons",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
