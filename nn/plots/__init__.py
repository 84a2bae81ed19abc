"""Plots of trainings, layers and data, with matplotlib.

Each takes what the function of its name returns, or a model, and an ``ax=`` to draw on; without one
it makes a figure through ``matplotlib.pyplot``, so that notebooks show it. It returns the Axes (a
NumPy array of them where it draws several), never calls ``show``, and changes no settings. Colours
are those of Okabe and Ito, which the colour-blind can tell apart; what they say is also said by
line styles, markers or numbers.
"""

from nn.plots.boundaries import decision_boundary
from nn.plots.curves import loss_along_line, loss_curves, lr_range_test, schedule
from nn.plots.layers import activation_histograms, gradient_flow, gradient_histograms
from nn.plots.live import LiveLoss
from nn.plots.matrices import confusion_matrix, weight_images
from nn.plots.neurons import network

__all__ = [
    "LiveLoss",
    "activation_histograms",
    "confusion_matrix",
    "decision_boundary",
    "gradient_flow",
    "gradient_histograms",
    "loss_along_line",
    "loss_curves",
    "lr_range_test",
    "network",
    "schedule",
    "weight_images",
]
