"""The overview written: a page and its tables, in a folder that only its owner can open.

It names students and quotes what hidden tests look at. It lies beside the points site, never in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from autograder.course.errors import UsageError
from autograder.course.whole_files import PRIVATE, write_whole
from autograder.overview import overview_plots as plots
from autograder.overview.class_overview import ClassOverview
from autograder.overview.needing_attention import Need
from autograder.overview.overview_tables import write_tables
from autograder.pages.template_environment import make_environment

FOLDER = "overview"
INDEX = "index.html"
OWNER_ONLY = 0o700
STATIC_OF_PAGES = ("pages.css", "times.js", "icon.svg")


def write_overview(overview: ClassOverview, folder: Path) -> Path:
    """Write the page and the tables of an overview; return the page.

    Raises
    ------
    UsageError
        If the folder is in the points site, which is published.
    DiskFailed
        If a file cannot be written.
    """
    site = overview.course.site.resolve()
    if folder.resolve().is_relative_to(site):
        raise UsageError(f"{folder}: is in {site}, which everybody can read; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    # Before anything is in it: other users of a shared machine could open a file meanwhile.
    folder.chmod(OWNER_ONLY)
    write_private_files(folder, {INDEX: render_overview(overview), **write_tables(overview)})
    return folder / INDEX


def write_private_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files that only their owner can read, and the style sheets beside them."""
    for name, text in texts.items():
        # A student's text may hold half a surrogate pair, which no encoding knows.
        write_whole(folder / name, text.encode("utf-8", "replace"), "overview", mode=PRIVATE)
    for name in STATIC_OF_PAGES:
        content = (files("autograder.pages") / "static" / name).read_bytes()
        write_whole(folder / "static" / name, content, "overview", mode=PRIVATE)
    style = (files("autograder.overview") / "templates" / "overview.css").read_bytes()
    write_whole(folder / "static" / "overview.css", style, "overview", mode=PRIVATE)


def render_overview(overview: ClassOverview) -> str:
    """Return the page of an overview."""
    templates = make_environment(overview.course, "autograder.overview")
    templates.globals |= {"now": overview.now, "plots": plots, "Need": Need}
    progress = plots.draw_progress(overview.progress)
    return templates.get_template("overview.html").render(
        root="", overview=overview, progress=progress
    )
