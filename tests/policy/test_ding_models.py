"""Our policy with DI-engine's ``qmix`` model, DI-engine's policy with ours, and checkpoints from there to here."""
import io

import pytest
import torch
from ding.policy.qmix import QMIXPolicy as DingPolicy
from ding.rl_utils import get_train_sample
from policy_data import (
    DING_MODEL,
    OBS_DIM,
    SIZES,
    A,
    H,
    N,
    S,
    chunk,
    ding_transitions,
    fixed_parameters,
    make_ding_policy,
    make_policy,
    random_batch,
    random_episode,
    same_tensors,
)

from ding_qmix.ding_compat import DingModelAdapter, DingQMix

OUR_MODEL = dict(type='ding_qmix', import_names=['ding_qmix.ding_compat.model'])
MODELS = [{}, dict(lstm_type='pytorch'), dict(mixer=False), dict(dueling=True)]


def _obs(n_envs, seed=0):
    """{env_id: obs} as env managers give it."""
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.rand(n_envs, N, A, generator=generator) < 0.6).float()
    mask[..., 1] = 1.
    return {
        i: {
            'agent_state': torch.randn(N, OBS_DIM, generator=generator),
            'global_state': torch.randn(S, generator=generator),
            'action_mask': mask[i],
        }
        for i in range(n_envs)
    }


def _actions(output):
    return torch.stack([output[i]['action'] for i in sorted(output)])


def _pair(model=None, **kwargs):
    """Our policy with DI-engine's model, and with our model of the same weights; the same exploration."""
    ding = make_policy(model={**DING_MODEL, **(model or {})}, **kwargs)
    ours = make_policy(model=model, **kwargs)
    assert isinstance(ding._learn_model, DingModelAdapter) and isinstance(ours._learn_model, DingQMix)
    for name in ('_learn_model', '_learn_target_model'):
        getattr(ours, name).load_state_dict(getattr(ding, name).state_dict())
    for policy in (ding, ours):
        policy._collect_generator.manual_seed(5)
    return ding, ours


# ------------------------------------- DI-engine's model in our policy


