"""Whether a test asks what is true in one process only: what an object shares with another, a list
that an answer should have copied say, or what the process itself needs.

What crosses the jail's wall is copied on its way. There a list that the test goes on changing is not
the one that an answer kept, and no wrong answer would be told from a right one. Read from the test's
text, because neither the own solution nor the unsolved notebook shows it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum

from autograder.course.cell_statements import read_statements

CHANGING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard"}
    | {"update", "setdefault", "popitem", "appendleft", "extendleft", "popleft", "rotate", "fill"}
)
OF_PROCESS = frozenset(
    {"tracemalloc", "process_time", "process_time_ns", "thread_time", "getrusage", "getsizeof"}
)
OF_MEMORY = frozenset({"shares_memory", "may_share_memory"})


class _Kind(Enum):
    """What comes from an answer: an instance of one of its classes, or any other value."""

    OBJECT = "object"
    VALUE = "value"


def asks_what_is_shared(source: str, classes: Collection[str], functions: Collection[str]) -> bool:
    """Whether a test changes what it got from an answer or gave to one of its objects, or asks
    whether two things are the same.

    Parameters
    ----------
    classes, functions : collection of str
        What the answers define.
    """
    nodes = []
    for statement in read_statements(source):
        nodes += list(ast.walk(statement))
    reader = _Reader(frozenset(classes), frozenset(functions))
    # Twice: what a function of the test returns may be bound above it.
    for _ in range(2):
        for node in nodes:
            reader.follow_assignment(node)
    kept: set[str] = set()
    given: set[str] = set()
    for node in nodes:
        kept.update(reader.list_given_names(node, to_functions=False))
        given.update(reader.list_given_names(node, to_functions=True))
    for node in nodes:
        # A number in an array changes from call to call where derivatives are measured; a function
        # that is given a list which grows may well have kept it.
        able_to_keep = given if isinstance(node, ast.Call) else kept
        for changed in _list_changed(node):
            is_given = isinstance(changed, ast.Name) and changed.id in able_to_keep
            if is_given or reader.kind_of(changed) is _Kind.VALUE:
                return True
        if reader.asks_for_identity(node):
            return True
    return False


def asks_of_its_process(source: str) -> bool:
    """Whether a test measures memory or the processor's time, or asks which modules are loaded."""
    for statement in read_statements(source):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id in OF_PROCESS:
                return True
            if isinstance(node, ast.Attribute):
                of_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
                if node.attr in OF_PROCESS or (of_sys and node.attr == "modules"):
                    return True
    return False


@dataclass
class _Reader:
    """Follows what comes from the answers through the names of a test."""

    classes: frozenset[str]
    functions: frozenset[str]
    _kinds: dict[str, _Kind] = field(default_factory=dict)

    def kind_of(self, node: ast.AST) -> _Kind | None:
        """Return what an expression's value is of the answers', None if nothing."""
        if isinstance(node, ast.Name):
            return self._kinds.get(node.id)
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name):
                return self.kind_of(node.func)
            if node.func.id in self.classes:
                return _Kind.OBJECT
            return _Kind.VALUE if node.func.id in self.functions else None
        if isinstance(node, ast.Attribute | ast.Subscript):
            return _Kind.VALUE if self.kind_of(node.value) else None
        return None

    def follow_assignment(self, node: ast.AST) -> None:
        """Note which names an assignment binds to something of the answers'."""
        if not isinstance(node, ast.Assign):
            return
        for target in node.targets:
            parts: list[ast.expr] = [target]
            values: list[ast.expr] = [node.value]
            if isinstance(target, ast.Tuple):
                parts = list(target.elts)
                # One call may give several values, and a line may bind several names.
                values = [node.value] * len(parts)
                if isinstance(node.value, ast.Tuple):
                    values = list(node.value.elts)
            for part, value in zip(parts, values, strict=False):
                kind = self.kind_of(value)
                if isinstance(part, ast.Name) and kind is not None:
                    self._kinds[part.id] = kind

    def list_given_names(self, node: ast.AST, *, to_functions: bool) -> Iterator[str]:
        """Yield the names of what a call gives to something of the answers', which may keep it."""
        if not isinstance(node, ast.Call):
            return
        func = node.func
        makes_one = isinstance(func, ast.Name) and func.id in self.classes
        asks_one = isinstance(func, ast.Attribute) and self.kind_of(func.value) is _Kind.OBJECT
        calls_one = to_functions and isinstance(func, ast.Name) and func.id in self.functions
        if makes_one or asks_one or calls_one:
            for argument in node.args:
                if isinstance(argument, ast.Name):
                    yield argument.id

    def asks_for_identity(self, node: ast.AST) -> bool:
        """Whether something of the answers' is compared by `is`, or by the memory it lies in."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return node.func.attr in OF_MEMORY and any(map(self.kind_of, node.args))
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Is | ast.IsNot):
            return False
        sides = (node.left, node.comparators[0])
        if any(isinstance(side, ast.Constant) for side in sides):
            return False
        return self.kind_of(sides[0]) is not None and self.kind_of(sides[1]) is not None


def _list_changed(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a statement changes in place."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            yield node.func.value
    elif isinstance(node, ast.Assign | ast.Delete):
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                yield target.value
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
        yield node.target.value
