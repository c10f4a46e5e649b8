from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from public_course import (
    ANSWER,
    CHECKS,
    COPY,
    HW,
    IMPORTS,
    STUB,
    Git,
    PublicCourse,
    conflicting,
    released,
    run,
)
from small_course import SmallCourse, code, dump

from autograder.checks import Outcome
from autograder.course.course_card import Card, Homework, read_card, write_card
from autograder.course.errors import UsageError
from autograder.students.check_run import CheckRun, ExerciseChecks, run_checks
from autograder.students.check_text import build_annotations, summarise_runs
from autograder.students.clone_situation import settle_conflict
from autograder.students.course_update import is_same_repository

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("a_person")]

CHECKPOINT = "assignments/hw/.ipynb_checkpoints/hw-checkpoint.ipynb"


@pytest.fixture
def course(public_course: PublicCourse) -> PublicCourse:
    return public_course


# --- start ---------------------------------------------------------------------------------------------------------


def test_start_makes_a_copy_and_says_what_to_do_next(course: PublicCourse) -> None:
    done = course.autograder("start", "hw")
    assert done.returncode == 0, done.stderr
    assert course.student.read(COPY) == course.student.read(HW)
    for words in (COPY, "jupyter lab", "autograder check hw", "autograder submit hw"):
        assert words in done.stdout


def test_start_never_overwrites(course: PublicCourse) -> None:
    course.student.write({COPY: b"my work"})
    done = course.autograder("start", "hw")
    assert done.returncode == 2
    assert f"{COPY} is there already" in done.stderr
    assert course.student.read(COPY) == b"my work"


@pytest.mark.parametrize(
    "name", ["hw", "assignments/hw", "assignments/hw/hw.ipynb", "hw_solved.ipynb"]
)
def test_start_understands_paths(course: PublicCourse, name: str) -> None:
    assert course.autograder("start", name).returncode == 0
    assert (course.student.path / COPY).exists()


def test_start_names_the_nearest_homework_on_a_typo(course: PublicCourse) -> None:
    course.student.write({"assignments/hw02_regression/hw02_regression.ipynb": released()})
    done = course.autograder("start", "hw02_regresion")
    assert done.returncode == 2
    assert "did you mean 'hw02_regression'?" in done.stderr
    assert "did you mean 'hw02_regression'?" in course.autograder("start", "hw02").stderr


def test_start_without_a_name_lists_what_there_is(course: PublicCourse) -> None:
    assert (
        "hw: begin with: autograder start hw; due Sat 06 Mar 23:59"
        in course.autograder("start").stdout
    )
    course.autograder("start", "hw")
    assert "hw: begun" in course.autograder("start").stdout


def test_start_does_not_copy_a_broken_notebook(course: PublicCourse) -> None:
    course.student.write({HW: released()[:-20]})
    done = course.autograder("start", "hw")
    assert done.returncode == 2
    assert "autograder update" in done.stderr
    assert not (course.student.path / COPY).exists()


def test_commands_outside_a_clone_say_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "start"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "run this in the folder of your clone" in done.stderr


# --- check ---------------------------------------------------------------------------------------------------------


def checked(
    tmp_path: Path, notebook: bytes, original: bytes | None = None, **options: Any
) -> CheckRun:
    mine, course = tmp_path / "hw_solved.ipynb", tmp_path / "hw.ipynb"
    mine.write_bytes(notebook)
    if original is not None:
        course.write_bytes(original)
    return run_checks("hw", mine, course, **options)


OUTCOMES = {
    "right": (ANSWER, "passed", ""),
    "wrong": ("def double(x):\n    return x + 1", "failed", "double(3) is 6: it is 4"),
    "stub": (STUB, "not attempted", "not attempted yet"),
    "deleted": ("x = 1", "not attempted", "not attempted yet"),
}


def of_exercises(answers: Mapping[str, str]) -> bytes:
    """A notebook with an exercise for each name, all like `double`."""
    cells = [code(IMPORTS, grade_id="imports", locked=True)]
    for name, answer in answers.items():
        cells.append(
            code(answer.replace("double", name), grade_id=f"{name}_solution", solution=True)
        )
        checks = CHECKS.replace("double", name)
        cells.append(code(checks, grade_id=f"{name}_checks", locked=True))
        cells.append(code("#", grade_id=name, grade=True, locked=True, points=2))
    return dump(cells)


