"""Everything an assignment is to be tried with: its reference, known answers, answers that return
nothing, mutants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from autograder.auditing.known_answers import write_nothing_cell, write_variant_cell
from autograder.auditing.mutants import make_mutants
from autograder.course.configuration import Course
from autograder.course.errors import ExamError
from autograder.course.exam import Exam, Exercise, SourceCell
from autograder.mistakes import Alternatives, Variant, load_variants


class CaseKind(StrEnum):
    """What is graded, and so what should come of it."""

    REFERENCE = "reference"
    MISTAKE = "mistake"
    ALTERNATIVE = "alternative"
    SHORTCUT = "shortcut"
    NOTHING = "returns nothing"
    MUTANT = "mutant"


@dataclass(frozen=True)
class AuditCase:
    """One known answer: a notebook with other sources in some solution cells, and the exercise that
    is graded.

    Attributes
    ----------
    function, name : str
        Which function is another, and the variant's name.
    changes : tuple of (str, str)
        Ids of solution cells and what stands in them instead of the reference's.
    hint : str
        For a mistake: what the student should read.
    keeps : tuple of int
        For a mistake: positions of the criteria that it has to meet all the same, from 1.
    line, before, after
        For a mutant: the change.
    equivalent : str
        For a mutant: why it is as right as the reference, if the course says so.
    """

    assignment: str
    exercise: str
    kind: CaseKind
    function: str
    name: str
    changes: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    hint: str = ""
    keeps: tuple[int, ...] = ()
    line: int = 0
    before: str = ""
    after: str = ""
    equivalent: str = ""


def read_cases(course: Course, name: str) -> tuple[Exam, list[AuditCase]]:
    """Read an assignment, and everything it is to be tried with.

    Raises
    ------
    ExamError
        If it cannot serve as an exam, or a variant belongs to nothing in it.
    """
    source = course.source_path(name)
    exam = course.read_exam(name)
    texts = {}
    for name_of_file in ("alternatives", "shortcuts"):
        file = source.with_name(f"{name_of_file}.py")
        texts[name_of_file] = file.read_text(encoding="utf-8") if file.exists() else ""
    return exam, build_cases(exam, **texts)


def build_cases(exam: Exam, alternatives: str = "", shortcuts: str = "") -> list[AuditCase]:
    """Return everything an assignment is to be tried with.

    Parameters
    ----------
    exam : Exam
        The assignment; it brings its `mistakes.py`.
    alternatives, shortcuts : str
        The sources of `alternatives.py` and `shortcuts.py`, empty where there is none.

    Raises
    ------
    ExamError
        If a variant is of no function of a solution cell, or an equivalent is no mutant.
    """
    answers = list(_find_answers(exam))
    cases: list[AuditCase] = []
    # An exercise of several solution cells stands there several times, and is tried once
    for exercise in dict(answers):
        cases.append(AuditCase(exam.assignment, exercise.id, CaseKind.REFERENCE, "", ""))
    cases += _build_variants(exam, answers, exam.mistakes, CaseKind.MISTAKE)
    cases += _build_variants(exam, answers, alternatives, CaseKind.ALTERNATIVE)
    cases += _build_variants(exam, answers, shortcuts, CaseKind.SHORTCUT)
    cases += _build_empty_answers(exam, answers)
    cases += _build_mutants(exam, answers, alternatives)
    return cases


def _build_empty_answers(
    exam: Exam, answers: Sequence[tuple[Exercise, SourceCell]]
) -> Iterator[AuditCase]:
    for exercise, cell in answers:
        functions = _list_functions(exam, exercise, cell)
        if functions:
            changes = ((cell.grade_id, write_nothing_cell(functions)),)
            yield AuditCase(
                exam.assignment, exercise.id, CaseKind.NOTHING, ", ".join(functions), "", changes
            )


def _find_answers(exam: Exam) -> Iterator[tuple[Exercise, SourceCell]]:
    """Yield each solution cell with the exercise that tests it, the first one where there are
    several.
    """
    cells = {}
    for cell in exam.cells:
        if cell.solution and cell.kind == "code":
            cells[cell.grade_id] = cell
    # What only a person marks cannot be tried
    for exercise in exam.tested:
        for name in exercise.solutions:
            if name in cells:
                yield exercise, cells.pop(name)


def _list_functions(exam: Exam, exercise: Exercise, cell: SourceCell) -> tuple[str, ...]:
    return exam.defines(replace(exercise, solutions=(cell.grade_id,)))


def _build_variants(
    exam: Exam, answers: Sequence[tuple[Exercise, SourceCell]], text: str, kind: CaseKind
) -> Iterator[AuditCase]:
    places = {}
    for answer in answers:
        for name in _list_functions(exam, *answer):
            places[name] = answer
    solutions = [cell.source for _, cell in answers]
    for variant in (load_variants(text, f"{kind}s.py") if text else None) or ():
        functions = variant.family or (variant.of,)
        _check_places(exam, variant, functions, places, kind)
        # The first of a family stands for all: they are written, and judged, together
        if variant.of != functions[0]:
            continue
        functions_of_cell: dict[SourceCell, list[str]] = {}
        for name in functions:
            functions_of_cell.setdefault(places[name][1], []).append(name)
        changes = []
        for cell, names in functions_of_cell.items():
            source = write_variant_cell(cell.source, text, names, variant.name, solutions)
            changes.append((cell.grade_id, source))
        case = AuditCase(
            exam.assignment,
            "",
            kind,
            ", ".join(functions),
            variant.name,
            tuple(changes),
            variant.hint,
            variant.keeps,
        )
        changed = [places[name][0] for name in functions]
        # A shortcut is after the points of its own exercise; what builds on it may well find it right
        judging = changed[:1] if kind is CaseKind.SHORTCUT else _find_judging(exam, changed)
        for exercise in judging:
            yield replace(case, exercise=exercise.id)


def _check_places(
    exam: Exam, variant: Variant, functions: Iterable[str], places: Iterable[str], kind: CaseKind
) -> None:
    for name in functions:
        if name not in places:
            raise ExamError(
                f"{exam.assignment}: {kind}s.py has {variant.name!r} as a way to write {name!r}, "
                f"which no solution cell defines; there is {', '.join(sorted(places))}"
            )


def _find_judging(exam: Exam, changed: Sequence[Exercise]) -> list[Exercise]:
    """Return the exercises that judge a variant: its own, and for a family all from its first one
    on.
    """
    if len(changed) == 1:
        return list(changed)
    first = min(map(exam.exercises.index, changed))
    return [exercise for exercise in exam.exercises[first:] if not exercise.manual]


def _build_mutants(
    exam: Exam, answers: Sequence[tuple[Exercise, SourceCell]], alternatives: str
) -> list[AuditCase]:
    right = load_variants(alternatives, "alternatives.py") if alternatives else None
    reasons = dict(right.equivalents) if isinstance(right, Alternatives) else {}
    unused = set(reasons)
    cases = []
    for exercise, cell in answers:
        functions = _list_functions(exam, exercise, cell)
        for mutant in make_mutants(cell.source, exam.markers):
            case = AuditCase(
                exam.assignment,
                exercise.id,
                CaseKind.MUTANT,
                ", ".join(functions),
                f"line {mutant.line}",
                ((cell.grade_id, mutant.source),),
                line=mutant.line,
                before=mutant.before,
                after=mutant.after,
            )
            # Of several functions in one cell, whichever the course named
            for function in functions:
                key = (function, mutant.before, mutant.after)
                unused.discard(key)
                if not case.equivalent:
                    case = replace(case, equivalent=reasons.get(key, ""))
            cases.append(case)
    # A line that says nothing any more would excuse the next mutant that happens to read like it
    for function, before, after in reasons:
        if (function, before, after) in unused:
            raise ExamError(
                f"{exam.assignment}: alternatives.py calls {after!r} in {function} equivalent to {before!r}, "
                "but there is no such mutant; take the line out"
            )
    return cases
