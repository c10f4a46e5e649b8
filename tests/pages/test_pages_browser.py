"""The points pages in a real browser: opened by key, at every width, in light and dark, by keyboard, for everybody."""

from __future__ import annotations

import json
import re
import shutil
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from board_class import whole_board
from long_term import term_class
from pages_class import ARRAYS, MEAN_HINT, PracticeClass, practice_class
from pages_reading import link_key
from several_class import several_class
from small_course import REPOSITORY

from autograder.overview import make_overview, write_overview
from autograder.pages.page_seal import pack_contents, seal_contents
from autograder.pages.readings import ReadingSource, make_reading

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TERM = ("term: course", "term: not-begun", "term: mid-term", "term: all-done")
PICTURE = (REPOSITORY / "docs" / "way.svg").read_bytes()
DEMO = {
    "cells": [
        {
            "cell_type": "markdown",
            "source": "# A demo\n\n$$\\frac{1}{2}$$\n\n|a|b|\n|-:|-|\n|1|2|\n\n## Part",
        },
        {
            "cell_type": "code",
            "source": "def f(x):\n    return x  # " + "long " * 40,
            "outputs": [
                {"output_type": "stream", "text": "printed " * 40},
                {
                    "output_type": "display_data",
                    "data": {
                        "text/html": f'<img alt="A way." src="data:image/svg+xml;base64,{b64encode(PICTURE).decode()}">'
                    },
                },
            ],
        },
    ]
}
HAS_SIMILAR = find_spec("copydetect") is not None  # an extra
NOON = "2027-03-07T12:14:00+01:00"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on this machine"),
    pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is not installed"),
]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


