"""An assignment of several notebooks judged as one: one deadline, one late rule, one sum.

Each notebook has reports of its own, and the last push in time that answers something in it. A
late push, though, is late with all that is in it: it counts for every notebook at its share of the
points, or for none. Which is worth most, the sum over the notebooks decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from autograder.course.configuration import Assignment, Course
from autograder.course.exam import Exam
from autograder.course.names import BETWEEN, name_notebook
from autograder.course.reports import ExerciseResult, round_points
from autograder.course.roster import Extensions
from autograder.course.submissions import Push, Student
from autograder.record.ledger import StudentRecord
from autograder.record.manual_marks import ManualMark
from autograder.record.push_candidates import PushCandidate, PushChoice, choose_pushes
from autograder.record.standings import PartStanding, PartState, Standing, judge_assignment

# Of an assignment whose notebooks are in several states, the first of these tells most. One that
# waits settles nothing, and one graded notebook makes the others' answers that are missing zeros.
TELLING = (
    PartState.WAITING,
    PartState.LATE,
    PartState.GRADED,
    PartState.TOO_LATE,
    PartState.MISSING,
    PartState.NOT_BEGUN,
    PartState.NOTHING,
    PartState.UNRELEASED,
)


def judge_notebooks(
    course: Course,
    notebooks: Sequence[Assignment],
    exams: Mapping[str, Exam],
    student: Student,
    record: StudentRecord,
    extensions: Extensions,
    released: Mapping[str, bool],
) -> dict[str, Standing]:
    """Return where a student stands in each notebook of an assignment, by the notebook's name."""

    def judge(entry: Assignment, choices: Mapping[str, PushChoice] | None = None) -> Standing:
        return judge_assignment(
            course,
            entry,
            exams[entry.name],
            student,
            record,
            extensions,
            released=released[entry.name],
            choices=choices,
        )

    chosen: dict[str, dict[str, PushChoice]] = {}  # by notebook, then by part
    # Without a late rule no late push counts, so that nothing is to be weighed.
    if len(notebooks) > 1 and notebooks[0].late is not None:
        for part in notebooks[0].parts:
            possible: dict[str, PushChoice] = {}
            for entry in notebooks:
                deadline = extensions.get((student.id, entry.name, part.name), part.deadline)
                possible[entry.name] = choose_pushes(course, entry, record, deadline)
            for name, choice in _choose_state(possible, notebooks, part.name, judge).items():
                chosen.setdefault(name, {})[part.name] = choice
    standings = {}
    for entry in notebooks:
        standings[entry.name] = judge(entry, chosen.get(entry.name))
    return standings


def _choose_state(
    possible: Mapping[str, PushChoice],
    notebooks: Sequence[Assignment],
    part: str,
    judge: Callable[[Assignment, Mapping[str, PushChoice]], Standing],
) -> dict[str, PushChoice]:
    """Return the state of the notebooks in which they are worth most together in a part; that one
    in which a notebook waits, if there is one.
    """
    best: dict[str, PushChoice] = {}
    most = -1.0
    for state in _list_states(possible):
        total = 0.0
        for entry in notebooks:
            # Every part of it as this one: of the others nothing is asked here.
            alike = dict.fromkeys(entry.patterns, state[entry.name])
            points = judge(entry, alike).find_part(part).points
            # While one of them is not graded, nothing is settled: the same as for one notebook.
            if points is None:
                return state
            total += points
        if total > most:
            best = state
            most = total
    return best


def join_standings(
    notebooks: Mapping[str, Sequence[Assignment]], standings: Mapping[str, Standing]
) -> dict[str, Standing]:
    """Return where a student stands in each assignment, the notebooks of one summed up.

    Parameters
    ----------
    notebooks : mapping of str to sequence of Assignment
        What `Course.list_notebooks` gives.
    standings : mapping of str to Standing
        By notebook; an assignment of which one is missing is left out.
    """
    joined = {}
    for name, entries in notebooks.items():
        if all(entry.name in standings for entry in entries):
            mine = [standings[entry.name] for entry in entries]
            joined[name] = mine[0] if len(mine) == 1 else join_notebooks(name, mine)
    return joined


