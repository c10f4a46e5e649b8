"""Where an assignment's tests run, outside the jail or inside, chosen by trying both.

Outside is better: there a test shares nothing with the student's code. Some tests cannot work
there, because they need the student's own objects. So the own solution and the unsolved notebook
are graded with the tests outside; where the solution loses points, or the unsolved notebook gets
some, they are graded with the tests inside as well, and what is better there goes there. The
choice belongs to a release and is written down with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.course.cell_statements import asks_for_all_names, find_global_names
from autograder.course.exam import BY_TAG, CELLS_NEED_TESTS, OUTSIDE, Exam, Exercise
from autograder.course.reports import ExerciseResult, Status
from autograder.course.shared_objects import asks_of_its_process, asks_what_is_shared
from autograder.course.submissions import Submission
from autograder.grader.bound_names import bound_names, quote_code_names
from autograder.grader.examined_notebooks import ExaminedNotebook
from autograder.grader.examiner import Examiner

LOSES = "outside of the jail its own solution gets {points:g} of {most:g}"
GAINS = "outside of the jail the unsolved notebook gets {points:g} of {most:g}"
ASKS_FOR_NAMES = "it asks for all names that the notebook has"
ASKS_OF_ITS_PROCESS = "it asks what the process that runs the answer needs or has loaded"
ASKS_WHAT_IS_SHARED = "it asks whether two objects have something in common"
LATER_TESTS_NEED = "a later test needs what it does"
MAKES_NAMES = "the test of {other} inside the jail uses {names}, which this one makes"
ALMOST = 1e-9  # sums of fractions of points miss what they come to by less


@dataclass(frozen=True)
class TestPlaces:
    """Where the tests of an exam run.

    Attributes
    ----------
    inside : mapping of str to str
        Exercises that are tested inside the jail, with the reason.
    warnings : tuple of str
        What is wrong with a test wherever it runs.
    """

    __test__ = False  # not one of pytest's

    inside: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def choose_places(exam: Exam, source: bytes, unsolved: bytes, examiner: Examiner) -> TestPlaces:
    """Return where the tests of an exam should run.

    Parameters
    ----------
    exam : Exam
        The exam; where it has tests run by now counts only for cells with a tag.
    source, unsolved : bytes
        The source notebook, and what students get.
    examiner : Examiner
        Grades both.
    """
    tested = exam.tested
    # What an earlier release found is forgotten: tests change, and a reason may be gone.
    by_tag = {name: reason for name, reason in exam.inside.items() if reason == BY_TAG}
    movable = [exercise for exercise in tested if OUTSIDE not in exam.tags(exercise)]
    outside = _Tries(replace(exam, inside=by_tag), source, unsolved, examiner)
    doubtful = _doubtful(exam, tested, outside)
    # Where cells need what tests make, the notebook runs as a whole only with all tests in place.
    if outside.missed_name_of_test():
        return TestPlaces(_move_all(movable, CELLS_NEED_TESTS) | by_tag)
    if not doubtful:
        return TestPlaces(_with_makers(exam, by_tag, movable))
    # All at once, not one by one: a test may need what the tests above it make.
    everywhere = _move_all(movable, LATER_TESTS_NEED) | by_tag
    within = _Tries(replace(exam, inside=everywhere), source, unsolved, examiner)
    inside = dict(by_tag)
    warnings = []
    for exercise in doubtful:
        reason = outside.reason(exercise)
        better_inside = within.is_better_than(outside, exercise)
        if not reason and not outside.is_better_than(within, exercise):
            inside.setdefault(exercise.id, _say_what_is_asked(exam, exercise))
        elif exercise in movable and better_inside:
            inside[exercise.id] = reason
        elif reason:
            warnings.append(f"{exercise.id}: {reason}, and inside it is no better")
    inside = _with_makers(exam, inside, movable)
    if inside != by_tag and inside.keys() != everywhere.keys():
        # A test may need what a test that stayed outside does, in a way that its text does not
        # show.
        chosen = _Tries(replace(exam, inside=inside), source, unsolved, examiner)
        for exercise in tested:
            if exercise.id in inside and within.is_better_than(chosen, exercise):
                inside = everywhere
                break
    return TestPlaces(inside, tuple(warnings))


def _move_all(movable: Sequence[Exercise], reason: str) -> dict[str, str]:
    """Return the tests of all exercises that may be moved as to be run inside, for one reason."""
    return dict.fromkeys([exercise.id for exercise in movable], reason)


def _doubtful(exam: Exam, tested: Sequence[Exercise], outside: _Tries) -> list[Exercise]:
    """Return the exercises that may have to be tested inside."""
    found = []
    for exercise in tested:
        # A name that it finds missing is missing for everybody outside, where a wrong answer has
        # it, too: neither the solution nor the unsolved notebook would show that.
        # So it is with what an answer shares with its test, where it should have made a copy.
        asks = OUTSIDE not in exam.tags(exercise) and bool(_say_what_is_asked(exam, exercise))
        if asks or outside.reason(exercise):
            found.append(exercise)
    return found


def _say_what_is_asked(exam: Exam, exercise: Exercise) -> str:
    """Say what a test asks for that only the student's own process has, empty if nothing."""
    test = exam.tests[exercise.id]
    if asks_for_all_names(test):
        return ASKS_FOR_NAMES
    if asks_of_its_process(test):
        return ASKS_OF_ITS_PROCESS
    functions = exam.asked_names - exam.asked_classes
    return ASKS_WHAT_IS_SHARED if asks_what_is_shared(test, exam.asked_classes, functions) else ""


