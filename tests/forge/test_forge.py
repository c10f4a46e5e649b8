import io
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fake_github import FakeGitHub, FakeRepository, git
from rich.console import Console

from autograder.cli.result_text import print_student
from autograder.collecting.collect import poll_remotes
from autograder.collecting.remote_poll import Collected
from autograder.course.configuration import Assignment, Course, ForgeOptions, Part
from autograder.course.errors import ForgeFailed
from autograder.course.remotes import git_address, repository_name
from autograder.course.submissions import Clock, Push, Student
from autograder.forge.api_answers import keep_repository_fields, read_activity, read_repository
from autograder.forge.api_client import ApiClient
from autograder.forge.github import GitHub
from autograder.forge.repository_identity import describe_changes
from autograder.record.ledger import Ledger, StudentRecord

pytestmark = pytest.mark.slow

TOKEN = "ghp_aVerySecretToken"
PATH = "assignments/hw/hw_solved.ipynb"
DEADLINE = datetime(2027, 2, 10, 22, 59, tzinfo=UTC)


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setattr("autograder.forge.api_client.FIRST_PAUSE", 0.001)
    with FakeGitHub(tmp_path / "web", token=TOKEN).serving() as server:
        yield server


@pytest.fixture
def upstream(github: FakeGitHub) -> FakeRepository:
    course = github.create("school/course")
    github.push(course, {"README.md": b"the course"})
    return course


@pytest.fixture
def fork(github: FakeGitHub, upstream: FakeRepository) -> FakeRepository:
    github.later(days=1)
    return github.fork(upstream, "on-time")


def options(github: FakeGitHub, **changed: Any) -> ForgeOptions:
    return replace(ForgeOptions(api=github.api, web=github.web, wait=30.0), **changed)


def course(github: FakeGitHub, **changed: Any) -> Course:
    root = github.folder.parent
    due = Assignment("hw", "Homework", (Part("", ("*",), DEADLINE),))
    made = Course(
        root, "x", ZoneInfo("UTC"), {"hw": due}, upstream="school/course", clock=Clock.SERVER, forge=options(github),
        forks=root / "forks", ledger=root / "ledger",
    )  # fmt: skip
    return replace(made, **changed)


def poll(github: FakeGitHub, *students: Student, **changed: Any) -> dict[str, Collected]:
    """Collect once, five minutes later, and forget what was asked before."""
    github.asked.clear()
    github.later(minutes=5)
    wanted = students or (Student("on-time", "on-time/course"),)
    return {
        done.student.id: done
        for done in poll_remotes(course(github, **changed), wanted, now=lambda: github.now)
    }


def record(github: FakeGitHub, student: str = "on-time") -> StudentRecord:
    return Ledger(github.folder.parent / "ledger").read(student)


def push(github: FakeGitHub, fork: FakeRepository, content: bytes) -> tuple[str, datetime]:
    """Push an hour later, and return the commit and the time."""
    github.later(hours=1)
    return github.push(fork, {PATH: content}), github.now


def times(pushes: tuple[Push, ...]) -> list[tuple[str, datetime]]:
    return [(push.commit, push.time) for push in pushes]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("on-time/course", "on-time/course"),
        ("https://github.com/on-time/course", "on-time/course"),
        ("https://github.com/on-time/course.git", "on-time/course"),
        ("https://GitHub.com/On-Time/Course/", "On-Time/Course"),
        ("git@github.com:on-time/course.git", "on-time/course"),
        ("ssh://git@github.com/on-time/course.git", "on-time/course"),
        ("https://gitlab.com/on-time/course", ""),
        ("git@gitlab.com:on-time/course.git", ""),
        ("https://github.com.evil.org/on-time/course", ""),
        ("https://github.com/on-time/course/tree/master", ""),
        ("https://github.com/on-time/..", ""),
        ("/forks/on-time.git", ""),
        ("../on-time", ""),
    ],
)
def test_a_remote_is_recognised_as_a_name_on_the_forge(remote: str, name: str) -> None:
    assert repository_name(remote, ForgeOptions()) == name


def test_a_short_name_becomes_an_address_for_git_and_other_remotes_stay() -> None:
    assert git_address("on-time/course", ForgeOptions()) == "https://github.com/on-time/course.git"
    assert git_address("/forks/on-time.git", ForgeOptions()) == "/forks/on-time.git"


