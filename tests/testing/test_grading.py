"""The grader: what it finds in engines of other people, and that nothing they do disturbs it."""

import sys

import micrograd.engine
import pytest
from student_engines import MICROGPT, MICROGRAD, engine

import autograd_lite
from autograd_lite.testing import grade
from autograd_lite.testing.grading.milestones import MILESTONES

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
    "seed 2": (("self.grad = 1\n", "self.grad = 2\n"), "a number in a Value", ""),
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
        "",
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


@pytest.mark.parametrize(("edit", "milestone", "cause"), IN_MICROGRAD.values(), ids=IN_MICROGRAD)
def test_a_mistake_in_closures(edit, milestone, cause):
    found = failures(grade(engine(MICROGRAD, IN_ORDER, edit)))
    assert next(iter(found.items())) == (milestone, cause), found
