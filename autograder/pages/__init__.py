"""The points pages: what every student looks at at midnight, as a folder of static files.

Pure rendering: standings and records in, files out. The course page is for everybody and names nobody; each student's
own page lies in the same folder, encrypted with a key that only their link carries.
"""

from __future__ import annotations

from autograder.pages.points_site import SiteSource, build_site
from autograder.pages.student_links import links_csv
from autograder.pages.template_environment import compile_templates
from autograder.record.page_keys import PageKey, PageKeys

__all__ = ["PageKey", "PageKeys", "SiteSource", "build_site", "compile_templates", "links_csv"]
