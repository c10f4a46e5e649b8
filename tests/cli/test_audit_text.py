"""What an audit prints is ready to be used."""

from autograder.auditing.audit_cases import AuditCase, CaseKind
from autograder.cli.audit_command import write_equivalent
from autograder.mistakes import Alternatives


def test_the_line_for_a_mutant_can_be_pasted_into_alternatives() -> None:
    before = "Z = {'ű': \"a\\n\"}\nreturn Z"
    mutant = AuditCase(
        "hw",
        "double",
        CaseKind.MUTANT,
        "double, other",
        "line 3",
        before=before,
        after="return None",
    )
    alternatives = Alternatives("hw")
    exec(write_equivalent(mutant), {"alternatives": alternatives})
    assert dict(alternatives.equivalents) == {("double", before, "return None"): "…"}
