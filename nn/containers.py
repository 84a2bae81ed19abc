"""Modules that put others together, or their outputs in another shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from nn.inputs import called
from nn.module import Module, refuse_class
from nn.nested import LISTS, as_lists, checked_dimension, dimension, number_for, shape_of


def _check_module(given: Any, owner: str, where: str = "") -> None:
    """Refuse what cannot be called, and classes."""
    refuse_class(given, f"{owner} expected modules{where}")
    if not callable(given):
        raise TypeError(f"{owner} expected modules, got {type(given).__name__}{where}: {given!r}")


class _Modules(Module):
    """Modules in an order, each an attribute: "0", "1", … as in PyTorch, or of another name."""

    _names: tuple[str, ...] = ()

    def append(self, module: Any) -> Self:
        """Add a module at the end; return what it was added to.

        Raises
        ------
        TypeError
            For what cannot be called, and for a class.
        """
        self._add(str(len(self._names)), module)
        return self

    def _add(self, name: Any, module: Any) -> None:
        owner = type(self).__name__
        if not isinstance(name, str):
            raise TypeError(f"{owner} expected text as names, got {type(name).__name__}: {name!r}")
        named = "" if name == str(len(self._names)) else f", {name!r}"
        _check_module(module, owner, f" at position {len(self._names)}{named}")
        if not name or "." in name:
            raise ValueError(f"{owner} expected names without dots, got {name!r}")
        if hasattr(self, name):
            raise ValueError(f"{owner} expected a new name, got {name!r}, which is an attribute")
        setattr(self, name, module)
        self._names = (*self._names, name)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self._names)

    def __getitem__(self, position: int | slice) -> Any:
        """Return one module, or for a slice several: names stay, but positions are new."""
        chosen = self._names[position]
        if isinstance(chosen, str):
            return getattr(self, chosen)
        # A subclass may take other arguments.
        part: _Modules = Sequential() if isinstance(self, Sequential) else ModuleList()
        for name in chosen:
            part._add(str(len(part)) if name.isdecimal() else name, getattr(self, name))
        return part


class Sequential(_Modules):
    """Modules behind each other: the output of one is the input of the next.

    Parameters
    ----------
    *modules : Module
        Any callables will do; those that are modules bring their parameters. Or one dict, such as
        an OrderedDict, of names and modules, which then are attributes of those names.

    Raises
    ------
    TypeError
        For anything else, also for a class (``nn.ReLU`` instead of ``nn.ReLU()``).
    ValueError
        If a name is empty, has a dot, or is that of another attribute.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1), nn.Flatten(0, 1))
    >>> model
    Sequential, 22 parameters
      0: Linear(in_features=5, out_features=3, bias=True), 18 parameters
      1: ReLU()
      2: Linear(in_features=3, out_features=1, bias=True), 4 parameters
      3: Flatten(start_dim=0, end_dim=1)
    >>> len(model), model[1]
    (4, ReLU())
    >>> named = nn.Sequential({"fc": nn.Linear(2, 1), "squash": nn.Tanh()})
    >>> named.squash, list(named.state_dict())
    (Tanh(), ['fc.weight', 'fc.bias'])
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self._add(name, module)
        else:
            for module in modules:
                self.append(module)

    def forward(self, x: Any) -> Any:
        """Pass a sample or a batch through all modules."""
        for module in self:
            x = module(x)
        return x


