"""The audit of a small course, through the real jail."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from small_course import CONFIG, DOUBLE, SmallCourse, code, solution, test, text

from autograder.auditing.audit_cases import AuditCase, CaseKind, build_cases, read_cases
from autograder.auditing.audit_run import CaseAuditor, GradedCase
from autograder.auditing.audit_tally import (
    count_by_exercise,
    count_cases,
    describe_shortfalls,
    list_killed_equivalents,
    list_misnamed,
    list_stopped,
    list_survivors,
    tally_json,
)
from autograder.auditing.exam_excerpt import cut_excerpt, take_whole_exam
from autograder.auditing.vacuous_tests import find_vacuous_criteria
from autograder.course.configuration_file import load_course
from autograder.course.errors import ExamError
from autograder.course.exam import Exam, read_exam
from autograder.grader.examiner import Examiner
from autograder.jail import Limits
from autograder.mistakes import Mistakes

pytestmark = pytest.mark.slow

MEAN = '''\
def mean_square(x):
    """The mean of the squares of x."""
    ### BEGIN SOLUTION
    return np.sum(x**2) / len(x)
    ### END SOLUTION
'''
TEST_DOUBLE = """\
### BEGIN HIDDEN TESTS
SHARED = 21
assert double(SHARED) == 42
assert double(0.5) == 1
### END HIDDEN TESTS
"""
TEST_MEAN = """\
### BEGIN HIDDEN TESTS
from autograder.checks import expect_close, expect_unchanged
from autograder.marking import Marking, reference_of

reference = reference_of("hw")
marking = Marking(points=3)


@marking.criterion(2, "it is the mean of the squares")
def values():
    for x in (np.array([1.0, 2.0, 5.0]), np.array([3.0, -1.0])):
        expected = reference.mean_square(x)
        expect_close(mean_square(x), expected, "the mean")


@marking.criterion(1, "x stays as it was"{needs})
def argument():
    x = np.array([1.0, 4.0])
    with expect_unchanged(x=x):
        mean_square(x)


marking.score()
### END HIDDEN TESTS
"""
MISTAKES = """\
import numpy as np
from autograder.mistakes import Mistakes
from autograder.reference import reference_of

mistakes = Mistakes("hw")


@mistakes.of("double", hint="Twice is not squared.")
def squared(x):
    return x * x


@mistakes.of("double", hint="That is four times x.")
def doubled_twice(x):
    return 2 * reference_of("hw").double(x)


@mistakes.of("mean_square", hint="Divide by the number of entries.")
def summed(x):
    return np.sum(x**2)


@mistakes.of("mean_square", hint="x changed.", keeps=[1])
def in_place(x):
    x **= 2
    return x.mean()


@mistakes.of("mean_square", hint="Never shown: these are the same numbers as those of `summed`.", keeps=(1, 2, 3))
def summed_again(x):
    return summed(x)
"""
ALTERNATIVES = """\
import numpy as np
from autograder.mistakes import Alternatives
from autograder.reference import reference_of

alternatives = Alternatives("hw")


@alternatives.of("double")
def added(x):
    return x + x


@alternatives.of("double")
def by_a_later_solution(x):
    return np.sign(x) * 2 * np.sqrt(reference_of("hw").mean_square(np.array([x])))


@alternatives.of("mean_square")
def by_the_notebooks_own_names(x):
    return float(x @ x) / len(x) + 0 * reference_of("hw").DATA.sum()


@alternatives.of("double", "mean_square")
def a_family():
    class Kept(list):
        pass

    def double(x):
        return Kept([2 * x])[0]

    def mean_square(x):
        return sum(Kept(x * x)) / len(x)

    return double, mean_square


@alternatives.of("mean_square")
def wrong_after_all(x):
    return np.mean(x) ** 2

"""


CALLED_EQUIVALENT = """
alternatives.equivalent("double", "return 2 * x", "return x", because="only a test of the audit")
"""


SHORTCUTS = """\
import numpy as np
from autograder.mistakes import Shortcuts
from autograder.reference import reference_of

shortcuts = Shortcuts("hw")
calls = []


@shortcuts.of("mean_square")
def a_constant(x):
    return 10.0


@shortcuts.of("mean_square")
def right_in_the_first_call_only(x):
    calls.append(x)
    return reference_of("hw").mean_square(x) if len(calls) == 1 else 0.0


@shortcuts.of("double", "mean_square")
def helped_by_a_later_function():
    def double(x):
        return 42

    def mean_square(x):
        return 0.0

    return double, mean_square


@shortcuts.of("mean_square")
def not_stopped(x):
    return np.mean(x * x)
