"""Work that lies elsewhere: real repositories in the states that students bring, collected, graded and told of."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from small_course import CONFIG, SmallCourse, code, dump, solution, test, text

from autograder.classroom.classroom import Classroom
from autograder.collecting.notebook_sightings import Sightings
from autograder.course.reports import Report
from autograder.course.submissions import Clock, NotebookFile, Push
from autograder.git.pushed_trees import PushedTree, TreeFile
from autograder.record.standings import PartState, Standing, decided_sum

pytestmark = pytest.mark.slow  # hundreds of git

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
AFTER = datetime(2027, 4, 1, 12, tzinfo=UTC)
IMPORTS = "import math\n\nimport numpy as np"
ASK = "Why is twice one two? Answer in your own words."
STUB = "def double(x):\n    raise NotImplementedError\n"
RIGHT = "def double(x):\n    return x + x\n"
OTHER_STUB = "def triple(x):\n    raise NotImplementedError\n"
FOLDER, SOLVED = "assignments/hw", "assignments/hw/hw_solved.ipynb"
ORIGINAL = "assignments/hw/hw.ipynb"


def given(answer: str = STUB, *, ids: bool = True, extra: str = "") -> bytes:
    """The homework as it is given out, with an answer."""
    exercise = solution(answer) if ids else code(answer)
    check = test("assert double(1) == 2", "double") if ids else code("assert double(1) == 2")
    return dump(
        [
            text("# Homework"),
            code(IMPORTS),
            text(ASK),
            exercise,
            check,
            *([code(extra)] if extra else []),
        ]
    )


def another(answer: str = "def triple(x):\n    return 3 * x\n") -> bytes:
    """The next homework, with an answer."""
    return dump(
        [text("# Next"), code(IMPORTS), solution(answer, "triple_solution"), test("", "triple", 3)]
    )


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    small = SmallCourse(tmp_path / "course")
    answer = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n"
    hidden = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"
    small.write(text("# Homework"), code(IMPORTS), text(ASK), solution(answer), test(hidden))
    other = small.root / "solutions" / "next" / "next.ipynb"
    other.parent.mkdir()
    cells = [
        text("# Next"),
        code(IMPORTS),
        solution(answer.replace("double", "triple").replace("2 *", "3 *"), "triple_solution"),
    ]
    other.write_bytes(dump([*cells, test("assert triple(1) == 3", "triple", 3)]))
    entries = '{"hw": {"deadline": "2027-03-06 23:59"}, "next": {"deadline": "2027-03-20 23:59"}}'
    small.config.write_text(
        f"{CONFIG}c.Course.assignments = {entries}\nc.Course.branch = 'master'\n"
    )
    for name, content in (("hw", given()), ("next", another(OTHER_STUB))):
        release = small.root / "assignments" / name / f"{name}.ipynb"
        release.parent.mkdir(parents=True)
        release.write_bytes(content)
    return small


class Clone:
    """A student's clone with the course in it, and the fork it pushes to."""

    def __init__(self, folder: Path) -> None:
        self.fork, self.folder = folder / "fork.git", folder / "clone"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=master", str(self.fork))
        git(folder, "init", "--quiet", "--initial-branch=master", str(self.folder))
        self.write(ORIGINAL, given())
        self.write("assignments/next/next.ipynb", another(OTHER_STUB))
        self.push()

    def write(self, path: str, content: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def push(self, branch: str = "master") -> None:
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", "work")
        git(self.folder, "push", "--quiet", str(self.fork), f"HEAD:refs/heads/{branch}")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "protocol.file.allow=always")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, env=environment
    )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def collected(
    course: SmallCourse, clone: Clone, find: str = "place", now: datetime = NOW
) -> tuple[Classroom, str]:
    """Collect; return the class, and what the run says."""
    (course.root / "roster.csv").write_text(f"student,remote\nsomebody,{clone.fork}\n")
    loaded = Classroom.open(course.config).course
    classroom = Classroom(replace(loaded, find=find))
    notes = [note for done in classroom.collect(lambda: now) for note in (*done.notes, done.error)]
    return classroom, "\n".join(notes)


def graded(classroom: Classroom) -> None:
    """Grade what is to be graded."""
    done = list(classroom.grade(classroom.open_tasks()))
    assert [finished.error for finished in done if finished.error] == []


