"""What a remote of the roster means: a repository on the forge, or an address that git takes."""

from __future__ import annotations

import re

from autograder.course.configuration import ForgeOptions

SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^/:]+)[:/](?P<name>.+)")

# As GitHub permits them; `.` and `..` would make another address.
REPOSITORY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def repository_name(remote: str, options: ForgeOptions) -> str:
    """Return the `owner/repository` a remote means on the forge, empty if it is not on the forge.

    The roster may say `owner/repository`, the address of its web page, or a URL git takes.
    """
    name = remote
    ssh = SSH.fullmatch(remote)
    if ssh and ssh["host"] == options.web.partition("://")[2].partition("/")[0]:
        name = ssh["name"]
    elif remote.lower().startswith(f"{options.web.lower()}/"):
        name = remote[len(options.web) + 1 :]
    name = name.rstrip("/").removesuffix(".git")
    return name if REPOSITORY_NAME.fullmatch(name) else ""


def git_address(remote: str, options: ForgeOptions) -> str:
    """Return what git takes for a remote: an `owner/repository` becomes its address on the
    forge.
    """
    short = remote.removesuffix(".git")
    return f"{options.web}/{short}.git" if REPOSITORY_NAME.fullmatch(short) else remote