def test_outcomes_of_exercises(tmp_path: Path) -> None:
    mine = of_exercises({name: answer for name, (answer, _, _) in OUTCOMES.items()})
    found = checked(tmp_path, mine, of_exercises(dict.fromkeys(OUTCOMES, STUB)))
    assert [(entry.exercise, entry.status, entry.message) for entry in found.exercises] == [
        (name, status, words.replace("double", name))
        for name, (_, status, words) in OUTCOMES.items()
    ]
    assert found.problems == ()
    assert found.failed
    not_attempted = [entry for entry in found.exercises if entry.status == "not attempted"]
    assert not replace(found, exercises=tuple(not_attempted)).failed


@pytest.mark.parametrize(
    "mine",
    [
        released(ANSWER, checks="pass"),
        dump([code(ANSWER)]),
        dump(
            [
                code(ANSWER),
                code(CHECKS, grade_id="double_checks"),
                code("1 / 0", grade_id="double_checks"),
            ]
        ),
    ],
    ids=["edited", "deleted", "copied"],
)
def test_checks_come_from_the_course(tmp_path: Path, mine: Any) -> None:
    original = released(checks="from autograder.checks import check, expect\n\n" + CHECKS)
    found = checked(tmp_path, mine, original)
    assert [(entry.exercise, entry.passed, entry.status) for entry in found.exercises] == [
        ("double", 2, "passed")
    ]
    assert found.problems == ()


def test_without_the_courses_notebook_ones_own_checks_are_run_and_it_stays_as_it_is(
    tmp_path: Path,
) -> None:
    (entry,) = checked(tmp_path, run(released(ANSWER))).exercises
    assert (entry.exercise, entry.status) == ("double", "passed")
    assert (tmp_path / "hw_solved.ipynb").read_bytes() == run(released(ANSWER))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (
            ["1 / 0", "# it\nwhile True: pass"],
            [
                "cell 6 (1 / 0) raised ZeroDivisionError: division by zero",
                "cell 7 (while True: pass) ran for longer than 2 s",
            ],
        ),
        (
            ["import os; os._exit(1)"],
            ["Python itself ended in cell 6 (import os; os._exit(1))"],
        ),
    ],
    ids=["raises and endless", "dies"],
)
def test_a_cell_that_goes_wrong_gets_a_sentence(
    tmp_path: Path, cells: list[str], words: list[str]
) -> None:
    mine = released(ANSWER, extra=[code(cell) for cell in cells])
    found = checked(tmp_path, mine, released(), cell_seconds=2)
    for problem, begin in zip(found.problems, words, strict=True):
        assert problem.startswith(begin)
    assert found.failed
    assert [entry.status for entry in found.exercises] == ["passed"]


