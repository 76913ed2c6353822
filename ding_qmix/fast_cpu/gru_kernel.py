"""
A GRU's recurrence over a whole sequence, forward and backward, for the CPU.

Rows do not depend on each other: a block of them runs through time while its hidden state and the recurrent weights
stay in the processor's nearest cache. Each loop below touches few arrays, so that the compiler can prove they do not
overlap and turns the loop into vector instructions.

Rows are packed by time: those of step t are starts[t] to starts[t + 1], the same sequence at the same place of each
step. Sequences are ordered from the longest to the shortest, so later steps have no more rows than earlier ones.

A step's gates lie side by side: reset r, update z, candidate n, each H wide, and in ``gates`` a fourth block x, the
recurrent part of the candidate. Formulas: torch.nn.GRU.
"""
import numpy as np

from ding_qmix.fast_cpu.blas import add_product, add_product_transposed
from ding_qmix.fast_cpu.linear_kernel import add
from ding_qmix.fast_cpu.math_kernel import HALF, ONE, tanh
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel

BLOCK = 160  # [rows] that run through time together; 32 is a few percent slower, 80 and 320 are the same


@fast_kernel
def gru_forward(
        blas: int, inputs: np.ndarray, input_bias: np.ndarray, weight: np.ndarray, bias: np.ndarray, starts: np.ndarray,
        hidden: np.ndarray, before: np.ndarray, after: np.ndarray, gates: np.ndarray, scratch: np.ndarray
) -> None:
    """
    Run the recurrence over R packed rows: inputs [R, 3H], weight [3H, H], biases of both [3H], starts int64 [T + 1],
    counted from starts[0]; hidden [K, H] is moved on. Writes the hidden states before and after each step, [R, H], and
    gates [R, 4H]. scratch [BLOCK, 3H].
    """
    H, base = hidden.shape[1], starts[0]
    for first in range(0, starts[1] - base, BLOCK):
        for t in range(len(starts) - 1):
            stop = min(first + BLOCK, starts[t + 1] - starts[t])
            for k in range(first, stop):
                _copy(bias, scratch[k - first])
                _copy(hidden[k], before[starts[t] - base + k])
            if first < stop:
                add_product_transposed(blas, hidden[first:stop], weight, scratch[:stop - first])
            for k in range(first, stop):
                row, recurrent = starts[t] - base + k, scratch[k - first]
                gate = gates[row]
                add(input_bias, inputs[row])
                _sigmoid_of_sum(inputs[row, :2 * H], recurrent[:2 * H], gate[:2 * H])
                _copy(recurrent[2 * H:], gate[3 * H:])
                _candidate(inputs[row, 2 * H:], gate[:H], gate[3 * H:], gate[2 * H:3 * H])
                _blend(gate[2 * H:3 * H], gate[H:2 * H], before[row], hidden[k])
                _copy(hidden[k], after[row])


@fast_kernel
def gru_backward(
        blas: int, grad_after: np.ndarray, weight: np.ndarray, starts: np.ndarray, before: np.ndarray,
        gates: np.ndarray, grad_hidden: np.ndarray, grad_inputs: np.ndarray, grad_recurrent: np.ndarray,
        grad_input_bias: np.ndarray, grad_bias: np.ndarray
) -> None:
    """
    Run the way back: grad_after [R, H], weight [3H, H]; grad_hidden [K, H] is given the gradient of the hidden state
    after the last step and gets that of the first. Writes the gradients of the inputs and of the recurrent part
    (hidden @ weight + bias), both [R, 3H], and adds those of the biases.
    """
    H, base = grad_hidden.shape[1], starts[0]
    for first in range(0, starts[1] - base, BLOCK):
        for t in range(len(starts) - 2, -1, -1):
            stop = min(first + BLOCK, starts[t + 1] - starts[t])
            for k in range(first, stop):
                row = starts[t] - base + k
                r, z, n, x = gates[row, :H], gates[row, H:2 * H], gates[row, 2 * H:3 * H], gates[row, 3 * H:]
                grad, total, recurrent = grad_hidden[k], grad_inputs[row], grad_recurrent[row]
                add(grad_after[row], grad)
                _grad_candidate(grad, z, n, total[2 * H:])
                _grad_update(grad, z, n, before[row], total[H:2 * H])
                _grad_reset(total[2 * H:], x, r, total[:H])
                _copy(total[:2 * H], recurrent[:2 * H])
                _multiply(total[2 * H:], r, recurrent[2 * H:])
                _multiply(grad, z, grad)
                add(total, grad_input_bias)
                add(recurrent, grad_bias)
            if first < stop:
                rows = grad_recurrent[starts[t] - base + first:starts[t] - base + stop]
                add_product(blas, rows, weight, grad_hidden[first:stop])


@fast_inline_kernel
def _sigmoid_of_sum(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = HALF + HALF * tanh(HALF * (a[j] + b[j]))


@fast_inline_kernel
def _candidate(a: np.ndarray, r: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = tanh(a[j] + r[j] * x[j])


@fast_inline_kernel
def _blend(n: np.ndarray, z: np.ndarray, h: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = n[j] + z[j] * (h[j] - n[j])


@fast_inline_kernel
def _grad_candidate(grad: np.ndarray, z: np.ndarray, n: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = grad[j] * (ONE - z[j]) * (ONE - n[j] * n[j])


@fast_inline_kernel
def _grad_update(grad: np.ndarray, z: np.ndarray, n: np.ndarray, h: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = grad[j] * (h[j] - n[j]) * z[j] * (ONE - z[j])


@fast_inline_kernel
def _grad_reset(grad_n: np.ndarray, x: np.ndarray, r: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = grad_n[j] * x[j] * r[j] * (ONE - r[j])


@fast_inline_kernel
def _multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = a[j] * b[j]


@fast_inline_kernel
def _copy(a: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = a[j]
