"""An assignment with several notebooks on a student's page and in the overview."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages_class import SET
from pages_reading import Text, contents
from several_class import FIT, GRADIENTS, VECTORS, several_class

from autograder.course.names import label_notebook
from autograder.overview import make_overview, write_overview
from autograder.overview.class_overview import ClassOverview
from autograder.overview.needing_attention import Need


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("several")
    links, _ = several_class().build(folder)
    return folder / "site", links


@pytest.fixture(scope="module")
def overview() -> ClassOverview:
    made = several_class()
    return make_overview(
        made.course, made.exams, made.students, made.standings, made.records, made.now
    )


def test_each_notebook_has_a_section_with_its_points_and_the_assignment_one_deadline(
    site: tuple[Path, dict[str, str]],
) -> None:
    page = Text(contents(site, "all-of-them"))
    opened = page.line.partition("What if")[2].partition("Vectors and gradients")[2]
    opened = opened.partition("Arrays and matrices")[0]
    assert "Problem Set 1 · 3 notebooks Deadline Tue 9 Mar 2027, 23:59 CET open" in opened
    assert opened.count("Deadline") == 1
    for name, points in ((VECTORS, "4 of 4"), (GRADIENTS, "1.5 of 8"), (FIT, "0 of 5.5")):
        heading = label_notebook(name).replace("_", "_ ")  # a line may end there
        assert f"{heading} {points}" in opened


def test_the_table_of_assignments_leads_to_each_notebook(
    site: tuple[Path, dict[str, str]],
) -> None:
    page = Text(contents(site, "one-of-three"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)), "two exercises are called `norm`"
    for tag, attributes in page.tags:
        address = attributes.get("href") or ""
        if tag == "a" and address.startswith("#"):
            assert address[1:] in ids
    summary = page.line.partition("What if")[0]
    assert "all points Part A – vectors 4 of 4" in summary
    assert "not begun Übung C – no points yet of 5.5 due Tue 9 Mar" in summary
    assert summary.count("due Tue 9 Mar") == 1


def test_who_has_not_begun_is_told_of_once_for_all_notebooks(overview: ClassOverview) -> None:
    absent = {
        (notice.student, notice.assignment): (notice.sentence, notice.points)
        for notice in overview.list_notices(Need.NOT_BEGUN)
        if notice.assignment.startswith(SET)
    }
    others = f"{label_notebook(GRADIENTS)}, {label_notebook(FIT)}"
    assert absent == {
        ("nothing-pushed", SET): ("has never pushed anything", 17.5),
        ("one-of-three", SET): (f"has pushed, nothing of this: {others}", 13.5),
    }


def test_the_overview_says_of_which_notebook_an_exercise_is(
    overview: ClassOverview, tmp_path: Path
) -> None:
    write_overview(overview, tmp_path / "overview")
    words = Text((tmp_path / "overview" / "index.html").read_text()).line
    assert "norm norm in Part A – vectors" in words
    assert f"norm norm in {label_notebook(GRADIENTS)}" in words
    assert "graded_vec_i 100 %" in words, "of a single notebook nothing is said"
