import json
import os
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_course import CONFIG

from autograder.course.configuration import Course, ForgeOptions
from autograder.course.configuration_file import load_course
from autograder.course.errors import AutograderError, GitFailed, UsageError
from autograder.course.reports import ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.forge.forge_protocol import open_forge
from autograder.git.student_stores import Fork
from autograder.record.ledger import Ledger
from autograder.record.page_keys import PageKeys
from autograder.record.state_branch import StateBranch
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = pytest.mark.slow

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ROSTER = "student,remote\non-time,/forks/on-time.git\nlate,/forks/late.git\n"
HOMEWORK = "assignments/hw/hw_solved.ipynb"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    bare = tmp_path / "instructors.git"
    BareRepository(bare, "main").create()
    return bare


def machine(tmp_path: Path, remote: Path, name: str, roster: str = "") -> StateBranch:
    """A checkout on a machine of its own."""
    root = tmp_path / name
    root.mkdir()
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", str(remote))
    (root / "grading_config.py").write_text(CONFIG)
    if roster:
        (root / "roster.csv").write_text(roster)
    return StateBranch(load_course(root / "grading_config.py"))


def push(
    student: str, commit: str, hours: float, blob: str = "", clock: Clock = Clock.FIRST_SEEN
) -> Push:
    notebooks = (NotebookFile(HOMEWORK, blob, 9),) if blob else ()
    return Push(student, commit * 40, "master", NOON + timedelta(hours=hours), clock, notebooks)


def report(points: float, exam: str = "exam") -> Report:
    return Report(
        "hw", HOMEWORK, "graded", (ExerciseResult("e", "", points, 2.0, Status.PARTIAL),), exam=exam
    )


def ledger(state: StateBranch) -> Ledger:
    return Ledger(state.course.ledger)


def files(course: Course) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(course.ledger.iterdir())}


@pytest.fixture
def begun(tmp_path: Path, remote: Path) -> StateBranch:
    """A course whose state is on its branch."""
    state = machine(tmp_path, remote, "office", ROSTER)
    ledger(state).add_push(push("on-time", "a", 0))
    state.push("The beginning")
    return state


