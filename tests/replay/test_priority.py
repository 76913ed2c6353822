"""Prioritised replay: who is drawn how often, importance weights, priorities that come back, and resuming."""
import pytest
import torch
from buffer_data import make_buffer, numbered
from policy_data import chunk, random_episode

from ding_qmix.replay.priority_table import PriorityTable
from ding_qmix.spec import EpisodeBatch, PrioritizedBatch


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _table(priorities, alpha=1., beta=.5, anneal_step=0):
    table = PriorityTable(len(priorities), alpha, beta, anneal_step)
    for slot in range(len(priorities)):
        table.add(slot)
    table.update(list(range(len(priorities))), priorities)
    return table


def _draw(table, n_slots, batch_size, seed=0):
    return table.draw(torch.arange(n_slots), batch_size, torch.Generator().manual_seed(seed))


def _buffer(seed=0, **cfg):
    return make_buffer(seed, **{'replay_buffer_size': 6, 'priority': True, **cfg})


def _update(buffer, ids, priorities):
    """As DI-engine's learner hands them back."""
    buffer.update({'replay_buffer_idx': ids, 'replay_unique_id': ids, 'priority': priorities})


def _ids(batch):
    return [sample['replay_unique_id'] for sample in batch]


# ------------------------------------------------------------------ table


@pytest.mark.unittest
@pytest.mark.parametrize('alpha', [0., .6, 1.])
def test_draws_follow_the_power_of_priority(alpha):
    priorities, n_draws = [1., 2., 4., 8.], 20000
    share = torch.tensor(priorities).double() ** alpha
    share /= share.sum()
    picks = _draw(_table(priorities, alpha), 4, n_draws).picks
    counts = torch.bincount(picks, minlength=4)
    assert ((counts - n_draws * share).abs() < 4 * (n_draws * share * (1 - share)).sqrt()).all()


@pytest.mark.unittest
def test_weights_are_those_computed_by_hand():
    # P = 1/8, 3/8, 4/8; (3 P)^-1 = 8/3, 8/9, 2/3: divided by the largest 1, 1/3, 1/4; at beta 1/2 their roots
    picks, weight = _draw(_table([1., 3., 4.]), 3, 200)
    assert set(picks.tolist()) == {0, 1, 2} and weight.dtype == torch.float32
    assert torch.allclose(weight, torch.tensor([1., 3. ** -.5, .5])[picks])


@pytest.mark.unittest
def test_weights_are_divided_by_the_largest_of_the_batch():
    picks, weight = _draw(_table([1e-5, 1., 1.]), 3, 10)
    assert 0 not in picks and weight.tolist() == [1.] * 10


@pytest.mark.unittest
def test_beta_grows_to_one_in_equal_steps():
    table, betas = _table([1., 2.], beta=.4, anneal_step=3), []
    for _ in range(5):
        betas.append(table.beta)
        _draw(table, 2, 1)
    assert betas == pytest.approx([.4, .6, .8, 1., 1.])
    fixed = _table([1., 2.], beta=.4, anneal_step=0)
    _draw(fixed, 2, 1)
    assert fixed.beta == .4


@pytest.mark.unittest
def test_new_sample_gets_the_highest_priority_so_far():
    table = _table([5., .5, .5], alpha=1.)
    table.update([0], [.5])
    table.add(1)
    assert table.state_dict(torch.arange(3))['shares'].tolist() == [.5, 5., .5]


@pytest.mark.unittest
def test_sample_without_td_error_keeps_a_chance():
    assert (_table([0., 1.]).state_dict(torch.arange(2))['shares'] > 0).all()


@pytest.mark.unittest
def test_only_the_given_slots_are_drawn():
    picks = _table([1., 2., 3., 4.]).draw(torch.tensor([3, 1]), 50, torch.Generator().manual_seed(0)).picks
    assert set(picks.tolist()) == {0, 1}  # positions: slot 3 and slot 1


@pytest.mark.unittest
def test_table_state_is_restored_into_other_slots():
    table, other = _table([1., 2., 4.], beta=.4, anneal_step=10), PriorityTable(5, 1., .4, 10)
    _draw(table, 3, 2)
    other.load_state_dict(table.state_dict(torch.tensor([2, 0])), torch.tensor([4, 3]))
    assert other.state_dict(torch.tensor([3, 4]))['shares'].tolist() == [1., 4.] and other.beta == table.beta
    other.add(0)
    assert other.state_dict(torch.tensor([0]))['shares'].tolist() == [4.]


@pytest.mark.unittest
@pytest.mark.parametrize('bad', [-1., float('nan'), float('inf')])
def test_priority_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match='expected finite numbers of 0 or more'):
        _table([1., 2.]).update([0, None], [1., bad])


@pytest.mark.unittest
@pytest.mark.parametrize('cfg', [dict(alpha=-.1), dict(beta=1.1), dict(beta=-.1), dict(anneal_step=-1)])
def test_number_out_of_range_is_refused(cfg):
    with pytest.raises(ValueError, match=f'{next(iter(cfg))}: {next(iter(cfg.values()))}, expected'):
        _buffer(**cfg)


# ----------------------------------------------------------------- buffer


