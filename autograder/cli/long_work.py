"""Long work behind commands, with its progress; what fails for one student or in one step holds
nobody else up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial

from rich.console import Console

from autograder.classroom.classroom import Classroom
from autograder.cli.application import wants_debugging
from autograder.cli.progress_bar import track_progress
from autograder.cli.screens import out, print_error, print_note
from autograder.course.database_addresses import say_what_nbgrader_needs
from autograder.course.errors import (
    AutograderError,
    Interrupted,
    NoJail,
    UsageError,
    describe_error,
)
from autograder.course.marker_options import NBGRADER_FILE
from autograder.course.nearest_names import say_nearest_name
from autograder.course.roster import list_ids
from autograder.grading.finished_tasks import FinishedTask
from autograder.record.course_lock import one_writer
from autograder.record.open_tasks import GradingTask


def hold_course_lock(classroom: Classroom, command: str) -> AbstractContextManager[None]:
    """Hold the course's lock while something is changed; see `autograder.record.course_lock`."""
    return one_writer(classroom.course.root, command, classroom.course.write_moment)


def collect_all(classroom: Classroom, screen: Console = out, now: datetime | None = None) -> bool:
    """Collect with progress; return whether every remote answered."""
    found = classroom.collect() if now is None else classroom.collect(lambda: now)
    done = list(track_progress(found, len(classroom.students), "collecting", screen))
    failed: Counter[str] = Counter()
    notes: list[str] = []
    new = 0
    for entry in done:
        if entry.error:
            failed[entry.error] += 1
        notes += entry.notes
        new += len(entry.pushes)
    # One reason may have stopped many; it is told once
    for reason, number in failed.items():
        times = f" ({number} repositories)" if number > 1 else ""
        print_error(f"not collected: {reason}{times}")
    for note in notes:
        print_note(note)
    screen.print(
        f"collected: {new} new pushes from {len(done)} repositories, {failed.total()} failed"
    )
    return not failed


def note_empty_roster(classroom: Classroom) -> None:
    """Say that there is nobody to look after: an empty roster is a beginning, and no error."""
    if not classroom.students:
        roster = classroom.course.roster
        print_note(f"nobody is in {roster} yet; add a line for each student")


def require_student(classroom: Classroom, student: str) -> None:
    """Raise a UsageError if the roster has no such student."""
    names = list_ids(classroom.students)
    if student not in names:
        meant = say_nearest_name(student, names)
        raise UsageError(f"no student {student!r} in {classroom.course.roster}; {meant}")


def find_tasks(
    classroom: Classroom, students: Sequence[str] = (), assignment: str = "", *, force: bool = False
) -> list[GradingTask]:
    """Return what is to be graded, of all students and assignments or of those that were named.

    Raises
    ------
    UsageError
        If there is no such student or assignment.
    """
    for student in students:
        require_student(classroom, student)
    wanted = classroom.course.find_notebooks(assignment) if assignment else ()
    chosen = [entry for entry in classroom.students if not students or entry.id in students]
    tasks = classroom.open_tasks(force=force, students=chosen)
    return [task for task in tasks if not wanted or task.assignment in wanted]


def grade_all(
    classroom: Classroom,
    students: Sequence[str] = (),
    assignment: str = "",
    *,
    force: bool = False,
    scheduler: str = "",
    meanwhile: Sequence[Callable[[], object]] = (),
    screen: Console = out,
) -> bool:
    """Grade with progress; return whether every submission has a report."""
    tasks = find_tasks(classroom, students, assignment, force=force)
    found = classroom.grade(tasks, scheduler, meanwhile)
    done = list(track_progress(found, len(tasks), "grading", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        print_error(f"not graded: {entry.error}")
    screen.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    return not failed


def bring_gradebook_up(classroom: Classroom, screen: Console = out) -> bool:
    """Take people's marks into the record, run what waits for some, and bring nbgrader's gradebook
    up to date.

    Return whether all that people will mark could be run.
    """
    # First of all: a mark that somebody has just given is in the gradebook and nowhere else.
    number = classroom.read_gradebook()
    tasks = classroom.find_unshown()
    done: list[FinishedTask] = []
    # Without a jail the gradebook is brought up to date all the same, as far as it goes
    try:
        title = "running what people will mark"
        done += track_progress(classroom.grade(tasks), len(tasks), title, screen)
    except NoJail as error:
        print_note(f"the formgrader shows answers without what they give: {error}")
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        print_error(f"not run: {entry.error}")
    for sentence in classroom.update_gradebook():
        print_note(sentence)
    course = classroom.course
    database = course.database
    needed = say_what_nbgrader_needs(database, course.root / NBGRADER_FILE)
    if needed:
        print_note(needed)
    screen.print(f"gradebook: {number} new marks by hand, {database}", markup=False)
    return not failed


def build_all_pages(classroom: Classroom, screen: Console = out) -> bool:
    """Build the points pages."""
    classroom.build_pages()
    screen.print(f"pages: {classroom.course.site / 'index.html'}", markup=False)
    return True


def run_all(classroom: Classroom) -> int:
    """Do everything a poll does, each step also where one before it failed, and return the exit
    code.
    """
    # An empty roster is a beginning: the steps have nothing to do, and the pages say so
    note_empty_roster(classroom)
    steps: dict[str, Callable[[Classroom], bool]] = {
        "collect": collect_all,
        "grade": partial(grade_all, meanwhile=classroom.prepare_results()),
        "gradebook": bring_gradebook_up,
        "pages": build_all_pages,
    }
    said: set[str] = set()
    code = 0
    for name, work in steps.items():
        code = max(code, _do_step(name, partial(work, classroom), said))
    return max(code, print_troubles(classroom))


def _do_step(name: str, work: Callable[[], bool], said: set[str]) -> int:
    """Do one step and return its exit code; what ends it is told once, also where it ends others,
    too.
    """
    try:
        return 0 if work() else 1
    # The last: a package that is missing here is told with the command that brings it.
    except (Interrupted, KeyboardInterrupt, ModuleNotFoundError):
        raise
    # Whatever it was: the pages of everybody are not to wait for it
    except Exception as error:
        if wants_debugging():
            raise
        sentence = describe_error(error)
        if sentence not in said:
            print_error(f"{name} failed: {sentence}")
        said.add(sentence)
        return error.exit_code if isinstance(error, AutograderError) else 1


def print_troubles(classroom: Classroom) -> int:
    """Say what failed for one student, assignment or file while the others went on; return the exit
    code.
    """
    for sentence in classroom.troubles:
        print_error(f"left out: {sentence}")
    return max(classroom.troubles.values(), default=0)
