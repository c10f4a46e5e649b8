"""Figures are drawn where a person will look at them, and nowhere else; what is computed stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_course import DOUBLE, TEST_DOUBLE, SmallCourse, code, dump, solution, test, text

from autograder.course.exam import Exam, read_exam
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner

pytestmark = pytest.mark.slow

PLOTS = {
    "pyplot": "plt.plot([1, 2])\nplt.show()",
    "left open": "plt.plot([1, 2]);",
    "displayed": "from IPython.display import display\nfigure, ax = plt.subplots()\ndisplay(figure)\nplt.close(figure)",
    "the course's": "figures.show(plt.figure(), 'An empty figure.')",
    "a graph": "graphs.LINEAR_UNIT.forward()",
}
GIVEN_PLOT = "plt.plot([2, 1])\nplt.show()"
IMPORTS = "import matplotlib.pyplot as plt\nfrom autograder import figures, graphs"
SOLVED = "def double(x):\n    return 2 * x"


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as examiner:
        yield examiner


def exam_in(folder: Path, *, marked_by_hand: bool) -> Exam:
    course = SmallCourse(folder)
    essay = (
        [text("", grade_id="why", grade=True, solution=True, points=1)] if marked_by_hand else []
    )
    course.write(code(IMPORTS), solution(DOUBLE), test(TEST_DOUBLE), code(GIVEN_PLOT), *essay)
    return read_exam(course.source)


def pictures_of(examiner: Examiner, exam: Exam) -> dict[str, bool]:
    """Return for every plot whether a picture of it was kept."""
    plots = [code(source) for source in PLOTS.values()]
    notebook = dump(
        [code(IMPORTS), solution(SOLVED, "double_solution"), *plots, test("", "double")]
    )
    examined = examiner.examine(exam, Submission("hw", "hw_solved.ipynb", notebook))
    assert examined.report.exercises[0].points == 2
    assert not examined.report.problems
    shown = [str(cell["outputs"]) for cell in examined.cells[2:]]
    return {name: "image/" in outputs for name, outputs in zip(PLOTS, shown, strict=True)}


def test_every_figure_is_drawn_where_a_person_marks(examiner: Examiner, tmp_path: Path) -> None:
    assert all(pictures_of(examiner, exam_in(tmp_path, marked_by_hand=True)).values())


def test_no_figure_is_drawn_below_a_cell_that_was_given_out(
    examiner: Examiner, tmp_path: Path
) -> None:
    exam = exam_in(tmp_path, marked_by_hand=True)
    notebook = dump([code(IMPORTS), code(GIVEN_PLOT), code(f"{GIVEN_PLOT}  # and a word of mine")])
    examined = examiner.examine(exam, Submission("hw", "hw.ipynb", notebook))
    shown = [str(cell["outputs"]) for cell in examined.cells[1:]]
    assert ["image/" in outputs for outputs in shown] == [False, True]


def test_no_figure_is_drawn_where_nobody_looks(examiner: Examiner, tmp_path: Path) -> None:
    assert not any(pictures_of(examiner, exam_in(tmp_path, marked_by_hand=False)).values())


def test_what_is_saved_as_a_file_is_drawn_all_the_same(examiner: Examiner, tmp_path: Path) -> None:
    saves = (
        "plt.plot([1, 2])\n"
        "plt.savefig('loss.png')\n"
        "from pathlib import Path\n"
        "print(len(Path('loss.png').read_bytes()))"
    )
    notebook = dump([code(IMPORTS), code(saves)])
    examined = examiner.examine(
        exam_in(tmp_path, marked_by_hand=False), Submission("hw", "hw.ipynb", notebook)
    )
    assert int(examined.cells[1]["outputs"][0]["text"]) > 1000


def test_words_stand_in_for_a_figure(examiner: Examiner, tmp_path: Path) -> None:
    notebook = dump([code(IMPORTS), code(PLOTS["the course's"])])
    examined = examiner.examine(
        exam_in(tmp_path, marked_by_hand=False), Submission("hw", "hw.ipynb", notebook)
    )
    assert examined.cells[1]["outputs"][0]["data"] == {"text/plain": "An empty figure."}
