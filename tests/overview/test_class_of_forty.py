"""The overview of a class of 40 with known mistakes in known shares finds the shares."""

from __future__ import annotations

from collections import Counter

import pytest
from class_of_forty import (
    DEADLINE,
    HOMEWORK,
    MADE_BY,
    SIZE,
    assign_mistakes,
    grade_notebooks,
    make_class,
    read_course,
)

from autograder.overview import ClassOverview, make_overview
from autograder.overview.needing_attention import Need

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def overview() -> ClassOverview:
    course, exam = read_course()
    students, records, standings = make_class(grade_notebooks())
    return make_overview(course, {HOMEWORK: exam}, students, standings, records, DEADLINE)


def test_every_mistake_is_found_with_its_share(overview: ClassOverview) -> None:
    found = {count.mistake: len(count.made) for count in overview.known_mistakes}
    assert found == MADE_BY
    shares = {count.mistake: round(count.share, 3) for count in overview.known_mistakes}
    assert shares == {name: number / SIZE for name, number in MADE_BY.items()}
    assert overview.other_hints == ()


def test_who_corrected_a_mistake_is_told_from_who_has_it_still(overview: ClassOverview) -> None:
    made = assign_mistakes()
    still = Counter(name for number, name in enumerate(made) if name and number % 2)
    assert {count.mistake: len(count.still) for count in overview.known_mistakes} == dict(still)
    for count in overview.known_mistakes:
        wanted = [
            f"student-{number + 1:02d}" for number, name in enumerate(made) if name == count.mistake
        ]
        assert list(count.made) == wanted
        assert set(dict(count.examples)) <= set(wanted)


def test_no_test_looks_wrong_and_nobody_is_stuck(overview: ClassOverview) -> None:
    assert overview.suspects == ()
    assert overview.notices == ()
    (times,) = overview.times
    corrected = sum(1 for number, name in enumerate(assign_mistakes()) if name and number % 2 == 0)
    right_at_once = assign_mistakes().count("")
    assert len(times.hours) == corrected + right_at_once
    assert not overview.list_notices(Need.STUCK)
