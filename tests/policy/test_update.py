"""One update's gradients: cut into shards for threads or not, the numbers are the same."""
import pytest
import torch
from policy_data import A, H, N, assert_same_result, chunk, make_policy, q_tots, random_batch, random_episode

from ding_qmix.fast_cpu import CPUGradient
from ding_qmix.policy.samples import collate_samples
from ding_qmix.policy.update import MEANS, TDUpdate, longest_first
from ding_qmix.spec import PrioritizedBatch
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
    update = TDUpdate(policy._gradient_path, n_threads)
    return update.gradients(longest_first(batch, 'cpu')[0])


@pytest.mark.unittest
@pytest.mark.parametrize('n_threads', [2, 3, 6, 20])
def test_shards_add_up_to_the_whole_batch(n_threads):
    assert_same_result(_gradients(_batch(), n_threads), _gradients(_batch(), 1))


@pytest.mark.unittest
def test_gradients_are_those_of_the_loss_they_report():
    policy = make_policy(learn=dict(td_lambda=0.6))
    batch, _ = longest_first(random_batch((6, 4, 1)), 'cpu')
    chosen, target = q_tots(policy, batch)
    loss = (batch.mask * (chosen - target).square()).sum() / 11
    expected = torch.autograd.grad(loss, list(policy._learn_model.parameters()))
    result = policy._learn_update.gradients(batch)
    torch.testing.assert_close(result.gradient, torch.cat([g.flatten() for g in expected]))
    assert dict(zip(MEANS, result.means.tolist()))['total_loss'] == pytest.approx(loss.item(), rel=1e-5)


@pytest.mark.unittest
def test_threads_give_the_same_bits_twice():
    one, other = (_gradients(_batch(), 3).gradient for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.unittest
def test_rows_behind_every_episode_change_nothing():
    batch, _ = longest_first(random_batch((4, 2)), 'cpu')
    longer = collate_samples(
        [chunk(random_episode(9, seed=0)), chunk(random_episode(9, seed=1))], torch.zeros(2, N, 1, H)
    )._replace(
        hidden_state=None, mask=torch.zeros(9, 2), length=batch.length
    )
    for name in ('obs', 'state', 'action_mask', 'action', 'reward', 'terminated', 'truncated', 'mask'):
        rows = getattr(batch, name)
        getattr(longer, name)[:len(rows)] = rows
    assert_same_result(_gradients(longer, 2), _gradients(batch, 2))


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
def test_error_in_a_shard_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(CPUGradient, 'gradient', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _gradients(_batch(), 2)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'field, value, message', [
        ('reward', torch.zeros(3, 2), r'reward has shape \(3, 2\), expected \(4, 2\)'),
        ('weight', torch.ones(3), r'weight has shape \(3,\), expected \(2,\)'),
        ('action', torch.full((4, 2, N), A), f'action from {A} to {A}, expected 0 to {A - 1}'),
        ('length', torch.tensor([4, 0]), 'length from 0 to 4, expected 1 to 4'),
        ('length', torch.tensor([5, 4]), 'length from 4 to 5, expected 1 to 4'),
    ]
)
def test_batch_that_does_not_fit_is_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        longest_first(random_batch((4, 4))._replace(**{field: value}), 'cpu')


@pytest.mark.unittest
@pytest.mark.parametrize('model', [None, dict(dueling=True)])  # CPU kernels, autograd
def test_priorities_come_in_the_order_given(model):
    policy = make_policy(model)
    batch = _batch()._replace(weight=None)
    backwards = type(batch)(
        **{
            name: None if x is None else x.flip(0 if name in ('length', 'hidden_state') else 1)
            for name, x in batch._asdict().items()
        }
    )
    given = [_priorities(policy, b) for b in (batch, backwards)]
    assert given[1] == pytest.approx(given[0][::-1], rel=1e-5)
    ordered, order = longest_first(batch, 'cpu')
    chosen, target = q_tots(policy, ordered)
    error = (chosen - target).abs() * ordered.mask
    expected = 0.9 * error.amax(0) + 0.1 * error.sum(0) / ordered.mask.sum(0)
    assert order is None and given[0] == pytest.approx(expected.tolist(), rel=1e-5)


def _priorities(policy, batch):
    ordered, order = longest_first(batch, 'cpu')
    priority = policy._learn_update.gradients(ordered).priority
    return (priority if order is None else priority[order.argsort()]).tolist()


@pytest.mark.unittest
def test_policy_returns_priorities_only_when_asked():
    batch = PrioritizedBatch(random_batch((5, 3)), ids=[4, 7])
    asked = make_policy(top=dict(priority=True))
    assert len(asked._forward_learn(batch)['priority']) == 2
    assert 'priority' not in make_policy()._forward_learn(batch.batch)


@pytest.mark.unittest
@pytest.mark.parametrize('weigh', [True, False])
def test_importance_weights_count_only_when_asked(weigh):
    weighted = PrioritizedBatch(random_batch((5, 3))._replace(weight=torch.tensor([1., 0.])), ids=[4, 7])
    policy = make_policy(top=dict(priority=True, priority_IS_weight=weigh))
    plain = make_policy()._forward_learn(random_batch((5, 3)))['total_loss']
    assert (policy._forward_learn(weighted)['total_loss'] == pytest.approx(plain)) == (not weigh)


@pytest.mark.unittest
def test_batch_in_double_precision_is_taken():
    batch = random_batch((5, 3))
    double = type(batch)(*(x.double() if x is not None and x.is_floating_point() else x for x in batch))
    results = [make_policy()._learn_update.gradients(longest_first(b, 'cpu')[0]) for b in (batch, double)]
    assert_same_result(*results)


@pytest.mark.unittest
def test_bf16_goes_near_the_same_gradient():
    batch, _ = longest_first(random_batch((6, 4, 3)), 'cpu')
    one, other = (make_policy(learn=dict(bf16=bf16))._learn_update.gradients(batch).gradient for bf16 in (True, False))
    assert 0. < (one - other).norm() < 0.05 * other.norm()  # 8 significant bits


@pytest.mark.unittest
@pytest.mark.parametrize('seed', [0, 36, 99, 272, 361])  # all but the first: larger tiles backward than forward
def test_long_ragged_batches_by_kernels_and_by_autograd_are_the_same(seed):
    rng = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 90, (24, ), generator=rng).sort(descending=True).values.tolist()  # several tiles of rows
    policy, batch = make_policy(learn=dict(td_lambda=0.6, n_threads=2)), random_batch(lengths)
    q_tots(policy, batch)  # compares the two
