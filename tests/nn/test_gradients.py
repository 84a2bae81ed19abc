"""Gradients that are set back, kept and put back, in arrays and not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd_lite import Value
from autograd_lite.native.parameters.binding import bind
from nn.gradients import gradients_restored, zero_gradients


def values() -> list[Value]:
    return [Value(float(i)) for i in range(5)]


def all_written(given: list[Value]) -> None:
    for i, value in enumerate(given):
        value.grad = 10.0 + i


def none_written(given: list[Value]) -> None:
    zero_gradients(given)


def some_written(given: list[Value]) -> None:
    given[1].grad, given[3].grad = -1.5, 0.0


def some_recorded(given: list[Value]) -> None:
    all_written(given)
    given[2].zero_grad()
    (given[2] ** 3).backward(create_graph=True)


def some_frozen(given: list[Value]) -> None:
    all_written(given)
    given[4].requires_grad = False


def of_older_data(given: list[Value]) -> None:
    all_written(given)
    for value in given:
        value.data += 1.0


def seen(given: list[Value]) -> list[Any]:
    return [(value.reached, value.requires_grad, value.grad) for value in given]


WRITERS = [all_written, none_written, some_written, some_recorded, some_frozen, of_older_data]
MOMENTS = ["never", "before", "within", "anew"]


@pytest.mark.parametrize("moved", MOMENTS)
@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_gradients_are_put_back(write: Callable[[list[Value]], None], moved: str) -> None:
    given = values()
    bindings = [bind(given, order=[4, 2, 0, 1, 3])] if moved in ("before", "anew") else []
    write(given)
    before = seen(given)
    with gradients_restored(given):
        if moved == "within":
            bindings.append(bind(given))
        elif moved == "anew":
            bindings.append(bind([Value(9.0), *given]))
        for value in given:
            value.grad = 7.0 if value.requires_grad else None
        given[0].zero_grad()
    assert seen(given) == before
    assert (len(bindings) > 0) == (moved != "never")


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_only_those_that_are_meant_are_put_back(write: Callable[[list[Value]], None]) -> None:
    given = values()
    binding = bind(given)
    write(given)
    before = seen(given)
    with gradients_restored(given[1:4]):
        for value in given[:4]:
            value.grad = 7.0
    assert seen(given)[1:] == before[1:]
    assert given[0].grad == 7.0
    assert list(binding.data) == [value.data for value in given]


@pytest.mark.parametrize("bound", [False, True])
def test_gradients_are_set_back(bound: bool) -> None:
    model = nn.Linear(2, 2, seed=0)
    binding = bind(model.parameters()) if bound else None
    for parameter in model.parameters():
        parameter.grad = 3.0
    model.weight[0][0].requires_grad = False
    zero_gradients(model.parameters()[1:])
    assert [p.reached for p in model.parameters()] == [False] * 6
    assert not model.weight[0][0].requires_grad
    model.bias[0].grad = 1.0
    model.zero_grad()
    assert not model.bias[0].reached
    assert (binding is not None) == bound
