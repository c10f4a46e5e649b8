"""What a course is: its options with their meaning. `configuration_file` reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.course.errors import ConfigError
from autograder.course.exam import Exam, read_exam
from autograder.course.limits import Limits
from autograder.course.names import (
    BETWEEN,
    label_notebook,
    name_assignment,
    name_formerly,
    name_notebook,
)
from autograder.course.nearest_names import say_nearest_name
from autograder.course.recorded_tests import RecordedTests
from autograder.course.source_markers import NBGRADERS, Markers
from autograder.course.submissions import Clock

CONFIG_FILE = "grading_config.py"
# git's own name for it, so that a remote can be asked for it as it is.
DEFAULT_BRANCH = "HEAD"


@dataclass(frozen=True)
class LateRule:
    """What a late push still gives: `per_day` of the points less for each day begun, nothing after
    `days`.
    """

    per_day: float
    days: int


@dataclass(frozen=True)
class ForgeOptions:
    """Where GitHub, or another forge, is asked when students pushed.

    Attributes
    ----------
    kind : str
        Which forge it is: the module of `autograder.forge` that answers for it, or with a dot any
        other module.
    api, web : str
        Addresses of its REST API and of its repositories.
    token : str
        Name of the environment variable that holds a token; without one far fewer requests are
        allowed.
    wait : float
        Seconds a run waits in all when asked to slow down, before it leaves the rest to the next
        run.
    """

    kind: str = "github"
    api: str = "https://api.github.com"
    web: str = "https://github.com"
    token: str = "GITHUB_TOKEN"
    wait: float = 300.0


@dataclass(frozen=True)
class Part:
    """Exercises of an assignment that share a deadline; `exercises` are patterns of their ids."""

    name: str
    exercises: tuple[str, ...]
    deadline: datetime | None


@dataclass(frozen=True)
class Assignment:
    """An assignment as the configuration describes it, or one of the notebooks of an assignment
    that has several.

    `solutions` is when its solution may be published. A notebook of several is called
    FOLDER/NOTEBOOK; it has all else of its assignment. Where there is only one, folder and notebook
    are called like the assignment.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    late: LateRule | None = None
    solutions: datetime | None = None

    @property
    def whole(self) -> str:
        """Name of the assignment that students have points in: of all notebooks in its folder."""
        return name_assignment(self.name)

    @property
    def notebook(self) -> str:
        """Name of the notebook where the assignment has several, else empty."""
        return label_notebook(self.name)

    @property
    def full_title(self) -> str:
        """Its title, with the notebook's name where the assignment has several."""
        return f"{self.title}: {self.notebook}" if self.notebook else self.title

    @property
    def last_deadline(self) -> datetime | None:
        """Everybody's last deadline of it, None where there is none."""
        return max((part.deadline for part in self.parts if part.deadline), default=None)

    @property
    def patterns(self) -> dict[str, tuple[str, ...]]:
        """Patterns of exercise ids by part."""
        return {part.name: part.exercises for part in self.parts}


