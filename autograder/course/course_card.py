"""The course's card, `course.toml` in the public repository: what students' commands must know
about the course.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder.course.errors import UsageError

CARD_FILE = "course.toml"
TEXTS = ("name", "upstream", "branch", "points")


@dataclass(frozen=True)
class Homework:
    """An assignment as students see it: its title, and a deadline for each of its parts, "" naming
    the whole.
    """

    title: str
    deadlines: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """What the public repository says about its course. `points` is the address of the points page,
    "" if unknown.
    """

    name: str = ""
    upstream: str = ""
    branch: str = "master"
    points: str = ""
    assignments: Mapping[str, Homework] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Half a sentence on where official points are."""
        return (
            f"official points: {self.points}"
            if self.points
            else "official points are on the course's page"
        )


def read_card(root: Path) -> Card:
    """Read the card of the repository in a folder; one without a card gives an empty one.

    Raises
    ------
    UsageError
        If there is a card that cannot be read.
    """
    path = root / CARD_FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        assignments = {}
        for name, entry in data.get("assignments", {}).items():
            assignments[name] = Homework(str(entry["title"]), dict(entry.get("deadlines", {})))
        # A card that an older release wrote may lack some: then the defaults stand.
        texts = {key: str(data[key]) for key in TEXTS if key in data}
    except FileNotFoundError:
        return Card()
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{path}: not the course's card ({error}); bring it back: git checkout {CARD_FILE}"
        ) from None
    return Card(**texts, assignments=assignments)


def write_card(card: Card) -> str:
    """Return the text of a card."""
    lines = ["# Made by `autograder publish`; `autograder start`, `check` and `update` read it."]
    for key in TEXTS:
        lines.append(f"{key} = {_quoted(getattr(card, key))}")
    for name, homework in card.assignments.items():
        lines += ["", f"[assignments.{_quoted(name)}]", f"title = {_quoted(homework.title)}"]
        parts = []
        for part, deadline in homework.deadlines.items():
            # Without quotes: TOML has times of its own, and they come back as times.
            parts.append(f"{_quoted(part)} = {deadline.isoformat()}")
        lines.append(f"deadlines = {{ {', '.join(parts)} }}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a TOML basic string has the escapes of JSON's
