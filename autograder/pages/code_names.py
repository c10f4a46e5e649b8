"""Code names: what may stand on a leaderboard, when two of them look alike, and names that are drawn.

Letters of one script only, with or without accents, digits, and single blanks, hyphens or dots between them. So a name
holds no mark-up, cannot turn the line around, and has no letter of another script that looks like one of these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable

from autograder.course.submissions import Student
from autograder.record.page_keys import PageKeys

DRAW = "?"
FEWEST_LETTERS = 3
MOST_LETTERS = 24
# Shorter ones stand within other words: "Ann" in "planner" is nobody's name.
SHORTEST_HIDDEN_NAME = 5
SEPARATORS = " -."
# What looks alike in one font or another is one to us.
LOOKALIKES = (("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("rn", "m"), ("vv", "w"), ("cl", "d"))
REFUSED_LENGTH = f"A code name has {FEWEST_LETTERS} to {MOST_LETTERS} letters."
REFUSED_LETTERS = (
    "A code name is made of the letters a to z, with or without accents, digits, and single blanks, "
    "hyphens or dots between them."
)
REFUSED_DIGITS = "A code name has at least three letters; a number alone could be somebody's."
# One sentence for both: whoever tries names out must not learn who takes the course.
REFUSED_TAKEN = "This code name is taken, or could be somebody’s name: choose another, or “?”."
KINDS = (  # noqa: SIM905
    "amber azure brave bright calm clever copper coral curious daring eager early fair gentle golden "
    "happy hidden honest ivory jolly keen kind lively lucky lunar merry mighty misty noble patient "
    "polite proud quick quiet ready rosy royal rustic sandy scarlet serene sharp shy silent silver "
    "sleepy smart solar spry stellar sturdy sunny swift tidy upbeat velvet vivid warm wild wise witty "
    "young zesty"
).split()
ANIMALS = (  # noqa: SIM905
    "badger beaver bison bobcat camel cheetah condor corgi cougar coyote crane cricket dingo dolphin "
    "donkey dragonfly eagle egret falcon ferret finch flamingo fox gazelle gecko gibbon goose heron "
    "hippo hornet ibex iguana jackal jaguar kestrel kiwi koala lemur leopard lizard llama lynx magpie "
    "marmot marten moose narwhal newt ocelot octopus osprey otter owl panda parrot pelican penguin "
    "puffin python quail rabbit raven robin salmon"
).split()


def explain_bad_form(name: str) -> str:
    """Say in a sentence what is wrong with the form of a code name, empty where nothing is."""
    if not FEWEST_LETTERS <= len(name) <= MOST_LETTERS:
        return REFUSED_LENGTH
    letters = 0
    before = " "
    for sign in name:
        if sign in SEPARATORS:
            if before in SEPARATORS:
                return REFUSED_LETTERS
        elif not _is_plain(sign):
            return REFUSED_LETTERS
        letters += sign.isalpha()
        before = sign
    if before in SEPARATORS:
        return REFUSED_LETTERS
    return "" if letters >= FEWEST_LETTERS else REFUSED_DIGITS


def fold_name(name: str) -> str:
    """Return what a name looks like: equal for names that an eye takes for each other."""
    letters = []
    for sign in unicodedata.normalize("NFD", name.casefold()):
        if sign.isascii() and sign.isalnum():
            letters.append(sign)
    folded = "".join(letters)
    for one, other in LOOKALIKES:
        folded = folded.replace(one, other)
    return folded


class PeopleOfClass:
    """The names and ids of a class, to keep them off a public page."""

    def __init__(self, students: Iterable[Student]) -> None:
        whole: set[str] = set()
        words: set[str] = set()
        for student in students:
            whole.update(map(fold_name, _list_handles(student)))
            words.update(map(fold_name, re.split(r"[^\w]+", student.name)))
        words.update(whole)
        self._words = {word for word in words if len(word) >= FEWEST_LETTERS}
        self._whole = {name for name in whole if len(name) >= SHORTEST_HIDDEN_NAME}

    def is_somebody(self, name: str) -> bool:
        """Whether a code name is, or holds, the name or an id of somebody in the class."""
        folded = fold_name(name)
        if folded in self._words or not self._words.isdisjoint(map(fold_name, name.split())):
            return True
        return any(whole in folded for whole in self._whole)


def draw_code_name(
    keys: PageKeys, board: str, student: str, people: PeopleOfClass, looks: Container[str]
) -> str:
    """Return a code name that only the course's secret leads to, another one on each board; `looks`
    are the folded names that are taken.
    """
    drawn = keys.draw_number(f"code name on {board}", student)
    # Somebody may be called Robin, or have the pair already: then it is the next one's turn.
    for turn in range(len(KINDS) * len(ANIMALS)):
        kind = KINDS[(drawn + turn) % len(KINDS)]
        animal = ANIMALS[(drawn + turn) // len(KINDS) % len(ANIMALS)]
        name = f"{kind} {animal}"
        if fold_name(name) not in looks and not people.is_somebody(name):
            return name
    raise ValueError("a class of thousands has used up all code names")


def _is_plain(sign: str) -> bool:
    """Whether a sign is a Latin letter, with or without an accent, or a digit."""
    # Canonically: compatible forms, such as fullwidth letters, would look like another name.
    base = unicodedata.normalize("NFD", sign)[0]
    return base.isascii() and base.isalnum() and sign.isalnum()


def _list_handles(student: Student) -> list[str]:
    """Return everything that stands for one student elsewhere."""
    address = student.email.partition("@")[0]
    found = [student.id, student.name, student.number, student.account, address]
    # The owner of a fork is an account; a folder on a disk belongs to the course.
    places = re.split("[/:]", student.remote)
    if len(places) > 1 and not student.remote.startswith(("/", ".", "file:")):
        found.append(places[-2])
    return found
