"""
The agents' network over packed rows (see ``gru_kernel``), forward and backward, for the CPU: encoder, GRU, head.

All layers run over one tile of time steps before the next, so that what is written is read from the cache.
"""
from typing import NamedTuple

import numpy as np

from ding_qmix.fast_cpu.blas import add_product_over_rows, multiply, multiply_transposed
from ding_qmix.fast_cpu.gru_kernel import gru_backward, gru_forward
from ding_qmix.fast_cpu.linear_kernel import linear_backward, linear_forward
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel

TILE = 1024  # [rows] at most, but one time step at least; from 512 to 4096 it makes little difference


class AgentParameters(NamedTuple):
    """Parameters of the network, or their gradients, in the module's order."""
    encoder: np.ndarray  # [H, O]
    encoder_bias: np.ndarray  # [H]
    inputs: np.ndarray  # [3H, H], of the GRU
    recurrent: np.ndarray  # [3H, H]
    input_bias: np.ndarray  # [3H]
    recurrent_bias: np.ndarray  # [3H]
    head: np.ndarray  # [H, H]
    head_bias: np.ndarray  # [H]
    last: np.ndarray  # [A, H]
    last_bias: np.ndarray  # [A]


class AgentRows(NamedTuple):
    """What lies between the layers: all rows, for the way back, or those of one tile."""
    encoded: np.ndarray  # [R, H]
    before: np.ndarray  # [R, H], hidden state before the step
    after: np.ndarray  # [R, H]
    gates: np.ndarray  # [R, 4H]
    head: np.ndarray  # [R, H]


class AgentScratch(NamedTuple):
    """Arrays of one tile."""
    inputs: np.ndarray  # [tile, 3H]
    recurrent: np.ndarray  # [tile, 3H]
    wide: np.ndarray  # [tile, H]
    block: np.ndarray  # [gru_kernel.BLOCK, 3H]


@fast_kernel
def agent_forward(
        blas: int, obs: np.ndarray, starts: np.ndarray, hidden: np.ndarray, weights: AgentParameters, rows: AgentRows,
        scratch: AgentScratch, q_out: np.ndarray
) -> None:
    """
    Write Q-values [R, A] of obs [R, O]; hidden [K, H] is moved on to the end. ``rows`` are kept for all R
    rows where there is room for them.
    """
    for_backward, H = len(rows.after) >= len(obs), hidden.shape[1]
    first = 0
    while first < len(starts) - 1:
        stop, lo, hi = _tile(starts, first)
        at = lo if for_backward else 0
        encoded, after, head = (rows.encoded[at:at + hi - lo], rows.after[at:at + hi - lo], rows.head[at:at + hi - lo])
        inputs = scratch.inputs[:hi - lo]
        linear_forward(blas, obs[lo:hi], weights.encoder, weights.encoder_bias, H, encoded)
        multiply_transposed(blas, encoded, weights.inputs, inputs)
        gru_forward(
            blas, inputs, weights.input_bias, weights.recurrent, weights.recurrent_bias, starts[first:stop + 1], hidden,
            rows.before[at:at + hi - lo], after, rows.gates[at:at + hi - lo], scratch.block
        )
        linear_forward(blas, after, weights.head, weights.head_bias, H, head)
        linear_forward(blas, head, weights.last, weights.last_bias, 0, q_out[lo:hi])
        first = stop


@fast_kernel
def agent_backward(
        blas: int, obs: np.ndarray, starts: np.ndarray, grad_q: np.ndarray, weights: AgentParameters, rows: AgentRows,
        scratch: AgentScratch, grad_hidden: np.ndarray, grads: AgentParameters
) -> None:
    """
    Add the parameters' gradients, given that of the Q-values [R, A] and the rows that ``agent_forward`` kept.
    grad_hidden [K, H] is zeros.
    """
    H, stop = grad_hidden.shape[1], len(starts) - 1
    while stop > 0:
        first, lo, hi = _tile_back(starts, stop)
        encoded, before, after = rows.encoded[lo:hi], rows.before[lo:hi], rows.after[lo:hi]
        head, grad = rows.head[lo:hi], scratch.wide[:hi - lo]
        inputs, recurrent = scratch.inputs[:hi - lo], scratch.recurrent[:hi - lo]
        linear_backward(blas, grad_q[lo:hi], grad_q[lo:hi], 0, head, grads.last, grads.last_bias)
        multiply(blas, grad_q[lo:hi], weights.last, grad)
        linear_backward(blas, grad, head, H, after, grads.head, grads.head_bias)
        multiply(blas, grad, weights.head, after)  # the states themselves are no longer needed
        gru_backward(
            blas, after, weights.recurrent, starts[first:stop + 1], before, rows.gates[lo:hi], grad_hidden, inputs,
            recurrent, grads.input_bias, grads.recurrent_bias
        )
        add_product_over_rows(blas, recurrent, before, grads.recurrent)
        add_product_over_rows(blas, inputs, encoded, grads.inputs)
        multiply(blas, inputs, weights.inputs, grad)
        linear_backward(blas, grad, encoded, H, obs[lo:hi], grads.encoder, grads.encoder_bias)
        stop = first


@fast_inline_kernel
def _tile(starts: np.ndarray, first: int) -> tuple[int, int, int]:
    """The tile from a time on: the time it ends before, and its rows."""
    stop = first + 1
    while stop < len(starts) - 1 and starts[stop + 1] - starts[first] <= TILE:
        stop += 1
    return stop, starts[first], starts[stop]


@fast_inline_kernel
def _tile_back(starts: np.ndarray, stop: int) -> tuple[int, int, int]:
    """The tile that ends before a time: the time it begins, and its rows."""
    first = stop - 1
    while first > 0 and starts[stop] - starts[first - 1] <= TILE:
        first -= 1
    return first, starts[first], starts[stop]
