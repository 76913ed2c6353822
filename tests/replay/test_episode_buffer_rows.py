"""Compact rows of the replay buffer: nothing is lost but float16's rounding, and what does not fit is refused."""
import logging

import pytest
import torch
from buffer_data import all_of, make_buffer, numbered, numbers
from policy_data import OBS_DIM, H, N, S, chunk, ding_transitions, make_policy, random_episode, whole


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _with_bits(episode, columns=(0, 3)):
    """The episode with obs and state columns of zeros and ones."""
    episode = {name: value.clone() for name, value in episode.items()}
    for name in ('obs', 'state'):
        episode[name][..., list(columns)] = (episode[name][..., list(columns)] > 0).float()
    return episode


def _rounded(sample, obs_dtype):
    """The sample as it should come back."""
    dtype = getattr(torch, obs_dtype)
    return {
        name: value.to(dtype).float() if name in ('obs', 'state', 'hidden_state') else value
        for name, value in sample.items()
    }


@pytest.mark.unittest
@pytest.mark.parametrize('obs_dtype', ['float16', 'float32'])
@pytest.mark.parametrize('kind', [whole, chunk])
def test_rows_with_bits_are_what_a_plain_copy_would_be(kind, obs_dtype):
    samples = [kind(_with_bits(random_episode(n, seed=n))) for n in (3, 7, 5)]
    buffer = make_buffer(obs_dtype=obs_dtype)
    buffer.push(samples)
    assert buffer._store.layout == '2 of 7 obs features, 2 of 9 state features'
    got, expected = all_of(buffer, [_rounded(s, obs_dtype) for s in samples])
    for b, n_steps in enumerate((7, 5, 3)):
        for name in ('obs', 'state', 'action_mask'):
            assert torch.equal(getattr(got, name)[:n_steps + 1, b], getattr(expected, name)[:n_steps + 1, b])
            assert torch.equal(
                getattr(got, name)[n_steps:, b],
                getattr(got, name)[n_steps:n_steps + 1, b].expand_as(getattr(got, name)[n_steps:, b])
            )  # padding repeats the last row
    if kind is chunk:
        assert torch.equal(got.hidden_state, expected.hidden_state)


@pytest.mark.unittest
@pytest.mark.parametrize('obs_dtype', ['float16', 'float32'])
def test_columns_that_are_bits_no_longer_keep_what_is_stored(obs_dtype):
    early = [chunk(_with_bits(random_episode(n, seed=n))) for n in (3, 7, 5)]
    late = [chunk(random_episode(4, seed=8))]
    buffer = make_buffer(obs_dtype=obs_dtype)
    buffer.push(early)
    buffer.push(late)
    assert buffer._store.layout == '0 of 7 obs features, 0 of 9 state features'
    samples = [_rounded(s, obs_dtype) for s in (*early, *late)]
    got, expected = all_of(buffer, samples)
    for b, n_steps in enumerate((7, 5, 4, 3)):
        for name in ('obs', 'state', 'action_mask'):
            assert torch.equal(getattr(got, name)[:n_steps + 1, b], getattr(expected, name)[:n_steps + 1, b])


@pytest.mark.unittest
def test_log_names_the_memory_at_the_start_and_when_columns_change(caplog):
    buffer = make_buffer()
    with caplog.at_level(logging.INFO):
        buffer.push([chunk(_with_bits(random_episode(9, seed=0)))])
        buffer.push([chunk(random_episode(4, seed=1))])
    start, change = (r.message for r in caplog.records if r.message.startswith('replay buffer'))
    # obs 3 * (1 + 5 * 2), state 1 + 7 * 2, action mask 2, actions 3, reward 4, flags 3
    assert 'up to 20 samples in 1,280 rows; a row takes 60 bytes, 2 of 7 obs features' in start and 'MiB' in start
    assert change == (
        'replay buffer: 4 more features are no bits; a row takes 72 bytes, 0 of 7 obs features, 0 of 9 state features '
        'are bits'
    )


@pytest.mark.unittest
@pytest.mark.parametrize('n_actions', [1, 3, 8, 11])
def test_action_masks_survive_as_bits(n_actions):
    sample = whole(random_episode(5, seed=2))
    sample['action_mask'] = torch.rand(6, N, n_actions, generator=torch.Generator().manual_seed(0)) < .5
    buffer = make_buffer()
    buffer.push([sample])
    assert torch.equal(buffer.sample(1).action_mask[:, 0], sample['action_mask'])


@pytest.mark.unittest
def test_state_may_be_one_view_per_agent():
    sample = whole(_with_bits(random_episode(5, seed=2)))
    sample['state'] = sample['obs'][..., :4].clone()  # [T + 1, N, 4]
    buffer = make_buffer(obs_dtype='float32')
    buffer.push([sample])
    assert torch.equal(buffer.sample(1).state[:, 0], sample['state'])


