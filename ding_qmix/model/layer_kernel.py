"""What a linear layer does beside its matrix products, for the CPU: bias and ReLU in one pass over the rows."""
import numpy as np

from ding_qmix.model.kernel import ZERO, inline_kernel, kernel


@kernel
def add_bias(rows: np.ndarray, bias: np.ndarray, n_rectified: int) -> None:
    """Add the bias [P] to rows [R, P] in place, and rectify their first columns."""
    for row in range(len(rows)):
        _add_rectified(rows[row, :n_rectified], bias[:n_rectified])
        _add(bias[n_rectified:], rows[row, n_rectified:])


@kernel
def bias_backward(grad: np.ndarray, activation: np.ndarray, n_rectified: int, grad_bias: np.ndarray) -> None:
    """Clear grad [R, P] in place where a rectified unit of activation [R, P] was off; add its sum to grad_bias [P]."""
    for row in range(len(grad)):
        _clear_where_off(grad[row, :n_rectified], activation[row, :n_rectified])
        _add(grad[row], grad_bias)


@inline_kernel
def _add_rectified(row: np.ndarray, bias: np.ndarray) -> None:
    for j in range(len(row)):
        row[j] = max(row[j] + bias[j], ZERO)


@inline_kernel
def _clear_where_off(grad: np.ndarray, activation: np.ndarray) -> None:
    for j in range(len(grad)):
        grad[j] = grad[j] if activation[j] > ZERO else ZERO


@inline_kernel
def _add(a: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] += a[j]
