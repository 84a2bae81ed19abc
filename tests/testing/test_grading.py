"""The grader: what it finds in engines of other people, and that nothing they do disturbs it."""

import json
import math
import sys

import micrograd.engine
import pytest
from student_engines import MICROGPT, MICROGRAD, engine

import autograd_lite
from autograd_lite.testing import bug_lab, faulty_engine, grade
from autograd_lite.testing.grading import random_graphs
from autograd_lite.testing.grading.grader import grade_milestone
from autograd_lite.testing.grading.milestones import MILESTONES
from autograd_lite.testing.grading.trials import Numbers, expected, first_wrong, run

ACCEPTED = {"second-backward", "current-data", "recursion-limit"}
"""What is wrong with micrograd itself."""


def named(report, milestone):
    """Return the result of one milestone."""
    (result,) = [r for r in report.results if r.milestone == milestone]
    return result


def failures(report):
    return {r.milestone: r.cause for r in report.results if r.outcome == "failed"}


# -- correct engines -----------------------------------------------------------------------------


def test_our_own_value_passes_everything_and_lacks_nothing():
    report = grade(autograd_lite.Value)
    assert report.passed
    assert [(r.outcome, r.missing) for r in report.results] == [("passed", ())] * len(MILESTONES)


def test_micrograd_fails_where_it_is_wrong_and_nowhere_else():
    report = grade(micrograd.engine.Value, name="micrograd")
    assert failures(report) == {
        "backward twice": "second-backward",
        "data changed afterwards": "current-data",
        "deep graphs": "recursion-limit",
    }
    assert (named(report, "backward twice").expected, named(report, "backward twice").got) == (
        "54",
        "72",
    )
    assert {r.milestone for r in report.results if r.outcome == "skipped"} == {
        *("Values as exponents", "exp", "tanh", "log", "sigmoid", "abs", "other functions"),
    }


def test_an_engine_like_microgpt_records_its_derivatives():
    assert failures(grade(engine(MICROGPT))) == {
        "backward twice": "second-backward",
        "deep graphs": "recursion-limit",
    }


def test_closures_with_more_functions_fail_no_more_than_micrograd():
    assert set(failures(grade(engine(MICROGRAD))).values()) == ACCEPTED


def test_a_raised_recursion_limit_is_a_way_to_pass():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(30_000)
    try:
        assert named(grade(engine(MICROGPT)), "deep graphs").outcome == "passed"
    finally:
        sys.setrecursionlimit(limit)


# -- planted mistakes ----------------------------------------------------------------------------

