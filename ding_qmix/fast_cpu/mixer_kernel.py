"""
QMIX's mixer over rows, forward and backward, for the CPU. A row is one env step.

    x = W_s s + b_s, cut into three hidden layers of hypernetworks, which go through ReLU, and b1
    w1 = W_1 x_1 + c_1    w = W_2 x_2 + c_2    v = W_v x_v + c_v
    p = |w1|^T q + b1     y = ELU(p)             Q_tot = |w|^T y + v

Backward, with g = dL/dQ_tot:

    dL/dv = g    dL/dw = g y sign(w)    dL/dp = g |w| ELU'(p), where ELU' is 1 or 1 + y    dL/db1 = dL/dp
    dL/dw1 = q (dL/dp)^T sign(w1)       dL/dq = |w1| dL/dp, and the linear layers as in ``linear_kernel``

Source: QMIX (arXiv:1803.11485) section 4.1; the formulas of ding_qmix.model.mixer.
"""
from typing import NamedTuple

import numpy as np

from ding_qmix.fast_cpu.blas import multiply
from ding_qmix.fast_cpu.linear_kernel import linear_backward, linear_forward
from ding_qmix.fast_cpu.math_kernel import ONE, ZERO, dot, elu
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel

TILE = 512  # [rows] that run through all layers before the next


class MixerParameters(NamedTuple):
    """
    Parameters of the mixer, or their gradients; ``MIXER_PARAMETER_NAMES`` has their names in the module.
    D hypernetwork width, E mixing width.
    """
    state_weight: np.ndarray  # W_s [2 D + 2 E, S]: first layers of the hypernetworks of w1, w and v, then b1
    state_bias: np.ndarray  # [2 D + 2 E]
    w1_weight: np.ndarray  # W_1 [N * E, D]
    w1_bias: np.ndarray  # [N * E]
    w_final_weight: np.ndarray  # W_2 [E, D]
    w_final_bias: np.ndarray  # [E]
    v_weight: np.ndarray  # W_v [1, E]
    v_bias: np.ndarray  # [1]


MIXER_PARAMETER_NAMES = dict(
    state_weight='state_layer.weight',
    state_bias='state_layer.bias',
    w1_weight='w1_layer.weight',
    w1_bias='w1_layer.bias',
    w_final_weight='w_final_layer.weight',
    w_final_bias='w_final_layer.bias',
    v_weight='v_layer.weight',
    v_bias='v_layer.bias',
)


class MixerRows(NamedTuple):
    """What lies between the layers, kept for the backward pass."""
    first: np.ndarray  # x [R, 2 D + 2 E]
    w1: np.ndarray  # [R, N * E], before it is made non-negative
    w_final: np.ndarray  # w [R, E], before it is made non-negative
    v: np.ndarray  # [R, 1]
    hidden: np.ndarray  # y [R, E]


@fast_kernel
def mixer_forward(
        agent_q: np.ndarray, state: np.ndarray, weights: MixerParameters, rows: MixerRows, q_tot_out: np.ndarray
) -> None:
    """Write Q_tot [R] of agent_q [R, N] and state [R, S]."""
    D, E = weights.w1_weight.shape[1], rows.hidden.shape[1]
    for lo in range(0, len(state), TILE):
        hi = min(lo + TILE, len(state))
        first, w1, w_final, v = rows.first[lo:hi], rows.w1[lo:hi], rows.w_final[lo:hi], rows.v[lo:hi]
        linear_forward(state[lo:hi], weights.state_weight, weights.state_bias, 2 * D + E, first)
        linear_forward(first[:, :D], weights.w1_weight, weights.w1_bias, 0, w1)
        linear_forward(first[:, D:2 * D], weights.w_final_weight, weights.w_final_bias, 0, w_final)
        linear_forward(first[:, 2 * D:2 * D + E], weights.v_weight, weights.v_bias, 0, v)
        _mix(agent_q[lo:hi], w1, first, w_final, v, rows.hidden[lo:hi], q_tot_out[lo:hi])


