"""What cells showed, as nbformat outputs made anew from what the jail says they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.course.errors import WireError
from autograder.kernel.wire import is_list_of

Output = dict[str, Any]

# Twice what an honest jail records: that one cuts at 2,000 itself.
MAX_OUTPUTS: Final = 4_000


def check_outputs(outputs: object, most: int) -> list[Output]:
    """Return nbformat outputs with exactly the fields they should have.

    Parameters
    ----------
    outputs : object
        What came from the jail.
    most : int
        Characters allowed in all of them together.

    Raises
    ------
    WireError
        If they are not outputs, or more than allowed.
    """
    if type(outputs) is not list or len(outputs) > MAX_OUTPUTS:
        raise WireError("malformed message (outputs)")
    clean = list(map(_checked, outputs))
    if sum(map(count_characters, clean)) > most:
        raise WireError("a cell that shows too much")
    return clean


def _checked(output: object) -> Output:
    if type(output) is not dict:
        raise WireError("malformed message (an output)")
    try:
        return _KINDS[output["output_type"]](output)
    except (KeyError, TypeError) as error:
        raise WireError(f"malformed message (an output: {type(error).__name__})") from None


def _stream(output: Output) -> Output:
    # Any other stream would be no valid notebook, which nbgrader refuses as a whole.
    name = output["name"] if output["name"] in ("stdout", "stderr") else "stdout"
    return {"output_type": "stream", "name": name, "text": _text(output["text"])}


def _display(output: Output) -> Output:
    data = _bundle(output["data"])
    metadata = _bundle(output["metadata"])
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def _result(output: Output) -> Output:
    count = output["execution_count"]
    if type(count) is not int:
        raise TypeError
    return _display(output) | {"output_type": "execute_result", "execution_count": count}


def _error(output: Output) -> Output:
    lines = output["traceback"]
    if type(lines) is not list:
        raise TypeError
    texts = {"ename": _text(output["ename"]), "evalue": _text(output["evalue"])}
    return {"output_type": "error", **texts, "traceback": list(map(_text, lines))}


_KINDS: Final[dict[str, Callable[[Output], Output]]] = {
    "stream": _stream,
    "display_data": _display,
    "execute_result": _result,
    "error": _error,
}


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    # A lone surrogate cannot be written to a file: the report would be lost with it.
    return value.encode("utf-8", "replace").decode("utf-8")


def _bundle(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise TypeError
    return {_text(key): _json(item) for key, item in value.items()}


def _json(value: object) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) is list:
        return list(map(_json, value))
    return _bundle(value) if type(value) is dict else _text(value)


def count_characters(value: object) -> int:
    """Return the characters in an output, roughly."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + count_characters(item) for key, item in value.items())
    # Numbers and None count too, or a list of them would be of any length.
    return sum(map(count_characters, value)) if isinstance(value, list) else 8


class DisplayedOutputs:
    """The outputs shown under a display id, which later cells may change."""

    def __init__(self) -> None:
        self._outputs: dict[str, list[Output]] = {}

    def add(self, outputs: list[Output], ids: list[Any]) -> None:
        """Remember which of a cell's outputs carry an id; `ids` holds [index, id] for each.

        Raises
        ------
        WireError
            If `ids` says something else.
        """
        for entry in ids:
            if not is_list_of(entry, int, str):
                raise WireError("malformed message (a display id)")
            index, name = entry
            if 0 <= index < len(outputs):
                self._outputs.setdefault(name, []).append(outputs[index])

    def update(self, updates: list[Any]) -> None:
        """Change earlier outputs; `updates` holds [id, data, metadata] for each.

        Raises
        ------
        WireError
            If `updates` says something else.
        """
        for entry in updates:
            if not is_list_of(entry, str, dict, dict):
                raise WireError("malformed message (an update)")
            name, data, metadata = entry
            fresh = _checked({"output_type": "display_data", "data": data, "metadata": metadata})
            # An id that nobody has shown is passed over, as a notebook does.
            for output in self._outputs.get(name, []):
                if output["output_type"] in ("display_data", "execute_result"):
                    output.update(data=fresh["data"], metadata=fresh["metadata"])
