"""The leaderboard is for those who ask, by names that tell nobody anything, with numbers the grader measured."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from board_class import STUDENTS, Pushes, make_class

from autograder.course.submissions import Student
from autograder.pages import PageKeys
from autograder.pages.code_names import (
    ANIMALS,
    DRAW,
    KINDS,
    REFUSED_DIGITS,
    REFUSED_LENGTH,
    REFUSED_LETTERS,
    REFUSED_TAKEN,
    PeopleOfClass,
    draw_code_name,
    explain_bad_form,
    fold_name,
)
from autograder.pages.leaderboards import Board, make_boards
from autograder.pages.page_seal import unseal_contents


def board_of(folder: Path, *pushes: Pushes, less_is_better: bool = False) -> Board:
    made = make_class(*pushes, less_is_better=less_is_better)
    keys = PageKeys.load_or_create(folder / "keys.json")
    boards = make_boards(made.course, made.exams, made.students, made.records, keys)
    assert len(boards) == 1
    return boards[0]


def lines(board: Board) -> list[tuple[int, str, float]]:
    return [(row.rank, row.code_name, row.score) for row in board.rows]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Otter", ""),
        ("Árvíztűrő 9", ""),
        ("J.-P.", REFUSED_LETTERS),
        ("half-life 3", ""),
        ("", REFUSED_LENGTH),
        ("ab", REFUSED_LENGTH),
        ("x" * 25, REFUSED_LENGTH),
        ("x" * 10_000, REFUSED_LENGTH),
        ("<b>bold</b>", REFUSED_LETTERS),
        ("<script>1</script>", REFUSED_LETTERS),
        ("a&lt;b", REFUSED_LETTERS),
        ("Οtter", REFUSED_LETTERS),  # a Greek omicron
        ("Оtter", REFUSED_LETTERS),  # a Cyrillic o
        ("ﾟotter", REFUSED_LETTERS),
        ("ｏtter", REFUSED_LETTERS),
        ("\u202eretto", REFUSED_LETTERS),
        ("ot\u200bter", REFUSED_LETTERS),
        ("o\u0336tter", REFUSED_LETTERS),
        ("ot\nter", REFUSED_LETTERS),
        ("ot\tter", REFUSED_LETTERS),
        ("otter ", REFUSED_LETTERS),
        (" otter", REFUSED_LETTERS),
        ("ot  ter", REFUSED_LETTERS),
        ("\ud800otter", REFUSED_LETTERS),
        ("=1+1+cmd", REFUSED_LETTERS),
        ("🦦🦦🦦", REFUSED_LETTERS),
        ("20260417", REFUSED_DIGITS),
        ("²³otter", REFUSED_LETTERS),
    ],
)
def test_the_form_of_a_code_name(name: str, complaint: str) -> None:
    assert explain_bad_form(name) == complaint


@pytest.mark.parametrize(
    "other", ["OTTER", "0tter", "ötter", "Ot-ter", "o.t.t.e.r", "Ótter", "o tter"]
)
def test_what_looks_alike_is_one_name(other: str) -> None:
    assert fold_name(other) == fold_name("otter")
    assert fold_name("modern") == fold_name("modem")
    assert fold_name("Ill1") == fold_name("llli")
    assert fold_name("otter") != fold_name("other")


@pytest.mark.parametrize(
    "name",
    ["ab12cd", "AB-12-CD", "xx ab12cd", "Margit", "margit kovacs", "Kovács", "margit77", "Ann", "ann x",
     "Winnie the B", "winnle-the-b", "n 20260417 n", "MN78OP"],
)  # fmt: skip
def test_nobodys_name_or_id_is_a_code_name(name: str) -> None:
    assert PeopleOfClass(STUDENTS).is_somebody(name)


def test_other_names_are_free() -> None:
    people = PeopleOfClass(STUDENTS)
    for name in ("otter", "planner", "course", "forks", "octopus"):
        assert not people.is_somebody(name)


def test_ranks_and_ties_both_ways(tmp_path: Path) -> None:
    pushes = (
        Pushes("ab12cd").push(-4, "Otter", 930.0),
        Pushes("ef34gh").push(-3, "Crow", 940.0),
        Pushes("ij56kl").push(-2, "Bee", 930.0),
        Pushes("mn78op").push(-1, "Ant", 7.5),
    )
    assert lines(board_of(tmp_path, *pushes)) == [
        (1, "Crow", 940), (2, "Bee", 930), (2, "Otter", 930), (4, "Ant", 7.5),
    ]  # fmt: skip
    less = board_of(tmp_path, *pushes, less_is_better=True)
    assert [line[:2] for line in lines(less)] == [(1, "Ant"), (2, "Bee"), (2, "Otter"), (4, "Crow")]


def test_the_newest_push_speaks_and_an_empty_name_takes_off(tmp_path: Path) -> None:
    stays = Pushes("ab12cd").push(-9, "Otter", 5.0)
    out = Pushes("ef34gh").push(-8, "Crow", 9.0).push(-7, None)
    assert lines(board_of(tmp_path, stays, out)) == [(1, "Otter", 5)]
    worse = Pushes("ij56kl").push(-6, "Bee", 9.0).push(30, "Bee", 4.0)
    assert lines(board_of(tmp_path, stays, out, worse)) == [(1, "Otter", 5), (2, "Bee", 4)]


def test_a_name_is_whose_it_was_first(tmp_path: Path) -> None:
    first = Pushes("ef34gh").push(-5, "Crow").push(-1, "crow", 2.0)
    thief = Pushes("ab12cd").push(-3, "Cr0w", 99.0)
    board = board_of(tmp_path, thief, first)
    assert lines(board) == [(1, "crow", 2)]
    assert board.places["ab12cd"].remark == REFUSED_TAKEN
    assert board.places["ab12cd"].code_name == ""
    # Given up and taken again, it is somebody else's.
    left = Pushes("ef34gh").push(-5, "Crow").push(-4, "Jay").push(-1, "Crow", 2.0)
    assert lines(board_of(tmp_path, thief, left)) == [(1, "Cr0w", 99)]


def test_what_was_not_measured_has_no_rank_and_a_reason(tmp_path: Path) -> None:
    board = board_of(
        tmp_path, Pushes("ab12cd").push(-1, "Otter", None), Pushes("ef34gh").push(-1, "Crow")
    )
    assert lines(board) == [(1, "Crow", 1)]
    assert board.places["ab12cd"].row is None
    assert board.places["ab12cd"].code_name == "Otter"


def test_drawn_names(tmp_path: Path) -> None:
    wishes = [Pushes(student.id).push(-1, DRAW, 1.0) for student in STUDENTS]
    board = board_of(tmp_path, *wishes)
    names = [row.code_name for row in board.rows]
    assert len(set(names)) == len(STUDENTS)
    assert all(explain_bad_form(name) == "" for name in names)
    assert names == [row.code_name for row in board_of(tmp_path, *reversed(wishes)).rows]
    other = board_of(tmp_path / "another-secret", *wishes)
    assert {row.code_name for row in other.rows} != set(names)
    robin = PeopleOfClass([Student("robin", "")])
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    drawn = {draw_code_name(keys, "hw", f"s{number}", robin, ()) for number in range(2000)}
    assert not any("robin" in name for name in drawn)
    assert max(len(kind) for kind in KINDS) + max(len(animal) for animal in ANIMALS) < 24
    assert len(set(map(fold_name, KINDS))) == len(KINDS)
    assert len(set(map(fold_name, ANIMALS))) == len(ANIMALS)


class Text(HTMLParser):
    """Collects tags and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def test_the_page_tells_codes_and_nobody(tmp_path: Path) -> None:
    pushes = (
        Pushes("ab12cd").push(-4, DRAW, 930.0),
        Pushes("ef34gh").push(-3, "Crow", 940.0),
        Pushes("ij56kl").push(-2, "<img src=x onerror=alert(1)>", 999.0),
        Pushes("mn78op").push(-1, "x" * 10_000, 999.0),
    )
    made = make_class(*pushes)
    links, keys = made.build(tmp_path)
    page = (tmp_path / "site" / "leaderboard.html").read_text()
    assert 'href="leaderboard.html"' in (tmp_path / "site" / "index.html").read_text()
    assert "Crow" in page
    assert "999" not in page
    assert "onerror" not in page
    assert "xxx" not in page
    assert len(page) < 10_000
    for student in STUDENTS:
        for word in (student.id, student.name, student.number, student.account, links[student.id]):
            assert not word or word not in page
    # The day and not the minute: pushes to a public fork can be seen by everybody.
    assert "2027-03-04T" not in page
    assert '"2027-03-04"' in page
    text = Text()
    text.feed(page)
    assert {"script", "img"} & {*text.tags[text.tags.index("main") :]} == set()
    own = {}
    for student in STUDENTS:
        own[student.id] = read_own_page(tmp_path / "site", keys, student.id)
    assert "rank 1 of 2" in own["ef34gh"]
    assert "rank 2 of 2" in own["ab12cd"]
    assert REFUSED_LETTERS in own["ij56kl"] or REFUSED_LENGTH in own["ij56kl"]
    assert REFUSED_LENGTH in own["mn78op"]


