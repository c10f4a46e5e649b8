import hashlib
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_course import DOUBLE, SmallCourse, dump, solution, text

from autograder.classroom.classroom import Classroom
from autograder.collecting.lost_notebooks import restore_notebooks
from autograder.course.errors import ExamError, UsageError
from autograder.course.submissions import Clock, NotebookFile, Push
from autograder.git.student_stores import open_fork
from autograder.grading.work_bundle import (
    RecordedTask,
    grade_bundle,
    read_bundle,
    record_returned,
    write_bundle,
    write_course,
)
from autograder.record.ledger import Ledger
from autograder.record.state_branch import StateBranch

pytestmark = pytest.mark.slow

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
PATH = "assignments/hw/hw_solved.ipynb"
RIGHT = dump(
    [
        solution(
            DOUBLE.replace("### BEGIN SOLUTION\n    return", "return").replace(
                "### END SOLUTION", ""
            )
        )
    ]
)
WRONG = dump([solution("def double(x):\n    return x * x\n")])
EMPTY = dump([text("nothing yet")])


@pytest.fixture
def classroom(small_course: SmallCourse) -> Classroom:
    """Three students whose pushes are collected: two with the same notebook, one with a wrong one."""
    (small_course.root / "roster.csv").write_text(
        "student,remote\non-time,/a.git\nlate,/b.git\nsquared,/e.git\n"
    )
    found = Classroom.open(small_course.config)
    for name, content in (("on-time", RIGHT), ("late", RIGHT), ("squared", WRONG)):
        pushed(found, name, content, 0)
    return found


def pushed(classroom: Classroom, student: str, content: bytes, hours: float) -> str:
    """Collect a push."""
    entry = next(entry for entry in classroom.students if entry.id == student)
    blob = open_fork(classroom.course, entry).keep(content)
    commit = hashlib.sha1(f"{student} {hours}".encode()).hexdigest()
    file = NotebookFile(PATH, blob, len(content))
    moment = NOON + timedelta(hours=hours)
    Ledger(classroom.course.ledger).add_push(
        Push(student, commit, "master", moment, Clock.FIRST_SEEN, (file,))
    )
    return blob


def bundled(classroom: Classroom, folder: Path) -> Path:
    tasks = classroom.open_tasks()
    read = restore_notebooks(classroom.course, classroom.students, StateBranch(classroom.course))
    assert write_bundle(classroom.course, classroom.exams, tasks, read, folder) == []
    return folder


def graded(classroom: Classroom, folder: Path, out: Path, shard: tuple[int, int] = (1, 1)) -> Path:
    pieces = read_bundle(folder, shard)
    finished = list(grade_bundle(classroom.course, classroom.exams, folder, pieces, out))
    assert [entry.error for entry in finished] == [""] * len(pieces)
    return out


def recorded(classroom: Classroom, folder: Path) -> list[RecordedTask]:
    return list(
        record_returned(classroom.course, classroom.exams, classroom.open_tasks(), folder, NOON)
    )


def points(classroom: Classroom) -> dict[str, float | None]:
    return {student: entry["hw"].points for student, entry in classroom.standings().items()}


def ledger(classroom: Classroom) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in classroom.course.ledger.iterdir()}


def test_a_bundle_graded_elsewhere_gives_the_points_grading_here_gives(
    classroom: Classroom, tmp_path: Path
) -> None:
    reports = graded(classroom, bundled(classroom, tmp_path / "bundle"), tmp_path / "reports")
    assert len(list(reports.iterdir())) == 2, "equal notebooks are graded once"
    assert [entry.error for entry in recorded(classroom, reports)] == ["", ""]
    elsewhere = points(classroom)
    assert elsewhere == {"on-time": 2.0, "late": 2.0, "squared": 0.0}
    list(classroom.grade(classroom.open_tasks(force=True)))
    assert points(classroom) == elsewhere
    hints = [entry["hw"].parts[0].exercises[0].hint for entry in classroom.standings().values()]
    assert hints[2] == "Twice is not squared."


def test_a_bundle_says_nothing_about_whose_the_notebooks_are(
    classroom: Classroom, tmp_path: Path
) -> None:
    folder = bundled(classroom, tmp_path / "bundle")
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    everything += b" ".join(str(path.relative_to(folder)).encode() for path in folder.rglob("*"))
    record = Ledger(classroom.course.ledger).read("on-time")
    for secret in ("on-time", "late", "squared", record.pushes[0].commit):
        assert secret.encode() not in everything


def test_grading_needs_neither_roster_nor_ledger_and_writes_neither(
    classroom: Classroom, tmp_path: Path
) -> None:
    folder = bundled(classroom, tmp_path / "bundle")
    before = ledger(classroom)
    elsewhere = replace(
        classroom.course,
        roster=tmp_path / "none.csv",
        ledger=tmp_path / "none",
        forks=tmp_path / "x",
    )
    graded(Classroom(elsewhere), folder, tmp_path / "reports")
    assert ledger(classroom) == before
    assert not (tmp_path / "none").exists()


