"""A small class with a full record, built by hand: eight students, two assignments, one of them in two parts.

`practice_class()` gives everything the pages are made of. It is Sunday, 7 March 2027, 12:00 in Budapest: the first
assignment and the first part of the second are over, the second part is open until Saturday.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from autograder.course.configuration import Assignment, Course, LateRule, Part
from autograder.course.exam import WHOLE, Exam, Exercise, SourceCell
from autograder.course.names import name_assignment, name_notebook
from autograder.course.reports import Criterion, CriterionOutcome, ExerciseResult, Report, Status
from autograder.course.submissions import Clock, NotebookFile, Push, Student
from autograder.pages import PageKeys, SiteSource, build_site
from autograder.record.ledger import StudentRecord
from autograder.record.ledger_entries import RecordedReport
from autograder.record.manual_marks import ManualMark
from autograder.record.standings import Standing, judge_assignment

BUDAPEST = ZoneInfo("Europe/Budapest")
NOW = datetime(2027, 3, 7, 12, 0, tzinfo=BUDAPEST)
ARRAYS, REGRESSION = "hw01_numpy", "hw02_linear_regression"
SECRET_DETAIL = "AssertionError: hidden test compares with rng.normal(size=(7, 3))"
LENT_NOTE = "Marked with the reference's `linreg_gradients`, because yours is not right yet."
MEAN_HINT = "dLdW is M times too large: average over the examples, not only sum."

EXERCISES = {
    ARRAYS: (
        ("graded_zero_vector", WHOLE, 2.0),
        ("graded_vec_i", WHOLE, 2.0),
        ("graded_generate_pauli", WHOLE, 3.0),
        ("graded_pauli_check", WHOLE, 3.0),
    ),
    REGRESSION: (
        ("linreg_model", "forward", 3.0),
        ("linreg_loss", "forward", 3.0),
        ("linreg_gradients", "training", 6.0),
        ("linreg_fit", "training", 6.0),
        ("explain_the_half", "training", 2.0),
    ),
}
SET = "Problem Set 1"
SET_NOTEBOOKS = {
    f"{SET}/Part A – vectors": (("norm", WHOLE, 2.0), ("why", WHOLE, 2.0)),
    f"{SET}/B_gradients_of_a_network_with_a_long_name": (
        ("norm", WHOLE, 1.0),
        ("explain_the_shape", WHOLE, 3.0),
        ("linreg_gradients", WHOLE, 4.0),
    ),
    f"{SET}/Übung C": (("linreg_fit", WHOLE, 5.5),),
}
OF_EACH = EXERCISES | SET_NOTEBOOKS
TITLES = {
    "graded_zero_vector": "a column of zeros",
    "graded_generate_pauli": "the Pauli matrices",
    "linreg_model": "the prediction",
    "linreg_loss": "the loss",
    "linreg_gradients": "the gradients",
    "linreg_fit": "gradient descent",
}
SENTENCES = (
    "the result has the shape the task asks for",
    "the result is right for sizes that all differ",
    "the arguments are not changed",
)
MARKS = (
    ManualMark(
        REGRESSION,
        "explain_the_half",
        NOW,
        1.5,
        0.0,
        (("explain_the_half", "Which `half`?\nSay why."),),
    ),
    ManualMark(
        REGRESSION, "linreg_fit", NOW, comments=(("linreg_fit_solution", "Short and clear."),)
    ),
)


@dataclass(frozen=True)
class PracticeClass:
    """Everything that `build_site` makes a site from but its keys."""

    course: Course
    exams: Mapping[str, Exam]
    standings: Mapping[str, Mapping[str, Standing]]
    records: Mapping[str, StudentRecord]
    students: Sequence[Student]
    now: datetime = NOW

    def source(self, keys: PageKeys, *, contact: str = "") -> SiteSource:
        """Return what the site of this class is made from."""
        return SiteSource(
            self.course,
            self.exams,
            self.standings,
            self.records,
            keys,
            self.students,
            self.now,
            contact,
        )

    def build(
        self, folder: Path, *, contact: str = "", **options: Any
    ) -> tuple[dict[str, str], PageKeys]:
        """Build the site in `folder/site` with the keys in `folder/keys.json`."""
        keys = PageKeys.load_or_create(folder / "keys.json")
        links = build_site(self.source(keys, contact=contact), folder / "site", **options)
        return links, keys


def make_course(*assignments: Assignment) -> Course:
    """Return the course that pages are made of, with these assignments."""
    return Course(
        root=Path("/course"),
        site=Path("/course/site"),
        releases=Path("/course/assignments"),
        name="Deep learning",
        timezone=BUDAPEST,
        assignments={entry.name: entry for entry in assignments},
        upstream="https://example.org/course/public",
    )


def practice_class(*, marks: bool = False) -> PracticeClass:
    """Return the class as it stands at `NOW`; with `marks`, a person has marked the best of it."""
    arrays = Assignment(
        ARRAYS, "Arrays and matrices with numpy", (Part(WHOLE, ("*",), at("02-27 23:59")),)
    )
    training = ("linreg_gradients", "linreg_fit", "explain_*")
    regression = Assignment(
        REGRESSION,
        "Linear regression",
        (
            Part("forward", ("linreg_model", "linreg_loss"), at("03-06 23:59")),
            Part("training", training, at("03-13 23:59")),
        ),
        late=LateRule(per_day=0.2, days=2),
    )
    course = make_course(arrays, regression)
    exams = {name: exam(name) for name in EXERCISES}
    makers = (
        on_time,
        late,
        forgot_the_mean,
        corrected,
        half_done,
        misplaced,
        just_pushed,
        nothing_pushed,
    )
    records = {record.student: record for record in (maker() for maker in makers)}
    if marks:
        records["on-time"] = replace(records["on-time"], marks=MARKS)
    students = tuple(
        Student(name, f"https://example.org/{name}/course.git", email=f"{name}@example.org")
        for name in records
    )
    extensions = {("half-done", REGRESSION, "forward"): at("03-09 23:59")}
    standings = {
        student.id: {
            name: judge_assignment(
                course, assignment, exams[name], student, records[student.id], extensions
            )
            for name, assignment in course.assignments.items()
        }
        for student in students
    }
    return PracticeClass(course, exams, standings, records, students)


def on_time() -> StudentRecord:
    """Everything right and in time."""
    work = Work("on-time").push("02-25 18:04", {ARRAYS: full(ARRAYS)})
    return work.push("03-05 20:31", {REGRESSION: full(REGRESSION)}).record


def late() -> StudentRecord:
    """The first assignment too late for any points, the second so late that the rule applies."""
    work = Work("late").push("02-28 00:41", {ARRAYS: full(ARRAYS)})
    return work.push("03-07 09:12", {REGRESSION: full(REGRESSION)}).record


def forgot_the_mean() -> StudentRecord:
    """A known mistake, recognised; what builds on it keeps its points."""
    mean = {
        "linreg_gradients": result("linreg_gradients", "training", 2, 6, Status.PARTIAL, MEAN_HINT),
        "linreg_fit": result("linreg_fit", "training", 6, 6, Status.PASSED, LENT_NOTE),
    }
    work = Work("forgot-the-mean").push(
        "02-26 22:10", {ARRAYS: full(ARRAYS, graded_vec_i=Status.FAILED)}
    )
    return work.push("03-06 23:59", {REGRESSION: full(REGRESSION) | mean}).record


def corrected() -> StudentRecord:
    """Wrong at first, better with every push; one exercise graded again with repaired tests; a push after the end."""
    first = full(
        ARRAYS, graded_generate_pauli=Status.NOT_ATTEMPTED, graded_pauli_check=Status.NOT_ATTEMPTED
    )
    second = full(ARRAYS, graded_pauli_check=Status.FAILED)
    work = (
        Work("corrected").push("02-20 16:00", {ARRAYS: first}).push("02-24 21:15", {ARRAYS: second})
    )
    work = work.graded_again("03-01 08:30", ARRAYS, full(ARRAYS, graded_pauli_check=Status.PARTIAL))
    work = work.push("03-02 19:45", {ARRAYS: full(ARRAYS)})
    return work.push(
        "03-06 11:20", {REGRESSION: full(REGRESSION, linreg_fit=Status.NOT_ATTEMPTED)}
    ).record


def half_done() -> StudentRecord:
    """Half of the first assignment; an extension and a notebook in a merge for the second."""
    work = Work("half-done").push(
        "02-27 23:40",
        {
            ARRAYS: full(
                ARRAYS,
                graded_generate_pauli=Status.NOT_ATTEMPTED,
                graded_pauli_check=Status.NOT_FOUND,
            )
        },
    )
    problem = (
        "The file holds the conflict marks of an unfinished merge (<<<<<<<). "
        "Your own side of each conflict was graded; settle the conflict and push again."
    )
    return work.push(
        "03-07 08:00", {REGRESSION: full(REGRESSION, linreg_loss=Status.FAILED)}, problem
    ).record


def misplaced() -> StudentRecord:
    """A notebook at the repository's root, where it is not graded; the second in time."""
    work = Work("misplaced").push("02-26 10:00", {ARRAYS: None})
    return work.push(
        "03-04 10:00", {REGRESSION: full(REGRESSION, linreg_model=Status.PARTIAL)}
    ).record


