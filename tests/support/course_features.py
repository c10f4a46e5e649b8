"""Features of ordinary nbgrader courses as small exercises, and what plain nbgrader gives for them.

`course_features.txt` holds them in plain text, `course_features_nbgrader.json` the scores: by state (the own solution,
a wrong answer, the notebook as released) and by graded cell. `python tests/support/course_features.py FOLDER` asks
nbgrader again.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nbgrader_course import nbgrader
from small_course import code, dump, notebook, solution, test

HERE = Path(__file__).parent
FEATURES = HERE / "course_features.txt"
SCORES = HERE / "course_features_nbgrader.json"
STATES = ("good", "wrong", "stub")
BEGIN = re.compile(r"^(?:## (?P<name>\w+)|# %% (?P<kind>[a-z]+)(?: (?P<word>\S+))?)$")
REGION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION\n.*?### END SOLUTION\n?", re.MULTILINE | re.DOTALL
)
MARKERS = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
HIDDEN = re.compile(
    r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS\n?", re.MULTILINE | re.DOTALL
)


@dataclass
class Feature:
    """One feature: its source notebook in pieces, and a wrong answer.

    Attributes
    ----------
    cells : list of (kind, text, points)
        In their order; the kinds are setup, solution, post and test.
    wrong : str
        What stands in the first solution cell of the wrong notebook.
    files : dict
        Files beside the notebook.
    """

    name: str
    cells: list[tuple[str, str, float]] = field(default_factory=list)
    wrong: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    def source(self) -> list[dict[str, Any]]:
        """The cells of the source notebook."""
        return list(self._cells("source"))

    def submission(self, state: str) -> bytes:
        """The notebook of a student in one of the states."""
        return dump(self._cells(state))

    def _cells(self, state: str) -> Iterator[dict[str, Any]]:
        counts = {"solution": 0, "test": 0}
        for kind, text, points in self.cells:
            number = counts.get(kind, 0)
            if kind == "solution":
                yield solution(self._answer(text, state, number), f"{self.name}__s{number}")
            elif kind == "test":
                hidden = text if state == "source" else HIDDEN.sub("", text)
                yield test(hidden, f"{self.name}__t{number}", points)
            else:
                yield code(text)
            if kind in counts:
                counts[kind] += 1

    def _answer(self, text: str, state: str, number: int) -> str:
        if state == "source":
            return text
        if state == "stub":
            stub = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()\n"
            return REGION.sub(stub, text + "\n").rstrip("\n")
        if state == "wrong" and number == 0:
            return self.wrong
        return MARKERS.sub("", text + "\n").rstrip("\n")


@cache
def read_features() -> dict[str, Feature]:
    """All features by name."""
    features: dict[str, Feature] = {}
    for name, kind, word, text in _pieces(FEATURES.read_text(encoding="utf-8")):
        feature = features.setdefault(name, Feature(name))
        if kind == "wrong":
            feature.wrong = text
        elif kind == "file":
            feature.files[word] = f"{text}\n".encode()
        else:
            feature.cells.append((kind, text, float(word or 1)))
    return features


def _pieces(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield feature, kind, word behind it and text of each piece."""
    name = kind = word = ""
    lines: list[str] = []
    for line in [*text.splitlines(), "## end"]:
        begin = BEGIN.match(line)
        if begin is None:
            lines.append(line)
            continue
        if kind:
            yield name, kind, word, "\n".join(lines).strip("\n")
        name, kind, word, lines = (
            begin["name"] or name,
            begin["kind"] or "",
            begin["word"] or "",
            [],
        )


def read_scores() -> dict[str, dict[str, list[float]]]:
    """nbgrader's scores: `{state: {cell: [points, of]}}`."""
    scores: dict[str, dict[str, list[float]]] = json.loads(SCORES.read_text(encoding="utf-8"))
    return scores


def ask_nbgrader(
    folder: Path, names: list[str], line: str = ""
) -> dict[str, dict[str, list[float]]]:
    """Have nbgrader grade features: a notebook for each in one assignment, a student for each state.

    `line` is one more of its configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'features'\n{line}\n"
    )
    source = folder / "source" / "ps"
    source.mkdir(parents=True)
    for name in names:
        feature = read_features()[name]
        (source / f"{name}.ipynb").write_text(json.dumps(notebook(*feature.source())))
        _write_files(source, feature)
    nbgrader(folder, "generate_assignment", "ps", "--force")
    for state in STATES:
        submitted = folder / "submitted" / state / "ps"
        submitted.mkdir(parents=True)
        for name in names:
            feature = read_features()[name]
            (submitted / f"{name}.ipynb").write_bytes(feature.submission(state))
            _write_files(submitted, feature)
    nbgrader(folder, "autograde", "ps", "--force")
    return _scores_in(folder)


def _write_files(folder: Path, feature: Feature) -> None:
    for name, content in feature.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _scores_in(folder: Path) -> dict[str, dict[str, list[float]]]:
    from nbgrader.api import Gradebook

    found: dict[str, dict[str, list[float]]] = {state: {} for state in STATES}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions("ps"):
            for graded in submission.notebooks:
                for grade in graded.grades:
                    found[submission.student.id][grade.name] = [grade.auto_score, grade.max_score]
    return found


if __name__ == "__main__":
    asked = ask_nbgrader(Path(sys.argv[1]), sys.argv[2:] or list(read_features()))
    SCORES.write_text(json.dumps(asked, indent=1, sort_keys=True) + "\n", encoding="utf-8")
