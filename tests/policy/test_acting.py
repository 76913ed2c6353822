"""Collect and eval modes: what they return, and whose hidden state is whose."""
import numpy as np
import pytest
import torch
from policy_data import OBS_DIM, A, H, N, S, make_policy

from ding_qmix.policy.actor import RecurrentActor


def _obs(env_ids, seed=0, as_numpy=False):
    """{env_id: obs} as env managers give it; an env's obs depends on its id and the seed only."""
    data = {}
    for i in env_ids:
        generator = torch.Generator().manual_seed(1000 * seed + i)
        mask = (torch.rand(N, A, generator=generator) < 0.7).float()
        mask[:, 2] = 1.
        data[i] = {
            'agent_state': 2. * torch.randn(N, OBS_DIM, generator=generator),
            'global_state': torch.randn(S, generator=generator),
            'action_mask': mask,
        }
        if as_numpy:
            data[i] = {name: value.numpy() for name, value in data[i].items()}
    return data


def _states(policy, env_ids, seed=1):
    """The hidden states from which the given envs decide next."""
    output = policy.collect_mode.forward(_obs(env_ids, seed), eps=0.)
    return {i: output[i]['prev_state'] for i in env_ids}


@pytest.mark.unittest
def test_collect_returns_actions_and_the_state_before_them():
    output = make_policy().collect_mode.forward(_obs([0, 1]), eps=0.3)
    assert list(output) == [0, 1] and output[1].keys() == {'action', 'prev_state'}
    assert output[1]['action'].shape == (N, ) and output[1]['action'].dtype == torch.int64
    assert output[1]['prev_state'].shape == (N, 1, H) and not output[1]['prev_state'].any()


@pytest.mark.unittest
def test_eval_returns_actions():
    output = make_policy().eval_mode.forward(_obs([3, 1]))
    assert list(output) == [3, 1] and output[3].keys() == {'action'} and output[3]['action'].shape == (N, )


@pytest.mark.unittest
@pytest.mark.parametrize('eps', [0., 0.5, 1.])
def test_actions_are_legal(eps):
    policy = make_policy()
    for step in range(20):
        data = _obs(range(8), seed=step)
        output = policy.collect_mode.forward(data, eps=eps)
        assert all(data[i]['action_mask'].gather(1, output[i]['action'].unsqueeze(1)).all() for i in data)


@pytest.mark.unittest
def test_arrays_and_tensors_give_the_same_actions():
    outputs = [make_policy().eval_mode.forward(_obs([0, 1], as_numpy=kind)) for kind in (True, False)]
    assert all(torch.equal(outputs[0][i]['action'], outputs[1][i]['action']) for i in (0, 1))


@pytest.mark.unittest
def test_acting_step_by_step_equals_the_sequence():
    policy = make_policy(model=dict(lstm_type='pytorch'))
    steps = [_obs([0], seed=t)[0]['agent_state'] for t in range(5)]
    whole, _ = policy._model.q_values(torch.stack(steps).unsqueeze(1), policy._model.initial_state(1))
    actor = RecurrentActor(policy._model)
    every = torch.ones(1, N, A, dtype=torch.bool)
    actions = [actor.act(obs.unsqueeze(0), every, [0])[0][0] for obs in steps]
    assert torch.equal(torch.stack(actions), whole[:, 0].argmax(-1))


@pytest.mark.unittest
def test_order_of_envs_does_not_matter():
    policies = [make_policy(), make_policy()]
    for step, orders in enumerate([([0, 1, 2], [2, 0, 1]), ([1, 2], [2, 1]), ([2, 0, 1], [0, 1, 2])]):
        outputs = [p.collect_mode.forward(_obs(ids, step), eps=0.) for p, ids in zip(policies, orders)]
        for i in orders[0]:
            torch.testing.assert_close(outputs[0][i]['prev_state'], outputs[1][i]['prev_state'])
            assert torch.equal(outputs[0][i]['action'], outputs[1][i]['action'])


