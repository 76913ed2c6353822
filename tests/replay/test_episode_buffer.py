"""Replay buffer of episodes: what goes in comes out, the oldest leave first, rows never overlap, states restore."""
import pytest
import torch
from buffer_data import all_of, make_buffer, numbered, numbers
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_data import OBS_DIM, A, H, N, S, chunk, random_episode, whole

from ding_qmix.policy.samples import cut_chunks

ROUNDING = 2. ** -11  # relative rounding error of float16


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ------------------------------------------------------------ round trip


@pytest.mark.unittest
@pytest.mark.parametrize('kind', [whole, chunk])
def test_samples_come_back_as_they_went_in(kind):
    samples = [kind(random_episode(n, seed=n)) for n in (3, 7, 5)]
    buffer = make_buffer(obs_dtype='float32')
    buffer.push(samples)
    got, expected = all_of(buffer, samples)
    assert torch.equal(got.mask, expected.mask)
    timed, seen = expected.mask == 1., torch.cat([torch.ones(1, 3), expected.mask]) == 1.
    for name in ('obs', 'state', 'action_mask'):
        assert torch.equal(getattr(got, name)[seen], getattr(expected, name)[seen])
    for name in ('action', 'reward', 'terminated', 'truncated'):
        assert torch.equal(getattr(got, name)[timed], getattr(expected, name)[timed])
    assert (got.hidden_state is None) == (kind is whole)
    assert kind is whole or torch.equal(got.hidden_state, expected.hidden_state)


@pytest.mark.unittest
def test_batch_has_the_types_that_training_takes():
    buffer = make_buffer()
    buffer.push([chunk(random_episode(4, seed=0))])
    batch = buffer.sample(1)
    assert batch.obs.dtype == batch.state.dtype == batch.reward.dtype == batch.mask.dtype == torch.float32
    assert batch.action.dtype == torch.int64 and batch.action_mask.dtype == torch.bool
    assert batch.obs.shape == (5, 1, N, OBS_DIM) and batch.state.shape == (5, 1, S) and batch.weight is None
    assert batch.action_mask.shape == (5, 1, N, A) and batch.hidden_state.shape == (1, N, 1, H)


@pytest.mark.unittest
def test_float16_is_off_by_its_rounding_only():
    sample, buffer = whole(random_episode(6, seed=1)), make_buffer()
    buffer.push([sample])
    batch = buffer.sample(1)
    for name in ('obs', 'state'):
        assert ((getattr(batch, name)[:, 0] - sample[name]).abs() <= ROUNDING * sample[name].abs() + 1e-7).all()
    assert torch.equal(batch.reward[:, 0], sample['reward'])  # rewards stay exact


@pytest.mark.unittest
@pytest.mark.parametrize('n_actions', [255, 256, 257, 400])
def test_actions_survive_their_compact_type(n_actions):
    sample = whole(random_episode(2, seed=2))
    sample['action_mask'] = torch.ones(3, N, n_actions, dtype=torch.bool)
    sample['action'] = torch.tensor([[0, 1, 2], [n_actions - 1] * 3])
    buffer = make_buffer()
    buffer.push([sample])
    assert torch.equal(buffer.sample(1).action[:, 0], sample['action'])


@pytest.mark.unittest
def test_padding_has_mask_zero_and_a_legal_action():
    buffer = make_buffer()
    buffer.push([whole(random_episode(n, seed=n)) for n in (2, 6)])
    batch = buffer.sample(2)
    assert batch.mask.T.tolist() == [[1.] * 6, [1.] * 2 + [0.] * 4] and batch.action_mask.any(dim=-1).all()


@pytest.mark.unittest
def test_burn_in_keeps_mask_zero():
    buffer = make_buffer()
    buffer.push(cut_chunks(random_episode(6, seed=3), chunk_len=3, burn_in=2)[1:])
    assert buffer.sample(1).mask[:, 0].tolist() == [0., 0., 1., 1., 1.]


@pytest.mark.unittest
def test_batch_comes_with_the_longest_first():
    buffer = make_buffer()
    buffer.push([whole(random_episode(n, seed=n)) for n in (2, 6, 4, 9, 1)])
    assert buffer.sample(5).mask.sum(dim=0).tolist() == [9., 6., 4., 2., 1.]


