"""What an audit found: counts per exercise, what falls short, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autograder.auditing.audit_cases import AuditCase, CaseKind
from autograder.auditing.audit_run import GradedCase
from autograder.auditing.vacuous_tests import VacuousCriterion

# The least part of mistakes that are told by their own hint: two mistakes may behave alike, most may not
NAMED = 0.95
# The least part of mutants that lose points: some are as right as the reference, and nobody has said so yet
KILLED = 0.98
# The counts of the kinds that are either judged as wanted or not: of all, and of those that are
JUDGED_BY_ONE_COUNT = {
    CaseKind.ALTERNATIVE: ("alternatives", "accepted"),
    CaseKind.SHORTCUT: ("shortcuts", "stopped"),
    CaseKind.MUTANT: ("mutants", "killed"),
}


@dataclass(frozen=True)
class AuditTally:
    """Counts of one exercise, or of several taken together.

    Attributes
    ----------
    caught, named : int
        Mistakes that lost points, and those of them told by their own hint.
    keeping, kept : int
        Mistakes that say which criteria they have to meet, and those of them that met them.
    accepted : int
        Alternatives that kept all points.
    stopped : int
        Shortcuts that lost points.
    killed : int
        Mutants that lost points.
    mutants : int
        Mutants without the equivalent ones.
    """

    assignment: str
    exercise: str
    mistakes: int = 0
    caught: int = 0
    named: int = 0
    keeping: int = 0
    kept: int = 0
    alternatives: int = 0
    accepted: int = 0
    shortcuts: int = 0
    stopped: int = 0
    mutants: int = 0
    killed: int = 0
    equivalent: int = 0


def count_cases(
    graded: Iterable[GradedCase], assignment: str = "", exercise: str = ""
) -> AuditTally:
    """Count the cases of one exercise, of an assignment, or all."""
    counts: Counter[str] = Counter()
    for entry in graded:
        case = entry.case
        if assignment in {"", case.assignment} and exercise in {"", case.exercise}:
            counts.update(_list_counted(entry))
    return AuditTally(assignment, exercise, **counts)


def _list_counted(entry: GradedCase) -> Iterator[str]:
    """Yield the counts of a tally that a case adds one to."""
    kind = entry.case.kind
    if kind is CaseKind.MISTAKE:
        yield "mistakes"
        if entry.good:
            yield "caught"
        if entry.named:
            yield "named"
        if entry.case.keeps:
            yield "keeping"
            if not entry.lost:
                yield "kept"
    elif kind is CaseKind.MUTANT and entry.case.equivalent:
        yield "equivalent"
    elif kind in JUDGED_BY_ONE_COUNT:
        every, as_wanted = JUDGED_BY_ONE_COUNT[kind]
        yield every
        if entry.good:
            yield as_wanted


def count_by_exercise(graded: Sequence[GradedCase]) -> list[AuditTally]:
    """Count each exercise, in the order of the cases."""
    counts = {}
    for entry in graded:
        exercise = (entry.case.assignment, entry.case.exercise)
        if exercise not in counts:
            counts[exercise] = count_cases(graded, *exercise)
    return list(counts.values())


def list_audited(graded: Iterable[GradedCase]) -> list[str]:
    """Return the assignments that cases are of, in the order of the cases."""
    return list(dict.fromkeys(entry.case.assignment for entry in graded))


def describe_shortfalls(
    graded: Sequence[GradedCase], vacuous: Iterable[VacuousCriterion] = ()
) -> list[str]:
    """Say what is not as it has to be, one sentence each; none when all is well."""
    found = []
    for entry in graded:
        # Mutants are judged by their share, below
        if not entry.good and entry.case.kind is not CaseKind.MUTANT:
            found.append(_describe_misjudged(entry))
    for entry in graded:
        if entry.good and entry.lost:
            found.append(_describe_lost(entry))
    found += map(_describe_vacuous, vacuous)
    found += _describe_empty(graded)
    for assignment in list_audited(graded):
        count = count_cases(graded, assignment)
        if count.named < NAMED * count.mistakes:
            found.append(
                f"{assignment}: {count.named} of {count.mistakes} mistakes are told by their own hint"
            )
        if count.killed < KILLED * count.mutants:
            found.append(f"{assignment}: {count.killed} of {count.mutants} mutants lose points")
    return found


def _describe_misjudged(entry: GradedCase) -> str:
    case = entry.case
    result = entry.result
    points = f"{result.points:g} of {result.max_points:g} points"
    where = f"{case.assignment}, {case.exercise}:"
    if case.kind is CaseKind.REFERENCE:
        return f"{where} the reference itself gets {points}"
    if case.kind is CaseKind.MISTAKE:
        return f"{where} the mistake {case.name!r} keeps all points"
    if case.kind is CaseKind.ALTERNATIVE:
        return f"{where} the right answer {case.name!r} gets {points} ({result.hint or 'no hint'})"
    if case.kind is CaseKind.SHORTCUT:
        return f"{where} the shortcut {case.name!r} keeps all points; no criterion stops it"
    given = ""
    for criterion in result.criteria:
        if criterion.points:
            given = criterion.sentence
            break
    return f"{where} a function that returns None gets {points} for {given!r}; let it need another criterion"


def _describe_lost(entry: GradedCase) -> str:
    case = entry.case
    criteria = entry.result.criteria
    where = f"{case.assignment}, {case.exercise}: the mistake {case.name!r}"
    if max(entry.lost) > len(criteria):
        return f"{where} says keeps={case.keeps}, but the test has {len(criteria)} criteria"
    lost = []
    for position in entry.lost:
        lost.append(f"{position}: {criteria[position - 1].sentence!r}")
    return f"{where} says keeps={case.keeps}, but does not meet {'; '.join(lost)}"


def _describe_vacuous(entry: VacuousCriterion) -> str:
    lines = " and ".join(map(str, entry.lines))
    return (
        f"{entry.assignment}, {entry.exercise}: the criterion {entry.sentence!r} is vacuous, it can end at line "
        f"{lines} of the test without a comparison; compare before, or raise a Hint there"
    )


def _describe_empty(graded: Iterable[GradedCase]) -> Iterator[str]:
    """Say which checks ended without a comparison for an answer that was tried, with the first such
    answer.
    """
    seen: set[tuple[str, str, str]] = set()
    for entry in graded:
        case = entry.case
        for check in entry.empty:
            if (case.assignment, case.exercise, check) not in seen:
                seen.add((case.assignment, case.exercise, check))
                yield (
                    f"{case.assignment}, {case.exercise}: the criterion `{check}` is vacuous, it ends without a "
                    f"comparison for the {case.kind} {case.name or case.function!r}"
                )


def list_stopped(graded: Iterable[GradedCase]) -> list[GradedCase]:
    """Return the shortcuts that lost points."""
    return [entry for entry in _list_kind(graded, CaseKind.SHORTCUT) if entry.good]


def list_survivors(graded: Iterable[GradedCase]) -> list[AuditCase]:
    """Return the mutants that kept all points and are not known to be as right as the reference."""
    return [entry.case for entry in _list_kind(graded, CaseKind.MUTANT) if not entry.good]


def list_misnamed(graded: Iterable[GradedCase]) -> list[GradedCase]:
    """Return the mistakes that lost points, but were not told by their own hint."""
    mistakes = _list_kind(graded, CaseKind.MISTAKE)
    return [entry for entry in mistakes if entry.good and not entry.named]


def list_killed_equivalents(graded: Iterable[GradedCase]) -> list[AuditCase]:
    """Return mutants that the course calls equivalent and yet lose points: a reason that is
    none.
    """
    return [entry.case for entry in graded if entry.case.equivalent and not entry.full]


def _list_kind(graded: Iterable[GradedCase], kind: CaseKind) -> Iterator[GradedCase]:
    for entry in graded:
        if entry.case.kind is kind:
            yield entry


def tally_json(
    graded: Sequence[GradedCase], vacuous: Sequence[VacuousCriterion] = ()
) -> dict[str, Any]:
    """Return everything that an audit found as plain values."""
    return {
        "exercises": list(map(vars, count_by_exercise(graded))),
        "shortfalls": describe_shortfalls(graded, vacuous),
        "vacuous": list(map(asdict, vacuous)),
        "survivors": list(map(_mutant_json, list_survivors(graded))),
        "killed_equivalents": list(map(_mutant_json, list_killed_equivalents(graded))),
        "stopped": list(map(_stopped_json, list_stopped(graded))),
        "misnamed": list(map(_misnamed_json, list_misnamed(graded))),
    }


def _stopped_json(entry: GradedCase) -> dict[str, Any]:
    return {
        "assignment": entry.case.assignment,
        "exercise": entry.case.exercise,
        "shortcut": entry.case.name,
        "points": entry.result.points,
        "max_points": entry.result.max_points,
        "by": list(entry.stopped_by),
    }


def _misnamed_json(entry: GradedCase) -> dict[str, Any]:
    return {
        "assignment": entry.case.assignment,
        "exercise": entry.case.exercise,
        "mistake": entry.case.name,
        "hint": entry.case.hint,
        "read": entry.result.hint,
    }


def _mutant_json(case: AuditCase) -> dict[str, Any]:
    return {
        "assignment": case.assignment,
        "exercise": case.exercise,
        "line": case.line,
        "before": case.before,
        "after": case.after,
    }
