"""Mutants: a right answer with one small change each, which good tests should notice.

The changes are those that students make: another operator, axis or constant, a transpose or a term forgotten, two
arguments in the wrong order, a loop that ends too early, a line left out. Only what stands between the course's
solution marks is changed, because the rest of the cell is given to the student.
"""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from autograder.course.source_markers import NBGRADERS, Markers, number_solution_lines

Node = TypeVar("Node", bound=ast.AST)
# A smaller constant is there to avoid a division by zero; only another magnitude is another answer
TINY = 1e-3

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
FUNCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "zeros": "ones",
    "ones": "zeros",
    "std": "var",
    "sqrt": "square",
    "log": "log10",
    "randn": "rand",
    "permutation": "arange",
    "floor": "ceil",
    "ceil": "floor",
    "all": "any",
    "any": "all",
}
# Without these an answer is written otherwise, but hardly wrong.
CONVERSIONS = frozenset(
    {"float", "int", "list", "tuple", "dict", "array", "asarray", "print", "range", "len", "super"}
)


@dataclass(frozen=True)
class Mutant:
    """A solution cell with one change.

    Attributes
    ----------
    source : str
        The changed cell.
    line : int
        Where in the cell the change is, from 1.
    before, after : str
        The changed lines as they were and as they are now, as Python writes them.
    """

    source: str
    line: int
    before: str
    after: str


def make_mutants(source: str, markers: Markers = NBGRADERS) -> list[Mutant]:
    """Return all mutants of a solution cell; none if it is not plain Python.

    Parameters
    ----------
    source : str
        The cell, with the solution marks if it has any.
    markers : Markers
        The course's marks.
    """
    try:
        tree = ast.parse(source)
    # A magic of IPython's, perhaps: such a cell is not tried
    except SyntaxError:
        return []
    allowed = number_solution_lines(source, markers)
    # Both sides of a change as Python writes them, so that a mutant differs in nothing but its change
    plain = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    # All places before the first change: the tree is changed in place, and put back, while they are gone through
    for place in list(_places(tree)):
        node = place.get()
        line = getattr(node, "lineno", 0)
        if line not in allowed:
            continue
        for changed in _changes(node, place):
            place.put(changed)
            text = ast.unparse(ast.fix_missing_locations(tree))
            place.put(node)
            if text != plain and _is_python(text):
                found.setdefault(text, _describe_mutant(plain, text, line))
    return sorted(found.values(), key=lambda mutant: mutant.line)


def _describe_mutant(plain: str, text: str, line: int) -> Mutant:
    before = []
    after = []
    for row in difflib.ndiff(plain.splitlines(), text.splitlines()):
        if row.startswith("- "):
            before.append(row[2:].strip())
        elif row.startswith("+ "):
            after.append(row[2:].strip())
    return Mutant(text, line, "\n".join(before), "\n".join(after))


def _is_python(text: str) -> bool:
    try:
        compile(text, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class _Place:
    """Where in the tree a node stands."""

    parent: ast.AST
    field: str
    index: int | None = None

    def get(self) -> ast.AST:
        value = getattr(self.parent, self.field)
        node: ast.AST = value if self.index is None else value[self.index]
        return node

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _places(tree: ast.AST) -> Iterator[_Place]:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            # The pieces of a text: no test is expected to look at what is printed
            if isinstance(parent, ast.JoinedStr | ast.FormattedValue) and field != "value":
                continue
            if isinstance(value, ast.AST):
                yield _Place(parent, field)
            elif isinstance(value, list):
                for index, node in enumerate(value):
                    if isinstance(node, ast.AST):
                        yield _Place(parent, field, index)


def _changes(node: ast.AST, place: _Place) -> Iterable[ast.AST]:
    """Return what may stand in the place of a node instead."""
    if isinstance(node, ast.stmt):
        return _of_statement(node)
    if isinstance(node, ast.BinOp):
        return _of_operation(node, squared=_squares(place.parent))
    for kind, change in _OF_EXPRESSION.items():
        if isinstance(node, kind):
            return change(node)
    return ()


def _of_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    if _can_be_left_out(node):
        yield ast.Pass()
    match node:
        case ast.AugAssign():
            for operator in OPERATORS.get(type(node.op), ()):
                yield _with(node, op=operator())
            yield ast.Assign([node.target], node.value)
        case ast.Assign(
            targets=[ast.Name(id=name) as target, *_],
            value=ast.BinOp(left=ast.Name(id=changed), op=operation, right=right),
        ) if name == changed:
            # In place it may change the argument of the caller, too
            yield ast.AugAssign(target, operation, right)
        case ast.If():
            yield _with(node, test=ast.Constant(True))
        case ast.For() | ast.While():
            yield _with(node, body=[*node.body, ast.Break()])
        case ast.Return(value=ast.Tuple(elts=[first, second, *rest]) as returned):
            yield _with(node, value=_with(returned, elts=[second, first, *rest]))


def _can_be_left_out(node: ast.stmt) -> bool:
    """Whether a cell without this statement is still an answer: a name that is never bound is one
    that nobody hands in.
    """
    match node:
        case ast.AugAssign() | ast.If() | ast.For() | ast.While() | ast.Continue():
            return True
        case ast.Assign(targets=[target, *_]):
            return not isinstance(target, ast.Name | ast.Tuple)
        case ast.Expr(value=ast.Call() as call):
            return _name_of(call) != "print"
    return False


def _squares(node: ast.AST) -> bool:
    exponent = node.right if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else None
    return isinstance(exponent, ast.Constant) and exponent.value == 2


def _of_operation(node: ast.BinOp, *, squared: bool) -> Iterator[ast.expr]:
    for operator in OPERATORS.get(type(node.op), ()):
        yield _with(node, op=operator())
    yield node.left
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.MatMult):
        yield node.right
    # Only where the order matters; (b - a)**2 is (a - b)**2
    if isinstance(node.op, ast.Div | ast.MatMult) or (isinstance(node.op, ast.Sub) and not squared):
        yield _with(node, left=node.right, right=node.left)