@pytest.mark.unittest
def test_batch_is_a_copy():
    buffer = make_buffer(obs_dtype='float32')
    buffer.push([whole(random_episode(3, seed=4))])
    first = buffer.sample(1)
    kept = first.obs.clone()
    for tensor in first[:8]:
        tensor.zero_()
    assert torch.equal(buffer.sample(1).obs, kept)


# -------------------------------------------------------------- sampling


@pytest.mark.unittest
def test_sample_is_none_while_there_are_too_few():
    buffer = make_buffer()
    assert buffer.sample(1) is None
    buffer.push([numbered(i, 3) for i in range(3)])
    assert buffer.sample(4) is None and buffer.sample(3) is not None


@pytest.mark.unittest
def test_no_sample_comes_twice_in_a_batch():
    buffer = make_buffer()
    buffer.push([numbered(i, 1) for i in range(20)])
    assert all(len(set(numbers(buffer.sample(12)))) == 12 for _ in range(50))


@pytest.mark.unittest
def test_all_samples_are_equally_likely():
    buffer, n_draws = make_buffer(), 2000
    buffer.push([numbered(i, 1 + i % 3) for i in range(10)])
    counts = torch.zeros(10)
    for _ in range(n_draws):
        counts[torch.tensor(numbers(buffer.sample(3))).long()] += 1
    sigma = (n_draws * 0.3 * 0.7) ** 0.5
    assert ((counts - 0.3 * n_draws).abs() < 4 * sigma).all()


@pytest.mark.unittest
def test_sampling_depends_on_torchs_seed_at_the_start_and_draws_nothing_from_it_later():
    buffers = [make_buffer(seed=seed) for seed in (1, 1, 2)]
    before = torch.get_rng_state()
    for buffer in buffers:
        buffer.push([numbered(i, 1) for i in range(20)])
    drawn = [numbers(buffer.sample(8)) for buffer in buffers]
    assert drawn[0] == drawn[1] != drawn[2] and torch.equal(torch.get_rng_state(), before)


# -------------------------------------------------------------- capacity


@pytest.mark.unittest
def test_oldest_samples_leave_first_when_there_are_too_many():
    buffer = make_buffer(replay_buffer_size=4)
    for i in range(7):
        buffer.push([numbered(i, 2)])
    assert buffer.count() == 4 and sorted(numbers(buffer.sample(4))) == [3., 4., 5., 6.]


@pytest.mark.unittest
def test_oldest_samples_leave_first_when_rows_run_out():
    buffer = make_buffer(max_rows=20)
    for i in range(5):
        buffer.push([numbered(i, 5)])  # 6 rows each
    assert buffer.count() == 3 and sorted(numbers(buffer.sample(3))) == [2., 3., 4.]


@pytest.mark.unittest
def test_long_sample_replaces_several_short_ones():
    buffer = make_buffer(max_rows=20)
    buffer.push([numbered(i, 3) for i in range(5)])  # 4 rows each
    buffer.push([numbered(9, 10)])
    assert sorted(numbers(buffer.sample(buffer.count()))) == [3., 4., 9.]


@pytest.mark.unittest
@settings(max_examples=30, deadline=None, derandomize=True)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_content_stays_right_under_any_sequence_of_lengths(lengths):
    buffer = make_buffer(replay_buffer_size=6, max_rows=30, obs_dtype='float32')
    samples = [numbered(i, n) for i, n in enumerate(lengths)]
    for sample in samples:
        buffer.push([sample])
    batch = buffer.sample(buffer.count())
    for b, number in enumerate(numbers(batch)):
        sample = samples[int(number)]
        n_steps = len(sample['mask'])
        assert batch.mask[:, b].sum() == n_steps and torch.equal(batch.obs[:n_steps + 1, b], sample['obs'])
    assert sorted(numbers(batch)) == list(range(len(lengths) - buffer.count(), len(lengths)))


