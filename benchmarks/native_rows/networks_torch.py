"""A network with one hidden layer in PyTorch, eager; epochs with its DataLoader and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)


class Network:
    """Linear, ReLU, linear; cross-entropy; Adam.

    Parameters
    ----------
    sizes : (inputs, hidden, outputs)
    flat : array
        The parameters, as for the NumPy side; the array's type is that of the computation.
    lr : float
    adam : str
        How PyTorch runs Adam: "default", or the name of one of its options, "foreach" or "fused".
    """

    def __init__(
        self, sizes: tuple[int, int, int], flat: np.ndarray, lr: float, adam: str = "default"
    ) -> None:
        inputs, hidden, outputs = sizes
        self.model = torch.nn.Sequential(
            torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs)
        ).to(torch.from_numpy(flat).dtype)
        torch.nn.utils.vector_to_parameters(torch.from_numpy(flat.copy()), self.model.parameters())
        self.loss = torch.nn.CrossEntropyLoss()
        options = {} if adam == "default" else {adam: True}
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr, **options)

    def loss_and_gradient(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        return loss

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = self.loss_and_gradient(x, y)
        self.optimizer.step()
        return loss

    @property
    def flat(self) -> np.ndarray:
        return np.concatenate([p.detach().numpy().ravel() for p in self.model.parameters()])

    @property
    def gradient(self) -> np.ndarray:
        return np.concatenate([p.grad.numpy().ravel() for p in self.model.parameters()])

    def epoch(self, batches: Any) -> float:
        """Go through the batches once and return the mean of their losses."""
        total, count = 0.0, 0
        for x, y in batches:
            total += self.step(x, y).item()
            count += 1
        return total / count


def loader(x: torch.Tensor, y: torch.Tensor, batch: int) -> DataLoader:
    """Return the batches as PyTorch's tutorials make them."""
    return DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)


class Indexed:
    """Batches taken out of the tensors by a shuffled index, without a DataLoader."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor, batch: int) -> None:
        self.x, self.y, self.batch = x, y, batch

    def __iter__(self) -> Any:
        for chosen in torch.randperm(len(self.x)).split(self.batch):
            yield self.x[chosen], self.y[chosen]


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]
