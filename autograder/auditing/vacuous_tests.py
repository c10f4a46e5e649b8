"""Criteria that can end without a comparison, read off the test cell itself.

Such a criterion is met by nobody who takes that way through it, and nobody reads why. Two things
are looked for: a path from a criterion's beginning to its end without a comparison on it, and a
`return` before its end, which says that there is nothing to compare with. What counts as a
comparison is what `autograder.course.comparisons` notes.

A loop is taken to run at least once, unless it runs over a `zip` that is not strict: what a student's function
returns may be empty.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograder.course.comparisons import FUNCTIONS, JUDGING, add_notes, called_name, is_note
from autograder.course.exam import Exam

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class VacuousCriterion:
    """A criterion that can end without a comparison, and the lines of its test cell at which it
    can.
    """

    assignment: str
    exercise: str
    sentence: str
    lines: tuple[int, ...]


def find_vacuous_criteria(exam: Exam) -> list[VacuousCriterion]:
    """Return the criteria of an assignment's tests that can end without a comparison, in the order
    of the tests.
    """
    found: list[VacuousCriterion] = []
    known: dict[str, Function] = {}
    for exercise, source in exam.tests.items():
        tree = _parsed(source)
        known |= {node.name: node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)}
        for check in tree.body:
            sentence = _sentence(check) if isinstance(check, FUNCTIONS) else None
            if sentence is not None and isinstance(check, FUNCTIONS):
                lines = {*_Paths(known).ends_of(check), *_early_returns(check)}
                if lines:
                    found.append(
                        VacuousCriterion(exam.assignment, exercise, sentence, tuple(sorted(lines)))
                    )
    return found


def _parsed(source: str) -> ast.Module:
    try:
        return add_notes(ast.parse(source))
    except SyntaxError:  # a magic
        return ast.Module([], [])


def _sentence(check: Function) -> str | None:
    """Return the sentence of a criterion, None for any other function."""
    for decorator in check.decorator_list:
        if isinstance(decorator, ast.Call) and called_name(decorator) == "criterion":
            given = [
                *decorator.args[1:2],
                *(entry.value for entry in decorator.keywords if entry.arg == "sentence"),
            ]
            return next(
                (str(entry.value) for entry in given if isinstance(entry, ast.Constant)), check.name
            )
    return None


def _early_returns(check: Function) -> Iterator[int]:
    """Yield the lines of returns before the end; one that is itself the decision has a note before
    it.
    """
    for body in _bodies(check):
        for before, statement in zip([None, *body], body, strict=False):
            last = statement is check.body[-1]
            if (
                isinstance(statement, ast.Return)
                and not last
                and not (before is not None and is_note(before))
            ):
                yield statement.lineno


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements of a function, without those of the functions in it."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list):
            yield body
            for statement in body:
                if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
                    yield from _bodies(statement)
    for part in [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
        yield from _bodies(part)


@dataclass
class _Paths:
    """Follows the paths through functions; `known` are those of the tests, by name."""

    known: dict[str, Function]
    _found: dict[str, bool] = field(default_factory=dict)
    _ends: list[int] = field(default_factory=list)

    def ends_of(self, function: Function) -> list[int]:
        """Return the lines at which a function ends without a comparison."""
        ends_of_caller = self._ends  # one function is followed while another is, when that calls it
        self._ends = []
        if self._follow(function.body, False) is False:
            self._ends.append(function.body[-1].lineno)
        ends = self._ends
        self._ends = ends_of_caller
        return ends

    def _follow(self, body: Sequence[ast.stmt], compared: bool) -> bool | None:
        """Return whether every path through statements has come past a comparison, None where none
        gets through.
        """
        state: bool | None = compared
        for statement in body:
            if state is None:
                return None
            state = self._step(statement, state)
        return state

    def _step(self, node: ast.stmt, compared: bool) -> bool | None:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return compared
        if is_note(node):
            return True
        compared = compared or self._compares(node)
        match node:
            case ast.Return():
                if not compared:
                    self._ends.append(node.lineno)
                return None
            case ast.Raise() | ast.Continue():  # another round of a loop may compare
                return None
            case ast.If():
                return _all(self._follow(node.body, compared), self._follow(node.orelse, compared))
            case ast.For() | ast.AsyncFor():
                once = self._follow(node.body, compared)
                if _may_be_empty(node.iter):
                    once = _all(once, compared)
                return (
                    once
                    if not node.orelse
                    else self._follow(node.orelse, compared if once is None else once)
                )
            case ast.While():
                return _all(
                    self._follow(node.body, compared), None if _is_true(node.test) else compared
                )
            case ast.With() | ast.AsyncWith():
                return self._follow(node.body, compared)
            case ast.Try():
                after = self._follow([*node.body, *node.orelse], compared)
                handled = [self._follow(handler.body, compared) for handler in node.handlers]
                state = _all(after, *handled)
                return state if state is None else self._follow(node.finalbody, state)
            case ast.Match():
                return _all(compared, *(self._follow(case.body, compared) for case in node.cases))
        return compared

    def _compares(self, node: ast.stmt) -> bool:
        """Whether a statement's own expressions call something that always compares."""
        left: list[ast.AST] = [
            child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)
        ]
        while left:
            part = left.pop()
            if isinstance(part, ast.Lambda | ast.ExceptHandler | ast.match_case):
                continue
            if isinstance(part, ast.Call) and self._always_compares(called_name(part)):
                return True
            left += ast.iter_child_nodes(part)
        return False

    def _always_compares(self, name: str) -> bool:
        if name.startswith(JUDGING):
            return True
        if name not in self._found:
            self._found[name] = False  # where it calls itself, too
            if name in self.known:
                self._found[name] = not self.ends_of(self.known[name])
        return self._found[name]


def _all(*states: bool | None) -> bool | None:
    through = [state for state in states if state is not None]
    return all(through) if through else None


def _may_be_empty(iterated: ast.expr) -> bool:
    if isinstance(iterated, ast.List | ast.Tuple):
        return not iterated.elts
    strict = isinstance(iterated, ast.Call) and any(
        entry.arg == "strict" for entry in iterated.keywords
    )
    return called_name(iterated) == "zip" and not strict


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)