IN_MICROGPT = {
    "all assigned": (
        ("child.grad += local_grad", "child.grad = local_grad"),
        "reuse of a node",
        "assigned",
    ),
    "a set of pairs": (
        (
            "in zip(v._children, v._local_grads)",
            "in dict(zip(v._children, v._local_grads)).items()",
        ),
        "reuse of a node",
        "duplicate-operands",
    ),
    "children without duplicates": (
        ("self._children = children", "self._children = list(dict.fromkeys(children))"),
        "reuse of a node",
        "duplicate-operands",
    ),
    "preorder": (
        (
            "                for child in v._children:\n"
            "                    build_topo(child)\n"
            "                topo.append(v)\n",
            "                topo.insert(0, v)\n"
            "                for child in v._children:\n"
            "                    build_topo(child)\n",
        ),
        "topological order",
        "topological-order",
    ),
    "not reversed": (("in reversed(topo)", "in topo"), "the chain", "result-only"),
    "never seen before": (("if v not in visited:", "if True:"), "reuse of a node", "visited-twice"),
    "no upstream": (("local_grad * v.grad", "local_grad"), "the chain", "upstream"),
    "no seed": (("        self.grad = 1\n", ""), "a number in a Value", "seed"),
    "seed 2": (("self.grad = 1\n", "self.grad = 2\n"), "a number in a Value", "seed"),
    "no seed of leaves": (
        ("self.grad = 1\n", "self.grad = 1 if self._children else 0\n"),
        "a number in a Value",
        "seed",
    ),
    "minus is plus": (
        ("return self + (-other)", "return Value(self.data - other.data, (self, other), (1, 1))"),
        "subtraction and negation",
        "subtraction-sign",
    ),
    "negation": (
        ("return self * -1", "return Value(-self.data, (self,), (1,))"),
        "subtraction and negation",
        "negation-sign",
    ),
    "swapped subtraction": (
        ("return other + (-self)", "return self + (-other)"),
        "constants and reflected operators",
        "reflected-swapped",
    ),
    "no factor": (
        ("(other * self.data ** (other - 1),)", "(self.data ** (other - 1),)"),
        "powers",
        "power-rule",
    ),
    "no lowered exponent": (
        ("(other * self.data ** (other - 1),)", "(other * self.data**other,)"),
        "powers",
        "power-exponent",
    ),
    "equal data": (
        (
            "    def __neg__",
            "    def __eq__(self, other):\n        return self.data == other.data\n\n"
            "    def __hash__(self):\n        return hash(self.data)\n\n    def __neg__",
        ),
        "reuse of a node",
        "equal-data",
    ),
    "division": (
        (
            "return self * other**-1",
            "return Value(self.data / other.data, (self, other),"
            " (1 / other.data, self.data / other.data**2))"
            " if isinstance(other, Value) else self * other**-1",
        ),
        "division",
        "division-sign",
    ),
    "swapped factors": (
        ("(other.data, self.data)", "(self.data, other.data)"),
        "multiplication",
        "swapped-factors",
    ),
    "exp of exp": (("(math.exp(self.data),)", "(1 / self.data,)"), "exp", "pasted-derivative"),
    "relu": (("(float(self.data > 0),)", "(1.0,)"), "relu", "relu-derivative"),
    "all reset": (
        (
            "        self.grad = 1\n",
            "        for v in topo:\n            v.grad = 0\n        self.grad = 1\n",
        ),
        "backward twice",
        "leaves-reset",
    ),
    "no __rmul__": (
        ("def __rmul__", "def rmul"),
        "constants and reflected operators",
        "reflected-operator",
    ),
    "endless __radd__": (
        (
            "def __radd__(self, other):\n        return self + other",
            "def __radd__(self, other):\n        return other + self",
        ),
        "constants and reflected operators",
        "endless-recursion",
    ),
    "no lifting": (
        ("other = other if isinstance(other, Value) else Value(other)", "pass"),
        "subtraction and negation",
        "numbers",
    ),
    "endless backward": (
        ("        topo = []\n", "        self.backward()\n        topo = []\n"),
        "a number in a Value",
        "endless-recursion",
    ),
    "endless constructor": (
        ("self.data = data", "self.data = Value(data)"),
        "a number in a Value",
        "endless-recursion",
    ),
    "relu changes its operand": (
        (
            "        return Value(max(0, self.data)",
            "        self.data = max(0, self.data)\n        return Value(self.data",
        ),
        "relu",
        "mutated-operand",
    ),
    "in place": (
        (
            "    def __neg__",
            "    def __iadd__(self, other):\n"
            "        self.data += other.data\n"
            "        return self\n\n"
            "    def __neg__",
        ),
        "operands left alone",
        "mutated-operand",
    ),
    "backward changes data": (
        ("        self.grad = 1\n", "        self.grad = 1\n        topo[0].data += 1\n"),
        "addition",
        "mutated-by-backward",
    ),
    "whole numbers": (
        ("self.data = data", "self.data = int(data)"),
        "a number in a Value",
        "value",
    ),
    "wrong value": (("self.data + other.data", "self.data + other.data + 1"), "addition", "value"),
    "exp to six digits": (
        ("(math.exp(self.data),)", "(round(math.exp(self.data), 6),)"),
        "exp",
        "precision",
    ),
    "exp times three": (
        ("(math.exp(self.data),)", "(3 * math.exp(self.data),)"),
        "exp",
        "local-derivative",
    ),
    "minus exp": (("(math.exp(self.data),)", "(-math.exp(self.data),)"), "exp", "sign"),
    "no exp": (("(math.exp(self.data),)", "(0.0,)"), "exp", "no-gradient"),
}


@pytest.mark.parametrize(("edit", "milestone", "cause"), IN_MICROGPT.values(), ids=IN_MICROGPT)
def test_a_mistake_in_tuples_of_local_derivatives(edit, milestone, cause):
    found = failures(grade(engine(MICROGPT, edit)))
    assert next(iter(found.items())) == (milestone, cause), found


