"""A term of four weeks, walked by the workflows' own steps: real repositories, real grading, a GitHub of our own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
from fake_github import FakeGitHub, FakeRepository
from local_actions import Actions, Job, Run, evaluate, filled, git
from small_course import REPOSITORY, code, notebook, solution, text
from small_course import test as graded

from autograder.course.configuration_file import load_course
from autograder.record.ledger import Ledger

pytestmark = pytest.mark.slow

TOKEN = "token-of-the-workflow"
START = datetime(2025, 2, 3, 8, tzinfo=UTC)  # a Monday
COPIED = (
    ".github/workflows/check.yml", ".github/workflows/grade.yml", ".github/workflows/release.yml", ".gitignore",
    "LICENSE", "README.md", "docs/public-readme.md", "docs/students.md", "pyproject.toml", "requirements.lock",
    "requirements.txt",
)  # fmt: skip
CONFIG = """\
c = get_config()
c.Course.name = "A course"
c.Course.timezone = "Europe/Budapest"
c.Course.upstream = {upstream!r}
c.Course.clock = "server"
c.Course.forge = {forge!r}
c.Course.assignments = {assignments!r}
c.CourseDirectory.course_id = "term"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.ignore = ["mistakes.py", "alternatives.py", "shortcuts.py"]
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError"}}
"""
HW = {"title": "Twice", "deadline": "2025-02-16 23:59"}
HW2 = {"title": "Thrice", "deadline": "2025-03-02 23:59"}
MISTAKES = """\
from autograder.mistakes import Mistakes

mistakes = Mistakes("hw")


@mistakes.of("double", hint="Twice is not squared.")
def squared(x):
    return x * x
