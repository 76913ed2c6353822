"""
Between a batch and the networks, for the CPU: rows packed by time, the agents' values picked, TD errors.

A shard is some of a batch's episodes, longest first. starts int64 [T + 2] says where each time's rows begin among the
T + 1 rows of obs an episode of length T has; ``moves`` int64 [T + 1] says the same of its T transitions. Arrays of the
batch are [T, B, ...]; episode int64 [b] picks from B.
"""
import numpy as np

from ding_qmix.fast_cpu.math_kernel import ONE, TWO, ZERO
from ding_qmix.numba_kernel import fast_inline_kernel, fast_kernel


@fast_kernel
def pack_rows(batch: np.ndarray, episode: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
    """Copy batch [T, B, F] to rows [R, F], starts[t + 1] - starts[t] of each time."""
    for t in range(len(starts) - 1):
        for k in range(starts[t + 1] - starts[t]):
            row, value = out[starts[t] + k], batch[t, episode[k]]
            for j in range(len(row)):
                row[j] = value[j]


@fast_kernel
def pick_values(
        q: np.ndarray, target_q: np.ndarray, action: np.ndarray, action_mask: np.ndarray, episode: np.ndarray,
        starts: np.ndarray, moves: np.ndarray, double_q: bool, chosen_out: np.ndarray, best_out: np.ndarray
) -> None:
    """
    Write the online network's values of the actions taken, and the target network's of the best legal actions one step
    later, both [R, N]. q, target_q [R', N, A]; action [T, B, N]; action_mask bool [T + 1, B, N, A].
    """
    for t in range(len(moves) - 1):
        for k in range(moves[t + 1] - moves[t]):
            e, now, later, move = episode[k], starts[t] + k, starts[t + 1] + k, moves[t] + k
            for n in range(q.shape[1]):
                chosen_out[move, n] = q[now, n, action[t, e, n]]
                legal = action_mask[t + 1, e, n]
                best = _best_legal(q[later, n], legal) if double_q else _best_legal(target_q[later, n], legal)
                best_out[move, n] = target_q[later, n, best]


@fast_inline_kernel
def _best_legal(q: np.ndarray, legal: np.ndarray) -> int:
    """The first of the best; action 0 if none is legal."""
    best, best_q = 0, np.float32(-np.inf)
    for a in range(len(q)):
        if legal[a] and q[a] > best_q:
            best, best_q = a, q[a]
    return best


@fast_kernel
def spread_gradient(
        grad_chosen: np.ndarray, action: np.ndarray, episode: np.ndarray, starts: np.ndarray, moves: np.ndarray,
        grad_q_out: np.ndarray
) -> None:
    """The way back of the chosen values: grad_chosen [R, N] into grad_q_out [R', N, A], zero elsewhere."""
    grad_q_out[:] = ZERO
    for t in range(len(moves) - 1):
        for k in range(moves[t + 1] - moves[t]):
            for n in range(grad_chosen.shape[1]):
                grad_q_out[starts[t] + k, n, action[t, episode[k], n]] = grad_chosen[moves[t] + k, n]


@fast_kernel
def td_errors(
        q_tot: np.ndarray, next_q_tot: np.ndarray, reward: np.ndarray, terminal: np.ndarray, mask: np.ndarray,
        weight: np.ndarray, episode: np.ndarray, moves: np.ndarray, gamma: float, td_lambda: float, n_steps: float,
        grad_out: np.ndarray, sums_out: np.ndarray
) -> None:
    """
    Lambda-returns of ``ding_qmix.rl_utils.td_lambda_target``, computed backwards, and the masked loss with its
    gradient.

    q_tot, next_q_tot [R]; reward, terminal, mask [T, B]; weight [B]; n_steps is the whole batch's. Writes the loss's
    gradient by q_tot, [R], and per episode [b, 5]: loss, sums of Q_tot, target, |TD error|, largest |TD error|.
    """
    sums_out[:] = ZERO
    n_times = len(moves) - 1
    for k in range(len(episode)):
        e, sums, later = episode[k], sums_out[k], ZERO
        for t in range(n_times - 1, -1, -1):
            if moves[t] + k >= moves[t + 1]:
                continue  # the episode has ended before
            move, real = moves[t] + k, mask[t, e]
            discount = gamma * (ONE - terminal[t, e])
            target = reward[t, e] + discount * next_q_tot[move]
            goes_on = t + 1 < n_times and moves[t + 1] + k < moves[t + 2] and mask[t + 1, e] > ZERO
            if goes_on:
                target += discount * td_lambda * (later - next_q_tot[move])
            later = target
            error = q_tot[move] - target
            grad_out[move] = TWO * real * weight[e] * error / n_steps
            sums[0] += real * weight[e] * error * error
            sums[1] += real * q_tot[move]
            sums[2] += real * target
            sums[3] += real * abs(error)
            sums[4] = max(sums[4], real * abs(error))
