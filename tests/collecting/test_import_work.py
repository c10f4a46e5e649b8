"""Work handed in elsewhere, imported: nbgrader's exchange and zip_collect, Moodle's and Canvas' archives."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from small_course import CONFIG, DOUBLE, TEST_DOUBLE, SmallCourse, code, dump, solution, test

from autograder.classroom.classroom import Classroom
from autograder.collecting.handed_in_files import read_handed_in, read_timestamp
from autograder.collecting.import_work import ImportedWork, StudentNames
from autograder.course.errors import RemoteFailed, UsageError
from autograder.course.submissions import Clock, Student

pytestmark = pytest.mark.slow  # hundreds of git

ZONE = ZoneInfo("Europe/Budapest")
MOMENT = datetime(2027, 3, 6, 20, 15, tzinfo=UTC)
STAMP = b"2027-03-06 20:15:00 UTC"
LATE = datetime(2027, 3, 7, 20, 0, tzinfo=UTC)
ROSTER = (
    "student,remote,name,email,number\n"
    "on-time,none,Ágnes On Time,agnes@school.example,4711\n"
    "late,none,Latecomer Bela,bela@school.example,4712\n"
    "twin-1,none,Twin Same,,\n"
    "twin-2,none,Same Twin,,\n"
)


def answer(value: str) -> bytes:
    return dump([solution(f"def double(x):\n    return {value}"), test("", "double")])


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    small = SmallCourse(tmp_path / "course")
    small.write(code("import math"), solution(DOUBLE), test(TEST_DOUBLE))
    small.config.write_text(CONFIG)
    (small.root / "roster.csv").write_text(ROSTER)
    return small


def write_zip(path: Path, files: Mapping[str, bytes], time: datetime = MOMENT) -> Path:
    local = time.astimezone(ZONE)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, local.timetuple()[:6]), content)
    return path


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def take(
    course: SmallCourse, place: Path, assignment: str = "", time: datetime | None = None
) -> dict[str, ImportedWork]:
    """Import, and return what became of each by the student's id, or by the name where nobody was found."""
    done = Classroom.open(course.config).import_work(place, assignment, time)
    return {entry.student or entry.names[0]: entry for entry in done}


def find_path(entry: ImportedWork) -> str:
    assert entry.push is not None, entry.error
    (file,) = entry.push.notebooks
    assert file.written == ("double_solution",) or file.written, "somebody has looked what it holds"
    return file.path


def test_nbgraders_folders_are_taken_with_their_times(course: SmallCourse, tmp_path: Path) -> None:
    place = write_files(
        tmp_path / "submitted",
        {
            "on-time/hw/hw.ipynb": answer("x + x"),
            "on-time/hw/mine.py": b"x = 1\n",
            "on-time/hw/timestamp.txt": STAMP,
            "late/hw/hw.ipynb": answer("2 * x"),
            "late/hw/timestamp.txt": b"2027-03-07 21:00:00.123456 Europe/Budapest\n",
            "stranger/hw/hw.ipynb": answer("0"),
            "stranger/hw/timestamp.txt": STAMP,
        },
    )
    done = take(course, place)
    on_time = done["on-time"].push
    assert on_time is not None
    assert (on_time.time, on_time.clock, on_time.assignment) == (MOMENT, Clock.PLATFORM, "hw")
    assert on_time.notebooks[0].beside == ("mine.py",)
    assert find_path(done["on-time"]) == "assignments/hw/hw.ipynb"
    assert done["late"].push is not None
    assert done["late"].push.time.replace(microsecond=0) == LATE
    assert "stranger: nobody in the roster is called so" in done["stranger"].error

    again = take(course, place)
    assert [again[name].push for name in ("on-time", "late")] == [None, None], (
        "nothing is recorded twice"
    )

    (place / "on-time/hw/hw.ipynb").write_bytes(answer("3 * x"))
    (place / "on-time/hw/timestamp.txt").write_bytes(b"2027-03-06 19:00:00 UTC")
    take(course, place)
    pushes = Classroom.open(course.config).records()["on-time"].pushes
    assert [push.time.hour for push in pushes] == [19, 20], (
        "an older state that comes later stays the older one"
    )


def test_a_submission_without_a_time_is_not_given_one(course: SmallCourse, tmp_path: Path) -> None:
    place = write_files(tmp_path / "submitted", {"on-time/hw/hw.ipynb": answer("2 * x")})
    assert "timestamp.txt" in take(course, place)["on-time"].error
    taken = take(course, place, time=MOMENT)["on-time"]
    assert taken.push is not None
    assert taken.push.time == MOMENT


