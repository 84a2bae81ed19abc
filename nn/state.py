"""The state of a model: its parameters and buffers as plain numbers, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from reprlib import repr as shortened
from typing import Any, NamedTuple

from autograd_lite import Value
from nn.nested import LISTS, as_lists, number_for
from nn.parameter import Parameter

Shape = tuple[int, ...]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it had no place for.

    Attributes
    ----------
    missing_keys : list of str
        Arrays of the model that the state lacks.
    unexpected_keys : list of str
        Arrays of the state that the model lacks.
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


class ParameterArray(NamedTuple):
    """Parameters that lie in nested lists of one shape, or a single one.

    Attributes
    ----------
    values : Value, or nested lists of them
    """

    values: Any

    def read(self) -> Any:
        """Return the numbers, in lists of their own."""
        return _data(self.values)

    def converted(self, name: str, given: Any) -> Any:
        """Return what was given as nested lists of floats."""
        return _floats(name, given)

    def write(self, numbers: Any) -> None:
        """Set the parameters to floats in lists of the same shape."""
        for parameter, number in zip(_leaves(self.values), _leaves(numbers), strict=True):
            parameter.data = number


class Buffer(NamedTuple):
    """A buffer: an attribute of a module.

    Attributes
    ----------
    module : Stateful
    attribute : str
    """

    module: Stateful
    attribute: str

    def read(self) -> Any:
        """Return the numbers, in lists of their own."""
        return _buffered(self.attribute, getattr(self.module, self.attribute))

    def converted(self, name: str, given: Any) -> Any:
        """Return what was given as nested lists of floats, as an int where an int is now."""
        numbers = _floats(name, given)
        if isinstance(self.read(), int) and isinstance(numbers, float):
            if not numbers.is_integer():
                raise ValueError(f"{name} expected a whole number, got {numbers!r}")
            given = as_lists(given)
            return given if type(given) is int else int(numbers)
        return numbers

    def write(self, numbers: Any) -> None:
        """Set the attribute."""
        setattr(self.module, self.attribute, numbers)


class Change(NamedTuple):
    """A state that has been checked and can be written into its model.

    Attributes
    ----------
    writes : list of pairs
        Arrays of the model and the numbers that they get.
    keys : IncompatibleKeys
    """

    writes: list[tuple[ParameterArray | Buffer, Any]]
    keys: IncompatibleKeys

    def apply(self) -> None:
        """Write all numbers, or none if that is interrupted."""
        before = [(array, array.read()) for array, _ in self.writes]
        try:
            for array, numbers in self.writes:
                array.write(numbers)
        except BaseException:
            for array, numbers in before:
                array.write(numbers)
            raise


class Stateful:
    """What has parameters and buffers that can be read and set as plain numbers."""

    _buffer_names: tuple[str, ...] = ()

    def parameters(self) -> list[Value]:
        """Return every parameter of this module and those below it, each once."""
        raise NotImplementedError

    def register_buffer(self, name: str, numbers: Any) -> None:
        """Keep numbers as an attribute that belongs to the state but is not learned.

        The module may change the lists in place or set the attribute to others.

        Parameters
        ----------
        name : str
            Of the attribute; that of a buffer that exists replaces it.
        numbers : int, float, nested lists or an array of numbers, or None
            Kept as an int, a float, or nested lists of floats. None, for a buffer that is not
            used, is no part of the state.

        Raises
        ------
        TypeError
            If ``name`` is no text, or anything else is among the numbers.
        ValueError
            If ``name`` is empty, has a dot, or is that of another attribute, or lists beside each
            other differ in size.

        Examples
        --------
        >>> import nn
        >>> module = nn.Module()
        >>> module.register_buffer("running_mean", [0, 0])
        >>> module.register_buffer("num_batches_tracked", 0)
        >>> module.running_mean[1] += 0.5
        >>> module.state_dict()
        {'running_mean': [0.0, 0.5], 'num_batches_tracked': 0}
        """
        wanted = f"{type(self).__name__}.register_buffer expected"
        if not isinstance(name, str):
            raise TypeError(f"{wanted} text as the name, got {type(name).__name__}: {name!r}")
        if not name or "." in name:
            raise ValueError(f"{wanted} a name without dots, got {name!r}")
        if hasattr(self, name) and name not in self._buffer_names:
            raise ValueError(f"{wanted} a new name, got {name!r}, which is another attribute")
        kept = None if numbers is None else _buffered(name, numbers)
        setattr(self, name, kept)
        if name not in self._buffer_names:
            self._buffer_names = (*self._buffer_names, name)

    def state_dict(self) -> dict[str, Any]:
        """Return all parameters and buffers as plain numbers.

        The names are those of PyTorch: attributes joined by dots, and positions of modules in
        lists. Each module gives its parameters, its buffers, and then what its modules have.
        Lists of parameters of one shape are one array; others are split, as ``w.0``, ``w.1``. A
        `Layer` of neurons has one ``weight`` and one ``bias``, as a `Linear`. What is used in two
        places has two names. What `parameters` lists but no attribute holds is called
        ``parameters``.

        Returns
        -------
        dict of str to nested lists of floats
            Copies: a weight has shape (outputs, inputs), a bias (outputs,). A single parameter is
            a float, a counter among the buffers an int.

        Raises
        ------
        TypeError
            If a buffer has been set to something that holds no numbers.
        ValueError
            If two arrays have one name.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Linear(2, 1, init="zeros"), nn.ReLU())
        >>> model.state_dict()
        {'0.weight': [[0.0, 0.0]], '0.bias': [0.0]}
        >>> list(nn.MLP(3, [4, 1]).state_dict())
        ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']
        """
        return {name: array.read() for name, array in arrays(self).items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Set parameters and buffers to the numbers of a `state_dict`.

        All is checked before anything is written. Gradients stay as they are.

        Parameters
        ----------
        state : dict of str to numbers
            As `state_dict` returns it; NumPy arrays and tensors of PyTorch are taken as well. NaN
            and infinities are numbers.
        strict : bool
            Whether the names have to be exactly those of the model. Otherwise only those in both
            are set.

        Returns
        -------
        IncompatibleKeys
            ``(missing_keys, unexpected_keys)``, both empty if ``strict``.

        Raises
        ------
        TypeError
            If ``state`` is no dict or holds something that is no number.
        ValueError
            If names are missing or unexpected and ``strict`` is True, or if shapes differ: all
            differences are listed. Also for a counter that is no whole number. Nothing has changed.

        Examples
        --------
        >>> import nn
        >>> model = nn.Linear(2, 1)
        >>> model.load_state_dict({"weight": [[1.0, 2.0]], "bias": [3.0]})
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        >>> model([10.0, 100.0])[0].data
        213.0
        >>> model.load_state_dict({"weight": [[1.0, 2.0, 3.0]], "scale": 1.0})
        Traceback (most recent call last):
            ...
        ValueError: Error(s) in loading state_dict for Linear:
            Missing key(s) in state_dict: "bias".
            Unexpected key(s) in state_dict: "scale".
            size mismatch for weight: copying a param with shape (1, 3) from checkpoint,
            the shape in current model is (1, 2).
        """
        if not isinstance(strict, bool):
            raise TypeError(
                f"strict expected True or False, got {type(strict).__name__}: {strict!r}"
            )
        change = checked(self, state, strict=strict)
        change.apply()
        return change.keys

    def _state_members(self) -> dict[str, Any]:
        """Return what the state consists of, by name: whatever holds parameters or modules."""
        return vars(self)