def _of_comparison(node: ast.Compare) -> Iterator[ast.expr]:
    for operator in COMPARISONS.get(type(node.ops[0]), ()):
        yield _with(node, ops=[operator(), *node.ops[1:]])


def _of_logic(node: ast.BoolOp) -> Iterator[ast.expr]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    yield from node.values


def _of_choice(node: ast.IfExp) -> Iterator[ast.expr]:
    yield node.body
    yield node.orelse


def _of_constant(node: ast.Constant) -> Iterator[ast.expr]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        # A small number is an axis, an index or an exponent; a large one a size, and one more is hardly noticed
        others = (value + 1, value - 1) if abs(value) <= 10 else (0, -value)
        for other in others:
            yield ast.Constant(other)
    elif isinstance(value, float) and 0 < abs(value) < TINY:
        yield from (ast.Constant(0.0), ast.Constant(0.1))
    elif isinstance(value, float | complex):
        yield from (ast.Constant(2 * value), ast.Constant(value + 1))


def _of_call(node: ast.Call) -> Iterator[ast.expr]:
    name = _name_of(node)
    for keyword in node.keywords:
        yield _with(node, keywords=[other for other in node.keywords if other is not keyword])
    if len(node.args) >= 2:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    if name in FUNCTIONS:
        yield _with(node, func=_renamed(node.func, FUNCTIONS[name]))
    if name == "range":
        yield from _of_range(node)
    if name not in CONVERSIONS:
        if node.args and not isinstance(node.args[0], ast.Starred):
            yield node.args[0]
        elif isinstance(node.func, ast.Attribute):
            yield node.func.value


def _of_range(node: ast.Call) -> Iterator[ast.expr]:
    # Of one argument it is the end, of more the first is the beginning
    end = 0 if len(node.args) == 1 else 1
    for operator in (ast.Add(), ast.Sub()):
        args = list(node.args)
        args[end] = ast.BinOp(args[end], operator, ast.Constant(1))
        yield _with(node, args=args)
    if len(node.args) == 1:
        yield _with(node, args=[ast.Constant(1), *node.args])


def _of_slice(node: ast.Slice) -> Iterator[ast.expr]:
    for bound in ("lower", "upper", "step"):
        if getattr(node, bound) is not None:
            yield _with(node, **{bound: None})


def _of_attribute(node: ast.Attribute) -> Iterator[ast.expr]:
    if node.attr == "T":
        yield node.value
    elif node.attr == "shape":
        # shape[::-1]: rows and columns taken for each other
        yield ast.Subscript(node, ast.Slice(step=ast.UnaryOp(ast.USub(), ast.Constant(1))))


_OF_EXPRESSION: dict[type[ast.AST], Callable[..., Iterable[ast.AST]]] = {
    ast.UnaryOp: lambda node: [node.operand],
    ast.Compare: _of_comparison,
    ast.BoolOp: _of_logic,
    ast.IfExp: _of_choice,
    ast.Constant: _of_constant,
    ast.Call: _of_call,
    ast.Slice: _of_slice,
    ast.Attribute: _of_attribute,
}


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _renamed(function: ast.expr, name: str) -> ast.expr:
    return _with(function, attr=name) if isinstance(function, ast.Attribute) else ast.Name(name)


def _with(node: Node, **fields: object) -> Node:
    """Return a copy of the node with other fields; its children are shared."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