def test_a_cell_that_cannot_be_interrupted_ends_the_run(tmp_path: Path) -> None:
    stubborn = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)"
    found = checked(tmp_path, released(stubborn), released(), cell_seconds=1)
    assert found.problems == ("cell 3 (import signal, time) ran for longer than 1 s and was interrupted",
                              "it took no notice of that; the cells below it were not run")  # fmt: skip
    assert [entry.status for entry in found.exercises] == ["not run"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_an_interrupt_while_a_notebook_runs_is_one(tmp_path: Path) -> None:
    press = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        checked(tmp_path, released(extra=[code(press)]), released())


def test_an_answer_that_never_ends_does_not_stop_the_cells_below(tmp_path: Path) -> None:
    endless = "import time\ndef double(x):\n    while True:\n        time.sleep(60)"
    found = checked(tmp_path, released(endless, extra=[code("1 / 0")]), released(), cell_seconds=2)
    assert [(entry.status, entry.message) for entry in found.exercises] == [
        ("not run", "its checks ran for longer than 2 s")
    ]
    assert any("ZeroDivisionError" in problem for problem in found.problems)
    assert not any("took no notice" in problem for problem in found.problems)


def test_an_answer_whose_cell_cannot_be_read_is_not_called_unattempted(tmp_path: Path) -> None:
    found = checked(tmp_path, released("def double(x):\n    retrun 2 * x"), released())
    (entry,) = found.exercises
    assert (entry.status, entry.message) == (
        "failed",
        "its cell raised SyntaxError: invalid syntax (line 2)",
    )
    assert found.problems == (
        "cell 3 (def double(x):) raised SyntaxError: invalid syntax (line 2)",
    )


def test_an_exercise_not_written_yet_is_no_error_and_no_notebook_can_speak_to_the_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ENV", str(tmp_path / "env"))
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "a token")
    look = "import os\nassert not [name for name in os.environ if name.startswith(('GITHUB_', 'ACTIONS_'))]"
    found = checked(tmp_path, released(extra=[code("double(4)"), code(look)]), released())
    assert found.problems == ()
    assert not found.failed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The notebook file is empty"),
        (released()[:-9], "not valid JSON"),
        (b"[]", "has no cells"),
        (b"\xff\xfe\x00", "not text"),
    ],
    ids=["empty", "cut", "list", "binary"],
)
def test_a_broken_notebook_gets_a_sentence(tmp_path: Path, content: Any, words: str) -> None:
    found = checked(tmp_path, content, released())
    assert words in found.problems[0]
    assert found.failed


def test_a_notebook_with_conflict_marks_is_run_and_told(tmp_path: Path) -> None:
    found = checked(tmp_path, conflicting(released(ANSWER), released()), released())
    assert "conflict marks" in found.problems[0]
    assert found.exercises[0].status == "passed"
    assert found.failed


def test_check_prints_a_table_and_where_points_are(course: PublicCourse) -> None:
    course.student.write({COPY: released("def double(x):\n    return x + 1")})
    done = course.autograder("check")
    assert done.returncode == 1
    for words in (
        COPY,
        "double",
        "✗ 1 of 2",
        "double(3) is 6: it is 4",
        "official points: https://points.example",
    ):
        assert words in done.stdout
    assert "practice results" in done.stdout


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({HW: released(ANSWER)}, 0, "✓ 2 of 2"),
        ({}, 0, "you have begun no homework yet"),
        ({"hw_solved.ipynb": released(ANSWER)}, 1, f"move it to {COPY}"),
        ({"assignments/hw/hw_mine.ipynb": released(ANSWER)}, 1, "rename it to hw_solved.ipynb"),
        ({COPY: released(ANSWER), "assignments/hw/hw_solved (1).ipynb": released()}, 0, "✓ 2 of 2"),
        ({COPY: released()[:-3]}, 1, "not valid JSON"),
    ],
    ids=[
        "original",
        "nothing",
        "misplaced",
        "renamed",
        "copied twice",
        "broken",
    ],
)
def test_what_check_finds_and_how_it_ends(
    course: PublicCourse, files: dict[str, Any], code: int, words: str
) -> None:
    course.student.write(files)
    done = course.autograder("check")
    assert done.returncode == code, done.stderr
    assert words in done.stdout


def test_check_of_one_homework_by_name(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER), "assignments/other/other.ipynb": released()})
    assert COPY in course.autograder("check", "hw").stdout
    done = course.autograder("check", "other")
    assert done.returncode == 0 and "other.ipynb" in done.stdout
    assert "not attempted yet" in done.stdout
    assert "did you mean 'other'?" in course.autograder("check", "othr").stderr


def test_check_as_json(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER)})
    data = json.loads(course.autograder("check", "--json", GITHUB_ACTIONS="true").stdout)
    (entry,) = data["runs"]
    assert (entry["assignment"], entry["notebook"], entry["failed"]) == ("hw", COPY, False)
    assert [outcome["status"] for outcome in entry["exercises"][0]["checks"]] == [
        "passed",
        "passed",
    ]


