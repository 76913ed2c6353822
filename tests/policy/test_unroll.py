"""Networks run on few padded steps: a batch cut in time where many of its episodes have ended."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_data import A, H, N, chunk, make_policy, random_batch, random_episode

from ding_qmix.policy.samples import collate_samples
from ding_qmix.policy.unroll import Segment, by_length, episode_lengths, time_segments, unroll

RAGGED = (20, 14, 14, 9, 3, 3, 2, 1)


@pytest.mark.unittest
def test_length_counts_to_the_last_real_step():
    mask = torch.tensor([[1., 0., 0., 0.], [1., 1., 1., 0.], [1., 1., 0., 0.]])
    assert episode_lengths(mask).tolist() == [3, 3, 2, 0]  # burn-in rows in front count


@pytest.mark.unittest
def test_episodes_are_ordered_by_length_with_all_that_is_theirs():
    batch = random_batch((2, 5, 3))._replace(
        weight=torch.tensor([2., 5., 3.]), hidden_state=torch.tensor([2., 5., 3.]).view(3, 1, 1, 1).expand(3, N, 1, H)
    )
    ordered, order = by_length(batch)
    assert episode_lengths(ordered.mask).tolist() == [5, 3, 2] == ordered.weight.tolist()
    assert order.tolist() == [1, 2, 0]
    assert ordered.hidden_state[:, 0, 0, 0].tolist() == [5., 3., 2.]
    for name in ('obs', 'state', 'action_mask', 'action', 'reward', 'terminated', 'truncated', 'mask'):
        assert torch.equal(getattr(ordered, name), getattr(batch, name)[:, [1, 2, 0]])


@pytest.mark.unittest
def test_batch_in_order_is_not_copied():
    batch = random_batch((5, 3, 3))
    same, order = by_length(batch)
    assert same is batch and order is None


@pytest.mark.unittest
def test_episodes_of_one_length_are_one_segment():
    assert time_segments(torch.tensor([6, 6, 6]), n_rows=7) == [Segment(0, 7, 3)]


@pytest.mark.unittest
def test_segment_ends_when_many_episodes_have_ended():
    assert time_segments(torch.tensor([20, 9, 9, 9]), n_rows=21) == [Segment(0, 10, 4), Segment(10, 21, 1)]


@pytest.mark.unittest
@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=20).map(lambda x: sorted(x, reverse=True)),
    n_more=st.integers(0, 5),
)
def test_segments_cover_every_row_of_every_episode_in_order(lengths, n_more):
    n_rows = lengths[0] + 1 + n_more
    segments = time_segments(torch.tensor(lengths), n_rows)
    assert segments[0].start == 0 and segments[-1].stop == n_rows
    assert all(one.stop == other.start for one, other in zip(segments, segments[1:]))
    assert all(one.n_episodes >= other.n_episodes for one, other in zip(segments, segments[1:]))
    for start, stop, n_episodes in segments:
        assert stop > start and 1 <= n_episodes <= len(lengths)
        assert all(length < start for length in lengths[n_episodes:])


def _ragged_batch():
    episodes = [chunk(random_episode(n, seed=i, end='cut')) for i, n in enumerate(RAGGED)]
    return collate_samples(episodes, torch.zeros(len(RAGGED), N, 1, H))


def _unrolled(policy, batch, in_segments):
    n_rows = len(batch.obs)
    segments = time_segments(torch.tensor(RAGGED), n_rows) if in_segments else [Segment(0, n_rows, len(RAGGED))]
    assert (len(segments) > 2) == in_segments
    action = torch.cat([batch.action, batch.action[-1:]])
    return unroll(policy._learn_model, batch, segments, action)


@pytest.mark.unittest
@pytest.mark.parametrize('model', [{}, dict(mixer=False), dict(dueling=True)])
def test_segments_change_no_value_of_a_real_row(model):
    policy, batch = make_policy(model=model), _ragged_batch()
    real = torch.arange(21).unsqueeze(1) <= torch.tensor(RAGGED)  # [T + 1, B]
    for cut, at_once in zip(_unrolled(policy, batch, True), _unrolled(policy, batch, False)):
        assert cut.shape == at_once.shape
        torch.testing.assert_close(cut[real], at_once[real])


@pytest.mark.unittest
def test_segments_change_no_gradient():
    policy, batch, gradients = make_policy(), _ragged_batch(), []
    for in_segments in (True, False):
        q_tot, _ = _unrolled(policy, batch, in_segments)
        policy._model.zero_grad()
        (q_tot[:-1] * batch.mask).square().sum().backward()
        gradients.append([p.grad.clone() for p in policy._model.parameters()])
    torch.testing.assert_close(*gradients)


@pytest.mark.unittest
def test_without_actions_the_network_takes_its_greedy_legal_ones():
    policy, batch = make_policy(), _ragged_batch()
    segments = time_segments(torch.tensor(RAGGED), len(batch.obs))
    _, q_values = _unrolled(policy, batch, True)
    best = q_values.masked_fill(~batch.action_mask, -1e9).argmax(-1)
    greedy, masked = unroll(policy._learn_model, batch, segments, None)
    torch.testing.assert_close(greedy, unroll(policy._learn_model, batch, segments, best)[0])
    assert masked.shape == (21, len(RAGGED), N, A)
