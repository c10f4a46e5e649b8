"""Wrong answers to homework 1 as students gave them, each with the hint it earns."""

import math

import numpy as np

from autograder.mistakes import Mistakes
from autograder.reference import reference_of

mistakes = Mistakes("hw01_numpy")


# --- graded_zero_vector --------------------------------------------------------------------------------------------


@mistakes.of(
    "graded_zero_vector",
    hint="A column has two axes: its shape is (length, 1), not (length,).",
    keeps=(2, 3),
)
def flat_zeros(length):
    return np.zeros(length)


@mistakes.of(
    "graded_zero_vector",
    hint="That is a row. A column has `length` rows and one column: (length, 1).",
    keeps=(2, 3),
)
def row_of_zeros(length):
    return np.zeros((1, length))


@mistakes.of("graded_zero_vector", hint="The length is fixed in the function: use its argument.")
def ten_zeros(length):
    return np.zeros((10, 1))


@mistakes.of("graded_zero_vector", hint="These are ones; the vector should hold zeros.", keeps=(1,))
def column_of_ones(length):
    return np.ones((length, 1))


@mistakes.of(
    "graded_zero_vector", hint="That is a square matrix of zeros; a column has only one column."
)
def square_of_zeros(length):
    return np.zeros((length, length))


@mistakes.of("graded_zero_vector", hint="One zero too many: the column has `length` rows.")
def one_zero_too_many(length):
    return np.zeros((length + 1, 1))


# --- graded_vec_i --------------------------------------------------------------------------------------------------


@mistakes.of(
    "graded_vec_i",
    hint="Count from 0: the first entry is 0 and the last one length − 1.",
    keeps=(1, 3),
)
def counting_from_one(length):
    return np.arange(1, length + 1)


@mistakes.of("graded_vec_i", hint="One entry too many: the last one is length − 1.", keeps=(2,))
def counting_too_far(length):
    return np.arange(length + 1)


@mistakes.of("graded_vec_i", hint="The length is fixed in the function: use its argument.")
def ten_numbers(length):
    return np.arange(10)


@mistakes.of(
    "graded_vec_i", hint="The vector is flat, of shape (length,), not a column.", keeps=(2,)
)
def counting_column(length):
    return np.arange(length).reshape(length, 1)


@mistakes.of("graded_vec_i", hint="Entry number i is i itself, not its factorial.", keeps=(1, 3))
def factorials(length):
    return np.array([math.factorial(i) for i in range(length)], dtype=float)


@mistakes.of("graded_vec_i", hint="Entry number i is i itself, not its square.", keeps=(1, 3))
def squares(length):
    return np.arange(length) ** 2


@mistakes.of("graded_vec_i", hint="Right numbers, wrong order: the first entry is 0.")
def counting_down(length):
    return np.arange(length)[::-1]


@mistakes.of(
    "graded_vec_i",
    hint="np.linspace spreads the numbers evenly up to its end: with it the steps are not 1.",
    keeps=(1, 3),
)
def evenly_spread(length):
    return np.linspace(0, length, length)


# --- graded_generate_pauli -----------------------------------------------------------------------------------------


def pauli():
    """The three right matrices, as copies."""
    return tuple(np.array(sigma) for sigma in reference_of("hw01_numpy").graded_generate_pauli())


@mistakes.of(
    "graded_generate_pauli",
    hint="The signs of σ_y are the other way round: −i stands in the upper right.",
    keeps=(1, 2, 4),
)
def conjugate_of_y():
    X, Y, Z = pauli()
    return X, Y.conj(), Z


@mistakes.of(
    "graded_generate_pauli",
    hint="The entries of σ_y are imaginary: Python writes i as 1j.",
    keeps=(1, 2, 4),
)
def real_y():
    X, _, Z = pauli()
    return X, np.array([[0, -1], [1, 0]]), Z


@mistakes.of(
    "graded_generate_pauli",
    hint="Both entries of σ_y have the same sign in your answer; one of them is −i.",
    keeps=(1, 2, 4),
)
def symmetric_y():
    X, _, Z = pauli()
    return X, np.array([[0, 1j], [1j, 0]]), Z


@mistakes.of(
    "graded_generate_pauli",
    hint="σ_z has −1 in its lower right; yours is the identity.",
    keeps=(1, 2, 3),
)
def identity_for_z():
    X, Y, _ = pauli()
    return X, Y, np.eye(2)


@mistakes.of("graded_generate_pauli", hint="The order is X, Y, Z.", keeps=(1, 3))
def wrong_order():
    X, Y, Z = pauli()
    return Z, Y, X


@mistakes.of(
    "graded_generate_pauli",
    hint="Return the three matrices side by side, `return X, Y, Z`, not their sum.",
)
def only_one_matrix():
    return sum(pauli())