def test_check_on_github_writes_a_summary_and_annotates(
    course: PublicCourse, tmp_path: Path
) -> None:
    noisy = code("import sys; print('::error::from the notebook')")
    course.student.write(
        {COPY: released("def double(x):\n    return 'a|b\\n::error::<b>'", extra=[noisy])}
    )
    page = tmp_path / "summary.md"
    done = course.autograder("check", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page))
    lines = done.stdout.splitlines()
    mark = lines[0].removeprefix("::stop-commands::")
    end = lines.index(f"::{mark}::")
    commands = [line for line in lines[end + 1 :] if line.startswith("::")]
    assert len(mark) == 32
    assert len(commands) == 1
    assert commands[0].startswith(f"::error file={COPY},title=double::")
    text = page.read_text(encoding="utf-8")
    assert "| double | ✗ 0 of 2 | double(1) is 2: it is a\\|b ::error::&lt;b&gt; |" in text
    assert "official points: https://points.example" in text


def test_at_most_ten_annotations_and_none_escapes() -> None:
    outcome = Outcome("c", "a, b: c", "failed", "100 %\r\n::stop-commands::x")
    many = tuple(ExerciseChecks(f"e{number}", (outcome,)) for number in range(20))
    commands = build_annotations([CheckRun("hw", "a,b:c.ipynb", many, ("one\nproblem",))])
    assert len(commands) == 10
    assert commands[0] == "::error file=a%2Cb%3Ac.ipynb,title=hw::one%0Aproblem"
    assert (
        commands[1]
        == "::error file=a%2Cb%3Ac.ipynb,title=e0::a, b: c: 100 %25%0D%0A::stop-commands::x"
    )


def test_the_summary_holds_no_markup_of_a_notebook() -> None:
    outcome = Outcome("c", "<script>", "failed", "[x](http://evil.example)\n# title")
    text = summarise_runs(
        [CheckRun("hw", "hw.ipynb", (ExerciseChecks("e", (outcome,)),))],
        ["<i>"],
        "official points: u",
    )
    assert "<script>" not in text and "<i>" not in text
    assert "\\[x](http://evil.example) # title" in text


def test_check_since_a_commit_looks_at_what_changed(course: PublicCourse) -> None:
    first = course.student.commit({COPY: released(ANSWER)})
    assert "no notebook of yours changed" in course.autograder("check", "--since", first).stdout
    course.student.commit({COPY: released(ANSWER, extra=[code("2")])})
    assert "✓ 2 of 2" in course.autograder("check", "--since", first).stdout
    assert "✓ 2 of 2" in course.autograder("check", "--since", "0" * 40).stdout


def test_signs_a_console_does_not_know_are_replaced(course: PublicCourse) -> None:
    course.student.write({COPY: released(ANSWER)})
    done = course.autograder("check", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "? 2 of 2" in done.stdout


# --- a student's installation --------------------------------------------------------------------------------------

BLOCKED = """\
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    names = {"nbgrader", "msgpack", "cryptography", "httpx", "jinja2", "psutil", "pyseccomp", "sqlalchemy", "alembic",
             "nbconvert", "dask", "distributed", "jupyter_server", "jupyterlab"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture
def students_python(tmp_path: Path) -> Any:
    """A folder for PYTHONPATH that hides from Python what only instructors install."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BLOCKED)
    return str(folder)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["start", "hw"], ["check", "hw"], ["submit", "--yes"], ["update"]],
    ids=["help", "start", "check", "submit", "update"],
)
def test_students_need_nothing_of_the_instructors(
    course: PublicCourse, students_python: Any, arguments: list[str]
) -> None:
    done = course.autograder(*arguments, PYTHONPATH=students_python)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["checks", "figures", "drawing", "graphs"])