def just_pushed() -> StudentRecord:
    """Pushed a few minutes ago and not graded yet."""
    work = Work("just-pushed").push(
        "02-27 12:00", {ARRAYS: full(ARRAYS, graded_vec_i=Status.PARTIAL)}
    )
    return work.push("03-06 23:50", {REGRESSION: {}}).record


def nothing_pushed() -> StudentRecord:
    """Never pushed."""
    return StudentRecord("nothing-pushed")


Results = Mapping[str, ExerciseResult]


@dataclass(frozen=True)
class Work:
    """Writes a student's record push by push; every push is graded five minutes later."""

    student: str
    record: StudentRecord = field(default_factory=lambda: StudentRecord(""))

    def push(self, when: str, work: Mapping[str, Results | None], problem: str = "") -> Work:
        """Push notebooks: with their results, `{}` for one that is not graded yet, None for one at a wrong place."""
        number = len(self.record.pushes)
        before = self.record.pushes[-1].notebooks if number else ()
        new = tuple(
            notebook(name, f"{self.student}{number}", at_root=it is None)
            for name, it in work.items()
        )
        kept = tuple(file for file in before if file.path not in {file.path for file in new})
        commit = f"{number + 1:x}{self.student.encode().hex():0<39}"[:40]
        push = Push(self.student, commit, "master", at(when), Clock.SERVER, kept + new)
        graded = tuple(
            RecordedReport(
                commit,
                blob(name, f"{self.student}{number}"),
                at(when) + timedelta(minutes=5),
                report(name, it, problem),
            )
            for name, it in work.items()
            if it
        )
        record = StudentRecord(
            self.student, (*self.record.pushes, push), (*self.record.graded, *graded)
        )
        return replace(self, record=record)

    def graded_again(self, when: str, name: str, results: Results) -> Work:
        """Grade the newest state of a notebook once more, with other tests."""
        last = [entry for entry in self.record.graded if entry.report.assignment == name][-1]
        older = replace(last, report=replace(last.report, exam="before the repair"))
        again = replace(last, time=at(when), report=report(name, results))
        graded = tuple(older if entry is last else entry for entry in self.record.graded)
        return replace(self, record=replace(self.record, graded=(*graded, again)))


