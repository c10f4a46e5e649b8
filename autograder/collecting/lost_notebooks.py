"""The bytes of a notebook that was pushed once, wherever they still are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from autograder.collecting.files_beside import rebuild_submission
from autograder.course.configuration import Course
from autograder.course.errors import RemoteFailed
from autograder.course.submissions import Student
from autograder.git.student_stores import Fork, open_fork
from autograder.record.open_tasks import GradingTask
from autograder.record.state_branch import StateBranch


def restore_notebooks(
    course: Course, students: Sequence[Student], state: StateBranch
) -> Callable[[GradingTask], bytes]:
    """Return a reader that looks in the student's stores, then on the state's branch, then in the
    student's fork.

    What it finds elsewhere it puts into the store. The reader raises `RemoteFailed` if the notebook is nowhere.
    """
    remotes = {student.id: student for student in students}

    def read(task: GradingTask) -> bytes:
        store = open_fork(course, remotes[task.student.id])
        try:
            return store.read(task.file.blob)
        except RemoteFailed as error:
            # Under another name: Python forgets `error` at the end of its block.
            missing = error
        # The nearest first; the fork last, where a student may have rewritten everything.
        kept = _from_aside(store, task.file.blob)
        if kept is None:
            kept = state.notebook(task.file.blob)
        if kept is not None:
            store.keep(kept)
            return kept
        for student, commit in task.waiting:
            fork = open_fork(course, remotes[student])
            if fork.fetch_commit(commit, anew=True):
                # No push holds this blob: it was packed here, of the notebook and the files beside.
                if task.file.beside or task.file.left_out:
                    rebuild_submission(fork, commit, task.file)
                return fork.read(task.file.blob)
        raise missing

    return read


def _from_aside(store: Fork, blob: str) -> bytes | None:
    for damaged in store.aside():
        with suppress(RemoteFailed):
            return damaged.read(blob)
    return None
