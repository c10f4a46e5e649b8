"""nbgrader's gradebook as a projection of the record, and marks of people that live through everything."""

from __future__ import annotations

import csv
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from formgrader import API, formgrader
from marked_course import EARLY, LATER, MONDAY, PLOT, MarkedCourse, make_marked_course
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader_course import nbgrader
from small_course import (
    CONFIG,
    DOUBLE,
    TEST_DOUBLE,
    SmallCourse,
    code,
    notebook,
    solution,
    test,
    text,
)

from autograder.course.reports import Status
from autograder.gradebook.autograded_notebooks import autograded_path
from autograder.record.manual_marks import ManualMark

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in whose gradebook one student waits for a mark."""
    course = make_marked_course(tmp_path_factory.mktemp("fresh") / "course")
    course.grade("on-time", EARLY)
    course.update()
    return course.small.root


@pytest.fixture
def course(fresh: Path, tmp_path: Path) -> MarkedCourse:
    """A copy of it at the same depth, for each test."""
    root = tmp_path / "course"
    shutil.copytree(fresh, root)
    return MarkedCourse(SmallCourse(root))


def test_an_exercise_that_waits_for_a_person_is_asked_for_in_the_formgrader(
    course: MarkedCourse,
) -> None:
    assert course.points() == {"double": (2.0, "passed"), "plot": (0.0, "to be marked")}
    assert course.entered() == {
        "auto": None, "manual": None, "extra": None, "score": 0.0, "comment": None, "asks": True
    }  # fmt: skip
    assert course.entered("double")["asks"] is False
    shown = json.loads(autograded_path(course.classroom.course, "on-time", "hw").read_text())
    assert "plot()" in [cell["source"] for cell in shown["cells"]]


def test_a_mark_given_in_the_gradebook_counts(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0, comment="Name the axes.")
    blob = course.ledger.read("on-time").pushes[0].notebooks[0].blob
    course.update()
    assert course.marks() == (
        ManualMark("hw", "plot", MONDAY, 3.0, 0.0, (("plot", "Name the axes."),), blob),
    )
    assert course.points() == {"double": (2.0, "passed"), "plot": (3.0, "partial")}
    assert course.classroom.standings()["on-time"]["hw"].points == 5.0
    assert (course.entered()["score"], course.entered()["asks"]) == (3.0, False)


def test_a_mark_overrides_a_test_and_extra_credit_comes_on_top(course: MarkedCourse) -> None:
    course.enter("double", manual_score=1.0, extra_credit=0.5, comment="By luck.")
    course.update()
    assert course.points()["double"] == (1.5, "partial")
    entered = course.entered("double")
    assert (entered["auto"], entered["manual"], entered["extra"], entered["score"]) == (
        2.0,
        1.0,
        0.5,
        1.5,
    )


def test_reading_again_adds_nothing(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0, comment="Well.")
    for _ in range(3):
        course.update()
    assert len(course.marks()) == 1


def test_a_mark_survives_the_loss_of_the_gradebook(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0, extra_credit=1.0, comment="Beautiful.")
    course.enter("double", comment="A comment alone.")
    course.update()
    (course.small.root / "gradebook.db").unlink()
    shutil.rmtree(course.small.root / "autograded")
    course.update()
    assert course.entered() == {
        "auto": None, "manual": 3.0, "extra": 1.0, "score": 4.0, "comment": "Beautiful.", "asks": False
    }  # fmt: skip
    assert course.entered("double")["comment"] == "A comment alone."
    assert len(course.marks()) == 2
    assert course.points() == {"double": (2.0, "passed"), "plot": (4.0, "passed")}


def add_later(course: MarkedCourse) -> Path:
    """Add a second assignment, released, with the same notebook; return its source."""
    later = '"later": {"title": "Later", "deadline": "2027-04-06 23:59"}'
    course.small.config.write_text(CONFIG.replace('{"hw": {', f'{{{later}, "hw": {{'))
    root = course.small.root
    for folder in ("solutions", "assignments"):
        (root / folder / "later").mkdir()
        shutil.copy(course.small.source, root / folder / "later" / "later.ipynb")
    return root / "solutions" / "later" / "later.ipynb"


def test_a_comment_on_a_test_stays_while_the_source_of_its_notebook_is_broken(
    course: MarkedCourse,
) -> None:
    add_later(course)
    course.enter("double", comment="A comment alone.")
    course.update()
    whole = course.small.source.read_text()
    course.small.source.write_text("{")
    course.enter(manual_score=3.0)
    course.update()
    course.small.source.write_text(whole)
    course.update()
    assert course.entered("double")["comment"] == "A comment alone."
    assert course.entered()["manual"] == 3.0
    assert [mark.exercise for mark in course.marks()] == ["double", "plot"]


def test_a_comment_on_a_test_stays_when_another_assignment_is_entered_anew(
    course: MarkedCourse,
) -> None:
    source = add_later(course)
    course.enter("double", comment="A comment alone.")
    course.update()
    with Gradebook(course.classroom.course.database) as book, book.db.no_autoflush:
        book.add_submission("later", "on-time")
    changed = notebook(text("# Homework"), solution(DOUBLE), test(TEST_DOUBLE, points=3), PLOT)
    source.write_text(json.dumps(changed))
    course.update()
    assert course.entered("double")["comment"] == "A comment alone."
    assert [mark.exercise for mark in course.marks()] == ["double"]


def test_a_mark_that_was_taken_back_is_gone_and_stays_gone(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0, comment="Well.")
    course.update()
    course.enter(manual_score=None)
    course.update()
    assert course.points()["plot"] == (0.0, "to be marked")
    assert course.entered()["asks"] is True
    (course.small.root / "gradebook.db").unlink()
    course.update()
    assert course.entered()["manual"] is None
    assert [mark.points for mark in course.marks()] == [3.0, None]


def test_a_newer_mark_from_another_machine_replaces_the_one_here(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0, comment="Well.")
    course.update()
    newer = ManualMark(
        "hw",
        "plot",
        course.ledger.read("on-time").marks[0].time,
        4.0,
        0.0,
        (("plot", "Seen anew."),),
    )
    course.ledger.add_mark("on-time", newer)
    course.update()
    assert (course.entered()["manual"], course.entered()["comment"]) == (4.0, "Seen anew.")
    assert len(course.marks()) == 2


def test_a_mark_given_here_and_one_from_elsewhere_are_both_kept_and_the_last_read_stands(
    course: MarkedCourse,
) -> None:
    course.enter(manual_score=3.0)
    course.update()
    course.ledger.add_mark(
        "on-time", ManualMark("hw", "plot", course.ledger.read("on-time").marks[0].time, 4.0)
    )
    course.enter(manual_score=1.0)
    course.update()
    assert [mark.points for mark in course.marks()] == [3.0, 4.0, 1.0]
    assert course.entered()["manual"] == course.points()["plot"][0] == 1.0


def test_after_a_new_push_the_mark_stands_and_a_person_is_asked_to_look_again(
    course: MarkedCourse,
) -> None:
    course.enter(manual_score=3.0)
    course.update()
    later = course.grade("on-time", LATER, answer="better_plot()")
    course.update()
    assert (course.points()["plot"], course.entered()["asks"]) == ((3.0, "partial"), True)
    course.update()
    assert course.entered()["asks"] is True, "asked until a person looked"
    course.enter(manual_score=3.0)  # the same points, seen anew
    course.update()
    assert (course.entered()["asks"], course.marks()[-1].notebook) == (False, later)


def test_when_a_repaired_test_gives_other_points_a_mark_against_it_is_looked_at_again(
    course: MarkedCourse,
) -> None:
    course.enter("double", manual_score=2.0)
    course.update()
    course.grade("on-time", LATER, double=0.0)
    course.update()
    assert (course.points()["double"], course.entered("double")["asks"]) == ((2.0, "passed"), True)


def test_what_counts_no_more_leaves_the_gradebook_and_comes_back_with_its_mark(
    course: MarkedCourse,
) -> None:
    course.enter(manual_score=3.0)
    config = course.small.config
    config.write_text(CONFIG.replace("2027-03-06", "2027-02-06"))
    course.update()
    assert course.points() == {}
    with pytest.raises(MissingEntry):
        course.entered()
    config.write_text(CONFIG)
    course.update()
    assert (course.points()["plot"], course.entered()["manual"]) == ((3.0, "partial"), 3.0)


def test_an_exercise_added_in_mid_term_is_entered_and_marks_stay(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0)
    course.small.write(
        text("# Homework"), solution(DOUBLE), test(TEST_DOUBLE), PLOT, test("assert True", "new", 1)
    )
    course.update()
    with course.notebook() as notebook:
        assert {grade.cell.name: grade.max_score for grade in notebook.grades} == {
            "double": 2,
            "plot": 4,
            "new": 1,
        }
    assert course.entered()["manual"] == 3.0


def test_an_assignment_for_later_in_the_term_is_left_out(course: MarkedCourse) -> None:
    later = '"later": {"title": "Later", "deadline": "2027-04-06 23:59"}'
    course.small.config.write_text(CONFIG.replace('{"hw": {', f'{{{later}, "hw": {{'))
    source = course.small.root / "solutions" / "later" / "later.ipynb"
    source.parent.mkdir()
    shutil.copy(course.small.source, source)
    course.update()
    with Gradebook(course.classroom.course.database) as book:
        assert [assignment.name for assignment in book.assignments] == ["hw"]


def test_a_notebook_that_is_nowhere_is_named_and_everything_else_goes_on(
    course: MarkedCourse,
) -> None:
    course.grade("late", EARLY)
    shutil.rmtree(course.small.root / "forks" / "late.git")
    (sentence,) = course.update()
    assert sentence.startswith("late, hw: the formgrader cannot show it")
    assert course.entered("double", "late")["score"] == 2.0


def test_what_waits_for_a_person_is_run_where_its_outputs_are_missing(course: MarkedCourse) -> None:
    course.grade("late", EARLY, plot=Status.NOT_ATTEMPTED)
    (task,) = course.classroom.find_unshown()
    assert (task.student.id, task.waiting) == ("on-time", [])
    outputs = course.classroom.course.outputs / "hw"
    outputs.mkdir(parents=True)
    (outputs / f"{task.file.blob}.json").write_text("[]")
    assert course.classroom.find_unshown() == []


def test_the_formgrader_counts_what_came_by_git(course: MarkedCourse) -> None:
    root = course.small.root
    database = f"sqlite:///{root / 'gradebook.db'}"
    places = CourseDirectory(root=str(root), db_url=database, source_directory="solutions")
    api = NbGraderAPI(coursedir=places)

    def counts() -> tuple[int, list[tuple[bool, bool]]]:
        listed = api.get_student_submissions("on-time")
        return api.get_assignment("hw")["num_submissions"], [
            (entry["submitted"], entry["autograded"]) for entry in listed
        ]

    assert counts() == (1, [(True, True)])
    course.grade("late", EARLY, double=1.0)
    course.grade("on-time", LATER, answer="plot(1)")
    course.update()
    assert counts() == (2, [(True, True)])
    theirs = root / "submitted" / "late" / "hw"
    (theirs / "hw.ipynb").write_text("collected by nbgrader")
    (theirs / "timestamp.txt").write_text("2020-01-01 00:00:00 UTC")
    course.grade("late", LATER, double=2.0)
    course.update()
    assert (theirs / "timestamp.txt").read_text() == "2020-01-01 00:00:00 UTC"
    shutil.rmtree(root / "submitted")
    course.update()
    assert counts() == (2, [(True, True)])


def test_nbgrader_exports_the_same_points(course: MarkedCourse) -> None:
    course.enter(manual_score=3.0, extra_credit=1.0)
    course.grade("late", EARLY, double=1.0)
    course.update()
    nbgrader(course.small.root, "export", "--to=grades.csv")
    with (course.small.root / "grades.csv").open() as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    standings = course.classroom.standings()
    assert (
        exported
        == {student: standings[student]["hw"].points for student in standings}
        == {"on-time": 6, "late": 1}
    )


# ------------------------------------------------------------------------------------------- nbgrader's own formgrader


def test_a_mark_entered_in_the_formgrader_itself_counts(course: MarkedCourse) -> None:
    with course.notebook() as notebook:
        submission = notebook.id
    with formgrader(course.small.root) as ask:
        shown = ask("GET", f"/formgrader/submissions/{submission}/")
        assert 'class="score tabbable" id="plot"' in shown
        grades = json.loads(ask("GET", f"{API}/grades?submission_id={submission}"))
        (grade,) = [grade for grade in grades if grade["needs_manual_grade"]]
        ask("PUT", f"{API}/grade/{grade['id']}", {"manual_score": 2.5, "extra_credit": 0.5})
        comments = json.loads(ask("GET", f"{API}/comments?submission_id={submission}"))
        (comment,) = [comment for comment in comments if comment["name"] == "plot"]
        ask("PUT", f"{API}/comment/{comment['id']}", {"manual_comment": "Which line is Adam?"})
    course.update()
    assert course.points()["plot"] == (3.0, "partial")
    assert course.marks()[0].comment == "Which line is Adam?"


SCRIPT = "<script>evil()</script>"
EVENT = "<img src=x onerror=evil()>"
TEXTS = [
    SCRIPT, EVENT, f"`code` {EVENT}", "<a href=javascript:evil()>x</a>", "[x](javascript:evil())",
    "<javascript:evil()>",
    "[x](&#106;avascript:evil())", "[x]\n\n[x]: javascript:evil()", "[x][y]\n\n[y]: javascript:evil()",
    "![x](https://example.org/who.png)", "<svg/onload=evil()>", "<!-- --><body onload=evil()>", "<style>*{}</style>",
    "$\\href{javascript:evil()}{x}$", "<iframe src=//example.org>", "</div></body>" + SCRIPT,
    "```\n</code>" + EVENT + "\n```",
]  # fmt: skip
SHOWN = [
    {"text/html": SCRIPT + EVENT}, {"text/markdown": EVENT}, {"application/javascript": "evil()"},
    {"image/svg+xml": f"<svg onload='evil()'>{SCRIPT}</svg>"}, {"image/png": '"' + "><script>evil()</script>"},
    {"text/latex": SCRIPT}, {"text/plain": SCRIPT}, {"application/vnd.jupyter.widget-view+json": {"model_id": SCRIPT}},
    {"text/html": f"<img src='data:image/png;base64,AAAA' onerror='evil()'>{SCRIPT}"},
]  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of a page: its scripts, and what else could run or load something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts, self.dangers, self.pictures = 0, [], 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = dict(attrs).get("src") or dict(attrs).get("href") or ""
        self.scripts += tag == "script"
        self.pictures += tag == "img"
        runs = "evil" in source or any(name.startswith("on") for name, _ in attrs)
        loads = tag != "a" and "example.org" in source
        if runs or loads or tag in {"iframe", "object", "embed", "svg", "style"}:
            self.dangers.append((tag, attrs))


def test_what_a_student_hands_in_runs_nothing_in_the_formgrader(course: MarkedCourse) -> None:
    attacks = [text(f"{number} {attack}") for number, attack in enumerate(TEXTS)]
    attacks += [text(attack) | {"cell_type": "raw"} for attack in TEXTS] + [code(SCRIPT)]
    blob = course.grade("late", EARLY, extra=attacks, answer=f"plot()  # {SCRIPT}")
    displays = [
        {"output_type": "display_data", "data": data, "metadata": {"isolated": True}}
        for data in SHOWN
    ]
    error = {"output_type": "error", "ename": SCRIPT, "evalue": EVENT, "traceback": [EVENT]}
    course.ran(
        blob, {2: [*displays, {"output_type": "stream", "name": "stdout", "text": EVENT}, error]}
    )
    course.update()
    ids = []
    for student in ("on-time", "late"):
        with course.notebook(student) as notebook:
            ids.append(notebook.id)
    with formgrader(course.small.root) as ask:
        honest, hostile = (
            Page(ask("GET", f"/formgrader/submissions/{submission}/")) for submission in ids
        )
        shown = ask("GET", f"/formgrader/submissions/{ids[1]}/")
    assert hostile.dangers == honest.dangers
    assert (hostile.scripts, hostile.pictures - honest.pictures) == (honest.scripts, 2)
    assert "&lt; script" in shown, "it is shown as text"
    assert "href{javascript" not in shown