@pytest.mark.unittest
def test_clear_forgets_everything_and_takes_new_samples():
    buffer = make_buffer()
    buffer.push([numbered(i, 3) for i in range(4)])
    buffer.clear()
    assert buffer.count() == 0 and buffer.sample(1) is None
    buffer.push([numbered(7, 3)])
    assert numbers(buffer.sample(1)) == [7.]


# ---------------------------------------------------------------- errors


@pytest.mark.unittest
def test_sample_longer_than_the_storage_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r'needs 11 rows, the storage has 8; raise replay_buffer\.max_rows'):
        make_buffer(max_rows=8).push([numbered(0, 10)])


@pytest.mark.unittest
def test_refused_sample_costs_no_other():
    buffer = make_buffer(max_rows=8)
    buffer.push([numbered(1, 3)])
    with pytest.raises(ValueError, match='needs 11 rows'):
        buffer.push([numbered(0, 10)])
    assert numbers(buffer.sample(1)) == [1.]


@pytest.mark.unittest
@pytest.mark.parametrize(
    'cfg, error, message', [
        (dict(obs_dtype='float64'), ValueError, r"obs_dtype: 'float64', expected one of .*float16"),
        (dict(replay_buffer_size=0), ValueError, r'other\.replay_buffer\.replay_buffer_size: 0, expected'),
        (dict(max_rows=-1), ValueError, r'other\.replay_buffer\.max_rows: -1, expected'),
        (dict(max_row=5), ValueError, "'max_row'; did you mean 'max_rows'"),
        (dict(max_use=5), ValueError, "'max_use'"),
    ]
)
def test_wrong_config_is_refused(cfg, error, message):
    with pytest.raises(error, match=message):
        make_buffer(**cfg)


# ----------------------------------------------------------------- state


def _filled():
    buffer = make_buffer(max_rows=40)
    buffer.push([chunk(random_episode(n, seed=n)) for n in (3, 7, 5, 9, 2, 8, 4)])  # wraps around
    buffer.sample(2)
    return buffer


def _same_from_now_on(one, other):
    for seed in range(3):
        for buffer in (one, other):
            buffer.push([chunk(random_episode(3 + seed, seed=50 + seed))])
        pair = [buffer.sample(3) for buffer in (one, other)]
        assert all(x is y is None or torch.equal(x, y) for x, y in zip(*pair))


@pytest.mark.unittest
def test_restored_buffer_goes_on_bit_for_bit():
    buffer, other = _filled(), make_buffer(seed=9, max_rows=40)
    other.load_state_dict(buffer.state_dict())
    assert other.count() == buffer.count()
    _same_from_now_on(buffer, other)


@pytest.mark.unittest
def test_saved_file_is_read_back():
    buffer, other = _filled(), make_buffer(seed=9, max_rows=40)
    other.push([numbered(0, 3)])
    buffer.save_data('buffer.pth')
    other.load_data('buffer.pth')
    _same_from_now_on(buffer, other)


@pytest.mark.unittest
def test_state_dict_does_not_change_with_the_buffer():
    buffer = _filled()
    state = buffer.state_dict()
    kept = state['storage']['reward'].clone()
    buffer.clear()
    buffer.push([chunk(random_episode(20, seed=60))])
    assert torch.equal(state['storage']['reward'].nan_to_num(), kept.nan_to_num())


@pytest.mark.unittest
def test_empty_buffer_is_saved_and_restored():
    buffer, other = make_buffer(), make_buffer(seed=9)
    other.push([numbered(0, 3)])
    other.load_state_dict(buffer.state_dict())
    assert other.count() == 0
    other.push([numbered(1, 3)])
    assert numbers(other.sample(1)) == [1.]


@pytest.mark.unittest
@pytest.mark.parametrize(
    'cfg',
    [dict(max_rows=41),
     dict(max_rows=0),
     dict(max_rows=40, obs_dtype='float32'),
     dict(max_rows=40, priority=True)]
)
def test_state_of_another_capacity_or_type_is_refused(cfg):
    with pytest.raises(ValueError, match=r"\(40, 'float16', False\), this buffer has"):
        make_buffer(**cfg).load_state_dict(_filled().state_dict())
