"""Tests that run inside the jail: what they say, what reaches whom, and what they do to one another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from small_course import SmallCourse, code, dump, solution, test

from autograder.course.errors import ExamError
from autograder.course.exam import Exam, read_exam
from autograder.course.recorded_tests import RecordedTests, record_path, write_recorded_tests
from autograder.course.reports import ExerciseResult, Status
from autograder.course.submissions import Submission
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.examiner import Examiner
from autograder.grader.inside_verdict import NOT_AS_WANTED

SECRET = "seventeen_and_four"
ANSWER = "class Counter:\n    n = 0\n    def up(self):\n        self.n += 1"
COUNTER = f"### BEGIN SOLUTION\n{ANSWER}\n### END SOLUTION"
COUNTER_TEST = (
    f"counter = Counter()\nassert counter.n == 0, 'a counter begins at 0'\n### BEGIN HIDDEN TESTS\n{SECRET} = 21\n"
    f"for _ in range({SECRET}):\n    counter.up()\nassert counter.n == {SECRET}, 'all of {SECRET}'\n"
    "### END HIDDEN TESTS"
)
GIVEN = "counter = Counter()\nassert counter.n == 0, 'a counter begins at 0'"
# It shows what it finds of its caller, and of all that was run: in a test that is its text.
SPY = (
    "import sys, gc, linecache\nclass Counter:\n    n = 0\n    def up(self):\n        frame = sys._getframe(1)\n"
    "        words = ' '.join(map(str, frame.f_code.co_names)) + str(list(frame.f_globals))\n"
    "        print(words)\n        display(words)\n        get_ipython().user_ns['kept'] = words\n"
    "        open('kept.txt', 'w').write(words)\n        raise ValueError(words)"
)


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as examiner:
        yield examiner


@pytest.fixture
def exam(small_course: SmallCourse) -> Exam:
    path = small_course.write(
        solution(COUNTER, "Counter_answer"),
        test(COUNTER_TEST, "Counter", 2),
        code("print('below')"),
    )
    return replace(read_exam(path, strict=False), inside={"Counter": "the test says so"})


def examine(
    exam: Exam, examiner: Examiner, answer: str, *below: str
) -> tuple[ExaminedNotebook, ExerciseResult]:
    cells = [solution(answer, "Counter_answer"), test(GIVEN, "Counter", 2), *map(code, below)]
    examined = examiner.examine(exam, Submission("hw", "hw.ipynb", dump(cells)))
    return examined, examined.report.exercises[0]


@pytest.mark.slow
def test_a_right_answer_passes(exam: Exam, examiner: Examiner) -> None:
    assert examine(exam, examiner, ANSWER)[1].status is Status.PASSED


@pytest.mark.slow
def test_no_word_of_a_hidden_test_reaches_anything_a_student_gets(
    exam: Exam, examiner: Examiner
) -> None:
    below = (
        "print(globals().get('kept'))\n"
        "import os\n"
        "if os.path.exists('kept.txt'):\n"
        "    print(open('kept.txt').read())"
    )
    examined, result = examine(exam, examiner, SPY, below, "raise ValueError(kept)")
    assert result.points == 0.0
    assert SECRET in result.detail  # so the student's code has seen it: instructors are told
    shown = json.dumps([examined.report.for_students().to_json(), examined.cells])
    assert SECRET not in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (ANSWER.replace("+= 1", "+= 2"), NOT_AS_WANTED),
        (ANSWER.replace("n = 0", "n = 1"), "a counter begins at 0"),
    ],
    ids=["a hidden assertion's message stays here", "a released assertion's message is told"],
)
def test_hints_are_words_that_students_may_read(
    answer: str, hint: str, exam: Exam, examiner: Examiner
) -> None:
    assert examine(exam, examiner, answer)[1].hint == hint


@pytest.mark.slow
def test_a_test_that_ends_the_process_costs_its_own_points_only(
    small_course: SmallCourse, examiner: Examiner
) -> None:
    more = (solution("x = 1", "x_answer"), test("assert x == 1", "x", 1))
    path = small_course.write(
        solution(COUNTER, "Counter_answer"), test(COUNTER_TEST, "Counter", 2), *more
    )
    both = replace(read_exam(path), inside=dict.fromkeys(("Counter", "x"), "the test says so"))
    answer = ANSWER.replace("self.n += 1", "import os; os._exit(0)")
    cells = [solution(answer, "Counter_answer"), test(GIVEN, "Counter", 2), *more]
    report = examiner.examine(both, Submission("hw", "hw.ipynb", dump(cells))).report
    assert [result.points for result in report.exercises] == [0.0, 1.0]


def test_a_tag_overrules_what_a_release_found(small_course: SmallCourse) -> None:
    inside, outside = test("assert x", "a", 1), test("assert x", "b", 1)
    inside["metadata"]["tags"], outside["metadata"]["tags"] = ["inside"], ["outside"]
    path = small_course.write(
        solution("x = 1", "x_answer"), inside, outside, test("assert x", "c", 1)
    )
    write_recorded_tests(path, RecordedTests("", {"b": "was better", "c": "was better"}))
    assert set(read_exam(path).inside) == {"a", "c"}


def test_where_a_test_runs_is_part_of_the_exams_version_and_the_reason_is_not(
    small_course: SmallCourse,
) -> None:
    exam = read_exam(small_course.source)
    inside = replace(exam, inside={"double": "one reason"})
    assert exam.version != inside.version == replace(exam, inside={"double": "another"}).version


def test_a_record_that_is_none_is_refused(small_course: SmallCourse) -> None:
    record_path(small_course.source).write_text('{"version": 7}')
    with pytest.raises(ExamError, match="release the assignment again"):
        read_exam(small_course.source)


def test_lines_that_nbgrader_fills_in_have_to_be_filled_in_first(small_course: SmallCourse) -> None:
    path = small_course.write(solution("x = 1", "x_answer"), test("### AUTOTEST x", "x", 1))
    with pytest.raises(ExamError, match="`autograder release hw` makes them"):
        read_exam(path)


def test_older_marks_are_named_with_the_command_that_makes_them_new(
    small_course: SmallCourse,
) -> None:
    old = solution("x = 1", "x_answer")
    old["metadata"]["nbgrader"]["schema_version"] = 1
    path = small_course.write(old, test("assert x", "x", 1))
    with pytest.raises(ExamError, match="nbgrader update "):
        read_exam(path)