# ---------------------------------------------------------------- talking to the API


def test_all_pages_of_a_list_are_read(
    github: FakeGitHub, upstream: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.forge.github.PER_PAGE", 10)
    for number in range(25):
        github.create(f"student-{number}/course", upstream)
    with ApiClient(options(github)) as client:
        forks = GitHub(client.options, client).list_forks("school/course")
    assert len(forks.by_id) == 25
    assert forks.by_name["student-24/course"].owner == github.accounts["student-24"]
    assert [asked.query.get("page", "1") for asked in github.asked] == ["1", "2", "3"]


def test_what_has_not_changed_costs_nothing(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache.json"
    for _ in range(2):
        left = github.left[True]
        with ApiClient(options(github), cache) as client:
            assert set(GitHub(client.options, client).list_forks("school/course").by_name) == {
                "on-time/course"
            }
    assert [asked.status for asked in github.asked] == [200, 304]
    assert github.left[True] == left
    assert TOKEN not in cache.read_text()


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"version": 1, "pages": {"x": 3}}', b'{"version": 99}']
)
def test_a_damaged_cache_is_as_good_as_none(
    github: FakeGitHub,
    upstream: FakeRepository,
    fork: FakeRepository,
    tmp_path: Path,
    content: bytes,
) -> None:
    cache = tmp_path / "cache.json"
    cache.write_bytes(content)
    with ApiClient(options(github), cache) as client:
        assert GitHub(client.options, client).list_forks("school/course").by_id
    assert json.loads(cache.read_text())["pages"]