"""
RIGHT, WRONG, OTHERWISE = "return 2 * x", "return x * x", "return 2.0 * x"
UNFAIR, FAIR = 'assert str(double(3)) == "6"', "assert double(3) == 6"
STUDENTS = (
    "on-time", "corrected", "between-polls", "other-way", "force-pushed", "late", "back-dated", "extended", "renamed",
    "made-again", "never-forked",
)  # fmt: skip


def exercise(name: str, factor: int, hidden: str, points: float) -> dict[str, Any]:
    body = f"    ### BEGIN SOLUTION\n    return {factor} * x\n    ### END SOLUTION"
    tests = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    visible = f'@check\ndef of_nothing():\n    "{name}(0) is 0"\n    expect({name}(0) == 0, "it is something else")'
    return notebook(
        text(f"# {name}"),
        code("from autograder.checks import check, expect"),
        solution(f"def {name}(x):\n{body}", f"{name}_solution"),
        code(visible, grade_id=f"{name}_checks", locked=True),
        graded(tests, name, points),
    )


@dataclass
class Term:
    """Everybody who takes part: the instructors' office, GitHub, and its Actions."""

    folder: Path
    github: FakeGitHub
    actions: Actions
    upstream: FakeRepository
    forks: dict[str, FakeRepository] = field(default_factory=dict)
    weeks: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def office(self) -> Path:
        return self.folder / "office"

    # ------------------------------------------------------------------------------------------ what instructors do

    def configure(self, **assignments: Mapping[str, str]) -> None:
        forge = {"api": self.github.api, "web": self.github.web, "wait": 30.0}
        upstream = f"{self.github.web}/{self.upstream.name}.git"
        settings = CONFIG.format(upstream=upstream, forge=forge, assignments=assignments)
        (self.office / "grading_config.py").write_text(settings)

    def write_source(self, name: str, source: Mapping[str, Any]) -> None:
        path = self.office / "solutions" / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(source, indent=1))

    def commit(self, message: str) -> None:
        self.pull()
        git(self.office, "add", "grading_config.py", "solutions")
        git(self.office, "commit", "--quiet", "--message", message)
        git(self.office, "push", "--quiet", "origin", "main")

    def pull(self) -> None:
        git(self.office, "pull", "--quiet", "--rebase", "--autostash", "origin", "main")

    def autograder(self, *arguments: str) -> str:
        done = subprocess.run(
            [*warm_autograder.command(), *arguments],
            cwd=self.office,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def release(self, assignment: str) -> None:
        self.succeed(self.actions.run("release", "workflow_dispatch", assignment=assignment))

    # --------------------------------------------------------------------------------------------- what students do

    def at(self, day: int, hour: int = 12) -> None:
        """Move to an hour of a day, counted from the first Monday."""
        moment = START.replace(hour=hour)
        self.github.now = moment.fromordinal(moment.toordinal() + day).replace(
            hour=hour, tzinfo=UTC
        )

    def solved(self, answer: str, assignment: str = "hw", name: str = "double") -> dict[str, bytes]:
        path = f"assignments/{assignment}/{assignment}"
        released = json.loads(git(self.upstream.path, "show", f"master:{path}.ipynb"))
        for cell in released["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == f"{name}_solution":
                cell["source"] = f"def {name}(x):\n    {answer}"
        return {f"{path}_solved.ipynb": json.dumps(released).encode()}

    def push(self, student: str, answer: str, **more: str) -> None:
        self.github.push(self.forks[student], self.solved(answer, **more))

    # ------------------------------------------------------------------------------------------------ what is looked at

    def succeed(self, run: Run) -> dict[str, Job]:
        jobs = run.finish()
        assert all(job.result != "failure" for job in jobs.values()), "\n".join(
            job.log() for job in jobs.values()
        )
        return jobs

    def poll(self) -> dict[str, Job]:
        return self.succeed(self.actions.run("grade"))

    def standings(self) -> dict[str, Any]:
        self.autograder("state", "pull")
        found: dict[str, Any] = json.loads(self.autograder("standings", "--json"))
        return found

    def look(self, week: str) -> dict[str, tuple[float | None, ...]]:
        """The points of everybody in every homework, remembered for the table."""
        self.pull()
        self.weeks[week] = self.standings()
        return {
            student: tuple(hw["points"] for hw in entry.values())
            for student, entry in self.weeks[week].items()
        }

    def table(self) -> Iterator[str]:
        for week, standings in self.weeks.items():
            yield f"{week}\n"
            for student, entry in standings.items():
                for name, hw in entry.items():
                    points = "–" if hw["points"] is None else f"{hw['points']:g}"
                    yield f"  {student:14} {name:4} {points:>2} of {hw['max_points']:g}  {hw['parts'][0]['why']}\n"

    def entries(self) -> list[tuple[object, ...]]:
        """Every entry of the ledger on the branch, without when it was written."""
        ledger = Ledger(self.office / "ledger")
        found: list[tuple[object, ...]] = []
        for student in STUDENTS:
            record = ledger.read(student)
            found += [(student, push.commit, push.activity) for push in record.pushes]
            found += [(student, entry.commit, *entry.key) for entry in record.graded]
        return found


@pytest.fixture
def term(tmp_path: Path) -> Iterator[Term]:
    with FakeGitHub(tmp_path / "web", token=TOKEN, limit=1000).serving() as github:
        github.now = START
        upstream = github.create("school/course")
        instructors = tmp_path / "instructors.git"
        git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(instructors))
        actions = Actions(
            instructors,
            tmp_path / "actions",
            {"GRADING": "on"},
            {"PUBLIC_REPOSITORY_TOKEN": "x"},
            TOKEN,
        )
        term = Term(tmp_path, github, actions, upstream)
        _set_up(term)
        yield term


def _set_up(term: Term) -> None:
    """What docs/instructors.md asks for: a repository with sources and configuration, and the roster on its branch."""
    git(term.folder, "clone", "--quiet", str(term.actions.repository), str(term.office))
    for name in COPIED:
        (term.office / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, term.office / name)
    term.configure(hw=HW)
    term.write_source("hw", exercise("double", 2, f"{UNFAIR}\nassert double(21) == 42", 2))
    (term.office / "solutions" / "hw" / "mistakes.py").write_text(MISTAKES)
    git(term.office, "add", "--all", "--force", *COPIED)
    git(term.office, "checkout", "--quiet", "-b", "main")
    git(term.office, "add", "grading_config.py", "solutions")
    git(term.office, "commit", "--quiet", "--message", "The course")
    git(term.office, "push", "--quiet", "origin", "main")
    lines = [f"{student},{student}/course" for student in STUDENTS]
    (term.office / "roster.csv").write_text("student,remote\n" + "\n".join(lines) + "\n")
    term.autograder("state", "push", "--message", "Roster")


@pytest.mark.timeout(1800)
def test_a_term(term: Term, capsys: pytest.CaptureFixture[str]) -> None:
    _first_week(term)
    _second_week(term)
    _third_week(term)
    _fourth_week(term)
    _what_the_public_sees(term)
    with capsys.disabled():
        print("\n" + "".join(term.table()))


def _first_week(term: Term) -> None:
    term.release("hw")
    term.at(1)
    term.forks = {student: term.github.fork(term.upstream, student) for student in STUDENTS[:-1]}
    term.at(2)
    for student in ("on-time", "force-pushed", "renamed", "made-again"):
        term.push(student, RIGHT)
    term.push("corrected", WRONG)
    term.push("other-way", OTHERWISE)
    checked = Actions(term.forks["on-time"].path, term.folder / "fork", {}, {}, "")
    jobs = term.succeed(checked.run("check", "push"))
    assert "hw" in jobs["check"].log() and "official" in jobs["check"].log()
    term.at(6)
    jobs = term.poll()
    assert {name: job.result for name, job in jobs.items()} == dict.fromkeys(jobs, "success")
    said = jobs["collect"].said["Ask who pushed"]
    assert "collected: 6 new pushes" in said and "never-forked: no repository to be seen" in said
    assert (term.actions.pages / "index.html").exists()
    assert len(list((term.actions.pages / "p").iterdir())) == len(STUDENTS)
    points = dict.fromkeys(STUDENTS, (0.0,))
    assert term.look("week 1: the homework is out") == points | {
        student: (2.0,) for student in ("on-time", "force-pushed", "renamed", "made-again")
    }
    (result,) = Ledger(term.office / "ledger").read("corrected").graded[-1].report.exercises
    assert result.hint == "Twice is not squared."


def _second_week(term: Term) -> None:
    """A run dies while it grades, the next one makes up for it, and a job of it is started again."""
    extensions = "student,assignment,part,deadline\nextended,hw,,2025-02-23 23:59\n"
    (term.office / "extensions.csv").write_text(extensions)
    term.autograder("state", "push", "--message", "One extension")
    term.at(9)
    term.push("corrected", RIGHT)
    term.at(13, 20)
    term.push("between-polls", RIGHT)
    term.at(14, 1)  # past midnight: too late, and over the right answer
    term.github.force_push(term.forks["between-polls"], term.solved(WRONG))
    term.at(14, 6)
    died = term.actions.run("grade")
    jobs = died.finish(broken="grade-bundle")
    assert (jobs["grade"].result, jobs["record"].result) == ("failure", "success")
    waiting = term.standings()
    assert [waiting[student]["hw"]["points"] for student in ("corrected", "between-polls")] == [
        None,
        None,
    ]
    run = term.actions.run("grade")
    term.succeed(run)
    points = term.look("week 2: the deadline is over")
    once = term.entries()
    again = run.job("record")
    assert again.result == "success"
    assert (term.standings(), term.entries()) == (term.weeks["week 2: the deadline is over"], once)
    full = ("on-time", "force-pushed", "renamed", "made-again", "corrected", "between-polls")
    assert points == dict.fromkeys(STUDENTS, (0.0,)) | dict.fromkeys(full, (2.0,))


def _third_week(term: Term) -> None:
    """What comes after the deadline, a second release, and two runs at once."""
    github = term.github
    term.at(15)
    term.push("late", RIGHT)
    github.push(
        term.forks["back-dated"], term.solved(RIGHT), dated=datetime(2025, 2, 10, tzinfo=UTC)
    )
    github.force_push(term.forks["force-pushed"], term.solved(WRONG))
    github.forget(term.forks["force-pushed"])
    github.rename(term.forks["renamed"], "renamed/deep-learning")
    github.delete(term.forks["made-again"])
    term.at(16)
    term.forks["made-again"] = github.fork(term.upstream, "made-again")
    term.at(17)
    term.push("made-again", WRONG)
    term.push("extended", RIGHT)
    term.configure(hw=HW, hw2=HW2)
    term.write_source("hw2", exercise("triple", 3, "assert triple(2) == 6", 3))
    term.commit("The second homework")
    term.release("hw2")
    term.at(20)
    one, two = term.actions.run("grade"), term.actions.run("grade")
    for job in ("collect", "grade", "record", "publish"):
        for run in (one, two):
            assert run.job(job).result == "success", run.jobs[job].log()
    said = one.jobs["collect"].said["Ask who pushed"]
    assert (
        "made-again: another repository than before" in said
        and "after a deadline of hw: look at this one" in said
    )
    assert "renamed: renamed/course is called renamed/deep-learning now" in said
    points = term.look("week 3: after the deadline")
    full = (
        "on-time",
        "force-pushed",
        "renamed",
        "made-again",
        "corrected",
        "between-polls",
        "extended",
    )
    assert points == dict.fromkeys(STUDENTS, (0.0, 0.0)) | dict.fromkeys(full, (2.0, 0.0))
    assert len(term.entries()) == len(set(term.entries())), "nothing is in the ledger twice"
    states = {
        student: entry["hw"]["parts"][0]["state"] for student, entry in term.standings().items()
    }
    assert (states["late"], states["back-dated"]) == ("pushed too late", "pushed too late")
    extended = load_course(term.office / "grading_config.py")
    assert extended.extensions.exists() and states["extended"] == "graded"


def _fourth_week(term: Term) -> None:
    """A hidden test is repaired, solutions are published, and a notebook whose fork is gone is graded again."""
    term.at(22)
    for student in ("on-time", "renamed"):
        term.push(student, "return 3 * x", assignment="hw2", name="triple")
    term.write_source("hw", exercise("double", 2, f"{FAIR}\nassert double(21) == 42", 2))
    term.configure(hw=HW | {"solutions": "2025-02-24 12:00"}, hw2=HW2)
    term.commit("Twice may be a float")
    term.release("")
    term.at(27)
    term.poll()
    points = term.look("week 4: a test was repaired")
    full = ("force-pushed", "made-again", "corrected", "between-polls", "extended", "other-way")
    assert points == dict.fromkeys(STUDENTS, (0.0, 0.0)) | dict.fromkeys(full, (2.0, 0.0)) | {
        "on-time": (2.0, 3.0), "renamed": (2.0, 3.0),
    }  # fmt: skip
    exams = {
        entry.report.exam for entry in Ledger(term.office / "ledger").read("made-again").graded
    }
    assert len(exams) == 2, "its first notebook, from the fork that is gone, was graded again"
    tip = git(term.actions.repository, "rev-parse", "state")
    assert {asked.headers["Authorization"] for asked in term.github.asked} == {f"Bearer {TOKEN}"}
    term.github.asked.clear()
    jobs = term.poll()
    assert sorted(asked.path for asked in term.github.asked) == [
        "/repos/never-forked/course", "/repos/school/course/forks",
    ]  # fmt: skip
    assert [jobs[name].result for name in ("grade", "record", "publish")] == ["skipped"] * 3
    assert git(term.actions.repository, "rev-parse", "state") == tip, (
        "a poll without news leaves no trace"
    )


def _what_the_public_sees(term: Term) -> None:
    log = git(term.upstream.path, "log", "--format=%H %P", "master").splitlines()
    assert len(log) == 3 and all(len(line.split()) <= 2 for line in log), (
        "one commit on top of the other"
    )
    for number, line in enumerate(log):
        files = git(
            term.upstream.path, "ls-tree", "-r", "--name-only", line.split()[0]
        ).splitlines()
        assert ("assignments/hw/hw_solution.ipynb" in files) == (number == 0)
        assert not {"roster.csv", "keys.json", "extensions.csv"} & set(files)
        assert not [path for path in files if path.startswith(("solutions/", "ledger/"))]
    for grading in (term.folder / "actions").glob("run-*/grade-*"):
        seen = [path for path in (grading / "work" / "bundle").rglob("*") if path.is_file()]
        travelled = b"".join(
            path.read_bytes() for path in seen if "course" not in path.relative_to(grading).parts
        )
        assert travelled and not [student for student in STUDENTS if student.encode() in travelled]
        assert not [path for path in seen if path.name in {"roster.csv", "keys.json"}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("vars.GRADING == 'on'", True),
        ("${{ !cancelled() && fromJSON(steps.a.outputs.tasks || '0') > 0 }}", True),
        ("${{ !cancelled() && fromJSON(steps.b.outputs.tasks || '0') > 0 }}", False),
        ("needs.x.outputs.site != ''", False),
        ("${{ fromJSON(steps.a.outputs.shards) }}", ["1/2", "2/2"]),
        ("github.event_name == 'push' || vars.GRADING", "on"),
    ],
)
def test_expressions_of_actions_mean_what_they_mean_there(
    expression: str, value: bool | list[str] | str
) -> None:
    context = {
        "vars": {"GRADING": "on"},
        "steps": {"a": {"outputs": {"tasks": "3", "shards": '["1/2", "2/2"]'}}},
        "needs": {},
        "github": {"event_name": "schedule"},
    }
    assert evaluate(expression, context) == value


def test_values_are_filled_in() -> None:
    assert (
        filled("reports-${{ strategy.job-index }}", {"strategy": {"job-index": 2}}) == "reports-2"
    )
    assert filled(False, {}) is False