@fast_kernel
def mixer_backward(
        agent_q: np.ndarray, state: np.ndarray, grad_q_tot: np.ndarray, weights: MixerParameters, rows: MixerRows,
        grad_first: np.ndarray, scratch: np.ndarray, grads: MixerParameters, grad_q_out: np.ndarray
) -> None:
    """
    Add the parameters' gradients and write that of agent_q [R, N], given grad_q_tot [R, 1] and the rows that
    ``mixer_forward`` kept, which are used up. grad_first [TILE, 2 D + 2 E], scratch [E].
    """
    D, E = weights.w1_weight.shape[1], rows.hidden.shape[1]
    for lo in range(0, len(state), TILE):
        hi = min(lo + TILE, len(state))
        first, w1, w_final, grad_v = rows.first[lo:hi], rows.w1[lo:hi], rows.w_final[lo:hi], grad_q_tot[lo:hi]
        grad = grad_first[:hi - lo]
        _mix_backward(grad_v[:, 0], agent_q[lo:hi], rows.hidden[lo:hi], w1, w_final, grad, scratch, grad_q_out[lo:hi])
        linear_backward(w1, w1, 0, first[:, :D], grads.w1_weight, grads.w1_bias)
        multiply(w1, weights.w1_weight, grad[:, :D])
        linear_backward(w_final, w_final, 0, first[:, D:2 * D], grads.w_final_weight, grads.w_final_bias)
        multiply(w_final, weights.w_final_weight, grad[:, D:2 * D])
        linear_backward(grad_v, grad_v, 0, first[:, 2 * D:2 * D + E], grads.v_weight, grads.v_bias)
        multiply(grad_v, weights.v_weight, grad[:, 2 * D:2 * D + E])
        linear_backward(grad, first, 2 * D + E, state[lo:hi], grads.state_weight, grads.state_bias)


@fast_kernel
def _mix(
        agent_q: np.ndarray, w1: np.ndarray, first: np.ndarray, w_final: np.ndarray, v: np.ndarray,
        hidden_out: np.ndarray, q_tot_out: np.ndarray
) -> None:
    """
    Mix: agent_q [R, N]; w1 [R, N * E] and w_final [R, E], made non-negative here; b1 is the last E columns of first
    [R, P]; v [R, 1]. Writes the hidden layer [R, E] and Q_tot [R].
    """
    R, N = agent_q.shape
    E = hidden_out.shape[1]
    for row in range(R):
        hidden, final, b1 = hidden_out[row], w_final[row], first[row, first.shape[1] - E:]
        for j in range(E):
            hidden[j] = b1[j]
        for n in range(N):
            _add_abs_scaled(agent_q[row, n], w1[row, n * E:(n + 1) * E], hidden)
        for j in range(E):
            hidden[j] = elu(hidden[j])
        total = v[row, 0]
        for j in range(E):
            total += hidden[j] * abs(final[j])
        q_tot_out[row] = total


@fast_kernel
def _mix_backward(
        grad_q_tot: np.ndarray, agent_q: np.ndarray, hidden: np.ndarray, w1: np.ndarray, w_final: np.ndarray,
        grad_first_out: np.ndarray, scratch: np.ndarray, grad_q_out: np.ndarray
) -> None:
    """
    Backward pass from grad_q_tot [R]: arrays as in ``_mix``; w1 and w_final are overwritten with their gradients.
    Writes the gradients of b1, the last E columns of grad_first_out [R, P], and of agent_q [R, N]. scratch [E].
    """
    R, N = agent_q.shape
    E = hidden.shape[1]
    for row in range(R):
        grad, final = grad_q_tot[row], w_final[row]
        grad_b1 = grad_first_out[row, grad_first_out.shape[1] - E:]
        _grad_hidden(grad, hidden[row], final, grad_b1)
        _grad_final(grad, hidden[row], final)
        for n in range(N):
            weights = w1[row, n * E:(n + 1) * E]
            _absolute(weights, scratch)
            grad_q_out[row, n] = dot(grad_b1, scratch)
            _grad_weights(agent_q[row, n], grad_b1, weights)


@fast_inline_kernel
def _add_abs_scaled(a: float, b: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] += a * abs(b[j])


@fast_inline_kernel
def _absolute(a: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = abs(a[j])


@fast_inline_kernel
def _grad_hidden(grad: float, hidden: np.ndarray, final: np.ndarray, out: np.ndarray) -> None:
    """Through the sum, the weight and ELU, whose slope is 1 or 1 + elu(x)."""
    for j in range(len(out)):
        out[j] = grad * abs(final[j]) * (ONE + min(hidden[j], ZERO))


@fast_inline_kernel
def _grad_final(grad: float, hidden: np.ndarray, final: np.ndarray) -> None:
    for j in range(len(final)):
        final[j] = grad * hidden[j] * _sign(final[j])


@fast_inline_kernel
def _grad_weights(q: float, grad: np.ndarray, weights: np.ndarray) -> None:
    for j in range(len(weights)):
        weights[j] = q * grad[j] * _sign(weights[j])


@fast_inline_kernel
def _sign(x: np.floating) -> np.floating:
    return ONE if x > ZERO else (-ONE if x < ZERO else ZERO)
