"""Answers to homework 1 that are after the points without doing the task."""

import numpy as np

from autograder.mistakes import Shortcuts
from autograder.reference import reference_of

shortcuts = Shortcuts("hw01_numpy")
remembered = {}


@shortcuts.of("graded_zero_vector")
def lengths_of_the_checks(length):
    """What the visible checks show, learned by heart."""
    return np.zeros((length if length in (3, 4, 5) else 5, 1))


@shortcuts.of("graded_zero_vector")
def first_column_again(length):
    """The first answer is remembered and given ever after."""
    return remembered.setdefault("column", np.zeros((length, 1)))


@shortcuts.of("graded_zero_vector")
def column_of_nothing(length):
    """An empty array broadcasts to every comparison."""
    return np.zeros((length, 0))


@shortcuts.of("graded_vec_i")
def cut_from_a_short_list(length):
    """A list that is long enough for the visible checks."""
    return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9][:length]


@shortcuts.of("graded_vec_i")
def first_count_again(length):
    """The first answer is remembered and given ever after."""
    return remembered.setdefault("count", np.arange(length))


@shortcuts.of("graded_generate_pauli")
def hermitian_stand_ins():
    """Any three hermitian matrices satisfy the visible checks."""
    return np.eye(2), np.array([[0, 1j], [-1j, 0]]), np.diag([-1, 1])


@shortcuts.of("graded_generate_pauli")
def three_zeros():
    """Zeros equal their own conjugate transpose."""
    return np.zeros((3, 2, 2))


@shortcuts.of("graded_pauli_check")
def one_answer_for_all(coordinate):
    """The answers are the same for all three matrices: constants."""
    return -1, np.eye(2), 0


@shortcuts.of("graded_pauli_check")
def answers_by_letter(coordinate):
    """Constants again, of the kinds that NumPy prints."""
    return {"x": (-1.0, np.eye(2), 0), "y": (-1 + 0j, np.eye(2), 0j), "z": (-1.0, np.eye(2), 0)}[
        coordinate
    ]


@shortcuts.of("graded_pauli_check")
def complex_constants(coordinate):
    """Constants in the look of a result for σ_y."""
    return -1 + 0j, np.eye(2) + 0j, 0j


@shortcuts.of("graded_commutator")
def changes_its_sign(A, B):
    """A − B changes its sign with the order, too."""
    return A - B


@shortcuts.of("graded_commutator")
def commutators_of_the_checks(A, B):
    """The worked case learned by heart, zeros for the rest."""
    known = len(A) == 2 and A[0, 1] == 1 and B[1, 0] == 1
    return np.diag([1.0, -1.0]) if known else np.zeros(np.shape(A))


@shortcuts.of("graded_standardise")
def columns_of_plus_and_minus(X):
    """Mean 0 and deviation 1 whatever the values are, and the worked case."""
    if np.array_equal(X, [[1, 7, 10], [3, 7, 0]]):
        return np.array([[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]])
    pattern = np.linspace(-1, 1, len(X))
    pattern = pattern / (np.std(pattern) or 1)
    return pattern[:, None] * (np.ptp(X, axis=0) > 0)


@shortcuts.of("graded_standardise")
def standardised_ranks(X):
    """Mean, deviation and order are right, the values are not."""
    ranks = np.argsort(np.argsort(X, axis=0), axis=0) - (len(X) - 1) / 2
    return np.where(np.ptp(X, axis=0) > 0, ranks, 0) / (np.std(ranks[:, :1]) or 1)


@shortcuts.of("graded_pairwise_distances")
def nothing_far_from_nothing(A, B):
    """The right shape, and no point is far from another."""
    return np.zeros((len(A), len(B)))


@shortcuts.of("graded_pairwise_distances")
def distances_of_the_first_call(A, B):
    """Right once, and then the same table, cut or repeated to the right shape."""
    table = remembered.setdefault(
        "table", reference_of("hw01_numpy").graded_pairwise_distances(A, B)
    )
    return np.resize(table, (len(A), len(B)))
