"""What QMIX promises of its mixer (arXiv:1803.11485 eq. 4 and 5)."""
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ding_qmix.model import QMixer, VDNMixer


def _random_mixer(seed, n_agents, state_dim=6, scale=3.):
    """A mixer with wide weights of both signs, far from its initial values."""
    generator = torch.Generator().manual_seed(seed)
    mixer = QMixer(n_agents, state_dim, embed_dim=8, hypernet_dim=8)
    for parameter in mixer.parameters():
        parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    return mixer, generator


@pytest.mark.unittest
@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10 ** 6), n_agents=st.integers(1, 6))
def test_q_tot_never_falls_with_an_agents_value(seed, n_agents):
    mixer, generator = _random_mixer(seed, n_agents)
    agent_q = (5 * torch.randn(32, n_agents, generator=generator)).requires_grad_()
    mixer(agent_q, torch.randn(32, 6, generator=generator)).sum().backward()
    assert (agent_q.grad >= 0).all()


@pytest.mark.unittest
@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10 ** 6))
def test_joint_argmax_is_the_agents_argmaxes(seed):
    n_agents, n_actions = 3, 4
    mixer, generator = _random_mixer(seed, n_agents)
    q_values = torch.randn(n_agents, n_actions, generator=generator)
    state = torch.randn(1, 6, generator=generator)
    joint = list(itertools.product(range(n_actions), repeat=n_agents))
    agent_q = torch.stack([q_values[range(n_agents), actions] for actions in joint])  # [A ** N, N]
    q_tot = mixer(agent_q, state.expand(len(joint), -1))
    greedy = tuple(q_values.argmax(dim=-1).tolist())
    assert q_tot[joint.index(greedy)] == q_tot.max()


@pytest.mark.unittest
def test_bias_depends_on_the_state_and_may_be_negative():
    mixer, generator = _random_mixer(0, 3)
    states = torch.randn(64, 6, generator=generator)
    q_tot = mixer(torch.zeros(64, 3), states)
    assert q_tot.std() > 0.1 and q_tot.min() < 0 < q_tot.max()


@pytest.mark.unittest
def test_vdn_is_the_sum():
    agent_q = torch.tensor([[1., -2., 4.]])
    assert VDNMixer()(agent_q, torch.zeros(1, 6)).tolist() == [3.]
