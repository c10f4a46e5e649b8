"""How a package of Python reads, in figures: `python tests/support/reading_measures.py [FOLDER …]`.

Figures to compare packages with, not limits. Run on well-kept projects of the field (check50, nbclient, build,
starlette, httpx, attrs) the same script gives the ranges in `RANGES`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONG_LINE = 100
WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
RANGES = {
    "lines": "",
    "modules": "",
    "words a name": "1.5-2.7",
    "names of one word, %": "10-50",
    "comment lines per 100 lines": "2.5-5.4",
    "comprehensions per 1,000 lines": "3-11",
    "double assignments per 1,000 lines": "0-0.7",
    f"lines over {LONG_LINE} characters, %": "0-2.9",
    "imports inside functions": "0-21",
    "public names in two or more modules": "",
    "longest function, lines": "",
}


@dataclass
class Counts:
    """What was counted in the files of a package."""

    files: int = 0
    lines: int = 0
    lines_of_code: int = 0
    comments: int = 0
    long_lines: int = 0
    comprehensions: int = 0
    double_assignments: int = 0
    late_imports: int = 0
    longest_function: int = 0
    words_of_names: list[int] = field(default_factory=list)
    modules_of_name: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add_file(self, path: Path) -> None:
        """Count one file."""
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        self.files += 1
        self._add_lines(text.splitlines())
        for node in ast.walk(tree):
            self._add_node(node)
        for statement in tree.body:
            if isinstance(statement, (*FUNCTIONS, ast.ClassDef)) and not statement.name.startswith(
                "_"
            ):
                self.modules_of_name[statement.name].add(str(path))

    def _add_lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            is_comment = line.lstrip().startswith("#")
            self.lines += 1
            self.comments += is_comment
            self.lines_of_code += bool(line.strip()) and not is_comment
            self.long_lines += len(line) > LONG_LINE

    def _add_node(self, node: ast.AST) -> None:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith("__"):
            self.words_of_names.append(max(1, len(WORD.findall(node.name))))
        if isinstance(node, FUNCTIONS):
            inside = list(ast.walk(node))
            self.late_imports += sum(
                isinstance(inner, ast.Import | ast.ImportFrom) for inner in inside
            )
            self.longest_function = max(
                self.longest_function, (node.end_lineno or 0) - node.lineno + 1
            )
        self.comprehensions += isinstance(node, COMPREHENSIONS)
        if isinstance(node, ast.Assign):
            both = (node.targets[0], node.value)
            self.double_assignments += all(isinstance(side, ast.Tuple) for side in both)

    def figures(self) -> Iterator[tuple[str, str]]:
        """Yield each measure with its value, as text."""
        names = self.words_of_names
        thousands_of_code = self.lines_of_code / 1000
        twice = [name for name, modules in self.modules_of_name.items() if len(modules) > 1]
        values = (
            f"{self.lines:,}",
            f"{self.files}",
            f"{sum(names) / len(names):.2f}",
            f"{100 * names.count(1) / len(names):.0f}",
            f"{100 * self.comments / self.lines:.1f}",
            f"{self.comprehensions / thousands_of_code:.1f}",
            f"{self.double_assignments / thousands_of_code:.1f}",
            f"{100 * self.long_lines / self.lines:.1f}",
            f"{self.late_imports}",
            f"{len(twice)}",
            f"{self.longest_function}",
        )
        yield from zip(RANGES, values, strict=True)


def measure_package(folder: Path) -> Counts:
    """Count what is in the Python files of a folder and the folders in it."""
    counts = Counts()
    for path in sorted(folder.rglob("*.py")):
        counts.add_file(path)
    return counts


def main(folders: Sequence[str]) -> None:
    """Print a table: a row for each measure, a column for each folder."""
    columns = [dict(measure_package(Path(folder)).figures()) for folder in folders]
    width = max(len(measure) for measure in RANGES)
    print(" " * width, *(f"{folder:>16}" for folder in folders), "  elsewhere")
    for measure, usual in RANGES.items():
        print(
            f"{measure:<{width}}", *(f"{column[measure]:>16}" for column in columns), f"  {usual}"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or ["autograder"])
