"""What stands between markers in a source notebook, and what is given out in its place.

nbgrader's own words by default; a course may have others, as options of nbgrader's ClearSolutions,
ClearHiddenTests and ClearMarkScheme. As there, a marker is found anywhere in a line. Pure
functions of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# What looks like a marker, whatever its spaces, its number of signs and its case.
MARKER = re.compile(r"^\s*#{2,}\s*(BEGIN|END)\b|^\s*=== (BEGIN|END) ", re.IGNORECASE)
ANY_MARKER = re.compile(r"(###|===) (BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
CODE_STUBS = (
    "raise NotImplementedError",
    "raise NotImplementedError()",
    "# YOUR CODE HERE\nraise NotImplementedError()",
)
TEXT_STUBS = ("YOUR ANSWER HERE", "*Write your answer here.*")


@dataclass(frozen=True)
class Markers:
    """What begins and ends a region of a source cell, and what is put in the place of a solution.

    Attributes
    ----------
    solution, hidden_tests, mark_scheme : tuple of (str, str)
        What stands in the first and in the last line of such a region.
    code_stubs, text_stubs : tuple of str
        With what a solution may have been given out, the likeliest first.
    """

    solution: tuple[str, str] = ("BEGIN SOLUTION", "END SOLUTION")
    hidden_tests: tuple[str, str] = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
    mark_scheme: tuple[str, str] = ("BEGIN MARK SCHEME", "END MARK SCHEME")
    code_stubs: tuple[str, ...] = CODE_STUBS
    text_stubs: tuple[str, ...] = TEXT_STUBS

    @property
    def never_given_out(self) -> tuple[tuple[str, str], ...]:
        """The regions of which nothing is given out."""
        return self.hidden_tests, self.mark_scheme

    @property
    def regions(self) -> tuple[tuple[str, str], ...]:
        """All regions."""
        return self.solution, *self.never_given_out

    def are_in(self, line: str) -> bool:
        """Whether some marker stands in a line."""
        return any(begin in line or end in line for begin, end in self.regions)


NBGRADERS = Markers()


def mark_hidden_lines(
    source: str, solution: bool, markers: Markers = NBGRADERS
) -> list[tuple[str, bool]]:
    """Return each line of a source cell, stripped, with whether it may not be released.

    A solution cell without markers is one solution from its first line to its last, as nbgrader
    has it.
    """
    whole = solution and not any(begin in source for begin, _ in markers.regions)
    lines = []
    for line, end in _with_regions(source, markers.regions):
        lines.append((line.strip(), whole or end != ""))
    return lines


def number_solution_lines(source: str, markers: Markers = NBGRADERS) -> frozenset[int]:
    """Return the numbers, from 1, of a solution cell's lines that are its solution: of all where no
    marker says which.
    """
    begin, _ = markers.solution
    whole = begin not in source
    numbers = set()
    for number, (_, end) in enumerate(_with_regions(source, (markers.solution,)), start=1):
        if whole or end:
            numbers.add(number)
    return frozenset(numbers)


def keep_lines_with_solution(lines: Sequence[str], markers: Markers = NBGRADERS) -> list[str]:
    """Return the lines of a cell that students may see once the solution is out."""
    shown = _without_regions("\n".join(lines), markers.never_given_out)
    return [line for line in shown if not any(word in line for word in markers.solution)]


def clear_hidden_regions(source: str, markers: Markers = NBGRADERS) -> str:
    """Return a cell without hidden tests and mark schemes."""
    return "\n".join(_without_regions(source, markers.never_given_out))


def clear_solution(source: str, stub: str, markers: Markers = NBGRADERS) -> str:
    """Return a solution cell with a stub for each marked solution, or for the whole cell."""
    begin, _ = markers.solution
    if begin not in source:
        return stub
    lines: list[str] = []
    for line, end in _with_regions(source, (markers.solution,)):
        if begin in line:
            # As far in as the marker, or the stub would stand outside of its function.
            indent = line[: len(line) - len(line.lstrip())]
            for text in stub.split("\n"):
                lines.append(indent + text)
        elif not end:
            lines.append(line)
    return "\n".join(lines)


def _without_regions(source: str, regions: Sequence[tuple[str, str]]) -> list[str]:
    return [line for line, end in _with_regions(source, regions) if not end]


def _with_regions(source: str, regions: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each line with what ends the region it stands in; empty outside of all."""
    awaited = ""
    # Not splitlines: joined again, a cell must have the very characters it had.
    for line in source.split("\n"):
        for begin, end in regions:
            if not awaited and begin in line:
                awaited = end
        yield line, awaited
        # After the yield, for the line that ends a region is of it.
        if awaited and awaited in line:
            awaited = ""
