"""An irregular graph in JAX: one compiled function over all points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from native_rows.irregular_programs import Program, evaluate


def compiled(program: Program) -> tuple[Callable[[Any], Any], Any]:
    """Return points → values, gradients, compiled for the program's points, and those points."""
    jax.config.update("jax_enable_x64", True)

    def value(x: Any) -> Any:
        return evaluate(program, [x[i] for i in range(program.inputs)], jnp)

    points = jnp.asarray(program.points)
    function = jax.jit(jax.vmap(jax.value_and_grad(value))).lower(points).compile()
    return function, points
