"""The guide's examples of moving on to PyTorch and JAX: the same numbers there."""

import doctest
from importlib.util import find_spec
from pathlib import Path

import pytest

import nn

START = """\
>>> import nn
>>> points, labels = nn.data.moons(100, noise=0.1, labels=(-1, 1), seed=0)
>>> model = nn.MLP(2, [8, 1], "tanh", seed=0)
>>> loss = nn.LogisticLoss()(model(points), labels)
>>> loss.backward()
>>> f"{loss.data:.12f} {model.layers[0].neurons[0].w[0].grad:.12f}"
'0.551277266133 -0.007283879700'
"""

TORCH = """\
>>> import torch
>>> twin = nn.to_torch(model)
>>> x, y = torch.tensor(points, dtype=torch.float64), torch.tensor(labels)
>>> there = nn.to_torch(nn.LogisticLoss())(twin(x), y)
>>> there.backward()
>>> f"{there.item():.12f} {twin.layers[0].weight.grad[0, 0].item():.12f}"
'0.551277266133 -0.007283879700'
>>> optimizer = torch.optim.SGD(twin.parameters(), lr=0.5)
>>> optimizer.step()
>>> trained = nn.from_torch(twin)
>>> f"{nn.LogisticLoss()(trained(points), labels).data:.12f}"
'0.484942753257'
"""

JAX = """\
>>> import jax
>>> import jax.numpy as jnp
>>> jax.config.update("jax_enable_x64", True)
>>> params = {name: jnp.array(numbers) for name, numbers in model.state_dict().items()}
>>> def forward(params, x):
...     hidden = jnp.tanh(x @ params["layers.0.weight"].T + params["layers.0.bias"])
...     return (hidden @ params["layers.1.weight"].T + params["layers.1.bias"])[:, 0]
>>> def logistic_loss(params, x, y):
...     return jnp.mean(jnp.logaddexp(0.0, -y * forward(params, x)))
>>> x, y = jnp.array(points), jnp.array(labels)
>>> value, gradients = jax.value_and_grad(logistic_loss)(params, x, y)
>>> f"{value:.12f} {gradients['layers.0.weight'][0, 0]:.12f}"
'0.551277266133 -0.007283879700'
>>> params = jax.tree.map(lambda p, g: p - 0.5 * g, params, gradients)
>>> model.load_state_dict(params)
IncompatibleKeys(missing_keys=[], unexpected_keys=[])
>>> f"{nn.LogisticLoss()(model(points), labels).data:.12f}"
'0.484942753257'
"""

GUIDE = Path(nn.__file__).parent.parent / "docs/how-to/move-on.md"


def run(text):
    """Run examples and return their names; what they print is compared."""
    example = doctest.DocTestParser().get_doctest(text, {}, "moving on", None, 0)
    result = doctest.DocTestRunner().run(example, clear_globs=False)
    assert result.failed == 0
    assert result.attempted == text.count(">>> ")
    return example.globs


def test_the_guide_has_these_examples():
    text = GUIDE.read_text(encoding="utf-8")
    assert f"```python\n{START}```" in text
    assert f"```py\n{TORCH}```" in text
    assert f"```py\n{JAX}```" in text


def test_the_first_numbers_are_those_of_the_engine():
    run(START)


def test_pytorch_continues_with_the_same_numbers():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    run(START + TORCH)


def test_the_functions_for_jax_compute_the_same_numbers_on_arrays_of_numpy():
    preparation, _, _ = JAX.partition(">>> value, gradients")
    lines = preparation.splitlines(keepends=True)
    assert lines[:2] == [">>> import jax\n", ">>> import jax.numpy as jnp\n"]
    names = run(START + ">>> import numpy as jnp\n" + "".join(lines[3:]))
    outputs = names["forward"](names["params"], names["x"])
    expected = [y.data for y in names["model"](names["points"])]
    assert outputs.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-14)
    value = names["logistic_loss"](names["params"], names["x"], names["y"])
    assert value == pytest.approx(names["loss"].data, rel=1e-12, abs=0)


if find_spec("jax"):  # no part of the project's optional packages, so nothing that is skipped

    def test_jax_continues_with_the_same_numbers():
        run(START + JAX)
