"""
Linear layers over rows, y = max(x W^T + b, 0) in their first units and y = x W^T + b in the others, and their backward
pass: with g = dL/dy where y > 0 or the unit is not rectified, and 0 elsewhere,

    dL/dW += g^T x    dL/db += sum of g over the rows    dL/dx = g W (left to the caller, ``blas.multiply``)
"""
import numpy as np

from ding_qmix.fast_cpu.blas import add_product_over_rows, multiply_transposed
from ding_qmix.fast_cpu.math_kernel import ZERO
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel


@fast_kernel
def linear_forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, n_rectified: int, out: np.ndarray) -> None:
    """out [R, O] of x [R, I], weight [O, I], bias [O]; the first units go through ReLU."""
    multiply_transposed(x, weight, out)
    for row in range(len(out)):
        _add_rectified(bias[:n_rectified], out[row, :n_rectified])
        add(bias[n_rectified:], out[row, n_rectified:])


@fast_kernel
def linear_backward(
        grad: np.ndarray, activation: np.ndarray, n_rectified: int, x: np.ndarray, grad_weight: np.ndarray,
        grad_bias: np.ndarray
) -> None:
    """
    Add the parameters' gradients, given that of the output, the output itself, both [R, O], and x [R, I]. grad becomes
    the gradient before ReLU.
    """
    for row in range(len(grad)):
        _clear_where_off(activation[row, :n_rectified], grad[row, :n_rectified])
        add(grad[row], grad_bias)
    add_product_over_rows(grad, x, grad_weight)


@fast_inline_kernel
def add(a: np.ndarray, out: np.ndarray) -> None:
    """out [n] += a [n]"""
    for j in range(len(out)):
        out[j] += a[j]


@fast_inline_kernel
def _add_rectified(bias: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = max(out[j] + bias[j], ZERO)


@fast_inline_kernel
def _clear_where_off(activation: np.ndarray, grad: np.ndarray) -> None:
    for j in range(len(grad)):
        grad[j] = grad[j] if activation[j] > ZERO else ZERO