def test_notebooks_need_nothing_of_the_instructors(
    course: PublicCourse, students_python: Any, module: str
) -> None:
    line = [sys.executable, "-c", f"import autograder.{module}"]
    environment = {"PYTHONPATH": students_python, "PATH": "/usr/bin:/bin"}
    assert subprocess.run(line, env=environment, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("command", ["release", "pages", "gradebook", "run"])
def test_instructors_commands_say_what_they_need(
    small_course: SmallCourse, students_python: Any, command: str
) -> None:
    (small_course.root / "roster.csv").write_text("student,remote\n")
    done = subprocess.run(
        [sys.executable, "-m", "autograder", command, "--config", str(small_course.config)],
        env={"PYTHONPATH": students_python, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install -e ".[grader]"' in done.stderr
    assert "Traceback" not in done.stderr


# --- the course's card ---------------------------------------------------------------------------------------------


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    deadline = (
        read_card_of(tmp_path, "a = 2027-03-06T23:59:00+01:00").assignments["hw"].deadlines["a"]
    )
    assert deadline.utcoffset().total_seconds() == 3600
    card = Card(
        'Deep "learning" ≥ 1\\',
        "https://x.example/a",
        "main",
        "",
        {"h-1": Homework("T", {"": deadline})},
    )
    (tmp_path / "course.toml").write_text(write_card(card), encoding="utf-8")
    assert read_card(tmp_path) == card


def read_card_of(folder: Path, deadlines: str) -> Card:
    (folder / "course.toml").write_text(
        f'[assignments.hw]\ntitle = "T"\ndeadlines = {{ {deadlines} }}\n'
    )
    return read_card(folder)


@pytest.mark.parametrize("text", ["name = ", "<<<<<<< HEAD", "[assignments]\nhw = 3"])
def test_a_broken_card_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(UsageError, match="git checkout course"):
        read_card(tmp_path)


# --- update --------------------------------------------------------------------------------------------------------


def versions(git: Git) -> set[bytes]:
    """Every version of a file that any branch still holds, and every file on the disk."""
    blobs = git("rev-list", "--objects", "--all", "--no-object-names").split()
    kept = set()
    for name in blobs:
        if git("cat-file", "-t", name) == "blob":
            kept.add(
                subprocess.run(
                    ["git", "cat-file", "blob", name], cwd=git.path, capture_output=True
                ).stdout
            )
    return kept | {
        file.read_bytes()
        for file in git.path.rglob("*")
        if file.is_file() and ".git" not in file.parts
    }


def assert_up_to_date(course: PublicCourse) -> None:
    """The course's newest commit is merged, nothing is left over, and a pull has nothing to do."""
    git = course.student
    newest = course.teacher("rev-parse", "HEAD")
    git("merge-base", "--is-ancestor", newest, "HEAD")
    git("pull", "--quiet", "--no-rebase", "upstream", "master")
    assert git("ls-files", "--unmerged") == ""
    assert git("diff", "--name-only", newest, "--", HW) == ""


def test_update_of_a_fork_23_commits_behind(course: PublicCourse) -> None:
    course.student.commit({COPY: released(ANSWER)}, "My homework")
    for number in range(22):
        course.publish({"README.md": f"# A small course, {number}\n".encode()}, f"News {number}")
    course.publish(
        {HW: released(checks=CHECKS + "\n"), "assignments/hw2/hw2.ipynb": released()}, "Homework 2"
    )
    done = course.autograder("update")
    assert done.returncode == 0, done.stderr
    for words in (
        "23 new commits",
        "autograder start hw2",
        "changed after you began",
        "changed: README.md",
        "git push",
    ):
        assert words in done.stdout
    assert_up_to_date(course)
    assert course.student.read(COPY) == released(ANSWER)
    assert course.student("remote", "get-url", "upstream") == course.upstream
    course.student("push", "--quiet", "origin", "master")
    assert "nothing new in the course" in course.autograder("update").stdout


def test_a_fork_without_work_is_moved_forward_without_a_merge(course: PublicCourse) -> None:
    course.publish({"README.md": b"# News\n"})
    assert course.autograder("update").returncode == 0
    assert course.student("rev-parse", "HEAD") == course.teacher("rev-parse", "HEAD")
    assert course.student("branch", "--list", "backup/*") == ""


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "only saved"])
@pytest.mark.parametrize(
    "news", [True, False], ids=["changed in the course", "not changed in the course"]
)
def test_work_in_the_original_becomes_the_copy(
    course: PublicCourse, committed: bool, news: bool
) -> None:
    work = run(released(ANSWER))
    course.student.commit({HW: work}) if committed else course.student.write({HW: work})
    if news:
        course.publish({HW: released(checks=CHECKS + "\n")})
    done = course.autograder("update", say="y\n")
    assert done.returncode == 0, done.stderr
    assert f"{HW}: the course's notebook comes back, your version becomes {COPY}" in done.stdout
    assert course.student.read(COPY) == work
    assert_up_to_date(course)


def test_work_in_the_original_beside_a_copy_is_kept_beside_it(course: PublicCourse) -> None:
    course.student.commit(
        {COPY: released("one"), HW: released("two"), "assignments/hw/hw_edited.ipynb": b"three"}
    )
    course.publish({HW: released(checks=CHECKS + "\n")})
    assert course.autograder("update", "--yes").returncode == 0
    assert course.student.read(COPY) == released("one")
    assert course.student.read("assignments/hw/hw_edited.ipynb") == b"three"
    assert course.student.read("assignments/hw/hw_edited_2.ipynb") == released("two")
    assert_up_to_date(course)


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "only saved"])
def test_an_original_that_was_only_run_is_put_back_without_a_question(
    course: PublicCourse, committed: bool
) -> None:
    course.student.commit({HW: run(released())}) if committed else course.student.write(
        {HW: run(released())}
    )
    course.publish({HW: released(checks=CHECKS + "\n")})
    before = versions(course.student)
    done = course.autograder("update")
    assert done.returncode == 0, done.stderr
    assert f"put back {HW}, in which there was no work of yours" in done.stdout
    assert not (course.student.path / COPY).exists()
    assert_up_to_date(course)
    assert before <= versions(course.student)


