"""A GPT of microgpt's shape: whole training steps, one document each, with Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from native_rows import gpt_value
from native_rows.gpt_model import BETAS, LR, NAMES, Operators, flat, mean_loss, tokens_of, weights
from native_rows.gpt_ours import Functions, Gpt, Looked
from native_rows.measuring import Options, Peer, Table, agree, compare


class Plain:
    """The other side: microgpt's kind of Value, and its loop of training."""

    def __init__(self) -> None:
        self.model = weights(lambda number, _: gpt_value.Value(number))
        self.parameters = flat(self.model)
        self.optimizer = gpt_value.Adam(self.parameters, LR, BETAS)

    def step(self, tokens: list[int]) -> float:
        loss = mean_loss(self.model, tokens, Operators)
        loss.backward()
        self.optimizer.step()
        return loss.data


def rows(table: Table, options: Options) -> None:
    documents = [tokens_of(name) for name in NAMES[: options.size(4, 2)]]
    arrays = [np.array([tokens]) for tokens in documents]
    theirs = Plain()
    ours = {"its own functions": Gpt(Functions), "operators alone": Gpt(Looked)}
    for tokens, array in zip(documents, arrays, strict=True):  # each length is recorded here
        loss = theirs.step(tokens)
        for how, gpt in ours.items():
            agree(f"loss of the GPT, {how}", gpt.step(array), loss)
    for how, gpt in ours.items():
        # Adam divides by the size of the gradient, which blows up the rounding of those near 0.
        agree(f"weights of the GPT, {how}", numbers(gpt), numbers(theirs), 1e-8)
    lengths = ", ".join(str(len(tokens) - 1) for tokens in documents)
    print(
        f"A GPT of microgpt's shape, {len(theirs.parameters):,} parameters; training steps with"
        f" Adam on documents of {lengths} tokens in turn.\n"
    )
    table.begin()
    for enabled in (True, False):
        for how, gpt in ours.items():
            compare(
                table,
                f"a step of the GPT, {how}",
                lambda gpt=gpt: [gpt.step(array) for array in arrays],
                [
                    Peer(
                        f"microgpt's kind of Value, collector {'on' if enabled else 'off'}",
                        lambda: [theirs.step(tokens) for tokens in documents],
                        150.0 if enabled and gpt is ours["its own functions"] else None,
                    )
                ],
                options,
                enabled=enabled,
                parts=len(documents),
            )


def numbers(side: Any) -> list[float]:
    return [p.data for p in side.parameters]
