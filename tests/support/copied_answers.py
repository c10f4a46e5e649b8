"""Sixty answers to a homework that were written apart, and ten that were copied from some of them and disguised.

Who writes alone picks, for each function, the reference or one of the right answers written otherwise, and puts it
into a style of their own: names, temporaries, spellings of the same thing. Who copies takes all of somebody's cells
and renames, reorders or reformats them, or does all three.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from small_course import REPOSITORY

from autograder.course.configuration_file import load_course
from autograder.course.exam import Exam
from autograder.rehearsal.student_roles import StudentDesk

HOMEWORK = "hw03_neural_networks"
ALONE = 60
DISGUISES = ("renamed",) * 3 + ("reordered",) * 3 + ("reformatted",) * 2 + ("all three",) * 2
WORDS = tuple(
    """a b c d e f g h m n q r s t u v w aux out res result tmp val value total acc current prev grad delta err diff
    score prob weight bias layer acts cache_in z_val hidden step part new old lhs rhs term factor summed scaled
    """.split()  # noqa: SIM905
)
KEPT = {
    "self",
    "np",
    "range",
    "len",
    "zip",
    "enumerate",
    "reversed",
    "print",
    "sum",
    "max",
    "min",
    "int",
    "float",
}
Answers = dict[str, str]


@dataclass(frozen=True)
class CopiedPair:
    """Who copied from whom, and how it was disguised."""

    source: str
    copy: str
    disguise: str


def read_homework() -> tuple[Exam, dict[str, list[Answers]]]:
    """The homework's exam, and for each function the other ways to write it, as solution cells."""
    course = load_course(REPOSITORY / "grading_config.py")
    exam = course.read_exam(HOMEWORK)
    tree = ast.parse(
        course.source_path(HOMEWORK).with_name("alternatives.py").read_text(encoding="utf-8")
    )
    cells = {
        name: exercise.solutions[0]
        for exercise in exam.exercises
        for name in exam.defines(exercise)
    }
    ways: dict[str, list[Answers]] = {}
    for function in tree.body:
        names = _names_of_alternative(function)
        if isinstance(function, ast.FunctionDef) and len(names) == 1:
            source = _write_without_reference(function, names[0])
            if source:
                ways.setdefault(names[0], []).append({cells[names[0]]: source})
    return exam, ways


def _names_of_alternative(function: ast.stmt) -> list[str]:
    if not isinstance(function, ast.FunctionDef) or not function.decorator_list:
        return []
    (decorator,) = function.decorator_list
    return [str(argument.value) for argument in decorator.args]  # type: ignore[attr-defined]


def _write_without_reference(function: ast.FunctionDef, name: str) -> str:
    """An alternative as a student would write it, who has no reference; empty where it leans on more than that."""
    function.name = name
    function.decorator_list.clear()
    function.body = [
        statement for statement in function.body if ast.unparse(statement) != "right = reference()"
    ]
    source = ast.unparse(function).replace("reference().", "").replace("right.", "")
    return "" if "reference" in source or "step(" in source or "right" in source else source


def write_class(seed: int = 1) -> tuple[Exam, dict[str, Answers], list[CopiedPair]]:
    """The answers of each student by solution cell, and who copied."""
    exam, ways = read_homework()
    right = StudentDesk("somebody", exam, {}).answers
    students: dict[str, Answers] = {}
    for number in range(ALONE):
        students[f"alone-{number + 1:02d}"] = write_alone(
            right, ways, random.Random(f"{seed} {number}")
        )
    sources = random.Random(seed).sample(sorted(students), len(DISGUISES))
    pairs = []
    for number, (source, disguise) in enumerate(zip(sources, DISGUISES, strict=True)):
        name = f"copy-{number + 1:02d}"
        hide = random.Random(f"{seed} copy {number}")
        students[name] = {
            cell: disguise_source(text, disguise, hide) for cell, text in students[source].items()
        }
        pairs.append(CopiedPair(source, name, disguise))
    return exam, students, pairs


def write_alone(
    right: Mapping[str, str], ways: Mapping[str, list[Answers]], draw: random.Random
) -> Answers:
    """One student's own answers."""
    answers = dict(right)
    for changes in ways.values():
        chosen = draw.choice([{}, *changes])
        answers |= chosen
    vocabulary = draw.sample(WORDS, len(WORDS))
    habits = [habit for habit in HABITS if draw.random() < 0.5]
    return {cell: apply_style(text, vocabulary, habits, draw) for cell, text in answers.items()}


def apply_style(
    text: str, vocabulary: list[str], habits: list[Callable[..., ast.AST]], draw: random.Random
) -> str:
    """Write a cell in somebody's style."""
    tree = ast.parse(text)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        _drop_docstring(function, draw)
        for habit in habits:
            habit(function, draw)
        _extract_temporaries(function, vocabulary, draw)
        _rename_locals(function, vocabulary, draw)
    return ast.unparse(ast.fix_missing_locations(tree))


