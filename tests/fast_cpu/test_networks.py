"""The networks by kernels give what the modules give, values and gradients."""
import numpy as np
import pytest
import torch

from ding_qmix.fast_cpu.agent import CPUAgent
from ding_qmix.fast_cpu.agent_kernel import TILE
from ding_qmix.fast_cpu.blas import (
    add_product,
    add_product_over_rows,
    add_product_transposed,
    multiply,
    multiply_transposed,
    why_no_blas,
)
from ding_qmix.fast_cpu.mixer import CPUMixer
from ding_qmix.fast_cpu.scratch_arrays import ScratchArrays
from ding_qmix.model import QMix

N, OBS_DIM, S, A = 3, 11, 13, 5
SIZES = dict(n_agents=N, obs_dim=OBS_DIM, state_dim=S, n_actions=A, hidden_dims=[24])
needs_kernels = pytest.mark.skipif(why_no_blas() is not None, reason=f'no CPU kernels: {why_no_blas()}')


def _model(**kwargs):
    torch.manual_seed(0)
    return QMix(**{**SIZES, **kwargs})


def _zeros_like(module):
    return {name: torch.zeros_like(p) for name, p in module.named_parameters()}


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize('n_rows', [1, 7, 300])
def test_products_are_numpys(n_rows):
    rng = np.random.default_rng(0)
    x, w, g = (rng.standard_normal(shape, dtype=np.float32) for shape in ((n_rows, 8), (6, 8), (n_rows, 6)))
    cases = (
        (multiply_transposed, x, w, np.zeros((n_rows, 6)), x @ w.T),
        (multiply, g, w, np.zeros((n_rows, 8)), g @ w),
        (add_product, g, w, np.ones((n_rows, 8)), 1. + g @ w),
        (add_product_transposed, x, w, np.ones((n_rows, 6)), 1. + x @ w.T),
        (add_product_over_rows, g, x, np.ones((6, 8)), 1. + g.T @ x),
        (multiply_transposed, x[:, 2:6], w[:, 2:6], np.zeros((n_rows, 6)), x[:, 2:6] @ w[:, 2:6].T),  # columns of more
    )
    for product, a, b, out, expected in cases:
        out = out.astype(np.float32)
        product(a, b, out)
        np.testing.assert_allclose(out, expected, atol=1e-4)


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize('lengths', [(1, ), (4, 4, 4), (9, 5, 5, 1), (TILE // 2, 3)])
def test_agent_by_kernels_is_the_module(lengths):
    agent = _model().agent
    T, K = max(lengths), len(lengths)
    running = [sum(length > t for length in lengths) for t in range(T)]
    row_offsets = np.concatenate([[0], np.cumsum(running)])
    obs, first = torch.randn(T, K, OBS_DIM), 0.5 * torch.randn(K, 1, 24)
    expected, _ = agent(obs, first)
    rows = torch.cat([obs[t, :k] for t, k in enumerate(running)])
    gradients = _zeros_like(agent)
    fast = CPUAgent(agent, gradients)
    q_values, last = fast.forward(rows.numpy(), row_offsets, first[:, 0].numpy(), for_backward=True)
    expected_rows = torch.cat([expected[t, :k] for t, k in enumerate(running)])
    np.testing.assert_allclose(q_values, expected_rows.detach().numpy(), atol=2e-6)
    for k, length in enumerate(lengths):
        _, state = agent(obs[:length, k:k + 1], first[k:k + 1])
        np.testing.assert_allclose(last[k], state[0, 0].detach().numpy(), atol=2e-6)
    grad = torch.randn_like(expected_rows)
    fast.backward(rows.numpy(), row_offsets, grad.numpy())
    _assert_close(gradients.values(), torch.autograd.grad((expected_rows * grad).sum(), list(agent.parameters())))


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize('n_rows', [1, 40, 1100])
def test_mixer_by_kernels_is_the_module(n_rows):
    mixer = _model(mixing_dim=7, hypernet_dim=10).mixer
    agent_q, state, grad = torch.randn(n_rows, N, requires_grad=True), torch.randn(n_rows, S), torch.randn(n_rows)
    expected = mixer(agent_q, state)
    gradients = _zeros_like(mixer)
    fast, given = CPUMixer(mixer, gradients), (agent_q.detach().numpy(), state.numpy())
    np.testing.assert_allclose(fast.forward(*given), expected.detach().numpy(), atol=1e-5)
    grad_q = fast.backward(*given, grad.numpy())
    expected_q, *expected_gradients = torch.autograd.grad((expected * grad).sum(), [agent_q, *mixer.parameters()])
    np.testing.assert_allclose(grad_q, expected_q.numpy(), atol=1e-5)
    _assert_close(gradients.values(), expected_gradients)


def _assert_close(got, expected):
    for one, other in zip(got, expected):
        torch.testing.assert_close(one, other, atol=2e-6 * max(1., float(other.abs().max())), rtol=1e-5)


@pytest.mark.unittest
@needs_kernels
def test_parameters_that_move_in_memory_are_followed():
    agent = _model().agent
    fast, obs = CPUAgent(agent), np.ones((2, OBS_DIM), dtype=np.float32)
    before = fast.forward(obs, np.array([0, 2]), np.zeros((2, 24), dtype=np.float32))[0].copy()
    agent.head.q[2].bias.data = agent.head.q[2].bias.data + 1.
    after, _ = fast.forward(obs, np.array([0, 2]), np.zeros((2, 24), dtype=np.float32))
    np.testing.assert_allclose(after, before + 1., atol=1e-6)


@pytest.mark.unittest
def test_scratch_arrays_keeps_its_arrays():
    work = ScratchArrays()
    first = work.array('a', 4, 3)
    first[:] = 7.
    assert work.array('a', 4, 3) is first
    assert work.array('a', 2, 3).base is first.base and (work.array('a', 2, 3) == 7.).all()
    assert work.array('b', 4, 3).base is not first.base
    assert work.array('a', 100, 3).shape == (100, 3)


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize('obs_dim, hidden_dim', [(OBS_DIM + 1, 24), (OBS_DIM, 23)])
def test_rows_that_do_not_fit_the_agent_are_refused(obs_dim, hidden_dim):
    obs, hidden = np.zeros((2, obs_dim), dtype=np.float32), np.zeros((2, hidden_dim), dtype=np.float32)
    with pytest.raises(ValueError, match=rf'obs has {obs_dim} features and hidden_state {hidden_dim}, expected'):
        CPUAgent(_model().agent).forward(obs, np.array([0, 2]), hidden)


@pytest.mark.unittest
@needs_kernels
@pytest.mark.parametrize('n_agents, state_dim', [(N + 1, S), (N, S - 1)])
def test_rows_that_do_not_fit_the_mixer_are_refused(n_agents, state_dim):
    agent_q, state = np.zeros((2, n_agents), dtype=np.float32), np.zeros((2, state_dim), dtype=np.float32)
    with pytest.raises(ValueError, match=rf'of {n_agents} agents and state has {state_dim} features, expected'):
        CPUMixer(_model().mixer).forward(agent_q, state)