@pytest.mark.parametrize("date", [(1980, 1, 1), (1980, 0, 0)], ids=["the first day", "no day"])
def test_an_archive_without_times_gives_none(
    date: tuple[int, int, int], course: SmallCourse, tmp_path: Path
) -> None:
    place = tmp_path / "DL-hw-99.zip"
    with zipfile.ZipFile(place, "w") as archive:
        entry = zipfile.ZipInfo(
            "On Time Agnes_101_assignsubmission_file_/hw.ipynb", (*date, 0, 0, 0)
        )
        archive.writestr(entry, answer("2 * x"))
    (done,) = Classroom.open(course.config).import_work(place, "hw", None)
    assert "--time" in done.error
    (done,) = Classroom.open(course.config).import_work(place, "hw", MOMENT)
    assert done.push is not None
    assert done.push.time == MOMENT


def test_moodles_archive_is_taken_with_names_numbers_and_its_worksheet(
    course: SmallCourse, tmp_path: Path
) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("homework/hw.ipynb", answer("x * 2"))
        archive.writestr("__MACOSX/hw.ipynb", b"")
    place = tmp_path / "downloads"
    place.mkdir()
    write_zip(
        place / "DL-hw-99.zip",
        {
            "On Time Agnes_101_assignsubmission_file_/solved.ipynb": answer("2 * x"),
            "Somebody Renamed_102_assignsubmission_file_/work.zip": inner.getvalue(),
            "Twin Same_103_assignsubmission_file_hw.ipynb": answer("2 * x"),
            "notes.txt": b"",
        },
    )
    (place / "Grades-DL.csv").write_text(
        "Identifier,Full name,Email address,Last modified (submission)\n"
        'Participant 102,Somebody Renamed,bela@school.example,"Sunday, 7 March 2027, 9:00 PM"\n'
    )
    classroom = Classroom.open(course.config)
    done = {entry.student or entry.names[0]: entry for entry in classroom.import_work(place, "hw")}
    assert done["on-time"].push is not None
    assert done["on-time"].push.time == MOMENT, (
        "without accents, the last name first, the archive's time"
    )
    assert done["late"].push is not None
    assert done["late"].push.time == LATE, (
        "by the address in the worksheet, with its time, out of an archive of theirs"
    )
    assert find_path(done["late"]) == "assignments/hw/hw.ipynb"
    assert "may be twin-1 and twin-2" in done["Twin Same"].error
    assert list(classroom.troubles) == [
        f"{place}: 1 files of which nothing says whose they are: notes.txt"
    ]