@mistakes.of(
    "graded_generate_pauli",
    hint="All three are σ_x: each matrix needs entries of its own.",
    keeps=(1, 2),
)
def three_times_the_first():
    X, _, _ = pauli()
    return X, X, X


# --- graded_pauli_check --------------------------------------------------------------------------------------------


def sigma_of(coordinate):
    """The right Pauli matrix of a coordinate."""
    return pauli()["xyz".index(coordinate.lower())]


@mistakes.of(
    "graded_pauli_check",
    hint="Each entry is squared by itself. The square of a matrix is the matrix product, rows times columns.",
    keeps=(1, 3),
)
def element_wise_square(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma), np.square(sigma), np.trace(sigma)


@mistakes.of(
    "graded_pauli_check",
    hint="The trace of the matrix itself is asked for, not that of its square.",
    keeps=(1, 2),
)
def trace_of_the_square(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma), sigma @ sigma, np.trace(sigma @ sigma)


@mistakes.of(
    "graded_pauli_check",
    hint="The determinant of the matrix itself is asked for, not that of its square.",
    keeps=(2, 3),
)
def determinant_of_the_square(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma @ sigma), sigma @ sigma, np.trace(sigma)


@mistakes.of(
    "graded_pauli_check", hint="The order of the answers is determinant, square, trace.", keeps=(2,)
)
def answers_in_another_order(coordinate):
    sigma = sigma_of(coordinate)
    return np.trace(sigma), sigma @ sigma, np.linalg.det(sigma)


@mistakes.of(
    "graded_pauli_check",
    hint="σ times its transpose is not σ²: for σ_y the sign is different.",
    keeps=(1, 3),
)
def product_with_the_transpose(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma), sigma @ sigma.T, np.trace(sigma)


@mistakes.of(
    "graded_pauli_check", hint="np.diag gives the diagonal; the trace is its sum.", keeps=(1, 2)
)
def diagonal_for_trace(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma), sigma @ sigma, np.diag(sigma)


@mistakes.of(
    "graded_pauli_check",
    hint="The square is σσ; σσσ or more factors are another power.",
    keeps=(1, 3),
)
def cube_for_square(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma), sigma @ sigma @ sigma, np.trace(sigma)


@mistakes.of(
    "graded_pauli_check",
    hint="np.sum of the matrix adds all its entries; the trace adds the diagonal.",
    keeps=(1, 2),
)
def sum_of_all_entries(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma), sigma @ sigma, np.sum(sigma)


# --- graded_commutator ---------------------------------------------------------------------------------------------


@mistakes.of(
    "graded_commutator",
    hint="It is 0 for every pair, as A * B − B * A is: * multiplies element by element, @ is the matrix product.",
)
def element_wise_commutator(A, B):
    return A * B - B * A


@mistakes.of(
    "graded_commutator", hint="The sign: the commutator is AB − BA, not BA − AB.", keeps=(2, 3)
)
def commutator_the_other_way(A, B):
    return B @ A - A @ B


@mistakes.of(
    "graded_commutator",
    hint="AB + BA is the anticommutator; the commutator has a minus.",
    keeps=(2, 3),
)
def anticommutator(A, B):
    return A @ B + B @ A


@mistakes.of("graded_commutator", hint="That is AB alone; subtract BA.", keeps=(2, 3))
def product_only(A, B):
    return A @ B


@mistakes.of(
    "graded_commutator",
    hint="The size 2 is fixed in the function: take n from the matrices.",
    keeps=(2, 3),
)
def two_by_two_only(A, B):
    result = np.zeros((2, 2), dtype=complex)
    for i in range(2):
        for j in range(2):
            result[i, j] = sum(A[i, k] * B[k, j] - B[i, k] * A[k, j] for k in range(2))
    return result


@mistakes.of(
    "graded_commutator",
    hint="The result of complex matrices is complex: do not cut off its imaginary part.",
    keeps=(1, 3),
)
def imaginary_part_lost(A, B):
    return np.real(A @ B - B @ A)


@mistakes.of(
    "graded_commutator",
    hint="A changed during the call: work on a new array, not on the argument.",
    keeps=(1, 2),
)
def commutator_in_place(A, B):
    product = B @ A
    A[:] = A @ B - product
    return A


# --- graded_standardise --------------------------------------------------------------------------------------------


