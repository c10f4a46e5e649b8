"""What a term takes of the disk, and that tidying loses nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from marked_course import EARLY, make_marked_course

from autograder.classroom.classroom import Classroom
from autograder.classroom.disk_use import free_disk_space, measure_disk_use
from autograder.course.submissions import Student
from autograder.git.student_stores import Fork

OVER = datetime(2027, 3, 6, 23, tzinfo=UTC)  # the deadline of the homework

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


def test_what_is_over_and_marked_is_put_away_stays_so_and_comes_back_when_asked_for(
    tmp_path: Path,
) -> None:
    course = make_marked_course(tmp_path / "course")
    blob = course.grade("on-time", EARLY, answer="plot()  # " + "x" * 10_000)
    course.grade("late", EARLY, answer="plot()  # " + "y" * 10_000)
    course.update()
    course.enter(manual_score=3.0)
    course.update()
    shown = {
        student: course.small.root / "autograded" / student / "hw" / "hw.ipynb"
        for student in ("on-time", "late")
    }
    before = {student: path.read_bytes() for student, path in shown.items()}
    points = course.points()
    early = free_disk_space(course.classroom, now=OVER + timedelta(days=13))
    assert "put away" not in " ".join(early)
    said = " ".join(free_disk_space(course.classroom, now=OVER + timedelta(days=15)))
    assert "put away 1 notebooks" in said
    assert shown["late"].read_bytes() == before["late"], "a mark is missing"
    put_away = nbformat.read(shown["on-time"], 4)
    nbformat.validate(put_away)
    assert str(shown["on-time"]) in put_away.cells[0].source
    course.update()
    assert nbformat.read(shown["on-time"], 4) == put_away, "no run makes it again by itself"
    assert course.points() == points and course.entered()["manual"] == 3.0
    assert course.marks()[-1].points == 3.0 and course.marks()[-1].notebook == blob
    assert find_settled_again(course.classroom) == 0
    shown["on-time"].unlink()
    course.update()
    assert shown["on-time"].read_bytes() == before["on-time"]


def find_settled_again(classroom: Classroom) -> int:
    later = OVER + timedelta(days=30)
    return sum(use.freeable for use in measure_disk_use(classroom, now=later))