class _Tries:
    """What the own solution and the unsolved notebook get with the tests in certain places."""

    def __init__(self, exam: Exam, source: bytes, unsolved: bytes, examiner: Examiner) -> None:
        self._exam = exam
        self._solved = _examine(exam, source, examiner)
        self._solution = _results(self._solved)
        self._unsolved = _results(_examine(exam, unsolved, examiner))

    def reason(self, exercise: Exercise) -> str:
        """Say what is wrong with an exercise's test, empty if nothing is."""
        solution = self._solution[exercise.id]
        unsolved = self._unsolved[exercise.id]
        if _lost(solution) > ALMOST:
            return LOSES.format(points=solution.points, most=exercise.points)
        if _got(unsolved) > ALMOST:
            return GAINS.format(points=unsolved.points, most=exercise.points)
        return ""

    def is_better_than(self, other: _Tries, exercise: Exercise) -> bool:
        """Whether the solution loses less here, or as much and the unsolved notebook gets less."""
        here = _lost(self._solution[exercise.id]), _got(self._unsolved[exercise.id])
        there = _lost(other._solution[exercise.id]), _got(other._unsolved[exercise.id])
        return here < there

    def missed_name_of_test(self) -> bool:
        """Whether a cell of the solution failed for a name that only tests make."""
        of_tests = self._exam.made_by_tests_only
        for cell in self._solved.cells:
            for output in cell["outputs"]:
                if output.get("ename") != "NameError":
                    continue
                # The cell has to use the name itself: a function may miss one that is nobody's.
                for name in of_tests & find_global_names(cell["source"]):
                    if f"'{name}'" in output["evalue"]:
                        return True
        return False


def _examine(exam: Exam, notebook: bytes, examiner: Examiner) -> ExaminedNotebook:
    return examiner.examine(exam, Submission(exam.assignment, f"{exam.assignment}.ipynb", notebook))


def _results(examined: ExaminedNotebook) -> dict[str, ExerciseResult]:
    return {result.id: result for result in examined.report.exercises}


def _lost(result: ExerciseResult) -> float:
    """Return the points that a result lacks; of an exercise of 0 points whether it passed."""
    if result.max_points:
        return result.max_points - result.points
    return float(result.status is not Status.PASSED)


def _got(result: ExerciseResult) -> float:
    if result.max_points:
        return result.points
    return float(result.status is Status.PASSED)


def _with_makers(exam: Exam, inside: Mapping[str, str], movable: list[Exercise]) -> dict[str, str]:
    """Add the tests that make what an inside test below them uses and no ordinary cell makes."""
    chosen = dict(inside)
    order = exam.tested
    # From the last, so that makers of makers are found as well.
    for position in reversed(range(len(order))):
        exercise = order[position]
        if exercise.id not in chosen:
            continue
        for other in order[:position]:
            made = _made_for(exam, exercise, other)
            if made and other.id not in chosen and other in movable:
                names = quote_code_names(sorted(made))
                chosen[other.id] = MAKES_NAMES.format(other=exercise.id, names=names)
    return chosen


def _made_for(exam: Exam, exercise: Exercise, other: Exercise) -> frozenset[str]:
    """Return the names that an exercise's test uses, the test of another makes, and nobody else."""
    used = find_global_names(exam.tests[exercise.id])
    return used & bound_names(exam.tests[other.id]) & exam.made_by_tests_only
