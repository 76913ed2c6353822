"""From transitions to training samples to a batch: our own samples and DI-engine's."""
from collections import namedtuple

import numpy as np
import pytest
import torch
from ding.rl_utils import get_train_sample
from ding.worker.collector.base_serial_collector import to_tensor_transitions
from policy_data import A, H, N, chunk, ding_transitions, make_policy, random_episode, whole

from ding_qmix.policy.samples import collate_samples, cut_chunks, episode_sample
from ding_qmix.spec import EpisodeBatch

Timestep = namedtuple('Timestep', ['obs', 'reward', 'done', 'info'])


def _our_transitions(episode):
    """The episode as our policy's ``_process_transition`` makes it."""
    transitions = []
    for t, ding in enumerate(ding_transitions(episode)):
        flags = {name: bool(episode[name][t]) for name in ('terminated', 'truncated')}
        transitions.append(dict(ding, prev_state=episode['hidden_state'][t], **flags))
    return transitions


@pytest.mark.unittest
@pytest.mark.parametrize('end', ['terminated', 'truncated'])
def test_episode_sample_is_the_episode(end):
    episode = random_episode(5, seed=0, end=end)
    sample = episode_sample(_our_transitions(episode))
    assert sample.keys() == episode.keys()
    assert all(torch.equal(sample[name], episode[name]) for name in episode)


@pytest.mark.unittest
def test_last_row_of_an_episode_is_what_its_last_action_led_to():
    transitions = _our_transitions(random_episode(3, seed=1))
    sample = episode_sample(transitions)
    assert torch.equal(sample['obs'][3], transitions[-1]['next_obs']['agent_state'])
    assert torch.equal(sample['state'][3], transitions[-1]['next_obs']['global_state'])


@pytest.mark.unittest
def test_sample_survives_dings_conversion_of_transitions():
    episode = random_episode(4, seed=2, end='truncated')
    policy = make_policy()
    sample, = policy._get_train_sample(to_tensor_transitions(_our_transitions(episode)))
    assert all(torch.equal(sample[name], value) for name, value in whole(episode).items())


# ------------------------------------------------------- transitions


def _process(done, info, reward=0.5):
    timestep = Timestep({'agent_state': 'next'}, torch.tensor([reward]), done, info)
    output = {'action': torch.zeros(N, dtype=torch.int64), 'prev_state': torch.ones(N, 1, H)}
    return make_policy()._process_transition({'agent_state': 'now'}, output, timestep)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'done, info, terminated, truncated', [
        (False, {}, False, False),
        (True, {}, True, False),
        (True, {
            'truncated': False
        }, True, False),
        (True, {
            'truncated': True
        }, False, True),
        (True, {
            'truncated': torch.tensor(True)
        }, False, True),
        (torch.tensor(True), {
            'truncated': torch.tensor([1.])
        }, False, True),
    ]
)
def test_transition_tells_decided_battles_from_time_limits(done, info, terminated, truncated):
    transition = _process(done, info)
    assert (transition['terminated'], transition['truncated']) == (terminated, truncated)


@pytest.mark.unittest
def test_transition_has_what_came_before_and_after():
    transition = _process(False, {})
    assert transition['obs'] == {'agent_state': 'now'} and transition['next_obs'] == {'agent_state': 'next'}
    assert transition['prev_state'].shape == (N, 1, H) and transition['reward'].item() == 0.5


@pytest.mark.unittest
def test_train_samples_of_the_stock_road_train():
    policy = make_policy(collect=dict(unroll_len=2))
    samples = policy._get_train_sample(to_tensor_transitions(_our_transitions(random_episode(5, seed=3))))
    assert len(samples) == 3 and all(isinstance(sample, dict) for sample in samples)
    assert np.isfinite(policy._forward_learn(samples)['total_loss'])


# ------------------------------------------------------------ chunks


@pytest.mark.unittest
def test_whole_episode_is_one_sample_without_hidden_state():
    episode = random_episode(5, seed=4)
    sample, = cut_chunks(episode, chunk_len=0)
    assert sample.keys() == whole(episode).keys() and len(sample['obs']) == 6


@pytest.mark.unittest
def test_chunks_are_the_rows_they_stand_for():
    episode = random_episode(5, seed=5)
    chunks = cut_chunks(episode, chunk_len=2)
    assert [len(c['reward']) for c in chunks] == [2, 2, 1]
    for first, piece in zip((0, 2, 4), chunks):
        n_steps = len(piece['reward'])
        assert torch.equal(piece['obs'], episode['obs'][first:first + n_steps + 1])
        assert torch.equal(piece['action'], episode['action'][first:first + n_steps])
        assert torch.equal(piece['hidden_state'], episode['hidden_state'][first])