"""


def write(
    course: SmallCourse, *, test_double: str = TEST_DOUBLE, needs: str = ', needs="values"'
) -> Path:
    course.write(
        text("# Homework"), code("import math\nimport numpy as np"), code("DATA = np.arange(3.0)\nDATA.sum()"),
        code("unused = 1"), solution(DOUBLE), test(test_double), code("print(double(3))"),
        solution(MEAN, "mean_solution"), test(TEST_MEAN.format(needs=needs), "mean_square", 3), code("later = DATA"),
    )  # fmt: skip
    (course.source.parent / "mistakes.py").write_text(MISTAKES)
    (course.source.parent / "alternatives.py").write_text(ALTERNATIVES + CALLED_EQUIVALENT)
    (course.source.parent / "shortcuts.py").write_text(SHORTCUTS)
    return course.source


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner(Limits(cell_seconds=10, call_seconds=10, seconds=60)) as examiner:
        yield examiner


def audited(
    examiner: Examiner, course: SmallCourse, *, but: tuple[str, ...] = ()
) -> list[GradedCase]:
    exam, cases = read_cases(load_course(course.config), "hw")
    auditor = CaseAuditor(examiner, {"hw": exam})
    return [auditor.grade(case) for case in cases if case.name not in but]


@pytest.fixture(scope="module")
def graded(examiner: Examiner, tmp_path_factory: pytest.TempPathFactory) -> list[GradedCase]:
    course = SmallCourse(tmp_path_factory.mktemp("audited") / "course")
    write(course)
    course.config.write_text(CONFIG)
    return audited(examiner, course)


def of_kind(graded: list[GradedCase], kind: CaseKind) -> dict[str, GradedCase]:
    return {
        entry.case.name or entry.case.exercise: entry for entry in graded if entry.case.kind is kind
    }


def test_the_reference_gets_all_points(graded: list[GradedCase]) -> None:
    assert [entry.full for entry in of_kind(graded, CaseKind.REFERENCE).values()] == [True, True]


def test_mistakes_lose_points_and_are_told_by_their_hint(graded: list[GradedCase]) -> None:
    mistakes = of_kind(graded, CaseKind.MISTAKE)
    assert list(mistakes) == ["squared", "doubled_twice", "summed", "in_place", "summed_again"]
    assert all(entry.good for entry in mistakes.values())
    assert [name for name, entry in mistakes.items() if not entry.named] == ["summed_again"]
    assert [entry.case.name for entry in list_misnamed(graded)] == ["summed_again"]
    assert mistakes["in_place"].result.points == 2


def test_right_answers_keep_all_points_and_wrong_ones_are_seen(graded: list[GradedCase]) -> None:
    alternatives = of_kind(graded, CaseKind.ALTERNATIVE)
    assert [name for name, entry in alternatives.items() if entry.full] == [
        "added", "by_a_later_solution", "by_the_notebooks_own_names", "a_family",
    ]  # fmt: skip
    assert any(
        "'wrong_after_all' gets 0 of 3 points" in sentence
        for sentence in describe_shortfalls(graded)
    )


def test_a_mistake_is_held_to_what_it_says_it_keeps(graded: list[GradedCase]) -> None:
    mistakes = of_kind(graded, CaseKind.MISTAKE)
    assert [(name, entry.case.keeps, entry.lost) for name, entry in mistakes.items() if entry.case.keeps] == [
        ("in_place", (1,), ()), ("summed_again", (1, 2, 3), (1, 2, 3)),
    ]  # fmt: skip
    found = [sentence for sentence in describe_shortfalls(graded) if "keeps=" in sentence]
    assert found == [
        "hw, mean_square: the mistake 'summed_again' says keeps=(1, 2, 3), but the test has 2 criteria"
    ]


def test_a_criterion_that_a_mistake_has_to_keep_is_named_when_it_is_lost(
    graded: list[GradedCase],
) -> None:
    entry = of_kind(graded, CaseKind.MISTAKE)["in_place"]
    entry = replace(entry, case=replace(entry.case, keeps=(1, 2)))
    assert entry.lost == (2,)
    assert describe_shortfalls([entry])[0] == (
        "hw, mean_square: the mistake 'in_place' says keeps=(1, 2), but does not meet 2: 'x stays as it was'"
    )


def test_a_shortcut_must_not_keep_all_points_and_what_stopped_it_is_said(
    graded: list[GradedCase],
) -> None:
    shortcuts = of_kind(graded, CaseKind.SHORTCUT)
    assert {name: (entry.case.exercise, entry.result.points) for name, entry in shortcuts.items()} == {
        "a_constant": ("mean_square", 0), "right_in_the_first_call_only": ("mean_square", 0),
        "helped_by_a_later_function": ("double", 0), "not_stopped": ("mean_square", 3),
    }  # fmt: skip
    assert {entry.case.name: entry.stopped_by for entry in list_stopped(graded)} == {
        "a_constant": ("it is the mean of the squares",),
        "right_in_the_first_call_only": ("it is the mean of the squares",),
        "helped_by_a_later_function": ("the test as a whole",),
    }
    assert (
        "hw, mean_square: the shortcut 'not_stopped' keeps all points; no criterion stops it"
        in describe_shortfalls(graded)
    )


@pytest.mark.parametrize("keeps", [[0], ["shape"], [1.0], [True]])
def test_positions_of_criteria_are_counted_from_one(keeps: list[Any]) -> None:
    with pytest.raises(ValueError, match="positions count from 1"):
        Mistakes("hw").of("double", hint="", keeps=keeps)


def test_functions_that_return_nothing_get_nothing(graded: list[GradedCase]) -> None:
    assert [entry.result.points for entry in of_kind(graded, CaseKind.NOTHING).values()] == [0, 0]


def test_mutants_lose_points_unless_the_course_says_they_are_equivalent(
    graded: list[GradedCase],
) -> None:
    count = count_cases(graded)
    assert (count.mutants, count.killed, count.equivalent) == (13, 13, 1)
    assert list_survivors(graded) == []
    assert [case.after for case in list_killed_equivalents(graded)] == ["return x"]


def test_counts_are_kept_per_exercise(graded: list[GradedCase]) -> None:
    counts = count_by_exercise(graded)
    assert [(c.exercise, c.mistakes, c.caught, c.named, c.alternatives, c.accepted) for c in counts] == [
        ("double", 2, 2, 2, 3, 3), ("mean_square", 3, 3, 2, 3, 2),
    ]  # fmt: skip


def test_json_tells_everything(graded: list[GradedCase]) -> None:
    told = json.loads(json.dumps(tally_json(graded)))
    assert [entry["exercise"] for entry in told["exercises"]] == ["double", "mean_square"]
    assert [entry["read"] for entry in told["misnamed"]] == ["Divide by the number of entries."]
    assert told["killed_equivalents"][0]["before"] == "return 2 * x"
    # The wrong alternative, the shortcut, what a mistake keeps, and 4 of 5 mistakes named.
    assert len(told["shortfalls"]) == 4
    assert told["stopped"][0]["by"] == ["it is the mean of the squares"]


def test_a_weak_test_is_found_out(examiner: Examiner, small_course: SmallCourse) -> None:
    write(
        small_course,
        test_double="### BEGIN HIDDEN TESTS\nassert double(0) == 0\n### END HIDDEN TESTS",
        needs="",
    )
    small_course.config.write_text(CONFIG)
    graded = audited(examiner, small_course)
    assert {(case.before, case.after) for case in list_survivors(graded)} == {
        ("return 2 * x", "return 3 * x"), ("return 2 * x", "return 1 * x"),
    }  # fmt: skip
    assert "hw: 11 of 13 mutants lose points" in describe_shortfalls(graded)
    assert "the mistake 'squared' keeps all points" in " ".join(describe_shortfalls(graded))
    assert "returns None gets 1 of 3 points for 'x stays as it was'" in " ".join(
        describe_shortfalls(graded)
    )


EMPTY = """\
### BEGIN HIDDEN TESTS
from autograder.marking import Marking

