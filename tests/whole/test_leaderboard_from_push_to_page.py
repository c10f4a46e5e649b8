"""The leaderboard from a push to the page, and off it again: repositories, jail, record, site."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from small_class import Class
from small_course import code, dump, make_small_course, solution, test

from autograder.classroom.classroom import Classroom
from autograder.grading.returned_reports import ReportRefused, check_report
from autograder.overview import make_overview
from autograder.record.page_keys import PageKeys

pytestmark = pytest.mark.slow

MEASURE = '"""Numbers guessed, of 3."""\nBETTER = "more"\nsum(guess(x) == 7 for x in (1, 2, 3))\n'
JUNE = datetime(2027, 6, 1, tzinfo=UTC)
RIGHT = solution("def double(x):\n    return 2 * x")


def answer(code_name: str, guess: str) -> bytes:
    own = f"code_name = {code_name!r}\ndef guess(x):\n    return {guess}"
    return dump([code(own), RIGHT, test("", "double")])


def test_on_the_board_and_off_it(tmp_path: Path) -> None:
    small = Class(make_small_course(tmp_path))
    small.course.source.with_name("leaderboard.py").write_text(MEASURE)
    small.configure('c.CourseDirectory.ignore += ["leaderboard.py"]')
    small.enrol("one", "two", "shy")
    small.push("one", answer("Otter", "7"), "on it")
    small.push("two", answer("?", "7 if x == 1 else 0"), "on it under a drawn name")
    assert small.run()[0] == 0
    page = tmp_path / "site" / "leaderboard.html"
    html = page.read_text()
    assert html.index("Otter") < html.index('<td class="right">2</td>')
    assert '<td class="right points">3</td>' in html
    assert '<td class="right points">1</td>' in html
    for student in ("two", "shy"):
        assert f">{student}<" not in html

    classroom = Classroom.open(small.course.config)
    records = classroom.records()
    found = make_overview(
        classroom.course, classroom.exams, classroom.students, classroom.standings(),
        records, JUNE, PageKeys(classroom.course.keys),
    )  # fmt: skip
    (board,) = found.boards
    assert board.places["one"].code_name == "Otter"
    assert set(board.places) == {"one", "two"}

    exam = classroom.exams["hw"]
    said = records["one"].graded[-1].report.to_json()
    assert check_report(said, exam).entry == records["one"].graded[-1].report.entry
    for forged in ({"score": float("nan")}, {"score": float("inf")}, {"score": "1e9999"}):
        with pytest.raises(ReportRefused):
            check_report(said | {"entry": said["entry"] | forged}, exam)

    small.push("one", answer("", "7"), "off it")
    small.push("two", answer("", "7"), "off it")
    assert small.run()[0] == 0
    assert not page.exists()
