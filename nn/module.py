"""`Module`, what every network is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from typing import Any, Self

from autograd_lite import Value, lanes, scope
from nn.gradients import zero_gradients
from nn.parameter import Parameter as Parameter
from nn.traversal import Tree, elements_of, name_in_owner, path_of


def flag(given: Any, what: str) -> bool:
    """Return True or False, or say what was given instead."""
    if not isinstance(given, bool):
        raise TypeError(f"{what} expected True or False, got {type(given).__name__}: {given!r}")
    return given


def refuse_class(given: Any, what: str) -> None:
    """Say how to make a module where its class is given, or that another class is none."""
    if isinstance(given, type):
        package = "nn." if given.__module__.startswith("nn.") else ""
        hint = f"; write {package}{given.__name__}()" if issubclass(given, Module) else ""
        raise TypeError(f"{what}, got the class {given.__name__}{hint}")


class Module(Tree):
    """A part of a network: it holds parameters and other modules, and computes in `forward`.

    Parameters and modules are found among the attributes, also inside lists, tuples, dicts and
    NumPy object arrays of any nesting, in the order in which they were set. Nothing has to be
    registered, and calling ``super().__init__()`` is not necessary. Sets of them are refused, a
    TypeError, once they are looked for: sets have no order to name and train them in. A plain Value
    is not a parameter; a module that keeps plain Values may override `parameters`.

    Calling a module calls `forward` and records what happens there under the module's name (see
    `autograd_lite.scope`), so that pictures show the parts of a network. The names are those of
    `named_modules` for the module that is called first; modules added after that have none.
    Parameters without a label get theirs too: that of `named_parameters`.

    Attributes
    ----------
    training : bool
        True at first; set by `train` and `eval`.

    Examples
    --------
    >>> import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc1 = nn.Linear(4, 3)
    ...         self.relu = nn.ReLU()
    ...         self.fc2 = nn.Linear(3, 2)
    ...
    ...     def forward(self, x):
    ...         return self.fc2(self.relu(self.fc1(x)))
    >>> net = Net()
    >>> net
    Net, 23 parameters
      fc1: Linear(in_features=4, out_features=3, bias=True), 15 parameters
      relu: ReLU()
      fc2: Linear(in_features=3, out_features=2, bias=True), 8 parameters
    >>> len(net([1.0, 2.0, 3.0, 4.0]))
    2
    >>> [name for name, _ in net.named_parameters()][:2]
    ['fc1.weight[0][0]', 'fc1.weight[0][1]']
    """

    training: bool = True
    _only_holds: bool = False  # others, and is never called itself
    _scope_name: str | None = None
    _scope_title: str = ""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. To be written by every module that is called."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); write one to call it")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self._scope_name
        if name is None:
            name = self._give_names()
        if lanes.tracing():
            lanes.depends(self._recorded_with())
        if not name:
            return self.forward(*args, **kwargs)
        with scope(name, title=self._scope_title):
            return self.forward(*args, **kwargs)

    def _recorded_with(self) -> Callable[[], bool]:
        """Return what tells whether all is as now that a recording takes as it is.

        Those are settings and parts; buffers are numbers that modules have read at every call.
        """
        held = vars(self).items()
        others = (*self._buffer_names, "_scope_name", "_scope_title")
        names = [name for name, x in held if _is_setting(x) and name not in others]
        read = attrgetter("training", *names)
        found = read(self)
        return lambda: bool(read(self) == found)

    def _give_names(self) -> str:
        """Name all modules below as their owners do, and this one, the root, not at all."""
        roots = [""]  # paths of modules that have named what is below them before
        holders: dict[str, str] = {}  # names of what is never called, so opens no scope, by path
        for _, owner, keys, thing in self._walk_in_rows(parameters=False):
            if isinstance(thing, Module):
                path = path_of(owner, keys, thing)
                if thing._scope_name == "":
                    roots.append(f"{path}.")
                name = name_in_owner(keys, thing)
                thing._scope_name = f"{holders[owner]}.{name}" if owner in holders else name
                if thing._only_holds:
                    holders[path] = thing._scope_name
                thing._scope_title = thing._title()
        self._scope_name = ""
        for path, parameter in self.named_parameters():
            label = parameter.label
            if not label or any(label == path.removeprefix(root) for root in roots):
                parameter.label = path  # a label of the user's own stays
        return ""

    def _title(self) -> str:
        """Return what stands over the module in pictures."""
        return type(self).__name__

    # -- what a module holds --------------------------------------------------------------------

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield this module (as ``""``) and all below it, each once, with their paths.

        Examples
        --------
        >>> import nn
        >>> [name for name, _ in nn.MLP(2, [1]).named_modules()]
        ['', 'layers.0', 'layers.0.neurons.0']
        """
        yield "", self
        for _, owner, keys, thing in self._walk_in_rows(parameters=False):
            if isinstance(thing, Module):
                yield path_of(owner, keys, thing), thing

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        yield self
        for _, _, _, thing in self._walk_in_rows(parameters=False):
            if isinstance(thing, Module):
                yield thing

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules that this one holds itself, each once, with their names.

        Those in lists, tuples and dicts count, as ``layers.0``; what is in the modules does not.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.MLP(2, [3, 1]), nn.Sigmoid())
        >>> [name for name, _ in model.named_children()]
        ['0', '1']
        >>> [name for name, _ in model[0].named_children()]
        ['layers.0', 'layers.1']
        """
        for _, _, keys, thing in self._walk_in_rows(deep=False, parameters=False):
            if isinstance(thing, Module):
                yield name_in_owner(keys, thing), thing

    def children(self) -> Iterator[Module]:
        """Yield the modules that this one holds itself, each once.

        Examples
        --------
        >>> import nn
        >>> list(nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).children())
        [ReLU(), Sequential()
          0: Tanh()]
        """
        for _, module in self.named_children():
            yield module

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        """Yield every buffer (see `register_buffer`) here and below once, with its path.

        A list is the buffer itself, a number what it is now. Buffers that are None are left out.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Linear(3, 1), nn.BatchNorm1d(1))
        >>> list(model.named_buffers())  # doctest: +NORMALIZE_WHITESPACE
        [('1.running_mean', [0.0]), ('1.running_var', [1.0]), ('1.num_batches_tracked', 0)]
        """
        for path, module in self.named_modules():
            for name in module._buffer_names:
                buffer = getattr(module, name, None)
                if buffer is not None:
                    yield f"{path}.{name}" if path else name, buffer

    def buffers(self) -> Iterator[Any]:
        """Yield every buffer here and below once; see `named_buffers`.

        Examples
        --------
        >>> import nn
        >>> list(nn.BatchNorm1d(2).buffers())
        [[0.0, 0.0], [1.0, 1.0], 0]
        """
        for _, buffer in self.named_buffers():
            yield buffer

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield every parameter once, with its path, in the order of definition.

        Names join attributes with dots; positions in lists of parameters stand in brackets.
        Parameters from an overridden `parameters` are called ``parameters[0]``, ``…[1]``.

        Examples
        --------
        >>> import nn
        >>> [name for name, _ in nn.MLP(2, [1]).named_parameters()]
        ['layers.0.neurons.0.w[0]', 'layers.0.neurons.0.w[1]', 'layers.0.neurons.0.b']
        """
        if _overrides_parameters(self):
            for position, parameter in enumerate(self.parameters()):
                yield f"parameters[{position}]", parameter
            return
        seen: set[int] = set()
        for _, owner, keys, thing in self._walk():
            path = path_of(owner, keys, thing)
            named: list[tuple[str, Value]] = []
            if not isinstance(thing, Module):
                named = [(path, thing)]
            elif _overrides_parameters(thing):
                named = [(f"{path}.{name}", p) for name, p in thing.named_parameters()]
            for name, parameter in named:
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield name, parameter

    def parameters(self) -> list[Value]:
        """Return every parameter of this module and those below it, each once.

        Examples
        --------
        >>> import nn
        >>> len(nn.MLP(2, [16, 16, 1]).parameters())
        337
        """
        found: dict[int, Value] = {}
        for _, _, _, thing in self._walk_in_rows():
            met: Collection[Any] = ()
            if isinstance(thing, Parameter):
                met = (thing,)
            elif not isinstance(thing, Module):
                met = elements_of(thing)
            elif _overrides_parameters(thing):
                met = tuple(thing.parameters())
            found.update(zip(map(id, met), met, strict=True))
        return list(found.values())

    # -- what can be done with them -------------------------------------------------------------

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call a function with every module: those below first, this one last, each once.

        Parameters
        ----------
        fn : callable
            A function of a module, such as one that initialises its weights. What it returns is
            not used.

        Returns
        -------
        Module
            This one.

        Raises
        ------
        TypeError
            If ``fn`` cannot be called.

        Examples
        --------
        >>> import nn
        >>> def start(module):
        ...     if isinstance(module, nn.Linear):
        ...         nn.init.xavier_uniform_(module.weight, seed=0)
        ...         nn.init.constant_(module.bias, 0.01)
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).apply(start)
        >>> [b.data for b in model[0].bias]
        [0.01, 0.01, 0.01]
        """
        if not callable(fn):
            raise TypeError(
                f"{type(self).__name__}.apply expected a function of a module, got"
                f" {type(fn).__name__}: {fn!r}"
            )
        order: list[Module] = []
        waiting: list[tuple[int, Module]] = [(0, self)]  # owners, till what they hold is through
        for depth, _, _, thing in self._walk_in_rows(parameters=False):
            if isinstance(thing, Module):
                while waiting[-1][0] >= depth:
                    order.append(waiting.pop()[1])
                waiting.append((depth, thing))
        for module in [*order, *(module for _, module in reversed(waiting))]:
            fn(module)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set ``requires_grad`` of all parameters here and below; return the module.

        With False they are frozen: `backward` gives them no gradient, and optimisers leave them.

        Raises
        ------
        TypeError
            If ``requires_grad`` is not True or False.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> _ = model[0].requires_grad_(False)
        >>> sum(p.requires_grad for p in model.parameters())
        4
        """
        flag(requires_grad, f"{type(self).__name__}.requires_grad_")
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters back to 0.0.

        Parameters
        ----------
        set_to_none : bool
            Accepted as in PyTorch, without effect: a gradient is 0.0 and no longer
            `Value.reached` afterwards either way, and an optimiser leaves such parameters alone.
        """
        flag(set_to_none, f"{type(self).__name__}.zero_grad's set_to_none")
        zero_gradients(self.parameters())

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules below; return the module."""
        flag(mode, "train")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to inference: ``train(False)``."""
        return self.train(False)

    # -- how it looks ---------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what stands in the parentheses of ``repr``, such as the sizes.

        A module that describes itself here is shown in one line, without what is in it.
        """
        return ""

    def __repr__(self) -> str:
        lines = [_headline(self)]
        shapes: dict[tuple[str, str], tuple[int, list[tuple[Any, ...]]]] = {}
        shown_to = 0 if self.extra_repr() else float("inf")
        for depth, owner, (attribute, *positions), thing in self._walk():
            if depth > shown_to:
                continue
            shown_to = float("inf")
            indent = "  " * depth
            if isinstance(thing, Module):
                name = name_in_owner((attribute, *positions), thing)
                lines.append(f"{indent}{name}: {_headline(thing)}")
                if thing.extra_repr():
                    shown_to = depth
            else:
                line, found = shapes.setdefault((owner, attribute), (len(lines), []))
                if not found:
                    lines.append(
                        f"{indent}{attribute}: {'parameters' if positions else 'parameter'}"
                    )
                found.append(tuple(positions))
        for line, found in shapes.values():
            sizes = " × ".join(str(len(set(column))) for column in zip(*found, strict=False))
            lines[line] += f" of shape {sizes}" if sizes else ""
        return "\n".join(lines)


_PLAIN = (bool, int, float, str, type(None))


def _is_setting(held: Any) -> bool:
    """Tell whether an attribute is a setting, or a part that could be exchanged for another."""
    if isinstance(held, list | tuple):
        return all(isinstance(element, _PLAIN) for element in held)
    return isinstance(held, _PLAIN) or callable(held)


def _overrides_parameters(module: Module) -> bool:
    return type(module).parameters is not Module.parameters


def _headline(module: Module) -> str:
    """Return a module's class, sizes and number of parameters in one line."""
    count = len(module.parameters())
    noun = "parameter" if count == 1 else "parameters"
    extra = module.extra_repr()
    # A module without sizes and parts, such as ReLU(), is shown as the call that makes it.
    name = type(module).__name__ + (f"({extra})" if extra or not count else "")
    return f"{name}, {count} {noun}" if count else name
