"""Networks of scalar Values: layers, losses, optimisers, training."""

from nn import data, init, metrics, optim
from nn.activations import (
    ELU,
    GELU,
    SELU,
    Activation,
    Hardtanh,
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
from nn.checkpoint import CheckpointError, load, save
from nn.containers import Flatten, Sequential
from nn.layers import MLP, Layer, Linear, Neuron
from nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HalfMSELoss,
    HingeLoss,
    LogisticLoss,
    Loss,
    MSELoss,
)
from nn.module import Module, Parameter
from nn.prediction import predict
from nn.training import History, fit

__all__ = [
    "ELU",
    "GELU",
    "MLP",
    "SELU",
    "Activation",
    "BCEWithLogitsLoss",
    "CheckpointError",
    "CrossEntropyLoss",
    "Flatten",
    "HalfMSELoss",
    "Hardtanh",
    "HingeLoss",
    "History",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogisticLoss",
    "Loss",
    "MSELoss",
    "Mish",
    "Module",
    "Neuron",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "data",
    "fit",
    "init",
    "load",
    "metrics",
    "optim",
    "predict",
    "save",
]
