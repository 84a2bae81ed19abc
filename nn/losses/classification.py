"""Losses for K classes, labelled 0 to K - 1."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from autograd_lite import Value, dot, lanes, logsumexp, mean, total
from nn.losses.reduction import Loss, checked_weights
from nn.nested import as_lists, number_for, shape_of


class _Classes(Loss):
    """A loss of K numbers for each sample and the number of its class."""

    _numbers: str  # what the predictions are called in messages

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        name = type(self).__name__
        if isinstance(weight, str):
            raise TypeError(
                f"{name} expected a list of weights of the classes, got {weight!r}; write"
                f" reduction={weight!r}"
            )
        self.weight = None if weight is None else checked_weights(weight, f"{name}'s weight")
        try:
            self.ignore_index = index(ignore_index)
        except TypeError:
            raise TypeError(
                f"{name} expected a whole number for ignore_index, got"
                f" {type(ignore_index).__name__}: {ignore_index!r}"
            ) from None

    def extra_repr(self) -> str:
        extra = [] if self.weight is None else [f"weight={self.weight}"]
        if self.ignore_index != -100:
            extra.append(f"ignore_index={self.ignore_index}")
        return ", ".join([*extra, super().extra_repr()])

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the loss.

        Parameters
        ----------
        prediction : list of K numbers, or a batch of n such lists
        target : int from 0 to K - 1, or n of them
            Samples with the label ``ignore_index`` have no loss and no gradient.

        Returns
        -------
        Value
            For reduction "none" a list of n, one for each sample. The mean is that of the samples
            by the weights of their classes, Σ w l / Σ w; in a compiled function over all lanes. A
            float if nothing is a Value.

        Raises
        ------
        ValueError
            For one number in place of those of each class, samples of different sizes, another
            number of labels than of samples, labels out of range, another number of weights than
            K, the mean of samples that all are ignored or have weight 0.
        TypeError
            For predictions that are no numbers, and for labels that are not whole ones.
        """
        name = type(self).__name__
        rows, labels = as_lists(prediction), as_lists(target)
        shape, label_shape = shape_of(rows, name), shape_of(labels, name)
        if len(shape) not in (1, 2) or 0 in shape:
            raise ValueError(
                f"{name} expected a list of {self._numbers} for each sample of a batch, or for one"
                f" sample, got shape {shape}"
            )
        if len(shape) == 1 == len(label_shape) and shape == label_shape:
            raise ValueError(
                f"{name} expected a list of {self._numbers} for each sample, one for each class and"
                f" so at least two, got one number for each of {shape[0]} labels; a model with one"
                " output takes BCEWithLogitsLoss or LogisticLoss"
            )
        if label_shape != shape[:-1]:
            raise ValueError(
                f"{name} expected one label for each sample, shape {shape[:-1]} for"
                f" {self._numbers} of shape {shape}, got labels of shape {label_shape}"
            )
        if self.weight is not None and len(self.weight) != shape[-1]:
            raise ValueError(
                f"{name} expected samples of {len(self.weight)} {self._numbers}, one for each"
                f" weight, got {shape[-1]}"
            )
        if len(shape) == 1:
            rows, labels = [rows], [labels]
        classes = [self._class(label, shape[-1], i) for i, label in enumerate(labels)]
        wanted = f"{name} expected numbers as {self._numbers}"
        samples = [[number_for(wanted, x) for x in as_lists(row)] for row in rows]
        losses = list(map(self._unless_ignored, samples, classes))
        if self.reduction != "mean":
            return self._reduced(losses, label_shape)
        if lanes.tracing() and any(isinstance(y, Value) for y in labels):
            return self._mean_over_lanes(losses, classes, shape[-1])
        kept = [y for y in classes if y is not None]
        if self.weight is None and len(kept) == len(classes):
            return mean(losses)
        whole = float(sum(map(self._weight_of, kept)))
        self._check_whole(whole)
        return total(losses) / whole

    def _check_whole(self, whole: float) -> None:
        if whole == 0.0:
            raise ValueError(
                f"{type(self).__name__} expected a sample to take the mean of, got labels that all"
                " are to be ignored or have weight 0"
            )

    def _weight_of(self, label: Any) -> Any:
        return 1.0 if self.weight is None else _chosen(self.weight, label)

    def _unless_ignored(self, sample: Sequence[Any], label: Any) -> Any:
        if label is None:
            return _nothing(sample)
        loss = self._of_sample(sample, label)
        if isinstance(label, Value) and 0 <= self.ignore_index < len(sample):
            return lanes.pick(_all_but_one(loss, self.ignore_index, len(sample)), label)
        return loss

    def _mean_over_lanes(self, losses: list[Any], labels: list[Any], count: int) -> Any:
        """Return the mean where the samples of a batch are the lanes of a program."""
        if any(y is None for y in labels):
            raise ValueError(
                f"{type(self).__name__} expected, in a compiled function, an ignore_index from 0 to"
                f" {count - 1}, as samples cannot be left out of the mean otherwise, got the label"
                f" {self.ignore_index}, which is to be ignored"
            )
        ignores = 0 <= self.ignore_index < count
        if self.weight is None and not ignores:
            return mean(losses)
        weights = [self._weight_of(k) for k in range(count)]
        if ignores:
            weights[self.ignore_index] = 0.0
        whole = lanes.mean(total([_chosen(weights, y) for y in labels]))
        lanes.after(self._check_whole, whole)
        return lanes.mean(total(losses)) / whole

    def _of_sample(self, numbers: Sequence[Any], label: Any) -> Any:
        """Return the loss of one sample, times the weight of its class."""
        raise NotImplementedError

    def _class(self, label: Any, count: int, position: int) -> Any:
        """Return the number of a class, None if it is to be ignored, or say what is wrong.

        In a recording the number is a Value, and all classes have the recording in common.
        """
        name = type(self).__name__
        if _is_recorded(label) and 0 <= label < count:
            return label
        try:
            number_of_class = index(label)
        except TypeError:
            raise TypeError(
                f"{name} expected whole numbers as labels, got {type(label).__name__} at position"
                f" {position}: {label!r}"
            ) from None
        if number_of_class == self.ignore_index:
            return None
        if not 0 <= number_of_class < count:
            raise ValueError(
                f"{name} expected labels from 0 to {count - 1}, got {label!r} at position"
                f" {position}"
            )
        return number_of_class


