"""Measured data that come with scikit-learn, which has to be installed. Nothing is downloaded.

Inputs are in the units of the measurement, which differ by orders of magnitude between columns:
see `standardise`.
"""

from __future__ import annotations

from typing import Any

from nn.data.samples import Dataset


def _loaded(what: str, loader: str, **options: Any) -> tuple[Any, Any]:
    """Return the arrays of one of scikit-learn's sets."""
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{what} with scikit-learn, which is not installed: pip install "autograd-lite[data]"',
            name=error.name,
        ) from error
    return getattr(datasets, loader)(return_X_y=True, **options)


def digits() -> Dataset:
    """Return 1797 handwritten digits, from scikit-learn, which has to be installed.

    Returns
    -------
    Dataset
        1797 images of 8 × 8 pixels, each a list of 64 numbers from 0 (background) to 1 (ink) in
        reading order, and the labels 0 to 9.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed; the message says how to install it.

    References
    ----------
    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998 (its test part). https://doi.org/10.24432/C50P49

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.digits()
    >>> len(inputs), len(inputs[0]), max(map(max, inputs)), targets[:10]
    (1797, 64, 1.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    pixels, labels = _loaded("digits come", "load_digits")
    return Dataset((pixels / 16.0).tolist(), labels.tolist())


def iris() -> Dataset:
    """Return measurements of 150 irises of three species, from scikit-learn.

    Returns
    -------
    Dataset
        150 samples of 4 lengths in cm: length and width of the sepals, of the petals; labels 0
        (setosa), 1 (versicolor), 2 (virginica), 50 of each, in this order.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed; the message says how to install it.

    References
    ----------
    R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936.

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.iris()
    >>> len(inputs), inputs[0], targets.count(2)
    (150, [5.1, 3.5, 1.4, 0.2], 50)
    """
    inputs, labels = _loaded("iris comes", "load_iris")
    return Dataset(inputs.tolist(), labels.tolist())


def wine() -> Dataset:
    """Return chemical analyses of 178 wines of three growers, from scikit-learn.

    Returns
    -------
    Dataset
        178 samples of 13 quantities, from alcohol in % to proline; labels 0, 1 and 2, of 59, 71
        and 48 wines, in this order.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed; the message says how to install it.

    References
    ----------
    S. Aeberhard, M. Forina, "Wine", UCI Machine Learning Repository, 1992.
    https://doi.org/10.24432/C5PC7J

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.wine()
    >>> len(inputs), len(inputs[0]), [targets.count(label) for label in range(3)]
    (178, 13, [59, 71, 48])
    """
    inputs, labels = _loaded("wine comes", "load_wine")
    return Dataset(inputs.tolist(), labels.tolist())


def breast_cancer() -> Dataset:
    """Return measurements of the cell nuclei of 569 breast tumours, from scikit-learn.

    Returns
    -------
    Dataset
        569 samples of 30 numbers: mean, standard error and largest of 10 measures of the nuclei
        in an image; labels 0 (malignant, 212) and 1 (benign, 357).

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed; the message says how to install it.

    References
    ----------
    W. Wolberg, O. Mangasarian, N. Street, W. Street, "Breast Cancer Wisconsin (Diagnostic)", UCI
    Machine Learning Repository, 1993. https://doi.org/10.24432/C5DW2B

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.breast_cancer()
    >>> len(inputs), len(inputs[0]), targets.count(0), targets.count(1)
    (569, 30, 212, 357)
    """
    inputs, labels = _loaded("breast cancer data come", "load_breast_cancer")
    return Dataset(inputs.tolist(), labels.tolist())


def diabetes() -> Dataset:
    """Return how diabetes went on in 442 patients, a task of regression, from scikit-learn.

    Returns
    -------
    Dataset
        442 samples of 10 numbers: age in years, sex (1 or 2), body mass index, mean blood pressure,
        and six measurements of blood serum; as targets a measure of the disease's progress a year
        later, from 25 to 346. (scikit-learn itself scales the inputs, with statistics of all
        patients, which a test part should not have touched.)

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed; the message says how to install it.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least Angle Regression", 2004.

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.diabetes()
    >>> len(inputs), inputs[0][:3], targets[0]
    (442, [59.0, 2.0, 32.1], 151.0)
    """
    inputs, progress = _loaded("diabetes data come", "load_diabetes", scaled=False)
    return Dataset(inputs.tolist(), progress.tolist())