def test_the_state_goes_to_its_branch_and_comes_to_another_machine(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    other = machine(tmp_path, remote, "runner")
    assert other.pull() == ["roster.csv", "keys.json", "ledger/on-time.jsonl"]
    assert other.course.roster.read_text() == ROSTER
    assert ledger(other).read("on-time") == ledger(begun).read("on-time")
    assert oct(other.course.keys.stat().st_mode)[-3:] == "600"
    assert git(remote, "ls-tree", "-r", "--name-only", "state").splitlines() == [
        "keys.json", "ledger/on-time.jsonl", "roster.csv",
    ]  # fmt: skip


def test_without_a_branch_there_is_nothing_to_pull(tmp_path: Path, remote: Path) -> None:
    assert machine(tmp_path, remote, "office").pull() == []


def test_nothing_new_makes_no_commit(tmp_path: Path, remote: Path, begun: StateBranch) -> None:
    tip = git(remote, "rev-parse", "state")
    assert begun.pull() == []
    assert begun.push("Again") == []
    assert git(remote, "rev-parse", "state") == tip


def test_two_runs_at_once_end_with_the_same_record(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    runs = [machine(tmp_path, remote, name) for name in ("one", "two")]
    for run in runs:
        run.pull()
    for number, run in enumerate(runs):
        ledger(run).add_push(
            push("on-time", "b", 1 + number)
        )  # both saw the same push, one of them later
        ledger(run).add_report(
            "on-time", "b" * 40, "x" * 40, report(1.0), NOON + timedelta(hours=number)
        )
        ledger(run).add_push(push("late", str(number), 2))
    for run in runs:
        run.push("A run")
    for run in runs:
        run.pull()
    assert files(runs[0].course) == files(runs[1].course)
    first, second = (ledger(runs[0]).read(name) for name in ("on-time", "late"))
    assert [(entry.commit[0], entry.time) for entry in first.pushes] == [
        ("a", NOON),
        ("b", NOON + timedelta(hours=1)),
    ]
    assert len(first.graded) == 1
    assert {entry.commit[0] for entry in second.pushes} == {"0", "1"}


def test_pushes_that_outrun_each_other_all_arrive(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    runs = [machine(tmp_path, remote, f"run-{number}") for number in range(4)]
    failed: list[Exception] = []

    def work(number: int, run: StateBranch) -> None:
        try:
            run.pull()
            ledger(run).add_push(push("late", str(number), number))
            run.push(f"Run {number}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    begun.pull()
    assert [entry.commit[0] for entry in ledger(begun).read("late").pushes] == ["0", "1", "2", "3"]
    assert git(remote, "log", "--format=%s", "state").count("Run") == 4, "each on top of the others"


def test_a_run_that_died_before_its_push_is_made_up_for_by_the_next(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    dead = machine(tmp_path, remote, "dead")
    dead.pull()
    ledger(dead).add_push(push("on-time", "b", 1))
    again = machine(tmp_path, remote, "again")
    again.pull()
    ledger(again).add_push(push("on-time", "b", 2))
    again.push("The next run")
    dead.push("Back from the dead")
    again.pull()
    assert [entry.commit[0] for entry in ledger(again).read("on-time").pushes] == ["a", "b"]


def test_what_is_only_here_survives_a_pull(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    other = machine(tmp_path, remote, "other")
    other.pull()
    ledger(other).add_push(push("late", "b", 1))
    other.push("Elsewhere")
    ledger(begun).add_push(push("on-time", "c", 2))
    assert begun.pull() == ["ledger/late.jsonl"]
    assert [entry.commit[0] for entry in ledger(begun).read("on-time").pushes] == ["a", "c"]


def test_a_roster_edited_on_the_branch_arrives_and_one_edited_here_leaves(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    other = machine(tmp_path, remote, "other")
    other.pull()
    other.course.roster.write_text(ROSTER + "squared,/forks/squared.git\n")
    (other.course.extensions).write_text(
        "student,assignment,part,deadline\non-time,hw,,2027-03-10 23:59\n"
    )
    assert other.push("One more") == ["extensions.csv", "keys.json", "roster.csv"]
    begun.pull()
    assert "squared" in begun.course.roster.read_text()
    assert begun.course.extensions.exists()


def test_a_roster_edited_on_both_sides_is_for_a_person_and_nothing_is_lost(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    other = machine(tmp_path, remote, "other")
    other.pull()
    for state, name in ((other, "squared"), (begun, "new")):
        state.course.roster.write_text(f"{ROSTER}{name},/forks/{name}.git\n")
    other.push("squared")
    with pytest.raises(AutograderError, match=r"roster\.csv was changed here and on the branch"):
        begun.pull()
    assert "new" in begun.course.roster.read_text()


def test_everybody_has_a_page_key_before_pages_are_made(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    other = machine(tmp_path, remote, "other")
    other.pull()
    assert {PageKeys(other.course.keys).key_of(name).page for name in ("on-time", "late")} == {
        PageKeys(begun.course.keys).key_of(name).page for name in ("on-time", "late")
    }


def test_homework_that_was_pushed_is_kept_and_nothing_else_is(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    fork = Fork(Student("late", ""), begun.course.forks / "late.git", "master")
    blobs = {
        path: fork.keep(path.encode())
        for path in (HOMEWORK, "diary.ipynb", "assignments/hw/other.ipynb")
    }
    pushed = Push(
        "late",
        "b" * 40,
        "master",
        NOON,
        Clock.FIRST_SEEN,
        tuple(NotebookFile(*f, 9) for f in blobs.items()),
    )
    ledger(begun).add_push(pushed)
    begun.push("late pushed")
    assert git(remote, "ls-tree", "--name-only", "state-notebooks") == f"{blobs[HOMEWORK]}.ipynb"
    other = machine(tmp_path, remote, "other")
    other.pull()
    assert other.notebook(blobs[HOMEWORK]) == HOMEWORK.encode()
    assert other.notebook(blobs["diary.ipynb"]) is None


def test_each_run_adds_only_its_own_notebooks_and_all_can_be_had(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    fork = Fork(Student("late", ""), begun.course.forks / "late.git", "master")
    blobs = [fork.keep(b"%d" % number) for number in range(3)]
    for number, blob in enumerate(blobs):
        ledger(begun).add_push(push("late", str(number), number, blob))
        begun.push(f"push {number}")
    assert git(remote, "ls-tree", "--name-only", "state-notebooks") == f"{blobs[2]}.ipynb"
    other = machine(tmp_path, remote, "other")
    assert [other.notebook(blob) for blob in blobs] == [b"0", b"1", b"2"]


@pytest.mark.parametrize("blob", ["f" * 40, "HEAD", "--help", ""])
def test_a_notebook_that_was_never_kept_is_none(begun: StateBranch, blob: str) -> None:
    assert begun.notebook(blob) is None


def test_too_large_a_notebook_is_not_kept(remote: Path, begun: StateBranch) -> None:
    fork = Fork(Student("late", ""), begun.course.forks / "late.git", "master")
    large = NotebookFile(HOMEWORK, fork.keep(b"large"), 30_000_000)
    ledger(begun).add_push(Push("late", "b" * 40, "master", NOON, Clock.FIRST_SEEN, (large,)))
    begun.push("large")
    assert "state-notebooks" not in git(remote, "branch", "--list")


def test_foreign_files_on_the_branch_stay_there_and_do_not_come_here(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    office = begun.course.root
    tree = git(office, "ls-tree", "-r", "refs/autograder/base")
    note = (
        subprocess.run(
            ["git", "hash-object", "-w", "--stdin"],
            cwd=office,
            input=b"x",
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )
    index = {**os.environ, "GIT_INDEX_FILE": str(tmp_path / "index")}
    lines = f"{tree}\n100644 blob {note}\tREADME.md\n100644 blob {note}\tledger/.evil.jsonl\n"
    subprocess.run(
        ["git", "update-index", "--index-info"],
        cwd=office,
        env=index,
        input=lines.encode(),
        check=True,
    )
    made = subprocess.run(
        ["git", "write-tree"], cwd=office, env=index, capture_output=True, check=True
    )
    commit = git(
        office, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", made.stdout.decode().strip(),
        "-p", "refs/autograder/base", "-m", "by hand",
    )  # fmt: skip
    git(office, "push", "--quiet", "origin", f"{commit}:refs/heads/state")
    other = machine(tmp_path, remote, "other")
    assert "README.md" not in other.pull()
    assert list(other.course.ledger.iterdir()) == [other.course.ledger / "on-time.jsonl"]
    ledger(other).add_push(push("late", "b", 1))
    other.push("A run")
    assert "README.md" in git(remote, "ls-tree", "-r", "--name-only", "state")


def test_outside_of_a_repository_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grading_config.py").write_text(CONFIG)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="in no git repository"):
        StateBranch(load_course(tmp_path / "grading_config.py")).pull()


def test_a_remote_that_refuses_fails_with_gits_reason(
    tmp_path: Path, remote: Path, begun: StateBranch
) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ledger(begun).add_push(push("on-time", "b", 1))
    with pytest.raises(GitFailed, match="push"):
        begun.push("refused")
    assert len(ledger(begun).read("on-time").pushes) == 2, "what is here stays here"


def test_the_token_is_for_git_at_the_forge_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    given = dict(open_forge(ForgeOptions()).make_credentials())
    assert given["GIT_CONFIG_KEY_0"] == "http.https://github.com/.extraheader"
    assert "secret" not in json.dumps(given), "as GitHub wants it, in base 64"
    assert open_forge(ForgeOptions(web="http://github.com")).make_credentials() == ()
    monkeypatch.delenv("GITHUB_TOKEN")
    assert open_forge(ForgeOptions()).make_credentials() == ()
