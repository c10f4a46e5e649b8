"""The jail's matplotlib has the list of fonts that the grader's has made, where that can be relied upon."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jails import jailed_kernel
from matplotlib.font_manager import FontManager, fontManager, json_dump

from autograder.jail import Jail
from autograder.jail.font_lists import lay_out_font_lists, open_font_lists

pytestmark = pytest.mark.usefixtures("own_zygotes")

NAME = f"fontlist-v{FontManager.__version__}.json"
DRAWING = (
    "import hashlib, matplotlib.pyplot as plt, matplotlib.font_manager as fonts\n"
    "figure, axes = plt.subplots()\naxes.plot([1, 3, 2])\naxes.set_title('Loss $w^2$')\n"
    "axes.set_ylabel('J', family='serif')\nfigure.savefig('figure.png')\n"
    "answer = [hashlib.sha256(open('figure.png', 'rb').read()).hexdigest(),\n"
    "          [entry.name for entry in fonts.fontManager.ttflist]]"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the grader's matplotlib keeps what it knows, with its list of fonts."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("MPLCONFIGDIR", str(folder))
    json_dump(fontManager, folder / NAME)
    return folder


def add_font(file: Path, name: str, path: str) -> None:
    fonts = json.loads(file.read_text(encoding="utf-8"))
    fonts["ttflist"].append(fonts["ttflist"][0] | {"name": name, "fname": path})
    file.write_text(json.dumps(fonts), encoding="utf-8")


def hand_on(folder: Path) -> dict[str, Any]:
    """Return the lists that a warm process gets."""
    folder.mkdir()
    lay_out_font_lists(open_font_lists(), str(folder))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir()}


def draw_in_jail(rung: int | None = None) -> tuple[str, list[str]]:
    """Return what a figure's bytes are known by, and the names of the fonts in the jail."""
    with Jail(rung=rung, modules=("matplotlib.pyplot",)) as jail, jailed_kernel(jail) as kernel:
        ran = kernel.run_cell(DRAWING)
        assert ran.error is None, ran.error
        figure, names = kernel.namespace["answer"]
        return figure, names


def test_every_list_is_handed_on_as_it_is(cache: Path, tmp_path: Path) -> None:
    other = cache / "fontlist-v1.json"
    other.write_bytes((cache / NAME).read_bytes())
    (cache / "tex.cache").touch()
    given = json.loads(other.read_text(encoding="utf-8"))
    assert hand_on(tmp_path / "home") == {NAME: given, other.name: given}


@pytest.mark.parametrize(
    "path", ["/root/fonts/Own.ttf", "/usr/share/fonts/../../../root/Own.ttf", "../../../Own.ttf"]
)
def test_where_the_grader_keeps_fonts_of_its_own_is_not_told(
    cache: Path, tmp_path: Path, path: str
) -> None:
    add_font(cache / NAME, "Own", path)
    fonts = hand_on(tmp_path / "home")[NAME]["ttflist"]
    assert fonts
    assert not [entry for entry in fonts if entry["name"] == "Own"]


def replace_by_link(file: Path) -> None:
    elsewhere = file.rename(file.with_name("elsewhere"))
    file.symlink_to(elsewhere)


def replace_by_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda file: file.write_text('{"ttflist": [', encoding="utf-8"),
        lambda file: file.write_text("[]", encoding="utf-8"),
        lambda file: file.write_text('{"ttflist": [1], "afmlist": []}', encoding="utf-8"),
        lambda file: file.write_bytes(b"\xff"),
        lambda file: file.chmod(0o666),
        replace_by_link,
        replace_by_pipe,
        replace_by_folder,
        pytest.param(
            lambda file: os.chown(file, 12345, -1),
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
    ids=[
        *("none", "half of one", "no list", "no fonts", "no text"),
        *("anybody's to write", "a link", "a pipe", "a folder", "somebody else's"),
    ],
)
def test_a_list_that_cannot_be_relied_upon_is_left_out(
    cache: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(cache / NAME)
    assert hand_on(tmp_path / "home") == {}


@pytest.mark.slow
def test_a_jail_with_the_list_parses_no_font_and_draws_the_same(cache: Path, rung: int) -> None:
    # In no font's file, so it is known only to who has read the list.
    add_font(cache / NAME, "Known From The List", "fonts/ttf/DejaVuSans.ttf")
    figure, names = draw_in_jail(rung)
    assert "Known From The List" in names
    (cache / NAME).write_text(
        '{"ttflist": [{"fname": "x"}], "afmlist": [], "__class__": "FontManager"}'
    )
    same_figure, other_names = draw_in_jail(rung)
    assert other_names
    assert "Known From The List" not in other_names
    assert figure == same_figure