def _nothing(sample: Sequence[Any]) -> Any:
    """Return 0, as a Value where the sample has some, that depends on nothing in it."""
    return Value(0.0) if any(isinstance(x, Value) for x in sample) else 0.0


def _chosen(options: Sequence[Any], label: Any) -> Any:
    """Return the option with the number ``label``, which is a Value in a recording."""
    return lanes.pick(options, label) if isinstance(label, Value) else options[label]


def _differences_to_any(numbers: Sequence[Any], chosen: Any, label: Any) -> list[Any]:
    """Return all z_k - z_y, where that of z_y itself is a 0 without a gradient whatever y is."""
    differences = [z - chosen for z in numbers]
    count = len(differences)
    if count == 1:
        return differences
    return [lanes.pick(_all_but_one(d, k, count), label) for k, d in enumerate(differences)]


def _all_but_one(x: Any, one: int, count: int) -> list[Any]:
    """Return x as often as there are classes, but 0 for one of them."""
    options = [x] * count
    options[one] = 0.0
    return options


def _is_recorded(label: Any) -> bool:
    """Tell whether this is a whole number of a recording, another one in every lane."""
    return isinstance(label, Value) and hasattr(label, "__index__")


class NLLLoss(_Classes):
    """-x[y] for K log-probabilities x and a class y from 0 to K - 1, averaged.

    What follows a `LogSoftmax`. With weights the mean is Σ w[y] l / Σ w[y], as in PyTorch.

    Parameters
    ----------
    weight : list of K numbers, optional
        Factors of the classes, finite and at least 0.
    ignore_index : int
        A label whose samples do not count.
    reduction : "mean", "sum" or "none"

    See Also
    --------
    CrossEntropyLoss : the same from logits, more accurate.

    Examples
    --------
    >>> import nn
    >>> nn.NLLLoss()([[-0.5, -1.0], [-2.0, -0.25]], [0, 0])
    1.25
    >>> nn.NLLLoss(weight=[1.0, 3.0])([[-0.5, -1.0], [-2.0, -0.25]], [0, 1])
    0.3125
    """

    _numbers = "log-probabilities"

    def _of_sample(self, numbers: Sequence[Any], label: Any) -> Any:
        return _chosen(numbers, label) * -self._weight_of(label)


