"""What a student's page puts first: what is new, what is due, what to look at, what can still come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from long_term import HINT, term_class
from pages_class import ARRAYS, MEAN_HINT, NOW, REGRESSION, PracticeClass, at, full, practice_class

from autograder.course.exam import Exam, SourceCell
from autograder.course.reports import Status
from autograder.pages.exercise_rows import OwnLine, split_hint
from autograder.pages.exercise_titles import find_exercise_titles, shorten_heading
from autograder.pages.student_page import StudentPage, make_student_page
from autograder.record.standings import judge_assignment


@pytest.fixture(scope="module")
def everyone() -> PracticeClass:
    return practice_class()


def page_of(made: PracticeClass, student: str) -> StudentPage:
    (person,) = [person for person in made.students if person.id == student]
    return make_student_page(
        made.course,
        made.exams,
        person,
        "CODE",
        made.standings[student],
        made.records[student],
        made.now,
    )


def test_what_is_new_is_the_newest_grading_and_what_it_changed(everyone: PracticeClass) -> None:
    news = page_of(everyone, "corrected").news
    assert news is not None
    assert (news.view.standing.assignment, news.before) == (REGRESSION, None)
    record = everyone.records["corrected"]
    (newest,) = [graded for graded in record.graded if graded.report.points == 12]
    without = replace(
        record, graded=tuple(graded for graded in record.graded if graded is not newest)
    )
    earlier = page_of(replace(everyone, records={"corrected": without}), "corrected").news
    assert earlier is not None
    assert (earlier.view.standing.assignment, earlier.before) == (ARRAYS, 9.0)
    assert [(change.before, change.after) for change in earlier.entry.changes] == [(2.0, 3.0)]


def test_nobody_is_told_news_before_anything_is_graded(everyone: PracticeClass) -> None:
    page = page_of(everyone, "nothing-pushed")
    assert (page.news, page.first_look) == (None, None)


def test_due_next_is_what_is_not_complete(everyone: PracticeClass) -> None:
    due = page_of(everyone, "nothing-pushed").next
    assert due is not None
    assert due[1].standing.part == "training"
    extended = page_of(everyone, "half-done").next
    assert extended is not None
    assert extended[1].standing.deadline == at("03-09 23:59")


def test_look_first_at_the_hint_with_most_to_gain_while_there_is_time(
    everyone: PracticeClass,
) -> None:
    look = page_of(everyone, "forgot-the-mean").first_look
    assert look is not None
    assert (look.row.title, look.row.hint, look.row.missed) == ("The gradients", MEAN_HINT, 4.0)
    over = replace(everyone, now=at("03-14 12:00"))
    assert page_of(over, "forgot-the-mean").first_look is None


def test_what_can_still_come_is_what_is_open_and_what_is_not_released() -> None:
    outlook = page_of(term_class(), "mid-term").outlook
    assert outlook is not None
    # 11 homework with 16 of 21 points each, ten of them over; nine of 21 points to come
    assert (outlook.to_come, outlook.max_points) == (9 * 21 + 5, 420)
    assert [ending.points for ending in outlook.endings] == [370.0, 321.5, 273.0, 176.0]
    assert [ending.of_all for ending in outlook.endings] == [88, 77, 65, 42]


def test_the_homework_at_hand_is_unfolded(everyone: PracticeClass) -> None:
    def current(made: PracticeClass, student: str) -> str:
        view = page_of(made, student).current
        return view.standing.assignment if view else ""

    assert current(everyone, "forgot-the-mean") == REGRESSION
    assert current(everyone, "nothing-pushed") == REGRESSION
    over = replace(everyone, now=at("03-20 12:00"))
    assert current(over, "corrected") == REGRESSION
    assert current(term_class(), "not-begun") == "hw11_topic"


def test_work_at_a_wrong_place_is_no_quiet_matter_before_the_deadline(
    everyone: PracticeClass,
) -> None:
    before = replace(everyone, now=at("02-27 12:00"))
    signs = {
        student: page_of(before, student).assignments[0].parts[0].mark
        for student in ("misplaced", "nothing-pushed")
    }
    assert (signs["misplaced"].word, signs["misplaced"].tone) == ("not at its place", "partly")
    assert (signs["nothing-pushed"].word, signs["nothing-pushed"].tone) == ("not begun", "quiet")


def test_all_points_are_celebrated_quietly(everyone: PracticeClass) -> None:
    assert page_of(term_class(), "all-done").is_all_done
    assert not page_of(term_class(), "mid-term").is_all_done
    late = page_of(everyone, "late").assignments[1]
    assert not late.is_full  # everything is right, and the late rule took its share


def test_points_over_pushes_are_drawn_from_the_second_grading_on(everyone: PracticeClass) -> None:
    views = {view.standing.assignment: view for view in page_of(everyone, "corrected").assignments}
    chart = views[ARRAYS].chart
    assert chart is not None
    assert [dot.points for dot in chart.dots] == [4.0, 7.0, 9.0, 10.0]
    heights = [dot.y for dot in chart.dots]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] == 18.0
    assert [dot.counts for dot in chart.dots] == [False, False, True, False]
    assert views[REGRESSION].chart is None


@pytest.mark.parametrize(
    ("hint", "words", "line"),
    [
        (HINT, HINT[: HINT.index(" It happened")], OwnLine(7, 23, "dLdW = (Z - Y).T @ X")),
        ("It happened in line 2 of cell 5.", "", OwnLine(2, 5, "")),
        ("Look. It happened in line 2 of cell 5: `a = `b``.", "Look.", OwnLine(2, 5, "a = `b`")),
        (
            "It happened in line 2 of cell 5, or so.",
            "It happened in line 2 of cell 5, or so.",
            None,
        ),
    ],
)
def test_the_line_of_ones_own_code_is_shown_apart(
    hint: str, words: str, line: OwnLine | None
) -> None:
    assert split_hint(hint) == (words, line)


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("Exercise: the loss (3 points)", "The loss"),
        ("Exercise 3.1: the loss", "The loss"),
        ("Exercise 3", "Exercise 3"),
        ("Task – `softmax` (1 point)", "`softmax`"),
        ("Exercises and (other) words", "Exercises and (other) words"),
        ("Exercise: one plot (4 points, given by a person)", "One plot"),
    ],
)
def test_a_title_is_the_heading_without_what_the_page_says_anyway(heading: str, title: str) -> None:
    assert shorten_heading(heading) == title


def test_a_title_comes_from_no_cell_in_which_somebody_answers() -> None:
    def answer(grade_id: str, kind: str = "code", *, graded: bool = False) -> SourceCell:
        return SourceCell(kind, "### A mark scheme", grade_id, graded=graded, solution=True)

    def test_cell(grade_id: str) -> SourceCell:
        return SourceCell("code", "", grade_id, graded=True, locked=True)

    cells = (
        SourceCell("markdown", "# Homework"),
        SourceCell("markdown", "## Part\n### Exercise: first"),
        answer("first_solution"),
        test_cell("first"),
        test_cell("first_again"),
        answer("second_solution"),
        test_cell("second"),
        SourceCell(
            "markdown", "### Exercise: essay\n### BEGIN MARK SCHEME\n# secret\n### END MARK SCHEME"
        ),
        answer("essay", "markdown", graded=True),
    )
    assert find_exercise_titles(Exam("hw", cells, ())) == {
        "first": "First",
        "first_again": "First",
        "second": "",
        "essay": "Essay",
    }


def test_a_row_without_a_result_has_no_points_before_its_grading(everyone: PracticeClass) -> None:
    student = next(person for person in everyone.students if person.id == "just-pushed")
    (assignment,) = [
        entry for name, entry in everyone.course.assignments.items() if name == REGRESSION
    ]
    stands = judge_assignment(
        everyone.course,
        assignment,
        everyone.exams[REGRESSION],
        student,
        everyone.records[student.id],
        {},
    )
    assert stands.points is None
    rows = [
        row
        for view in page_of(everyone, "just-pushed").assignments
        for part in view.parts
        for row in part.rows
    ]
    assert [row.points for row in rows[-5:]] == [None] * 5
    assert full(REGRESSION)["linreg_loss"].status is Status.PASSED
    assert NOW.month == 3