def disguise_source(text: str, disguise: str, draw: random.Random) -> str:
    """Write somebody else's cell so that it looks like one's own."""
    tree = ast.parse(text)
    if disguise in ("renamed", "all three"):
        vocabulary = [f"my_{word}" for word in draw.sample(WORDS, len(WORDS))]
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            _rename_locals(function, vocabulary, draw, every=True)
    if disguise in ("reordered", "all three"):
        for node in ast.walk(tree):
            _swap_operands(node, draw)
            if isinstance(getattr(node, "body", None), list):
                _swap_independent(node.body)  # type: ignore[attr-defined]
    written = ast.unparse(tree)
    if disguise in ("reformatted", "all three"):
        lines = []
        for line in written.splitlines():
            indent = line[: len(line) - len(line.lstrip())]
            if line.strip() and draw.random() < 0.3:
                lines.append(f"{indent}# {draw.choice(WORDS)} of the {draw.choice(WORDS)}")
            lines.append(
                line.replace(" = ", "=").replace(", ", " , ") if draw.random() < 0.5 else line
            )
            if draw.random() < 0.2:
                lines.append("")
        written = "\n".join(lines)
    return written


def _drop_docstring(function: ast.FunctionDef, draw: random.Random) -> None:
    if ast.get_docstring(function) and len(function.body) > 1 and draw.random() < 0.5:
        del function.body[0]


def _rename_locals(
    function: ast.FunctionDef, vocabulary: list[str], draw: random.Random, *, every: bool = False
) -> None:
    """Give local names other names; arguments keep theirs."""
    arguments = {argument.arg for argument in function.args.args}
    stored = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    free = [word for word in vocabulary if word not in used]
    names = {}
    for name in sorted(stored - arguments - KEPT):
        if free and (every or draw.random() < 0.7):
            names[name] = free.pop(0)
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]


def _extract_temporaries(
    function: ast.FunctionDef, vocabulary: list[str], draw: random.Random
) -> None:
    """Put some of what is returned into a variable first."""
    last = function.body[-1]
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    free = [word for word in vocabulary if word not in used]
    if not isinstance(last, ast.Return) or last.value is None or not free:
        return
    if isinstance(last.value, ast.BinOp | ast.Call) and draw.random() < 0.5:
        function.body.insert(-1, _assign(free[0], last.value))
        last.value = ast.Name(free[0], ast.Load())
    elif isinstance(last.value, ast.Tuple):
        for index, element in enumerate(last.value.elts):
            if free[index:] and isinstance(element, ast.BinOp | ast.Call) and draw.random() < 0.5:
                function.body.insert(-1, _assign(free[index], element))
                last.value.elts[index] = ast.Name(free[index], ast.Load())


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _prefer_dot(function: ast.AST, draw: random.Random) -> ast.AST:
    """Write `np.dot(a, b)` for `a @ b`."""

    class Rewrite(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
            self.generic_visit(node)
            if isinstance(node.op, ast.MatMult):
                return ast.Call(_attribute("np", "dot"), [node.left, node.right], [])
            return node

    return Rewrite().visit(function)


def _prefer_shape(function: ast.AST, draw: random.Random) -> ast.AST:
    """Write `x.shape[0]` for `len(x)`."""

    class Rewrite(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            if isinstance(node.func, ast.Name) and node.func.id == "len" and draw.random() < 0.7:
                shape = ast.Attribute(node.args[0], "shape", ast.Load())
                return ast.Subscript(shape, ast.Constant(0), ast.Load())
            return node

    return Rewrite().visit(function)


def _prefer_methods(function: ast.AST, draw: random.Random) -> ast.AST:
    """Write `x.sum(…)` for `np.sum(x, …)`."""

    class Rewrite(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            named = isinstance(node.func, ast.Attribute) and node.func.attr in {
                "sum",
                "mean",
                "max",
                "argmax",
            }
            if (
                named
                and isinstance(node.func.value, ast.Name)  # type: ignore[attr-defined]
                and node.func.value.id == "np"  # type: ignore[attr-defined]
                and node.args
            ):  # type: ignore[attr-defined]
                return ast.Call(
                    ast.Attribute(node.args[0], node.func.attr, ast.Load()),  # type: ignore[attr-defined]
                    node.args[1:],
                    node.keywords,
                )
            return node

    return Rewrite().visit(function)


def _turn_sums(function: ast.AST, draw: random.Random) -> ast.AST:
    for node in ast.walk(function):
        _swap_operands(node, draw)
    return function


HABITS: tuple[Callable[..., ast.AST], ...] = (
    _prefer_dot,
    _prefer_shape,
    _prefer_methods,
    _turn_sums,
)


def _swap_operands(node: ast.AST, draw: random.Random) -> None:
    """Turn some sums and products around."""
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Mult)
        and draw.random() < 0.4
    ):
        node.left, node.right = node.right, node.left


def _swap_independent(body: list[ast.stmt]) -> None:
    """Swap neighbouring assignments that do not need one another."""
    for index in range(len(body) - 1):
        first, second = body[index], body[index + 1]
        if isinstance(first, ast.Assign) and isinstance(second, ast.Assign):
            names = [
                {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
                for statement in (first, second)
            ]
            stored = [
                {
                    node.id
                    for target in statement.targets
                    for node in ast.walk(target)
                    if isinstance(node, ast.Name)
                }
                for statement in (first, second)
            ]
            if not stored[0] & names[1] and not stored[1] & names[0]:
                body[index], body[index + 1] = second, first


def _attribute(name: str, attribute: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(name, ast.Load()), attribute, ast.Load())
