"""The record verified: a whole one is sound, each kind of damage is named, and what can be made anew is."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from marked_course import MONDAY, MarkedCourse, make_marked_course
from small_course import SmallCourse

from autograder.course import reports
from autograder.course.reports import Report
from autograder.record.ledger import Ledger
from autograder.record.ledger_lines import format_line, is_readable, parse_line
from autograder.verifying.verification import Verification, repair_course, verify_course

pytestmark = pytest.mark.slow

LATER = datetime(2027, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with two students' work, its gradebook and its pages: made once, copied for each test."""
    root = tmp_path_factory.mktemp("verified") / "course"
    course = make_marked_course(root)
    for hours, (student, points) in enumerate([("on-time", 1.0), ("late", 0.0), ("on-time", 2.0)]):
        course.grade(student, MONDAY + timedelta(hours=hours), points, answer=f"plot({hours})")
    course.classroom.update_gradebook()
    course.classroom.build_pages(MONDAY + timedelta(days=1))
    return root


@pytest.fixture
def course(fresh: Path, tmp_path: Path) -> MarkedCourse:
    root = tmp_path / "course #1, 100%"  # an address would end at some of these
    shutil.copytree(fresh, root)
    return MarkedCourse(SmallCourse(root))


def look(course: MarkedCourse) -> Verification:
    return verify_course(course.classroom, now=LATER)


def wrong(course: MarkedCourse) -> list[str]:
    return [trouble.line for trouble in look(course).troubles if trouble.serious]


def ledger_file(course: MarkedCourse, student: str = "on-time") -> Path:
    return course.small.root / "ledger" / f"{student}.jsonl"


def lines(course: MarkedCourse) -> list[bytes]:
    return ledger_file(course).read_bytes().splitlines()


def write(course: MarkedCourse, *new: bytes) -> None:
    ledger_file(course).write_bytes(b"".join(line + b"\n" for line in new))


def test_a_whole_record_is_sound(course: MarkedCourse) -> None:
    found = look(course)
    assert found.is_sound, [trouble.line for trouble in found.troubles]
    assert (found.students, found.lines, found.notebooks) == (2, 6, 3)


# --- damage ----------------------------------------------------------------------------------------------------------


def edited_by_hand(course: MarkedCourse) -> None:
    text = ledger_file(course).read_text()
    assert '"points":1.0' in text
    ledger_file(course).write_text(text.replace('"points":1.0', '"points":2.0', 1))


def points_beyond_the_maximum(course: MarkedCourse) -> None:
    """As whoever also takes the checksum out would do it."""
    entry = parse_line(lines(course)[-1])
    entry["report"]["exercises"][0]["points"] = 100.0
    write(course, *lines(course)[:-1], json.dumps(entry).encode())


def another_maximum(course: MarkedCourse) -> None:
    entry = parse_line(lines(course)[-1])
    entry["report"]["exercises"][0] |= {"points": 100.0, "max_points": 100.0}
    write(course, *lines(course)[:-1], json.dumps(entry).encode())


def edited_without_a_checksum(course: MarkedCourse) -> None:
    entry = parse_line(lines(course)[-1])
    entry["report"]["exercises"][0]["points"] = 0.0
    write(course, *lines(course)[:-1], json.dumps(entry).encode())


def no_json(course: MarkedCourse) -> None:
    write(course, *lines(course)[:2], b"{torn in the middle", *lines(course)[2:])


def torn(course: MarkedCourse) -> None:
    with ledger_file(course).open("ab") as file:
        file.write(lines(course)[0][:40])


def a_push_taken_out(course: MarkedCourse) -> None:
    write(course, *lines(course)[1:])


def moved(course: MarkedCourse) -> None:
    first, *rest = lines(course)
    write(course, *rest, first)


def said_twice(course: MarkedCourse) -> None:
    write(course, *lines(course), lines(course)[-1])


def renamed_assignment(course: MarkedCourse) -> None:
    small = course.small
    small.config.write_text(small.config.read_text().replace('{"hw": ', '{"hw_new": '))
    (small.root / "solutions" / "hw").rename(small.root / "solutions" / "hw_new")
    (small.root / "solutions" / "hw_new" / "hw.ipynb").rename(
        small.root / "solutions" / "hw_new" / "hw_new.ipynb"
    )


def store_without_a_notebook(course: MarkedCourse) -> None:
    for path in (course.small.root / "forks" / "on-time.git" / "objects").glob("??/*"):
        path.unlink()


def damaged_notebook_in_a_store(course: MarkedCourse) -> None:
    for path in (course.small.root / "forks" / "on-time.git" / "objects").glob("??/*"):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:20] + b"\0" * 10)


