"""An assignment of several notebooks judged as one: one deadline, one late rule, one sum.

Each notebook has reports of its own, and the last push in time that answers something in it. A
late push, though, is late with all that is in it: it counts for every notebook at its share of the
points, or for none. Which is worth most, the sum over the notebooks decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from autograder.course.configuration import Assignment, Course
from autograder.course.exam import Exam
from autograder.course.names import BETWEEN, name_notebook
from autograder.course.roster import Extensions
from autograder.course.submissions import ExerciseResult, Student, round_points
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
Choices = dict[str, dict[str, PushChoice]]  # by notebook, then by part


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

    # Without a late rule no late push counts, so that nothing is to be weighed.
    if len(notebooks) == 1 or notebooks[0].late is None:
        return {entry.name: judge(entry) for entry in notebooks}
    chosen: Choices = {entry.name: {} for entry in notebooks}
    for part in notebooks[0].parts:
        possible: dict[str, PushChoice] = {}
        for entry in notebooks:
            deadline = extensions.get((student.id, entry.name, part.name), part.deadline)
            possible[entry.name] = choose_pushes(course, entry, record, deadline)
        best: dict[str, PushChoice] = {}
        most = -1.0
        for state in _list_states(possible):
            points: list[float | None] = []
            for entry in notebooks:
                others = {other.name: state[entry.name] for other in entry.parts}
                standing = judge(entry, others)
                points.append(next(p.points for p in standing.parts if p.part == part.name))
            total = sum(value or 0.0 for value in points)
            waits = None in points
            # While one of them is not graded, nothing is settled: the same as for one notebook.
            if waits or total > most:
                best = state
                most = total
            if waits:
                break
        for name, choice in best.items():
            chosen[name][part.name] = choice
    return {entry.name: judge(entry, chosen[entry.name]) for entry in notebooks}


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
        mine = [standings[entry.name] for entry in entries if entry.name in standings]
        if len(mine) < len(entries):
            continue
        joined[name] = mine[0] if len(mine) == 1 else join_notebooks(name, mine)
    return joined


def join_notebooks(name: str, standings: Sequence[Standing]) -> Standing:
    """Return where a student stands in an assignment, of where they stand in its notebooks."""
    parts = []
    for alike in zip(*(standing.parts for standing in standings), strict=True):
        labels = [name_notebook(standing.assignment) for standing in standings]
        parts.append(_join_parts(list(zip(labels, alike, strict=True))))
    problems = dict.fromkeys(problem for one in standings for problem in one.problems)
    return Standing(standings[0].student, name, tuple(parts), tuple(problems))


def label_results(label: str, results: Iterable[ExerciseResult]) -> list[ExerciseResult]:
    """Return a notebook's results as they are called in its assignment: NOTEBOOK/EXERCISE."""
    return [replace(result, id=f"{label}{BETWEEN}{result.id}") for result in results]


def _list_states(possible: Mapping[str, PushChoice]) -> Iterable[dict[str, PushChoice]]:
    """Yield what the notebooks were in time, and what they were after each late push, each with the
    one that would count of every notebook as its only candidate.
    """
    yield {name: replace(choice, late=()) for name, choice in possible.items()}
    late = [entry for choice in possible.values() for entry in choice.late]
    late.sort(key=lambda entry: entry.push.time)
    for event in late:
        newest = {}
        for name, choice in possible.items():
            newest[name] = choice.on_time
            for entry in choice.late:
                if entry.push.time <= event.push.time:
                    newest[name] = entry
        # A late push is late with all that is in it.
        factor = min(entry.factor for entry in newest.values() if entry is not None)
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


def _join_parts(parts: Sequence[tuple[str, PartStanding]]) -> PartStanding:
    """Return the same part of several notebooks as one; exercises are called NOTEBOOK/EXERCISE."""
    standings = [part for _, part in parts]
    telling = min(standings, key=lambda part: TELLING.index(part.state))
    pushed = [part for part in standings if part.push is not None]
    newest = max(pushed, key=lambda part: part.push.time if part.push else 0, default=telling)
    exercises: list[ExerciseResult] = []
    automatic: list[ExerciseResult] = []
    marks: list[ManualMark] = []
    whys = []
    for label, part in parts:
        exercises += label_results(label, part.exercises)
        automatic += label_results(label, part.automatic)
        for mark in part.marks:
            marks.append(replace(mark, exercise=f"{label}{BETWEEN}{mark.exercise}"))
        whys.append(f"{label}: {part.why}")
    one_reason = len({part.why for part in standings}) == 1
    return replace(
        telling,
        why=telling.why if one_reason else " ".join(whys),
        max_points=round_points(sum(part.max_points for part in standings)),
        push=newest.push,
        file=None,
        late=max(
            (part.late for part in standings if part.late),
            key=lambda push: push.time,
            default=None,
        ),
        exercises=tuple(exercises),
        automatic=tuple(automatic),
        marks=tuple(marks),
        outdated=any(part.outdated for part in standings),
    )