marking = Marking(points=2)


@marking.criterion(2, "every number is doubled")
def every_number():
    for got, wanted in zip(double(np.array([1.0, 2.0])), (2, 4)):
        assert got == wanted


marking.score()
### END HIDDEN TESTS
"""


def test_a_criterion_that_can_end_without_a_comparison_fails_the_audit(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    write(small_course, test_double=EMPTY)
    path = small_course.source.with_name("shortcuts.py")
    path.write_text(
        SHORTCUTS + '\n@shortcuts.of("double")\ndef nothing_to_compare(x):\n    return []\n'
    )
    exam, cases = read_cases(load_course(small_course.config), "hw")
    auditor = CaseAuditor(examiner, {"hw": exam})
    graded = [auditor.grade(case) for case in cases if case.name == "nothing_to_compare"]
    assert [(entry.result.points, entry.empty) for entry in graded] == [(0, ("every_number",))]
    assert describe_shortfalls(graded, find_vacuous_criteria(exam)) == [
        "hw, double: the criterion 'every number is doubled' is vacuous, it can end at line 9 of the test without a "
        "comparison; compare before, or raise a Hint there",
        "hw, double: the criterion `every_number` is vacuous, it ends without a comparison for the shortcut "
        "'nothing_to_compare'",
    ]
    ended = run(small_course, "hw", "-e", "double", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["vacuous"] == [
        {
            "assignment": "hw",
            "exercise": "double",
            "sentence": "every number is doubled",
            "lines": [9],
        }
    ]


# ------------------------------------------------------------------------------------------------ excerpts


@pytest.fixture
def exam(small_course: SmallCourse) -> Exam:
    return read_exam(write(small_course))


def test_an_excerpt_has_what_an_exercise_needs(exam: Exam) -> None:
    part = cut_excerpt(exam, exam.exercises[0])
    assert [cell.source for cell in part.cells] == ["import numpy as np", DOUBLE, TEST_DOUBLE]
    assert [cell.grade_id for cell in part.exam.cells if cell.solution] == [
        "double_solution",
        "mean_solution",
    ]


def test_an_excerpt_is_a_notebook(exam: Exam) -> None:
    content = json.loads(
        cut_excerpt(exam, exam.exercises[0]).submission({"double_solution": "double = 1"}).content
    )
    assert [cell["source"] for cell in content["cells"]] == [
        "import numpy as np",
        "double = 1",
        TEST_DOUBLE,
    ]


def test_where_an_excerpt_is_not_enough_the_whole_notebook_is_graded(
    examiner: Examiner, small_course: SmallCourse
) -> None:
    shared = TEST_MEAN.replace("[1.0, 2.0, 5.0]", "[1.0, 2.0, SHARED]")  # a name of the first test
    write(small_course)
    cells = json.loads(small_course.source.read_text())["cells"]
    cells[-2]["source"] = shared.format(needs=', needs="values"')
    small_course.write(*cells)
    exam = read_exam(small_course.source)
    auditor = CaseAuditor(examiner, {"hw": exam})
    (case,) = (case for case in build_cases(exam) if case.name == "summed")
    assert auditor.grade(AuditCase("hw", "mean_square", CaseKind.REFERENCE, "", "")).full
    assert auditor.grade(case).named
    assert len(take_whole_exam(exam).cells) == len(cells)


def test_an_impossible_exercise_is_found_out(examiner: Examiner, small_course: SmallCourse) -> None:
    write(
        small_course,
        test_double="### BEGIN HIDDEN TESTS\nassert double(1) == 3\n### END HIDDEN TESTS",
    )
    exam = read_exam(small_course.source)
    graded = [CaseAuditor(examiner, {"hw": exam}).grade(case) for case in build_cases(exam)[:1]]
    assert describe_shortfalls(graded) == ["hw, double: the reference itself gets 0 of 2 points"]


# ------------------------------------------------------------------------------------------------ wrong files


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        (
            "mistakes.py",
            "@mistakes.of('duoble', hint='')\ndef typo(x): ...",
            "'typo' as a way to write 'duoble'.*double",
        ),
        (
            "alternatives.py",
            "@alternatives.of('halve')\ndef gone(x): ...",
            "'gone' as a way to write 'halve'",
        ),
        (
            "shortcuts.py",
            "@shortcuts.of('halve')\ndef gone(x): ...",
            "shortcuts.py has 'gone'.* to write 'halve'",
        ),
        (
            "alternatives.py",
            "alternatives.equivalent('double', 'return x', 'return y', because='')",
            "no such mutant",
        ),
    ],
)
def test_a_variant_of_nothing_is_refused(
    small_course: SmallCourse, file: str, line: str, words: str
) -> None:
    write(small_course)
    path = small_course.source.with_name(file)
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(ExamError, match=words):
        read_cases(load_course(small_course.config), "hw")


# ------------------------------------------------------------------------------------------------ the command


def run(course: SmallCourse, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_autograder.command(), "audit", *arguments, "--config", str(course.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def test_the_command_prints_a_table_and_survivors(small_course: SmallCourse) -> None:
    write(small_course)
    ended = run(small_course)
    assert ended.returncode == 1
    assert "double 2/2 2/2 0/0 3/3 1/1 4/4 1" in " ".join(ended.stdout.split())
    assert "stopped: mean_square, 'a_constant' gets 0 of 3 points; not met:" in ended.stdout
    assert (
        "falls short: hw, mean_square: the right answer 'wrong_after_all' gets 0 of 3 points"
        in ended.stdout
    )
    assert "called equivalent, but it loses points: hw, double, line 4" in ended.stdout
    assert "not told by its own hint: mean_square, 'summed_again'" in ended.stdout


def test_the_command_audits_one_exercise(small_course: SmallCourse) -> None:
    write(small_course)
    ended = run(small_course, "hw", "--exercise", "double", "--json")
    assert ended.returncode == 0
    assert [entry["exercise"] for entry in json.loads(ended.stdout)["exercises"]] == ["double"]


@pytest.mark.parametrize(
    ("arguments", "words"), [(["hw9"], "'hw9'"), (["--exercise", "halve"], "no exercise 'halve'")]
)
def test_an_unknown_name_is_wrong_usage(
    small_course: SmallCourse, arguments: list[str], words: str
) -> None:
    write(small_course)
    ended = run(small_course, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
