"""Long work behind commands, with its progress: collecting and grading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.cli.frame import err, out
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.classroom import Classroom


def collect_all(classroom: Classroom, screen: Console = out, now: datetime | None = None) -> bool:
    """Collect with progress; return whether every remote answered."""
    from autograder.progress import tracked

    found = classroom.collect() if now is None else classroom.collect(lambda: now)
    done = list(tracked(found, len(classroom.students), "collecting", screen))
    failed = Counter(entry.error for entry in done if entry.error)
    for reason, number in failed.items():  # one reason may have stopped many
        times = f" ({number} repositories)" if number > 1 else ""
        err.print(f"not collected: {reason}{times}", style="red", markup=False)
    for note in (note for entry in done for note in entry.notes):
        err.print(f"note: {note}", markup=False)
    mind_roster(classroom)
    new = sum(len(entry.pushes) for entry in done)
    screen.print(f"collected: {new} new pushes from {len(done)} repositories, {failed.total()} failed")
    return not failed


def mind_roster(classroom: Classroom) -> None:
    """Say that there is nobody to look after: an empty roster is a beginning, and no error."""
    if not classroom.students:
        err.print(f"note: nobody is in {classroom.course.roster} yet; add a line for each student", markup=False)


def check_student(classroom: Classroom, student: str) -> None:
    """Raise a UsageError if the roster has no such student."""
    from autograder.config import nearest

    names = [entry.id for entry in classroom.students]
    if student not in names:
        raise UsageError(f"no student {student!r} in {classroom.course.roster}; {nearest(student, names)}")


def grade_all(
    classroom: Classroom, students: Sequence[str] = (), *, force: bool = False, screen: Console = out
) -> bool:
    """Grade with progress; return whether every submission has a report."""
    from autograder.progress import tracked

    for student in students:
        check_student(classroom, student)
    chosen = [entry for entry in classroom.students if not students or entry.id in students]
    tasks = classroom.open_tasks(force=force, students=chosen)
    done = list(tracked(classroom.grade(tasks), len(tasks), "grading", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not graded: {entry.error}", style="red", markup=False)
    screen.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    return not failed


def gradebook_all(classroom: Classroom, screen: Console = out) -> None:
    """Take people's marks into the record, run what waits for some, and bring nbgrader's gradebook up to date."""
    from autograder.errors import NoJail
    from autograder.progress import tracked

    number, tasks = classroom.read_gradebook(), classroom.unshown()
    try:
        list(tracked(classroom.grade(tasks), len(tasks), "running what people will mark", screen))
    except NoJail as error:
        err.print(f"note: the formgrader shows answers without what they give: {error}", markup=False)
    for sentence in classroom.update_gradebook():
        err.print(f"note: {sentence}", markup=False)
    screen.print(f"gradebook: {number} new marks by hand, {classroom.course.database}", markup=False)