class ModuleList(_Modules):
    """A list of modules that is one itself: it has parameters, but is not called.

    A plain list of modules as an attribute serves as well, since a `Module` looks into lists; names
    of parameters and in pictures are the same for both.

    Parameters
    ----------
    modules : iterable of Module, optional

    Raises
    ------
    TypeError
        For what cannot be called, and for a class (``nn.ReLU`` instead of ``nn.ReLU()``).

    Examples
    --------
    >>> import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    ...
    ...     def forward(self, x):
    ...         for layer in self.layers:
    ...             x = layer(x)
    ...         return x
    >>> net = Net()
    >>> len(net.layers), len(net.layers.parameters())
    (3, 18)
    >>> list(net.state_dict())[:2]
    ['layers.0.weight', 'layers.0.bias']
    """

    _only_holds = True

    def __init__(self, modules: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def extend(self, modules: Iterable[Any]) -> Self:
        """Add modules at the end; return the list.

        Raises
        ------
        TypeError
            If they are not in a list or the like, or one is no module; those before it are added.

        Examples
        --------
        >>> import nn
        >>> len(nn.ModuleList([nn.ReLU()]).extend([nn.Tanh(), nn.ReLU()]))
        3
        """
        if isinstance(modules, Module | Mapping | str) or not isinstance(modules, Iterable):
            raise TypeError(
                f"ModuleList expected a list of modules, got {type(modules).__name__}: {modules!r}"
            )
        for module in modules:
            self.append(module)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to be called: what a list does with its modules is for its owner to say."""
        raise NotImplementedError(
            "ModuleList cannot be called; call its modules one by one, or use nn.Sequential"
        )


class Residual(Module):
    """A residual connection: x + module(x).

    The gradient reaches what comes before along the sum too, undiminished, also where the module's
    own gradient is 0, as that of a dead ReLU.

    Parameters
    ----------
    module : Module
        Its outputs must have the shape of its inputs.
    shortcut : Module, optional
        Applied to x before the addition, where sizes differ: shortcut(x) + module(x).

    Raises
    ------
    TypeError
        If ``module`` or ``shortcut`` cannot be called, or is a class.
    ValueError
        When called, if what is added differs in shape.

    References
    ----------
    He et al., Deep Residual Learning for Image Recognition, 2016.

    Examples
    --------
    >>> import nn
    >>> nn.Residual(nn.ReLU())([-2.0, 3.0])
    [-2.0, 6.0]
    >>> nn.Residual(nn.Linear(3, 2), shortcut=nn.Linear(3, 2, bias=False))
    Residual, 14 parameters
      module: Linear(in_features=3, out_features=2, bias=True), 8 parameters
      shortcut: Linear(in_features=3, out_features=2, bias=False), 6 parameters
    """

    def __init__(self, module: Any, *, shortcut: Any = None) -> None:
        super().__init__()
        _check_module(module, "Residual")
        if shortcut is not None:
            _check_module(shortcut, "Residual's shortcut")
        self.module = module
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        """Return the sum, in the shape of the module's output."""
        passed = x if self.shortcut is None else self.shortcut(x)
        changed = self.module(x)
        name = called(self)
        given, wanted = shape_of(changed, name), shape_of(passed, name)
        if given != wanted:
            whose = "the input" if self.shortcut is None else "the shortcut's output"
            hint = "; pass shortcut= to change the input" if self.shortcut is None else ""
            raise ValueError(
                f"{name} expected its module's output in the shape of {whose}, {wanted}, got"
                f" {given}{hint}"
            )
        return _sum(passed, changed, f"{name} expected numbers")


def _sum(a: Any, b: Any, wanted: str) -> Any:
    """Add nested lists of one shape element by element."""
    a, b = as_lists(a), as_lists(b)
    if isinstance(a, LISTS):
        return [_sum(x, y, wanted) for x, y in zip(a, b, strict=True)]
    return number_for(wanted, a) + number_for(wanted, b)


class Flatten(Module):
    """Joins nested dimensions into one, as in PyTorch.

    Parameters
    ----------
    start_dim, end_dim : int
        First and last of the dimensions to join; negative ones count from the end. By default all
        but the first, which is the batch.

    Raises
    ------
    TypeError
        If one of them is no whole number.
    IndexError
        When called, if the input has no such dimension.
    ValueError
        When called, if samples differ in size, or start_dim comes after end_dim.

    Examples
    --------
    >>> import nn
    >>> nn.Flatten()([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
    >>> nn.Flatten(0, 1)([[1.0], [2.0]])
    [1.0, 2.0]
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = checked_dimension("Flatten's start_dim", start_dim)
        self.end_dim = checked_dimension("Flatten's end_dim", end_dim)

    def forward(self, x: Any) -> Any:
        """Return the same numbers with the dimensions joined."""
        dimensions = len(shape_of(x, "Flatten"))
        if dimensions == 0:
            return [x]
        start = dimension("Flatten", self.start_dim, dimensions)
        end = dimension("Flatten", self.end_dim, dimensions)
        if start > end:
            raise ValueError(
                f"Flatten expected start_dim not to come after end_dim, got {self.start_dim} and"
                f" {self.end_dim} for an input of {dimensions} dimensions"
            )
        for _ in range(end - start):
            x = _joined(x, start)
        return as_lists(x)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


def _joined(x: Any, at: int) -> list[Any]:
    """Join the dimension ``at`` with the one in it."""
    if at > 0:
        return [_joined(element, at - 1) for element in as_lists(x)]
    return [inner for element in as_lists(x) for inner in as_lists(element)]
