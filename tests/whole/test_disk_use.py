"""What a term takes of the disk, and that tidying loses nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from marked_course import EARLY, make_marked_course

from autograder.classroom.disk_use import free_disk_space, measure_disk_use
from autograder.course.submissions import Student
from autograder.git.student_stores import Fork

pytestmark = pytest.mark.slow


def test_tidying_removes_what_is_made_again_and_loses_no_notebook(tmp_path: Path) -> None:
    course = make_marked_course(tmp_path / "course")
    blobs = [course.grade("on-time", EARLY, answer=f"plot({number})") for number in range(4)]
    for blob in blobs:
        course.ran(blob, {1: [{"output_type": "stream", "name": "stdout", "text": "x" * 10_000}]})
    left = course.small.root / "autograded" / ".hw.ipynb.new"
    left.parent.mkdir()
    left.write_text("a process was killed here")
    classroom = course.classroom
    before = {use.what: use for use in measure_disk_use(classroom)}
    assert before["outputs for the formgrader, to come"].freeable >= 3 * 10_000
    removed, packed = free_disk_space(classroom)
    assert removed.startswith("removed 4 files") and packed.startswith("packed")
    assert not left.exists()
    kept = {path.stem for path in (course.small.root / "outputs").rglob("*.json")}
    assert kept == {blobs[-1]}, "the formgrader has not shown it yet"
    store = Fork(Student("on-time", ""), classroom.course.forks / "on-time.git", "master")
    assert store.damage(blobs) == {}
    assert all(use.freeable == 0 for use in measure_disk_use(classroom))
