"""
A GRU's recurrence over a whole sequence, forward and backward, for the CPU.

Sequences do not depend on each other: a block of them runs through time while its hidden state and the recurrent
weights stay in the processor's nearest cache. Each loop below touches few arrays, so that the compiler can prove they
do not overlap and turns the loop into vector instructions.

Rows are a packed sequence, as in torch's PackedSequence: those of time t are row_offsets[t] to row_offsets[t + 1],
the same sequence at the same place of each time, longest sequence first, so no time has more rows than an earlier one.

Forward, as torch.nn.GRU, with a = W_i x + b_i (three parts, the products given) and c = W_h h + b_h (three parts):

    r = sigmoid(a_r + c_r)    z = sigmoid(a_z + c_z)    n = tanh(a_n + r * c_n)    h' = n + z * (h - n)

A row's gates lie side by side: r, z, n, each H wide, and c_n.

Backward, with g = dL/dh' of this time and of all later ones:

    dL/dn = g (1 - z)                   dL/da_n = dL/dn (1 - n^2)         dL/dc_n = dL/da_n * r
    dL/dz = g (h - n)                   dL/da_z = dL/dz z (1 - z)         dL/dc_z = dL/da_z
    dL/dr = dL/da_n * c_n               dL/da_r = dL/dr r (1 - r)         dL/dc_r = dL/da_r
    dL/dh = g * z + W_h^T dL/dc         dL/db_i = sum of dL/da over rows  dL/db_h = sum of dL/dc over rows
"""
import numpy as np

from ding_qmix.fast_cpu.blas import add_product, add_product_transposed
from ding_qmix.fast_cpu.linear_kernel import add
from ding_qmix.fast_cpu.math_kernel import HALF, ONE, tanh
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel

BLOCK = 160  # [rows] that run through time together; 32 is a few percent slower, 80 and 320 are the same


@fast_kernel
def gru_forward(
        inputs: np.ndarray, input_bias: np.ndarray, weight: np.ndarray, bias: np.ndarray, row_offsets: np.ndarray,
        hidden: np.ndarray, before: np.ndarray, after: np.ndarray, gates: np.ndarray, scratch: np.ndarray
) -> None:
    """
    Run the recurrence over R rows: inputs W_i x [R, 3H], weight W_h [3H, H], biases of both [3H], row_offsets int64
    [T + 1], counted from row_offsets[0]; hidden [K, H] is moved on. Writes the hidden states before and after each
    time, [R, H], and gates [R, 4H]. scratch [BLOCK, 3H].
    """
    H, base = hidden.shape[1], row_offsets[0]
    for first in range(0, row_offsets[1] - base, BLOCK):
        for t in range(len(row_offsets) - 1):
            stop = min(first + BLOCK, row_offsets[t + 1] - row_offsets[t])
            for k in range(first, stop):
                _copy(bias, scratch[k - first])
                _copy(hidden[k], before[row_offsets[t] - base + k])
            if first < stop:
                add_product_transposed(hidden[first:stop], weight, scratch[:stop - first])
            for k in range(first, stop):
                row, recurrent = row_offsets[t] - base + k, scratch[k - first]
                gate = gates[row]
                add(input_bias, inputs[row])
                _sigmoid_of_sum(inputs[row, :2 * H], recurrent[:2 * H], gate[:2 * H])
                _copy(recurrent[2 * H:], gate[3 * H:])
                _candidate(inputs[row, 2 * H:], gate[:H], gate[3 * H:], gate[2 * H:3 * H])
                _blend(gate[2 * H:3 * H], gate[H:2 * H], before[row], hidden[k])
                _copy(hidden[k], after[row])


@fast_kernel
def gru_backward(
        grad_after: np.ndarray, weight: np.ndarray, row_offsets: np.ndarray, before: np.ndarray, gates: np.ndarray,
        grad_hidden: np.ndarray, grad_inputs: np.ndarray, grad_recurrent: np.ndarray, grad_input_bias: np.ndarray,
        grad_bias: np.ndarray
) -> None:
    """
    Run the backward pass: grad_after dL/dh' of each row's own [R, H], weight W_h [3H, H]; grad_hidden [K, H] is given
    the gradient of the hidden state after the last time and gets that before the first. Writes dL/da and dL/dc, both
    [R, 3H], and adds the biases' gradients.
    """
    H, base = grad_hidden.shape[1], row_offsets[0]
    for first in range(0, row_offsets[1] - base, BLOCK):
        for t in range(len(row_offsets) - 2, -1, -1):
            stop = min(first + BLOCK, row_offsets[t + 1] - row_offsets[t])
            for k in range(first, stop):
                row = row_offsets[t] - base + k
                r, z, n, c = gates[row, :H], gates[row, H:2 * H], gates[row, 2 * H:3 * H], gates[row, 3 * H:]
                grad, total, recurrent = grad_hidden[k], grad_inputs[row], grad_recurrent[row]
                add(grad_after[row], grad)
                _grad_candidate(grad, z, n, total[2 * H:])
                _grad_update(grad, z, n, before[row], total[H:2 * H])
                _grad_reset(total[2 * H:], c, r, total[:H])
                _copy(total[:2 * H], recurrent[:2 * H])
                _multiply(total[2 * H:], r, recurrent[2 * H:])
                _multiply(grad, z, grad)
                add(total, grad_input_bias)
                add(recurrent, grad_bias)
            if first < stop:
                rows = grad_recurrent[row_offsets[t] - base + first:row_offsets[t] - base + stop]
                add_product(rows, weight, grad_hidden[first:stop])


@fast_inline_kernel
def _sigmoid_of_sum(a: np.ndarray, c: np.ndarray, out: np.ndarray) -> None:
    """sigmoid(x) = (1 + tanh(x / 2)) / 2"""
    for j in range(len(out)):
        out[j] = HALF + HALF * tanh(HALF * (a[j] + c[j]))


@fast_inline_kernel
def _candidate(a: np.ndarray, r: np.ndarray, c: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = tanh(a[j] + r[j] * c[j])


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
def _grad_reset(grad_n: np.ndarray, c: np.ndarray, r: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = grad_n[j] * c[j] * r[j] * (ONE - r[j])


@fast_inline_kernel
def _multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = a[j] * b[j]


@fast_inline_kernel
def _copy(a: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = a[j]