def test_shards_share_the_work_and_together_do_all_of_it(
    classroom: Classroom, tmp_path: Path
) -> None:
    for number in range(7):
        pushed(classroom, "on-time", dump([text(f"version {number}")]), number)
        pushed(classroom, "late", dump([text(f"another {number}")]), number)
    folder = bundled(classroom, tmp_path / "bundle")
    shards = [read_bundle(folder, (number, 3)) for number in (1, 2, 3)]
    assert sorted(piece.blob for shard in shards for piece in shard) == sorted(
        p.blob for p in read_bundle(folder)
    )
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_recording_twice_changes_nothing(classroom: Classroom, tmp_path: Path) -> None:
    reports = graded(classroom, bundled(classroom, tmp_path / "bundle"), tmp_path / "reports")
    tasks = classroom.open_tasks()
    recorded(classroom, reports)
    once = ledger(classroom)
    assert recorded(classroom, reports) == []
    forced = list(
        record_returned(
            classroom.course, classroom.exams, tasks, reports, NOON + timedelta(hours=1)
        )
    )
    assert len(forced) == 2
    assert ledger(classroom) == once


def test_a_push_that_came_meanwhile_waits_for_the_next_run(
    classroom: Classroom, tmp_path: Path
) -> None:
    reports = graded(classroom, bundled(classroom, tmp_path / "bundle"), tmp_path / "reports")
    pushed(classroom, "squared", RIGHT, 2)
    pushed(classroom, "late", EMPTY, 2)
    done = recorded(classroom, reports)
    assert sorted(entry.report is not None for entry in done) == [False, True]
    assert points(classroom) == {"on-time": 2.0, "late": None, "squared": 2.0}, (
        "squared's new notebook is one that was graded"
    )


def test_a_forged_report_is_refused_and_the_others_count(
    classroom: Classroom, tmp_path: Path
) -> None:
    reports = graded(classroom, bundled(classroom, tmp_path / "bundle"), tmp_path / "reports")
    wrong = next(path for path in reports.iterdir() if b"Twice is not squared" in path.read_bytes())
    data = json.loads(wrong.read_text())
    data["exercises"][0]["points"] = 200
    wrong.write_text(json.dumps(data))
    before = ledger(classroom)["squared.jsonl"]
    refused = [entry.error for entry in recorded(classroom, reports) if entry.error]
    assert refused == ["squared, hw: what came back is refused: double has points that cannot be"]
    assert points(classroom) == {"on-time": 2.0, "late": 2.0, "squared": None}
    assert ledger(classroom)["squared.jsonl"] == before


@pytest.mark.parametrize("name", ["hw.{blob}.json", "../roster.csv", "squared.jsonl", "x" * 200])
def test_files_nobody_asked_for_are_not_looked_at(
    classroom: Classroom, tmp_path: Path, name: str
) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / name.format(blob="f" * 40)).resolve().write_text("[")
    assert [(entry.report, entry.error) for entry in recorded(classroom, reports)] == [
        (None, ""),
        (None, ""),
    ]


def test_reports_of_another_exam_are_refused(
    classroom: Classroom, small_course: SmallCourse, tmp_path: Path
) -> None:
    reports = graded(classroom, bundled(classroom, tmp_path / "bundle"), tmp_path / "reports")
    source = small_course.source.read_text()
    small_course.source.write_text(source.replace("double(21) == 42", "double(4) == 8"))
    repaired = Classroom.open(small_course.config)
    assert all("older version" in entry.error for entry in recorded(repaired, reports))


def test_a_bundle_for_another_exam_is_not_graded(
    classroom: Classroom, small_course: SmallCourse, tmp_path: Path
) -> None:
    folder = bundled(classroom, tmp_path / "bundle")
    small_course.source.write_text(
        small_course.source.read_text().replace("double(21) == 42", "double(4) == 8")
    )
    repaired = Classroom.open(small_course.config)
    with pytest.raises(UsageError, match="another exam"):
        list(
            grade_bundle(
                repaired.course, repaired.exams, folder, read_bundle(folder), tmp_path / "reports"
            )
        )


def test_another_notebook_than_was_sent_is_not_graded(classroom: Classroom, tmp_path: Path) -> None:
    folder = bundled(classroom, tmp_path / "bundle")
    (folder / "notebooks" / f"{read_bundle(folder)[0].blob}.ipynb").write_bytes(EMPTY)
    with pytest.raises(UsageError, match="not the notebook that was sent"):
        list(
            grade_bundle(
                classroom.course, classroom.exams, folder, read_bundle(folder), tmp_path / "reports"
            )
        )