def test_canvas_archive_is_taken_and_what_it_calls_late_is_looked_at(
    course: SmallCourse, tmp_path: Path
) -> None:
    place = write_zip(
        tmp_path / "submissions.zip",
        {
            "timeagneson_4711_88_hw-2.ipynb": answer("2 * x"),
            "timeagneson_4711_89_data.csv": b"1\n",
            "belalatecomer_LATE_4712_90_whatever.ipynb": answer("2 * x"),
        },
    )
    done = take(course, place, "hw")
    assert find_path(done["on-time"]) == "assignments/hw/hw.ipynb"
    assert done["on-time"].push is not None
    assert done["on-time"].push.notebooks[0].beside == ("data.csv",)
    assert "late, hw: the platform calls it late, by its time" in done["late"].note


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"essay.pdf": b"%PDF-"}, "no notebook was handed in, only essay.pdf"),
        ({"one.ipynb": b"{}", "two.ipynb": b"{}"}, "several notebooks were handed in"),
        ({"work.zip": b"PK no archive"}, "not an archive that can be read"),
    ],
    ids=["another file", "two notebooks", "a broken archive"],
)
def test_what_cannot_be_taken_is_said_and_is_that_students_alone(
    course: SmallCourse, tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    theirs = {f"on-time/hw/{name}": content for name, content in files.items()}
    place = write_files(tmp_path / "submitted", theirs | {"late/hw/hw.ipynb": answer("2 * x")})
    done = take(course, place, time=MOMENT)
    (failed,) = [entry for entry in done.values() if entry.error]
    assert words in failed.error
    assert done["late"].push is not None


def deflate(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return content.getvalue()


def write_work(path: Path, work: Mapping[str, Mapping[str, bytes]]) -> Path:
    """Write what Moodle gives of a class, by the students' names."""
    number = 100
    files = {}
    for name, handed_in in work.items():
        number += 1
        for inside, content in handed_in.items():
            files[f"{name}_{number}_assignsubmission_file_/{inside}"] = content
    return write_zip(path, files)


def test_what_students_do_to_their_files_is_understood(course: SmallCourse, tmp_path: Path) -> None:
    good = answer("2 * x")
    decomposed = unicodedata.normalize("NFD", "Zoë Öztürk")
    work = {
        "A Nested": {"week 1/hw/hw.ipynb": good, "week 1/hw/mine.py": b"", "notes.txt": b""},
        decomposed: {"hw.ipynb": good, unicodedata.normalize("NFD", "Übung.csv"): b"1"},
        "B Again": {"hw (1).ipynb": good, "scratch.ipynb": good},
        "C Canvas": {"hw-2.ipynb": good, "other.ipynb": good},
        "D Zipped": {"work.zip": deflate({"top/hw.ipynb": good, "top/mine.py": b""})},
        "E Both": {"hw.ipynb": good, "hw (1).ipynb": answer("0")},
    }
    names = [unicodedata.normalize("NFC", name) for name in work]
    rows = "".join(f"s{number},none,{name}\n" for number, name in enumerate(names))
    (course.root / "roster.csv").write_text(f"student,remote,name\n{rows}", encoding="utf-8")
    done = take(course, write_work(tmp_path / "class.zip", work), "hw")
    assert [entry.error for entry in done.values()] == [""] * 6
    beside = {}
    for student, entry in done.items():
        assert entry.push is not None
        graded = [file for file in entry.push.notebooks if file.path == "assignments/hw/hw.ipynb"]
        assert len(graded) == 1, student
        assert graded[0].written == ("double_solution",)
        beside[student] = graded[0].beside
    assert beside["s0"] == ("mine.py", "notes.txt"), "what lay beside the notebook still does"
    assert beside["s1"] == ("Übung.csv",)
    assert beside["s4"] == ("mine.py",)


def test_bombs_and_broken_archives_are_refused_with_a_sentence(
    course: SmallCourse, tmp_path: Path
) -> None:
    good = answer("2 * x")
    with course.config.open("a") as config:
        config.write("c.Course.store_mb = 1\n")
    damaged = bytearray(deflate({"hw.ipynb": good * 20}))
    damaged[60:80] = b"\xff" * 20
    locked = bytearray(deflate({"hw.ipynb": good}))
    for header in (locked.index(b"PK\x03\x04") + 6, locked.index(b"PK\x01\x02") + 8):
        locked[header] |= 1  # says that it is encrypted
    work = {
        "A Bomb": {"work.zip": deflate({"hw.ipynb": good, "zeros.csv": bytes(2_000_000)})},
        "B Many": {"work.zip": deflate({"hw.ipynb": good} | {f"{n}.csv": bytes(50_000) for n in range(30)})},
        "C Deep": {"work.zip": deflate({"inner.zip": deflate({"hw.ipynb": good})})},
        "D Damaged": {"work.zip": bytes(damaged)},
        "E Locked": {"work.zip": bytes(locked)},
        "F Outside": {"hw.ipynb": good, "../../../outside.py": b"", ".bashrc": b"", "x/../../y.ipynb": good},
        "G Fine": {"hw.ipynb": good},
    }  # fmt: skip
    rows = "".join(f"s{number},none,{name}\n" for number, name in enumerate(work))
    (course.root / "roster.csv").write_text(f"student,remote,name\n{rows}")
    done = take(course, write_work(tmp_path / "class.zip", work), "hw")
    errors = {entry.names[0]: entry.error for entry in done.values() if entry.error}
    for name, words in (
        ("A Bomb", "unpacks to 2 MB, more than c.Course.store_mb"),
        ("B Many", "unpacks to 2 MB, more than c.Course.store_mb"),
        ("C Deep", "no notebook was handed in, only inner.zip"),
        ("D Damaged", "hw.ipynb cannot be read"),
        ("E Locked", "hw.ipynb cannot be read"),
    ):
        assert words in errors.pop(name)
    assert not errors, "each is that student's alone"
    for words in ("left out", "outside.py", ".bashrc", "y.ipynb", "leads elsewhere"):
        assert words in done["s5"].note
    assert done["s5"].push is not None
    assert done["s5"].push.notebooks[0].beside == ()
    assert done["s6"].push is not None
    assert not list(tmp_path.rglob("outside.py"))


def test_a_path_that_is_utf8_without_saying_so_is_read_as_that(tmp_path: Path) -> None:
    place = write_zip(tmp_path / "class.zip", {"zoë/hw/Übung.ipynb": b"{}"})
    content = bytearray(place.read_bytes())
    for header in (content.index(b"PK\x03\x04") + 7, content.index(b"PK\x01\x02") + 9):
        content[header] &= ~8  # the bit that says so, which macOS leaves out
    place.write_bytes(content)
    (found,) = read_handed_in(place, {"hw"}, ZONE).work
    assert (found.names, list(found.files)) == (("zoë",), ["Übung.ipynb"])


def test_of_several_notebooks_those_are_taken_that_are_called_so(tmp_path: Path) -> None:
    course = SmallCourse(tmp_path / "course")
    source = course.root / "solutions" / "Set 1"
    source.mkdir(parents=True)
    for name in ("problem", "problem-1"):
        cells = [solution(DOUBLE), test(TEST_DOUBLE)]
        (source / f"{name}.ipynb").write_bytes(dump(cells))
    course.config.write_text(
        CONFIG + 'c.Course.assignments = {"Set 1": {"notebooks": ["problem", "problem-1"]}}\n'
    )
    (course.root / "roster.csv").write_text("student,remote\nboth,none\none,none\nnone,none\n")
    place = write_files(
        tmp_path / "submitted",
        {
            "both/Set 1/problem.ipynb": answer("2 * x"),
            "both/Set 1/problem-1.ipynb": answer("x + x"),
            "one/Set 1/problem-1.ipynb": answer("x + x"),
            "none/Set 1/mine.ipynb": answer("x + x"),
        },
    )
    done = take(course, place, time=MOMENT)
    paths = {}
    for student in ("both", "one"):
        push = done[student].push
        assert push is not None
        assert push.assignment == "Set 1"
        paths[student] = [file.path for file in push.notebooks]
    assert paths["both"] == [f"assignments/Set 1/{name}.ipynb" for name in ("problem-1", "problem")]
    assert paths["one"] == ["assignments/Set 1/problem-1.ipynb"]
    assert "would be problem.ipynb or problem-1.ipynb, only mine.ipynb" in done["none"].error


def test_hostile_paths_lead_nowhere(course: SmallCourse, tmp_path: Path) -> None:
    hostile = "on-time/hw/../../../../outside.py"
    place = write_zip(tmp_path / "x.zip", {hostile: b"", "on-time/hw/hw.ipynb": answer("2 * x")})
    taken = take(course, place)["on-time"].push
    assert taken is not None
    assert taken.notebooks[0].beside == ()
    assert not list(tmp_path.rglob("outside.py"))


def test_a_folder_that_is_none_is_wrong_usage(course: SmallCourse, tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"no archive")
    for name, words in (("nowhere", "no such folder"), ("broken.zip", "not an archive")):
        with pytest.raises(UsageError, match=words):
            take(course, tmp_path / name)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-03-06 20:15:00 UTC", MOMENT),
        ("2027-03-06 21:15:00", MOMENT),
        ("2027-03-06T20:15:00Z", MOMENT),
        ("2027-03-06 15:15:00.000 America/New_York", MOMENT),
        ("yesterday", None),
        ("2027-03-06 20:15:00 Nowhere/Land", None),
        ("2027-03-06 21:15:00 CET", MOMENT),
        ("2027-03-06 21:15:00+01:00", MOMENT),
        ("Sat, 6 Mar 2027 21:15:00 +0100", MOMENT),
        ("Sat Mar 6 20:15:00 2027 UTC", MOMENT),
        ("2027-03-06 20:15:00 PST", None),
        ("20:15 UTC", None),
    ],
)
def test_a_timestamp_is_read_as_nbgrader_writes_it(text: str, moment: datetime | None) -> None:
    assert read_timestamp(text, ZONE) == moment


def test_a_name_is_found_by_its_letters() -> None:
    names = StudentNames([Student("a", "", name="Éva van der Berg"), Student("b", "", number="12")])
    for given in ("Eva van der Berg", "vanderbergeva", "a", "A"):
        assert names.find_student([given]).id == "a"
    assert names.find_student(["whoever", "12"]).id == "b"
    with pytest.raises(RemoteFailed, match="nobody"):
        names.find_student(["c"])
