"""Losses and their gradients are those that PyTorch was recorded to give."""

import json
import math

import pytest
from record_torch_losses import TARGET, record

import nn
from autograd_lite import Value, dot
from nn.nested import elementwise, flat

CASES = json.loads(TARGET.read_text(encoding="utf-8"))["cases"]


def labelled(case):
    settings = ", ".join(f"{key}={value}" for key, value in case["settings"].items())
    return f"{case['name']}({settings})"


def agree(ours, theirs):
    """Hold to 1e-12 of each number, or to 1e-15 where PyTorch's formula cancels."""
    pairs = list(zip(flat(ours), flat(theirs), strict=True))
    return all(math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15) for a, b in pairs)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("case", CASES, ids=labelled)
def test_losses_and_gradients_are_pytorchs(case, reduction):
    predictions = elementwise(Value, case["predictions"])
    loss = getattr(nn, case["name"])(**case["settings"], reduction=reduction)
    result = loss(predictions, case["targets"])
    expected = case[reduction]
    assert agree(elementwise(float, result), expected["loss"])
    whole = result
    if reduction == "none":
        whole = dot(list(flat(result)), list(flat(case["factors"])))
    whole.backward()
    gradient = elementwise(lambda p: p.grad, predictions)
    assert agree(gradient, expected["gradient"])


def test_the_recording_covers_every_loss_that_pytorch_has():
    ours = {name for name in nn.__all__ if name.endswith("Loss")}
    not_in_pytorch = {"Loss", "HalfMSELoss", "HingeLoss", "LogisticLoss"}
    assert {case["name"] for case in CASES} == ours - not_in_pytorch


def test_the_recording_script_gives_the_recorded_figures():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    anew = json.loads(json.dumps(record(torch)))["cases"]
    for old, new in zip(CASES, anew, strict=True):
        for reduction in ("mean", "sum", "none"):
            pairs = zip(
                flat(list(old[reduction].values())),
                flat(list(new[reduction].values())),
                strict=True,
            )
            # Another processor's vector units may round the last digit differently.
            assert all(math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15) for a, b in pairs)