def test_equal_data_explains_all_that_it_breaks():
    """In a + relu(a) it looks like a gradient that is assigned."""
    report = grade(engine(MICROGPT, IN_MICROGPT["equal data"][0]))
    assert named(report, "relu").program.splitlines()[1] == "y = a + a.relu()"
    assert set(failures(report).values()) == {"equal-data", "second-backward", "recursion-limit"}


IN_ORDER = ("set(_children)", "dict.fromkeys(_children).keys()")
"""Without a set, whose order differs from run to run."""


def _closure(name, before, after):
    """Return an edit of one operation of micrograd."""
    method = MICROGRAD[MICROGRAD.index(f"def {name}(") :].split("return out")[0]
    assert before in method
    return method, method.replace(before, after)


IN_MICROGRAD = {
    "assigned in addition": (_closure("__add__", "+=", "="), "reuse of a node", "assigned"),
    "assigned in multiplication": (_closure("__mul__", "+=", "="), "reuse of a node", "assigned"),
    "assigned in tanh": (_closure("tanh", "+=", "="), "tanh", "assigned"),
    "assigned in powers": (_closure("__pow__", "+=", "="), "powers", "assigned"),
    "assigned everywhere": (("grad += ", "grad = "), "reuse of a node", "assigned"),
    "no upstream in tanh": (_closure("tanh", " * out.grad", ""), "tanh", "upstream"),
    "no upstream in multiplication": (
        _closure("__mul__", " * out.grad", ""),
        "the chain",
        "upstream",
    ),
    "relu's derivative in tanh": (
        _closure("tanh", "(1 - t**2)", "(out.data > 0)"),
        "tanh",
        "pasted-derivative",
    ),
    "sigmoid's derivative in tanh": (
        _closure("tanh", "(1 - t**2)", "out.data * (1 - out.data)"),
        "tanh",
        "pasted-derivative",
    ),
    "exp like a power": (
        _closure("exp", "out.data * out.grad", "self.data * math.exp(self.data - 1) * out.grad"),
        "exp",
        "exp-power-rule",
    ),
    "abs changes its operand": (
        _closure("__abs__", "out =", "self.data = abs(self.data)\n        out ="),
        "abs",
        "mutated-operand",
    ),
    "no seed": (("        self.grad = 1\n", ""), "a number in a Value", "seed"),
    "root only": (
        ("for v in reversed(topo):\n            v._backward()", "self._backward()"),
        "the chain",
        "result-only",
    ),
    "no sweep at all": (
        ("for v in reversed(topo):\n            v._backward()", "pass"),
        "addition",
        "no-gradient",
    ),
    "before its operands": (
        (
            "                for child in v._prev:\n"
            "                    build_topo(child)\n"
            "                topo.append(v)",
            "                topo.insert(0, v)\n"
            "                for child in v._prev:\n"
            "                    build_topo(child)",
        ),
        "topological order",
        "topological-order",
    ),
    "operands recursively": (
        (
            "        for v in reversed(topo):\n            v._backward()",
            "        def visit(v):\n"
            "            v._backward()\n"
            "            for child in v._prev:\n"
            "                visit(child)\n"
            "        visit(self)",
        ),
        "topological order",
        "visited-twice",
    ),
    "breadth first": (
        (
            "for v in reversed(topo):\n            v._backward()",
            "waiting, seen = [self], {self}\n"
            "        while waiting:\n"
            "            v = waiting.pop(0)\n"
            "            v._backward()\n"
            "            for child in v._prev - seen:\n"
            "                seen.add(child)\n"
            "                waiting.append(child)",
        ),
        "topological order",
        "topological-order",
    ),
}


IN_MICROGRAD["no lowered exponent"] = (
    _closure("__pow__", "self.data**(other-1)", "self.data**other"),
    "powers",
    "power-exponent",
)
IN_MICROGRAD["equal data"] = (
    (
        "    def __neg__",
        "    __eq__ = lambda self, other: self.data == other.data\n"
        "    __hash__ = lambda self: hash(self.data)\n\n    def __neg__",
    ),
    "reuse of a node",
    "equal-data",
)


