"""Digits read right, of 1,000 that nobody has seen.

The pictures are drawn here, stroke by stroke, by a hand of our own. There is nothing to be looked up, and a network
that was trained at home on all digits of scikit-learn's reads a third of them. `my_networks` gets 600 and
never sees the others; the reference's forward pass reads those.
"""

from itertools import pairwise

import numpy as np

from autograder.marking import Hint, reference_of

BETTER = "more"
SEED = [2027, 3]  # the course's own: another one is another board
SHOWN, HIDDEN = 600, 1000
MOST_NETWORKS, MOST_NUMBERS = 5, 10_000

reference = reference_of("hw03_neural_networks")

# In a square of 100 by 100, y downwards. An arc: centre, half axes, from which angle to which.
STROKES = {
    0: "arc 50 50 28 40 0 360",
    1: "line 38 28 54 12 54 88",
    2: "arc 50 32 24 22 180 380 line 70 44 28 88 76 88",
    3: "arc 46 31 23 20 190 450 arc 46 69 26 21 270 520",
    4: "line 60 12 24 60 80 60 line 62 36 62 90",
    5: "line 72 12 34 12 30 46 arc 48 64 25 25 235 500",
    6: "line 62 10 36 46 arc 50 66 24 23 0 360 line 36 46 27 62",
    7: "line 24 14 76 14 42 90",
    8: "arc 50 31 20 19 0 360 arc 50 70 25 21 0 360",
    9: "arc 50 34 24 23 0 360 line 74 36 66 90",
}


def trace(strokes):
    "Points along the strokes of a digit, around 0."
    words = strokes.split()
    points = []
    while words:
        kind = words.pop(0)
        numbers = []
        while words and words[0] not in ("arc", "line"):
            numbers.append(float(words.pop(0)))
        if kind == "arc":
            x, y, width, height, start, end = numbers
            turn = np.radians(np.linspace(start, end, 28))
            points.append(np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], axis=1))
        else:
            corners = np.reshape(numbers, (-1, 2))
            for one, other in pairwise(corners):
                points.append(one + np.linspace(0, 1, 12)[:, None] * (other - one))
    return np.concatenate(points) - 50


LINES = {digit: trace(strokes) for digit, strokes in STROKES.items()}
GRID = (np.arange(24) + 0.5) * 100 / 24  # three by three of these are one of the picture's pixels


def draw(digit, hand):
    "One picture of a digit, (64,) from 0 to 1, as a hand writes it: leaning, wide or narrow, trembling."
    points = LINES[digit]
    turn, shear = hand.normal(0, 0.14), hand.normal(0, 0.18)
    wide, high = hand.uniform(0.62, 1.08, size=2)
    shape = np.array(
        [
            [wide * np.cos(turn), shear - high * np.sin(turn)],
            [wide * np.sin(turn), high * np.cos(turn)],
        ]
    )
    waves = hand.normal(0, 4.5, size=(2, 2))
    trembling = waves[0] * np.sin(points[:, ::-1] / 22 + hand.uniform(0, 6, 2))
    trembling = trembling + waves[1] * np.cos(points / 31)
    points = (points + trembling) @ shape.T + 50 + hand.normal(0, 4, size=2)
    across = (GRID[:, None] - points[:, 0]) ** 2
    down = (GRID[:, None] - points[:, 1]) ** 2
    nearest = (down[:, None] + across[None]).min(axis=-1)
    ink = nearest < hand.uniform(4.5, 7.5) ** 2
    pixels = ink.reshape(8, 3, 8, 3).sum(axis=(1, 3)) / 9
    pixels = pixels + hand.normal(0, 0.06, size=(8, 8)) * (pixels > 0)
    return np.round(16 * np.clip(pixels, 0, 1)).reshape(64) / 16


def as_numbers(network):
    "A network's parameters as arrays of floats, None where they are not what nn_forward can use."
    if not isinstance(network, dict) or len(network) > 40:
        return None
    arrays = {}
    for name, value in network.items():
        array = np.asarray(value)
        if (
            not isinstance(name, str)
            or array.dtype.kind not in "fiu"
            or not np.isfinite(array).all()
        ):
            return None
        arrays[name] = array.astype(float)
    return arrays


hand = np.random.default_rng(SEED)
labels = hand.permutation(np.arange(SHOWN + HIDDEN) % 10)
pictures = np.array([draw(label, hand) for label in labels])

answer = my_networks(pictures[:SHOWN].copy(), labels[:SHOWN].copy())  # noqa: F821
if not isinstance(answer, list | tuple) or not 1 <= len(answer) <= MOST_NETWORKS:
    raise Hint("`my_networks` returns a list of one to five dictionaries of parameters.")
networks = [as_numbers(network) for network in answer]
if None in networks:
    raise Hint(
        "Each network is a dictionary of parameters, all of them numbers, none `nan` or infinite."
    )
if max(sum(value.size for value in network.values()) for network in networks) > MOST_NUMBERS:
    raise Hint("A network has at most 10,000 numbers.")

P = np.mean([reference.nn_forward(network, pictures[SHOWN:])[0] for network in networks], axis=0)
int(np.sum(np.argmax(P, axis=1) == labels[SHOWN:]))
