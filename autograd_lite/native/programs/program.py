"""`Program`: a compiled function, called with numbers, lists and arrays."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from functools import update_wrapper
from itertools import count
from typing import Any

from autograd_lite import transforms
from autograd_lite.modes import current_mode, current_recorder, runtime
from autograd_lite.native.programs import backend, storing
from autograd_lite.native.programs.arguments import Batch, Form, Reader, ValuesGivenError
from autograd_lite.native.programs.eager import run
from autograd_lite.native.programs.evaluation import Evaluator
from autograd_lite.native.programs.groups import Found
from autograd_lite.native.programs.options import check_function, check_options, checked_parameters
from autograd_lite.native.programs.paths import Recording, Task
from autograd_lite.native.programs.quick import QuickPoints, QuickSteps
from autograd_lite.native.programs.results import gradients, in_array, of_lanes, shaped, stacked
from autograd_lite.native.programs.second import hessian_of, hvp_of
from autograd_lite.native.programs.showing import argument_names, picture, source, summaries
from autograd_lite.native.running.learning import mean_of
from autograd_lite.native.tape import Argument
from autograd_lite.native.tracing.refusals import RecordingError
from autograd_lite.tracing import inside_transform
from autograd_lite.trees import leaves_of, shaped_like

_VALUE = Task("calling the program")
_GRAD = Task("grad", 1.0)
_VALUE_AND_GRAD = Task("value_and_grad", 1.0)
_Derived = tuple[str, int, frozenset[int]]
"""A second derivative: its name, the number of arguments, and which of them are labels."""


class Program:
    """A function that was recorded, and is computed without running it again.

    Made by `autograd_lite.compile`. It records the function at the first call with arguments of
    one structure, and computes the recording at every further one.

    Attributes
    ----------
    function : callable
        What was compiled.
    parameters : tuple of Value
        What it learns; () without.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        parameters: Any = None,
        exact: bool = False,
        dtype: str = "float64",
        threads: int = 1,
    ) -> None:
        check_function(function)
        check_options(exact, dtype, threads)
        self.function = function
        self.parameters = () if parameters is None else checked_parameters(parameters)
        self._learns = parameters is not None
        self._exact = exact
        self._dtype = dtype
        self._threads = threads
        missing = backend.missing()
        self._numpy = "numpy" not in missing
        self._reader = Reader(arrays=not missing, batches=self._learns, dtype=dtype)
        self._derived: dict[_Derived, Program] = {}
        self._evaluator = Evaluator(
            function,
            self.parameters if self._learns else None,
            exact=exact,
            dtype=dtype,
            threads=threads,
        )
        self._quick: QuickSteps | None = None
        self._quick_points: QuickPoints | None = None
        if self._learns and self._numpy:
            self._quick = QuickSteps(self._evaluator)
        elif not missing:
            self._quick_points = QuickPoints(self._evaluator, dtype, threads)
        update_wrapper(self, function, updated=())

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        recordings = len(self.recordings)
        return f"<Program {name}, {recordings} recording{'s' * (recordings != 1)}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            "a Program cannot be copied or pickled; write program.save(path) and"
            " autograd_lite.load_program(path), or compile the function again"
        )

    # -- calling ------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the function.

        Returns
        -------
        float, list or array
            What the function returns: floats in its structure, with lanes arrays whose axis 0 is
            the lane axis. With parameters the mean over the lanes, as a float; their gradients
            have been added up, unless under `no_grad`.
        """
        if self._quick is not None and not (kwargs or runtime.special):
            loss = self._quick.take(args)
            if loss is not None:
                return loss
        quick = None if kwargs or runtime.special else self._quick_points
        if quick is not None and (value := quick.value(args)) is not None:
            return value
        batch = self._read(args, kwargs)
        if batch is None:
            return run(self.function, args, kwargs)
        if self._learns:
            return self._step(args, batch)
        found = self._evaluator.evaluate(batch, _VALUE)
        if quick is not None:
            quick.remember(args, batch, differentiable=False)
        return self._shaped(found, batch)

    def value_and_grad(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Compute the function, which returns one number, and its gradient.

        Returns
        -------
        value : float or array (lanes,)
        gradient : number, list or array
            Shaped like the argument; a tuple of these if there are several. With lanes, that of
            every argument is per lane, those without lanes among them.
        """
        quick = None if kwargs or runtime.special else self._quick_points
        if quick is not None and (both := quick.value_and_grad(args)) is not None:
            return both
        args, batch = self._differentiated("value_and_grad", args, kwargs)
        if batch is None:
            return transforms.value_and_grad(self.function, _argnums(args))(*args)
        found = self._evaluator.evaluate(batch, _VALUE_AND_GRAD)
        if quick is not None:
            quick.remember(args, batch, differentiable=True)
        return self._shaped(found, batch), self._gradient(found, batch)

    def grad(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the gradient alone; see `value_and_grad`."""
        quick = None if kwargs or runtime.special else self._quick_points
        if quick is not None and (both := quick.value_and_grad(args)) is not None:
            return both[1]
        args, batch = self._differentiated("grad", args, kwargs)
        if batch is None:
            return transforms.grad(self.function, _argnums(args))(*args)
        return self._gradient(self._evaluator.evaluate(batch, _GRAD), batch)

    def jacobian(self, *args: Any, **kwargs: Any) -> Any:
        """Compute all derivatives of all outputs.

        Returns
        -------
        nested lists or array
            The structure of the output, with that of the argument inside; a tuple of these if
            there are several arguments. With lanes an array (lanes, outputs…, numbers…).
        """
        args, batch = self._differentiated("jacobian", args, kwargs)
        if batch is None:
            return transforms.jacobian(self.function, _argnums(args))(*args)
        drawn: dict[Any, Any] = {}  # the same for all outputs
        first = self._evaluator.evaluate(batch, Task("jacobian", 1.0, 0, drawn))
        parts = [self._gradients(first, batch)]
        for output in range(1, len(first.outputs)):
            found = self._evaluator.evaluate(batch, Task("jacobian", 1.0, output, drawn))
            parts.append(self._gradients(found, batch))
        blocks = [stacked(first.result, list(block)) for block in zip(*parts, strict=True)]
        return blocks[0] if len(blocks) == 1 else tuple(blocks)

    def hessian(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the matrix of second derivatives of a function that returns one number.

        Returns
        -------
        nested lists or array
            As `autograd_lite.hessian` gives them; for several arguments a tuple of tuples of
            blocks. With lanes arrays (lanes, numbers…, numbers…).
        """
        args, batch = self._differentiated("hessian", args, kwargs)
        if batch is None:
            return transforms.hessian(self.function, _argnums(args))(*args)
        labels = self._labels(batch)
        derivative = hessian_of(self.function, labels)
        return self._second(("hessian", len(args), labels), batch, batch, derivative)

    def hvp(self, args: Sequence[Any], direction: Sequence[Any]) -> Any:
        """Compute the matrix of second derivatives times a vector, without the matrix.

        Parameters
        ----------
        args, direction : sequences, one entry per argument of the function
            The point and the vector, of the same shapes.

        Returns
        -------
        number, list or array
            Shaped like the argument; a tuple if there are several.
        """
        for what, given in (("arguments", args), ("directions", direction)):
            if not isinstance(given, list | tuple):
                raise TypeError(
                    f"hvp expected a tuple of {what}, one per argument of the function, got"
                    f" {type(given).__name__}"
                )
        if len(args) != len(direction):
            raise ValueError(
                f"hvp expected as many directions as arguments, {len(args)}, got {len(direction)}"
            )
        number = len(args)
        _, batch = self._differentiated("hvp", (*args, *direction), {})
        if batch is None:
            return transforms.hvp(self.function, tuple(args), tuple(direction))
        own = batch.first(number)
        labels = self._labels(own)
        derivative = hvp_of(self.function, number, labels)
        return self._second(("hvp", number, labels), batch, own, derivative)

    # -- what was recorded --------------------------------------------------------------------

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """All recordings: one per structure of arguments and way through the function."""
        return self._evaluator.recordings

    @property
    def source(self) -> str:
        """The recording of the last call as straight-line Python, forward and backward.

        If its lanes went different ways, one text for each of them.
        """
        used, forms, _, _ = self._last_call()
        wanted = () if self._learns else None
        return source(used, forms, argument_names(self.function, len(forms)), wanted)

    def summary(self) -> str:
        """Return what was recorded for the last call, and what its plan is like.

        Operations, levels, guards, matrix products, memory.
        """
        used, _, lanes, varying = self._last_call()
        return summaries(used, lanes, varying)

    def draw(self, *, output: int = 0, **options: Any) -> Any:
        """Draw the recording of the last call, with the numbers that it was made with.

        Parameters
        ----------
        output : int
            Which output, from left to right.
        **options
            Those of `autograd_lite.draw`.
        """
        (recording, *_), *_ = self._last_call()
        return picture(recording, self.parameters, output, options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all recordings into a file, from which `load_program` makes a program again.

        With the numbers of parameters and of Values closed over, but without any code: the program
        that is loaded works for arguments and branches that were recorded.

        Raises
        ------
        ValueError
            If a recording has something that no file can hold, such as numbers drawn anew.
        """
        self._last_call()
        kept = [(forms, paths.roots) for forms, paths in self._evaluator.structures.items()]
        about = {
            "name": getattr(self.function, "__name__", type(self.function).__name__),
            "arguments": argument_names(self.function, max(map(len, self._evaluator.structures))),
            "learns": self._learns,
            "exact": self._exact,
            "dtype": self._dtype,
        }
        storing.save(path, kept, self.parameters, about)

    def _last_call(self) -> tuple[tuple[Recording, ...], tuple[Form, ...], int, frozenset[int]]:
        """Return the recordings of the last call, its structure, lanes, and what varied."""
        if self._evaluator.last is None:
            raise RuntimeError(
                "nothing is recorded yet: call the program first, so that it knows what its"
                " arguments are like"
            )
        paths, forms, lanes, varying = self._evaluator.last
        return paths.used, forms, lanes, varying

    # -- the arguments ------------------------------------------------------------------------

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Batch | None:
        """Return the arguments in rows; None where the function is to run as it is.

        Among Values, inside a transform of somebody else and while another program is recorded,
        what it does has to be seen operation by operation.
        """
        if inside_transform() or (runtime.special and current_recorder() is not None):
            return None
        try:
            return self._reader.read(self._positional(args, kwargs) if kwargs else args)
        except ValuesGivenError:
            return None

    def _differentiated(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Batch | None]:
        """Return arguments to differentiate with respect to, and their rows (see `_read`)."""
        if self._learns:
            raise TypeError(
                f"{name} is for programs without parameters=; this one adds the gradients of its"
                " parameters up when it is called"
            )
        if kwargs:
            args = self._positional(args, kwargs)
        if not args:
            raise TypeError(f"{name} expected arguments to differentiate with respect to, got none")
        batch = self._read(args, {})
        return args, None if batch is None else batch.spread()

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return all arguments by position."""
        signature = inspect.signature(self.function)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError(
                "a compiled function takes arguments by position, or by the name of such a one;"
                f" {next(iter(bound.kwargs))!r} is keyword-only: give it before compiling, as with"
                " functools.partial"
            )
        last = max(list(signature.parameters).index(name) for name in kwargs)
        return bound.args[: max(last + 1, len(args))]

    # -- results ------------------------------------------------------------------------------

    def _step(self, args: tuple[Any, ...], batch: Batch) -> float:
        """Return the mean over lanes; add its gradients up."""
        learning = not runtime.special or current_mode().recording
        seed = 1.0 / batch.lanes if learning else None
        found = self._evaluator.evaluate(batch, Task("a program with parameters", seed))
        if learning and self._quick is not None:
            self._quick.remember(args, batch)
        return mean_of(found.outputs[0])

    def _shaped(self, found: Found, batch: Batch) -> Any:
        return shaped(found, batch, arrays=self._numpy)

    def _gradients(self, found: Found, batch: Batch) -> list[Any]:
        return gradients(found, batch, arrays=self._numpy)

    def _gradient(self, found: Found, batch: Batch) -> Any:
        found_ = self._gradients(found, batch)
        return found_[0] if len(found_) == 1 else tuple(found_)

    def _labels(self, batch: Batch) -> frozenset[int]:
        """Return which arguments are labels to the function."""
        if not any(form.whole for form in batch.forms):
            return frozenset()
        with self._evaluator.lock:
            self._evaluator.evaluate(batch, _VALUE)
            tapes = [recording.tape for recording in self._evaluator.structures[batch.forms].used]
        sources = [source for tape in tapes for source in tape.leaves]
        return frozenset(x.position for x in sources if isinstance(x, Argument) and x.whole)

    def _second(
        self, key: _Derived, batch: Batch, own: Batch, derivative: Callable[..., Any]
    ) -> Any:
        """Compute a second derivative: natively, or eagerly where it cannot be recorded.

        ``own`` are the arguments of the function itself.
        """
        program = self._derived.get(key)
        if program is None:
            program = self._derived[key] = Program(
                derivative, exact=self._exact, dtype=self._dtype, threads=self._threads
            )
        try:
            return program._shaped(program._evaluator.evaluate(batch, _VALUE), batch)
        except RecordingError:
            self._evaluator.evaluate(
                own, _VALUE
            )  # raises if the function itself cannot be recorded
            if any(recording.across for recording in self._evaluator.structures[own.forms].used):
                raise
        found = [derivative(*batch.sample(lane)) for lane in range(batch.lanes)]
        if not batch.varying:
            return found[0]
        rows = [leaves_of(one) for one in found]
        tree = shaped_like(found[0], count())
        return of_lanes(tree, in_array(rows) if self._numpy else rows)


def load(path: str | os.PathLike[str]) -> Program:
    """Return the program that `Program.save` has written."""
    structures, parameters, about = storing.load(path)
    program = Program(
        storing.Stored(about["name"], about["arguments"], structures, parameters),
        parameters=parameters if about["learns"] else None,
        exact=about["exact"],
        dtype=about["dtype"],
    )
    for structure in structures:
        paths = program._evaluator.new_structure(structure.forms)
        for recording, branch in structure.recordings():
            paths.add(recording, branch)
        paths.used = tuple(paths)
        program._evaluator.last = paths, structure.forms, 1, frozenset()
    return program


def _argnums(args: Sequence[Any]) -> int | tuple[int, ...]:
    """Return which arguments the transforms differentiate: the only one, or all."""
    return 0 if len(args) == 1 else tuple(range(len(args)))
