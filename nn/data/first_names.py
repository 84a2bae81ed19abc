"""First names to learn spelling from; they come with this package."""

from __future__ import annotations


def names() -> list[str]:
    """Return 1,000 common first names from many cultures, written for this package.

    Returns
    -------
    list of str
        In alphabetical order, each once, in the letters a to z: names of other alphabets and with
        accents as they are usually written without. 3 to 12 letters, 5.6 on average.

    Notes
    -----
    Written down as material for models that learn to spell: more from English than from any other
    language, some from most regions of the world. They say nothing about how frequent a name is.

    Examples
    --------
    >>> from nn import data
    >>> names = data.names()
    >>> len(names), names[:5]
    (1000, ['abeer', 'abel', 'abena', 'abhishek', 'ada'])
    >>> sum(map(len, names))
    5592
    """
    from importlib.resources import files

    return files("nn.data").joinpath("first_names.txt").read_text(encoding="utf-8").split()
