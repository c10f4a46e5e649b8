"""What a release found out about an assignment's tests: where each runs, and why.

`solutions/NAME.tests.json` belongs to `solutions/NAME/NAME.ipynb`. Most courses have none: their
tests run outside of the jail as they are. Grading reads it and chooses nothing itself, so that
equal answers get equal points.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.errors import ExamError
from autograder.course.whole_files import write_whole

VERSION = 1


@dataclass(frozen=True)
class RecordedTests:
    """What is known of an assignment's tests.

    Attributes
    ----------
    source : str
        Fingerprint of the source notebook, and of the file its tests are made by, when this was
        found out.
    inside : mapping of str to str
        Exercises that are tested inside the jail, each with the reason.
    made : mapping of str to str
        Test cells that nbgrader made from `### AUTOTEST` lines, by their ids.
    """

    source: str = ""
    inside: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)


def record_path(source: Path) -> Path:
    """Return where a record lies: beside the source's folder, of which nbgrader copies all."""
    folder = source.parent
    # The records of all notebooks of a folder lie side by side.
    name = source.stem if source.stem == folder.name else f"{folder.name}.{source.stem}"
    return folder.with_name(f"{name}.tests.json")


def fingerprint(source: Path) -> str:
    """Return the fingerprint of a source notebook and of the file its tests are made by."""
    digest = hashlib.sha256(source.read_bytes())
    # Where nbgrader looks, in its order: beside the notebook, then in the course's folder.
    for folder in (source.parent, source.parent.parent.parent):
        autotests = folder / "autotests.yml"
        if autotests.is_file():
            digest.update(autotests.read_bytes())
            break
    return digest.hexdigest()


def read_recorded_tests(source: Path) -> RecordedTests:
    """Read the record of a source notebook; an empty one where there is none.

    Raises
    ------
    ExamError
        If the file is not such a record.
    """
    path = record_path(source)
    if not path.exists():
        return RecordedTests()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"it is of version {data['version']!r}, this program reads {VERSION}")
        return RecordedTests(str(data["source"]), _texts(data["inside"]), _texts(data["made"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        step = "release the assignment again"
        raise ExamError(f"{path}: not what a release writes ({error}); {step}") from None


def write_recorded_tests(source: Path, tests: RecordedTests) -> None:
    """Write the record of a source notebook; remove it where there is nothing to say."""
    path = record_path(source)
    if not tests.inside and not tests.made:
        path.unlink(missing_ok=True)
        return
    data = {
        "version": VERSION,
        "source": tests.source,
        "inside": dict(tests.inside),
        "made": dict(tests.made),
    }
    content = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    # A file that is as it was keeps its time: git and make would take it for a change.
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        write_whole(path, content.encode(), "tests")


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()}