def exam(name: str) -> Exam:
    """The exam of an assignment, of its cells the headings of its tasks only: pages need no more."""
    return Exam(
        assignment=name,
        cells=tuple(
            cell for exercise, _, points in OF_EACH[name] for cell in task_cells(exercise, points)
        ),
        exercises=tuple(
            Exercise(exercise, part, points, manual=exercise.startswith("explain"), solutions=())
            for exercise, part, points in OF_EACH[name]
        ),
    )


def task_cells(exercise: str, points: float) -> tuple[SourceCell, ...]:
    """The heading of a task and the cell that grades it; one task has none."""
    heading = TITLES.get(exercise)
    task = (
        SourceCell("markdown", f"### Exercise: {heading} ({points:g} points)\n\nText.")
        if heading
        else None
    )
    answer = SourceCell("code", "", f"{exercise}_solution", solution=True)
    test = SourceCell("code", "", exercise, graded=True, points=points)
    return (task, answer, test) if task else (answer, test)


def full(name: str, **otherwise: Status) -> dict[str, ExerciseResult]:
    """Results of an assignment, all points but for the exercises named; what a person marks is still to be marked."""
    results = {}
    for exercise, part, points in OF_EACH[name]:
        manual = exercise.startswith("explain")
        status = otherwise.get(exercise, Status.TO_BE_MARKED if manual else Status.PASSED)
        share = {Status.PASSED: 1.0, Status.PARTIAL: 2 / 3}.get(status, 0.0)
        results[exercise] = result(exercise, part, round(points * share, 2), points, status)
    return results


def result(
    exercise: str, part: str, points: float, max_points: float, status: Status, hint: str = ""
) -> ExerciseResult:
    """The result of one exercise with its criteria and the detail that only instructors may read."""
    outcomes = {
        Status.PASSED: (CriterionOutcome.MET, CriterionOutcome.MET, CriterionOutcome.MET),
        Status.PARTIAL: (CriterionOutcome.MET, CriterionOutcome.NOT_MET, CriterionOutcome.MET),
        Status.FAILED: (
            CriterionOutcome.NOT_MET,
            CriterionOutcome.SKIPPED,
            CriterionOutcome.SKIPPED,
        ),
    }.get(status, ())
    each = max_points / 3
    criteria = tuple(
        Criterion(sentence, each if outcome is CriterionOutcome.MET else 0.0, each, outcome)
        for sentence, outcome in zip(SENTENCES, outcomes, strict=False)
    )
    return ExerciseResult(exercise, part, points, max_points, status, hint, criteria, SECRET_DETAIL)


def report(name: str, results: Results, problem: str = "") -> Report:
    """A report of the current exam."""
    return Report(
        assignment=name,
        notebook=f"{name_notebook(name)}_solved.ipynb",
        status="graded",
        exercises=tuple(results.values()),
        problems=(problem,) if problem else (),
        seconds=0.4,
        rung=1,
        exam=exam(name).version,
    )


def notebook(name: str, state: str, *, at_root: bool) -> NotebookFile:
    """A notebook in a pushed tree."""
    folder = "" if at_root else f"assignments/{name_assignment(name)}/"
    return NotebookFile(f"{folder}{name_notebook(name)}_solved.ipynb", blob(name, state), 20_000)


def blob(name: str, state: str) -> str:
    """The git blob of a notebook in some state."""
    return f"{name} of {state}"


def at(when: str) -> datetime:
    """A moment of the spring of 2027 in Budapest, in UTC as the ledger has it."""
    return datetime.fromisoformat(f"2027-{when}").replace(tzinfo=BUDAPEST).astimezone(UTC)
