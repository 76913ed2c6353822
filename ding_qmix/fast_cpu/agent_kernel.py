"""
The agents' network over a packed sequence (see ``gru_kernel``), forward and backward, for the CPU:

    e = ReLU(W_e obs + b_e)    h' = GRU(e, h)    y = ReLU(W_1 h' + b_1)    Q = W_2 y + b_2

The backward pass is that of its layers in reverse order: dL/dQ -> dL/dy -> dL/dh' (by the head) -> dL/da and dL/dc
(by the GRU) -> dL/de = W_i^T dL/da -> the encoder; over the rows, dL/dW_i = sum of dL/da e^T and dL/dW_h = sum of
dL/dc h^T.

All layers run over one tile of times before the next, so that what is written is read from the cache.
"""
from typing import NamedTuple

import numpy as np

from ding_qmix.fast_cpu.blas import add_product_over_rows, multiply, multiply_transposed
from ding_qmix.fast_cpu.gru_kernel import gru_backward, gru_forward
from ding_qmix.fast_cpu.linear_kernel import linear_backward, linear_forward
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel

TILE = 1024  # [rows] at most, but one time at least; from 512 to 4096 it makes little difference


class AgentParameters(NamedTuple):
    """Parameters of the network, or their gradients; ``AGENT_PARAMETER_NAMES`` has their names in the module."""
    encoder_weight: np.ndarray  # W_e [H, O]
    encoder_bias: np.ndarray  # [H]
    input_weight: np.ndarray  # W_i [3H, H] of the GRU
    recurrent_weight: np.ndarray  # W_h [3H, H]
    input_bias: np.ndarray  # [3H]
    recurrent_bias: np.ndarray  # [3H]
    head_weight: np.ndarray  # W_1 [H, H]
    head_bias: np.ndarray  # [H]
    output_weight: np.ndarray  # W_2 [A, H]
    output_bias: np.ndarray  # [A]


AGENT_PARAMETER_NAMES = dict(
    encoder_weight='encoder.0.weight',
    encoder_bias='encoder.0.bias',
    input_weight='rnn.weight_ih_l0',
    recurrent_weight='rnn.weight_hh_l0',
    input_bias='rnn.bias_ih_l0',
    recurrent_bias='rnn.bias_hh_l0',
    head_weight='head.q.0.weight',
    head_bias='head.q.0.bias',
    output_weight='head.q.2.weight',
    output_bias='head.q.2.bias',
)


class AgentRows(NamedTuple):
    """What lies between the layers: all rows, for the backward pass, or those of one tile."""
    encoded: np.ndarray  # e [R, H]
    before: np.ndarray  # h [R, H]
    after: np.ndarray  # h' [R, H]
    gates: np.ndarray  # [R, 4H], see ``gru_kernel``
    head: np.ndarray  # y [R, H]


class AgentScratch(NamedTuple):
    """Arrays of one tile."""
    inputs: np.ndarray  # [tile, 3H]
    recurrent: np.ndarray  # [tile, 3H]
    grad: np.ndarray  # [tile, H]
    block: np.ndarray  # [gru_kernel.BLOCK, 3H]


@fast_kernel
def agent_forward(
        obs: np.ndarray, row_offsets: np.ndarray, hidden: np.ndarray, weights: AgentParameters, rows: AgentRows,
        scratch: AgentScratch, q_out: np.ndarray
) -> None:
    """
    Write Q-values [R, A] of obs [R, O]; hidden [K, H] is moved on to the end. ``rows`` of all R rows are kept where the
    arrays are that long.
    """
    for_backward, H = len(rows.after) >= len(obs), hidden.shape[1]
    first = 0
    while first < len(row_offsets) - 1:
        stop, lo, hi = _tile(row_offsets, first)
        at = lo if for_backward else 0
        encoded, after, head = (rows.encoded[at:at + hi - lo], rows.after[at:at + hi - lo], rows.head[at:at + hi - lo])
        inputs = scratch.inputs[:hi - lo]
        linear_forward(obs[lo:hi], weights.encoder_weight, weights.encoder_bias, H, encoded)
        multiply_transposed(encoded, weights.input_weight, inputs)
        gru_forward(
            inputs, weights.input_bias, weights.recurrent_weight, weights.recurrent_bias, row_offsets[first:stop + 1],
            hidden, rows.before[at:at + hi - lo], after, rows.gates[at:at + hi - lo], scratch.block
        )
        linear_forward(after, weights.head_weight, weights.head_bias, H, head)
        linear_forward(head, weights.output_weight, weights.output_bias, 0, q_out[lo:hi])
        first = stop


@fast_kernel
def agent_backward(
        obs: np.ndarray, row_offsets: np.ndarray, grad_q: np.ndarray, weights: AgentParameters, rows: AgentRows,
        scratch: AgentScratch, grad_hidden: np.ndarray, grads: AgentParameters
) -> None:
    """
    Add the parameters' gradients, given that of the Q-values [R, A] and the rows that ``agent_forward`` kept.
    grad_hidden [K, H] is zeros.
    """
    H, stop = grad_hidden.shape[1], len(row_offsets) - 1
    while stop > 0:
        first, lo, hi = _tile_before(row_offsets, stop)
        encoded, before, after = rows.encoded[lo:hi], rows.before[lo:hi], rows.after[lo:hi]
        head, grad = rows.head[lo:hi], scratch.grad[:hi - lo]
        inputs, recurrent = scratch.inputs[:hi - lo], scratch.recurrent[:hi - lo]
        linear_backward(grad_q[lo:hi], grad_q[lo:hi], 0, head, grads.output_weight, grads.output_bias)
        multiply(grad_q[lo:hi], weights.output_weight, grad)
        linear_backward(grad, head, H, after, grads.head_weight, grads.head_bias)
        multiply(grad, weights.head_weight, after)  # the states themselves are no longer needed
        gru_backward(
            after, weights.recurrent_weight, row_offsets[first:stop + 1], before, rows.gates[lo:hi], grad_hidden,
            inputs, recurrent, grads.input_bias, grads.recurrent_bias
        )
        add_product_over_rows(recurrent, before, grads.recurrent_weight)
        add_product_over_rows(inputs, encoded, grads.input_weight)
        multiply(inputs, weights.input_weight, grad)
        linear_backward(grad, encoded, H, obs[lo:hi], grads.encoder_weight, grads.encoder_bias)
        stop = first


@fast_inline_kernel
def _tile(row_offsets: np.ndarray, first: int) -> tuple[int, int, int]:
    """The tile from a time on: the time it ends before, and its rows."""
    stop = first + 1
    while stop < len(row_offsets) - 1 and row_offsets[stop + 1] - row_offsets[first] <= TILE:
        stop += 1
    return stop, row_offsets[first], row_offsets[stop]


@fast_inline_kernel
def _tile_before(row_offsets: np.ndarray, stop: int) -> tuple[int, int, int]:
    """The tile that ends before a time: the time it begins, and its rows."""
    first = stop - 1
    while first > 0 and row_offsets[stop] - row_offsets[first - 1] <= TILE:
        first -= 1
    return first, row_offsets[first], row_offsets[stop]
