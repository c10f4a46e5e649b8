"""Something made in a checkout of the instructors' repository, committed and pushed to the branch
it is on.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograder.course.configuration import Course
from autograder.course.errors import GitFailed, UsageError
from autograder.forge.forge_protocol import open_forge
from autograder.git.repository import GitRepository


def commit_paths(course: Course, paths: Sequence[str], message: str, remote: str = "origin") -> str:
    """Commit these paths as they are in the working folder, push the commit, and return it; "" if
    nothing changed.

    What else was changed or staged stays as it is. Nothing is committed here that could not be
    pushed.

    Raises
    ------
    UsageError
        If no branch is checked out.
    GitFailed
        If a path does not exist, or the remote does not take the commit: its branch has moved on,
        for example.
    """
    here = GitRepository(course.root)
    branch = here.says("symbolic-ref", "--quiet", "--short", "HEAD")
    if branch is None:
        raise UsageError(
            f"{course.root}: no branch is checked out; run this on the branch that is to get the commit"
        )
    head = here.git("rev-parse", "HEAD")
    # Through an index of its own: what a person has staged is not part of this commit.
    with here.other_index() as index:
        index.git("read-tree", head)
        index.git("add", "--all", "--", *paths)
        tree = index.git("write-tree")
    if tree == here.git("rev-parse", f"{head}^{{tree}}"):
        return ""
    commit = here.commit_tree(tree, message, head)
    outside = GitRepository(here.path, here.settings, open_forge(course.forge).make_credentials())
    try:
        outside.git("push", "--quiet", "--", remote, f"{commit}:refs/heads/{branch}")
    except GitFailed as error:
        if "rejected" not in str(error):
            raise
        raise GitFailed(
            f"{error}; if others pushed meanwhile: git pull --rebase, then this again"
        ) from None
    # Pushed before the branch moves here; and only if nobody else moved it meanwhile.
    here.git("update-ref", "HEAD", commit, head)
    here.git("reset", "--quiet", "--", *paths)
    return commit