class CrossEntropyLoss(_Classes):
    """Softmax cross-entropy -log softmax(z)[y] for K logits z and a class y from 0 to K - 1.

    The negative log-likelihood of a categorical variable with probabilities softmax(z), averaged.
    Computed as log Σ exp(z_k - z_y), the term k = y being 1, so that a loss near 0 keeps its
    digits and logits of ±1000 do no harm. With weights the mean is Σ w[y] l / Σ w[y], as in
    PyTorch. (Some lectures count classes from 1.)

    Parameters
    ----------
    weight : list of K numbers, optional
        Factors of the classes, finite and at least 0.
    ignore_index : int
        A label whose samples do not count.
    reduction : "mean", "sum" or "none"
    label_smoothing : float
        ε from 0 to 1: the loss becomes (1 - ε) w[y] l[y] + ε/K Σ w[k] l[k] with
        l[k] = -log softmax(z)[k]. Szegedy et al., Rethinking the Inception Architecture, 2016.

    Raises
    ------
    ValueError, TypeError
        For weights or a smoothing that are not as said, another reduction.

    Examples
    --------
    >>> import nn
    >>> from autograd_lite import Value
    >>> z = [Value(0.0), Value(0.0)]
    >>> loss = nn.CrossEntropyLoss()(z, 1)
    >>> loss.backward()
    >>> round(loss.data, 6), [v.grad for v in z]
    (0.693147, [0.5, -0.5])
    >>> nn.CrossEntropyLoss()([[1000.0, -1000.0], [-1000.0, 1000.0]], [0, 0])
    1000.0
    >>> nn.CrossEntropyLoss(label_smoothing=0.1)([1000.0, -1000.0], 0)
    100.0
    """

    _numbers = "logits"

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        wanted = "CrossEntropyLoss expected a number for label_smoothing"
        self.label_smoothing = float(number_for(wanted, label_smoothing))
        if not 0.0 <= self.label_smoothing <= 1.0:
            raise ValueError(
                f"CrossEntropyLoss expected label_smoothing from 0 to 1, got {label_smoothing!r}"
            )

    def extra_repr(self) -> str:
        extra = super().extra_repr()
        smoothing = self.label_smoothing
        return f"{extra}, label_smoothing={smoothing}" if smoothing else extra

    def _of_sample(self, numbers: Sequence[Any], label: Any) -> Any:
        chosen = _chosen(numbers, label)
        count = len(numbers)
        if isinstance(label, Value):
            differences = _differences_to_any(numbers, chosen, label)
        else:
            # What is known to be 0 needs no node, unless the loss of a single class hung on it.
            differences = [
                0.0 if k == label and count > 1 else z - chosen for k, z in enumerate(numbers)
            ]
        loss = logsumexp(differences)
        if not self.label_smoothing:
            weight = self._weight_of(label)
            return loss if weight.__class__ is float and weight == 1.0 else loss * weight
        if not isinstance(label, Value):
            shares = self._shares(label, count)
            return loss * float(sum(shares)) - dot(differences, shares)
        tables = [self._shares(y, count) for y in range(count)]
        columns = [lanes.pick(column, label) for column in zip(*tables, strict=True)]
        whole = lanes.pick([float(sum(table)) for table in tables], label)
        return loss * whole - dot(differences, columns)

    def _shares(self, label: int, count: int) -> list[float]:
        """Return what l[0], l[1], … are multiplied by for a label."""
        shares = [self.label_smoothing / count * self._weight_of(k) for k in range(count)]
        shares[label] += (1.0 - self.label_smoothing) * self._weight_of(label)
        return shares