def test_no_is_no(course: PublicCourse) -> None:
    course.student.commit({HW: released(ANSWER)})
    course.publish({HW: released(checks=CHECKS + "\n")})
    head = course.student("rev-parse", "HEAD")
    for say in ("n\n", ""):
        done = course.autograder("update", say=say)
        assert done.returncode == 1
        assert course.student("rev-parse", "HEAD") == head
        assert course.student.read(HW) == released(ANSWER)
        assert course.student("status", "--porcelain") == ""
    assert "autograder update --yes" in done.stderr


def test_after_a_no_what_is_not_in_the_way_still_comes(course: PublicCourse) -> None:
    course.student.commit({HW: released(ANSWER)})
    course.publish({"README.md": b"# News\n"})
    assert course.autograder("update", say="n\n").returncode == 0
    assert course.student.read(HW) == released(ANSWER)
    assert course.student.read("README.md") == b"# News\n"


@pytest.mark.parametrize("way", ["moved", "deleted"])
def test_a_missing_original_comes_back(course: PublicCourse, way: str) -> None:
    if way == "moved":
        course.student("mv", HW, COPY)
        course.student.commit({COPY: released(ANSWER)})
    else:
        (course.student.path / HW).unlink()
    course.publish({HW: released(checks=CHECKS + "\n")})
    done = course.autograder("update")
    assert done.returncode == 0, done.stderr
    assert course.student.read(HW) == released(checks=CHECKS + "\n")
    assert way == "deleted" or course.student.read(COPY) == released(ANSWER)
    assert_up_to_date(course)


def test_checkpoints_leave_git_only_when_asked_and_stay_on_the_disk(course: PublicCourse) -> None:
    course.student.commit({CHECKPOINT: released(), COPY: released(ANSWER)})
    course.publish({"README.md": b"# News\n"})
    done = course.autograder("update", "--yes")
    assert (
        "1 checkpoint files of Jupyter are in git; autograder update --checkpoints" in done.stdout
    )
    assert CHECKPOINT in course.student("ls-files")
    assert course.autograder("update", "--checkpoints").returncode == 0
    assert CHECKPOINT not in course.student("ls-files")
    assert course.student.read(CHECKPOINT) == released()
    course.student("commit", "--quiet", "--message", "Without checkpoints")
    course.student("push", "--quiet", "origin", "master")