@pytest.mark.parametrize(("edit", "milestone", "cause"), IN_MICROGRAD.values(), ids=IN_MICROGRAD)
def test_a_mistake_in_closures(edit, milestone, cause):
    found = failures(grade(engine(MICROGRAD, IN_ORDER, edit)))
    assert next(iter(found.items())) == (milestone, cause), found


def test_a_mistake_in_an_unrelated_operation_is_not_blamed():
    lifted = "other = other if isinstance(other, Value) else Value(other)"
    edits = (
        (
            "return self + (-other)",
            f"{lifted}; return Value(self.data - other.data, (self, other), (3, -3))",
        ),
        ("(other * self.data ** (other - 1),)", "(3 * other * self.data ** (other - 1),)"),
    )
    report = grade(engine(MICROGPT, *edits))
    assert named(report, "subtraction and negation").cause == "local-derivative"
    assert named(report, "powers").program.splitlines()[1] == "y = a**2"
    assert named(report, "powers").cause == "local-derivative"
    assert named(report, "random graphs").outcome == "passed"


def test_a_mistake_in_an_operation_that_another_is_made_of_is_blamed():
    edit = ("(other * self.data ** (other - 1),)", "(3 * other * self.data ** (other - 1),)")
    result = named(grade(engine(MICROGPT, edit)), "division")
    assert result.cause == "earlier-mistake"
    assert result.diagnosis.endswith(": a**2 goes wrong as well; repair that first")


def test_a_wrong_power_does_not_hide_that_data_is_read_too_late():
    engines = [bug for bug in bug_lab.BUGS if bug.name in ("power-rule", "current-data")]
    both = bug_lab.engine_with(tuple(edit for bug in engines for edit in bug.edits))
    assert named(grade(both), "data changed afterwards").cause == "current-data"


def alternating():
    """Return a function that gives operands in one order, then the other, as a set may do."""
    reverse = False

    def keeping(operands):
        nonlocal reverse
        reverse = not reverse
        return operands[::-1] if reverse else operands

    return keeping


def test_numbers_that_change_from_run_to_run_show_a_missing_order():
    edits = (("set(_children)", "keeping(_children)"), IN_MICROGRAD["before its operands"][0])
    unsteady = engine(MICROGRAD, *edits, names={"keeping": alternating()})
    report = grade(unsteady)
    assert named(report, "multiplication").outcome == "passed"
    assert named(report, "topological order").cause == "topological-order"


def test_numbers_that_change_in_one_product_show_a_set_of_operands():
    edit = ("self._children = children", "self._children = keeping(children)")
    unsteady = engine(MICROGPT, edit, names={"keeping": alternating()})
    assert named(grade(unsteady), "multiplication").cause == "unordered-operands"


def test_a_missing_seed_is_told_from_one_that_leaves_alone_miss():
    no_seed = grade(engine(MICROGPT, IN_MICROGPT["no seed"][0])).results[0]
    assert "every gradient stays 0" in no_seed.diagnosis
    of_leaves = grade(engine(MICROGPT, IN_MICROGPT["no seed of leaves"][0])).results[0]
    assert of_leaves.diagnosis == (
        "Value(3.0).backward() gave a.grad = 0, expected 1:"
        " backward() of a leaf has to start from self.grad = 1, too"
    )


# -- what engines do beside computing ------------------------------------------------------------


def test_missing_operations_are_listed_and_fail_nobody():
    lacking = ("__mul__", "__rmul__", "__sub__", "__neg__", "__truediv__", "__pow__", "relu")
    report = grade(engine(MICROGPT, *((f"def {m}(", f"def no{m}(") for m in lacking)))
    assert named(report, "multiplication").outcome == "skipped"
    assert named(report, "multiplication").missing == ("a * b",)
    assert named(report, "relu").missing == ("a.relu()", "a * b")
    assert named(report, "topological order").outcome == "skipped"
    assert named(report, "reuse of a node").outcome == "passed"
    assert named(report, "reuse of a node").missing == ("a * b",)
    assert failures(report) == {"deep graphs": "recursion-limit"}


def test_what_is_declared_as_not_implemented_is_missing():
    body = "def exp(self):\n        raise NotImplementedError\n        "
    report = grade(engine(MICROGPT, ("def exp(self):\n        ", body)))
    assert (named(report, "exp").outcome, named(report, "exp").missing) == (
        "skipped",
        ("a.exp()", "a.exp() * b", "a + a.exp()"),
    )


