"""From text to a program: Python's grammar, and of it what an expression may use."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from autograd_lite.commandline.errors import ExpressionError
from autograd_lite.commandline.program import Program
from autograd_lite.commandline.vocabulary import (
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    INSTEAD,
    OPERATORS,
    UNAVAILABLE,
    WHERE,
    Function,
    closest_function,
)

Finish = Callable[[tuple[int, ...]], int]
"""Enters an operation, given the positions of its operands."""

MAX_LENGTH = 10_000
MAX_DEPTH = 1_000

ALLOWED = (
    "an expression has numbers, variables, + - * / ** %, parentheses, functions, and parts such"
    " as 'a = x**2;'"
)

_KINDS: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.List: "a list",
    ast.Tuple: "a tuple",
    ast.Lambda: "a lambda",
    ast.BoolOp: "'and' or 'or'",
    ast.JoinedStr: "text",
    ast.NamedExpr: "':='",
    ast.Starred: "a starred argument",
}


def parse(text: str, variables: Sequence[str] = ()) -> Program:
    """Read an expression.

    Parameters
    ----------
    text : str
        Parts ``name = expression``, separated by semicolons or newlines; the last one may go
        without a name.
    variables : sequence of str
        The names that stand for numbers given elsewhere.

    Returns
    -------
    Program

    Raises
    ------
    ExpressionError
        If the text is anything else, longer than 10,000 characters, or nested more deeply than
        1,000 levels.

    Examples
    --------
    >>> from autograd_lite.commandline.parsing import parse
    >>> program = parse("(x**2 + sin(x**2)) * x**2", ["x"])
    >>> program.written()
    ['x', '2', 'x**2', 'sin(a)', 'a + b', 'c * a']
    """
    return _Parser(text, tuple(variables)).program


class _Parser:
    """One reading of one text.

    Expressions are read with a stack of their own, so that no depth overflows Python's.
    """

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        if len(text) > MAX_LENGTH:
            raise ExpressionError(
                f"the expression has {len(text):,} characters; the limit is {MAX_LENGTH:,}"
            )
        lines = [line.strip() for line in text.splitlines()]
        self.source = "\n".join(lines)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        self.starts = starts
        self.variables = variables
        self.program = Program()
        body = self._statements()
        self.assigned = self._assigned(body)
        self._read(body)

    # -- places and refusals ------------------------------------------------------------------

    def _place(self, line: int, column: int) -> int:
        """Return the index of a place that ast gives as line and column in UTF-8 bytes."""
        begin = self.starts[line - 1]
        text = self.source[begin:].partition("\n")[0]
        return begin + len(text.encode()[:column].decode())

    def _start(self, node: Any) -> int:
        return self._place(node.lineno, node.col_offset)

    def _refuse(self, message: str, node: Any) -> ExpressionError:
        return ExpressionError(message, self.source, self._start(node))

    def _refuse_operator(self, symbol: str, left: Any) -> ExpressionError:
        """Refuse an operator, pointing at it: ast knows only where its operands are."""
        place = self.source.find(symbol, self._place(left.end_lineno, left.end_col_offset))
        hint = INSTEAD.get(symbol, ALLOWED)
        return ExpressionError(
            f"the operator {symbol} is not available: {hint}", self.source, place
        )

    # -- statements ---------------------------------------------------------------------------

    def _statements(self) -> list[ast.stmt]:
        if not self.source.strip():
            raise ExpressionError("the expression is empty; write one such as 'x**2 + sin(x)'")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = ast.parse(self.source).body
        except SyntaxError as error:
            raise self._syntax(error) from None
        except (RecursionError, MemoryError):
            raise self._too_deep() from None
        except ValueError:
            raise ExpressionError(
                "the expression has characters that are not text (a null or half of a surrogate)"
            ) from None
        if not body:
            raise ExpressionError("the expression is empty: it is only a comment")
        return body

    def _too_deep(self) -> ExpressionError:
        return ExpressionError(f"the expression is nested more than {MAX_DEPTH:,} levels deep")

    def _syntax(self, error: SyntaxError) -> ExpressionError:
        message = error.msg
        if message.startswith("Exceeds the limit"):
            message = "a number has more than 4,300 digits"
        elif message.startswith("too many nested"):
            message = "too many nested parentheses (the limit is 200)"
        elif "null bytes" in message:
            message = "a null character is not text"
        elif message == "invalid decimal literal":
            message = "a number runs into a name; write a product with *"
        place = None
        if error.lineno is not None and error.lineno < len(self.starts):
            begin = self.starts[error.lineno - 1]
            length = self.starts[error.lineno] - 1 - begin
            place = begin + min(max((error.offset or 1) - 1, 0), length)
        return ExpressionError(f"not a Python expression: {message}", self.source, place)

    def _assigned(self, body: list[ast.stmt]) -> set[str]:
        """Return the names the text assigns; refuse what is neither assignment nor expression."""
        names: set[str] = set()
        for statement in body:
            if isinstance(statement, ast.Expr):
                if statement is not body[-1]:
                    raise self._refuse(
                        "only the last part can go without a name; write 'name = ...' here",
                        statement,
                    )
                continue
            if not isinstance(statement, ast.Assign):
                raise self._refuse(f"this is not available here: {ALLOWED}", statement)
            target = statement.targets[-1]
            if len(statement.targets) > 1 or not isinstance(target, ast.Name):
                raise self._refuse("assign to one name at a time, as in 'a = x**2'", statement)
            if target.id in names:
                raise self._refuse(
                    f"{target.id!r} is assigned twice; give each value a name of its own", target
                )
            if target.id in self.variables:
                raise self._refuse(
                    f"{target.id!r} is assigned here and given a value as well", target
                )
            names.add(target.id)
        return names

    def _read(self, body: list[ast.stmt]) -> None:
        for statement in body:
            assert isinstance(statement, ast.Expr | ast.Assign)
            position = self._expression(statement.value)
            name = ""
            if isinstance(statement, ast.Assign):
                target = statement.targets[0]
                assert isinstance(target, ast.Name)
                name = target.id
                self.program.names[name] = position
        self.program.finish(position, name)

    # -- expressions --------------------------------------------------------------------------

    def _expression(self, root: ast.expr) -> int:
        """Enter an expression into the program, operands first, and return its position."""
        waiting: list[tuple[ast.expr, int] | tuple[Finish, int]] = [(root, 1)]
        done: list[int] = []
        while waiting:
            task, number = waiting.pop()
            if not isinstance(task, ast.AST):
                operands = tuple(done[len(done) - number :])
                del done[len(done) - number :]
                done.append(task(operands))
                continue
            if number > MAX_DEPTH:
                raise self._too_deep()
            children, finish = self._opened(task)
            waiting.append((finish, len(children)))
            waiting.extend((child, number + 1) for child in reversed(children))
        return done.pop()

    def _opened(self, node: ast.expr) -> tuple[list[ast.expr], Finish]:
        """Return the operands of an expression, and what enters it once they are entered."""
        if isinstance(node, ast.Constant):
            return [], self._number(node, node.value)
        if isinstance(node, ast.Name):
            return [], self._name(node)
        if isinstance(node, ast.UnaryOp):
            return self._signed(node)
        if isinstance(node, ast.BinOp):
            kind = type(node.op)
            if kind not in OPERATORS:
                raise self._refuse_operator(UNAVAILABLE[kind], node.left)
            return [node.left, node.right], partial(self.program.operation, OPERATORS[kind])
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.IfExp):
            return self._choice(node.test, node.body, node.orelse)
        if isinstance(node, ast.Compare):
            raise self._refuse(
                "a comparison is available only as a condition, as in where(x > 0, x, 0)", node
            )
        raise self._refuse(f"{_KINDS.get(type(node), 'this')} is not available: {ALLOWED}", node)

    def _number(self, node: ast.expr, given: object, sign: str = "") -> Finish:
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise self._refuse(f"{_shortened(given)} is not a real number", node)
        try:
            value = float(given)
        except OverflowError:
            value = math.inf
        if value == math.inf:
            raise self._refuse("this number is too large: floats end at 1.797e+308", node)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = self._place(node.end_lineno, node.end_col_offset)
        text = self.source[self._start(node) : end].lower()
        value = -value if sign else value
        return lambda _: self.program.constant(value, sign + text)

    def _name(self, node: ast.Name) -> Finish:
        name = node.id
        if name in self.variables:
            return lambda _: self.program.variable(name)
        if name in self.program.names:
            position = self.program.names[name]
            return lambda _: position
        if name in self.assigned:
            raise self._refuse(f"{name!r} is used before it is assigned", node)
        if name in CONSTANTS:
            return lambda _: self.program.constant(CONSTANTS[name], name)
        if name in FUNCTIONS:
            raise self._refuse(f"{name!r} is a function: call it, as in {name}(x)", node)
        if self.variables:
            raise self._refuse(
                f"no value is given for {name!r} (given: {', '.join(self.variables)})", node
            )
        raise self._refuse(
            f"no value is given for {name!r}: add it after the expression, as in {name}=2", node
        )

    def _signed(self, node: ast.UnaryOp) -> tuple[list[ast.expr], Finish]:
        if isinstance(node.op, ast.UAdd):
            return [node.operand], lambda operands: operands[0]
        kind = type(node.op)
        if kind not in OPERATORS:
            raise self._refuse(
                f"the operator {UNAVAILABLE[kind]} is not available: {ALLOWED}", node
            )
        if isinstance(node.operand, ast.Constant):
            return [], self._number(node.operand, node.operand.value, "-")
        return [node.operand], partial(self.program.operation, OPERATORS[kind])

    def _choice(
        self, condition: ast.expr, a: ast.expr, b: ast.expr
    ) -> tuple[list[ast.expr], Finish]:
        if not isinstance(condition, ast.Compare) or len(condition.ops) > 1:
            raise self._refuse("the condition has to be one comparison, such as x > 0", condition)
        kind = type(condition.ops[0])
        if kind not in COMPARISONS:
            raise self._refuse(
                "the condition has to compare with one of < <= > >= == !=", condition
            )
        operation = self.program.operation

        def finish(operands: tuple[int, ...]) -> int:
            left, right, *sides = operands
            return operation(WHERE, (operation(COMPARISONS[kind], (left, right)), *sides))

        return [condition.left, condition.comparators[0], a, b], finish

    def _call(self, node: ast.Call) -> tuple[list[ast.expr], Finish]:
        function = self._function(node)
        keywords = self._keywords(function, node)
        given = self._elements(function, node)
        count = len(given) + len(keywords)
        if not function.least <= count <= function.most:
            raise self._refuse(f"{function.name} takes {function.takes}, got {count}", node)
        if function is WHERE:
            return self._choice(*given)
        children = [*given, *(keyword.value for keyword in node.keywords)]
        texts = [*function.parameters[: len(given)], *keywords]
        options: list[int] = []  # what is not computed but chosen
        if "approximate" in texts:
            options.append(self._approximation(children.pop()))
        elif "correction" in keywords:
            options.append(self._correction(children.pop(), len(given)))
        return children, lambda operands: self.program.operation(
            function, (*operands, *options), keywords
        )

    def _elements(self, function: Function, node: ast.Call) -> list[ast.expr]:
        """Return the arguments that are given by position, those in lists one by one."""
        given: list[ast.expr] = node.args
        if function.pairs:
            lists = [argument.elts for argument in given if isinstance(argument, ast.List)]
            if len(lists) != len(given) or len(lists) != 2:
                raise self._refuse(
                    f"{function.name} takes two lists, as in {function.name}([x, 1], [2, x])", node
                )
            left, right = lists
            if len(left) != len(right) or not left:
                raise self._refuse(
                    f"{function.name} takes two equally long lists of at least one number, got"
                    f" {len(left)} and {len(right)}",
                    node,
                )
            return [*left, *right]
        if function.most == math.inf and len(given) == 1 and isinstance(given[0], ast.List):
            return given[0].elts
        return given

    def _function(self, node: ast.Call) -> Function:
        called = node.func
        if isinstance(called, ast.Name) and called.id in FUNCTIONS:
            return FUNCTIONS[called.id]
        if not isinstance(called, ast.Name):
            raise self._refuse("only functions can be called; write a product with *", called)
        name = called.id
        if name in self.variables or name in self.assigned or name in CONSTANTS:
            raise self._refuse(
                f"{name!r} is a number, not a function; write a product with *", called
            )
        closest = closest_function(name)
        if closest is None:
            raise self._refuse(f"unknown function {name!r}; --help lists the functions", called)
        raise self._refuse(f"unknown function {name!r}; did you mean {closest!r}?", called)

    def _keywords(self, function: Function, node: ast.Call) -> tuple[str, ...]:
        """Return the names of the arguments that are given by name."""
        optional = function.parameters[1:] if function.by_name else ()
        # Where any number of arguments go by position, none of them is an optional one.
        positional = function.parameters[: len(node.args)] if function.most < math.inf else ()
        names: list[str] = []
        for keyword in node.keywords:
            name = keyword.arg
            if name is None or name not in optional:
                wanted = f"; it has {', '.join(optional)}" if optional else ""
                shown = "**" if name is None else repr(name)
                raise self._refuse(f"{function.name} has no argument {shown}{wanted}", keyword)
            if name in names or name in positional:
                raise self._refuse(f"the argument {name!r} is given twice", keyword)
            names.append(name)
        if names and not node.args:
            raise self._refuse(f"{function.name} takes {function.takes}; x has to be given", node)
        return tuple(names)

    def _approximation(self, node: ast.expr) -> int:
        if not isinstance(node, ast.Constant) or node.value not in ("none", "tanh"):
            raise self._refuse('approximate has to be "none" or "tanh"', node)
        return self.program.constant(str(node.value), f'"{node.value}"')

    def _correction(self, node: ast.expr, count: int) -> int:
        given = node.value if isinstance(node, ast.Constant) else None
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < count:
            raise self._refuse(
                f"correction has to be a number from 0 on and less than {count}, the number of"
                " values",
                node,
            )
        return self.program.constant(float(given), f"{given}")


def _shortened(given: object) -> str:
    text = "..." if given is ... else repr(given)
    return text if len(text) <= 40 else text[:37] + "..."
