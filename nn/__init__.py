"""Networks of scalar Values: layers, losses, optimisers, training."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nn import data, init, metrics, optim, schedules
from nn.activations import (
    ELU,
    GELU,
    SELU,
    Activation,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSigmoid,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from nn.callbacks import EarlyStopping, TrainingState
from nn.checkpoint import CheckpointError, load, save
from nn.clipping import clip_grad_norm_, clip_grad_value_
from nn.containers import Flatten, ModuleList, Residual, Sequential
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.history import History
from nn.layers import MLP, Layer, Linear, Neuron
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfMSELoss,
    HingeLoss,
    HuberLoss,
    L1Loss,
    LogisticLoss,
    Loss,
    MSELoss,
    NLLLoss,
    l2_penalty,
)
from nn.module import Module, Parameter
from nn.normalisation import BatchNorm1d, LayerNorm
from nn.prediction import predict
from nn.softmax import LogSoftmax, Softmax
from nn.training import fit
from nn.weight_norm import WeightNorm

if TYPE_CHECKING:
    from nn import plots
    from nn.diagnostics import dead_units, gradient_flow, layer_outputs, layer_statistics
    from nn.loss_line import loss_along_line
    from nn.matrix_backprop import Backpropagation, BackpropLayer, backprop
    from nn.rate_search import RateSearch, lr_range_test
    from nn.torch_export import to_torch
    from nn.torch_import import from_torch

__all__ = [
    "ELU",
    "GELU",
    "MLP",
    "SELU",
    "Activation",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BackpropLayer",
    "Backpropagation",
    "BatchNorm1d",
    "CheckpointError",
    "CrossEntropyLoss",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "HalfMSELoss",
    "Hardtanh",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "LogisticLoss",
    "Loss",
    "MSELoss",
    "Mish",
    "Module",
    "ModuleList",
    "NLLLoss",
    "Neuron",
    "Parameter",
    "RateSearch",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "TrainingState",
    "WeightNorm",
    "backprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "data",
    "dead_units",
    "fit",
    "from_torch",
    "gradient_flow",
    "init",
    "l2_penalty",
    "layer_outputs",
    "layer_statistics",
    "load",
    "loss_along_line",
    "lr_range_test",
    "metrics",
    "optim",
    "plots",
    "predict",
    "save",
    "schedules",
    "to_torch",
]

_LATER = {
    "plots": "nn.plots",
    **dict.fromkeys(
        ("dead_units", "gradient_flow", "layer_outputs", "layer_statistics"), "nn.diagnostics"
    ),
    "loss_along_line": "nn.loss_line",
    **dict.fromkeys(("Backpropagation", "BackpropLayer", "backprop"), "nn.matrix_backprop"),
    **dict.fromkeys(("RateSearch", "lr_range_test"), "nn.rate_search"),
    "to_torch": "nn.torch_export",
    "from_torch": "nn.torch_import",
}
"""What few programs need, and the module that is imported when one does."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_LATER[name])
    found = globals()[name] = getattr(module, name, module)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
