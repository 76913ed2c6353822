"""
What QMIX's mixer does beside matrix products, forward and backward, for the CPU. Rows are env steps.

Source: QMIX (arXiv:1803.11485) section 4.1; the formulas of ding_qmix.model.mixer.
"""
import numpy as np

from ding_qmix.model.kernel import ONE, ZERO, dot, elu, inline_kernel, kernel


@kernel
def mix_forward(
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


@kernel
def mix_backward(
        grad_q_tot: np.ndarray, agent_q: np.ndarray, hidden: np.ndarray, w1: np.ndarray, w_final: np.ndarray,
        grad_first_out: np.ndarray, scratch: np.ndarray, grad_q_out: np.ndarray
) -> None:
    """
    Way back from grad_q_tot [R]: arrays as in ``mix_forward``; w1 and w_final are overwritten with their gradients. Writes
    the gradients of b1, the last E columns of grad_first_out [R, P], and of agent_q [R, N]. scratch [E].
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


@inline_kernel
def _add_abs_scaled(a: float, b: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] += a * abs(b[j])


@inline_kernel
def _absolute(a: np.ndarray, out: np.ndarray) -> None:
    for j in range(len(out)):
        out[j] = abs(a[j])


@inline_kernel
def _grad_hidden(grad: float, hidden: np.ndarray, final: np.ndarray, out: np.ndarray) -> None:
    """Through the sum, the weight and ELU, whose slope is 1 or 1 + elu(x)."""
    for j in range(len(out)):
        out[j] = grad * abs(final[j]) * (ONE + min(hidden[j], ZERO))


@inline_kernel
def _grad_final(grad: float, hidden: np.ndarray, final: np.ndarray) -> None:
    for j in range(len(final)):
        final[j] = grad * hidden[j] * _sign(final[j])


@inline_kernel
def _grad_weights(q: float, grad: np.ndarray, weights: np.ndarray) -> None:
    for j in range(len(weights)):
        weights[j] = q * grad[j] * _sign(weights[j])


@inline_kernel
def _sign(x: float) -> float:
    return ONE if x > ZERO else (-ONE if x < ZERO else ZERO)