def test_a_notebook_with_conflict_marks_is_mended(course: PublicCourse) -> None:
    marked = conflicting(released(ANSWER), released())
    course.student.commit({COPY: marked, HW: conflicting(released("mine"), released())})
    course.publish({HW: released(checks=CHECKS + "\n")})
    before = versions(course.student)
    done = course.autograder("update", "--yes")
    assert done.returncode == 0, done.stderr
    assert json.loads(course.student.read(COPY)) == json.loads(released(ANSWER))
    assert json.loads(course.student.read("assignments/hw/hw_edited.ipynb")) == json.loads(
        released("mine")
    )
    assert before <= versions(course.student)
    assert_up_to_date(course)


def test_a_merge_that_stopped_is_taken_back_and_made_without_a_conflict(
    course: PublicCourse,
) -> None:
    course.student.commit({HW: released(ANSWER)})
    course.publish({HW: released(checks=CHECKS + "\n")})
    course.student("pull", "--quiet", "--no-rebase", course.upstream, "master", check=False)
    assert course.student("ls-files", "--unmerged")
    mine = {"notes.txt": b"mine", "assignments/hw/more [1].ipynb": released("more")}
    course.student.write({**mine, "later.txt": b"later", HW: released("half settled")})
    course.student("add", *(f":(literal){name}" for name in mine))
    before = versions(course.student)
    assert course.autograder("update", say="n\n").returncode == 1
    assert course.student("ls-files", "--unmerged")
    done = course.autograder("update", "--yes")
    assert done.returncode == 0, done.stderr
    assert course.student.read(COPY) == released(ANSWER)
    for name, content in {**mine, "later.txt": b"later"}.items():
        assert course.student.read(name) == content
    assert before <= versions(course.student)
    assert_up_to_date(course)


def test_a_conflict_settled_by_hand_but_not_committed_is_work(course: PublicCourse) -> None:
    course.student.commit({HW: released(ANSWER)})
    course.publish({HW: released(checks=CHECKS + "\n"), "README.md": b"# News\n"})
    course.student("pull", "--quiet", "--no-rebase", course.upstream, "master", check=False)
    course.student.write({HW: released("settled")})
    course.student("add", HW)
    before = versions(course.student)
    done = course.autograder("update", "--yes")
    assert done.returncode == 0, done.stderr
    assert course.student.read(COPY) == released("settled")
    assert course.student.read("README.md") == b"# News\n"
    assert before <= versions(course.student)
    assert_up_to_date(course)


def test_unsaved_and_staged_work_stays_as_it_is(course: PublicCourse) -> None:
    course.student.commit({COPY: released("one"), "notes.txt": b"a"})
    course.student.write({COPY: released("two"), "new.txt": b"new", "notes.txt": b"b"})
    course.student("add", "notes.txt")
    course.publish({"README.md": b"# News\n"})
    state = course.student("status", "--porcelain")
    assert course.autograder("update").returncode == 0
    assert course.student("status", "--porcelain") == state
    assert course.student.read(COPY) == released("two")


def test_a_file_of_ones_own_where_the_course_brings_one_is_kept(course: PublicCourse) -> None:
    course.student.write({"assignments/hw2/hw2.ipynb": released(ANSWER)})
    course.publish({"assignments/hw2/hw2.ipynb": released()})
    done = course.autograder("update", "--yes")
    assert done.returncode == 0, done.stderr
    assert course.student.read("assignments/hw2/hw2.ipynb") == released()
    assert course.student.read("assignments/hw2/hw2_solved.ipynb") == released(ANSWER)


def test_a_file_that_is_no_notebook_is_kept_where_it_says(course: PublicCourse) -> None:
    course.student.commit(
        {"README.md": b"# Mine\n", "demonotebooks/demo.ipynb": dump([code("a = 2")])}
    )
    course.publish({"README.md": b"# News\n"})
    done = course.autograder("update", "--yes")
    assert done.returncode == 0, done.stderr
    assert course.student.read("README.md") == b"# News\n"
    advice = re.search(r"to get one back: git (checkout \S+ -- )FILE", done.stdout)[1]
    course.student(*advice.split(), "README.md")
    assert course.student.read("README.md") == b"# Mine\n"
    assert course.student.read("demonotebooks/demo.ipynb") == dump([code("a = 2")])


