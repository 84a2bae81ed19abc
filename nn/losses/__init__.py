"""Losses: how far predictions are from targets. Names and reductions are PyTorch's.

Predictions and targets must have equal shapes: nothing is broadcast, because predictions
[[1], [2]] against targets [1, 2] would silently compare each with each.

The mean over all predictions is the default, without ½ (`HalfMSELoss` has it). Lectures differ:
some average and some sum over the data, which changes what a learning rate or a penalty's λ means;
``reduction="sum"`` gives the sum. Classes are labelled 0 to K - 1.

Most losses are negative log-likelihoods: of normal noise (`MSELoss`), Laplace noise (`L1Loss`), a
Bernoulli variable (`BCELoss`, `BCEWithLogitsLoss`, `LogisticLoss`), a categorical one (`NLLLoss`,
`CrossEntropyLoss`); a prior of the weights gives a penalty (`l2_penalty`).
"""

from nn.losses.binary import BCELoss, BCEWithLogitsLoss, HingeLoss, LogisticLoss
from nn.losses.classification import CrossEntropyLoss, NLLLoss
from nn.losses.penalties import l2_penalty
from nn.losses.reduction import Loss
from nn.losses.regression import HalfMSELoss, HuberLoss, L1Loss, MSELoss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HalfMSELoss",
    "HingeLoss",
    "HuberLoss",
    "L1Loss",
    "LogisticLoss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "l2_penalty",
]
