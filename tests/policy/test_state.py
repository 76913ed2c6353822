"""State dicts: a saved and restored policy goes on bit for bit as the one that was never stopped."""
import io

import pytest
import torch
from policy_data import DING_MODEL, OBS_DIM, A, N, S, make_policy, random_batch, same_tensors

LEARN = dict(optimizer='adam', target_update_freq=3, td_lambda=0.6)


def _through_a_file(state_dict):
    """As torch reads checkpoints today: tensors and plain Python values only."""
    file = io.BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def _update(policy, seeds):
    for seed in seeds:
        policy.learn_mode.forward(random_batch(seed=seed))


def _explore(policy, seed):
    """Random actions of five envs."""
    generator = torch.Generator().manual_seed(seed)
    obs = {
        i: {
            'agent_state': torch.randn(N, OBS_DIM, generator=generator),
            'global_state': torch.randn(S, generator=generator),
            'action_mask': torch.ones(N, A),
        }
        for i in range(5)
    }
    output = policy.collect_mode.forward(obs, eps=1.)
    return torch.stack([output[i]['action'] for i in range(5)])


def _resumed(**kwargs):
    """A policy after two updates, and another one, of another seed, that took its state over."""
    first, second = make_policy(learn=LEARN, **kwargs), make_policy(learn=LEARN, seed=77, **kwargs)
    _update(first, seeds=range(2))
    _explore(first, seed=0)
    second.learn_mode.load_state_dict(_through_a_file(first.learn_mode.state_dict()))
    return first, second


@pytest.mark.unittest
@pytest.mark.parametrize('learn', [LEARN, dict(LEARN, optimizer='rmsprop')])
@pytest.mark.parametrize('model', [{}, dict(lstm_type='pytorch'), dict(mixer=False), DING_MODEL])
def test_updates_go_on_bit_for_bit(model, learn):
    first, second = make_policy(model=model, learn=learn), make_policy(model=model, learn=learn, seed=77)
    _update(first, seeds=range(2))
    second.learn_mode.load_state_dict(_through_a_file(first.learn_mode.state_dict()))
    for policy in (first, second):
        _update(policy, seeds=range(2, 5))
    for name in ('_learn_model', '_learn_target_model'):
        assert same_tensors(getattr(first, name).state_dict(), getattr(second, name).state_dict())


@pytest.mark.unittest
def test_target_network_is_restored_as_it_was():
    first, second = _resumed()
    assert not same_tensors(first._learn_model.state_dict(), first._learn_target_model.state_dict())
    assert same_tensors(first._learn_target_model.state_dict(), second._learn_target_model.state_dict())


@pytest.mark.unittest
def test_count_of_updates_goes_on_so_that_hard_copies_keep_their_beat():
    _, second = _resumed()
    _update(second, seeds=[2])  # the third update
    assert same_tensors(second._learn_model.state_dict(), second._learn_target_model.state_dict())


@pytest.mark.unittest
def test_exploration_goes_on_draw_for_draw():
    first, second = _resumed()
    assert torch.equal(_explore(first, seed=1), _explore(second, seed=1))


@pytest.mark.unittest
def test_exploration_of_collect_mode_alone_goes_on_draw_for_draw():
    first = make_policy(enable_field=['collect'])
    second = make_policy(enable_field=['collect'], seed=77)
    _explore(first, seed=0)
    second.collect_mode.load_state_dict(_through_a_file(first.collect_mode.state_dict()))
    assert torch.equal(_explore(first, seed=1), _explore(second, seed=1))
    assert same_tensors(first._model.state_dict(), second._model.state_dict())


@pytest.mark.unittest
def test_state_of_a_learner_alone_loads_where_there_is_a_collector_and_back():
    learner, full = make_policy(learn=LEARN, enable_field=['learn']), make_policy(learn=LEARN, seed=77)
    full.learn_mode.load_state_dict(_through_a_file(learner.learn_mode.state_dict()))
    assert same_tensors(learner._model.state_dict(), full._model.state_dict())
    learner.learn_mode.load_state_dict(_through_a_file(full.learn_mode.state_dict()))


@pytest.mark.unittest
def test_checkpoint_of_the_learner_plays_in_eval_mode():
    learner, player = make_policy(), make_policy(enable_field=['eval'], seed=77)
    player.eval_mode.load_state_dict(_through_a_file(learner.learn_mode.state_dict()))
    assert same_tensors(learner._model.state_dict(), player._model.state_dict())


@pytest.mark.unittest
def test_state_dict_holds_everything_dings_pipeline_reads():
    assert {'model', 'target_model', 'optimizer'} <= make_policy().learn_mode.state_dict().keys()
