"""The templates' environment: everything escaped, nothing undefined, times in the course's zone."""

from __future__ import annotations

import re
from datetime import datetime
from types import CodeType
from urllib.parse import quote, urlsplit

from jinja2 import BytecodeCache, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from autograder.course.configuration import Course
from autograder.course.names import label_notebook, quote_name
from autograder.course.reports import round_points
from autograder.course.submissions import Push
from autograder.pages.status_signs import OF_CLOCK, OF_OUTCOME

# Nothing but the site's own files, no inline script or style, no form, no other base for links.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


class CompiledTemplates(BytecodeCache):
    """The templates that this process has compiled, for all its environments: compiling them takes
    longer than rendering a course's pages.
    """

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in a template's code if it was compiled before, from the same text."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = CompiledTemplates()


def compile_templates(course: Course) -> None:
    """Compile the templates of the points pages, for environments to come."""
    environment = make_environment(course)
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)


def make_environment(course: Course, *rooms: str) -> Environment:
    """Return the environment in which a course's templates are rendered, those of other rooms
    beside our own.
    """
    # Our own last: a room's template is found before one of ours of the same name.
    loaders = [PackageLoader(room) for room in (*rooms, "autograder.pages")]
    made = Environment(
        loader=ChoiceLoader(loaders),
        bytecode_cache=_COMPILED,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": write_number,
        "prose": render_prose,
        "word": quote_name,
        "label": label_notebook,
        "short": lambda commit: commit[:7],
        "local": course.write_moment,
        "day": lambda moment: write_day(course, moment),
        "date": lambda moment: course.to_local_time(moment).date().isoformat(),
        "measured": lambda score: f"{score:.6g}",
        "iso": lambda moment: course.to_local_time(moment).isoformat(timespec="seconds"),
    }
    made.globals |= {
        "course": course,
        "policy": POLICY,
        "of_outcome": OF_OUTCOME,
        "of_clock": OF_CLOCK,
    }
    return made


def make_anchor(name: str) -> str:
    """Return a name as a part of an element's id, in which there may be no blank.

    No name has a colon in it, so that two names never give one id.
    """
    return quote(name, safe="").replace("%", ":")


def write_number(points: float) -> str:
    """Write points as a person would: `7`, `7.5`, `6.67`."""
    return f"{round_points(points):.2f}".rstrip("0").rstrip(".")


def write_day(course: Course, moment: datetime) -> str:
    """Write the day of a moment in the course's zone, without its year: `Sat 6 Mar`."""
    local = course.to_local_time(moment)
    return f"{local:%a} {local.day} {local:%b}"


def render_prose(sentence: str) -> Markup:
    """Escape a sentence; what stands in it between backticks becomes code."""
    # Escaped first: what the backticks enclose may be a student's own line.
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))


def make_commit_url(remote: str, push: Push) -> str:
    """Return the address of a commit on its forge's site, empty if the remote is no plain https
    URL.
    """
    try:
        url = urlsplit(remote)
    except ValueError:
        return ""
    # Whoever fetches with a token in the URL would find it on a page.
    if url.scheme != "https" or not url.hostname or "@" in url.netloc:
        return ""
    return f"https://{url.netloc}{url.path.rstrip('/').removesuffix('.git')}/commit/{push.commit}"
