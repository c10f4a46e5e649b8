"""The points pages as files: who can read what, what they say, and how they come into their place."""

from __future__ import annotations

import re
import shutil
import stat
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cryptography.exceptions import InvalidTag
from long_term import term_class
from pages_class import (
    ARRAYS,
    MEAN_HINT,
    NOW,
    REGRESSION,
    SECRET_DETAIL,
    PracticeClass,
    at,
    practice_class,
)
from pages_reading import Text, contents, link_key, opened, words

from autograder.course.errors import AutograderError, ConfigError, UsageError
from autograder.course.reports import Status
from autograder.course.submissions import Clock, Push, Student
from autograder.pages import PageKeys, build_site
from autograder.pages.template_environment import make_commit_url, render_prose, write_number
from autograder.record.standings import PartStanding

ROLES = tuple(practice_class().records)


@pytest.fixture(scope="module")
def everyone() -> PracticeClass:
    return practice_class()


@pytest.fixture(scope="module")
def site(
    everyone: PracticeClass, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("built")
    links, _ = everyone.build(folder)
    return folder / "site", links


# ------------------------------------------------------------------ who can read what


def test_without_a_key_no_file_tells_who_takes_part_or_how(
    site: tuple[Path, dict[str, str]], everyone: PracticeClass
) -> None:
    folder, links = site
    files = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    private = [urlsplit(link).fragment.removeprefix("k=") for link in links.values()]
    private += [
        student.id for student in everyone.students if student.id != "late"
    ]  # an English word of the page
    private += [student.email for student in everyone.students] + [
        student.remote for student in everyone.students
    ]
    private += [push.commit[:7] for record in everyone.records.values() for push in record.pushes]
    private += [MEAN_HINT, SECRET_DETAIL]
    assert len(files) == 2 + 5 + 8
    assert [word for word in private if any(word in text for text in files)] == []


def test_all_personal_pages_have_one_size_and_random_names(
    site: tuple[Path, dict[str, str]],
) -> None:
    folder, links = site
    pages = list((folder / "p").iterdir())
    assert len({page.stat().st_size for page in pages}) == 1
    assert {f"p/{page.name}" for page in pages} == {urlsplit(link).path for link in links.values()}
    assert all(re.fullmatch(r"[0-9a-f]{32}\.html", page.name) for page in pages)


def test_a_key_opens_its_own_page_only(site: tuple[Path, dict[str, str]]) -> None:
    folder, links = site
    address = urlsplit(links["late"]).path
    page = (folder / address).read_text()
    assert "Points of late" in opened(page, link_key(links["late"]), Path(address).stem)
    with pytest.raises(InvalidTag):
        opened(page, link_key(links["on-time"]), Path(address).stem)


def test_a_page_cannot_be_passed_off_as_another(site: tuple[Path, dict[str, str]]) -> None:
    folder, links = site
    page = (folder / urlsplit(links["late"]).path).read_text()
    with pytest.raises(InvalidTag):
        opened(page, link_key(links["late"]), Path(urlsplit(links["on-time"]).path).stem)


def test_each_build_seals_with_a_fresh_nonce(everyone: PracticeClass, tmp_path: Path) -> None:
    links, _ = everyone.build(tmp_path)
    first = (tmp_path / "site" / urlsplit(links["late"]).path).read_text()
    assert everyone.build(tmp_path)[0] == links
    assert (tmp_path / "site" / urlsplit(links["late"]).path).read_text() != first


def test_what_only_instructors_may_read_is_on_no_page(site: tuple[Path, dict[str, str]]) -> None:
    assert [role for role in ROLES if SECRET_DETAIL.split(":")[1] in contents(site, role)] == []


def test_every_page_forbids_what_it_does_not_need(site: tuple[Path, dict[str, str]]) -> None:
    folder, _ = site
    for path in folder.rglob("*.html"):
        tags = Text(path.read_text()).tags
        meta = {
            entry.get("name") or entry.get("http-equiv"): entry["content"]
            for tag, entry in tags
            if tag == "meta" and "content" in entry
        }
        assert meta["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'none'"
        )
        assert "noindex" in meta["robots"]
        assert meta["referrer"] == "no-referrer"


def test_nothing_inline_and_nothing_from_elsewhere(site: tuple[Path, dict[str, str]]) -> None:
    folder, _ = site
    pages = {path: path.read_text() for path in folder.rglob("*.html")}
    fragments = {folder / "p" / role: contents(site, role) for role in ROLES}
    for path, html in (pages | fragments).items():
        for tag, attributes in Text(html).tags:
            assert tag not in {"style", "iframe", "object", "embed", "form", "base"}
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
            assert tag != "script" or attributes["src"]
            loaded = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
            assert loaded is None or (path.parent / loaded).resolve().is_relative_to(
                folder.resolve()
            )
            assert loaded is None or (path.parent / loaded).is_file()
    for name in ("pages.css", "reading.css", "times.js", "open.js"):
        assert not re.search(
            r"https?://(?!www\.w3\.org)|url\(|@import|import\(",
            (folder / "static" / name).read_text(),
        )


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_hostile_words_stay_words(everyone: PracticeClass, tmp_path: Path) -> None:
    def spoilt(part: PartStanding) -> PartStanding:
        exercises = tuple(
            replace(
                exercise,
                hint=HOSTILE,
                status=Status.PARTIAL,
                criteria=tuple(
                    replace(criterion, sentence=HOSTILE) for criterion in exercise.criteria
                ),
            )
            for exercise in part.exercises
        )
        return replace(part, why=HOSTILE, exercises=exercises)

    mine = {
        name: replace(entry, problems=(HOSTILE,), parts=tuple(spoilt(part) for part in entry.parts))
        for name, entry in everyone.standings["on-time"].items()
    }
    student = Student("on-time", f"https://example.org/{HOSTILE}", name=HOSTILE)
    spoilt_class = replace(
        everyone,
        course=replace(everyone.course, name=HOSTILE),
        standings={"on-time": mine},
        students=[student],
    )
    links, _ = spoilt_class.build(tmp_path)
    fragment = contents((tmp_path / "site", links), "on-time")
    assert fragment.count("alert(1)") > 10
    for html in (fragment, (tmp_path / "site" / "index.html").read_text()):
        tags = Text(html).tags
        assert not [
            entry
            for tag, entry in tags
            if tag in {"script", "img"} and "src" in entry and "static/" not in entry["src"]
        ]
        assert not [entry for _, entry in tags if "onerror" in entry]


# ------------------------------------------------------------------ what the pages say


TOLD = {
    "on-time": ["28 of 30 points", "graded_zero_vector 2 of 2", "to be marked by a person"],
    "late": [
        "pushed too late",
        "What your push after the deadline would give: 10 of 10",
        "Counted, late 4.8 of 6 80 % of the sum",
        "16.8 of 30 points",
    ],
    "forgot-the-mean": [
        f"Hint: {MEAN_HINT}",
        "linreg_fit 6 of 6 ✓ passed Note: Marked with the reference's linreg_gradients",
        "linreg_gradients 2 of 6 ◐ partly right",
        "✗ not met: the result is right for sizes that all differ (0 of 2)",
        "– skipped: the arguments are not changed",
    ],
    "corrected": [
        "9 of 10",
        "came after the deadline and does not count",
        "Graded again with changed tests: graded_pauli_check 0 → 2",
        "linreg_fit 0 of 6 ○ not attempted",
    ],
    "half-done": [
        "Tue 9 Mar 2027, 23:59 CET open + extended for you",
        "conflict marks of an unfinished merge (<<<<<<<)",
        "graded_pauli_check 0 of 3 ? not found",
    ],
    "misplaced": [
        "? no notebook Deadline Sat 27 Feb",
        "move it to assignments/hw01_numpy/hw01_numpy_solved.ipynb",
    ],
    "just-pushed": [
        "… not graded yet",
        "2 exercises, 6 points The prediction linreg_model (3) The loss linreg_loss (3)",
        "9.33 of 10 points decided; 20 more can still come",
    ],
    "nothing-pushed": [
        "○ nothing pushed Deadline Sat 27 Feb",
        "○ not begun Deadline Sat 13 Mar",
        "To begin: autograder start hw02_linear_regression",
        "0 of 16 points decided; 14 more can still come",
    ],
}


@pytest.mark.parametrize("role", ROLES)
def test_a_page_tells_its_student(site: tuple[Path, dict[str, str]], role: str) -> None:
    line = words(site, role)
    assert [sentence for sentence in TOLD[role] if sentence not in line] == []


def test_a_page_names_the_commit_that_counts_and_links_to_it(
    site: tuple[Path, dict[str, str]],
) -> None:
    page = Text(contents(site, "corrected"))
    commit = next(
        push.commit
        for push in practice_class().records["corrected"].pushes
        if push.time == at("02-24 21:15")
    )
    assert (
        f"{commit[:7]} , pushed Wed 24 Feb 2027, 21:15 CET (time recorded by the server)"
        in page.line
    )
    hrefs = [entry.get("href") for tag, entry in page.tags if tag == "a"]
    assert f"https://example.org/corrected/course/commit/{commit}" in hrefs


def test_not_graded_yet_is_not_0(
    everyone: PracticeClass, site: tuple[Path, dict[str, str]]
) -> None:
    assert everyone.standings["just-pushed"][REGRESSION].points is None
    overview = words(site, "just-pushed").split("What if")[0]
    assert "Linear regression – no points yet of 20 … not graded yet" in overview
    assert "Linear regression 0 of 20" not in overview


def test_every_table_has_a_caption_and_scopes(site: tuple[Path, dict[str, str]]) -> None:
    folder, _ = site
    for html in [(folder / "index.html").read_text(), *(contents(site, role) for role in ROLES)]:
        tags = [tag for tag, _ in Text(html).tags]
        following = [after for tag, after in pairwise(tags) if tag == "table"]
        assert following
        assert set(following) == {"caption"}
        assert all(
            entry.get("scope") in {"row", "col"} for tag, entry in Text(html).tags if tag == "th"
        )


def test_every_deadline_and_push_is_a_machine_readable_time(
    site: tuple[Path, dict[str, str]],
) -> None:
    times = [
        entry["datetime"] for tag, entry in Text(contents(site, "corrected")).tags if tag == "time"
    ]
    assert "2027-02-27T23:59:00+01:00" in times
    assert "2027-02-24T21:15:00+01:00" in times


def test_the_course_page_tells_deadlines_and_rules(site: tuple[Path, dict[str, str]]) -> None:
    line = Text((site[0] / "index.html").read_text()).line
    assert "Last update: Sun 7 Mar 2027, 12:00 CET" in line
    assert "Next deadline: Linear regression, part training, Sat 13 Mar 2027, 23:59 CET" in line
    assert "all 4 exercises Sat 27 Feb 2027, 23:59 CET closed 10" in line
    assert "training 3 exercises Sat 13 Mar 2027, 23:59 CET open 14" in line
    assert "Late rule: 20 % less for each day begun, for 2 days" in line


def test_an_assignment_without_an_exam_has_its_deadline_but_no_points(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    exams = {ARRAYS: everyone.exams[ARRAYS]}
    standings = {role: {ARRAYS: mine[ARRAYS]} for role, mine in everyone.standings.items()}
    links, _ = replace(everyone, exams=exams, standings=standings).build(tmp_path)
    line = Text((tmp_path / "site" / "index.html").read_text()).line
    assert (
        "Linear regression not released yet forward: Sat 6 Mar 2027, 23:59 CET training: Sat 13 Mar"
        in line
    )
    assert "23:59 CET open" not in line
    assert "Linear regression" not in words((tmp_path / "site", links), "late")


def test_what_is_not_released_is_neither_open_nor_a_row_of_exercises(tmp_path: Path) -> None:
    """Nine of the twenty homework of a term are still to come."""
    links, _ = term_class().build(tmp_path)
    course_line = Text((tmp_path / "site" / "index.html").read_text()).line
    assert course_line.count(" open ") == 1
    assert course_line.count("good for not released yet") == 9
    own = contents((tmp_path / "site", links), "not-begun")
    line = Text(own).line
    assert "topic_12_function_1" not in own
    assert "Not released yet: Topic 12, and what it is good for, due Sat 20 Mar" in line
    assert "and 6 more." in line
    assert "not begun Deadline" in line
    assert "no notebook" not in line


def test_the_pages_of_a_whole_term_stay_small(tmp_path: Path) -> None:
    """Twenty homework, of which one student has pushed eleven in 300 pushes."""
    made = term_class()
    assert len(made.records["mid-term"].pushes) == 297
    made.build(tmp_path)
    sizes = [path.stat().st_size for path in (tmp_path / "site").rglob("*.html")]
    assert len(sizes) == 4
    assert max(sizes) < 100_000
    drawn = len(contents((tmp_path / "site", made.build(tmp_path)[0]), "mid-term").encode())
    assert drawn < 400_000  # what the browser unpacks and lays out


def test_of_a_long_history_the_newest_twenty_are_unfolded(tmp_path: Path) -> None:
    links, _ = term_class().build(tmp_path)
    line = words((tmp_path / "site", links), "mid-term")
    assert "History of your pushes (27)" in line
    assert "Pushes that changed this notebook, newest first" in line
    assert "7 older ones Older pushes, newest first" in line


def test_a_course_before_its_first_assignment_builds(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    links, _ = replace(everyone, exams={}, standings={}, records={}).build(tmp_path)
    assert "There is no assignment yet." in words((tmp_path / "site", links), "late")


def test_a_mail_for_a_regrade_names_the_code_and_not_the_student(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    links, keys = everyone.build(tmp_path, contact="mailto:instructors@example.org")
    page = Text(contents((tmp_path / "site", links), "late"))
    mail = next(
        entry["href"]
        for tag, entry in page.tags
        if tag == "a" and entry["href"].startswith("mailto:")
    )
    subject = parse_qs(urlsplit(mail).query)["subject"][0]
    assert unquote(mail).startswith("mailto:instructors@example.org?")
    assert subject == f"Deep learning: regrade request of {keys.regrade_code_of('late')}"


@pytest.mark.parametrize(
    "contact", ["javascript:alert(1)", "instructors@example.org", "http://example.org"]
)
def test_a_contact_that_is_no_address_stops_before_anything_is_written(
    everyone: PracticeClass, tmp_path: Path, contact: str
) -> None:
    with pytest.raises(ConfigError, match="begins with 'mailto:' or 'https://'"):
        everyone.build(tmp_path, contact=contact)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("points", "text"),
    [(0.0, "0"), (7.0, "7"), (20.0, "20"), (7.5, "7.5"), (20 / 3, "6.67"), (0.1 + 0.2, "0.3")],
)
def test_points_read_as_a_person_writes_them(points: float, text: str) -> None:
    assert write_number(points) == text


def test_a_moment_reads_in_the_zone_of_the_course(everyone: PracticeClass) -> None:
    course = everyone.course
    assert course.write_moment(NOW) == "Sun 7 Mar 2027, 12:00 CET"
    assert course.write_moment(NOW + timedelta(days=30)) == "Tue 6 Apr 2027, 12:00 CEST"


@pytest.mark.parametrize(
    ("sentence", "html"),
    [
        ("Z is None: is a `return` missing?", "Z is None: is a <code>return</code> missing?"),
        ("one ` stays", "one ` stays"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
    ],
)
def test_backticks_make_code_and_nothing_else_is_markup(sentence: str, html: str) -> None:
    assert render_prose(sentence) == html


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        (
            "https://example.org/on-time/course.git",
            "https://example.org/on-time/course/commit/c0ffee",
        ),
        ("https://example.org/on-time/course/", "https://example.org/on-time/course/commit/c0ffee"),
        ("https://token@example.org/on-time/course", ""),
        ("https://user:secret@example.org/on-time/course", ""),
        ("http://example.org/on-time/course", ""),
        ("git@example.org:on-time/course.git", ""),
        ("/srv/forks/on-time", ""),
        ("javascript:alert(1)", ""),
        ("https://[broken", ""),
    ],
)
def test_only_a_plain_https_remote_is_linked(remote: str, url: str) -> None:
    assert make_commit_url(remote, Push("on-time", "c0ffee", "master", NOW, Clock.SERVER)) == url


def test_the_course_page_draws_the_first_assignment_only(site: tuple[Path, dict[str, str]]) -> None:
    page = (site[0] / "index.html").read_text()
    assert page.count("<svg") == 1
    assert "How 5 students did" in page
    assert "The distribution of points appears here after the last deadline." in page


# ------------------------------------------------------------------ the folder


def test_a_rotated_page_is_gone_with_the_next_build(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    links, keys = everyone.build(tmp_path)
    keys.rotate_key("late")
    again, _ = everyone.build(tmp_path)
    assert not (tmp_path / "site" / urlsplit(links["late"]).path).exists()
    assert "Points of late" in contents((tmp_path / "site", again), "late")
    assert {role for role in ROLES if again[role] != links[role]} == {"late"}


def test_a_build_that_fails_leaves_the_site_as_it_was(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    everyone.build(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "site").rglob("*") if path.is_file()}
    broken = replace(everyone, standings={"late": {ARRAYS: None}})
    with pytest.raises(AttributeError):
        broken.build(tmp_path)
    assert {
        path: path.read_bytes() for path in (tmp_path / "site").rglob("*") if path.is_file()
    } == before


@pytest.mark.parametrize(
    "left",
    [[".site.new"], [".site.old", ".site.new"], [".site.old", "site"]],
    ids=["early", "between", "late"],
)
def test_what_a_killed_build_left_does_not_matter(
    everyone: PracticeClass, tmp_path: Path, left: list[str]
) -> None:
    everyone.build(tmp_path)
    (tmp_path / "site").rename(tmp_path / "before")
    for name in left:
        shutil.copytree(tmp_path / "before", tmp_path / name)
    shutil.rmtree(tmp_path / "before")
    links, _ = everyone.build(tmp_path)
    assert "Points of late" in contents((tmp_path / "site", links), "late")
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"keys.json", ".keys.json.made-from.json", "site"}


@pytest.mark.parametrize("foreign", ["thesis.tex", ".git", "ledger"])
def test_a_folder_with_other_things_in_it_is_not_replaced(
    everyone: PracticeClass, tmp_path: Path, foreign: str
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / foreign).write_text("mine")
    with pytest.raises(UsageError, match=re.escape(repr(foreign))):
        everyone.build(tmp_path)
    assert (tmp_path / "site" / foreign).read_text() == "mine"


def test_a_file_in_the_sites_place_is_not_replaced(everyone: PracticeClass, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(AutograderError, match="name a folder"):
        everyone.build(tmp_path)


def test_the_site_holds_no_link_and_can_be_read_by_a_server(
    site: tuple[Path, dict[str, str]],
) -> None:
    folder, _ = site
    paths = [folder, *folder.rglob("*")]
    assert not [path for path in paths if path.is_symlink()]
    assert not [path for path in paths if not path.stat().st_mode & stat.S_IROTH]


def test_students_without_standings_or_record_still_get_a_page(
    everyone: PracticeClass, tmp_path: Path
) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    newcomer = Student("newcomer", "https://example.org/newcomer")
    nothing = replace(everyone.source(keys), standings={}, records={}, students=[newcomer])
    links = build_site(nothing, tmp_path / "site")
    assert list(links) == ["newcomer"]
    assert "Points of newcomer" in contents((tmp_path / "site", links), "newcomer")


# ------------------------------------------------------------------ marks a person gave


def test_a_mark_by_hand_is_told_with_its_comment_and_counts(tmp_path: Path) -> None:
    waiting, marked = practice_class(), practice_class(marks=True)
    rows = {}
    for name, made in (("waiting", waiting), ("marked", marked)):
        folder = tmp_path / name
        folder.mkdir()
        links, _ = made.build(folder)
        rows[name] = words((folder / "site", links), "on-time")
    assert "explain_the_half – no points yet of 2 ✎ to be marked by a person" in rows["waiting"]
    assert (
        "explain_the_half 1.5 of 2 ◐ partly right marked by a person Comment: Which half ? Say why."
        in rows["marked"]
    )
    assert "linreg_fit 6 of 6 ✓ passed Comment: Short and clear." in rows["marked"]
    points = [made.standings["on-time"][REGRESSION].points for made in (waiting, marked)]
    assert points == [18.0, 19.5]
    assert rows["waiting"].startswith("So far 28 of 30 points") and rows["marked"].startswith(
        "So far 29.5 of 30 points"
    )
