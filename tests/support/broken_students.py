"""Ways in which what belongs to one student can be broken, each with what is to be said of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from small_class import WRONG, Class, answer


def a_bad_line(small: Class, student: str) -> None:
    with small.ledger(student).open("ab") as file:
        file.write(b"{broken\n")


def points_by_an_editor(small: Class, student: str) -> None:
    path = small.ledger(student)
    path.write_text(path.read_text().replace('"points":2.0', '"points":100.0'))


def a_folder_for_a_ledger(small: Class, student: str) -> None:
    small.ledger(student).unlink()
    small.ledger(student).mkdir()


def a_file_for_a_store(small: Class, student: str) -> None:
    store = small.root / "forks" / f"{student}.git"
    shutil.rmtree(store)
    store.write_text("no repository")


def a_file_for_a_remote(small: Class, student: str) -> None:
    shutil.rmtree(small.remote(student).path)
    small.remote(student).path.write_text("no repository")


def a_vanished_remote(small: Class, student: str) -> None:
    shutil.rmtree(small.remote(student).path)


def a_file_for_the_formgraders_folder(small: Class, student: str) -> None:
    shutil.rmtree(small.root / "autograded" / student)
    (small.root / "autograded" / student).write_text("no folder")
    small.push(student, answer(student, WRONG), "second")


FAULTS: dict[str, tuple[Callable[[Class, str], None], str]] = {
    "a line that is no JSON": (a_bad_line, "{}.jsonl, line 3: cannot be read"),
    "100 of 2 points": (
        points_by_an_editor,
        "{}.jsonl, line 2: cannot be read (its checksum is wrong",
    ),
    "a folder in the place of the ledger's file": (a_folder_for_a_ledger, "not collected: {}: "),
    "a file in the place of the store": (a_file_for_a_store, "forks/{}.git"),
    "a file in the place of the remote": (a_file_for_a_remote, "not collected: {}: "),
    "a remote that vanished": (a_vanished_remote, "not collected: {}: "),
    "a file in the place of a folder": (
        a_file_for_the_formgraders_folder,
        "{}: the gradebook keeps what it had",
    ),
}