@pytest.mark.parametrize("exponent", ["assert not isinstance(other, Value)", "other + 0.0"])
def test_values_as_exponents_may_be_refused(exponent):
    edit = ("def __pow__(self, other):\n", f"def __pow__(self, other):\n        {exponent}\n")
    assert named(grade(engine(MICROGPT, edit)), "Values as exponents").outcome == "skipped"


START = "self.grad = 0\n"
BACKWARD = "def backward(self):\n"
EQUAL = "    def __eq__(self, other):\n        return self.data == other.data\n\n"
IN_EVERY_PROGRAM = {
    "no gradient to begin with": (
        ((START, "self.grad = None\n"), ("self.grad = 1\n", "self.grad = 1.0\n")),
        "grad-none",
        "the gradient starts as None; start it at 0.0",
    ),
    "the seed as an argument": (
        ((BACKWARD, "def backward(self, grad):\n"),),
        "backward-argument",
        "backward() has to work without an argument, with 1 as the gradient of the result",
    ),
    "equality without a hash": (
        (("    def __neg__", EQUAL + "    def __neg__"),),
        "unhashable",
        "__eq__ without __hash__: add __hash__ = object.__hash__, or"
        " def __hash__(self): return id(self)",
    ),
    "no memory": (
        ((BACKWARD, BACKWARD + "        raise MemoryError\n"),),
        "memory",
        "the engine needs more memory than there is",
    ),
    "an exception that no mistake explains": (
        ((BACKWARD, BACKWARD + "        raise ValueError('no')\n"),),
        "",
        "the line 'a.backward()' of this program should not raise an exception",
    ),
}


@pytest.mark.parametrize(
    ("edits", "cause", "words"), IN_EVERY_PROGRAM.values(), ids=IN_EVERY_PROGRAM
)
def test_an_exception_of_all_milestones_is_written_out_once(edits, cause, words):
    report = grade(engine(MICROGPT, *edits))
    failed = [r for r in report.results if r.outcome == "failed"]
    assert len(failed) > 12
    assert {r.cause for r in failed} <= {cause, "recursion-limit"}
    assert failed[0].diagnosis.endswith(f": {words}")
    text = report.text()
    assert text.count("  diagnosis:") == len({r.cause for r in failed})
    assert text.count("  likewise:") == 1


def test_a_list_that_is_hashed_has_nothing_to_do_with_equality():
    result = named(grade(engine(MICROGPT, ("visited.add(v)", "visited.add([v])"))), "addition")
    assert (result.got, result.cause) == ("TypeError: unhashable type: 'list'", "")


def test_exceptions_that_differ_are_written_out_each():
    edits = [
        (f"def {name}(self):\n", f"def {name}(self):\n        raise ValueError('{name}')\n")
        for name in ("exp", "log")
    ]
    lines = grade(engine(MICROGPT, *edits)).text().splitlines()
    assert {"exp:", "log:"} < set(lines)


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("statement", "got"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise UnprintableError", "UnprintableError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("raise ValueError('a' * 1000)", None),
        ("self.backward()", None),
    ],
)
def test_every_exception_is_a_result(statement, got):
    source = MICROGPT.replace("        topo = []\n", f"        {statement}\n        topo = []\n")
    raising = engine(source, names={"UnprintableError": UnprintableError})
    result = named(grade(raising), "addition")
    assert result.outcome == "failed"
    assert result.program == "a = Value(2.0)\nb = Value(3.0)\ny = a + b\ny.backward()"
    assert result.diagnosis.startswith(f"a + b gave {result.got}: ")
    assert result.expected == "no exception"
    assert len(result.got) < 260
    if got is not None:
        assert result.got == got


@pytest.mark.parametrize(
    ("gradient", "shown"),
    [("None", "None"), ("'1'", "'1'"), ("[1.0]", "[1.0]"), ("1j", "1j"), ("math.nan", "nan")],
)
def test_a_gradient_that_is_no_number_fails(gradient, shown):
    edit = ("child.grad += local_grad * v.grad", f"child.grad = {gradient}")
    result = named(grade(engine(MICROGPT, edit)), "addition")
    assert (result.outcome, result.got, result.expected) == ("failed", shown, "1")
    assert (result.cause == "not-a-number") == (shown != "nan")


