"""Normalisation: numbers brought to mean 0 and variance 1, over a batch or over a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite import Value, lanes, mean, sqrt, var
from nn.inputs import called, samples, size
from nn.module import Module, Parameter, flag
from nn.nested import as_lists, elementwise, flat, is_list, number_for, shape_of


def _positive(given: Any, what: str) -> float:
    """Return an ε as a float, or say what is wrong with it."""
    epsilon = float(number_for(f"{what} expected a number", given))
    if not 0.0 < epsilon < float("inf"):
        raise ValueError(f"{what} expected a finite number > 0, got {given}")
    return epsilon


class BatchNorm1d(Module):
    """Batch normalisation: every feature with mean 0 and variance 1 over the batch.

    (x - μ) / √(σ² + ε) · γ + β. In training, μ and σ² are the mean and the (biased) variance of
    the feature over the batch, through which gradients flow; in evaluation, they are the running
    averages of what was seen in training, and constants.

    Parameters
    ----------
    num_features : int
        Number of features of a sample.
    eps : float
        ε > 0, which keeps the quotient finite.
    momentum : float or None
        How much of the running averages each training batch replaces, from 0 to 1; None gives
        all batches the same weight.
    affine : bool
        Whether there are γ, which starts at 1, and β, which starts at 0.
    track_running_stats : bool
        Whether there are running averages. Without them, evaluation takes the batch's statistics
        as training does.
    bias : bool
        Whether there is a β beside γ.

    Attributes
    ----------
    weight, bias : list of Parameter, or None
        γ and β, one for each feature.
    running_mean, running_var : list of float, or None
        What evaluation uses; no part of any graph. They start at 0 and 1.
    num_batches_tracked : int or None
        How many training batches they come from.

    Raises
    ------
    TypeError, ValueError
        For a number of features below 1, ε ≤ 0, a momentum outside [0, 1]; when called, for samples
        of another size. Also for a training batch of one: its variance is 0, and what came out
        would be β whatever went in.
    RuntimeError
        When called in evaluation before there was a training batch. (PyTorch goes on with mean 0
        and variance 1.)

    Notes
    -----
    The output does not change when the inputs are all multiplied by a > 0 (as ε → 0) or moved by b.
    So a bias before it is of no use: its gradient is 0. The output of a sample depends on the
    rest of its training batch. γ = √(σ² + ε) and β = μ undo the normalisation.

    As in PyTorch, the running variance averages the unbiased variance σ² n / (n - 1): with
    momentum 0.1, the batch 1, 2, 3, 4 takes it from 1 to 0.9 + 0.1 · 5/3 = 1.0667. Others average
    the biased one, 1.025 here.

    A compiled function sees one sample of the batch: called with that alone, or with a batch of it,
    the statistics are those over all lanes of the program (`autograd_lite.lanes`).

    References
    ----------
    Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift, 2015.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html

    Examples
    --------
    >>> import nn
    >>> norm = nn.BatchNorm1d(1)
    >>> norm
    BatchNorm1d(1, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True),
    2 parameters
    >>> [round(y.data, 3) for (y,) in norm([[1.0], [2.0], [3.0], [4.0]])]
    [-1.342, -0.447, 0.447, 1.342]
    >>> [round(x, 4) for x in norm.running_mean + norm.running_var]
    [0.25, 1.0667]
    >>> (y,) = norm.eval()([0.25])
    >>> y.data
    0.0
    """

    running_mean: list[float] | None
    running_var: list[float] | None
    num_batches_tracked: int | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.num_features = size(num_features, f"{name}'s num_features")
        self.eps = _positive(eps, f"{name}'s eps")
        if momentum is not None:
            momentum = float(number_for(f"{name}'s momentum expected a number or None", momentum))
            if not 0.0 <= momentum <= 1.0:
                raise ValueError(f"{name}'s momentum expected a number from 0 to 1, got {momentum}")
        self.momentum = momentum
        self.affine = flag(affine, f"{name}'s affine")
        self.track_running_stats = flag(track_running_stats, f"{name}'s track_running_stats")
        flag(bias, f"{name}'s bias")
        shape = (self.num_features,)
        self.weight = _parameters(shape, 1.0) if affine else None
        self.bias = _parameters(shape, 0.0) if affine and bias else None
        for buffer in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(buffer, None)
        self.reset_running_stats()

    def reset_running_stats(self) -> None:
        """Forget all training batches.

        Examples
        --------
        >>> import nn
        >>> norm = nn.BatchNorm1d(1)
        >>> _ = norm([[1.0], [3.0]])
        >>> norm.reset_running_stats()
        >>> norm.running_mean, norm.running_var, norm.num_batches_tracked
        ([0.0], [1.0], 0)
        """
        if self.track_running_stats:
            self.running_mean = [0.0] * self.num_features
            self.running_var = [1.0] * self.num_features
            self.num_batches_tracked = 0

    def forward(self, x: Any) -> list[Any]:
        """Return the normalised batch (in evaluation: or sample), of the same shape."""
        inputs, batched = samples(self, self.num_features, x)
        columns = list(zip(*inputs, strict=True))
        averages = None if self.training else self._running_averages()
        if averages is not None and lanes.tracing():
            averages = self._read_at_every_call(*averages)
        across = lanes.tracing() and len(inputs) == 1  # the batch: one of its samples is seen here
        if averages is not None:
            means, variances = averages
        elif across:
            means = [lanes.mean(number) for (number,) in columns]
            variances = [lanes.variance(number) for (number,) in columns]
        else:
            self._check_batch(len(inputs), batched)
            means = [mean(column) for column in columns]
            variances = [var(column, correction=0) for column in columns]
        scales: list[Any] = [1.0 / sqrt(variance + self.eps) for variance in variances]
        if self.weight is not None:
            scales = [weight * scale for weight, scale in zip(self.weight, scales, strict=True)]
        outputs = [
            [(x - middle) * scale for x in column]
            for column, middle, scale in zip(columns, means, scales, strict=True)
        ]
        if self.bias is not None:
            outputs = [
                [y + bias for y in column] for column, bias in zip(outputs, self.bias, strict=True)
            ]
        if across and averages is None:
            self._track_later(means, variances)
        elif self.training:
            self._track(means, variances, len(inputs))
        rows = [list(row) for row in zip(*outputs, strict=True)]
        return rows if batched else rows[0]

    def _check_batch(self, count: int, batched: bool) -> None:
        if count > 1:
            return
        reason = "" if self.training else " (it has no running averages)"
        given = "a batch of one" if batched else "one sample"
        hint = "; choose a batch size that leaves no last batch of one" if batched else ""
        raise ValueError(
            f"{called(self)} expected a batch of at least 2 samples in"
            f" {'training' if self.training else 'evaluation'}{reason}, got {given}: the variance"
            f" over one sample is 0, so that all inputs would give the same output{hint}"
        )

    def _running_averages(self) -> tuple[list[Any], list[Any]] | None:
        """Return means and variances for evaluation; None if there are no running averages."""
        if self.running_mean is None or self.running_var is None:
            return None
        untouched = not any(self.running_mean) and all(v == 1.0 for v in self.running_var)
        if not self.num_batches_tracked and untouched:
            raise RuntimeError(
                f"{called(self)} has seen no training batch yet, so it has no running averages to"
                " evaluate with: train the model, or call it once in training mode (model.train())"
            )
        return self.running_mean, self.running_var

    def _read_at_every_call(
        self, means: Sequence[float], variances: Sequence[float]
    ) -> tuple[list[Any], list[Any]]:
        """Return the running averages as Values, renewed whenever what is being recorded runs."""
        known = [*means, *variances]
        values = [Value(number, requires_grad=False) for number in known]

        def renewed() -> bool:
            averages = self._running_averages()
            if averages is None:
                return False
            now = [*averages[0], *averages[1]]
            if now != known:
                for value, number in zip(values, now, strict=True):
                    value.data = number
                known[:] = now
            return True

        lanes.depends(renewed)
        return values[: len(means)], values[len(means) :]

    def _track_later(self, means: Sequence[Any], variances: Sequence[Any]) -> None:
        """Look at the batch whenever what is being recorded runs, and track its statistics."""
        count: list[int] = []

        def begin(samples: int, size: int) -> list[list[float]]:
            self._check_batch(samples, True)
            count[:] = [samples]
            return [[]] * samples

        def end(*numbers: float) -> None:
            if self.training:
                half = len(numbers) // 2
                self._track(numbers[:half], numbers[half:], *count)

        lanes.fresh(0, begin)
        lanes.after(end, *means, *variances)

    def _track(self, means: Sequence[Any], variances: Sequence[Any], count: int) -> None:
        """Take a training batch into the running averages, as plain numbers."""
        if self.running_mean is None or self.running_var is None:
            return
        tracked = (self.num_batches_tracked or 0) + 1
        share = 1.0 / tracked if self.momentum is None else self.momentum
        unbiased = [_plain(variance) * count / (count - 1) for variance in variances]
        self.running_mean = [
            (1.0 - share) * old + share * _plain(new)
            for old, new in zip(self.running_mean, means, strict=True)
        ]
        self.running_var = [
            (1.0 - share) * old + share * new
            for old, new in zip(self.running_var, unbiased, strict=True)
        ]
        self.num_batches_tracked = tracked

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine},"
            f" bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _title(self) -> str:
        return f"{type(self).__name__}({self.num_features})"


def _plain(x: Any) -> float:
    """Return the number in a Value."""
    return x.data if isinstance(x, Value) else x


class LayerNorm(Module):
    """Layer normalisation: every sample with mean 0 and variance 1 over its features.

    (x - μ) / √(σ² + ε) · γ + β with the mean μ and the (biased) variance σ² of the sample's own
    numbers. Each sample stands for itself: nothing depends on the batch, and training and
    evaluation are the same.

    Parameters
    ----------
    normalized_shape : int, or list of int
        Number of features of a sample; for nested samples, the sizes of the last dimensions, over
        all of which the mean is taken.
    eps : float
        ε > 0, which keeps the quotient finite.
    elementwise_affine : bool
        Whether there are γ, which starts at 1, and β, which starts at 0.
    bias : bool
        Whether there is a β beside γ.

    Attributes
    ----------
    weight, bias : nested lists of Parameter, or None
        γ and β, in ``normalized_shape``.

    Raises
    ------
    TypeError, ValueError
        For a size below 1 or ε ≤ 0; when called, for samples of another shape.

    References
    ----------
    Ba, Kiros and Hinton, Layer Normalization, 2016.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html

    Examples
    --------
    >>> import nn
    >>> norm = nn.LayerNorm(4)
    >>> norm
    LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True), 8 parameters
    >>> [round(y.data, 3) for y in norm([1.0, 2.0, 3.0, 4.0])]
    [-1.342, -0.447, 0.447, 1.342]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        given = as_lists(normalized_shape)
        sizes = given if is_list(given) else [given]
        self.normalized_shape = tuple(size(s, f"{name}'s normalized_shape") for s in sizes)
        if not self.normalized_shape:
            raise ValueError(f"{name}'s normalized_shape expected at least one size, got none")
        self.eps = _positive(eps, f"{name}'s eps")
        self.elementwise_affine = flag(elementwise_affine, f"{name}'s elementwise_affine")
        flag(bias, f"{name}'s bias")
        shape = self.normalized_shape
        self.weight = _parameters(shape, 1.0) if elementwise_affine else None
        self.bias = _parameters(shape, 0.0) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """Return the normalised sample or batch, of the same shape."""
        x = as_lists(x)
        shape, wanted = shape_of(x, called(self)), self.normalized_shape
        if shape[-len(wanted) :] != wanted:
            raise ValueError(
                f"{called(self)} expected samples of shape {wanted}, got an input of shape {shape}"
            )
        gammas = None if self.weight is None else list(flat(self.weight))
        betas = None if self.bias is None else list(flat(self.bias))
        return self._each(x, len(shape) - len(wanted), gammas, betas)

    def _each(
        self, x: Any, above: int, gammas: Sequence[Any] | None, betas: Sequence[Any] | None
    ) -> Any:
        """Normalise what lies ``above`` dimensions further in."""
        if above:
            return [self._each(element, above - 1, gammas, betas) for element in as_lists(x)]
        wanted = f"{called(self)} expected numbers"
        numbers = [number_for(wanted, element) for element in flat(x)]
        middle = mean(numbers)
        spread = sqrt(var(numbers, correction=0) + self.eps)
        outputs = [(element - middle) / spread for element in numbers]
        if gammas is not None:
            outputs = [y * gamma for y, gamma in zip(outputs, gammas, strict=True)]
        if betas is not None:
            outputs = [y + beta for y, beta in zip(outputs, betas, strict=True)]
        if len(self.normalized_shape) == 1:
            return outputs
        following = iter(outputs)
        return elementwise(lambda _: next(following), x)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps},"
            f" elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )

    def _title(self) -> str:
        return f"{type(self).__name__}({'×'.join(map(str, self.normalized_shape))})"


def _parameters(shape: tuple[int, ...], start: float) -> Any:
    """Return Parameters in nested lists of a shape."""
    if not shape:
        return Parameter(start)
    return [_parameters(shape[1:], start) for _ in range(shape[0])]
