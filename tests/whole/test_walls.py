"""What fails for one student, one assignment or one step is one line; the others get what is theirs."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from broken_students import FAULTS
from small_class import NO_DEADLINE_SOON, NOON, WRONG, Class, answer
from small_course import SmallCourse, code

from autograder.classroom.classroom import Classroom
from autograder.doctor.course_check import examine_course
from autograder.grading import grading_run as grading
from autograder.grading.worker_pool import Workers
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow


@pytest.fixture
def small_class(small_course: SmallCourse) -> Class:
    small = Class(small_course)
    small.configure(NO_DEADLINE_SOON)
    return small


def test_what_students_broke_in_every_way_is_a_line_each_and_the_others_go_on(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    names = [f"student-{number}" for number in range(len(FAULTS))]
    small_class.enrol("good", *names)
    assert small_class.run() == (0, dict.fromkeys(["good", *names], 2.0))
    capfd.readouterr()
    for name, (fault, _) in zip(names, FAULTS.values(), strict=True):
        fault(small_class, name)
    small_class.push("good", answer("good", WRONG), "second")
    code, points = small_class.run()
    errors = capfd.readouterr().err
    assert (code, points["good"]) == (1, 0.0), errors
    assert "Traceback" not in errors
    assert "please report this" not in errors
    assert small_class.page_count() == 1 + len(names)
    for name, (_, sentence) in zip(names, FAULTS.values(), strict=True):
        assert sentence.format(name) in errors, errors


# --------------------------------------------------------------------------------------- faults of a course's files


def test_a_lone_surrogate_in_a_notebook_is_graded_and_shown(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.enrol("good", "odd")
    notebook = json.loads(answer("odd", 'def double(x):\n    raise ValueError("\ud800")'))
    notebook["cells"].insert(0, code("'\ud800'"))
    small_class.push("odd", json.dumps(notebook).encode(), "second")
    assert small_class.run() == (0, {"good": 2.0, "odd": 0.0}), capfd.readouterr().err


def test_an_extension_of_somebody_who_left_is_told_and_left_out(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.enrol("good")
    (small_class.root / "extensions.csv").write_text(
        "student,assignment,part,deadline\nleft,hw,,2100-03-09 23:59\n"
    )
    assert small_class.run() == (1, {"good": 2.0})
    assert "line 2: no student 'left' in the roster" in capfd.readouterr().err


def test_pages_are_built_without_the_gradebook(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.enrol("good")
    (small_class.root / "gradebook.db").write_bytes(b"no database at all" * 100)
    assert small_class.run() == (1, {"good": 2.0})
    assert "gradebook.db: file is not a database; close what has it open" in capfd.readouterr().err
    assert small_class.page_count() == 1


def test_an_upstream_out_of_reach_stops_nobody(
    small_class: Class, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    upstream = BareRepository(tmp_path / "upstream.git", "master")
    upstream.create()
    upstream.push({"README.md": b"hello"}, "begin", NOON)
    small_class.configure(f"c.Course.upstream = {str(upstream.path)!r}")
    small_class.enrol("good")
    fresh = small_class.remote("fresh")
    fresh.fork(upstream)
    with (small_class.root / "roster.csv").open("a") as file:
        file.write(f"fresh,{fresh.path}\n")
    assert small_class.run()[0] == 0
    upstream.path.rename(tmp_path / "away")
    small_class.push("good", answer("good", WRONG), "second")
    code, points = small_class.run()
    assert (code, points["good"]) == (1, 0.0)
    assert "the published course" in capfd.readouterr().err
    assert not small_class.ledger("fresh").exists(), (
        "a fork without work in it is still known as one"
    )


def test_one_source_that_is_no_exam_leaves_the_other_assignments_alone(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.configure('c.Course.assignments["later"] = {"title": "Later"}')
    (small_class.root / "solutions" / "later").mkdir()
    (small_class.root / "solutions" / "later" / "later.ipynb").write_text("no notebook")
    small_class.enrol("good")
    assert small_class.run() == (2, {"good": 2.0})
    assert "later.ipynb" in capfd.readouterr().err
    assert small_class.page_count() == 1


def test_damaged_page_keys_stop_the_pages_alone(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.enrol("good")
    (small_class.root / "keys.json").write_text("{}")
    code, points = small_class.run()
    assert (code, points) == (2, {"good": 2.0})
    assert "pages failed: " in capfd.readouterr().err
    assert (small_class.root / "gradebook.db").exists()


def test_results_of_an_assignment_that_was_renamed_are_missed_aloud(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.enrol("good")
    assert small_class.run()[0] == 0
    config = small_class.course.config
    config.write_text(config.read_text().replace('{"hw": {', '{"homework": {'))
    (small_class.root / "solutions" / "hw").rename(small_class.root / "solutions" / "homework")
    source = small_class.root / "solutions" / "homework"
    (source / "hw.ipynb").rename(source / "homework.ipynb")
    assert small_class.run()[0] == 1
    errors = capfd.readouterr().err
    assert (
        "has results of 'hw' for 1 students, and grading_config.py names no such assignment"
        in errors
    )


def test_a_run_that_cannot_know_its_students_says_so_and_ends(small_class: Class) -> None:
    done = subprocess.run(
        [*warm_autograder.command(), "run"],
        cwd=small_class.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "roster.csv: no such file" in done.stderr


def test_a_notebook_that_its_store_lost_is_brought_back_and_graded(
    small_class: Class, capfd: pytest.CaptureFixture[str]
) -> None:
    small_class.enrol("good", "other")
    assert [entry.error for entry in Classroom.open(small_class.course.config).collect()] == [
        "",
        "",
    ]
    for pack in (small_class.root / "forks" / "other.git" / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(b"no pack")
    assert small_class.run() == (0, {"good": 2.0, "other": 2.0}), capfd.readouterr().err


SLOW = "import time\ndef double(x):\n    time.sleep(30)\n    return 2 * x"  # far beyond what the clock allows a call


@pytest.mark.parametrize(
    ("overloaded", "rounds"), [(True, [2, 1]), (False, [2])], ids=["overloaded", "not"]
)
def test_what_the_clock_decided_on_an_overloaded_machine_is_graded_once_more_alone(
    small_class: Class, monkeypatch: pytest.MonkeyPatch, overloaded: bool, rounds: list[int]
) -> None:
    """Two students, one of whom is stopped at the limit of a call's time; each gets one report."""
    begun = []

    def counted(count: Any, *arguments: Any) -> Any:
        begun.append(count)
        return Workers(count, *arguments)

    monkeypatch.setattr(grading, "Workers", counted)
    monkeypatch.setattr(grading, "is_overloaded", lambda: overloaded)
    small_class.configure('c.Course.limits = {"call_seconds": 0.5}', "c.Course.workers = 2")
    small_class.enrol("good", "slow")
    small_class.push("slow", answer("slow", SLOW), "slow")
    assert small_class.run() == (0, {"good": 2.0, "slow": 0.0})
    assert begun == rounds
    assert small_class.ledger("slow").read_text().count('"entry":"report"') == 1


def test_the_doctor_looks_on_where_one_thing_cannot_be_looked_at(small_class: Class) -> None:
    small_class.enrol("good")
    (small_class.root / "keys.json").mkdir(mode=0o700)
    found = {finding.what: finding for finding in examine_course(small_class.course.config)}
    assert not found["page keys"].good
    assert "keys.json: Is a directory" in found["page keys"].detail
    assert "workers" in found
