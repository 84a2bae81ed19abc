"""Layers against PyTorch: values, first and second derivatives, and state, as recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from record_torch_layers import LABELS, TARGET, record

import nn
from autograd_lite import Value, total
from nn.nested import elementwise, flat

CASES = json.loads(TARGET.read_text(encoding="utf-8"))["cases"]


def assert_close(got: Any, expected: Any) -> None:
    """Compare to 1e-12 of the largest number: single ones may be what rounding leaves of a 0."""
    got, expected = list(flat(got)), list(flat(expected))
    assert len(got) == len(expected) > 0
    size = max(map(abs, expected))
    assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) <= 1e-12 * size


def made(case: dict[str, Any]) -> nn.Module:
    if case["layer"] == "WeightNorm":
        layer = nn.WeightNorm(nn.Linear(*case["arguments"], **case["settings"]))
    else:
        layer = getattr(nn, case["layer"])(*case["arguments"], **case["settings"])
    layer.load_state_dict(case["first"])
    return layer


def parameters_of(layer: nn.Module, name: str) -> Any:
    return getattr(layer.module if hasattr(layer, "module") and name == "bias" else layer, name)


def backpropagated(y: Any, wanted: list[Value], **settings: bool) -> list[Any]:
    """Return the gradients of y."""
    for value in wanted:
        value.zero_grad()
    if isinstance(y, Value):
        y.backward(**settings)
    return [value.grad for value in wanted]


def compared(layer: nn.Module, parameters: list[str], call: dict[str, Any]) -> None:
    """Do what PyTorch was asked to do, and compare."""
    labels = call["x"] == LABELS
    layer.train(call["training"])
    x = call["x"] if labels else elementwise(Value, call["x"])
    wanted = [] if labels else list(flat(x))
    wanted += [p for name in parameters for p in flat(parameters_of(layer, name))]
    y = layer(x)
    assert_close(elementwise(float, y), call["y"])
    loss = total([c * v * v for c, v in zip(flat(call["c"]), flat(y), strict=True)])
    assert_close(backpropagated(loss, wanted), call["gradients"])
    gradients = backpropagated(loss, wanted, create_graph=True)
    assert_close([float(g) for g in gradients], call["gradients"])
    assert_close([backpropagated(g, wanted) for g in gradients], call["second"])
    state = layer.state_dict()
    assert set(state) == set(call["state"])
    for name, numbers in call["state"].items():
        assert_close(state[name], numbers)
    for value in wanted:
        value.zero_grad()


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['layer']}-{case['arguments']}-{case['settings']}"
)
def test_layers_do_what_pytorchs_do(case: dict[str, Any]) -> None:
    layer = made(case)
    assert len(case["calls"]) == (1 if case["layer"] == "Embedding" else 3)
    for call in case["calls"]:
        compared(layer, case["parameters"], call)


def test_every_recorded_figure_counts() -> None:
    """The comparison notices a number that is off by 1e-11."""
    case = json.loads(json.dumps(CASES[0]))
    call = case["calls"][0]
    for name in ("y", "gradients", "second"):
        numbers = call[name]
        while isinstance(numbers[-1], list):
            numbers = numbers[-1]
        numbers[-1], kept = numbers[-1] + 1e-11 * max(map(abs, flat(call[name]))), numbers[-1]
        with pytest.raises(AssertionError):
            compared(made(case), case["parameters"], call)
        numbers[-1] = kept
    compared(made(case), case["parameters"], call)


def test_the_recording_script_gives_the_recorded_figures() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    anew = json.loads(json.dumps(record(torch)))["cases"]
    assert len(anew) == len(CASES)
    for old, new in zip(CASES, anew, strict=True):
        assert {**old, "calls": None} == {**new, "calls": None}
        for before, after in zip(old["calls"], new["calls"], strict=True):
            assert (before["x"], before["c"]) == (after["x"], after["c"])
            for name in ("y", "gradients", "second"):
                assert_close(after[name], before[name])