def test_a_board_of_a_thousand_is_a_page_that_a_telephone_loads(tmp_path: Path) -> None:
    everybody = tuple(Student(f"s{number:04}", "") for number in range(1000))
    made = make_class(*(Pushes(student.id).push(-1, DRAW, 1.0) for student in everybody))
    replace(made, students=everybody).build(tmp_path)
    page = (tmp_path / "site" / "leaderboard.html").read_text()
    assert len(page.encode()) < 50_000
    assert "And 800 more" in page


def test_without_anybody_there_is_no_page(tmp_path: Path) -> None:
    make_class(Pushes("ab12cd").push(-1, None)).build(tmp_path)
    assert not (tmp_path / "site" / "leaderboard.html").exists()
    assert "leaderboard" not in (tmp_path / "site" / "index.html").read_text()


def test_somebody_elses_push_changes_the_rank_on_a_page_that_was_made_before(
    tmp_path: Path,
) -> None:
    mine = Pushes("ef34gh").push(-3, "Crow", 940.0)
    _, keys = make_class(mine).build(tmp_path)
    assert "rank 1 of 1" in read_own_page(tmp_path / "site", keys, "ef34gh")
    make_class(mine, Pushes("ab12cd").push(-2, "Otter", 950.0)).build(tmp_path)
    assert "rank 2 of 2" in read_own_page(tmp_path / "site", keys, "ef34gh")


def read_own_page(site: Path, keys: PageKeys, student: str) -> str:
    key = keys.key_of(student)
    sealed = (site / "p" / f"{key.page}.html").read_text()
    content = sealed.split('data-page="')[1].split(">", 1)[1].split("<")[0]
    return unseal_contents(content, key.key, key.page)
