"""The networks by hand give what the modules give, values and gradients; and say which models they are for."""
import numpy as np
import pytest
import torch

from ding_qmix.fast_cpu import agent as packed_agent_module
from ding_qmix.fast_cpu.agent import PackedAgent, can_pack_agent
from ding_qmix.fast_cpu.agent_kernel import TILE
from ding_qmix.fast_cpu.blas import (
    add_product,
    add_product_over_rows,
    add_product_transposed,
    find_blas,
    multiply,
    multiply_transposed,
)
from ding_qmix.fast_cpu.gradient import can_pack
from ding_qmix.fast_cpu.mixer import PackedMixer
from ding_qmix.fast_cpu.scratch import Workspace
from ding_qmix.model import QMix
from ding_qmix.numba_kernel import JIT

N, OBS_DIM, S, A = 3, 11, 13, 5
SIZES = dict(agent_num=N, obs_shape=OBS_DIM, global_obs_shape=S, action_shape=A, hidden_size_list=[24])
packed = pytest.mark.skipif(not JIT or find_blas() is None, reason='kernels need numba and the BLAS of torch')


def _model(**kwargs):
    torch.manual_seed(0)
    return QMix(**{**SIZES, **kwargs})


def _zeros_like(parameters):
    return [torch.zeros_like(p) for p in parameters]


@pytest.mark.unittest
@packed
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
        product(find_blas(), a, b, out)
        np.testing.assert_allclose(out, expected, atol=1e-4)


@pytest.mark.unittest
@packed
@pytest.mark.parametrize('lengths', [(1, ), (4, 4, 4), (9, 5, 5, 1), (TILE // 2, 3)])
def test_agent_by_hand_is_the_module(lengths):
    agent = _model().agent
    T, K = max(lengths), len(lengths)
    running = [sum(length > t for length in lengths) for t in range(T)]
    starts = np.concatenate([[0], np.cumsum(running)])
    obs, first = torch.randn(T, K, OBS_DIM), 0.5 * torch.randn(K, 1, 24)
    expected, _ = agent(obs, first)
    rows = torch.cat([obs[t, :k] for t, k in enumerate(running)])
    gradients = _zeros_like(agent.parameters())
    hand = PackedAgent(agent, gradients)
    q_values, last = hand.forward(rows.numpy(), starts, first[:, 0].numpy(), for_backward=True)
    expected_rows = torch.cat([expected[t, :k] for t, k in enumerate(running)])
    np.testing.assert_allclose(q_values, expected_rows.detach().numpy(), atol=2e-6)
    for k, length in enumerate(lengths):
        _, state = agent(obs[:length, k:k + 1], first[k:k + 1])
        np.testing.assert_allclose(last[k], state[0, 0].detach().numpy(), atol=2e-6)
    grad = torch.randn_like(expected_rows)
    hand.backward(rows.numpy(), starts, grad.numpy())
    _assert_close(gradients, torch.autograd.grad((expected_rows * grad).sum(), list(agent.parameters())))


@pytest.mark.unittest
@packed
@pytest.mark.parametrize('n_rows', [1, 40, 1100])
def test_mixer_by_hand_is_the_module(n_rows):
    mixer = _model(mixing_embed_dim=7, hypernet_embed_dim=10).mixer
    agent_q, state, grad = torch.randn(n_rows, N, requires_grad=True), torch.randn(n_rows, S), torch.randn(n_rows)
    expected = mixer(agent_q, state)
    gradients = _zeros_like(mixer.parameters())
    hand, given = PackedMixer(mixer, gradients), (agent_q.detach().numpy(), state.numpy())
    np.testing.assert_allclose(hand.forward(*given), expected.detach().numpy(), atol=1e-5)
    grad_q = hand.backward(*given, grad.numpy())
    expected_q, *expected_gradients = torch.autograd.grad((expected * grad).sum(), [agent_q, *mixer.parameters()])
    np.testing.assert_allclose(grad_q, expected_q.numpy(), atol=1e-5)
    _assert_close(gradients, expected_gradients)


def _assert_close(got, expected):
    for one, other in zip(got, expected):
        torch.testing.assert_close(one, other, atol=2e-6 * max(1., float(other.abs().max())), rtol=1e-5)


@pytest.mark.unittest
@packed
def test_parameters_that_move_in_memory_are_followed():
    agent = _model().agent
    hand, obs = PackedAgent(agent), np.ones((2, OBS_DIM), dtype=np.float32)
    before = hand.forward(obs, np.array([0, 2]), np.zeros((2, 24), dtype=np.float32))[0].copy()
    agent.head.q[2].bias.data = agent.head.q[2].bias.data + 1.
    after, _ = hand.forward(obs, np.array([0, 2]), np.zeros((2, 24), dtype=np.float32))
    np.testing.assert_allclose(after, before + 1., atol=1e-6)


@pytest.mark.unittest
@packed
def test_our_plain_model_is_written_by_hand():
    assert can_pack(_model())


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kwargs', [dict(dueling=True),
               dict(lstm_type='pytorch'),
               dict(mixer=False),
               dict(hidden_size_list=[32, 24])]
)
def test_other_models_go_by_autograd(kwargs):
    assert not can_pack(_model(**kwargs))


@pytest.mark.unittest
def test_changed_models_go_by_autograd(monkeypatch):

    class Changed(QMix):
        """A user's model."""

    assert not can_pack(Changed(**SIZES))
    assert not can_pack(_model().double())
    assert not can_pack(torch.nn.Linear(2, 2))
    larger = _model()
    larger.extra = torch.nn.Linear(2, 2)
    assert not can_pack(larger)
    monkeypatch.setattr(packed_agent_module, 'find_blas', lambda: None)
    assert not can_pack_agent(_model().agent)


@pytest.mark.unittest
def test_workspace_keeps_its_arrays():
    work = Workspace()
    first = work.array('a', 4, 3)
    first[:] = 7.
    assert work.array('a', 4, 3) is first
    assert work.array('a', 2, 3).base is first.base and (work.array('a', 2, 3) == 7.).all()
    assert work.array('b', 4, 3).base is not first.base
    assert work.array('a', 100, 3).shape == (100, 3)


@pytest.mark.unittest
@packed
@pytest.mark.parametrize('obs_dim, hidden_dim', [(OBS_DIM + 1, 24), (OBS_DIM, 23)])
def test_rows_that_do_not_fit_the_agent_are_refused(obs_dim, hidden_dim):
    obs, hidden = np.zeros((2, obs_dim), dtype=np.float32), np.zeros((2, hidden_dim), dtype=np.float32)
    with pytest.raises(ValueError, match=rf'obs has {obs_dim} features and hidden_state {hidden_dim}, expected'):
        PackedAgent(_model().agent).forward(obs, np.array([0, 2]), hidden)


@pytest.mark.unittest
@packed
@pytest.mark.parametrize('n_agents, state_dim', [(N + 1, S), (N, S - 1)])
def test_rows_that_do_not_fit_the_mixer_are_refused(n_agents, state_dim):
    agent_q, state = np.zeros((2, n_agents), dtype=np.float32), np.zeros((2, state_dim), dtype=np.float32)
    with pytest.raises(ValueError, match=rf'of {n_agents} agents and state has {state_dim} features, expected'):
        PackedMixer(_model().mixer).forward(agent_q, state)
