"""The ledger held against the stores of students' pushes, and against the branch that keeps the
state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from autograder.collecting.lost_notebooks import restore_notebooks
from autograder.course.configuration import Course
from autograder.course.errors import AutograderError, GitFailed, RemoteFailed
from autograder.course.layout import find_notebook
from autograder.course.submissions import Student
from autograder.git.repository import GitRepository
from autograder.git.student_stores import open_fork
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_lines import is_readable
from autograder.record.open_tasks import GradingTask
from autograder.record.state_branch import StateBranch
from autograder.verifying.record_trouble import RecordTrouble

REMOTE = "origin"
STEP_STORE = (
    "autograder verify --repair gets it again, from the state branch or the student's repository"
)


def check_stores(
    course: Course, students: Sequence[Student], records: Mapping[str, StudentRecord]
) -> Iterator[RecordTrouble]:
    """Yield the homework that the ledger says was pushed and that is not in its student's store as
    it was.
    """
    elsewhere = []
    for student in students:
        homework = pushed_homework(course, records[student.id]) if student.id in records else {}
        if not homework:
            continue
        store = open_fork(course, student)
        if not store.store.exists():
            elsewhere.append(student.id)
            continue
        # All of a student's at once: a git for each file would take minutes for a class.
        damage = store.damage(list(homework))
        for blob, reason in damage.items():
            task = homework[blob]
            yield RecordTrouble(
                str(store.store), f"{task.file.path} ({blob[:10]}) {reason}", STEP_STORE
            )
    if elsewhere:
        what = (
            f"no stores here of {len(elsewhere)} students who pushed: {', '.join(elsewhere[:10])}"
        )
        step = "collected on another machine, or deleted; what is needed is fetched when it is"
        yield RecordTrouble(str(course.forks), what, step, serious=False)


def pushed_homework(course: Course, record: StudentRecord) -> dict[str, GradingTask]:
    """Return the notebooks of a student's pushes that are homework and small enough to be graded,
    by blob.
    """
    found: dict[str, GradingTask] = {}
    for push in record.pushes:
        for name in course.assignments:
            file = find_notebook(push.notebooks, name)
            if file is not None and file.size <= course.notebook_mb * 1e6:
                student = Student(record.student, "")
                # The first push will do: the bytes are the same in all.
                found.setdefault(
                    file.blob, GradingTask(name, file, student, [(record.student, push.commit)])
                )
    return found


def check_state(course: Course, remote: str = REMOTE) -> Iterator[RecordTrouble]:
    """Yield where the state branch and the files here differ; nothing where the course keeps no
    such branch.
    """
    here = GitRepository(course.root)
    if (
        here.says("rev-parse", "--show-prefix") != ""
        or here.says("remote", "get-url", remote) is None
    ):
        return  # in no repository, or in a folder of another one: a practice class, for example
    state = StateBranch(course, remote)
    where = f"branch {state.branch} of {remote}"
    try:
        differing = state.find_differences()
    # Not serious: the network may be back in an hour, and nothing is known to be wrong.
    except GitFailed as error:
        yield RecordTrouble(
            where,
            f"cannot be compared: {error}",
            "autograder verify, when it can be reached",
            serious=False,
        )
        return
    except AutograderError as error:
        yield RecordTrouble(where, str(error), "autograder state pull, after the tables agree")
        return
    for change in differing:
        yield from _differences(where, change.path, change.ours, change.theirs)


def _differences(
    where: str, path: str, ours: bytes | None, theirs: bytes | None
) -> Iterator[RecordTrouble]:
    if not path.startswith("ledger/"):
        if ours != theirs:
            what = f"{path} is not the same here and there"
            yield RecordTrouble(
                where, what, "autograder state push, or pull, brings both together", serious=False
            )
        return
    here = _lines(ours)
    there = _lines(theirs)
    missing = [line for line in there if line not in here]
    new = [line for line in here if line not in there]
    if missing:
        what = (
            f"{path}: {len(missing)} of {len(there)} lines are not here, or not as they are there"
        )
        yield RecordTrouble(where, what, "autograder state pull brings them")
    damaged = sum(not is_readable(line) for line in missing)
    if damaged:
        yield RecordTrouble(
            where,
            f"{path}: {damaged} of these lines cannot be read",
            "they are in the branch's history",
        )
    if new:
        what = f"{path}: {len(new)} lines are not there yet"
        yield RecordTrouble(where, what, "autograder state push puts them there", serious=False)


def _lines(content: bytes | None) -> list[bytes]:
    # Behind the last newline is nothing, or a torn line, which is nobody's yet.
    return [line for line in (content or b"").split(b"\n")[:-1] if line.strip()]


def repair_stores(
    course: Course,
    students: Sequence[Student],
    records: Mapping[str, StudentRecord],
    remote: str = REMOTE,
) -> Iterator[RecordTrouble]:
    """Get every damaged or missing notebook again, and say of each student what came of it.

    A store in which git does not write what is missing is set aside, and a new one takes what is whole in it.
    """
    read = restore_notebooks(course, students, StateBranch(course, remote))
    for student in students:
        homework = pushed_homework(course, records[student.id]) if student.id in records else {}
        store = open_fork(course, student)
        damage = store.damage(list(homework)) if homework and store.store.exists() else {}
        if not damage:
            continue
        _get(homework, damage, read)
        # Looked at again, not believed: what was fetched may have come out of the same damaged pack.
        still = store.damage(list(homework))
        if still:  # git writes nothing anew that it believes to have
            store.set_aside()
            _get(homework, homework, read)
            still = store.damage(list(homework))
        if still:
            named = ", ".join(blob[:10] for blob in still)
            what = f"{len(still)} notebooks could not be had again: {named}"
            yield RecordTrouble(
                str(store.store), what, "ask the student to push them again, or restore a backup"
            )
        else:
            yield RecordTrouble(
                str(store.store), f"{len(damage)} notebooks are there again", serious=False
            )


def _get(
    homework: Mapping[str, GradingTask], blobs: Iterable[str], read: Callable[[GradingTask], bytes]
) -> None:
    """Bring notebooks into their store, from wherever they still are."""
    for blob in blobs:
        # What cannot be had is still missing when the store is looked at again.
        with suppress(RemoteFailed):
            read(homework[blob])