@pytest.mark.unittest
def test_batch_is_a_list_that_the_learner_can_read():
    batch = EpisodeBatch(*[torch.zeros(1)] * 9)
    prioritized = PrioritizedBatch(batch, [7, 3])
    assert prioritized == [dict(replay_buffer_idx=i, replay_unique_id=i) for i in (7, 3)]
    assert prioritized.batch is batch


@pytest.mark.unittest
def test_sample_comes_with_ids_and_weights_in_the_order_of_the_batch():
    buffer = _buffer()
    buffer.push([numbered(i, n_steps) for i, n_steps in enumerate((2, 5, 3, 4))])
    _update(buffer, [0, 1, 2, 3], [1., 2., 3., 4.])
    sample = buffer.sample(4)
    numbers = sample.batch.reward[0].long()
    assert isinstance(sample, PrioritizedBatch) and _ids(sample) == numbers.tolist()
    lengths = sample.batch.mask.sum(0)
    assert (lengths[:-1] >= lengths[1:]).all()
    weight = (numbers + 1.) ** (-.6 * .4)
    assert torch.allclose(sample.batch.weight, weight / weight.max())


@pytest.mark.unittest
def test_updated_priorities_steer_the_draws():
    buffer = _buffer()
    buffer.push([numbered(i) for i in range(4)])
    _update(buffer, [0, 1, 2, 3], [0., 0., 1000., 0.])
    assert set(_ids(buffer.sample(4))) == {2}


@pytest.mark.unittest
def test_samples_may_come_twice_but_there_must_be_as_many():
    buffer = _buffer()
    buffer.push([numbered(i) for i in range(4)])
    assert buffer.sample(5) is None
    assert any(len(set(_ids(buffer.sample(4)))) < 4 for _ in range(5))


@pytest.mark.unittest
def test_ids_stay_with_their_samples_when_others_leave():
    buffer = _buffer()
    for i in range(15):
        buffer.push([numbered(i, 1 + i % 3)])
    for _ in range(5):
        sample = buffer.sample(6)
        assert _ids(sample) == sample.batch.reward[0].tolist() and set(_ids(sample)) <= set(range(9, 15))


@pytest.mark.unittest
def test_priorities_of_samples_that_have_left_are_passed_over():
    buffer = _buffer()
    buffer.push([numbered(i) for i in range(8)])  # 0 and 1 have left, 6 and 7 lie in their slots
    _update(buffer, [0, 1, 99], [1000., 1000., 1000.])
    shares = buffer.state_dict()['priorities']
    assert shares['shares'].tolist() == [1.] * 6 and shares['max_priority'] == 1.


@pytest.mark.unittest
def test_ids_go_on_after_clear():
    buffer = _buffer()
    buffer.push([numbered(i) for i in range(3)])
    buffer.clear()
    buffer.push([numbered(3)])
    assert _ids(buffer.sample(1)) == [3]


@pytest.mark.unittest
def test_as_many_priorities_as_ids_are_expected():
    buffer = _buffer()
    buffer.push([numbered(0)])
    with pytest.raises(ValueError, match='2 priorities for 1 samples'):
        _update(buffer, [0], [1., 2.])


@pytest.mark.unittest
def test_without_priority_samples_are_plain_and_updates_pass():
    buffer = _buffer(priority=False)
    buffer.push([numbered(0)])
    _update(buffer, [0], [-1.])
    assert isinstance(buffer.sample(1), EpisodeBatch) and buffer.state_dict()['priorities'] is None


# ------------------------------------------------------------------ state


def _filled():
    buffer = _buffer(max_rows=30, anneal_step=20)
    for i in range(9):
        buffer.push([chunk(random_episode(1 + i % 4, seed=i))])
        if i > 5:
            sample = buffer.sample(3)
            _update(buffer, _ids(sample), [float(i) for i in _ids(sample)])
    return buffer


@pytest.mark.unittest
@pytest.mark.parametrize('through_a_file', [False, True])
def test_restored_buffer_goes_on_bit_for_bit(through_a_file):
    buffer, other = _filled(), _buffer(seed=9, max_rows=30, anneal_step=20)
    other.push([chunk(random_episode(2, seed=40))])
    if through_a_file:
        buffer.save_data('buffer.pth')
        other.load_data('buffer.pth')
    else:
        other.load_state_dict(buffer.state_dict())
    for seed in range(3):
        pair = []
        for b in (buffer, other):
            b.push([chunk(random_episode(3 + seed, seed=50 + seed))])
            sample = b.sample(4)
            _update(b, _ids(sample), [.5 + i for i in _ids(sample)])
            pair.append(sample)
        assert _ids(pair[0]) == _ids(pair[1])
        assert all(torch.equal(x, y) for x, y in zip(pair[0].batch, pair[1].batch))


@pytest.mark.unittest
def test_state_with_priorities_is_refused_without():
    with pytest.raises(ValueError, match=r"'float16', True\), this buffer has \(30, 'float16', False\)"):
        _buffer(max_rows=30, priority=False).load_state_dict(_filled().state_dict())


@pytest.mark.unittest
def test_state_of_more_samples_than_the_buffer_holds_is_refused():
    with pytest.raises(ValueError, match=r'state with 6 samples, this buffer holds at most 5'):
        _buffer(max_rows=30, replay_buffer_size=5).load_state_dict(_filled().state_dict())