def other_points_in_the_gradebook(course: MarkedCourse) -> None:
    connection = sqlite3.connect(course.small.root / "gradebook.db")
    connection.execute("update grade set auto_score = 0.5 where auto_score = 2.0")
    connection.commit()
    connection.close()


def damaged_gradebook(course: MarkedCourse) -> None:
    path = course.small.root / "gradebook.db"
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    path.write_bytes(content)


def no_gradebook_at_all(course: MarkedCourse) -> None:
    (course.small.root / "gradebook.db").write_bytes(
        b"not a database, but long enough to be one" * 100
    )


def own_page(course: MarkedCourse) -> Path:
    keys = json.loads((course.small.root / "keys.json").read_text())
    return course.small.root / "site" / "p" / f"{keys['students']['on-time']['page']}.html"


def missing_page(course: MarkedCourse) -> None:
    own_page(course).unlink()


def damaged_page(course: MarkedCourse) -> None:
    text = own_page(course).read_text()
    own_page(course).write_text(text.replace("</template>", "AAAA</template>"))


def edited_course_page(course: MarkedCourse) -> None:
    index = course.small.root / "site" / "index.html"
    index.write_text(index.read_text().replace("<h1>", "<h1>Not "))


def older_pages(course: MarkedCourse) -> None:
    course.grade("late", MONDAY + timedelta(hours=5), 2.0, answer="plot(9)")
    course.classroom.update_gradebook()


REPAIRED, BY_HAND = True, False
DAMAGE: dict[str, tuple[Callable[[MarkedCourse], None], str, bool]] = {
    "a line edited by hand": (
        edited_by_hand,
        "line 2: cannot be read: its checksum is wrong",
        REPAIRED,
    ),
    "100 of 2 points": (
        points_beyond_the_maximum,
        "line 4: cannot be read: double has 100 of 2 points",
        REPAIRED,
    ),
    "100 of 100 points": (
        another_maximum,
        "line 4: double of hw is worth 2 points, not 100",
        BY_HAND,
    ),
    "edited, its checksum taken out": (
        edited_without_a_checksum,
        "line 4: has no checksum, though",
        BY_HAND,
    ),
    "no JSON": (no_json, "line 3: cannot be read", REPAIRED),
    "a torn end": (torn, "on-time.jsonl: the last line has no end", REPAIRED),
    "a push taken out": (a_push_taken_out, "line 1: points for a notebook", BY_HAND),
    "a line moved": (
        moved,
        "line 4: its push is of 2027-03-01 12:00:00, before that of line 2",
        BY_HAND,
    ),
    "a line twice": (said_twice, "line 5: says word for word what line 4 says", BY_HAND),
    "a renamed assignment": (
        renamed_assignment,
        "2 students for 'hw', which grading_config.py does not",
        BY_HAND,
    ),
    "a damaged store": (damaged_notebook_in_a_store, "is damaged in the store", BY_HAND),
    "a store without a notebook": (store_without_a_notebook, "is not in the store", BY_HAND),
    "other points in the gradebook": (
        other_points_in_the_gradebook,
        "has 0.5 for double of on-time in hw",
        REPAIRED,
    ),
    "a damaged gradebook": (damaged_gradebook, "gradebook.db: is damaged", REPAIRED),
    "no gradebook at all": (
        no_gradebook_at_all,
        "gradebook.db: is damaged: file is not a database",
        REPAIRED,
    ),
    "a missing page": (missing_page, "the page of on-time is missing", REPAIRED),
    "a damaged page": (damaged_page, "the page of on-time is damaged", REPAIRED),
    "an edited course page": (
        edited_course_page,
        "index.html: is not what the record gives",
        REPAIRED,
    ),
    "pages older than the record": (
        older_pages,
        "the page of late is not what the record gives",
        REPAIRED,
    ),
}


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


@pytest.mark.parametrize(("damage", "words", "repaired"), DAMAGE.values(), ids=DAMAGE)
def test_each_damage_is_named_and_what_can_be_made_anew_is(
    course: MarkedCourse, damage: Callable[..., Any], words: str, repaired: Any
) -> None:
    damage(course)
    assert any(words in line for line in wrong(course)), wrong(course)
    assert all("; " in line for line in wrong(course)), "each says what to do"
    before = lines(course)
    done = list(repair_course(course.classroom, now=LATER))
    assert (wrong(course) == []) is repaired, (wrong(course), done)
    kept = b"".join(contents(course.small.root / "ledger"))
    assert all(line in kept for line in before), "nothing is deleted"