def arrays(root: Stateful) -> dict[str, ParameterArray | Buffer]:
    """Return where the numbers of the state are, by name."""
    found: dict[str, ParameterArray | Buffer] = {}
    stack: list[tuple[str, Stateful, frozenset[int]]] = [("", root, frozenset())]
    while stack:
        path, module, above = stack.pop()
        below: list[tuple[str, Stateful, frozenset[int]]] = []
        above |= {id(module)}
        own: list[tuple[str, ParameterArray | Buffer]] = []
        for name, thing in _members(module):
            if not isinstance(thing, Stateful):
                own.append((name, ParameterArray(thing)))
            elif id(thing) not in above:  # a module may know its owner
                below.append((f"{path}{name}.", thing, above))
        own += [
            (name, Buffer(module, name))
            for name in module._buffer_names
            if getattr(module, name, None) is not None
        ]
        for name, array in own:
            if path + name in found:
                raise ValueError(
                    f"{type(root).__name__} expected one array of each name, got two called"
                    f" {path + name!r}"
                )
            found[path + name] = array
        stack += below[::-1]
    held = {
        id(parameter)
        for array in found.values()
        if isinstance(array, ParameterArray)
        for parameter in _leaves(array.values)
    }
    rest = [parameter for parameter in root.parameters() if id(parameter) not in held]
    if rest:
        found["parameters"] = ParameterArray(rest)
    return found


