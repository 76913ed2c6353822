"""One update's gradients: cut into shards for threads or not, the numbers are the same."""
import pytest
import torch
from policy_data import H, N, chunk, make_policy, random_batch, random_episode

from ding_qmix.policy.samples import collate_samples
from ding_qmix.policy.update import TDUpdate, longest_first
from ding_qmix.utils.threads import one_torch_thread


def _batch():
    """Chunks of unequal length, with burn-in, hidden states and weights."""
    lengths = (12, 9, 9, 4, 3, 1)
    samples = [chunk(random_episode(n, seed=i, end='cut' if i % 2 else 'terminated')) for i, n in enumerate(lengths)]
    samples[1]['mask'][:3] = 0.
    batch = collate_samples(samples, torch.zeros(len(lengths), N, 1, H))
    return batch._replace(weight=torch.tensor([0.5, 1., 2., 0.1, 1., 3.]))


def _gradients(batch, n_threads, **learn):
    policy = make_policy(learn=dict(td_lambda=0.6, **learn))
    update = TDUpdate(policy._learn_model, policy._learn_target_model, policy._cfg.learn, n_threads)
    return update.gradients(longest_first(batch, 'cpu'))


@pytest.mark.unittest
@pytest.mark.parametrize('n_threads', [2, 3, 6, 20])
def test_shards_add_up_to_the_whole_batch(n_threads):
    gradients, means = _gradients(_batch(), n_threads)
    whole_gradients, whole_means = _gradients(_batch(), 1)
    torch.testing.assert_close(gradients, whole_gradients)
    assert {name: value.item() for name, value in means.items()} == pytest.approx(
        {name: value.item() for name, value in whole_means.items()}, rel=1e-5
    )


@pytest.mark.unittest
def test_gradients_are_those_of_the_loss_they_report():
    policy = make_policy(learn=dict(td_lambda=0.6))
    batch = longest_first(random_batch((6, 4, 1)), 'cpu')
    chosen, target = policy._learn_update.q_tots(batch)
    loss = (batch.mask * (chosen - target).square()).sum() / 11
    expected = torch.autograd.grad(loss, list(policy._learn_model.parameters()))
    gradients, means = policy._learn_update.gradients(batch)
    torch.testing.assert_close(gradients, list(expected))
    assert means['total_loss'].item() == pytest.approx(loss.item(), rel=1e-5)


@pytest.mark.unittest
def test_threads_give_the_same_bits_twice():
    runs = [_gradients(_batch(), 3)[0] for _ in range(2)]
    assert all(torch.equal(one, other) for one, other in zip(*runs))


@pytest.mark.unittest
def test_rows_behind_every_episode_change_nothing():
    batch = longest_first(random_batch((4, 2)), 'cpu')
    longer = collate_samples(
        [chunk(random_episode(9, seed=0)), chunk(random_episode(9, seed=1))], torch.zeros(2, N, 1, H)
    )._replace(hidden_state=None, mask=torch.zeros(9, 2))
    for name in ('obs', 'state', 'action_mask', 'action', 'reward', 'terminated', 'truncated', 'mask'):
        rows = getattr(batch, name)
        getattr(longer, name)[:len(rows)] = rows
    torch.testing.assert_close(_gradients(longer, 2)[0], _gradients(batch, 2)[0])


@pytest.fixture
def _two_torch_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.unittest
@pytest.mark.usefixtures('_two_torch_threads')
@pytest.mark.parametrize('n_threads', [1, 3])
def test_torchs_own_threads_are_as_before(n_threads):
    _gradients(_batch(), n_threads)
    assert torch.get_num_threads() == 2


@pytest.mark.unittest
@pytest.mark.usefixtures('_two_torch_threads')
def test_torchs_own_threads_are_one_inside_and_as_before_after_an_error():
    with pytest.raises(RuntimeError, match='from inside'), one_torch_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError('from inside')
    assert torch.get_num_threads() == 2


@pytest.mark.unittest
def test_error_in_a_shard_reaches_the_caller():
    batch = random_batch((4, 4))._replace(reward=torch.zeros(3, 2))
    with pytest.raises(RuntimeError):
        _gradients(batch, 2)
