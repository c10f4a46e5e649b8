"""Similar work: of sixty who wrote alone and ten who copied, who is found, and who is named without a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from copied_answers import ALONE, CopiedPair, read_homework, write_class
from pages_class import NOW, practice_class

from autograder.course.errors import UsageError
from autograder.course.exam import Exam

pytest.importorskip("copydetect", reason="the extra `similar` is not installed")

from autograder.overview.similar_site import (
    list_known_answers,
    mark_places,
    read_answers,
    render_similar,
    write_similar,
)
from autograder.overview.similar_work import (
    FEWEST_STUDENTS,
    SimilarCell,
    SimilarPair,
    SimilarWork,
    find_similar_work,
)

Found = tuple[Exam, list[CopiedPair], SimilarWork]


@pytest.fixture(scope="module")
def found() -> Found:
    exam, students, pairs = write_class(seed=1)
    return exam, pairs, find_similar_work(students, *list_known_answers(exam))


@pytest.mark.slow
def test_copies_are_found_and_nobody_else(found: Found) -> None:
    _, pairs, work = found
    copied = {tuple(sorted((pair.source, pair.copy))): pair.disguise for pair in pairs}
    assert work.compared == ALONE + len(pairs)
    assert {pair.students for pair in work.pairs} == set(copied)
    shares = {copied[pair.students]: pair.share for pair in work.pairs}
    assert shares["renamed"] == shares["reformatted"] == 1.0
    assert 0.55 < shares["all three"] < 1.0
    assert work.usual < 0.2


@pytest.mark.slow
def test_both_sides_are_shown_with_what_they_share(found: Found) -> None:
    _, pairs, work = found
    disguises = {pair.copy: pair.disguise for pair in pairs}
    pair = next(pair for pair in work.pairs if disguises.get(pair.students[1]) == "renamed")
    assert len(pair.cells) >= 5
    for cell in pair.cells:
        assert cell.sources[0] != cell.sources[1] or len(cell.sources[0]) < 300
        for source, places in zip(cell.sources, cell.places, strict=True):
            assert places
            assert all(0 <= start < end <= len(source) for start, end in places)


@pytest.mark.slow
def test_who_gives_the_reference_back_is_not_alike_for_it() -> None:
    """Twelve have the reference's own answer, as a book may have it."""
    exam, students, _ = write_class(seed=2)
    task, reference = list_known_answers(exam)
    alone = dict(list(students.items())[:30])
    same = {f"reference-{number}": reference for number in range(12)}
    work = find_similar_work(alone | same, task, reference)
    assert [pair.students for pair in work.pairs if "reference" in pair.students[0]] == []


def test_of_few_or_short_answers_nothing_is_said() -> None:
    same = {"cell": "def f(x):\n    return x + 1"}
    few = {f"student-{number}": same for number in range(FEWEST_STUDENTS - 1)}
    assert find_similar_work(few, {}, {}) == SimilarWork((), FEWEST_STUDENTS - 1, 0.0)
    others = {
        f"other-{number}": {"cell": f"def f(x):\n    return {'x + ' * number}x"}
        for number in range(12)
    }
    assert find_similar_work({"a": same, "b": same, **others}, {}, {}).pairs == ()


def test_only_answers_that_were_changed_are_compared() -> None:
    exam, _ = read_homework()
    task, reference = list_known_answers(exam)
    first, second = list(task)[:2]
    cells = []
    for grade_id, source in (
        (first, task[first]),
        (second, reference[second]),
        ("somebody's own", "x = 1"),
    ):
        metadata = {"nbgrader": {"grade_id": grade_id, "solution": True, "locked": False}}
        cells.append({"cell_type": "code", "source": source, "metadata": metadata, "outputs": []})
    content = json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()
    assert read_answers(content, exam) == {second: reference[second]}
    assert read_answers(b"<html>", exam) == {}


def test_the_page_says_that_it_is_no_verdict_and_shows_hostile_code_as_text(tmp_path: Path) -> None:
    made = practice_class()
    name, exam = next(iter(made.exams.items()))
    hostile = "x = '<script>alert(1)</script>'"
    cell = SimilarCell("graded_vec_i_solution", (hostile, hostile), (((0, 9),), ((4, 12), (6, 20))))
    works = {name: (exam, SimilarWork((SimilarPair(("one", "two"), 0.7, 30, (cell,)),), 20, 0.1))}
    html = render_similar(made.course, works, NOW)
    assert "It is no verdict" in html
    assert "What is not found" in html
    assert "<script>alert" not in html
    assert html.count("<mark>") == 3
    course = replace(made.course, site=tmp_path / "site")
    page = write_similar(course, works, tmp_path / "overview", NOW)
    assert page.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="everybody can read"):
        write_similar(course, works, tmp_path / "site", NOW)


def test_places_that_overlap_are_marked_once() -> None:
    assert mark_places("a < b + c", ((0, 3), (2, 5))) == "<mark>a &lt;</mark><mark> b</mark> + c"
