import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from small_course import DOUBLE, REPOSITORY, SmallCourse, dump, make_small_course, solution

from autograder.cli import main, result_commands
from autograder.rehearsal.forge_on_disk import BareRepository
from autograder.rehearsal.practice_class import DEADLINE

pytestmark = pytest.mark.slow

PATH = "assignments/hw/hw_solved.ipynb"
RIGHT = dump([solution(DOUBLE)])


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")
    } | variables
    return subprocess.run(
        [*warm_autograder.command(), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def course(small_course: SmallCourse, tmp_path: Path) -> Path:
    """A course in a repository with a remote; one student has pushed a right answer."""
    return hosted(small_course.root, tmp_path)


def hosted(root: Path, folder: Path) -> Path:
    """Make a repository with a remote of a course; one student has pushed a right answer, another is not there."""
    fork = BareRepository(folder / "on-time.git", "master")
    fork.create()
    fork.push({PATH: RIGHT}, "homework", DEADLINE)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "instructors.git")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "remote", "add", "origin", str(folder / "instructors.git"))
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "The course")
    git(root, "push", "--quiet", "origin", "main")
    (root / "roster.csv").write_text(
        f"student,remote\non-time,{fork.path}\nnothing-pushed,{fork.path}x\n"
    )
    return root


def outputs(path: Path) -> dict[str, object]:
    return {
        name: json.loads(value)
        for name, _, value in (line.partition("=") for line in path.read_text().splitlines())
    }