def join_class(
    notebooks: Mapping[str, Sequence[Assignment]],
    standings: Mapping[str, Mapping[str, Standing]],
) -> dict[str, dict[str, Standing]]:
    """Return where every student stands in each assignment; see `join_standings`."""
    joined = {}
    for student, of_student in standings.items():
        joined[student] = join_standings(notebooks, of_student)
    return joined


def join_notebooks(name: str, standings: Sequence[Standing]) -> Standing:
    """Return where a student stands in an assignment, of where they stand in its notebooks."""
    labels = []
    parts_of_each = []
    problems: dict[str, None] = {}
    for standing in standings:
        labels.append(name_notebook(standing.assignment))
        parts_of_each.append(standing.parts)
        problems |= dict.fromkeys(standing.problems)
    parts = []
    for alike in zip(*parts_of_each, strict=True):
        parts.append(_join_parts(labels, alike))
    return Standing(standings[0].student, name, tuple(parts), tuple(problems))


def label_results(label: str, results: Iterable[ExerciseResult]) -> list[ExerciseResult]:
    """Return a notebook's results as they are called in its assignment: NOTEBOOK/EXERCISE."""
    return [replace(result, id=f"{label}{BETWEEN}{result.id}") for result in results]


def _list_states(possible: Mapping[str, PushChoice]) -> Iterable[dict[str, PushChoice]]:
    """Yield what the notebooks were in time, and what they were after each late push, each with the
    one that would count of every notebook as its only candidate.
    """
    late: list[PushCandidate] = []
    in_time = {}
    for name, choice in possible.items():
        late += choice.late
        in_time[name] = replace(choice, late=())
    yield in_time
    late.sort(key=lambda entry: entry.push.time)
    for event in late:
        newest = {}
        factors = []
        for name, choice in possible.items():
            counts = choice.on_time
            for entry in choice.late:
                if entry.push.time <= event.push.time:
                    counts = entry
            newest[name] = counts
            if counts is not None:
                factors.append(counts.factor)
        # A late push is late with all that is in it.
        factor = min(factors)
        state = {}
        for name, choice in possible.items():
            state[name] = replace(choice, on_time=_at_push(newest[name], event, factor), late=())
        yield state


def _at_push(
    newest: PushCandidate | None, event: PushCandidate, factor: float
) -> PushCandidate | None:
    """Return a notebook as it is in a late push, counting as that push does."""
    if newest is None:
        return None
    there = newest.file is not None and newest.file in event.push.notebooks
    push = event.push if there else newest.push
    return PushCandidate(push, newest.file, max(event.since, newest.since), factor)


def _join_parts(labels: Sequence[str], parts: Sequence[PartStanding]) -> PartStanding:
    """Return the same part of several notebooks as one; exercises are called NOTEBOOK/EXERCISE."""
    telling = min(parts, key=lambda part: TELLING.index(part.state))
    exercises: list[ExerciseResult] = []
    automatic: list[ExerciseResult] = []
    marks: list[ManualMark] = []
    pushes: list[Push] = []
    late: list[Push] = []
    whys: list[str] = []
    maximum = 0.0
    for label, part in zip(labels, parts, strict=True):
        exercises += label_results(label, part.exercises)
        automatic += label_results(label, part.automatic)
        for mark in part.marks:
            marks.append(replace(mark, exercise=f"{label}{BETWEEN}{mark.exercise}"))
        if part.push is not None:
            pushes.append(part.push)
        if part.late is not None:
            late.append(part.late)
        whys.append(f"{label}: {part.why}")
        maximum += part.max_points
    is_one_reason = all(part.why == telling.why for part in parts)
    return replace(
        telling,
        why=telling.why if is_one_reason else " ".join(whys),
        max_points=round_points(maximum),
        push=max(pushes, key=attrgetter("time"), default=None),
        file=None,
        late=max(late, key=attrgetter("time"), default=None),
        exercises=tuple(exercises),
        automatic=tuple(automatic),
        marks=tuple(marks),
        outdated=any(part.outdated for part in parts),
    )
