"""Leaderboards: who of those that asked for it stands where, by code names.

A student's newest push speaks for them, before and after the deadline: what it does not say any more is gone with the
next build. Told are rank, code name, number and day; not the minute, for pushes to a public fork can be seen.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from autograder.course.configuration import Assignment, Course
from autograder.course.exam import Exam
from autograder.course.layout import find_notebook
from autograder.course.leaderboard import Leaderboard
from autograder.course.reports import BoardEntry
from autograder.course.submissions import Push, Student
from autograder.pages.code_names import (
    DRAW,
    REFUSED_TAKEN,
    PeopleOfClass,
    draw_code_name,
    explain_bad_form,
    fold_name,
)
from autograder.pages.push_history import find_newest_report
from autograder.record.ledger import StudentRecord
from autograder.record.page_keys import PageKeys

# Two boards of a thousand students each would be more than a telephone should have to load.
MOST_ROWS = 200


@dataclass(frozen=True)
class BoardRow:
    """A line that everybody may read; equal scores have one rank."""

    rank: int
    code_name: str
    score: float
    pushed: datetime


@dataclass(frozen=True)
class BoardPlace:
    """What a leaderboard says to one student of their own answer.

    Attributes
    ----------
    title : str
        Of the assignment.
    code_name : str
        As it is shown, empty where none may be.
    row : BoardRow or None
        None while there is nothing to rank; `remark` says why.
    wished : str
        The code name as the student wrote it, for the eyes of instructors.
    """

    title: str
    code_name: str
    row: BoardRow | None
    of: int
    remark: str = ""
    wished: str = ""


@dataclass(frozen=True)
class Board:
    """The leaderboard of an assignment; `places` is by student, and for no page but their own."""

    assignment: str
    title: str
    what: str
    less_is_better: bool
    rows: tuple[BoardRow, ...]
    places: Mapping[str, BoardPlace] = field(repr=False)

    @property
    def shown_rows(self) -> tuple[BoardRow, ...]:
        """The best rows; whoever is further down reads the rank on their own page."""
        return self.rows[:MOST_ROWS]


@dataclass(frozen=True)
class _Entrant:
    """A student who wants to be on a board; `since` is when they first used this code name."""

    student: str
    entry: BoardEntry
    pushed: datetime
    since: datetime


def make_boards(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    records: Mapping[str, StudentRecord],
    keys: PageKeys,
) -> tuple[Board, ...]:
    """Return the leaderboards on which somebody wants to be.

    Parameters
    ----------
    students : sequence of Student
        The whole roster: the names and ids of all of them stay off the boards.
    keys : PageKeys
        Its secret draws code names.
    """
    measured = []
    for name, exam in exams.items():
        if exam.leaderboard is not None:
            entrants = _find_entrants(exam, students, records)
            if entrants:
                measured.append((name, exam.leaderboard, entrants))
    if not measured:
        return ()
    people = PeopleOfClass(students)
    boards = []
    for name, leaderboard, entrants in measured:
        assignment = course.assignments[name]
        boards.append(_make_board(assignment, leaderboard, entrants, people, keys))
    return tuple(boards)


def list_places(boards: Iterable[Board], student: str) -> tuple[BoardPlace, ...]:
    """Return what the leaderboards say to one student."""
    places = []
    for board in boards:
        if student in board.places:
            places.append(board.places[student])
    return tuple(places)


def _find_entrants(
    exam: Exam, students: Iterable[Student], records: Mapping[str, StudentRecord]
) -> list[_Entrant]:
    """Return who wants to be on a board, those first who have their code name longest."""
    entrants = []
    for student in students:
        if student.id in records:
            entrant = _find_entrant(exam, records[student.id])
            if entrant is not None:
                entrants.append(entrant)
    # By id where two came at once: the same one must keep the name in each build.
    return sorted(entrants, key=lambda entrant: (entrant.since, entrant.student))


def _find_entrant(exam: Exam, record: StudentRecord) -> _Entrant | None:
    pushes = record.about(exam.assignment).pushes
    if not pushes:
        return None
    newest = _read_entry(exam, record, pushes[-1])
    if newest is None:
        return None
    since = pushes[-1].time
    folded = _fold_wish(newest.code_name)
    for push in reversed(pushes):
        entry = _read_entry(exam, record, push)
        # A name that was given up is free: who takes it up again has it from then on.
        if entry is None or _fold_wish(entry.code_name) != folded:
            break
        since = push.time
    return _Entrant(record.student, newest, pushes[-1].time, since)


def _read_entry(exam: Exam, record: StudentRecord, push: Push) -> BoardEntry | None:
    file = find_notebook(push.notebooks, exam.assignment)
    report = find_newest_report(record, file, exam.assignment)
    return report.entry if report is not None else None


def _fold_wish(code_name: str) -> str:
    """Return what a code name looks like; the wish for a drawn one looks like no name."""
    return DRAW if code_name == DRAW else fold_name(code_name)


def _make_board(
    assignment: Assignment,
    leaderboard: Leaderboard,
    entrants: Sequence[_Entrant],
    people: PeopleOfClass,
    keys: PageKeys,
) -> Board:
    shown: dict[str, str] = {}
    refused: dict[str, str] = {}
    looks: set[str] = set()
    for entrant in entrants:
        name, reason = _admit_name(assignment.name, entrant, people, keys, looks)
        if reason:
            refused[entrant.student] = reason
        else:
            shown[entrant.student] = name
            looks.add(fold_name(name))
    ranked = []
    for entrant in entrants:
        if entrant.student in shown and entrant.entry.score is not None:
            ranked.append(entrant)
    rows = _rank_entrants(ranked, shown, leaderboard.less_is_better)
    places = {}
    for entrant in entrants:
        student = entrant.student
        places[student] = BoardPlace(
            title=assignment.full_title,
            code_name=shown.get(student, ""),
            row=rows.get(student),
            of=len(rows),
            remark=refused.get(student, "") or entrant.entry.remark,
            wished=entrant.entry.code_name,
        )
    in_order = sorted(rows.values(), key=lambda row: (row.rank, row.code_name))
    return Board(
        assignment=assignment.name,
        title=assignment.full_title,
        what=leaderboard.title,
        less_is_better=leaderboard.less_is_better,
        rows=tuple(in_order),
        places=places,
    )


def _admit_name(
    board: str, entrant: _Entrant, people: PeopleOfClass, keys: PageKeys, looks: Container[str]
) -> tuple[str, str]:
    """Return the code name to show, or the reason why it is not to be shown; `looks` are those that
    are taken, folded.
    """
    wished = entrant.entry.code_name
    if wished == DRAW:
        name = draw_code_name(keys, board, entrant.student, people, looks)
        return name, ""
    reason = explain_bad_form(wished)
    if reason:
        return "", reason
    if people.is_somebody(wished) or fold_name(wished) in looks:
        return "", REFUSED_TAKEN
    return wished, ""


def _rank_entrants(
    entrants: Sequence[_Entrant], shown: Mapping[str, str], less_is_better: bool
) -> dict[str, BoardRow]:
    """Return each student's row; who has the same number has the same rank."""
    scores = sorted(
        (entrant.entry.score or 0.0 for entrant in entrants), reverse=not less_is_better
    )
    rows = {}
    for entrant in entrants:
        score = entrant.entry.score or 0.0
        rank = scores.index(score) + 1
        rows[entrant.student] = BoardRow(rank, shown[entrant.student], score, entrant.pushed)
    return rows
