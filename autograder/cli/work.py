"""Long work behind commands, with its progress: collecting and grading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.cli.frame import err, out

if TYPE_CHECKING:
    from autograder.classroom import Classroom


def collect_all(classroom: Classroom, screen: Console = out, now: datetime | None = None) -> bool:
    """Collect with progress; return whether every remote answered."""
    from autograder.progress import tracked

    found = classroom.collect() if now is None else classroom.collect(lambda: now)
    done = list(tracked(found, len(classroom.students), "collecting", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not collected: {entry.error}", style="red", markup=False)
    new = sum(entry.push is not None for entry in done)
    screen.print(f"collected: {new} new pushes from {len(done)} repositories, {len(failed)} failed")
    return not failed


def grade_all(
    classroom: Classroom, students: Sequence[str] = (), *, force: bool = False, screen: Console = out
) -> bool:
    """Grade with progress; return whether every submission has a report."""
    from autograder.errors import UsageError
    from autograder.progress import tracked

    chosen = [entry for entry in classroom.students if not students or entry.id in students]
    unknown = set(students) - {entry.id for entry in chosen}
    if unknown:
        raise UsageError(f"no student {sorted(unknown)[0]!r} in {classroom.course.roster}")
    tasks = classroom.open_tasks(force=force, students=chosen)
    done = list(tracked(classroom.grade(tasks), len(tasks), "grading", screen))
    failed = [entry for entry in done if entry.error]
    for entry in failed:
        err.print(f"not graded: {entry.error}", style="red", markup=False)
    screen.print(f"graded: {len(done) - len(failed)} notebooks, {len(failed)} failed")
    return not failed
