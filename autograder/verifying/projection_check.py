"""What was made from the record, held against it: nbgrader's gradebook and the points pages."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.errors import AutograderError
from autograder.course.exam import Exam
from autograder.course.names import name_assignment
from autograder.course.reports import Status
from autograder.course.submissions import Student
from autograder.gradebook.projection_memory import database_file
from autograder.pages.page_seal import SEALED, unseal_contents
from autograder.pages.points_site import INDEX, LEADERBOARD, SiteSource, render_contents
from autograder.record.ledger import StudentRecord
from autograder.record.page_keys import PageKeys
from autograder.record.standings import PartState, Standing
from autograder.verifying.record_trouble import RecordTrouble

MAX_TOLD = 20  # a gradebook that was restored from a backup differs in thousands of grades
STEP_GRADEBOOK = "autograder gradebook brings it up to date"
STEP_DAMAGED = "autograder verify --repair moves it aside and makes it anew; marks that were not read yet stay in it"
STEP_PAGES = "autograder pages builds them anew"
UPDATED = re.compile(r'Last update: <time datetime="([^"]+)"')
Standings = Mapping[str, Mapping[str, Standing]]
Key = tuple[str, str, str]  # student, assignment, cell
Scores = dict[Key, tuple[float | None, float | None]]  # automatic points, and those by hand
# The same with the notebook's name between assignment and cell, as nbgrader has it
GradebookScores = dict[tuple[str, str, str, str], tuple[float | None, float | None]]
SCORES = """
select submission.student_id, assignment.name, own.name, base_cell.name, grade.auto_score, grade.manual_score
from grade
join base_cell on grade.cell_id = base_cell.id
join notebook own on base_cell.notebook_id = own.id
join submitted_notebook notebook on grade.notebook_id = notebook.id
join submitted_assignment submission on notebook.assignment_id = submission.id
join assignment on submission.assignment_id = assignment.id
"""


def check_gradebook(course: Course, standings: Standings) -> Iterator[RecordTrouble]:
    """Yield where `gradebook.db` says something else than the record."""
    path = database_file(course)
    if path is None:
        yield RecordTrouble(course.database, "is on a server, and was not looked at", serious=False)
        return
    if not path.exists():
        yield RecordTrouble(
            str(path), "is not there yet", "autograder gradebook makes it", serious=False
        )
        return
    try:
        read = read_scores(path)
    except sqlite3.Error as error:
        yield RecordTrouble(str(path), f"is damaged: {error}", STEP_DAMAGED)
        return
    scores: Scores = {}
    for (student, assignment, notebook, cell), given in read.items():
        scores[student, course.name_notebook(assignment, notebook), cell] = given
    wanted = _wanted_scores(standings)
    wrong, entered = _compare_scores(wanted, scores)
    for student, assignment, cell in sorted(wrong)[:MAX_TOLD]:
        said = scores.get((student, assignment, cell))
        found = "nothing" if said is None else f"{said[0]!r}"
        due = wanted[student, assignment, cell][0]
        what = f"has {found} for {cell} of {student} in {assignment}, the record {due!r}"
        yield RecordTrouble(str(path), what, STEP_GRADEBOOK)
    if wrong[MAX_TOLD:]:
        more = f"{len(wrong) - MAX_TOLD} more grades differ"
        yield RecordTrouble(str(path), more, STEP_GRADEBOOK)
    # Not serious: people mark between two runs.
    if entered:
        student, assignment, cell = min(entered)
        what = f"{len(entered)} marks by hand are not those of the record, as for {cell} of {student} in {assignment}"
        yield RecordTrouble(str(path), what, "autograder gradebook reads them", serious=False)
    # All notebooks of an assignment are one submission, there if one of them counts.
    there = _submissions(scores)
    right = _submissions(wanted) | _waiting(standings)
    surplus = sorted(there - right)
    for student, assignment in surplus:
        yield RecordTrouble(
            str(path),
            f"has a submission of {student} in {assignment}, the record none",
            STEP_GRADEBOOK,
        )


def _compare_scores(wanted: Scores, scores: Scores) -> tuple[list[Key], list[Key]]:
    """Return where automatic points differ, and where those that a person entered do."""
    wrong = []
    entered = []
    for key, (automatic, by_hand) in wanted.items():
        if key not in scores or scores[key][0] != automatic:
            wrong.append(key)
        if key in scores and scores[key][1] != by_hand:
            entered.append(key)
    return wrong, entered


def _submissions(scores: Scores) -> set[tuple[str, str]]:
    return {(student, name_assignment(notebook)) for student, notebook, _ in scores}


def read_scores(path: Path) -> GradebookScores:
    """Read every grade of a gradebook.

    Raises
    ------
    sqlite3.Error
        If the file is damaged, or no gradebook.
    """
    # Read only: verifying changes nothing, and must not make a file where there is none.
    address = path.resolve().as_uri()  # quotes what an address would read as its end
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        # sqlite reads no page that it does not need, and damage elsewhere would go unseen.
        (said,) = connection.execute("pragma quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        scores: GradebookScores = {}
        for student, assignment, notebook, cell, automatic, by_hand in connection.execute(SCORES):
            scores[student, assignment, notebook, cell] = automatic, by_hand
        return scores
    finally:
        connection.close()


def is_damaged(path: Path) -> bool:
    """Whether there is a gradebook that cannot be read."""
    try:
        read_scores(path)
    except sqlite3.Error:
        return path.exists()
    return False


def _wanted_scores(standings: Standings) -> Scores:
    wanted: Scores = {}
    for student, mine in standings.items():
        for name, standing in mine.items():
            for part in standing.parts:
                if not part.is_counted:
                    continue
                marks = {mark.exercise: mark.points for mark in part.marks}
                for exercise in part.automatic:
                    waits = exercise.status is Status.TO_BE_MARKED
                    automatic = None if waits else exercise.points
                    wanted[student, name, exercise.id] = automatic, marks.get(exercise.id)
    return wanted


def _waiting(standings: Standings) -> set[tuple[str, str]]:
    """Submissions that may stand in the gradebook as they were, because a part of them is not
    graded again yet.
    """
    waiting = set()
    for student, mine in standings.items():
        for name, standing in mine.items():
            if PartState.WAITING in standing.states:
                waiting.add((student, name_assignment(name)))
    return waiting


def check_pages(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    standings: Standings,
    records: Mapping[str, StudentRecord],
) -> Iterator[RecordTrouble]:
    """Yield which pages say something else than the record said at the moment they were built
    for.
    """
    index = course.site / INDEX
    if not index.exists():
        yield RecordTrouble(
            str(index), "is not there yet", "autograder pages builds it", serious=False
        )
        return
    if not course.keys.exists():
        step = "autograder state pull brings it; a new one means a new link for every student"
        yield RecordTrouble(str(course.keys), "there are pages, but no keys to them", step)
        return
    try:
        keys = PageKeys(course.keys)
        text = index.read_text(encoding="utf-8")
        match = UPDATED.search(text)
        moment = datetime.fromisoformat(match[1]) if match else None
    except (AutograderError, ValueError) as error:
        yield RecordTrouble(str(index), f"cannot be compared: {error}", STEP_PAGES)
        return
    if moment is None:
        yield RecordTrouble(str(index), "does not say when it was made", STEP_PAGES)
        return
    known = [student for student in students if keys.has_key_of(student.id)]
    # For the moment at which they were built: an hour later a deadline may be over.
    source = SiteSource(
        course, exams, standings, records, keys, known, moment, contact=course.contact
    )
    wanted = render_contents(source, source.make_boards())
    if text != wanted.index:
        yield RecordTrouble(str(index), "is not what the record gives", STEP_PAGES)
    board = course.site / LEADERBOARD
    if (board.read_text(encoding="utf-8") if board.exists() else "") != wanted.leaderboard:
        yield RecordTrouble(str(board), "is not what the record gives", STEP_PAGES)
    for student in students:
        reason = _wrong_page(course.site, keys, student.id, wanted.own.get(student.id))
        if reason:
            yield RecordTrouble(str(course.site), f"the page of {student.id} {reason}", STEP_PAGES)


def _wrong_page(site: Path, keys: PageKeys, student: str, wanted: str | None) -> str:
    """Say what is wrong with a student's page, empty if nothing is."""
    if wanted is None:
        return "has no key yet"
    own = keys.key_of(student)
    path = site / "p" / f"{own.page}.html"
    if not path.exists():
        return "is missing"
    match = SEALED.search(path.read_text(encoding="utf-8", errors="replace"))
    if match is None:
        return "is damaged"
    try:
        text = unseal_contents(match["sealed"].strip(), own.key, own.page)
    # What was compressed and cut off ends in one of the latter two.
    except (ValueError, OSError, EOFError) as error:
        return f"is damaged ({error})"
    return "" if text == wanted else "is not what the record gives"