def test_too_large_a_notebook_does_not_travel_and_says_so(
    classroom: Classroom, small_course: SmallCourse, tmp_path: Path
) -> None:
    small_course.config.write_text(
        small_course.config.read_text() + "c.Course.notebook_mb = 0.0001\n"
    )
    small = Classroom.open(small_course.config)
    folder = bundled(small, tmp_path / "bundle")
    assert list((folder / "notebooks").iterdir()) == []
    recorded(small, graded(small, folder, tmp_path / "reports"))
    assert points(small) == {"on-time": 0.0, "late": 0.0, "squared": 0.0}
    assert "clear its outputs" in small.standings()["on-time"]["hw"].problems[0]


PIECE = {"assignment": "hw", "exam": "x", "blob": "a" * 40, "path": PATH, "size": 1}


def test_a_bundle_may_hold_one_piece(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps({"version": 1, "pieces": [PIECE]}))
    assert read_bundle(tmp_path)[0].blob == "a" * 40


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "[]", {"version": 9, "pieces": []}, {"version": 1, "pieces": [{}]},
        {"version": 1, "pieces": [PIECE | {"assignment": "../x"}]},
        {"version": 1, "pieces": [PIECE | {"blob": "../../x"}]},
        {"version": 1, "pieces": [PIECE | {"path": "/etc/passwd"}]},
        {"version": 1, "pieces": [PIECE | {"size": "1"}]},
        {"version": 1, "pieces": [PIECE | {"student": "x"}]},
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_said(tmp_path: Path, content: str | dict[str, Any]) -> None:
    (tmp_path / "bundle.json").write_text(
        content if isinstance(content, str) else json.dumps(content)
    )
    with pytest.raises(UsageError, match="no bundle"):
        read_bundle(tmp_path)


def test_a_folder_with_something_in_it_is_not_bundled_into(
    classroom: Classroom, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="not empty"):
        write_bundle(classroom.course, classroom.exams, [], lambda task: b"", tmp_path)


def test_a_notebook_that_is_nowhere_is_said_and_the_others_travel(
    classroom: Classroom, tmp_path: Path
) -> None:
    lost = NotebookFile(PATH, "f" * 40, 9)
    Ledger(classroom.course.ledger).add_push(
        Push("squared", "e" * 40, "master", NOON + timedelta(hours=1), Clock.FIRST_SEEN, (lost,))
    )
    read = restore_notebooks(classroom.course, classroom.students, StateBranch(classroom.course))
    missing = write_bundle(
        classroom.course, classroom.exams, classroom.open_tasks(), read, tmp_path / "bundle"
    )
    assert len(missing) == 1 and missing[0].startswith(f"hw, {PATH}: squared: ")
    assert len(read_bundle(tmp_path / "bundle")) == 1


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_course_travels_as_committed_and_nothing_that_lies_about(
    small_course: SmallCourse, tmp_path: Path
) -> None:
    root = small_course.root
    git(root, "init", "--quiet")
    git(root, "add", "grading_config.py", "solutions")
    git(root, "commit", "--quiet", "--message", "course")
    (root / "roster.csv").write_text("student,remote\n")
    (root / "keys.json").write_text("secret")
    out = tmp_path / "out"
    write_course(root, out)
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert found == {"grading_config.py", "solutions/hw/hw.ipynb", "solutions/hw/mistakes.py"}


def test_a_kept_notebook_is_found_when_fork_and_store_are_gone(
    classroom: Classroom, tmp_path: Path
) -> None:
    """The whole way of a notebook that was collected on one machine and is graded again from another."""
    git(tmp_path, "init", "--quiet", "--bare", "instructors.git")
    root = classroom.course.root
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", str(tmp_path / "instructors.git"))
    StateBranch(classroom.course).push("collected")
    elsewhere = tmp_path / "elsewhere"
    git(tmp_path, "init", "--quiet", str(elsewhere))
    git(elsewhere, "remote", "add", "origin", str(tmp_path / "instructors.git"))
    for name in ("grading_config.py", "solutions"):
        (root / name).rename(elsewhere / name)
    there = Classroom.open(elsewhere / "grading_config.py")
    StateBranch(there.course).pull()
    recorded(there, graded(there, bundled(there, tmp_path / "bundle"), tmp_path / "reports"))
    assert points(there) == {"on-time": 2.0, "late": 2.0, "squared": 0.0}


def test_a_broken_exam_bundles_nothing(
    classroom: Classroom, small_course: SmallCourse, tmp_path: Path
) -> None:
    small_course.source.write_text("[")
    with pytest.raises(ExamError):
        bundled(Classroom.open(small_course.config), tmp_path / "bundle")
