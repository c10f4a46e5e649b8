"""Which libraries the notebooks of an exam import: the warm process imports these, and no
others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from autograder.course.exam import Exam

LIBRARIES: Final = frozenset({"matplotlib", "scipy", "sklearn", "pandas", "seaborn", "pytest"})
DRAWING: Final = frozenset({"autograder.figures", "autograder.graphs", "autograder.predictions"})


def list_needed_modules(exams: Iterable[Exam]) -> tuple[str, ...]:
    """Return the modules of well-known libraries that the exams' own cells import, in the order of
    their names.
    """
    needed: set[str] = set()
    for exam in exams:
        for cell in exam.cells:
            for name in imported_modules(cell.source):
                root = name.partition(".")[0]
                if root in LIBRARIES or name in DRAWING:
                    needed.add(name)
                if root in ("matplotlib", "seaborn") or name in DRAWING:
                    needed.add("matplotlib.pyplot")
    return tuple(sorted(needed))


def imported_modules(source: str) -> set[str]:
    """Return the modules that a cell imports; what it imports from a package may be a module of it,
    too.
    """
    names: set[str] = set()
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic
        return names
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names.add(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            for alias in node.names:
                names.add(f"{node.module}.{alias.name}")
    return names
