"""
Mistakes known from implementations of QMIX, DI-engine 0.5.3 among them, when they act: one test each
that fails on the mistake. The tests named ``test_ding_...`` show it in DI-engine's own classes, so that they tell when
it is mended there.
"""
import pytest
import torch
from ding.model.wrapper.model_wrappers import EpsGreedySampleWrapper, sample_action
from policy_data import (
    OBS_DIM,
    SIZES,
    A,
    H,
    N,
    S,
    fixed_parameters,
    make_policy,
    random_batch,
    same_tensors,
)

from ding_qmix.rl_utils import exploration


def _obs(n_envs, seed=0):
    """{env_id: obs} as env managers give it, all actions legal."""
    generator = torch.Generator().manual_seed(seed)
    return {
        i: {
            'agent_state': torch.randn(N, OBS_DIM, generator=generator),
            'global_state': torch.randn(S, generator=generator),
            'action_mask': torch.ones(N, A),
        }
        for i in range(n_envs)
    }


# 1. Exploration: one coin for everything.


class _FixedLogit(torch.nn.Module):
    """Action 0 is greedy everywhere, all actions are legal."""

    def forward(self, data):
        logit = torch.zeros(16, 10, 100)
        logit[..., 0] = 1.
        return {'logit': logit, 'action_mask': torch.ones_like(logit)}


@pytest.mark.unittest
def test_ding_explores_with_one_coin_for_all_envs_and_agents():
    torch.manual_seed(0)
    wrapper = EpsGreedySampleWrapper(_FixedLogit())
    shares = [(wrapper.forward({}, eps=0.5)['action'] != 0).float().mean().item() for _ in range(30)]
    assert all(share == 0. or share > 0.95 for share in shares)


@pytest.mark.unittest
def test_exploration_coins_are_independent_over_envs_and_agents():
    policy = make_policy()
    policy.collect_mode.forward(_obs(64), eps=0.)  # the greedy actions are those of this step only if the state is zero
    policy.collect_mode.reset()
    greedy = policy.eval_mode.forward(_obs(64))
    drawn = policy.collect_mode.forward(_obs(64), eps=0.5)
    random = torch.stack([drawn[i]['action'] != greedy[i]['action'] for i in range(64)])  # [E, N]
    assert (random.any(dim=1) & ~random.all(dim=1)).float().mean() > 0.4


# 2. Exploration: a small probability on illegal actions.


@pytest.mark.unittest
def test_ding_gives_illegal_actions_a_chance():
    weights = torch.tensor([[1., 0.]])
    sample_action(prob=weights)
    assert weights[0, 1] > 0.


@pytest.mark.unittest
def test_illegal_action_is_not_explored_whatever_is_drawn(monkeypatch):
    mask = torch.tensor([[True, False, True, False]]).expand(8, 4)
    draws = (~mask).float() * 0.999  # the highest possible draw for illegal, the lowest for legal actions
    monkeypatch.setattr(
        exploration.torch, 'rand', lambda shape, **_: draws.clone() if len(shape) == 2 else torch.zeros(shape)
    )
    action = exploration.epsilon_greedy(torch.zeros(8, 4), mask, 1.)
    assert mask.gather(1, action.unsqueeze(1)).all()


# 10. Acting and learning share one set of parameters.


@pytest.mark.unittest
def test_acting_sees_every_update_in_one_process():
    policy = make_policy(learn=dict(learning_rate=0.1))
    parameters = list(policy._learn_model.parameters())
    for model in (policy._collect_model, policy._eval_model):
        assert all(one is other for one, other in zip(parameters, model.parameters()))


@pytest.mark.unittest
def test_acting_elsewhere_has_parameters_of_its_own_until_they_are_loaded():
    learner, actor = make_policy(), make_policy(enable_field=['collect'], seed=1)
    assert not same_tensors(learner._model.state_dict(), actor._model.state_dict())
    actor.collect_mode.load_state_dict(learner.learn_mode.state_dict())
    frozen = fixed_parameters(actor._model)
    learner._forward_learn(random_batch())
    assert same_tensors(frozen, actor._model.state_dict())


@pytest.mark.unittest
def test_acting_leaves_no_gradients_behind():
    policy = make_policy()
    policy.collect_mode.forward(_obs(3), eps=0.5)
    policy.eval_mode.forward(_obs(3))
    assert not any(p.grad is not None and p.grad.any() for p in policy._model.parameters())
    assert not policy._collect_actor.hidden_state.requires_grad


@pytest.mark.unittest
def test_sizes_of_these_tests_tell_axes_apart():
    assert len({SIZES['agent_num'], OBS_DIM, S, A, H}) == 5
