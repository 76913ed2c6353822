"""
Between the networks, for the CPU: the agents' values picked, lambda-returns, the loss and its gradient, on the packed
rows of a ``Shard``. The formulas are those of ding_qmix.policy.loss; arrays of the batch are [T, B, ...].
"""
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.fast_cpu.math_kernel import ONE, TWO, ZERO
from ding_qmix.fast_cpu.shard import Shard
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel


class StepData(NamedTuple):
    """What a batch says of its steps."""
    reward: np.ndarray  # float32 [T, B]
    terminal: np.ndarray  # float32 [T, B], 1. where nothing follows
    mask: np.ndarray  # float32 [T, B], 1. on real steps
    weight: np.ndarray  # float32 [B], importance weights


class TDOptions(NamedTuple):
    """Numbers of the loss, all float32."""
    gamma: np.float32  # discount factor
    td_lambda: np.float32
    n_steps: np.float32  # real steps of the whole batch, which the loss is a mean over


@fast_kernel
def pick_values(
        q: np.ndarray, target_q: np.ndarray, action: np.ndarray, action_mask: np.ndarray, shard: Shard, double_q: bool,
        chosen_out: np.ndarray, best_out: np.ndarray
) -> None:
    """
    Write the online network's values of the actions taken, and the target network's of the best legal actions one step
    later, both [R, N]. q, target_q [R', N, A]; action [T, B, N]; action_mask bool [T + 1, B, N, A].
    """
    row_offsets, step_offsets = shard.row_offsets, shard.step_offsets
    for t in range(len(step_offsets) - 1):
        for k in range(step_offsets[t + 1] - step_offsets[t]):
            e, now, later, step = shard.episode[k], row_offsets[t] + k, row_offsets[t + 1] + k, step_offsets[t] + k
            for n in range(q.shape[1]):
                chosen_out[step, n] = q[now, n, action[t, e, n]]
                legal = action_mask[t + 1, e, n]
                best = _best_legal(q[later, n], legal) if double_q else _best_legal(target_q[later, n], legal)
                best_out[step, n] = target_q[later, n, best]


@fast_inline_kernel
def _best_legal(q: np.ndarray, legal: np.ndarray) -> int:
    """The first of the best; action 0 if none is legal."""
    best, best_q = 0, np.float32(-np.inf)
    for a in range(len(q)):
        if legal[a] and q[a] > best_q:
            best, best_q = a, q[a]
    return best


@fast_kernel
def spread_gradient(grad_chosen: np.ndarray, action: np.ndarray, shard: Shard, grad_q_out: np.ndarray) -> None:
    """The chosen values' backward pass: grad_chosen [R, N] into grad_q_out [R', N, A] at the actions, else zero."""
    row_offsets, step_offsets = shard.row_offsets, shard.step_offsets
    grad_q_out[:] = ZERO
    for t in range(len(step_offsets) - 1):
        for k in range(step_offsets[t + 1] - step_offsets[t]):
            for n in range(grad_chosen.shape[1]):
                a = action[t, shard.episode[k], n]
                grad_q_out[row_offsets[t] + k, n, a] = grad_chosen[step_offsets[t] + k, n]


@fast_kernel
def td_errors(
        q_tot: np.ndarray, next_q_tot: np.ndarray, data: StepData, shard: Shard, options: TDOptions,
        grad_out: np.ndarray, sums_out: Any
) -> None:
    """
    Compute lambda-returns G backwards, the masked loss, and its gradient dL/dQ_tot = 2 m w (Q_tot - G) / n_steps.

    q_tot, next_q_tot [R]. Writes the gradient [R] and ``TDSums`` of arrays [b].
    """
    step_offsets = shard.step_offsets
    n_times = len(step_offsets) - 1
    for k in range(len(shard.episode)):
        e, later = shard.episode[k], ZERO
        loss, sum_q, sum_target, sum_error, max_error = ZERO, ZERO, ZERO, ZERO, ZERO
        for t in range(n_times - 1, -1, -1):
            if step_offsets[t] + k >= step_offsets[t + 1]:
                continue  # the episode has ended before
            step, real = step_offsets[t] + k, data.mask[t, e]
            discount = options.gamma * (ONE - data.terminal[t, e])
            target = data.reward[t, e] + discount * next_q_tot[step]
            goes_on = t + 1 < n_times and step_offsets[t + 1] + k < step_offsets[t + 2] and data.mask[t + 1, e] > ZERO
            if goes_on:
                target += discount * options.td_lambda * (later - next_q_tot[step])
            later = target
            error = q_tot[step] - target
            grad_out[step] = TWO * real * data.weight[e] * error / options.n_steps
            loss += real * data.weight[e] * error * error
            sum_q += real * q_tot[step]
            sum_target += real * target
            sum_error += real * abs(error)
            max_error = max(max_error, real * abs(error))
        sums_out.loss[k], sums_out.q_tot[k], sums_out.target_q_tot[k] = loss, sum_q, sum_target
        sums_out.td_error_abs[k], sums_out.td_error_max[k] = sum_error, max_error