def test_the_jobs_one_after_the_other_give_points(course: Path, tmp_path: Path) -> None:
    told = tmp_path / "output"
    collected = run(course, "collect")
    assert collected.returncode == 1, "one repository is not there"
    assert "collected: 1 new pushes" in collected.stdout
    pushed = run(course, "state", "push", "--message", "pushed", GITHUB_OUTPUT=str(told))
    assert (pushed.returncode, outputs(told)["changed"]) == (0, 3), "roster, keys and a ledger"
    bundled = run(course, "bundle", "bundle", GITHUB_OUTPUT=str(told))
    assert bundled.returncode == 0, bundled.stderr
    assert (outputs(told)["tasks"], outputs(told)["shards"]) == (1, ["1/1"])
    graded = run(course, "grade-bundle", "bundle", "reports", "--shard", "1/1")
    assert "graded: 1 notebooks, 0 failed" in graded.stdout
    summary = tmp_path / "summary"
    recorded = run(course, "record", "reports", GITHUB_STEP_SUMMARY=str(summary))
    assert (
        recorded.stdout
        == "recorded: 1 reports, 0 refused, 0 notebooks still to be graded\n"
        == summary.read_text()
    )
    points = json.loads(run(course, "standings", "--json").stdout)
    assert points["on-time"]["hw"]["points"] == 2.0
    assert run(course, "bundle", "again", GITHUB_OUTPUT=str(told)).returncode == 0
    assert (outputs(told)["tasks"], outputs(told)["shards"]) == (0, [])


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which what was pushed is graded and recorded."""
    folder = tmp_path_factory.mktemp("graded")
    course = hosted(make_small_course(folder / "course").root, folder)
    for arguments in (
        ("collect",),
        ("bundle", "bundle"),
        ("grade-bundle", "bundle", "reports"),
        ("record", "reports"),
    ):
        run(course, *arguments)
    return course


@pytest.mark.parametrize(
    ("variables", "tasks"),
    [
        ({}, 0),
        ({"AUTOGRADER_FORCE": "true"}, 1),
        ({"AUTOGRADER_FORCE": "false"}, 0),
        ({"AUTOGRADER_FORCE": "", "AUTOGRADER_STUDENT": "", "AUTOGRADER_ASSIGNMENT": ""}, 0),
        (
            {
                "AUTOGRADER_FORCE": "true",
                "AUTOGRADER_STUDENT": "on-time",
                "AUTOGRADER_ASSIGNMENT": "hw",
            },
            1,
        ),
        ({"AUTOGRADER_FORCE": "true", "AUTOGRADER_STUDENT": "nothing-pushed"}, 0),
    ],
    ids=[
        "nothing",
        "force",
        "no force",
        "a schedule's empty inputs",
        "everything",
        "a student without a push",
    ],
)
def test_a_workflows_inputs_come_through_the_environment(
    graded: Path, tmp_path: Path, variables: dict[str, Any], tasks: int
) -> None:
    told = tmp_path / "output"
    done = run(graded, "bundle", str(tmp_path / "again"), GITHUB_OUTPUT=str(told), **variables)
    assert done.returncode == 0, done.stderr
    assert outputs(told)["tasks"] == tasks


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bundle", "out", "--student", "on-tme"), "did you mean 'on-time'"),
        (("bundle", "out", "--assignment", "hw1"), "did you mean 'hw'"),
        (("record", "reports", "--student", "nobody"), "no student 'nobody'"),
        (("bundle", "solutions"), "not empty"),
        (("grade-bundle", "nowhere", "reports"), "no bundle"),
        (("grade-bundle", "nowhere", "reports", "--shard", "3/2"), "like 2/5"),
        (("grade-bundle", "nowhere", "reports", "--shard", "0/2"), "like 2/5"),
        (("grade-bundle", "nowhere", "reports", "--shard", "x"), "like 2/5"),
    ],
)
def test_wrong_usage_ends_with_a_sentence_and_2(
    course: Path, arguments: tuple[Any, ...], words: str
) -> None:
    done = run(course, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("pull",), ("push",)])
def test_a_state_without_its_remote_says_gits_reason(
    course: Path, tmp_path: Path, command: tuple[str]
) -> None:
    done = run(course, "state", *command, "--remote", str(tmp_path / "nowhere.git"))
    assert done.returncode == 1
    assert done.stderr.startswith("autograder: git ls-remote")
    assert "Traceback" not in done.stderr


def test_what_was_released_is_committed_and_pushed_and_nothing_else(
    course: Path, tmp_path: Path
) -> None:
    (course / "assignments" / "hw").mkdir(parents=True)
    (course / "assignments" / "hw" / "hw.ipynb").write_text("{}")
    (course / "solutions" / "hw" / "notes.txt").write_text("not finished")
    git(course, "add", "solutions/hw/notes.txt")
    done = run(course, "commit", "assignments", "--message", "Release hw")
    assert "committed and pushed" in done.stdout, done.stderr
    assert (
        git(tmp_path / "instructors.git", "show", "--stat=200", "--format=%s", "main").splitlines()[
            0
        ]
        == "Release hw"
    )
    assert git(course, "show", "--name-only", "--format=", "HEAD") == "assignments/hw/hw.ipynb"
    assert (
        git(course, "status", "--short", "solutions", "assignments") == "A  solutions/hw/notes.txt"
    )
    again = run(course, "commit", "assignments", "--message", "Release hw")
    assert (again.returncode, again.stdout) == (0, "nothing to commit: all is as it was\n")


def test_a_commit_that_cannot_be_pushed_is_not_made_here_either(
    course: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "instructors.git"), str(other))
    git(other, "commit", "--quiet", "--allow-empty", "--message", "Somebody was faster")
    git(other, "push", "--quiet", "origin", "main")
    (course / "assignments").mkdir()
    (course / "assignments" / "x.ipynb").write_text("{}")
    head = git(course, "rev-parse", "HEAD")
    done = run(course, "commit", "assignments", "--message", "Release")
    assert done.returncode == 1 and "git push" in done.stderr
    assert git(course, "rev-parse", "HEAD") == head


def test_without_a_branch_nothing_is_committed(course: Path) -> None:
    git(course, "checkout", "--quiet", "--detach")
    done = run(course, "commit", "solutions", "--message", "x")
    assert done.returncode == 2 and "no branch is checked out" in done.stderr


def test_standings_say_what_is_not_released_and_that_nobody_is_there(course: Path) -> None:
    assert "not released yet: hw" in run(course, "standings").stdout
    (course / "roster.csv").write_text("student,remote\n")
    done = run(course, "standings")
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        "nobody is in" in done.stderr
        and "roster.csv yet; add a line for each student" in done.stderr
    )


def test_tables_of_points_are_left_out_of_every_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_bytes((REPOSITORY / ".gitignore").read_bytes())
    private = [
        "roster.csv",
        "extensions.csv",
        "links.csv",
        "moodle.csv",
        "canvas.csv",
        "points.csv",
    ]
    assert git(tmp_path, "check-ignore", *private, "solutions/hw/data.csv").split() == private


def test_an_interrupt_is_one_line_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(config: Path | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(result_commands, "open_classroom", interrupted)
    monkeypatch.setattr(sys, "argv", ["autograder", "standings"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err == "autograder: interrupted; run the same command again to go on\n"
    )


@pytest.mark.parametrize(
    ("number", "step"),
    [(errno.EROFS, "make it readable and writable"), (errno.ENOSPC, "free some")],
)
def test_a_disk_that_takes_nothing_is_one_line_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: Any, step: str
) -> None:
    def refused(config: Path | None) -> None:
        raise OSError(number, os.strerror(number), "/course/ledger/on-time.jsonl")

    monkeypatch.setattr(result_commands, "open_classroom", refused)
    monkeypatch.setattr(sys, "argv", ["autograder", "standings"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"autograder: /course/ledger/on-time.jsonl: {os.strerror(number)}; {step}"
    )
