"""Ordinary features of nbgrader courses: our points beside nbgrader's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from course_features import Feature, read_features, read_scores
from small_course import notebook

from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Status
from autograder.course.submissions import Submission
from autograder.grader.examiner import Examiner
from autograder.grader.second_look import LOOK
from autograder.grader.test_places import choose_places

BETTER = {
    # nbgrader takes all points away for a warning that is printed to stderr.
    ("good", "test_warns_stderr__t0"): 1.0,
    # And so it does for what unittest prints there when all is well.
    ("good", "unittest_subtests__t0"): 3.0,
    ("good", "skip_and_expected_failure__t0"): 1.0,
    # A test's own `sum` is Python's, whatever a student has called so.
    ("wrong", "shadowing_what_a_test_uses__t0"): 1.0,
    # It looks for a word in `In`, where nbgrader has the test itself, and so the word.
    ("wrong", "history_in__t0"): 0.0,
}
QUICK = (
    "variable_answer",
    "class_simple",
    "unittest_main",
    "test_uses_earlier_test",
    "magic_in_test",
    "zero_as_last_value",
    "pytest_raises_approx",
    "deleted_name",
    "dir_of_names",
    "doctest_testmod",
    "shadowing_answer",
    "data_of_setup_spoilt",
    "class_attribute_shared",
    "memory_measured",
)

# Course code leaves files open and coroutines alone; it is no business of ours.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as examiner:
        yield examiner


def exam_of(feature: Feature, folder: Path, examiner: Examiner) -> Exam:
    """The exam of a feature as its release would make it."""
    path = folder / "source" / feature.name / f"{feature.name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook(*feature.source())))
    exam = replace(read_exam(path, strict=False, lend=False), files=feature.files)
    places = choose_places(exam, path.read_bytes(), feature.submission("stub"), examiner)
    return replace(exam, inside=places.inside)


def points(exam: Exam, feature: Feature, state: str, examiner: Examiner) -> dict[str, float]:
    submission = Submission(exam.assignment, "ps.ipynb", feature.submission(state))
    return {
        result.id: result.points for result in examiner.examine(exam, submission).report.exercises
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.release)
        for name in read_features()
    ],
)
def test_a_feature_gets_nbgraders_points(name: str, tmp_path: Path, examiner: Examiner) -> None:
    feature = read_features()[name]
    exam = exam_of(feature, tmp_path, examiner)
    for state, scores in read_scores().items():
        cells = {
            cell: score for cell, (score, _) in scores.items() if cell.startswith(f"{name}__t")
        }
        wanted = {cell: BETTER.get((state, cell), score) for cell, score in cells.items()}
        assert wanted
        assert points(exam, feature, state, examiner) == pytest.approx(wanted), (
            state,
            dict(exam.inside),
        )


OPAQUE = Feature(
    "opaque",
    [
        (
            "solution",
            "def words(x):\n    ### BEGIN SOLUTION\n    return list(x.split())\n    ### END SOLUTION",
            1,
        ),
        (
            "test",
            "### BEGIN HIDDEN TESTS\nassert list(words('a b')) == ['a', 'b']\n### END HIDDEN TESTS",
            2,
        ),
    ],
    wrong="class Words:\n    def __init__(self, x):\n        self.x = x\n    def __iter__(self):\n"
    "        return iter(self.x.split())\n    def __len__(self):\n        raise ValueError('not yet')\n"
    "def words(x):\n    return Words(x)",
)


def test_a_value_that_a_test_cannot_look_at_waits_for_a_person(
    tmp_path: Path, examiner: Examiner
) -> None:
    exam = exam_of(OPAQUE, tmp_path, examiner)
    assert exam.inside == {}
    submission = Submission(exam.assignment, "ps.ipynb", OPAQUE.submission("wrong"))
    (result,) = examiner.examine(exam, submission).report.exercises
    assert (result.points, result.status) == (0.0, Status.TO_BE_MARKED), result
    assert result.hint == LOOK
    assert "gives" in result.detail