@pytest.mark.parametrize(
    "order",
    [
        {"status": 502, "body": b"<html>Bad gateway</html>"},
        {"status": 500, "body": b""},
        {"how": "hang up"},
        {"how": "cut", "body": b'{"id": 1'},
        {"body": b"<html>Sign in</html>"},
        {"body": b'{"id": NaN' + b"["},
        {"body": b"[" * 100_000},
        {"status": 304},
        {"how": "drip", "body": b" " * 50},
        {"headers": {"Content-Encoding": "gzip"}, "body": b"not gzip"},
    ],
    ids=[
        "502",
        "500",
        "hang up",
        "cut short",
        "a web page",
        "no JSON",
        "too deep",
        "304 unasked",
        "slow",
        "no gzip",
    ],
)
def test_a_broken_reply_is_asked_for_again_a_little_later_each_time(
    github: FakeGitHub, fork: FakeRepository, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.forge.api_client.REPLY_SECONDS", 0.3)
    slept: list[float] = []
    github.trouble("/repos/on-time/course", times=2, **order)
    with ApiClient(options(github), sleep=slept.append) as client:
        assert GitHub(client.options, client).find_repository("on-time/course").id == fork.id
    assert slept == [0.001, 0.002]


def test_a_reply_without_end_is_not_read_to_its_end(
    github: FakeGitHub, fork: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.forge.api_client.MAX_BODY", 1000)
    github.trouble("/repos/on-time/course", body=b" " * 5000)
    with ApiClient(options(github)) as client:
        assert GitHub(client.options, client).find_repository("on-time/course").id == fork.id


def test_a_dead_server_is_left_alone_after_a_while(github: FakeGitHub) -> None:
    github.trouble("/.*", 503, times=10**6)
    with ApiClient(options(github)) as client:
        for _ in range(6):
            with pytest.raises(ForgeFailed, match="gives no answer"):
                GitHub(client.options, client).find_repository("on-time/course")
    assert len(github.asked) == 15


@pytest.mark.parametrize(
    ("status", "headers", "body", "seconds"),
    [
        (429, {"Retry-After": "7"}, b"", 7),
        (403, {"Retry-After": "3"}, b"", 3),
        (503, {"Retry-After": "4"}, b"", 4),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{reset}"}, b"", 21),
        (429, {}, b"", 60),
        (403, {}, b'{"message": "You have exceeded a secondary rate limit."}', 60),
        (429, {"Retry-After": "0"}, b"", 1),
        (429, {"Retry-After": "{date}"}, b"", 20),
        (429, {"Retry-After": "soon"}, b"", 60),
    ],
)
def test_a_limit_is_waited_for_as_long_as_it_says(
    github: FakeGitHub,
    fork: FakeRepository,
    caplog: pytest.LogCaptureFixture,
    status: int,
    headers: dict[str, Any],
    body: bytes,
    seconds: int,
) -> None:
    reset = github.now + timedelta(seconds=20)
    words = {"reset": int(reset.timestamp()), "date": format_datetime(reset, usegmt=True)}
    headers = {name: value.format(**words) for name, value in headers.items()}
    slept: list[float] = []
    github.trouble("/repos/on-time/course", status, headers=headers, body=body)
    with (
        caplog.at_level(logging.WARNING),
        ApiClient(options(github, wait=100.0), sleep=slept.append) as client,
    ):
        assert GitHub(client.options, client).find_repository("on-time/course").id == fork.id
    assert slept == [seconds]
    assert f"asks to wait; going on in {seconds} s" in caplog.text


def test_a_longer_wait_than_the_budget_ends_the_questions_with_a_sentence(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    slept: list[float] = []
    github.trouble("/.*", 429, headers={"Retry-After": "20"}, times=9)
    with ApiClient(options(github, wait=50.0), sleep=slept.append) as client:
        for _ in range(3):
            with pytest.raises(
                ForgeFailed, match=r"wants no questions before .* UTC.*the next run asks again"
            ):
                GitHub(client.options, client).find_repository("on-time/course")
    assert slept == [20.0, 20.0]
    assert len(github.asked) == 3, "nobody asks once the server has had enough"


def test_limits_that_never_end_are_not_waited_for_forever(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    slept: list[float] = []
    github.trouble("/.*", 429, headers={"Retry-After": "0"}, times=10**6)
    with ApiClient(options(github), sleep=slept.append) as client, pytest.raises(ForgeFailed):
        GitHub(client.options, client).find_repository("on-time/course")
    assert sum(slept) == 30.0


def test_without_a_token_the_hourly_limit_is_met_sooner_and_the_advice_says_so(
    github: FakeGitHub, fork: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    github.allow(1, known=False)
    with ApiClient(options(github)) as client:
        assert GitHub(client.options, client).find_repository("on-time/course")
        with pytest.raises(ForgeFailed, match=r"a token in \$GITHUB_TOKEN allows far more"):
            GitHub(client.options, client).find_repository("on-time/other")


def test_a_refused_token_is_said_without_showing_it(
    github: FakeGitHub,
    fork: FakeRepository,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("COURSE_TOKEN", "ghp_wrong")
    with caplog.at_level(logging.DEBUG), ApiClient(options(github, token="COURSE_TOKEN")) as client:
        for _ in range(2):
            with pytest.raises(ForgeFailed, match=r"refuses the token in \$COURSE_TOKEN"):
                GitHub(client.options, client).find_repository("on-time/course")
        shown = repr(client) + repr(vars(client)) + caplog.text
    assert "ghp_wrong" not in shown
    assert len(github.asked) == 1


def test_the_token_goes_with_each_question_and_into_no_log(
    github: FakeGitHub, fork: FakeRepository, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), ApiClient(options(github)) as client:
        GitHub(client.options, client).find_repository("on-time/course")
    assert github.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["two words", "tökén", "line\nbreak"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    with pytest.raises(ForgeFailed, match=r"\$GITHUB_TOKEN") as caught:
        ApiClient(options(github))
    assert token not in str(caught.value)


def test_a_token_is_not_sent_unencrypted_to_another_machine() -> None:
    with (
        pytest.raises(ForgeFailed, match="not encrypted") as caught,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("GITHUB_TOKEN", TOKEN)
        ApiClient(ForgeOptions(api="http://github.example.org"))
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (301, {"Location": "http://127.0.0.2:1/repositories/1"}),
        (307, {"Location": "https://evil.example.org/"}),
        (200, {"Link": '<http://evil.example.org/x>; rel="next"'}),
    ],
    ids=["moved", "redirected", "next page"],
)
def test_nobody_is_followed_to_another_server(
    github: FakeGitHub,
    fork: FakeRepository,
    upstream: FakeRepository,
    status: int,
    headers: dict[str, str],
) -> None:
    github.trouble("/repos/school/course/forks", status, headers=headers, body=b"[]")
    with ApiClient(options(github)) as client, pytest.raises(ForgeFailed, match="another server"):
        GitHub(client.options, client).list_forks("school/course")


@pytest.mark.parametrize(
    "location", ["/repos/on-time/course", ""], ids=["in circles", "to nowhere"]
)
def test_redirects_end(github: FakeGitHub, fork: FakeRepository, location: str) -> None:
    github.trouble(
        "/repos/on-time/course", 301, headers={"Location": f"{github.api}{location}"}, times=99
    )
    with ApiClient(options(github)) as client:
        try:
            assert GitHub(client.options, client).find_repository("on-time/course") is None
        except ForgeFailed as error:
            assert "301" in str(error)
    assert len(github.asked) <= 4


def test_a_list_without_end_ends(
    github: FakeGitHub, upstream: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.forge.api_client.MAX_PAGES", 5)
    link = {"Link": f'<{github.api}/repos/school/course/forks>; rel="next"'}
    github.trouble("/repos/school/course/forks", headers=link, body=b"[]", times=99)
    with ApiClient(options(github)) as client, pytest.raises(ForgeFailed, match="no end"):
        GitHub(client.options, client).list_forks("school/course")


# ---------------------------------------------------------------- what an answer may contain

REPOSITORY = {
    "id": 17, "full_name": "on-time/course", "owner": {"id": 5}, "default_branch": "master",
    "created_at": "2027-02-01T08:00:00Z", "pushed_at": "2027-02-02T09:00:00Z",
}  # fmt: skip
ACTIVITY = {
    "id": 99, "ref": "refs/heads/master", "after": "a" * 40, "timestamp": "2027-02-02T09:00:00Z",
    "activity_type": "push",
}  # fmt: skip


def test_a_repository_and_an_activity_are_read() -> None:
    assert read_repository(REPOSITORY).pushed == datetime(2027, 2, 2, 9, tzinfo=UTC)
    assert (
        read_repository(REPOSITORY | {"pushed_at": None}).pushed
        == read_repository(REPOSITORY).created
    )
    assert read_activity(ACTIVITY).time == datetime(2027, 2, 2, 9, tzinfo=UTC)
    assert read_activity(ACTIVITY | {"timestamp": "2027-02-02T10:00:00.5+01:00"}).time.hour == 9


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "17"), ("id", -1), ("id", True), ("id", None), ("id", 2**63), ("id", 1.5),
        ("full_name", "on-time"), ("full_name", "on-time/../x"), ("full_name", "on-time/.."), ("full_name", "a b/c"),
        ("full_name", "--upload-pack=x/y"), ("owner", None), ("owner", {}), ("owner", [1]),
        ("default_branch", "x" * 5000), ("default_branch", "a\nb"), ("created_at", None),
        ("pushed_at", "yesterday"), ("pushed_at", "2027-13-01T00:00:00Z"), ("pushed_at", 1800000000),
        ("pushed_at", "9999-12-31T23:59:59-23:59"), ("created_at", "1970-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_repository_that_cannot_be_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ForgeFailed, match="makes no sense"):
        read_repository(keep_repository_fields(REPOSITORY | {field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("after", "--help"), ("after", "A" * 40), ("after", "a" * 39), ("after", None), ("after", "a" * 40 + "\n"),
        ("timestamp", "2027-02-02"), ("timestamp", "2027-02-02T09:00:00"), ("ref", 3), ("activity_type", None),
        ("id", 0), ("timestamp", "２０２７-02-02T09:00:00Z"),
    ],
)  # fmt: skip
def test_an_activity_that_cannot_be_is_refused(field: str, value: str | int | None) -> None:
    with pytest.raises(ForgeFailed, match="makes no sense"):
        read_activity(ACTIVITY | {field: value})


@pytest.mark.parametrize("data", [None, 3, "x", [], ["x"]])
def test_something_else_than_an_object_is_refused(data: Any) -> None:
    for read in (read_repository, read_activity):
        with pytest.raises(ForgeFailed, match="makes no sense"):
            read(data)


def test_a_fork_that_makes_no_sense_fails_alone(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    other = github.fork(upstream, "squared")
    github.push(fork, {PATH: b"on-time"})
    github.push(other, {PATH: b"squared"})

    def spoil(data: Any) -> Any:
        entries = data if isinstance(data, list) else [data]
        for entry in entries:
            entry |= {"pushed_at": "soon"} if entry["id"] == other.id else {}
        return data

    github.answers |= {"/repos/school/course/forks": spoil, "/repos/squared/course": spoil}
    done = poll(github, Student("on-time", "on-time/course"), Student("squared", "squared/course"))
    assert done["on-time"].push and not done["on-time"].error
    assert "makes no sense" in done["squared"].error


# ---------------------------------------------------------------- times of the server


def test_each_push_between_two_polls_has_its_own_time(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    pushed = [push(github, fork, text) for text in (b"one", b"two")]
    done = poll(github)["on-time"]
    pushed.append(push(github, fork, b"three"))
    assert times(done.pushes) == pushed[:2]
    assert times(poll(github)["on-time"].pushes) == pushed[2:]
    assert times(record(github).pushes) == pushed
    assert {push.clock for push in record(github).pushes} == {Clock.SERVER}
    assert [len(push.notebooks) for push in record(github).pushes] == [1, 1, 1]


def test_a_back_dated_commit_has_the_time_of_its_push(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    pushed = github.later(days=3)
    github.push(fork, {PATH: b"late"}, dated=datetime(2020, 1, 1, tzinfo=UTC))
    assert poll(github)["on-time"].push.time == pushed


def test_two_pushes_within_a_second_are_told_apart(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    first, moment = push(github, fork, b"first")
    list(
        poll_remotes(
            course(github),
            [Student("on-time", "on-time/course")],
            now=lambda: moment + timedelta(seconds=0.4),
        )
    )
    second = github.push(fork, {PATH: b"second"})
    poll(github)
    assert times(record(github).pushes) == [(first, moment), (second, moment)]


def test_only_who_pushed_is_asked_about(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    students = [Student(name, f"{name}/course") for name in ("on-time", "late", "squared")]
    forks = [fork, github.fork(upstream, "late"), github.fork(upstream, "squared")]
    github.later(hours=1)
    for repository in forks[:2]:
        github.push(repository, {PATH: b"work"})
    poll(github, *students)
    assert {asked.query["per_page"] for asked in github.asked} == {"100"}
    assert sorted(asked.path for asked in github.asked) == [
        "/repos/late/course/activity", "/repos/on-time/course/activity", "/repos/school/course/forks",
        "/repos/squared/course/activity",
    ]  # fmt: skip
    poll(github, *students)
    assert [(asked.path, asked.status) for asked in github.asked] == [
        ("/repos/school/course/forks", 304)
    ]
    github.later(hours=1)
    github.push(forks[1], {PATH: b"more"})
    done = poll(github, *students)
    assert [asked.path for asked in github.asked] == [
        "/repos/school/course/forks",
        "/repos/late/course/activity",
    ]
    assert [name for name, entry in done.items() if entry.pushes] == ["late"]


def test_an_untouched_fork_and_one_brought_up_to_date_hold_no_work(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    assert poll(github)["on-time"].pushes == ()
    github.later(days=1)
    github.push(upstream, {"README.md": b"week two"})
    git(fork.path, "fetch", "--quiet", str(upstream.path), "+master:master")
    github.note(fork, "a" * 40, "push")
    assert poll(github)["on-time"].pushes == ()
    github.later(days=1)
    github.push(fork, {PATH: b"work"})
    assert len(poll(github)["on-time"].pushes) == 1


def test_many_pushes_are_read_page_by_page(
    github: FakeGitHub, fork: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.forge.github.PER_PAGE", 4)
    pushed = [push(github, fork, b"%d" % number) for number in range(9)]
    assert times(poll(github)["on-time"].pushes) == pushed
    pages = [asked for asked in github.asked if asked.path.endswith("/activity")]
    assert [asked.query.get("after") for asked in pages] == [None, "4", "8"]
    push(github, fork, b"one more")
    assert len(poll(github)["on-time"].pushes) == 1
    assert len([asked for asked in github.asked if asked.path.endswith("/activity")]) == 1


def test_a_push_to_another_branch_is_no_push(github: FakeGitHub, fork: FakeRepository) -> None:
    push(github, fork, b"work")
    poll(github)
    github.later(hours=1)
    github.push_elsewhere(fork, "experiment")
    assert poll(github)["on-time"].pushes == ()
    poll(github)
    assert [asked.path for asked in github.asked] == ["/repos/school/course/forks"]


def test_a_force_push_takes_nothing_away(github: FakeGitHub, fork: FakeRepository) -> None:
    first, _ = push(github, fork, b"first")
    poll(github)
    second = github.force_push(fork, {PATH: b"rewritten"})
    github.forget(fork)
    poll(github)
    assert [push.commit for push in record(github).pushes] == [first, second]


def test_a_commit_overwritten_between_two_polls_is_fetched_while_the_server_has_it(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    first, _ = push(github, fork, b"first")
    second = github.force_push(fork, {PATH: b"rewritten"}, dated=datetime(2020, 1, 1, tzinfo=UTC))
    assert [push.commit for push in poll(github)["on-time"].pushes] == [first, second]
    assert all(push.notebooks for push in record(github).pushes)


def test_a_commit_that_is_gone_is_recorded_and_said_once(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    kept, _ = push(github, fork, b"kept")
    poll(github)
    gone = github.push(fork, {PATH: b"gone"})
    newest = github.force_push(fork, {PATH: b"newest"})
    github.forget(fork)
    done = poll(github)["on-time"]
    assert (done.error, [push.commit for push in done.pushes]) == ("", [newest])
    assert gone[:10] in done.notes[0] and "cannot be graded" in done.notes[0]
    assert [push.commit for push in record(github).pushes] == [kept, newest]
    assert [push.commit for push in record(github).lost] == [gone]
    github.push(fork, {PATH: b"later"})
    assert poll(github)["on-time"].notes == ()
    assert len(record(github).lost) == 1


def test_a_commit_git_does_not_have_yet_is_not_lost(
    github: FakeGitHub, fork: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = push(github, fork, b"work")
    with monkeypatch.context() as patch:
        patch.setattr("autograder.git.student_stores.Fork.fetch_commit", lambda *_: False)
        list(
            poll_remotes(
                course(github), [Student("on-time", "on-time/course")], now=lambda: github.now
            )
        )
    assert record(github).lost == ()
    poll(github)
    assert times(record(github).pushes) == [pushed]


def test_a_commit_too_large_to_fetch_does_not_hold_up_the_next_one(
    github: FakeGitHub, fork: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.git.stored_objects.MAX_FETCH_MB", 1)
    github.later(hours=1)
    large = github.push(fork, {"data.bin": os.urandom(3 << 20)})
    newest = github.force_push(fork, {PATH: b"without the data"})
    done = poll(github)["on-time"]
    assert [push.commit for push in done.pushes] == [newest]
    assert [push.commit for push in record(github).lost] == [large]


def test_the_same_state_pushed_again_counts_from_then(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    pushed = [push(github, fork, b"first"), push(github, fork, b"second")]
    poll(github)
    again = github.later(hours=1)
    github.reset_to(fork, pushed[0][0])
    poll(github)
    assert times(record(github).pushes) == [*pushed, (pushed[0][0], again)]


def test_a_deleted_branch_is_said_and_what_was_there_still_counts(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    first, _ = push(github, fork, b"first")
    poll(github)
    github.delete_branch(fork)
    done = poll(github)["on-time"]
    assert "lost its branch 'master'" in done.notes[0] and not done.error
    assert [push.commit for push in record(github).pushes] == [first]
    again, _ = push(github, fork, b"again")
    poll(github)
    assert [push.commit for push in record(github).pushes] == [first, again]


def test_another_default_branch_is_said(github: FakeGitHub, fork: FakeRepository) -> None:
    github.later(hours=1)
    github.delete_branch(fork)
    fork.branch = "main"
    assert "its default branch is 'main'" in poll(github)["on-time"].notes[0]


# ---------------------------------------------------------------- who is who


def test_a_renamed_repository_is_followed_by_its_number(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    push(github, fork, b"before")
    poll(github)
    github.rename(fork, "on-time/deep-learning")
    push(github, fork, b"after")
    done = poll(github)["on-time"]
    assert done.notes == ("on-time: on-time/course is called on-time/deep-learning now",)
    assert len(record(github).pushes) == 2
    assert poll(github)["on-time"].notes == ()


def test_a_roster_with_an_old_name_finds_the_repository_all_the_same(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    github.rename(fork, "on-time/deep-learning")
    push(github, fork, b"work")
    assert poll(github)["on-time"].push
    assert record(github).repositories[-1].id == fork.id


def test_a_repository_given_to_another_account_is_said(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    push(github, fork, b"work")
    poll(github)
    github.rename(fork, "team/course")
    assert any("was given to another account" in note for note in poll(github)["on-time"].notes)


@pytest.mark.parametrize("days", [1, 20], ids=["before the deadline", "after it"])
def test_a_fork_deleted_and_made_again_is_said_and_flagged_after_a_deadline(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository, days: int
) -> None:
    first, _ = push(github, fork, b"first")
    poll(github)
    github.delete(fork)
    github.later(days=days)
    again = github.fork(upstream, "on-time")
    second, _ = push(github, again, b"second")
    done = poll(github)["on-time"]
    assert f"(number {again.id}, it was {fork.id})" in done.notes[0]
    assert ("after a deadline of hw" in done.notes[0]) == (days > 10)
    assert [push.commit for push in record(github).pushes] == [first, second], (
        "what counted still counts"
    )
    assert (
        tuple(describe_changes(course(github), "on-time", record(github).repositories))
        == done.notes
    )
    assert poll(github)["on-time"].notes == ()


def test_an_instructor_is_shown_what_became_of_pushes_and_repositories(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    push(github, fork, b"kept")
    poll(github)
    gone, _ = push(github, fork, b"gone")
    github.force_push(fork, {PATH: b"newest"})
    github.forget(fork)
    poll(github)
    github.delete(fork)
    push(github, github.fork(upstream, "on-time"), b"again")
    poll(github)
    shown = io.StringIO()
    print_student(course(github), {}, record(github), Console(file=shown, width=200))
    lines = shown.getvalue().splitlines()
    assert [line.split()[1] for line in lines if "could not be fetched" in line] == [gone[:10]]
    assert sum(line.startswith("pushed") for line in lines) == 4
    assert [line for line in lines if "another repository than before" in line] == lines[-1:]


def test_a_name_taken_by_another_account_is_nobodys_until_a_person_says_so(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    first, _ = push(github, fork, b"hers")
    poll(github)
    github.delete(fork)
    del github.accounts["on-time"]
    taken = github.fork(upstream, "on-time")
    second, _ = push(github, taken, b"somebody else's")
    done = poll(github)["on-time"]
    assert "belongs to another account now" in done.error and str(taken.id) in done.error
    assert [push.commit for push in record(github).pushes] == [first]
    poll(github, Student("on-time", "on-time/course", repository=taken.id))
    assert [push.commit for push in record(github).pushes] == [first, second]


def test_a_second_repository_under_the_old_name_is_said_and_the_first_is_followed(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    push(github, fork, b"first")
    poll(github)
    github.rename(fork, "on-time/old-course")
    second = github.fork(upstream, "on-time")
    github.later(hours=1)
    github.push(second, {PATH: b"second"})
    done = poll(github)["on-time"]
    assert done.pushes == ()
    assert any(
        f"(number {second.id}); still collecting on-time/old-course" in note for note in done.notes
    )
    assert poll(github, Student("on-time", "on-time/course", repository=second.id))[
        "on-time"
    ].pushes


def test_another_repository_in_the_roster_is_followed(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    push(github, fork, b"first")
    poll(github)
    other = github.fork(upstream, "on-time-at-work")
    github.later(hours=1)
    github.push(other, {PATH: b"second"})
    done = poll(github, Student("on-time", "on-time-at-work/course"))["on-time"]
    assert "another repository than before" in done.notes[0]
    assert len(record(github).pushes) == 2


def test_a_repository_that_is_gone_fails_alone_and_one_not_made_yet_is_no_failure(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    push(github, fork, b"work")
    poll(github)
    github.delete(fork)
    done = poll(github, Student("on-time", "on-time/course"), Student("late", "late/course"))
    assert "deleted or made private" in done["on-time"].error
    assert (done["late"].error, done["late"].notes) == (
        "",
        ("late: no repository to be seen at late/course yet",),
    )
    assert len(record(github).pushes) == 1


def test_a_number_in_the_roster_that_is_gone_is_an_error(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    done = poll(github, Student("on-time", "on-time/course", repository=12))
    assert "the roster insists on repository 12" in done["on-time"].error


# ---------------------------------------------------------------- one push seen by different clocks


def test_a_push_first_seen_and_told_later_is_one_push_with_the_servers_time(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    pushed = [push(github, fork, b"first")]
    (seen,) = poll(github, clock=Clock.FIRST_SEEN)["on-time"].pushes
    assert (seen.time, seen.clock) == (github.now, Clock.FIRST_SEEN)
    pushed.append(push(github, fork, b"second"))
    poll(github)
    assert times(record(github).pushes) == pushed


def test_where_the_api_fails_git_tells_and_the_server_corrects_the_time_later(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    commit, pushed = push(github, fork, b"work")
    github.trouble("/.*/activity", 500, times=5)
    done = poll(github)["on-time"]
    assert "gives no answer" in done.error
    assert times(done.pushes) == [(commit, github.now)]
    assert record(github).pushes[0].clock is Clock.FIRST_SEEN
    assert poll(github)["on-time"].error == ""
    assert times(record(github).pushes) == [(commit, pushed)]


def test_without_the_list_of_forks_each_repository_is_asked_for(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    push(github, fork, b"work")
    github.trouble("/repos/school/course/forks", 404)
    done = poll(github)
    assert "has no list" in done["the forge"].error
    assert done["on-time"].push.clock is Clock.SERVER


def test_a_list_behind_its_own_branch_is_asked_again(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    push(github, fork, b"first")
    poll(github)
    second, pushed = push(github, fork, b"second")
    late = fork.activity.pop()
    assert times(poll(github)["on-time"].pushes) == [(second, github.now)]
    fork.activity.append(late)
    poll(github)
    assert times(record(github).pushes)[1:] == [(second, pushed)]
    poll(github)
    assert [asked.path for asked in github.asked] == ["/repos/school/course/forks"]


def test_a_run_that_ends_between_two_pushes_continues_where_it_was(
    github: FakeGitHub, fork: FakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = [push(github, fork, text) for text in (b"1", b"2", b"3")]
    added, add = [], Ledger.add_push

    def dies(ledger: Any, entry: Any) -> None:
        if len(added) == 1:
            raise KeyboardInterrupt
        added.append(entry)
        add(ledger, entry)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Ledger, "add_push", dies)
        poll(github)
    assert times(record(github).pushes) == pushed[:1]
    poll(github)
    assert times(record(github).pushes) == pushed


def test_other_hosts_have_first_seen_times_under_the_servers_clock_too(
    github: FakeGitHub, fork: FakeRepository
) -> None:
    commit, _ = push(github, fork, b"work")
    done = poll(github, Student("on-time", str(fork.path)))["on-time"]
    assert times(done.pushes) == [(commit, github.now)]
    assert done.push.clock is Clock.FIRST_SEEN
    assert [asked.path for asked in github.asked] == ["/repos/school/course/forks"]


def test_a_limit_in_the_middle_of_a_run_lets_git_tell_the_rest(
    github: FakeGitHub, upstream: FakeRepository, fork: FakeRepository
) -> None:
    students = [Student(name, f"{name}/course") for name in ("on-time", "late", "squared")]
    forks = [fork, github.fork(upstream, "late"), github.fork(upstream, "squared")]
    github.later(hours=1)
    pushed = {
        github.push(repository, {PATH: b"%d" % repository.id}): github.now for repository in forks
    }
    github.later(hours=1)
    github.allow(2)
    done = poll(github, *students)
    failed = [entry for entry in done.values() if entry.error]
    assert len(failed) == 2 and all("wants no questions" in entry.error for entry in failed)
    assert sorted(push.clock for entry in done.values() for push in entry.pushes) == [
        "first seen",
        "first seen",
        "server",
    ]
    github.allow(99)
    poll(github, *students)
    assert {
        push.commit: push.time for s in students for push in record(github, s.id).pushes
    } == pushed