@dataclass(frozen=True)
class Site:
    """The built site, served both ways."""

    folder: Path
    links: dict[str, str]
    server: str

    def address(self, way: str, link: str) -> str:
        return f"{self.folder.as_uri()}/{link}" if way == "file" else f"{self.server}/{link}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("served")
    practice = practice_class()
    demos = folder / "demonotebooks"
    demos.mkdir()
    (demos / "demo.ipynb").write_text(json.dumps(DEMO))
    course = replace(
        practice.course, root=folder, site=folder / "site", releases=REPOSITORY / "assignments"
    )
    make_reading(course, ReadingSource("demo", demos / "demo.ipynb", True), lambda _: DEMO)
    links, _ = replace(practice, course=course).build(
        folder, contact="mailto:instructors@example.org"
    )
    (folder / "term").mkdir()
    term_links, _ = term_class().build(folder / "term")
    (folder / "term" / "site").rename(folder / "site" / "term")
    links |= {f"term: {student}": f"term/{link}" for student, link in term_links.items()}
    links["term: course"] = "term/index.html"
    made = practice_class()
    found = make_overview(
        made.course, made.exams, made.students, made.standings, made.records, made.now
    )
    write_overview(found, folder / "overview")
    (folder / "overview").rename(folder / "site" / "overview")
    board = whole_board()
    (folder / "board").mkdir()
    board_links, keys = board.build(folder / "board")
    (folder / "board" / "site").rename(folder / "site" / "board")
    write_overview(
        make_overview(
            board.course,
            board.exams,
            board.students,
            board.standings,
            board.records,
            board.now,
            keys,
        ),
        folder / "site" / "board-overview",
    )
    if HAS_SIMILAR:
        write_similar_page(made, folder / "site" / "alike")
    several = several_class()
    (folder / "several").mkdir()
    several_links, _ = several.build(folder / "several")
    (folder / "several" / "site").rename(folder / "site" / "several")
    found = make_overview(
        several.course,
        several.exams,
        several.students,
        several.standings,
        several.records,
        several.now,
    )
    write_overview(found, folder / "site" / "several" / "overview")
    links |= {
        "several: page": f"several/{several_links['all-of-them']}",
        "several: begun": f"several/{several_links['one-of-three']}",
        "several: overview": "several/overview/index.html",
        "similar": "alike/similar.html",
        "board": "board/leaderboard.html",
        "board: ranked": f"board/{board_links['ef34gh']}",
        "board: refused": f"board/{board_links['mn78op']}",
        "board: overview": "board-overview/index.html",
        "overview": "overview/index.html",
        "demo": "read/demo.html",
        "homework": "read/hw01_numpy.html",
    }
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(QuietHandler, directory=folder / "site")
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(folder / "site", links, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def write_similar_page(made: PracticeClass, folder: Path) -> None:
    """Write the page of one pair that is alike."""
    from autograder.overview.similar_site import write_similar
    from autograder.overview.similar_work import SimilarCell, SimilarPair, SimilarWork

    places = ((0, 9),)
    cell = SimilarCell("cell", ("a = b + 1", "c = d + 1"), (places, places))
    pair = SimilarPair(("on-time", "corrected"), 0.71, 31, (cell,))
    works = {ARRAYS: (made.exams[ARRAYS], SimilarWork((pair,), 12, 0.2))}
    write_similar(made.course, works, folder, made.now)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Open a page in a fresh profile, on 7 March 2027; in the end, no page may have complained or asked anyone else."""
    complaints: list[str] = []
    contexts = []

    def visit(
        link: str, way: str = "server", now: str = NOON, before: str = "", **options: Any
    ) -> Any:
        context = browser.new_context(**{"timezone_id": "Europe/Budapest"} | options)
        contexts.append(context)
        context.clock.set_fixed_time(now)
        context.add_init_script(before)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "requestfailed",
            lambda it: "ABORTED" in it.failure or complaints.append(f"{it.failure}: {it.url}"),  # type: ignore[func-returns-value]
        )
        own = site.address(way, "")
        page.on(
            "request",
            lambda it: it.url.startswith(own) or complaints.append(f"asked {it.url}"),  # type: ignore[func-returns-value]
        )
        page.goto(site.address(way, link))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def wait_for_answer(page: Any) -> None:
    """Wait until the page is open, or says why not."""
    page.wait_for_selector("#opened, #messages > p:not([hidden])", state="attached")


# ------------------------------------------------------------------ opened by its key


@pytest.mark.parametrize("way", ["file", "server"])
def test_the_key_opens_the_page(visit: Callable[..., Any], site: Site, way: str) -> None:
    page = visit(site.links["forgot-the-mean"], way)
    page.wait_for_selector("#opened")
    assert page.title() == "Points of forgot-the-mean"
    assert page.get_by_role("heading", level=1).inner_text() == "Points of forgot-the-mean"
    assert page.get_by_text(MEAN_HINT).is_visible()
    assert page.locator("#messages").inner_text().strip() == ""


@pytest.mark.parametrize("way", ["file", "server"])
@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("", "This page needs your whole link."),
        ("#k=" + "A" * 22, "This link does not open the page."),
        ("#k=tooshort", "This link does not open the page."),
        ("#assignment", "This link does not open the page."),
    ],
    ids=["no key", "another key", "a torn key", "no key form"],
)
def test_without_the_key_nothing_is_shown(
    visit: Callable[..., Any], site: Site, way: str, fragment: str, message: str
) -> None:
    page = visit(urlsplit(site.links["late"]).path + fragment, way)
    wait_for_answer(page)
    assert message in page.locator("#messages").inner_text()
    assert page.locator("#messages > p:visible").count() == 1
    assert page.locator("#opened").count() == 0
    assert "Points of" not in page.content()


def test_another_students_key_does_not_open_the_page(visit: Callable[..., Any], site: Site) -> None:
    other = urlsplit(site.links["on-time"]).fragment
    page = visit(f"{urlsplit(site.links['late']).path}#{other}")
    wait_for_answer(page)
    assert "This link does not open the page." in page.locator("#messages").inner_text()
    assert page.locator("#opened").count() == 0


def test_the_right_link_pasted_over_a_wrong_one_opens_the_page(
    visit: Callable[..., Any], site: Site
) -> None:
    page = visit(urlsplit(site.links["late"]).path)
    wait_for_answer(page)
    page.goto(
        site.address("server", site.links["late"])
    )  # the same document: only its fragment changes
    page.wait_for_selector("#opened")
    assert page.locator("#messages > p:visible").count() == 0
    page.goto(site.address("server", urlsplit(site.links["late"]).path + "#k=" + "A" * 22))
    page.wait_for_selector("#wrong-key:visible")
    assert page.locator("#opened").count() == 0


def test_a_browser_that_cannot_decrypt_says_so(visit: Callable[..., Any], site: Site) -> None:
    page = visit(
        site.links["late"], before="Object.defineProperty(crypto, 'subtle', { value: undefined })"
    )
    wait_for_answer(page)
    assert "This browser cannot decrypt the page here." in page.locator("#messages").inner_text()


def test_the_key_never_reaches_the_server(visit: Callable[..., Any], site: Site) -> None:
    page = visit("index.html")
    sent = []
    page.on(
        "request", lambda request: sent.append((request.url, request.headers, request.post_data))
    )
    page.goto(site.address("server", site.links["late"]))
    page.wait_for_selector("#opened")
    page.get_by_role("link", name="Deep learning").click()
    page.wait_for_url("**/index.html")
    key = urlsplit(site.links["late"]).fragment.removeprefix("k=")
    asked = [
        (urlsplit(url)._replace(fragment="").geturl(), headers, data) for url, headers, data in sent
    ]
    assert len(asked) >= 5
    assert not [request for request in asked if key in str(request) or request[1].get("referer")]


def test_sealed_contents_cannot_run_a_script(visit: Callable[..., Any], site: Site) -> None:
    """Even contents that nobody escaped: the page's policy holds behind the templates."""
    attack = (
        '<article id="opened" data-title="hostile"><script>hacked = 1</script><script src="../static/no.js"></script>'
        '<img src="data:image/png," onerror="hacked = 2"><a href="javascript:hacked=3" id="link">x</a></article>'
    )
    link = site.links["nothing-pushed"]
    name = Path(urlsplit(link).path).stem
    hostile = seal_contents(pack_contents(attack), link_key(link), name, 2048)
    page_file = site.folder / "p" / f"{name}.html"
    kept = page_file.read_text()
    page_file.write_text(
        re.sub(r'(<template id="sealed"[^>]*>)[^<]+', lambda match: match[1] + hostile, kept)
    )
    try:
        from playwright.sync_api import Page

        page: Page = visit("index.html").context.new_page()
        page.goto(site.address("server", link))
        page.wait_for_selector("#opened", state="attached")
        page.locator("#link").click()
        assert page.title() == "hostile"
        assert page.evaluate("typeof hacked") == "undefined"
    finally:
        page_file.write_text(kept)


# ------------------------------------------------------------------ at every width, in light and dark


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour, as WCAG 2 defines it."""
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def open_everything(page: Any) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def visit_whom(visit: Callable[..., Any], site: Site, who: str, **options: Any) -> Any:
    """Open the course page, a page without its key, or a student's page, with everything in it unfolded."""
    page = visit(
        {"index": "index.html", "no key": urlsplit(site.links["late"]).path, **site.links}[who],
        **options,
    )
    if "#" in page.url:
        page.wait_for_selector("#opened")
    open_everything(page)
    return page


@pytest.mark.parametrize("width", [320, 1280])
def test_no_text_is_cut_or_overlaps_its_neighbour(
    visit: Callable[..., Any], site: Site, width: int
) -> None:
    page = visit(site.links["corrected"], viewport={"width": width, "height": 800})
    page.wait_for_selector("#opened")
    open_everything(page)
    overlaps = page.evaluate(
        """() => [...document.querySelectorAll("tr")].flatMap((row) => {
            const boxes = [...row.cells].filter((cell) => getComputedStyle(cell).position !== "absolute")
                .map((cell) => cell.getBoundingClientRect()).filter((box) => box.width && box.height);
            return boxes.flatMap((a, i) => boxes.slice(i + 1)
                .filter((b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
                .map(() => row.innerText));
        })"""
    )
    assert overlaps == []


@pytest.mark.parametrize("who", ["index", "corrected"])
@pytest.mark.parametrize("width", [320, 1280])
def test_short_words_stay_whole(
    visit: Callable[..., Any], site: Site, who: str, width: int
) -> None:
    page = visit_whom(visit, site, who, viewport={"width": width, "height": 800})
    broken = page.evaluate(
        """() => {
            const broken = [];
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                for (const word of texts.currentNode.data.matchAll(/[^\\s_/-]{2,20}/g)) {
                    const range = document.createRange();
                    range.setStart(texts.currentNode, word.index);
                    range.setEnd(texts.currentNode, word.index + word[0].length);
                    if (new Set([...range.getClientRects()].map((box) => box.top)).size > 1) broken.push(word[0]);
                }
            }
            return broken;
        }"""
    )
    assert broken == []


@pytest.mark.parametrize("who", ["index", "corrected"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_readers_scheme(
    visit: Callable[..., Any], site: Site, scheme: str, who: str
) -> None:
    page = visit(site.links.get(who, "index.html"), color_scheme=scheme)
    style = page.evaluate(
        "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))"
    )
    paper, ink = map(luminance, style)
    assert (paper > 0.8, ink < 0.1) == ((True, True) if scheme == "light" else (False, False))
    assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) >= 7


def test_printing_opens_what_is_folded(visit: Callable[..., Any], site: Site) -> None:
    page = visit(site.links["corrected"])
    page.wait_for_selector("#opened")
    assert page.locator("details:not([open])").count() > 0
    page.pdf()
    assert page.locator("details:not([open])").count() == 0


# ------------------------------------------------------------------ by keyboard


def test_every_stop_of_the_keyboard_is_visible(visit: Callable[..., Any], site: Site) -> None:
    page = visit(site.links["corrected"])
    page.wait_for_selector("#opened")
    stops = page.locator("a[href]:visible, summary:visible").count()
    seen = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => {
                    const style = getComputedStyle(document.activeElement);
                    return [document.activeElement.innerText, style.outlineStyle, parseFloat(style.outlineWidth)];
                }"""
            )
        )
    assert stops >= 10
    assert (
        len(
            {name for name, _, _ in seen}
            & {"Deep learning", "Linear regression", "write to the instructors"}
        )
        == 3
    )
    assert [stop for stop in seen if stop[1] != "solid" or stop[2] < 2] == []


def test_a_jump_within_the_page_keeps_the_key(visit: Callable[..., Any], site: Site) -> None:
    page = visit(site.links["corrected"], viewport={"width": 390, "height": 700})
    page.wait_for_selector("#opened")
    assignments = page.get_by_role("table", name="Your assignments")
    assignments.get_by_role("link", name="Linear regression").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "assignment-hw02_linear_regression"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") < 100
    assignments.get_by_role("link", name="Arrays and matrices with numpy").click()
    assert page.get_by_role("table", name="Exercises", exact=True).is_visible()  # it was folded
    assert page.url == site.address("server", site.links["corrected"])
    page.reload()
    page.wait_for_selector("#opened")


def test_a_notebook_of_several_is_jumped_to_and_unfolded(
    visit: Callable[..., Any], site: Site
) -> None:
    page = visit(site.links["several: page"], viewport={"width": 390, "height": 700})
    page.wait_for_selector("#opened")
    page.evaluate(
        "document.querySelectorAll('.homework > details').forEach(one => one.open = false)"
    )
    link = page.locator(".summary table").get_by_role("link", name="Übung C")
    link.click()
    heading = page.locator("h3", has_text="Übung C")
    assert heading.is_visible() and 0 <= heading.bounding_box()["y"] < 200


def test_the_history_opens_by_keyboard(visit: Callable[..., Any], site: Site) -> None:
    page = visit(site.links["corrected"])
    page.wait_for_selector("#opened")
    table = page.get_by_role("table", name="Pushes that changed this notebook, newest first").first
    page.locator("summary", has_text="Arrays and matrices with numpy").press("Enter")
    assert not table.is_visible()
    page.locator("summary", has_text="History of your pushes (4)").focus()
    page.keyboard.press("Enter")
    assert table.is_visible()
    assert table.get_by_role("row").count() == 5


@pytest.mark.parametrize("width", [320, 1280])
def test_a_table_is_a_table_for_every_reader(
    visit: Callable[..., Any], site: Site, width: int
) -> None:
    page = visit(site.links["forgot-the-mean"], viewport={"width": width, "height": 800})
    page.wait_for_selector("#opened")
    table = page.get_by_role("table", name="Exercises of part training")
    assert table.get_by_role("columnheader").all_inner_texts() == ["Exercise", "Points", "Result"]
    row = table.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name="linreg_gradients")
    )
    assert row.get_by_role("cell").first.inner_text() == "2 of 6"


# ------------------------------------------------------------------ times as the reader has them


@pytest.mark.parametrize(
    ("zone", "now", "note"),
    [
        ("Europe/Budapest", NOON, "(14 minutes ago)"),
        ("Europe/Budapest", "2027-03-07T12:00:59+01:00", "(just now)"),
        ("Europe/Budapest", "2027-03-09T11:59:00+01:00", "(1 day ago)"),
        ("America/New_York", NOON, "(14 minutes ago, Sun 7 Mar, 06:00 where you are)"),
    ],
)
def test_the_age_of_the_page_and_the_readers_clock(
    visit: Callable[..., Any], zone: str, now: str, note: str
) -> None:
    page = visit("index.html", now=now, timezone_id=zone)
    assert page.locator(".updated").inner_text() == f"Last update: Sun 7 Mar 2027, 12:00 CET {note}"


@pytest.mark.parametrize(
    ("now", "state"),
    [("2027-03-13T23:59:59+01:00", "open"), ("2027-03-14T00:00:00+01:00", "closed")],
    ids=["in its last minute", "after it"],
)
def test_a_part_closes_while_the_page_stays_as_it_is(
    visit: Callable[..., Any], now: str, state: str
) -> None:
    page = visit("index.html", now=now)
    row = page.get_by_role("row", name="training 3 exercises")
    assert row.locator(".state").inner_text() == state


# ------------------------------------------------------------------ without JavaScript


def test_the_course_page_is_whole_without_javascript(visit: Callable[..., Any]) -> None:
    page = visit("index.html", java_script_enabled=False)
    body = page.locator("body").inner_text()
    assert "Sat 13 Mar 2027, 23:59 CET" in body
    assert "How 5 students did" in body
    assert page.get_by_role(
        "img", name=re.compile("Bar chart of the number of students")
    ).is_visible()


def test_a_personal_page_says_that_it_needs_javascript(
    visit: Callable[..., Any], site: Site
) -> None:
    page = visit(site.links["late"], java_script_enabled=False)
    assert "please allow JavaScript here" in page.locator("main").inner_text()


# ------------------------------------------------------------------ for everybody


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    package = pytest.importorskip(
        "axe_playwright_python", reason="axe-playwright-python is not installed"
    )
    return (Path(package.__file__).parent / "axe.min.js").read_text()


# A whole term has eleven of the same elements: in nine of them axe would only take its time.
KEEP_TWO_HOMEWORKS = (
    "for (const each of [...document.querySelectorAll('.homework')].slice(2)) each.remove()"
)
LOOKS = ((320, "dark"), (1280, "light"))
# Between them they have every element that a page can have; the others repeat those.
OF_EVERY_KIND = (
    ("index", *LOOKS[0]), ("index", *LOOKS[1]), ("no key", *LOOKS[1]), ("overview", *LOOKS[1]),
    ("corrected", *LOOKS[0]), ("corrected", *LOOKS[1]), ("forgot-the-mean", *LOOKS[0]), ("half-done", *LOOKS[1]),
    ("misplaced", *LOOKS[0]), ("term: mid-term", *LOOKS[1]), ("demo", *LOOKS[0]), ("homework", *LOOKS[1]),
    ("board", *LOOKS[1]),
    ("board: overview", *LOOKS[0]),
    ("board: refused", *LOOKS[0]),
    ("several: page", *LOOKS[0]), ("several: begun", *LOOKS[1]), ("several: overview", *LOOKS[0]),
    *[("similar", *look) for look in LOOKS if HAS_SIMILAR],
)  # fmt: skip
OTHERS = [
    pytest.param(who, *LOOKS[number % 2], marks=pytest.mark.release)
    for number, who in enumerate([*practice_class().records, *TERM])
    if who not in {each for each, _, _ in OF_EVERY_KIND}
]


@pytest.mark.parametrize(("who", "width", "scheme"), [*OF_EVERY_KIND, *OTHERS])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    visit: Callable[..., Any], site: Site, axe: str, who: str, width: int, scheme: str
) -> None:
    page = visit_whom(
        visit, site, who, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    for each in (320, 390, 768, 1280):
        page.set_viewport_size({"width": each, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= each
    page.set_viewport_size({"width": width, "height": 900})
    if who in TERM:
        page.evaluate(KEEP_TWO_HOMEWORKS)
    page.evaluate(axe)
    results = page.evaluate("axe.run(document, { resultTypes: ['violations', 'incomplete'] })")
    assert len(results["passes"]) > 15
    assert [told(finding) for finding in results["violations"]] == []
    # axe leaves the contrast of signs and drawn text open; test_every_pair_of_colours_can_be_read answers for them.
    undecided = [told(finding) for finding in results["incomplete"]]
    assert [
        entry
        for entry in undecided
        if not entry[2] <= {"shortTextContent", "nonBmp", "imgNode", "bgOverlap"}
    ] == []


def told(finding: dict[str, Any]) -> tuple[str, list[str], set[str]]:
    """A finding of axe: its rule, where it holds, and why it is undecided."""
    checks = [check for node in finding["nodes"] for check in node["any"]]
    reasons = set()
    for check in checks:
        data = check["data"] or {}
        reasons.add(data.get("messageKey", "") if isinstance(data, dict) else str(data))
    return finding["id"], [node["html"][:120] for node in finding["nodes"]], reasons


PAIRS = [
    *[(ink, paper) for ink in ("ink", "soft", "accent") for paper in ("paper", "card")],
    *[
        (tone, paper)
        for tone in ("good", "partly", "bad", "waiting")
        for paper in ("card", f"{tone}-wash")
    ],
    *[
        ("accent", "accent-wash"),
        ("ink", "accent-wash"),
        ("ink", "quiet-wash"),
        ("ink", "partly-wash"),
        ("ink", "bad-wash"),
    ],
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_can_be_read(visit: Callable[..., Any], scheme: str) -> None:
    page = visit("index.html", color_scheme=scheme)
    names = {name for pair in PAIRS for name in pair}
    read = "(name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name)"
    values = {name: bytes.fromhex(page.evaluate(read, name).strip().lstrip("#")) for name in names}
    light = {name: luminance(str(tuple(value))) for name, value in values.items()}
    ratios = {
        pair: (max(light[it] for it in pair) + 0.05) / (min(light[it] for it in pair) + 0.05)
        for pair in PAIRS
    }
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5} == {}