@pytest.mark.unittest
@pytest.mark.parametrize('model', MODELS)
@pytest.mark.parametrize('double_q', [True, False])
def test_ding_model_learns_with_the_same_numbers(model, double_q):
    policies = _pair(model, learn=dict(double_q=double_q, target_update_freq=2, td_lambda=0.6))
    losses = [
        [policy._forward_learn(random_batch(seed=seed))['total_loss'] for seed in range(5)] for policy in policies
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.unittest
def test_ding_model_learns_from_chunks_with_the_same_numbers():
    # DI-engine keeps (h, c) for a GRU too
    policies, losses = _pair(), []
    for policy, n_tensors in zip(policies, (2, 1)):
        episodes = [random_episode(5, seed=n, n_tensors=1) for n in range(3)]
        samples = [chunk(dict(e, hidden_state=e['hidden_state'].repeat(1, 1, n_tensors, 1))) for e in episodes]
        losses.append(policy._forward_learn(samples)['total_loss'])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.unittest
@pytest.mark.parametrize('model', MODELS)
def test_ding_model_acts_with_the_same_actions(model):
    ding, ours = _pair(model)
    for step in range(4):
        for act in (lambda p, obs: p.collect_mode.forward(obs, eps=0.4), lambda p, obs: p.eval_mode.forward(obs)):
            actions = [_actions(act(policy, _obs(6, seed=step))) for policy in (ding, ours)]
            assert torch.equal(*actions)


@pytest.mark.unittest
def test_ding_model_takes_its_own_samples_back():
    policy = make_policy(model=DING_MODEL, collect=dict(unroll_len=2))
    hidden = policy.collect_mode.forward(_obs(2), eps=0.)[0]['prev_state']
    assert hidden.shape == (N, 2, H)
    episode = random_episode(4, seed=0, n_tensors=2)
    policy._forward_learn(policy._cut_episode(episode))


@pytest.mark.unittest
def test_ding_model_keeps_its_own_parameter_names():
    policy = make_policy(model=DING_MODEL)
    names = policy.learn_mode.state_dict()['model'].keys()
    assert set(names) == set(policy._model.state_dict()) and '_q_network.rnn.weight_ih' in names


@pytest.mark.unittest
def test_ding_models_target_is_hard_copied():
    policy = make_policy(model=DING_MODEL, learn=dict(target_update_freq=2))
    same = []
    for _ in range(2):
        policy._forward_learn(random_batch())
        same.append(same_tensors(policy._learn_model.state_dict(), policy._learn_target_model.state_dict()))
    assert same == [False, True]


@pytest.mark.unittest
@pytest.mark.parametrize('double_q', [True, False])
def test_ding_model_leaves_the_batch_as_it_was(double_q):
    batch = random_batch()
    before = [None if x is None else x.clone() for x in batch]
    make_policy(model=DING_MODEL, learn=dict(double_q=double_q))._forward_learn(batch)
    assert all(x is y is None or torch.equal(x, y) for x, y in zip(before, batch))


# ------------------------------------- our model in DI-engine's policy


def _ding_pair(model=None):
    """DI-engine's policy with its model, and with ours of the same weights."""
    learn = dict(batch_size=3, double_q=True)
    ding = make_ding_policy(model, learn)
    ours = make_ding_policy({**OUR_MODEL, **(model or {})}, learn)
    assert type(ours) is DingPolicy and isinstance(ours._model, DingQMix)
    ours._model.load_state_dict(ding._model.state_dict())
    ours._target_model.load_state_dict(ding._target_model.state_dict())
    return ding, ours


@pytest.mark.unittest
@pytest.mark.parametrize('model', MODELS)
def test_ding_policy_trains_our_model_with_the_same_numbers(model):
    losses = []
    for policy in _ding_pair(model):
        samples = [get_train_sample(ding_transitions(random_episode(5, seed=n, n_tensors=2)), 5)[0] for n in range(3)]
        losses.append([policy._forward_learn(samples)['total_loss'] for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.unittest
@pytest.mark.parametrize('model', MODELS)
def test_ding_policy_acts_with_our_model_as_with_its_own(model):
    ding, ours = _ding_pair(model)
    for step in range(3):
        for act in (lambda p, obs: p.collect_mode.forward(obs, eps=0.), lambda p, obs: p.eval_mode.forward(obs)):
            actions = [_actions(act(policy, _obs(4, seed=step))) for policy in (ding, ours)]
            assert torch.equal(*actions)


@pytest.mark.unittest
def test_ding_policy_trains_on_what_it_collected_with_our_model():
    policy = make_ding_policy(OUR_MODEL, dict(batch_size=1), collect=dict(unroll_len=4))
    episode, transitions = random_episode(4, seed=0), []
    for t, transition in enumerate(ding_transitions(episode)):
        output = policy.collect_mode.forward({i: _obs(1, seed=t)[0] for i in range(4)}, eps=0.5)[0]
        transitions.append(dict(transition, prev_state=output['prev_state'], action=output['action']))
    before = fixed_parameters(policy._model)
    policy._forward_learn(policy._get_train_sample(transitions))
    assert not same_tensors(before, policy._model.state_dict())


# ---------------------------------------------------------- checkpoints


def _saved_and_loaded(state_dict):
    """Through a file, as DI-engine's load hook reads it with today's torch."""
    file = io.BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.unittest
@pytest.mark.parametrize('model', MODELS)
def test_ding_checkpoint_plays_as_there(model):
    ding = make_ding_policy(model, seed=4)
    ours = make_policy(model=model, enable_field=['eval'], seed=8)
    ours.eval_mode.load_state_dict(_saved_and_loaded(ding.learn_mode.state_dict()))
    for step in range(3):
        actions = [_actions(policy.eval_mode.forward(_obs(4, seed=step))) for policy in (ding, ours)]
        assert torch.equal(*actions)


@pytest.mark.unittest
def test_ding_checkpoint_brings_online_and_target_network():
    ding = make_ding_policy(seed=4)
    for parameter in ding._target_model.parameters():
        parameter.data += 1.
    ours = make_policy(seed=8)
    ours.learn_mode.load_state_dict(_saved_and_loaded(ding.learn_mode.state_dict()))
    expected = DingQMix(**SIZES)
    expected.load_state_dict(ding._model.state_dict())
    assert same_tensors(expected.state_dict(), ours._learn_model.state_dict())
    expected.load_state_dict(ding._target_model.state_dict())
    assert same_tensors(expected.state_dict(), ours._learn_target_model.state_dict())


@pytest.mark.unittest
def test_training_goes_on_from_a_ding_checkpoint():
    ours = make_policy()
    ours.learn_mode.load_state_dict(_saved_and_loaded(make_ding_policy(seed=4).learn_mode.state_dict()))
    before = fixed_parameters(ours._model)
    ours._forward_learn(random_batch())
    assert not same_tensors(before, ours._model.state_dict())


@pytest.mark.unittest
def test_ding_checkpoint_of_another_size_is_refused():
    ding = make_ding_policy(model=dict(hidden_size_list=[16]))
    with pytest.raises(RuntimeError, match='size mismatch'):
        make_policy().learn_mode.load_state_dict(ding.learn_mode.state_dict())
