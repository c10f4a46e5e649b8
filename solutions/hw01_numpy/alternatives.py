"""Right answers to homework 1, written otherwise than in the reference."""

import numpy as np

from autograder.mistakes import Alternatives
from autograder.reference import reference_of

alternatives = Alternatives("hw01_numpy")


@alternatives.of("graded_zero_vector")
def reshaped_zeros(length):
    return np.zeros(length).reshape(-1, 1) if length else np.zeros((0, 1))


@alternatives.of("graded_zero_vector")
def whole_number_zeros(length):
    return np.full((length, 1), 0)


@alternatives.of("graded_zero_vector")
def zeros_with_a_new_axis(length):
    return np.array([0.0] * length)[:, np.newaxis]


@alternatives.of("graded_vec_i")
def counted_in_a_loop(length):
    vector = np.zeros(length)
    for i in range(length):
        vector[i] = i
    return vector


@alternatives.of("graded_vec_i")
def list_of_numbers(length):
    return list(range(length))


@alternatives.of("graded_vec_i")
def cumulated_ones(length, dtype=np.float32):
    return np.cumsum(np.ones(length, dtype)) - 1


@alternatives.of("graded_generate_pauli")
def nested_lists():
    return [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]


@alternatives.of("graded_generate_pauli")
def complex_stack():
    print("the Pauli matrices")
    return np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)


@alternatives.of("graded_generate_pauli")
def as_a_list_of_arrays():
    sigma_x, sigma_z = np.fliplr(np.eye(2)), np.diag([1.0, -1.0])
    return [sigma_x, 1j * sigma_x @ sigma_z, sigma_z]


def sigma_of(coordinate):
    """The Pauli matrix of a coordinate."""
    return np.array(reference_of("hw01_numpy").graded_generate_pauli()["xyz".index(coordinate)])


@alternatives.of("graded_pauli_check")
def capitals_only(coordinate):
    if coordinate == "X":
        sigma = np.matrix([[0, 1], [1, 0]])
    elif coordinate == "Y":
        sigma = np.matrix([[0, -1j], [1j, 0]])
    elif coordinate == "Z":
        sigma = np.matrix([[1, 0], [0, -1]])
    return np.linalg.det(sigma), sigma**2, sigma.trace()[0, 0]


@alternatives.of("graded_pauli_check")
def anything_else_is_z(coordinate):
    X, Y, Z = reference_of("hw01_numpy").graded_generate_pauli()
    if coordinate == "X":
        sigma = X
    elif coordinate == "Y":
        sigma = Y
    else:
        sigma = Z
    return np.linalg.det(sigma), np.dot(sigma, sigma), np.sum(np.diag(sigma))


@alternatives.of("graded_pauli_check")
def by_hand(coordinate):
    (a, b), (c, d) = sigma_of(coordinate)
    return a * d - b * c, [[a * a + b * c, a * b + b * d], [c * a + d * c, c * b + d * d]], a + d


@alternatives.of("graded_pauli_check")
def with_linear_algebra(coordinate):
    sigma = sigma_of(coordinate)
    values = np.linalg.eigvalsh(sigma)
    return np.prod(values), np.linalg.matrix_power(sigma, 2), values.sum()


@alternatives.of("graded_pauli_check")
def real_parts(coordinate):
    sigma = sigma_of(coordinate)
    return np.linalg.det(sigma).real, np.matmul(sigma, sigma), np.array(np.trace(sigma)).real


@alternatives.of("graded_commutator")
def commutator_with_dot(A, B):
    return np.dot(A, B) - np.dot(B, A)


@alternatives.of("graded_commutator")
def commutator_with_einsum(A, B):
    return np.einsum("ik,kj->ij", A, B) - np.einsum("ik,kj->ij", B, A)


@alternatives.of("graded_commutator")
def commutator_in_loops(A, B):
    n = len(A)
    rows = [
        [sum(A[i, k] * B[k, j] - B[i, k] * A[k, j] for k in range(n)) for j in range(n)]
        for i in range(n)
    ]
    return np.array(rows)


@alternatives.of("graded_standardise")
def with_a_small_number(X):
    return (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-12)


@alternatives.of("graded_standardise")
def column_by_column(X):
    result = np.array(X, dtype=float)
    for j in range(X.shape[1]):
        result[:, j] -= result[:, j].mean()
        deviation = np.sqrt(np.mean(result[:, j] ** 2))
        if deviation > 0:
            result[:, j] /= deviation
    return result


@alternatives.of("graded_standardise")
def exactly_zero(X):
    deviation = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviation == 0, 1, deviation)


@alternatives.of("graded_standardise")
def nan_to_zero(X):
    with np.errstate(invalid="ignore"):
        return np.nan_to_num((X - X.mean(axis=0)) / X.std(axis=0))


@alternatives.of("graded_pairwise_distances")
def distances_by_expansion(A, B):
    squares = np.sum(A**2, axis=1)[:, None] + np.sum(B**2, axis=1)[None, :] - 2 * A @ B.T
    return np.sqrt(np.maximum(squares, 0))


@alternatives.of("graded_pairwise_distances")
def distances_in_loops(A, B):
    return np.array([[np.sqrt(np.sum((a - b) ** 2)) for b in B] for a in A])


@alternatives.of("graded_pairwise_distances")
def distances_with_norm(A, B):
    return np.linalg.norm(A[:, np.newaxis] - B, axis=2)


# --- mutants of the reference that are as right as it -----------------------------------------------------------------

alternatives.equivalent(
    "graded_pauli_check",
    "sigma = np.array({'x': X, 'y': Y, 'z': Z}[coordinate.lower()])",
    "sigma = np.array({'x': X, 'y': Y, 'z': Z}[coordinate])",
    because="small letters or capitals, one of them is enough",
)
alternatives.equivalent(
    "graded_standardise",
    "return (X - X.mean(axis=0)) / np.where(deviation < 1e-12, 1, deviation)",
    "return (X - X.mean(axis=0)) / np.where(deviation < 1e-12, 2, deviation)",
    because="a constant column is zero whatever it is divided by",
)
alternatives.equivalent(
    "graded_standardise",
    "return (X - X.mean(axis=0)) / np.where(deviation < 1e-12, 1, deviation)",
    "return (X - X.mean(axis=0)) / np.where(deviation <= 1e-12, 1, deviation)",
    because="no deviation is exactly 1e-12",
)
alternatives.equivalent(
    "graded_pairwise_distances",
    "differences = A[:, None, :] - B[None, :, :]",
    "differences = B[None, :, :] - A[:, None, :]",
    because="the difference is squared",
)