@mistakes.of(
    "graded_standardise",
    hint="A constant column gives 0/0 = nan: replace the deviation 0 by 1.",
    keeps=(1, 2, 4),
)
def nan_in_constant_columns(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


@mistakes.of(
    "graded_standardise",
    hint="Mean and deviation of the whole table: take those of each column, axis=0.",
)
def one_mean_for_all(X):
    return (X - X.mean()) / (X.std() or 1)


@mistakes.of(
    "graded_standardise",
    hint="These are the rows. The columns are standardised: axis=0 is what disappears.",
)
def rows_instead_of_columns(X):
    deviation = X.std(axis=1, keepdims=True)
    return (X - X.mean(axis=1, keepdims=True)) / np.where(deviation == 0, 1, deviation)


@mistakes.of(
    "graded_standardise",
    hint="Divide by the standard deviation, not by the variance: a root is missing.",
    keeps=(1, 3, 4),
)
def divided_by_variance(X):
    variance = X.var(axis=0)
    return (X - X.mean(axis=0)) / np.where(variance == 0, 1, variance)


@mistakes.of(
    "graded_standardise",
    hint="The deviation divides by M here, not by M − 1: leave ddof at 0.",
    keeps=(1, 3, 4),
)
def unbiased_deviation(X):
    deviation = np.sqrt(np.sum((X - X.mean(axis=0)) ** 2, axis=0) / max(len(X) - 1, 1))
    return (X - X.mean(axis=0)) / np.where(deviation == 0, 1, deviation)


@mistakes.of(
    "graded_standardise",
    hint="The columns are centred but not scaled yet: divide by their deviation.",
    keeps=(1, 3, 4),
)
def centred_only(X):
    return X - X.mean(axis=0)


@mistakes.of(
    "graded_standardise",
    hint="That maps every column to 0 … 1. Subtract the mean, divide by the deviation.",
)
def scaled_to_the_unit_interval(X):
    width = X.max(axis=0) - X.min(axis=0)
    return (X - X.min(axis=0)) / np.where(width == 0, 1, width)


@mistakes.of(
    "graded_standardise",
    hint="X changed during the call (X -= … works in place): make a new array.",
    keeps=(1, 2, 3),
)
def standardised_in_place(X):
    X -= X.mean(axis=0)
    deviation = X.std(axis=0)
    X /= np.where(deviation == 0, 1, deviation)
    return X


@mistakes.of(
    "graded_standardise",
    hint="A number is added to every deviation, so that no column gets the deviation 1: replace only deviations of 0.",
    keeps=(1, 3, 4),
)
def one_added_to_every_deviation(X):
    return (X - X.mean(axis=0)) / (X.std(axis=0) + 1)


# --- graded_pairwise_distances -------------------------------------------------------------------------------------


@mistakes.of(
    "graded_pairwise_distances",
    hint="These are the squares of the distances: take the root.",
    keeps=(1, 3),
)
def squared_distances(A, B):
    return np.sum((A[:, None, :] - B[None, :, :]) ** 2, axis=-1)


@mistakes.of(
    "graded_pairwise_distances",
    hint="Rows belong to A and columns to B; yours is transposed.",
    keeps=(2, 3),
)
def distances_transposed(A, B):
    return np.sqrt(np.sum((B[:, None, :] - A[None, :, :]) ** 2, axis=-1))


@mistakes.of(
    "graded_pairwise_distances",
    hint="That adds absolute differences; Euclid squares, sums and takes the root.",
    keeps=(1, 3),
)
def city_block(A, B):
    return np.sum(np.abs(A[:, None, :] - B[None, :, :]), axis=-1)


@mistakes.of(
    "graded_pairwise_distances",
    hint="Sum over the coordinates, the last axis, not over the points.",
)
def summed_over_points(A, B):
    return np.sqrt(np.sum((A[:, None, :] - B[None, :, :]) ** 2, axis=1))


@mistakes.of(
    "graded_pairwise_distances",
    hint="Only point i of A with point i of B: every pair is asked for.",
)
def matching_points_only(A, B):
    count = min(len(A), len(B))
    return np.sqrt(np.sum((A[:count] - B[:count]) ** 2, axis=-1))


@mistakes.of(
    "graded_pairwise_distances",
    hint="|a|² + |b|² − 2ab rounds to a tiny negative number and its root is nan: np.maximum(…, 0) first.",
    keeps=(1, 2),
)
def root_of_a_negative(A, B):
    squares = np.sum(A**2, axis=1)[:, None] + np.sum(B**2, axis=1) - 2 * A @ B.T
    return np.sqrt(squares)


@mistakes.of(
    "graded_pairwise_distances",
    hint="The sign of the mixed term: |a − b|² = |a|² + |b|² − 2ab.",
    keeps=(1,),
)
def mixed_term_added(A, B):
    return np.sqrt(np.sum(A**2, axis=1)[:, None] + np.sum(B**2, axis=1) + 2 * A @ B.T)


@mistakes.of(
    "graded_pairwise_distances",
    hint="One number for all: np.linalg.norm needs an axis, the one of the coordinates.",
)
def norm_of_everything(A, B):
    return np.linalg.norm(A[:, None, :] - B[None, :, :])