@dataclass(frozen=True)
class Course:
    """The course: everything `grading_config.py` says, checked.

    `assignments` has an entry for each notebook, by its name: what is graded one by one. Which of
    them make one assignment, `list_notebooks` says.

    `find` says what is graded where nothing at its place holds an answer: "anywhere" the answers
    found elsewhere in what was pushed; with "place" nothing, they are only told of. `proof` says
    what a release has to stand: with "leaks" it is refused where it would give something away, and
    the rest is warned of; with "strict" it also has to score nothing unsolved, and its source
    everything, without a cell that fails.

    `branch` is that of the public repository; `graded` the one of students' repositories, `DEFAULT_BRANCH` for
    whichever is theirs, empty where it is the same. `repositories` is the pattern of their addresses where they have
    one for each assignment, and `layout` are patterns of the paths at which notebooks lie there.
    """

    root: Path
    name: str
    timezone: ZoneInfo
    assignments: Mapping[str, Assignment]
    upstream: str = ""
    branch: str = "master"
    graded: str = ""
    repositories: str = ""
    layout: tuple[str, ...] = ()
    find: str = "place"
    proof: str = "leaks"
    markers: Markers = NBGRADERS
    # The one clock that works with every remote and that no student sets.
    clock: Clock = Clock.FIRST_SEEN
    forge: ForgeOptions = field(default_factory=ForgeOptions)
    roster: Path = Path("roster.csv")
    extensions: Path = Path("extensions.csv")
    ledger: Path = Path("ledger")
    forks: Path = Path("forks")
    outputs: Path = Path("outputs")
    keys: Path = Path("keys.json")
    site: Path = Path("site")
    site_url: str = ""
    contact: str = ""
    database: str = "sqlite:///gradebook.db"
    sources: Path = Path("solutions")
    releases: Path = Path("assignments")
    autograded: Path = Path("autograded")
    submitted: Path = Path("submitted")
    limits: Limits = field(default_factory=Limits)
    notebook_mb: float = 20.0
    store_mb: float = 1000.0
    workers: int = 0
    scheduler: str = ""
    lend: bool = True

    @property
    def graded_branch(self) -> str:
        """The branch of students' repositories that is graded; `DEFAULT_BRANCH` for whichever is
        theirs.
        """
        return self.graded or self.branch

    def source_path(self, assignment: str) -> Path:
        """Path of an assignment's source notebook."""
        return self.sources / name_assignment(assignment) / f"{name_notebook(assignment)}.ipynb"

    def list_notebooks(self) -> dict[str, tuple[Assignment, ...]]:
        """Return the notebooks of each assignment, by its name: one, or several that share a
        deadline.
        """
        found: dict[str, tuple[Assignment, ...]] = {}
        for entry in self.assignments.values():
            found[entry.whole] = (*found.get(entry.whole, ()), entry)
        return found

    @property
    def former_names(self) -> dict[str, str]:
        """What notebooks of several were called in older records, and what they are called now."""
        return {name_formerly(name): name for name in self.assignments if BETWEEN in name}

    def layouts(self) -> dict[str, tuple[str, ...]]:
        """Return the patterns of the paths at which students have the notebook of each
        assignment.
        """
        found = {}
        for name, entry in self.assignments.items():
            places = {
                "assignment": entry.whole,
                "folder": entry.whole,
                "notebook": name_notebook(name),
            }
            found[name] = tuple(pattern.format(**places) for pattern in self.layout)
        return found

    def release_path(self, assignment: str) -> Path:
        """Path of an assignment's released notebook."""
        return self.releases / name_assignment(assignment) / f"{name_notebook(assignment)}.ipynb"

    def list_released_names(self, assignment: str) -> set[str]:
        """Return what the released notebooks are called in the folder of an assignment's one."""
        siblings = self.list_notebooks()[name_assignment(assignment)]
        return {self.release_path(entry.name).name for entry in siblings}

    def find_assignment(self, name: str) -> Assignment:
        """Return the assignment called `name`.

        Raises
        ------
        ConfigError
            If there is none, with the nearest name there is.
        """
        if name not in self.assignments:
            raise ConfigError(
                f"no assignment is called {name!r}; {say_nearest_name(name, self.assignments)}"
            )
        return self.assignments[name]

    def name_notebook(self, assignment: str, notebook: str) -> str:
        """Return what a notebook of an assignment in nbgrader's gradebook is called here."""
        several = f"{assignment}{BETWEEN}{notebook}"
        if several in self.assignments:
            return several
        return self.former_names.get(assignment, assignment)

    def find_notebooks(self, name: str) -> tuple[str, ...]:
        """Return the names of an assignment's notebooks; a notebook's own name will do as well.

        Raises
        ------
        ConfigError
            If there is none, with the nearest name there is.
        """
        of_assignment = self.list_notebooks().get(name)
        if of_assignment is not None:
            return tuple(entry.name for entry in of_assignment)
        # People and scripts from before still say FOLDER.NOTEBOOK.
        return (self.find_assignment(self.former_names.get(name, name)).name,)

    def find_all_notebooks(self, names: Iterable[str]) -> list[str]:
        """Return the notebooks of several assignments, in their order; see `find_notebooks`."""
        found: list[str] = []
        for name in names:
            found += self.find_notebooks(name)
        return found

    def read_exam(self, assignment: str, recorded: RecordedTests | None = None) -> Exam:
        """Read an assignment's exam, with what its release wrote down of its tests unless that is
        given.

        Raises
        ------
        ExamError
            If its source notebook cannot serve.
        """
        patterns = self.find_assignment(assignment).patterns
        source = self.source_path(assignment)
        release = self.release_path(assignment)
        strict = self.proof == "strict"
        exam = read_exam(
            source,
            patterns,
            release,
            lend=self.lend,
            strict=strict,
            recorded=recorded,
            markers=self.markers,
        )
        # The file's name alone does not say of which assignment it is a notebook.
        return replace(exam, assignment=assignment)

    def to_local_time(self, moment: datetime) -> datetime:
        """Return the moment in the course's time zone."""
        return moment.astimezone(self.timezone)

    def write_moment(self, moment: datetime) -> str:
        """Write a moment in the course's time zone as people read it: `Sat 6 Mar 2027, 23:59
        CET`.
        """
        local = self.to_local_time(moment)
        # The day by itself: strftime's form without a zero is not known on every system.
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def read_exams(course: Course) -> dict[str, Exam]:
    """Read every assignment's exam.

    Raises
    ------
    ExamError
        If one cannot serve; then nothing is graded.
    """
    return {name: course.read_exam(name) for name in course.assignments}