@pytest.mark.unittest
def test_new_envs_leave_the_others_hidden_states():
    policy = make_policy()
    policy.collect_mode.forward(_obs([0, 1]), eps=0.)
    alone = make_policy()
    alone.collect_mode.forward(_obs([0, 1]), eps=0.)
    grown, expected = _states(policy, [9, 1, 0]), _states(alone, [0, 1])
    assert not grown[9].any()
    assert all(torch.allclose(grown[i], expected[i]) and grown[i].any() for i in (0, 1))


@pytest.mark.unittest
def test_env_that_is_not_asked_keeps_its_hidden_state():
    policy = make_policy()
    policy.collect_mode.forward(_obs([0, 1]), eps=0.)
    kept = policy._collect_actor.hidden_state[1].clone()
    policy.collect_mode.forward(_obs([0], seed=1), eps=0.)
    assert torch.equal(policy._collect_actor.hidden_state[1], kept)


@pytest.mark.unittest
@pytest.mark.parametrize('ids', [[1], np.array([1]), (1, )])
def test_reset_forgets_the_given_env_only(ids):
    policy = make_policy()
    policy.collect_mode.forward(_obs([0, 1, 2]), eps=0.)
    policy.collect_mode.reset(ids)
    states = _states(policy, [0, 1, 2])
    assert states[0].any() and not states[1].any() and states[2].any()


@pytest.mark.unittest
def test_reset_without_ids_forgets_all_envs():
    policy = make_policy()
    policy.collect_mode.forward(_obs([0, 1]), eps=0.)
    policy.collect_mode.reset()
    assert not any(state.any() for state in _states(policy, [0, 1]).values())


@pytest.mark.unittest
def test_reset_of_known_and_unknown_envs_forgets_the_known_ones():
    policy = make_policy()
    policy.collect_mode.forward(_obs([0, 1]), eps=0.)
    policy.collect_mode.reset([0, 7])
    states = _states(policy, [0, 1])
    assert not states[0].any() and states[1].any()


@pytest.mark.unittest
@pytest.mark.parametrize('ids', [[], [5], None])
def test_reset_before_any_forward_is_allowed(ids):
    policy = make_policy()
    policy.collect_mode.reset(ids)
    policy.eval_mode.reset(ids)


@pytest.mark.unittest
def test_returned_state_is_not_overwritten_by_later_steps():
    policy = make_policy()
    policy.collect_mode.forward(_obs([0]), eps=0.)
    state = _states(policy, [0])[0]
    before = state.clone()
    policy.collect_mode.forward(_obs([0], seed=2), eps=0.)
    policy.collect_mode.reset()
    assert torch.equal(state, before)


@pytest.mark.unittest
def test_evaluation_and_collection_keep_hidden_states_apart():
    policy = make_policy()
    policy.collect_mode.forward(_obs([0]), eps=0.)
    kept = policy._collect_actor.hidden_state.clone()
    policy.eval_mode.forward(_obs([0], seed=1))
    policy.eval_mode.reset()
    assert torch.equal(policy._collect_actor.hidden_state, kept)


@pytest.mark.unittest
def test_exploration_depends_on_the_seed_only():

    def explore(seed):
        outputs = make_policy(seed=seed).collect_mode.forward(_obs(range(8)), eps=1.)
        return torch.stack([outputs[i]['action'] for i in range(8)])

    assert torch.equal(explore(1), explore(1)) and not torch.equal(explore(1), explore(2))


@pytest.mark.unittest
def test_acting_leaves_torchs_generator_alone():
    policy = make_policy()
    before = torch.get_rng_state()
    policy.collect_mode.forward(_obs(range(4)), eps=0.5)
    policy.eval_mode.forward(_obs(range(4)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.unittest
def test_evaluation_draws_nothing_from_explorations_generator():
    policy = make_policy()
    before = policy._collect_generator.get_state()
    policy.eval_mode.forward(_obs(range(4)))
    assert torch.equal(policy._collect_generator.get_state(), before)