@pytest.mark.unittest
def test_samples_of_other_types_and_strides_are_taken():
    sample = whole(random_episode(5, seed=2))
    odd = dict(sample, obs=sample['obs'].double(), state=sample['state'].T.contiguous().T)
    odd['action'] = sample['action'].int()
    buffers = [make_buffer(), make_buffer()]
    for buffer, s in zip(buffers, (sample, odd)):
        buffer.push([s])
    assert all(torch.equal(x, y) for x, y in zip(*(b.sample(1)[:8] for b in buffers)))


@pytest.mark.unittest
@pytest.mark.parametrize('collect', [{}, dict(unroll_len=2, burnin_step=1)])
def test_samples_that_the_policy_makes_for_ding_engines_collector_train(collect):
    policy, buffer = make_policy(collect=collect), make_buffer(obs_dtype='float32')
    transitions = ding_transitions(random_episode(6, seed=3))
    for t in transitions:
        t.update(terminated=t['done'], truncated=False, prev_state=torch.zeros(N, 1, H))
    samples = policy._get_train_sample(transitions)
    buffer.push(samples)
    got, expected = all_of(buffer, samples)
    real = expected.mask > 0
    assert torch.equal(got.mask, expected.mask) and torch.equal(got.obs[:-1][real], expected.obs[:-1][real])
    assert policy.learn_mode.forward(got)['total_loss'] > 0.


# ---------------------------------------------------------------- errors


@pytest.mark.unittest
def test_sample_with_other_fields_is_refused():
    buffer = make_buffer()
    buffer.push([whole(random_episode(3, seed=0))])
    with pytest.raises(ValueError, match=r"'hidden_state'.*expected"):
        buffer.push([chunk(random_episode(3, seed=1))])


@pytest.mark.unittest
def test_sample_without_a_field_is_refused():
    sample = whole(random_episode(3, seed=0))
    del sample['truncated']
    with pytest.raises(ValueError, match=r"sample has .* expected .*'truncated'"):
        make_buffer().push([sample])


@pytest.mark.unittest
@pytest.mark.parametrize(
    'field, value, message', [
        (
            'obs', torch.zeros(4, N,
                               OBS_DIM + 1), r'obs of a sample of 3 steps has shape \(4, 3, 8\), expected \(4, 3, 7\)'
        ),
        ('state', torch.zeros(3, S), r'state .* shape \(3, 9\), expected \(4, 9\)'),
        ('action', torch.zeros(3, N + 1).long(), r'action .* shape \(3, 4\), expected \(3, 3\)'),
        ('reward', torch.zeros(4), r'reward .* shape \(4,\), expected \(3,\)'),
        ('hidden_state', torch.zeros(N, 2, H), r'hidden_state .* shape \(3, 2, 8\), expected \(3, 1, 8\)'),
        ('mask', torch.tensor([1., .5, 1.]), r'mask holds \[1.0, 0.5, 1.0\], expected 0. and 1.'),
        ('terminated', torch.tensor([0., 0., 2.]), 'terminated holds'),
        ('truncated', torch.tensor([0., 0., -1.]), 'truncated holds'),
        ('state', torch.full((4, S), 1e6), 'state holds NaN, or values beyond 65504'),
    ]
)
def test_sample_that_does_not_fit_is_refused_and_costs_no_other(field, value, message):
    buffer = make_buffer()
    buffer.push([dict(numbered(1, 3), hidden_state=torch.zeros(N, 1, H))])
    good = dict(numbered(2, 3), hidden_state=torch.zeros(N, 1, H))
    with pytest.raises(ValueError, match=message):
        buffer.push([good, dict(good, **{field: value})])
    assert buffer.count() == 1 and numbers(buffer.sample(1)) == [1.]


@pytest.mark.unittest
def test_sample_without_steps_is_refused():
    sample = {name: value[:name in ('obs', 'state', 'action_mask')] for name, value in numbered(0, 1).items()}
    with pytest.raises(ValueError, match='sample has no step'):
        make_buffer().push([sample])


@pytest.mark.unittest
def test_refused_first_push_leaves_an_empty_buffer_that_takes_other_shapes():
    buffer = make_buffer()
    with pytest.raises(ValueError, match='mask holds'):
        buffer.push([dict(numbered(0, 3), mask=torch.full((3, ), 7.))])
    assert buffer.count() == 0 and buffer.sample(1) is None
    buffer.push([chunk(random_episode(3, seed=1))])
    assert buffer.sample(1).hidden_state is not None


@pytest.mark.unittest
def test_push_of_nothing_does_nothing():
    buffer = make_buffer()
    buffer.push([])
    assert buffer.count() == 0 and buffer.sample(1) is None
