"""Networks of scalar Values: layers, losses, optimisers, training."""

from nn import data, init, metrics, optim, plots, schedules
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
from nn.containers import Flatten, Residual, Sequential
from nn.diagnostics import (
    dead_units,
    gradient_flow,
    layer_outputs,
    layer_statistics,
)
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.history import History
from nn.layers import MLP, Layer, Linear, Neuron
from nn.loss_line import loss_along_line
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
from nn.matrix_backprop import Backpropagation, BackpropLayer, backprop
from nn.module import Module, Parameter
from nn.normalisation import BatchNorm1d, LayerNorm
from nn.prediction import predict
from nn.rate_search import RateSearch, lr_range_test
from nn.softmax import LogSoftmax, Softmax
from nn.torch_export import to_torch
from nn.torch_import import from_torch
from nn.training import fit
from nn.weight_norm import WeightNorm

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