@pytest.mark.unittest
def test_burn_in_takes_what_is_there():
    episode = random_episode(7, seed=6)
    chunks = cut_chunks(episode, chunk_len=3, burn_in=5)
    assert [c['mask'].tolist() for c in chunks] == [[1.] * 3, [0.] * 3 + [1.] * 3, [0.] * 5 + [1.]]
    assert torch.equal(chunks[2]['hidden_state'], episode['hidden_state'][1])


@pytest.mark.unittest
def test_cutting_leaves_the_episode_as_it_was():
    episode = random_episode(7, seed=7)
    cut_chunks(episode, chunk_len=3, burn_in=2)
    assert episode['mask'].tolist() == [1.] * 7


# ------------------------------------------------------------- batch


@pytest.mark.unittest
def test_batch_is_padded_behind_with_mask_zero_and_all_actions_legal():
    samples = [whole(random_episode(n, seed=n)) for n in (2, 4)]
    batch = collate_samples(samples, torch.zeros(2, N, 1, H))
    assert batch.mask.T.tolist() == [[1., 1., 0., 0.], [1.] * 4]
    assert batch.action_mask[3:, 0].all() and not batch.obs[3:, 0].any() and not batch.reward[2:, 0].any()


@pytest.mark.unittest
def test_batch_is_time_first_with_one_row_more_of_what_is_seen():
    batch = collate_samples([chunk(random_episode(n, seed=n)) for n in (2, 4)], torch.zeros(2, N, 1, H))
    seen = {name: getattr(batch, name).shape[:2] for name in ('obs', 'state', 'action_mask')}
    assert set(seen.values()) == {(5, 2)} and batch.action.shape == (4, 2, N) and batch.hidden_state.shape[0] == 2


@pytest.mark.unittest
def test_sample_without_hidden_state_starts_from_zeros_among_others():
    with_state, without = chunk(random_episode(3, seed=0)), whole(random_episode(3, seed=1))
    batch = collate_samples([with_state, without], torch.zeros(2, N, 1, H))
    assert torch.equal(batch.hidden_state[0], with_state['hidden_state']) and not batch.hidden_state[1].any()


# ------------------------------------------------- three kinds of input


def _losses(*inputs, **learn):
    return [make_policy(learn=learn)._forward_learn(data)['total_loss'] for data in inputs]


@pytest.mark.unittest
@pytest.mark.parametrize('td_lambda', [0., 0.6])
def test_batch_and_list_of_samples_give_the_same_loss(td_lambda):
    samples = [chunk(random_episode(n, seed=n)) for n in (5, 3)]
    batch = collate_samples(samples, torch.zeros(2, N, 1, H))
    assert isinstance(batch, EpisodeBatch)
    listed, batched = _losses(samples, batch, td_lambda=td_lambda)
    assert listed == batched


@pytest.mark.unittest
@pytest.mark.parametrize('end', ['terminated', 'cut'])
@pytest.mark.parametrize('td_lambda', [0., 0.6])
def test_ding_samples_give_the_same_loss_as_ours(end, td_lambda):
    episodes = [random_episode(4, seed=n, end=end) for n in range(3)]
    ding_samples = [get_train_sample(ding_transitions(episode), 4)[0] for episode in episodes]
    ours = [chunk(episode) for episode in episodes]
    ding_loss, our_loss = _losses(ding_samples, ours, td_lambda=td_lambda)
    assert ding_loss == pytest.approx(our_loss, rel=1e-6)


@pytest.mark.unittest
def test_ding_chunk_inside_an_episode_bootstraps():
    episode = random_episode(6, seed=9)
    first, second = get_train_sample(ding_transitions(episode), 3)
    ding_loss, our_loss = _losses([first, second], cut_chunks(episode, 3))
    assert ding_loss == pytest.approx(our_loss, rel=1e-6)


@pytest.mark.unittest
def test_padding_rows_of_ding_samples_have_legal_actions():
    sample, = get_train_sample(ding_transitions(random_episode(2, seed=10)), 5)
    batch = collate_samples([sample], torch.zeros(1, N, 1, H))
    assert batch.action_mask.any(dim=-1).all() and batch.mask[:, 0].tolist() == [1., 1., 0., 0., 0.]
    assert batch.action_mask.shape == (6, 1, N, A)


@pytest.mark.unittest
def test_ding_time_limit_is_terminal():
    episode = random_episode(4, seed=11, end='truncated')  # DI-engine's transitions say done, not why
    sample, = get_train_sample(ding_transitions(episode), 4)
    ding_loss, our_loss = _losses([sample], [chunk(episode)], timeout_is_terminal=True)
    assert ding_loss == pytest.approx(our_loss, rel=1e-6)
