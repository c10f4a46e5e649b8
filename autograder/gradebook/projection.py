"""The gradebook brought up to the record, without nbgrader where nothing is new.

Loading nbgrader takes longer than looking at a whole class; so its modules are imported only when there is something
for them to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from autograder.course.configuration import Assignment, Course
from autograder.course.errors import Wall, no_wall
from autograder.course.exam import Exam
from autograder.course.names import name_assignment, name_file
from autograder.course.submissions import Student
from autograder.gradebook.autograded_notebooks import autograded_path
from autograder.gradebook.counted_submissions import counted_folder
from autograder.gradebook.projection_memory import (
    ProjectionMemory,
    read_projection_memory,
    write_projection_memory,
)
from autograder.gradebook.wanted_submissions import (
    Standings,
    WantedSubmission,
    list_given_out,
    list_wanted,
)
from autograder.record.open_tasks import GradingTask, outputs_path


def read_gradebook(course: Course, exams: Mapping[str, Exam], wall: Wall = no_wall) -> int:
    """Append to the record every mark that a person gave since this was last done; return how many
    there were.
    """
    if read_projection_memory(course).is_of(course):
        return 0
    from autograder.gradebook.gradebook import read_all_marks

    return read_all_marks(course, exams, wall)


def update_gradebook(
    course: Course,
    exams: Mapping[str, Exam],
    students: Sequence[Student],
    standings: Standings,
    read: Callable[[GradingTask], bytes],
    wall: Wall = no_wall,
) -> list[str]:
    """Bring `gradebook.db` and the autograded notebooks up to the standings.

    Assignments that are neither released nor handed in by anyone are left out: they are for later
    in the term.

    Parameters
    ----------
    read : callable
        Returns the bytes of a notebook that was pushed once; `lost_notebooks.restore_notebooks`
        makes it.

    Returns
    -------
    list of str
        A sentence for each notebook that the formgrader cannot show, because it is nowhere to be
        had.

    Raises
    ------
    ReleaseError
        If nbgrader cannot read the source notebook of an assignment.
    """
    memory = read_projection_memory(course)
    if not memory.is_of(course):
        memory = ProjectionMemory()
    assignments = list_given_out(course, standings)
    fingerprints = {}
    for assignment in assignments:
        fingerprints[assignment.name] = _fingerprint(assignment, exams[assignment.name])
    changed = _find_changed(memory, fingerprints)
    # nbgrader may have to take an assignment away first, and with it all its notebooks.
    taken_away = set(map(name_assignment, changed))
    stale = []
    for entry in list_wanted(assignments, exams, students, standings):
        if name_assignment(entry.assignment) in taken_away or _is_stale(course, memory, entry):
            stale.append(entry)
    if not changed and not stale:
        return []
    from autograder.gradebook.gradebook import enter_submissions

    done = enter_submissions(course, exams, assignments, changed, stale, read, wall)
    made_from = dict(memory.made_from)
    # Forgotten first, remembered where it was done: what failed is tried again by the next run.
    for entry in stale:
        made_from.pop(entry.name, None)
    for entry in done.entered:
        made_from[entry.name] = entry.fingerprint
    for name in fingerprints:
        made_from.pop(name_file(name), None)
    for assignment in done.assignments:
        made_from[name_file(assignment.name)] = fingerprints[assignment.name]
    write_projection_memory(course, ProjectionMemory(done.database, made_from))
    return done.sentences


def _fingerprint(assignment: Assignment, exam: Exam) -> str:
    # The deadline is entered, too, and no part of the exam.
    said = json.dumps([exam.version, str(assignment.last_deadline)])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _find_changed(memory: ProjectionMemory, fingerprints: Mapping[str, str]) -> set[str]:
    """Return the assignments that the gradebook may not hold as they are now."""
    changed = set()
    for name, fingerprint in fingerprints.items():
        if memory.made_from.get(name_file(name)) != fingerprint:
            changed.add(name)
    return changed


def _is_stale(course: Course, memory: ProjectionMemory, entry: WantedSubmission) -> bool:
    """Whether an entry is to be made again."""
    if memory.made_from.get(entry.name) != entry.fingerprint:
        return True
    return _lacks_notebook(course, entry)


def _lacks_notebook(course: Course, entry: WantedSubmission) -> bool:
    """Whether what the formgrader shows was taken away, or waits for what the cells gave."""
    if not entry.is_counted or entry.file is None:
        return False
    if outputs_path(course, entry.assignment, entry.blob).exists():
        return True
    if not counted_folder(course, entry.student.id, entry.assignment).exists():
        return True
    return not autograded_path(course, entry.student.id, entry.assignment).exists()
