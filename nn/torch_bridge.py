"""What `to_torch` and `from_torch` share: PyTorch itself, and which module is which there."""

from __future__ import annotations

from typing import Any

from nn import activations, containers, dropout, embedding, losses, normalisation, softmax
from nn.layers import MLP, Layer, Linear, Neuron
from nn.module import Module
from nn.weight_norm import WeightNorm

SETTINGS: dict[type[Module], tuple[str, ...]] = {
    Linear: ("in_features", "out_features"),
    embedding.Embedding: ("num_embeddings", "embedding_dim"),
    normalisation.BatchNorm1d: (
        "num_features",
        "eps",
        "momentum",
        "affine",
        "track_running_stats",
    ),
    normalisation.LayerNorm: ("normalized_shape", "eps", "elementwise_affine"),
    dropout.Dropout: ("p",),
    containers.Flatten: ("start_dim", "end_dim"),
    softmax.Softmax: ("dim",),
    softmax.LogSoftmax: ("dim",),
    activations.ELU: ("alpha",),
    activations.GELU: ("approximate",),
    activations.Hardtanh: ("min_val", "max_val"),
    activations.Identity: (),
    activations.LeakyReLU: ("negative_slope",),
    activations.LogSigmoid: (),
    activations.Mish: (),
    activations.ReLU: (),
    activations.SELU: (),
    activations.Sigmoid: (),
    activations.SiLU: (),
    activations.Softplus: ("beta",),
    activations.Softsign: (),
    activations.Tanh: (),
    losses.BCELoss: ("reduction",),
    losses.BCEWithLogitsLoss: ("reduction", "pos_weight"),
    losses.CrossEntropyLoss: ("weight", "ignore_index", "reduction", "label_smoothing"),
    losses.HuberLoss: ("reduction", "delta"),
    losses.L1Loss: ("reduction",),
    losses.MSELoss: ("reduction",),
    losses.NLLLoss: ("weight", "ignore_index", "reduction"),
    losses.HalfMSELoss: ("reduction",),
    losses.HingeLoss: ("reduction",),
    losses.LogisticLoss: ("reduction",),
}
"""Modules that have one name here and in PyTorch (or `nn.torch_modules`), and the names of their
settings, which are arguments and attributes in both."""

CONTAINERS = (
    containers.Sequential,
    containers.ModuleList,
    containers.Residual,
    MLP,
    Layer,
    Neuron,
    WeightNorm,
)
BIASED = (Linear, normalisation.BatchNorm1d, normalisation.LayerNorm)
DRAWN = (Linear, embedding.Embedding)
LEARNED = {activations.LeakyReLU: "negative_slope", activations.ELU: "alpha"}
"""Activations with a setting that may be a Parameter."""


def pytorch(who: str) -> tuple[Any, Any]:
    """Return PyTorch and `nn.torch_modules`, or say how to get them."""
    try:
        import torch
    except ImportError:
        raise ImportError(
            f"{who} needs PyTorch, which is not installed: pip install torch, or"
            ' pip install "autograd-lite[torch]"'
        ) from None
    from nn import torch_modules

    return torch, torch_modules


def at(path: str) -> str:
    """Return where a module is, as messages say it.

    Examples
    --------
    >>> from nn.torch_bridge import at
    >>> at("layers.0"), at("")
    (" at 'layers.0'", '')
    """
    return f" at {path!r}" if path else ""