def test_a_damaged_store_is_made_anew_from_what_is_kept_on_the_state_branch(
    course: MarkedCourse, tmp_path: Path
) -> None:
    root = course.small.root
    git(tmp_path, "init", "--quiet", "--bare", "instructors.git")
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", str(tmp_path / "instructors.git"))
    assert autograder(course, "state", "push").returncode == 0
    assert wrong(course) == []
    damaged_notebook_in_a_store(course)
    list(repair_course(course.classroom, now=LATER))
    assert wrong(course) == []


def test_the_state_branch_is_compared(course: MarkedCourse, tmp_path: Path) -> None:
    root = course.small.root
    git(tmp_path, "init", "--quiet", "--bare", "instructors.git")
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", str(tmp_path / "instructors.git"))
    assert autograder(course, "state", "push").returncode == 0
    assert wrong(course) == []
    good = lines(course)
    edited_by_hand(course)
    assert any(
        "branch state of origin: ledger/on-time.jsonl: 1 of 4 lines are not here" in line
        for line in wrong(course)
    )
    list(repair_course(course.classroom, now=LATER))
    assert autograder(course, "state", "pull").returncode == 0
    assert sorted(lines(course)) == sorted(good)
    course.classroom.build_pages(LATER)
    assert wrong(course) == []


def test_a_damaged_line_that_was_set_aside_does_not_come_back_from_the_branch(
    course: MarkedCourse, tmp_path: Path
) -> None:
    root = course.small.root
    git(tmp_path, "init", "--quiet", "--bare", "instructors.git")
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", str(tmp_path / "instructors.git"))
    no_json(course)
    assert autograder(course, "state", "push").returncode == 0
    list(repair_course(course.classroom, now=LATER))
    for command in ("pull", "push", "pull"):
        assert autograder(course, "state", command).returncode == 0
    assert all(is_readable(line) for line in lines(course))
    assert wrong(course) == []


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def autograder(course: MarkedCourse, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_autograder.command(), *words, "--config", str(course.small.config)]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_command_says_what_is_wrong_and_repairs(course: MarkedCourse) -> None:
    no_json(course)
    done = autograder(course, "verify")
    assert done.returncode == 1
    assert "✗" in done.stdout and "things are wrong" in done.stdout
    done = autograder(course, "verify", "--repair")
    assert "1 lines set aside" in done.stdout
    points_beyond_the_maximum(course)
    assert "1 lines set aside" in autograder(course, "verify", "--repair").stdout
    data = json.loads(autograder(course, "verify", "--json").stdout)
    assert any(
        "1 notebooks have no report under the exam" in trouble["what"]
        for trouble in data["troubles"]
    )
    assert not any("cannot be read" in trouble["what"] for trouble in data["troubles"])


# --- lines -----------------------------------------------------------------------------------------------------------


def test_a_line_says_what_was_written() -> None:
    entry = {"entry": "mark", "text": 'a "sum":"', "sum of": [1, {"b": None}], "é": "\ud800"}
    line = format_line(entry)
    assert parse_line(line) == entry | {"é": "?"}
    assert json.loads(line)["sum"] == line[-18:-2].decode()


def test_a_line_without_a_checksum_is_read_as_it_is() -> None:
    assert parse_line(b'{"entry": "push", "time": 1}') == {"entry": "push", "time": 1}


@pytest.mark.parametrize("position", [0, 3, 12, 20, 30, 45, 51, -1, -2, -3, -10, -18])
def test_whatever_is_changed_in_a_line_is_seen(position: int) -> None:
    line = bytearray(format_line({"entry": "push", "time": 1, "commit": "0123456789abcdef"}))
    line[position] ^= 1
    assert not is_readable(bytes(line))


def test_older_versions_of_a_report_are_read(
    monkeypatch: pytest.MonkeyPatch, course: MarkedCourse
) -> None:
    """Once the version is raised, what stands in the ledger stays readable, and is not written anew."""
    before = ledger_file(course).read_bytes()
    monkeypatch.setattr(reports, "REPORT_VERSION", 3)
    monkeypatch.setattr(
        reports, "UPGRADES", {2: lambda data: {**data, "status": f"{data['status']}!"}}
    )
    record = Ledger(course.small.root / "ledger").read("on-time")
    assert record.damaged == ()
    assert [entry.report.status for entry in record.graded] == ["graded!", "graded!"]
    assert ledger_file(course).read_bytes() == before


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.0], ids=repr)
def test_a_report_of_a_version_nobody_knows_is_refused(version: Any, course: MarkedCourse) -> None:
    report = Ledger(course.small.root / "ledger").read("on-time").graded[0].report.to_json()
    with pytest.raises(ValueError, match=r"this program reads up to 1; update it"):
        Report.from_json(report | {"version": version})