def to_be_graded(classroom: Classroom, name: str = "hw") -> set[str]:
    """The functions in the notebooks that will be graded: everybody's answers here differ in them."""
    tasks = [task for task in classroom.open_tasks() if task.assignment == name]
    return {_answer(classroom, task.file.blob) for task in tasks}


def _answer(classroom: Classroom, blob: str) -> str:
    store = classroom.course.forks / "somebody.git"
    found = subprocess.run(
        ["git", f"--git-dir={store}", "cat-file", "blob", blob], capture_output=True, check=True
    )
    cells = json.loads(found.stdout)["cells"]
    return next((cell["source"] for cell in cells if cell["source"].startswith("def ")), "")


def standing(classroom: Classroom, name: str = "hw") -> Standing:
    return classroom.standings()["somebody"][name]


def told(standing: Standing) -> str:
    return "\n".join([*standing.problems, *(part.why for part in standing.parts)])


NAMES = {
    "a copy of Colab": "Copy of hw.ipynb",
    "the same beside it": f"{FOLDER}/Copy of hw.ipynb",
    "in capitals": f"{FOLDER}/HW_solved.ipynb",
    "a browser's second download": f"{FOLDER}/hw_solved (1).ipynb",
    "final": f"{FOLDER}/hw_final.ipynb",
    "an own name appended": f"{FOLDER}/hw_solved_somebody.ipynb",
    "another name altogether": "homework/week 1/my work.ipynb",
    "another folder": "hw/hw_solved.ipynb",
    "a clone in the clone": f"DeepLearningCourse/{SOLVED}",
    "a text file": f"{FOLDER}/hw_solved.ipynb.txt",
    "saved as JSON": f"{FOLDER}/hw_solved.json",
    "no ending": f"{FOLDER}/hw_solved",
    "letters of another kind": f"{FOLDER}/Копия hw_решение.ipynb",
    "accents": "házi feladat/első.ipynb",
    "at the place of another homework": "assignments/next/next_solved.ipynb",
    "an automatic backup alone": f"{FOLDER}/.ipynb_checkpoints/hw_solved-checkpoint.ipynb",
}


@pytest.mark.parametrize("stub", [False, True], ids=["alone", "beside a stub copy"])
@pytest.mark.parametrize("path", NAMES.values(), ids=NAMES)
def test_a_notebook_is_known_by_its_cells_and_not_by_its_name(
    course: SmallCourse, clone: Clone, path: str, stub: bool
) -> None:
    clone.write(path, given(RIGHT))
    if stub:
        clone.write(SOLVED, given())
    clone.push()
    classroom, said = collected(course, clone)
    entry = standing(classroom)
    assert (entry.parts[0].state, decided_sum(entry, NOW), decided_sum(entry, AFTER)) == (
        PartState.NOT_BEGUN,
        None,
        0.0,
    )
    assert path in told(entry) and SOLVED.rpartition("/")[2] in told(entry)
    assert path in said and said.startswith("somebody, hw: ")
    assert to_be_graded(classroom) == set()
    anywhere = Classroom(replace(classroom.course, find="anywhere"))
    assert to_be_graded(anywhere) == {RIGHT}
    entry = standing(anywhere)
    assert (
        entry.parts[0].state is PartState.WAITING
        and path in told(entry)
        and "move it there" in told(entry)
    )


def class_of(
    course: SmallCourse, folder: Path, pushed: list[dict[str, bytes]], find: str = "place"
) -> Classroom:
    """Return a class, graded, in which each student has pushed these files."""
    lines = ["student,remote"]
    for number, files in enumerate(pushed):
        (folder / f"{number}").mkdir()
        clone = Clone(folder / f"{number}")
        for path, content in files.items():
            clone.write(path, content)
        clone.push()
        lines.append(f"student-{number},{clone.fork}")
    (course.root / "roster.csv").write_text("\n".join(lines))
    classroom = Classroom(replace(Classroom.open(course.config).course, find=find))
    assert [done.error for done in classroom.collect(lambda: NOW) if done.error] == []
    graded(classroom)
    return classroom


