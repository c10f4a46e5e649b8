"""Long work behind commands, with its progress; what fails for one student or in one step holds nobody else up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.cli.application import debugging, err, out
from autograder.course.errors import AutograderError, Interrupted, UsageError, describe_error

if TYPE_CHECKING:
    from autograder.classroom.classroom import Classroom
    from autograder.grading.grading_run import FinishedTask


def hold_course_lock(classroom: Classroom, command: str) -> AbstractContextManager[None]:
    """Hold the course's lock while something is changed; see `autograder.record.course_lock`."""
    from autograder.record.course_lock import one_writer

    return one_writer(classroom.course.root, command, classroom.course.write_moment)


def collect_all(classroom: Classroom, screen: Console = out, now: datetime | None = None) -> bool:
    """Collect with progress; return whether every remote answered."""
    from autograder.cli.progress_bar import track_progress

    found = classroom.collect() if now is None else classroom.collect(lambda: now)
    done = list(track_progress(found, len(classroom.students), "collecting", screen))
    failed = Counter(entry.error for entry in done if entry.error)
    for reason, number in failed.items():  # one reason may have stopped many
        times = f" ({number} repositories)" if number > 1 else ""
        err.print(f"not collected: {reason}{times}", style="red", markup=False)
    for note in (note for entry in done for note in entry.notes):
        err.print(f"note: {note}", markup=False)
    new = sum(len(entry.pushes) for entry in done)
    screen.print(f"collected: {new} new pushes from {len(done)} repositories, {failed.total()} failed")
    return not failed


def note_empty_roster(classroom: Classroom) -> None:
    """Say that there is nobody to look after: an empty roster is a beginning, and no error."""
    if not classroom.students:
        err.print(f"note: nobody is in {classroom.course.roster} yet; add a line for each student", markup=False)


def require_student(classroom: Classroom, student: str) -> None:
    """Raise a UsageError if the roster has no such student."""
    from autograder.course.configuration import say_nearest_name

    names = [entry.id for entry in classroom.students]
    if student not in names:
        raise UsageError(f"no student {student!r} in {classroom.course.roster}; {say_nearest_name(student, names)}")


def grade_all(
    classroom: Classroom, students: Sequence[str] = (), *, force: bool = False, screen: Console = out
) -> bool:
    """Grade with progress; return whether every submission has a report."""
    from autograder.cli.progress_bar import track_progress

    for student in students:
        require_student(classroom, student)
    chosen = [entry for entry in classroom.students if not students or entry.id in students]
    tasks = classroom.open_tasks(force=force, students=chosen)
    done = list(track_progress(classroom.grade(tasks), len(tasks), "grading", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not graded: {entry.error}", style="red", markup=False)
    screen.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    return not failed


def update_gradebook(classroom: Classroom, screen: Console = out) -> bool:
    """Take people's marks into the record, run what waits for some, and bring nbgrader's gradebook up to date.

    Return whether all that people will mark could be run.
    """
    from autograder.cli.progress_bar import track_progress
    from autograder.course.errors import NoJail

    number, tasks = classroom.read_gradebook(), classroom.find_unshown()
    done: list[FinishedTask] = []
    try:
        done += track_progress(classroom.grade(tasks), len(tasks), "running what people will mark", screen)
    except NoJail as error:
        err.print(f"note: the formgrader shows answers without what they give: {error}", markup=False)
    failed = [entry.error for entry in done if entry.error]
    for sentence in failed:
        err.print(f"not run: {sentence}", style="red", markup=False)
    for sentence in classroom.update_gradebook():
        err.print(f"note: {sentence}", markup=False)
    screen.print(f"gradebook: {number} new marks by hand, {classroom.course.database}", markup=False)
    return not failed


def build_pages(classroom: Classroom, screen: Console = out) -> bool:
    """Build the points pages."""
    classroom.build_pages()
    screen.print(f"pages: {classroom.course.site / 'index.html'}", markup=False)
    return True


def run_all(classroom: Classroom) -> int:
    """Do everything a poll does, each step also where one before it failed, and return the exit code."""
    note_empty_roster(classroom)  # without one there is nobody to do anything for
    steps: dict[str, Callable[[Classroom], bool]] = {
        "collect": collect_all, "grade": grade_all, "gradebook": update_gradebook, "pages": build_pages,
    }  # fmt: skip
    said: set[str] = set()
    codes = [_step(name, partial(work, classroom), said) for name, work in steps.items()]
    return max(*codes, print_troubles(classroom))


def _step(name: str, work: Callable[[], bool], said: set[str]) -> int:
    """Do one step and return its exit code; what ends it is told once, also where it ends others, too."""
    try:
        return 0 if work() else 1
    except (Interrupted, KeyboardInterrupt):
        raise
    except Exception as error:
        if debugging():
            raise
        sentence = describe_error(error)
        if sentence not in said:
            err.print(f"{name} failed: {sentence}", style="red", markup=False)
        said.add(sentence)
        return error.exit_code if isinstance(error, AutograderError) else 1


def print_troubles(classroom: Classroom) -> int:
    """Say what failed for one student, assignment or file while the others went on; return the exit code."""
    for sentence in classroom.troubles:
        err.print(f"left out: {sentence}", style="red", markup=False)
    return max(classroom.troubles.values(), default=0)