def test_a_file_the_course_took_away_goes_and_work_in_it_stays(course: PublicCourse) -> None:
    course.student.commit({"demonotebooks/demo.ipynb": dump([code("a = 2")])})
    course.publish({"demonotebooks/demo.ipynb": None})
    done = course.autograder("update", "--yes")
    assert done.returncode == 0, done.stderr
    assert not (course.student.path / "demonotebooks" / "demo.ipynb").exists()
    assert course.student.read("demonotebooks/demo_edited.ipynb") == dump([code("a = 2")])


def test_update_works_for_someone_git_does_not_know(
    course: PublicCourse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    course.student.commit({COPY: released(ANSWER)})
    course.publish({"README.md": b"# News\n"})
    (tmp_path / "nobody").write_text("[user]\nuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "nobody"))
    assert course.autograder("update").returncode == 0
    assert_up_to_date(course)


def test_update_of_a_shallow_clone(course: PublicCourse) -> None:
    for number in range(3):
        course.publish({"README.md": f"# News {number}\n".encode()})
    Git(course.root / "fork.git")("fetch", "--quiet", course.upstream, "master:master")
    Git(course.root)(
        "clone", "--quiet", "--depth=1", (course.root / "fork.git").as_uri(), "shallow"
    )
    course.publish({"README.md": b"# More\n"})
    course.student.path.rename(course.root / "other")
    (course.root / "shallow").rename(course.student.path)
    done = course.autograder("update")
    assert done.returncode == 0, done.stderr
    assert_up_to_date(course)


def test_update_in_another_place_tells_what_is_odd(course: PublicCourse) -> None:
    course.student("switch", "--quiet", "--create", "homework")
    course.student("remote", "set-url", "origin", course.upstream)
    course.student("remote", "add", "upstream", (course.root / "fork.git").as_uri())
    said = course.autograder("update").stdout
    assert "you are on branch homework; points are given for master only" in said
    assert f"the course is at {course.upstream}" in said
    course.student("remote", "set-url", "upstream", course.upstream)
    assert "origin is the course itself; fork it" in course.autograder("update").stdout


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (["checkout", "--quiet", "--detach"], "git is on no branch"),
        (["remote", "add", "upstream", "file:///nowhere/at-all.git"], "git fetch: "),
    ],
    ids=["detached", "unreachable"],
)
def test_update_says_why_it_cannot(course: PublicCourse, prepare: list[str], words: str) -> None:
    course.student(*prepare)
    done = course.autograder("update")
    assert done.returncode in {1, 2}
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_update_of_a_downloaded_folder_says_to_clone(course: PublicCourse) -> None:
    for file in (course.student.path / ".git").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
    (course.student.path / ".git").rename(course.root / "gone")
    done = course.autograder("update")
    assert done.returncode == 2
    assert "clone your fork" in done.stderr


def test_update_of_an_unrelated_repository_says_so(course: PublicCourse) -> None:
    course.student("checkout", "--quiet", "--orphan", "fresh")
    course.student("commit", "--quiet", "--message", "Uploaded by hand")
    done = course.autograder("update")
    assert done.returncode == 2
    assert "shares no history with the course" in done.stderr


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://github.com/a/b", "git@github.com:a/b.git", True),
        ("https://token@github.com/A/b.git/", "ssh://git@github.com/a/b", True),
        ("https://github.com/a/b", "https://github.com/c/b", False),
        ("", "", False),
    ],
)
def test_addresses_of_one_repository(one: str, other: str, same: bool) -> None:
    assert is_same_repository(one, other) is same


@pytest.mark.parametrize(
    ("content", "mended"),
    [
        (conflicting(b'{"cells": []}', b"{}"), b'{"cells": []}\n'),
        (conflicting(b"broken", b'{"cells": []}'), b'{"cells": []}\n'),
        (conflicting(b"broken", b"broken too"), None),
        (b'{"cells": []}', None),
    ],
    ids=["own side", "their side", "neither", "no marks"],
)
def test_conflicts_are_settled_for_the_side_that_reads(content: Any, mended: bytes | None) -> None:
    assert settle_conflict(content) == mended