@pytest.mark.slow
def test_everybodys_work_is_graded_wherever_it_lies(course: SmallCourse, tmp_path: Path) -> None:
    """The same as one class, to its points."""
    pushed = [
        {path: given(RIGHT, extra=f"{n}"), SOLVED: given()} for n, path in enumerate(NAMES.values())
    ]
    classroom = class_of(course, tmp_path, pushed, "anywhere")
    assert {mine["hw"].points for mine in classroom.standings().values()} == {2.0}
    places = {report.notebook for report in _reports(classroom) if report.assignment == "hw"}
    assert places == {SOLVED}, "nobody's path is in anybody's report"
    states = {
        student: mine["next"].parts[0].state for student, mine in classroom.standings().items()
    }
    assert set(states.values()) == {PartState.NOT_BEGUN}, (
        "also for who has put another homework there"
    )


def _reports(classroom: Classroom) -> Iterator[Report]:
    for record in classroom.records().values():
        yield from (entry.report for entry in record.graded)


@pytest.mark.slow
def test_moved_to_its_place_after_the_deadline_it_counts_from_its_first_push(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write(f"{FOLDER}/Copy of hw.ipynb", given(RIGHT))
    clone.push()
    collected(course, clone)
    (clone.folder / FOLDER / "Copy of hw.ipynb").rename(clone.folder / SOLVED)
    clone.push()
    classroom, said = collected(course, clone, now=AFTER)
    graded(classroom)
    entry = standing(classroom)
    assert (entry.parts[0].state, entry.points, said) == (PartState.GRADED, 2.0, "")
    assert "when the same file was first pushed" in told(entry)


BRANCHES = {
    "main": "main",
    "a branch of one's own": "homework/1",
    "a name in letters of another kind": "házi",
}


@pytest.mark.parametrize("name", BRANCHES.values(), ids=BRANCHES)
@pytest.mark.parametrize("graded_is_there", [True, False], ids=["beside master", "alone"])
def test_answers_on_another_branch_are_seen(
    course: SmallCourse, clone: Clone, name: str, graded_is_there: bool
) -> None:
    clone.write(SOLVED, given(RIGHT))
    clone.push(name)
    if not graded_is_there:
        git(clone.fork, "update-ref", "-d", "refs/heads/master")
    classroom, said = collected(course, clone)
    entry = standing(classroom)
    assert decided_sum(entry, NOW) is None and f"on the branch {name}" in told(entry)
    assert f"somebody, hw: Your answers are on the branch {name}" in said
    again, said = collected(course, clone, "anywhere")
    assert (to_be_graded(again), said) == ({RIGHT}, ""), (
        "nothing new is pushed, so nothing is told again"
    )
    assert f"{SOLVED} on the branch {name} is graded all the same" in told(standing(again))
    if graded_is_there:
        clone.push()
        again, said = collected(course, clone, now=AFTER)
        assert (to_be_graded(again), said) == ({RIGHT}, ""), "merged unchanged after the deadline"
        assert standing(again).parts[0].state is PartState.WAITING


def test_a_branch_with_nothing_that_is_missing_is_not_recorded(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write(SOLVED, given(RIGHT))
    clone.push()
    clone.write("notes.md", b"on my branch")
    clone.push("notes")
    classroom, said = collected(course, clone)
    assert (to_be_graded(classroom), said) == ({RIGHT}, "")
    assert classroom.records()["somebody"].aside == ()


LINKS = {
    "to a file in the repository": ("../../work/mine.ipynb", True),
    "over another link": ("../../work/link.ipynb", True),
    "to a file outside of it": ("../../../elsewhere/hw.ipynb", False),
    "to an absolute path": ("/home/somebody/hw.ipynb", False),
    "to nothing": ("nothing.ipynb", False),
    "in a circle": ("hw_solved.ipynb", False),
}


@pytest.mark.parametrize(("target", "is_there"), LINKS.values(), ids=LINKS)
def test_a_link_is_followed_within_the_repository_and_told_of_otherwise(
    course: SmallCourse, clone: Clone, target: str, is_there: bool
) -> None:
    clone.write("work/mine.ipynb", given(RIGHT if is_there else STUB))
    (clone.folder / "work" / "link.ipynb").symlink_to("mine.ipynb")
    (clone.folder / SOLVED).symlink_to(target)
    clone.push()
    classroom, said = collected(course, clone)
    entry = standing(classroom)
    if is_there:
        assert (to_be_graded(classroom), entry.problems, said) == ({RIGHT}, (), "")
    else:
        assert decided_sum(entry, NOW) is None
        assert f"{SOLVED} is a link to {target}, and what it leads to was not pushed" in told(entry)
        assert "is a link to" in said


def test_a_linked_folder_is_found_by_what_it_holds(course: SmallCourse, clone: Clone) -> None:
    clone.write("work/hw_solved.ipynb", given(RIGHT))
    (clone.folder / ORIGINAL).unlink()
    (clone.folder / FOLDER).rmdir()
    (clone.folder / FOLDER).symlink_to("../work")
    clone.push()
    assert "Your answers are in work/hw_solved.ipynb. It is not graded where it lies" in told(
        standing(collected(course, clone)[0])
    )


def test_a_repository_within_the_repository_was_not_pushed(
    course: SmallCourse, clone: Clone, tmp_path: Path
) -> None:
    git(clone.folder, "clone", "--quiet", str(clone.fork), "DeepLearningCourse")
    (clone.folder / "DeepLearningCourse" / SOLVED).write_bytes(given(RIGHT))
    clone.push()
    classroom, said = collected(course, clone)
    assert "DeepLearningCourse is a git repository within yours" in told(standing(classroom))
    assert "DeepLearningCourse is a git repository within yours" in said


def test_a_submodule_beside_work_in_place_raises_no_alarm(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write(SOLVED, given(RIGHT))
    git(clone.folder, "submodule", "--quiet", "add", str(clone.fork), "library")
    clone.push()
    classroom, said = collected(course, clone)
    standings = told(standing(classroom, "next"))
    assert to_be_graded(classroom) == {RIGHT} and "library" not in standings
    assert "library" not in told(standing(classroom)) + said


def test_a_submodule_alone_was_not_pushed(course: SmallCourse, clone: Clone) -> None:
    git(clone.folder, "submodule", "--quiet", "add", str(clone.fork), "work")
    clone.push()
    assert "work is a git repository within yours" in told(standing(collected(course, clone)[0]))


COPIES: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "the same bytes": lambda: (given(RIGHT), given(RIGHT)),
    "an older state": lambda: (given(RIGHT), given("def double(x):\n    return x * x\n")),
    "the stub": lambda: (given(RIGHT), given()),
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize(
    "path", ["hw_solved.ipynb", f"{FOLDER}/hw_solved (1).ipynb", f"{FOLDER}/hw_final.ipynb"]
)
def test_a_copy_of_a_file_that_is_graded_raises_no_alarm(
    course: SmallCourse, clone: Clone, make: Callable[..., Any], path: str
) -> None:
    graded, copy = make()
    clone.write(SOLVED, graded)
    clone.write(path, copy)
    clone.push()
    classroom, said = collected(course, clone)
    assert (to_be_graded(classroom), standing(classroom).problems, said) == ({RIGHT}, (), "")


def test_later_homework_that_lies_in_the_fork_unchanged_is_not_begun(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write(SOLVED, given(RIGHT))
    clone.push()
    classroom, said = collected(course, clone)
    entry = standing(classroom, "next")
    assert (entry.parts[0].state, decided_sum(entry, NOW), decided_sum(entry, AFTER)) == (
        PartState.NOT_BEGUN,
        None,
        0.0,
    )
    assert said == ""
    assert {task.assignment for task in classroom.open_tasks()} == {"hw"}, (
        "what is not begun is not even run"
    )


UNBEGUN = {
    "as it is given out": given(),
    "run, with outputs": given().replace(
        b'"outputs": []', b'"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]'
    ),
    "with a line of one's own": given(extra="print('hello')"),
    "the stub of an older release": given(
        'def double(x):\n    """Return 2x."""\n    # here\n    raise NotImplementedError()\n'
    ),
    "without ids": given(ids=False),
    "without any cell": dump([]),
    "without the exercise": dump([text("# Homework"), code(IMPORTS)]),
}


@pytest.mark.slow
def test_a_copy_without_an_attempt_is_not_begun(course: SmallCourse, tmp_path: Path) -> None:
    classroom = class_of(course, tmp_path, [{SOLVED: content} for content in UNBEGUN.values()])
    for kind, mine in zip(UNBEGUN, classroom.standings().values(), strict=True):
        entry = mine["hw"]
        points = decided_sum(entry, NOW), decided_sum(entry, AFTER)
        assert (entry.parts[0].state, points) == (PartState.NOT_BEGUN, (None, 0.0)), kind


BEGUN = {
    "a wrong answer": given("def double(x):\n    return None\n"),
    "below the stub": given("def double(x):\n    raise NotImplementedError\n    return 2 * x\n"),
    "an unfinished line": given("def double(x):\n    return (2 *\n"),
    "without ids": given("def double(x):\n    return 3 * x\n", ids=False),
    "no notebook at all": b"<!doctype html><html></html>",
}


@pytest.mark.slow
def test_an_attempt_is_graded_even_if_it_gives_nothing(course: SmallCourse, tmp_path: Path) -> None:
    classroom = class_of(course, tmp_path, [{SOLVED: content} for content in BEGUN.values()])
    for kind, mine in zip(BEGUN, classroom.standings().values(), strict=True):
        assert (mine["hw"].parts[0].state, mine["hw"].points) == (PartState.GRADED, 0.0), kind


def test_a_notebook_without_ids_is_known_by_its_functions(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write("work.ipynb", given(RIGHT, ids=False))
    clone.push()
    classroom, said = collected(course, clone)
    assert "work.ipynb" in said and "work.ipynb" in told(standing(classroom))


def test_the_courses_own_notebooks_are_nobodys_answers(course: SmallCourse, clone: Clone) -> None:
    clone.write(f"{FOLDER}/hw_solution.ipynb", given("def double(x):\n    return 2 * x\n"))
    clone.write(
        "demonotebooks/demo.ipynb", dump([code(IMPORTS), code("def single(x):\n    return x")])
    )
    clone.push()
    classroom, said = collected(course, clone, "anywhere")
    assert (standing(classroom).parts[0].state, said) == (PartState.NOT_BEGUN, "")


@pytest.mark.slow
def test_a_notebook_that_is_too_large_to_be_looked_at_is_graded_as_ever(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write(SOLVED, given(RIGHT))
    clone.push()
    (course.root / "roster.csv").write_text(f"student,remote\nsomebody,{clone.fork}\n")
    classroom = Classroom(replace(Classroom.open(course.config).course, notebook_mb=0.0005))
    list(classroom.collect(lambda: NOW))
    (file,) = [
        file for file in classroom.records()["somebody"].pushes[-1].notebooks if file.path == SOLVED
    ]
    assert (file.holds, file.written, file.changed) == (None, (), True)
    graded(classroom)
    assert "MB, more than" in told(standing(classroom))


def test_what_a_hostile_fork_names_is_printable_and_harmless(
    course: SmallCourse, clone: Clone
) -> None:
    clone.write(f"{FOLDER}/\x1b[31m$(reboot)`x`.ipynb", given(RIGHT))
    clone.push()
    git(clone.folder, "push", "--quiet", str(clone.fork), "HEAD:refs/heads/$(reboot)")
    classroom, said = collected(course, clone)
    assert "\x1b" not in said + told(standing(classroom)) and "git push" not in said


class Store:
    """Stands for a fork's store; says what was read of it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.read = files, []

    def tree(self, commit: str) -> PushedTree:
        return PushedTree(
            tuple(TreeFile(path, path, len(content)) for path, content in self.files.items()), ()
        )

    def read_blobs(self, blobs: list[str]) -> Iterator[tuple[str, bytes]]:
        self.read += blobs
        yield from ((blob, self.files[blob]) for blob in blobs)


def test_a_push_without_end_is_looked_at_to_a_limit_and_once(
    course: SmallCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.collecting.notebook_sightings.MAX_LOOK_MB", 1)
    answered = given(RIGHT)
    files = {SOLVED: answered, "deep.ipynb": b"[" * 100_000, "large.ipynb": b" " * 3_000_000}
    files |= {f"padded-{number}.ipynb": answered + b" " * 400_000 for number in range(9)}
    store = Store(files)
    sightings = Sightings(Classroom.open(course.config).exams.values(), 2.0)
    notebooks = tuple(NotebookFile(path, path, len(content)) for path, content in files.items())
    push = Push("somebody", "commit", "master", NOW, Clock.FIRST_SEEN, notebooks)
    seen = {file.path: file for file in sightings.look_at(store, push).notebooks}  # type: ignore[arg-type]
    assert (seen[SOLVED].holds, seen["deep.ipynb"].holds, seen["large.ipynb"].holds) == (
        "hw",
        "",
        None,
    )
    assert sum(len(files[blob]) for blob in store.read) <= 1_000_000
    read = list(store.read)
    store.files = {path: files[path] for path in (SOLVED, "deep.ipynb")}
    sightings.look_at(store, replace(push, notebooks=notebooks[:2]))  # type: ignore[arg-type]
    assert store.read == read, "what was seen once is known"
