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
        tree = _parse_test(source)
        # A test may call a helper that an earlier test defines: they run in one namespace
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS):
                known[node.name] = node
        for check in tree.body:
            if not isinstance(check, FUNCTIONS):
                continue
            sentence = _read_sentence(check)
            if sentence is None:
                continue
            lines = sorted({*_Paths(known).ends_of(check), *_find_early_returns(check)})
            if lines:
                found.append(VacuousCriterion(exam.assignment, exercise, sentence, tuple(lines)))
    return found


def _parse_test(source: str) -> ast.Module:
    try:
        return add_notes(ast.parse(source))
    # A magic of IPython's: nothing can be said of such a test
    except SyntaxError:
        return ast.Module([], [])


def _read_sentence(check: Function) -> str | None:
    """Return the sentence of a criterion, None for any other function."""
    for decorator in check.decorator_list:
        if isinstance(decorator, ast.Call) and called_name(decorator) == "criterion":
            given = list(decorator.args[1:2])
            for keyword in decorator.keywords:
                if keyword.arg == "sentence":
                    given.append(keyword.value)
            for value in given:
                if isinstance(value, ast.Constant):
                    return str(value.value)
            return check.name
    return None


def _find_early_returns(check: Function) -> Iterator[int]:
    """Yield the lines of returns before the end; one that is itself the decision has a note before
    it.
    """
    for body in _list_bodies(check):
        has_note = False
        for statement in body:
            is_last = statement is check.body[-1]
            if isinstance(statement, ast.Return) and not is_last and not has_note:
                yield statement.lineno
            has_note = is_note(statement)


def _list_bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements of a function, without those of the functions in it."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list):
            yield body
            for statement in body:
                if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
                    yield from _list_bodies(statement)
    for part in [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
        yield from _list_bodies(part)


@dataclass
class _Paths:
    """Follows the paths through functions; `known` are those of the tests, by name."""

    known: dict[str, Function]
    _found: dict[str, bool] = field(default_factory=dict)
    _ends: list[int] = field(default_factory=list)

    def ends_of(self, function: Function) -> list[int]:
        """Return the lines at which a function ends without a comparison."""
        # One function is followed while another is, when that calls it
        ends_of_caller = self._ends
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
            # What is raised is a verdict; another round of a loop may compare
            case ast.Raise() | ast.Continue():
                return None
            case ast.If() | ast.Match():
                return self._follow_choice(node, compared)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._follow_loop(node, compared)
            case ast.With() | ast.AsyncWith():
                return self._follow(node.body, compared)
            case ast.Try():
                return self._follow_try(node, compared)
        return compared

    def _follow_choice(self, node: ast.If | ast.Match, compared: bool) -> bool | None:
        if isinstance(node, ast.If):
            return _join(self._follow(node.body, compared), self._follow(node.orelse, compared))
        ways = [self._follow(case.body, compared) for case in node.cases]
        # No case need fit
        return _join(compared, *ways)

    def _follow_loop(self, node: ast.For | ast.AsyncFor | ast.While, compared: bool) -> bool | None:
        once = self._follow(node.body, compared)
        if isinstance(node, ast.While):
            return once if _is_true(node.test) else _join(once, compared)
        if _may_be_empty(node.iter):
            once = _join(once, compared)
        if not node.orelse:
            return once
        return self._follow(node.orelse, compared if once is None else once)

    def _follow_try(self, node: ast.Try, compared: bool) -> bool | None:
        # From before the body: its first statement may be the one that raises
        ways = [self._follow(handler.body, compared) for handler in node.handlers]
        state = _join(self._follow([*node.body, *node.orelse], compared), *ways)
        return state if state is None else self._follow(node.finalbody, state)

    def _compares(self, node: ast.stmt) -> bool:
        """Whether a statement's own expressions call something that always compares."""
        left: list[ast.AST] = list(ast.iter_child_nodes(node))
        while left:
            part = left.pop()
            # What is in them runs later, or not at all; statements are steps of their own
            if isinstance(part, ast.stmt | ast.Lambda | ast.ExceptHandler | ast.match_case):
                continue
            if isinstance(part, ast.Call) and self._always_compares(called_name(part)):
                return True
            left += ast.iter_child_nodes(part)
        return False

    def _always_compares(self, name: str) -> bool:
        if name.startswith(JUDGING):
            return True
        if name not in self._found:
            # For now, so that one that calls itself comes to an end
            self._found[name] = False
            if name in self.known:
                self._found[name] = not self.ends_of(self.known[name])
        return self._found[name]


def _join(*states: bool | None) -> bool | None:
    """Return what holds where several ways come together; None of them gets through nowhere."""
    through = [state for state in states if state is not None]
    return all(through) if through else None


def _may_be_empty(iterated: ast.expr) -> bool:
    if isinstance(iterated, ast.List | ast.Tuple):
        return not iterated.elts
    if called_name(iterated) != "zip" or not isinstance(iterated, ast.Call):
        return False
    return not any(keyword.arg == "strict" for keyword in iterated.keywords)


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)