def _members(module: Stateful) -> Iterator[tuple[str, Any]]:
    """Yield the modules and the arrays of parameters in a module, in the order of definition."""
    listed: set[Value] = set()

    def is_parameter(thing: Any) -> bool:
        if isinstance(thing, Value) and not isinstance(thing, Parameter) and not listed:
            listed.update(module.parameters())  # which may be overridden to list plain Values
        return isinstance(thing, Parameter) or (isinstance(thing, Value) and thing in listed)

    members = module._state_members().items()
    stack = [(name, thing) for name, thing in members if name not in module._buffer_names][::-1]
    while stack:
        name, thing = stack.pop()
        if getattr(getattr(thing, "dtype", None), "hasobject", False):
            thing = as_lists(thing)
        if (
            isinstance(thing, Stateful)
            or is_parameter(thing)
            or (
                isinstance(thing, LISTS)
                and thing
                and shape(thing) is not None
                and all(map(is_parameter, _leaves(thing)))
            )
        ):
            yield name, thing
        elif isinstance(thing, (*LISTS, dict)):
            pairs = thing.items() if isinstance(thing, dict) else enumerate(thing)
            stack += [
                (f"{name}.{key}", element)
                for key, element in pairs
                if not isinstance(element, float | int | str)  # long lists of samples, say
            ][::-1]


def shape(given: Any) -> Shape | None:
    """Return the sizes of nested lists, outermost first; None if they differ."""
    if not isinstance(given, LISTS):
        return ()
    if not _nested(given):
        return (len(given),)
    shapes = {shape(element) for element in given}
    if len(shapes) > 1 or None in shapes:
        return None
    return (len(given), *(shapes.pop() or ()))


def _nested(given: Any) -> bool:
    """Tell whether there are lists in a list."""
    return any(issubclass(kind, LISTS) for kind in set(map(type, given)))


def _leaves(nested: Any) -> list[Any]:
    """Return the elements of nested lists of one shape, in reading order."""
    level = [nested]
    while level and isinstance(level[0], LISTS):
        level = list(chain.from_iterable(level))
    return level


def _data(parameters: Any) -> Any:
    """Return the numbers of parameters, nested as they are."""
    if not isinstance(parameters, LISTS):
        return parameters.data
    if _nested(parameters):
        return [_data(element) for element in parameters]
    return [parameter.data for parameter in parameters]


def _floats(name: str, given: Any) -> Any:
    """Return numbers, or nested lists or arrays of them, as floats in lists of their own."""
    given = as_lists(given)
    if isinstance(given, LISTS):
        if set(map(type, given)) == {float}:
            return list(given)
        return [_floats(name, element) for element in given]
    number = number_for(f"{name} expected numbers", given)
    return number.data if isinstance(number, Value) else number


def _buffered(name: str, given: Any) -> Any:
    """Return the numbers of a buffer: an int, a float, or nested lists of floats."""
    given = as_lists(given)
    if type(given) is int:
        return given
    numbers = _floats(name, given)
    if shape(numbers) is None:
        raise ValueError(f"{name} expected lists of one size beside each other, got others")
    return numbers


def checked(model: Stateful, state: Any, *, strict: bool = True) -> Change:
    """Return what loading a state would write, or say what is wrong with it."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict expected a dict as from state_dict(), got {type(state).__name__}:"
            f" {shortened(state)}"
        )
    found = arrays(model)
    keys = IncompatibleKeys(
        [name for name in found if name not in state],
        [name for name in state if name not in found],
    )
    faults = []
    if strict and keys.missing_keys:
        faults.append(f"Missing key(s) in state_dict: {_quoted(keys.missing_keys)}.")
    if strict and keys.unexpected_keys:
        faults.append(f"Unexpected key(s) in state_dict: {_quoted(keys.unexpected_keys)}.")
    writes: list[tuple[ParameterArray | Buffer, Any]] = []
    for name, array in found.items():
        if name not in state:
            continue
        numbers = array.converted(name, state[name])
        given, wanted = shape(numbers), shape(array.read())
        if given != wanted:
            faults.append(
                f"size mismatch for {name}: copying a param with shape"
                f" {'of unequal rows' if given is None else given} from checkpoint, the shape in"
                f" current model is {wanted}."
            )
        writes.append((array, numbers))
    if faults:
        title = f"Error(s) in loading state_dict for {type(model).__name__}:"
        raise ValueError("\n\t".join([title, *faults]))
    return Change(writes, keys)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
