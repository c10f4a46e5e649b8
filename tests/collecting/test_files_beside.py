"""A module or data that a student pushes beside their notebook is part of what is graded, and of its name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from small_course import DOUBLE, TEST_DOUBLE, SmallCourse, code, dump, solution, test

from autograder.collecting import files_beside
from autograder.collecting.collect import poll_remotes
from autograder.collecting.lost_notebooks import restore_notebooks
from autograder.course.configuration import Assignment, Course, Part
from autograder.course.exam import Exam, read_exam
from autograder.course.submission_files import (
    MAGIC,
    SubmissionFiles,
    is_path_beside,
    pack_submission,
    unpack_submission,
)
from autograder.course.submissions import NotebookFile, Push, Student
from autograder.git.student_stores import open_fork
from autograder.record.ledger import Ledger
from autograder.record.open_tasks import GradingTask
from autograder.record.state_branch import StateBranch
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow  # many git

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
FOLDER = "assignments/hw"
SOLVED = dump(
    [solution("def double(x):\n    import mine\n    return mine.double(x)"), test("", "double")]
)


@pytest.fixture
def exam(tmp_path: Path) -> Exam:
    small = SmallCourse(tmp_path / "course")
    small.write(code("import math"), solution(DOUBLE), test(TEST_DOUBLE))
    (small.source.parent / "data").mkdir()
    (small.source.parent / "data" / "given.csv").write_text("1,2\n")
    (small.source.parent / "mistakes.py").write_text("")
    return read_exam(small.source)


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    repository = BareRepository(tmp_path / "remote.git", "master")
    repository.create()
    return repository


@pytest.fixture
def course(tmp_path: Path) -> Course:
    due = Assignment("hw", "Homework", (Part("", ("*",), None),))
    places: dict[str, Any] = {"forks": tmp_path / "forks", "ledger": tmp_path / "ledger"}
    return Course(tmp_path, "x", ZoneInfo("UTC"), {"hw": due}, **places)


def collect(course: Course, exam: Exam, remote: BareRepository) -> Push:
    student = Student("on-time", str(remote.path))
    errors = [done.error for done in poll_remotes(course, [student], exams=[exam]) if done.error]
    assert errors == []
    return Ledger(course.ledger).read("on-time").pushes[-1]


def read_submission(course: Course, file: NotebookFile) -> SubmissionFiles:
    return unpack_submission(open_fork(course, Student("on-time", "")).read(file.blob))


def test_files_of_the_assignment_come_with_their_folders_and_nothing_of_the_instructors(
    exam: Exam,
) -> None:
    assert exam.files == {"data/given.csv": b"1,2\n"}


def test_own_files_are_part_of_the_submission_and_of_its_name(
    course: Course, exam: Exam, remote: BareRepository
) -> None:
    own = {
        f"{FOLDER}/hw_solved.ipynb": SOLVED,
        f"{FOLDER}/mine.py": b"def double(x):\n    return 2 * x\n",
    }
    others = {
        f"{FOLDER}/data/given.csv": b"forged",
        f"{FOLDER}/.ipynb_checkpoints/old.py": b"",
        f"{FOLDER}/hw.ipynb": dump([]),
        "README.md": b"of the whole repository",
    }
    remote.push(own | others, "first", NOW)
    (first,) = [file for file in collect(course, exam, remote).notebooks if file.written]
    assert (first.path, first.beside, first.size) == (
        f"{FOLDER}/hw_solved.ipynb",
        ("mine.py",),
        len(SOLVED),
    )
    files = read_submission(course, first)
    assert (files.notebook, files.beside) == (SOLVED, {"mine.py": own[f"{FOLDER}/mine.py"]})

    remote.push({f"{FOLDER}/mine.py": b"def double(x):\n    return 3 * x\n"}, "second", NOW)
    (second,) = [file for file in collect(course, exam, remote).notebooks if file.written]
    assert second.blob != first.blob, "the same notebook with another module is another submission"

    remote.push({"README.md": b"changed"}, "third", NOW)
    (third,) = [file for file in collect(course, exam, remote).notebooks if file.written]
    assert third.blob == second.blob, "what lies elsewhere changes nothing"


def test_a_notebook_with_nothing_beside_it_stays_the_file_that_was_pushed(
    course: Course, exam: Exam, remote: BareRepository
) -> None:
    remote.push(
        {f"{FOLDER}/hw_solved.ipynb": SOLVED, f"{FOLDER}/data/given.csv": b"1,2\n"}, "first", NOW
    )
    (file,) = collect(course, exam, remote).notebooks
    assert (file.blob, file.beside) == (remote.blob(f"{FOLDER}/hw_solved.ipynb"), ())


def test_what_is_too_much_is_left_out_and_said(
    course: Course, exam: Exam, remote: BareRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_beside, "MAX_FILES", 2)
    monkeypatch.setattr(files_beside, "MAX_MB", 1)
    own = {"a.py": b"1", "b.bin": bytes(1_000_000), "c.py": b"3", "more/d.py": b"4"}
    pushed = {f"{FOLDER}/{path}": content for path, content in own.items()}
    remote.push({f"{FOLDER}/hw_solved.ipynb": SOLVED} | pushed, "first", NOW)
    (file,) = collect(course, exam, remote).notebooks
    assert (file.beside, file.left_out) == (("a.py", "c.py"), ("b.bin", "more/d.py"))
    assert "b.bin, more/d.py could not be taken along" in read_submission(course, file).problem


def test_a_submission_lost_from_the_store_is_made_again_from_its_commit(
    course: Course, exam: Exam, remote: BareRepository
) -> None:
    remote.push(
        {f"{FOLDER}/hw_solved.ipynb": SOLVED, f"{FOLDER}/mine.py": b"x = 1\n"}, "first", NOW
    )
    push = collect(course, exam, remote)
    (file,) = push.notebooks
    loose = course.forks / "on-time.git" / "objects" / file.blob[:2] / file.blob[2:]
    loose.unlink()
    student = Student("on-time", str(remote.path))
    task = GradingTask(
        "hw", replace(file, path=f"{FOLDER}/hw.ipynb"), student, [("on-time", push.commit)]
    )
    content = restore_notebooks(course, [student], StateBranch(course))(task)
    assert unpack_submission(content).beside == {"mine.py": b"x = 1\n"}


@pytest.mark.parametrize(
    "path",
    ["../up.py", "/etc/passwd", "a/../b", "a//b", "./a", "", ".hidden", "a/.git/config", "x.ipynb",
     "__pycache__/m.pyc", "a\\b", "a\0b", "a\nb", "x" * 300, "/".join("abcdefghij")],
)  # fmt: skip
def test_a_file_lies_beside_a_notebook_or_nowhere(path: str) -> None:
    assert not is_path_beside(path)
    forged = (
        MAGIC + json.dumps({"notebook": "e30=", "beside": {path: ""}, "left_out": []}).encode()[1:]
    )
    assert unpack_submission(forged) == SubmissionFiles(forged), (
        "it is a notebook that cannot be read"
    )


@pytest.mark.parametrize(
    "fields", [b"", b'"notebook":1}', b'"notebook":"e30=","beside":[]}', b'"notebook":"%"}']
)
def test_what_only_begins_like_a_submission_is_a_notebook(fields: bytes) -> None:
    assert unpack_submission(MAGIC + fields) == SubmissionFiles(MAGIC + fields)


def test_packing_and_unpacking_lose_nothing() -> None:
    files = SubmissionFiles(b"\xff\0notebook", {"a/b.bin": bytes(range(256)), "z": b""}, ("large",))
    assert unpack_submission(pack_submission(files)) == files
