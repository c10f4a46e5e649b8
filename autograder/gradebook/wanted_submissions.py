"""What nbgrader's gradebook and formgrader are to hold of each student's assignment: standings as
plain data.

Nothing here needs nbgrader, which takes a second to load: a run in which nothing is new ends before that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from autograder.course.configuration import Assignment, Course
from autograder.course.exam import Exam
from autograder.course.names import name_assignment, name_file
from autograder.course.reports import ExerciseResult, Status
from autograder.course.submissions import NotebookFile, Push, Student
from autograder.gradebook.autograded_notebooks import shown_file, shown_push
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import PartStanding, PartState, Standing

Standings = Mapping[str, Mapping[str, Standing]]
ABSENT = "absent"  # in the place of a fingerprint, where the gradebook is to hold nothing


@dataclass(frozen=True)
class WantedSubmission:
    """What the gradebook is to hold of a student's assignment; of one with several notebooks, of
    one of these.

    Attributes
    ----------
    exam : str
        Version of the exam the cells come from.
    is_counted : bool
        Whether anything of the assignment counts; else there is to be no submission, unless one
        still waits to be graded.
    waits : bool
        Whether a part of the assignment is not graded yet.
    timestamp : datetime or None
        When the last push that counts came; in UTC without saying so, as nbgrader keeps times.
    extension : timedelta or None
        How much later than everybody's the student's last deadline is.
    penalty : float
        Points that the late rule takes.
    results : tuple of ExerciseResult
        Of the parts that count, as grading gave them.
    marks : tuple of ManualMark
        What people said of these exercises.
    push, file
        The push and the notebook in it that the formgrader shows.
    """

    student: Student
    assignment: str
    exam: str
    is_counted: bool
    waits: bool
    timestamp: datetime | None
    extension: timedelta | None
    penalty: float
    results: tuple[ExerciseResult, ...]
    marks: tuple[ManualMark, ...]
    push: Push | None
    file: NotebookFile | None

    @property
    def name(self) -> str:
        """Return what tells it from all others; neither part has a slash in it."""
        return f"{self.student.id}/{name_file(self.assignment)}"

    @property
    def key(self) -> tuple[str, str]:
        """Student and assignment as the gradebook has them: all notebooks of one are one submission."""
        return self.student.id, name_assignment(self.assignment)

    @property
    def blob(self) -> str:
        """Git blob of the notebook that is shown, "" for none."""
        return self.file.blob if self.file is not None else ""

    @property
    def fingerprint(self) -> str:
        """Return a short text that is another one as soon as anything of it is."""
        if not self.is_counted:
            return f"{ABSENT}, waits" if self.waits else ABSENT
        results = []
        for result in self.results:
            results.append([result.id, result.points, result.status.value])
        marks = []
        for mark in self.marks:
            marks.append([mark.exercise, mark.given, mark.notebook, str(mark.time)])
        said = [
            self.student.name,
            self.student.email,
            self.exam,
            str(self.timestamp),
            str(self.extension),
            self.penalty,
            results,
            marks,
            self.blob,
            self.push.commit if self.push is not None else "",
        ]
        # 128 bits: no two of them are ever alike by chance, and the file of them stays small.
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def list_given_out(course: Course, standings: Standings) -> list[Assignment]:
    """Return the assignments that are released, or handed in by anyone; others are for later in the
    term.
    """
    given_out = []
    for assignment in course.assignments.values():
        handed_in = any(_counted_parts(mine[assignment.name]) for mine in standings.values())
        if handed_in or course.release_path(assignment.name).exists():
            given_out.append(assignment)
    return given_out


def list_wanted(
    assignments: Sequence[Assignment],
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    standings: Standings,
) -> Iterator[WantedSubmission]:
    """Yield what the gradebook is to hold, student by student."""
    by_name: dict[str, list[Assignment]] = {}
    for assignment in assignments:
        by_name.setdefault(assignment.whole, []).append(assignment)
    for student in students:
        for notebooks in by_name.values():
            mine = []
            times = []
            is_counted = False
            waits = False
            for entry in notebooks:
                standing = standings[student.id][entry.name]
                wanted = want_submission(student, entry, exams[entry.name], standing)
                mine.append(wanted)
                if wanted.timestamp is not None:
                    times.append(wanted.timestamp)
                is_counted = is_counted or wanted.is_counted
                waits = waits or wanted.waits
            newest = max(times, default=None)
            # All notebooks of an assignment are one submission: it counts, or waits, as a whole.
            for wanted in mine:
                yield replace(wanted, is_counted=is_counted, waits=waits, timestamp=newest)


def want_submission(
    student: Student, assignment: Assignment, exam: Exam, standing: Standing
) -> WantedSubmission:
    """Return what the gradebook is to hold of one standing."""
    # Of each part by itself: a late push may count for one and an earlier one for another.
    counted = _counted_parts(standing)
    results: list[ExerciseResult] = []
    marks: list[ManualMark] = []
    for part in counted:
        results += part.automatic
        marks += part.marks
    return WantedSubmission(
        student,
        assignment.name,
        exam.version,
        is_counted=bool(counted),
        waits=PartState.WAITING in standing.states,
        timestamp=without_zone(_newest_push(counted)),
        extension=_extension(assignment, standing),
        penalty=sum(_penalty(part) for part in counted),
        results=tuple(results),
        marks=tuple(marks),
        push=shown_push(standing),
        file=shown_file(standing),
    )


def without_zone(moment: datetime | None) -> datetime | None:
    """Return a moment as nbgrader keeps it: in UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def waits_for_mark(result: ExerciseResult | None) -> bool:
    """Whether a person is to mark an exercise."""
    return result is not None and result.status is Status.TO_BE_MARKED


def _counted_parts(standing: Standing) -> list[PartStanding]:
    return [part for part in standing.parts if part.is_counted]


def _newest_push(parts: Sequence[PartStanding]) -> datetime | None:
    times = [part.push.time for part in parts if part.push]
    return max(times, default=None)


def _penalty(part: PartStanding) -> float:
    # nbgrader takes points away where ours are multiplied; the sum in its gradebook is the same.
    return (1.0 - part.factor) * sum(exercise.points for exercise in part.exercises)


def _extension(assignment: Assignment, standing: Standing) -> timedelta | None:
    everybody = assignment.last_deadline
    own = max((part.deadline for part in standing.parts if part.deadline), default=None)
    if own is None or everybody is None or own == everybody:
        return None
    return own - everybody
