"""The keys of the points pages, and the list of links."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.course.errors import ConfigError, UsageError
from autograder.course.submissions import Student
from autograder.pages import PageKeys, links_csv


def test_the_file_of_keys_is_for_its_owner_alone(tmp_path: Path) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    keys.make_missing(["late"])
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    (tmp_path / "keys.json").chmod(0o644)
    PageKeys.load_or_create(tmp_path / "keys.json")
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]


def test_new_students_change_no_existing_key(tmp_path: Path) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    keys.make_missing(["on-time", "late"])
    before, code = keys.key_of("late"), keys.regrade_code_of("late")
    again = PageKeys.load_or_create(tmp_path / "keys.json")
    again.make_missing(["half-done", "late"])
    assert again.key_of("late") == before
    assert again.regrade_code_of("late") == code
    assert len({again.key_of(student).key for student in ("on-time", "late", "half-done")}) == 3


def test_two_runs_at_once_lose_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    groups = [[f"student-{group}-{number}" for number in range(5)] for group in range(8)]
    runs = [PageKeys.load_or_create(path) for _ in groups]
    with ThreadPoolExecutor(len(groups)) as pool:
        list(pool.map(lambda run, group: run.make_missing(group), runs, groups))
    after = PageKeys.load_or_create(path)
    for run, group in zip(runs, groups, strict=True):
        assert [run.key_of(student) for student in group] == [
            after.key_of(student) for student in group
        ]


def test_rotating_changes_one_students_link_only(tmp_path: Path) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    keys.make_missing(["on-time", "late"])
    old, other = keys.key_of("late"), keys.key_of("on-time")
    new = keys.rotate_key("late")
    assert new.key != old.key
    assert new.page != old.page
    reread = PageKeys.load_or_create(tmp_path / "keys.json")
    assert (reread.key_of("late"), reread.key_of("on-time")) == (new, other)


def test_rotating_an_unknown_student_names_the_nearest(tmp_path: Path) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    keys.make_missing(["half-done"])
    with pytest.raises(UsageError, match="did you mean 'half-done'"):
        keys.rotate_key("half-don")


def test_a_code_is_the_first_40_bits_of_an_hmac(tmp_path: Path) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    secret = bytes.fromhex(json.loads((tmp_path / "keys.json").read_text())["secret"])
    # HMAC by its definition in RFC 2104, for a key shorter than the block of 64 bytes.
    block = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + b"late").digest()
    digest = hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()
    value = 0
    for letter in keys.regrade_code_of("late").replace("-", ""):
        value = 32 * value + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    assert value == int.from_bytes(digest[:5], "big")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: "",
        lambda data: "[]",
        lambda data: json.dumps(data | {"version": 2}),
        lambda data: json.dumps(data | {"secret": "00"}),
        lambda data: json.dumps(
            data | {"students": {"late": {"page": "../../x", "key": "A" * 22}}}
        ),
        lambda data: json.dumps(data | {"students": {"late": {"page": "0" * 32, "key": "AAAA"}}}),
        lambda data: json.dumps({"version": 1}),
    ],
    ids=[
        "empty",
        "a list",
        "another version",
        "short secret",
        "a path as page",
        "short key",
        "no secret",
    ],
)
def test_a_damaged_file_of_keys_is_refused_and_left_alone(
    tmp_path: Path, damage: Callable[..., str]
) -> None:
    path = tmp_path / "keys.json"
    PageKeys.load_or_create(path)
    path.write_text(damaged := damage(json.loads(path.read_text())))
    with pytest.raises(ConfigError, match="restore it from a backup"):
        PageKeys.load_or_create(path)
    assert path.read_text() == damaged


def test_a_key_does_not_show_in_a_repr(tmp_path: Path) -> None:
    keys = PageKeys.load_or_create(tmp_path / "keys.json")
    keys.make_missing(["late"])
    assert keys.key_of("late").key.hex() not in repr(keys.key_of("late"))
    assert repr(keys.key_of("late").key) not in repr(keys.key_of("late")) + repr(keys)


@pytest.mark.parametrize("base", ["https://example.org/points", "https://example.org/points/"])
def test_the_mail_merge_has_whole_links(base: str) -> None:
    students = [
        Student("on-time", "r", name="First, of the class", email="on-time@example.org"),
        Student("late", "r"),
        Student("without-a-page", "r"),
    ]
    links = {"on-time": "p/a.html#k=1", "late": "p/b.html#k=2"}
    assert links_csv(students, links, base).splitlines() == [
        "student,name,email,link",
        'on-time,"First, of the class",on-time@example.org,https://example.org/points/p/a.html#k=1',
        "late,,,https://example.org/points/p/b.html#k=2",
    ]