def test_numbers_of_other_types_are_numbers():
    np = pytest.importorskip("numpy")
    edit = ("self.data = data", "self.data = array(data, dtype=float)")
    arrays = engine(MICROGPT, edit, names={"array": np.array})
    assert set(failures(grade(arrays)).values()) == {"second-backward", "recursion-limit"}


def test_an_interrupt_by_the_user_is_not_graded():
    edit = ("        topo = []\n", "        raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        grade(engine(MICROGPT, edit))


def test_paths_are_counted_not_timed_where_their_number_explodes():
    pushing = """\
    def backward(self, grad=1):
        self.grad += grad
        for child, local_grad in zip(self._children, self._local_grads):
            child.backward(local_grad * grad)

    def unused(self):
"""
    recursive = engine(MICROGPT, ("    def backward(self):\n", pushing))
    assert failures(grade(recursive)) == {
        "many paths": "every-path",
        "deep graphs": "recursion-limit",
    }
    assert sys.getprofile() is None


def test_an_attribute_that_is_missing_is_seen_where_it_is_read():
    edits = (('"grad", ', '"gradient", '), ("self.grad =", "self.gradient ="))
    result = named(grade(engine(MICROGPT, *edits)), "a number in a Value")
    assert result.program == "a = Value(3.0)\na.backward()\nprint(a.grad)"
    assert (result.expected, result.got) == (
        "1",
        "AttributeError: 'Value' object has no attribute 'grad'",
    )


def test_anything_but_a_class_is_refused():
    with pytest.raises(TypeError, match="grade takes an engine's class, got 3"):
        grade(3)


# -- programs ------------------------------------------------------------------------------------


def test_the_right_numbers_are_those_of_mathematics():
    wanted = {t.title: expected(t) for m in MILESTONES for t in m.trials}
    assert wanted["a**b * c"] == (40.0, 2.0, 3.0, 5.0, 60.0, 40.0 * math.log(2.0), 8.0)
    assert wanted["(a * b) * c"] == (30.0, 2.0, 3.0, 5.0, 15.0, 10.0, 6.0)
    assert wanted["2 / a"] == (0.5, 4.0, -0.125)
    assert wanted["backward() twice of x * x * x"] == (54.0,)
    assert wanted["a + a, 40 times over"] == (2.0**40,)
    assert wanted["a**2, then a.data = 10.0"] == (6.0,)


def test_the_first_failing_program_is_reported_as_it_can_be_run():
    result = named(grade(faulty_engine("assigned")), "reuse of a node")
    assert result.program.splitlines() == [
        "a = Value(3.0)",
        "y = a + a",
        "y.backward()",
        "print(a.grad)",
    ]
    assert (result.expected, result.got) == ("2", "1")
    assert result.diagnosis == (
        "a + a gave a.grad = 1, expected 2: the gradient is assigned, not added"
        " (write += instead of =)"
    )


def test_a_failing_random_graph_is_made_small():
    (milestone,) = [m for m in MILESTONES if m.name == "random graphs"]
    result = grade_milestone(milestone, faulty_engine("assigned"))
    assert result.program == "a = Value(2.0)\nb = a + a\nb.backward()\nprint(a.grad)"


def test_no_step_of_a_smallest_graph_can_be_left_out():
    engine_class = faulty_engine("topological-order")

    def fails(graph):
        trial = random_graphs.trial(graph)
        observed = run(trial, engine_class)
        return isinstance(observed, Numbers) and first_wrong(trial, observed) is not None

    failing = [graph for graph in random_graphs.DRAWN.values() if fails(graph)]
    assert len(failing) > 3
    for graph in failing:
        smallest = random_graphs.smallest(graph, fails)
        assert fails(smallest)
        assert len(smallest) == 3  # a shared result, its consumer, and a consumer of both


# -- the report ----------------------------------------------------------------------------------


def test_the_report_of_micrograd_as_text():
    text = grade(micrograd.engine.Value, name="micrograd").text("utf-8")
    lines = text.splitlines()
    assert lines[0] == "micrograd"
    assert lines[2] == "✓ a number in a Value"
    assert "– Values as exponents (not tried: a**b, 2**a, a**b * c)" in lines
    assert "✗ backward twice" in lines
    place = lines.index("backward twice:")
    assert lines[place + 1 : place + 8] == [
        "    x = Value(3.0)",
        "    y = x * x * x",
        "    y.backward()",
        "    y.backward()",
        "    print(x.grad)",
        "  expected:  54",
        "  got:       72",
    ]
    assert lines[place + 8].startswith(
        "  diagnosis: backward() twice of x * x * x gave x.grad = 72"
    )
    assert lines[-1] == f"15 of {len(MILESTONES)} milestones passed, 7 skipped"


def test_a_long_diagnosis_is_wrapped_in_the_text_only():
    report = grade(micrograd.engine.Value)
    diagnosis = named(report, "backward twice").diagnosis
    assert len(diagnosis) > 150
    assert "\n" not in diagnosis
    lines = report.text().splitlines()
    assert max(map(len, lines[len(MILESTONES) + 2 :])) <= 100
    place = lines.index("backward twice:") + 8
    assert lines[place : place + 3] == [
        "  diagnosis: backward() twice of x * x * x gave x.grad = 72, expected 54: a second"
        " backward() adds",
        "             to the gradients of interior nodes that the first one left: set them to 0"
        " before the",
        "             sweep (leaves accumulate)",
    ]


def test_one_mistake_is_written_out_once_and_two_in_two_functions_twice():
    lines = grade(faulty_engine("division-sign")).text().splitlines()
    assert "  likewise:  constants and reflected operators" in lines
    assert "constants and reflected operators:" not in lines
    pasted = (
        _closure("tanh", "(1 - t**2)", "(out.data > 0)"),
        _closure("sigmoid", "out.data * (1 - out.data)", "(out.data > 0)"),
    )
    lines = grade(engine(MICROGRAD, *pasted)).text().splitlines()
    assert {"tanh:", "sigmoid:"} < set(lines)


def test_a_long_list_of_missing_functions_is_cut_in_the_text_only():
    report = grade(micrograd.engine.Value)
    missing = named(report, "other functions").missing
    assert len(missing) > 6
    assert f"a.acos() and {len(missing) - 6} more)" in report.text()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", None])
def test_a_console_without_check_marks_gets_words(encoding):
    text = grade(faulty_engine("subtraction-sign"), name="Übung").text(encoding)
    assert "\nok     addition\n" in text
    assert "\nFAILED subtraction and negation\n" in text
    assert text.encode(encoding or "ascii")


def test_printing_a_report_suits_standard_output(monkeypatch):
    class Console:
        encoding = "ascii"

    report = grade(faulty_engine("assigned"))
    monkeypatch.setattr(sys, "stdout", Console)
    assert str(report) == report.text("ascii") != report.text("utf-8")


def test_a_report_is_data_for_json():
    report = grade(faulty_engine("pasted-derivative"), name="mine")
    data = json.loads(json.dumps(report.as_data()))
    assert (data["engine"], data["passed"]) == ("mine", False)
    (failed,) = [r for r in data["results"] if r["outcome"] == "failed"]
    assert (failed["milestone"], failed["cause"]) == ("tanh", "pasted-derivative")


def test_a_report_in_a_notebook_is_its_text():
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    report = grade(faulty_engine("assigned"), milestones=["addition", "reuse of a node"])
    assert pretty(report) == report.text()


# -- some milestones only ------------------------------------------------------------------------


def test_milestones_that_are_chosen_are_tried_in_their_order():
    report = grade(engine(MICROGPT), milestones=iter(["deep graphs", "addition"]))
    assert [(r.milestone, r.outcome) for r in report.results] == [
        ("addition", "passed"),
        ("deep graphs", "failed"),
    ]


@pytest.mark.parametrize(
    ("milestones", "kind", "message"),
    [
        ("addition", TypeError, "milestones is a list of names, got text: 'addition'"),
        (["adition"], ValueError, "there is no milestone 'adition'; there are a number in a Value"),
        ([], ValueError, "milestones is empty"),
    ],
)
def test_milestones_that_do_not_exist_are_refused(milestones, kind, message):
    with pytest.raises(kind, match=message):
        grade(autograd_lite.Value, milestones=milestones)
