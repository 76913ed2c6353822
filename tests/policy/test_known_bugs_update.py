"""
Mistakes known from implementations of QMIX, DI-engine 0.5.3 among them, in the update: one test each
that fails on the mistake. The tests named ``test_ding_...`` show it in DI-engine's own classes, so that they tell when
it is mended there.
"""
import pytest
import torch
from ding.model.wrapper.model_wrappers import TargetNetworkWrapper
from ding.rl_utils import get_train_sample
from policy_data import (
    SIZES,
    H,
    ding_transitions,
    fixed_parameters,
    make_ding_policy,
    make_policy,
    q_tots,
    random_batch,
    random_episode,
    same_tensors,
    whole,
)

from ding_qmix.ding_compat import DingQMix
from ding_qmix.policy.samples import cut_chunks

# 5. Padding and duplicates.


@pytest.mark.unittest
def test_ding_loss_depends_on_padding():
    episode = random_episode(3, seed=6)
    losses = []
    for unroll_len in (3, 8):
        policy = make_ding_policy(learn=dict(batch_size=1))
        losses.append(policy._forward_learn(get_train_sample(ding_transitions(episode), unroll_len))['total_loss'])
    assert abs(losses[0] - losses[1]) > 0.1 * losses[0]


def _padded(batch, n_more):
    """The batch with n_more rows of garbage behind, mask 0."""

    def more(x):
        garbage = x.new_ones((n_more, *x.shape[1:]))
        return torch.cat([x, garbage])

    names = ('obs', 'state', 'action_mask', 'action', 'reward', 'terminated', 'truncated')
    mask = torch.cat([batch.mask, batch.mask.new_zeros(n_more, batch.mask.shape[1])])
    return batch._replace(mask=mask, **{name: more(getattr(batch, name)) for name in names})


@pytest.mark.unittest
@pytest.mark.parametrize('td_lambda', [0., 0.6])
@pytest.mark.parametrize('end', ['terminated', 'cut'])
def test_padding_changes_neither_loss_nor_gradients(td_lambda, end):
    batch = random_batch(lengths=(4, 6), end=end)
    infos, gradients = [], []
    for data in (batch, _padded(batch, 5)):
        policy = make_policy(learn=dict(td_lambda=td_lambda))
        infos.append(policy._forward_learn(data))
        gradients.append([p.grad.clone() for p in policy._model.parameters()])
    assert infos[0] == pytest.approx(infos[1], rel=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1])


@pytest.mark.unittest
@pytest.mark.parametrize('td_lambda', [0., 0.6])
def test_batch_of_unequal_lengths_is_the_mean_over_all_its_steps(td_lambda):
    lengths, episodes = (2, 7, 4), [whole(random_episode(n, 20 + n, 'cut')) for n in (2, 7, 4)]
    learn = dict(td_lambda=td_lambda)
    together = make_policy(learn=learn)._forward_learn(episodes)['total_loss']
    alone = [make_policy(learn=learn)._forward_learn([episode])['total_loss'] for episode in episodes]
    assert together == pytest.approx(sum(n * loss for n, loss in zip(lengths, alone)) / sum(lengths), rel=1e-5)


@pytest.mark.unittest
def test_ding_trains_on_some_steps_twice():
    transitions = ding_transitions(random_episode(5, seed=7))
    rewards = torch.cat([torch.cat(sample['reward']) for sample in get_train_sample(transitions, 3)])
    assert len(rewards) > len(transitions) and len(set(rewards.tolist())) == len(transitions)


@pytest.mark.unittest
@pytest.mark.parametrize('chunk_len', [0, 1, 3, 5, 9])
@pytest.mark.parametrize('burn_in', [0, 2])
def test_chunks_cover_every_step_once(chunk_len, burn_in):
    if chunk_len == 0 and burn_in > 0:
        burn_in = 0
    episode = random_episode(7, seed=7)
    chunks = cut_chunks(episode, chunk_len, burn_in)
    trained = torch.cat([c['reward'][c['mask'] == 1.] for c in chunks])
    assert torch.equal(trained, episode['reward'])


@pytest.mark.unittest
def test_null_padded_ding_sample_trains_on_real_steps_only():
    episode = random_episode(3, seed=8)
    padded, = get_train_sample(ding_transitions(episode), 8)
    exact, = get_train_sample(ding_transitions(episode), 3)
    losses = [make_policy()._forward_learn([sample])['total_loss'] for sample in (padded, exact)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


# 6. Target network: momentum only, parameters only.


@pytest.mark.unittest
def test_hard_update_copies_every_n_updates():
    policy, batch = make_policy(learn=dict(target_update_freq=3)), random_batch()
    start = fixed_parameters(policy._learn_target_model)
    same_as_start, same_as_online = [], []
    for _ in range(6):
        policy._forward_learn(batch)
        target = policy._learn_target_model.state_dict()
        same_as_start.append(same_tensors(start, target))
        same_as_online.append(same_tensors(policy._learn_model.state_dict(), target))
    assert same_as_start == [True, True, False, False, False, False]
    assert same_as_online == [False, False, True, False, False, True]


@pytest.mark.unittest
def test_soft_update_moves_the_target_by_theta():
    policy = make_policy(learn=dict(target_update_freq=0, target_update_theta=0.1))
    before = fixed_parameters(policy._learn_target_model)
    policy._forward_learn(random_batch())
    online = policy._learn_model.state_dict()
    expected = {name: 0.9 * value + 0.1 * online[name] for name, value in before.items()}
    torch.testing.assert_close(dict(policy._learn_target_model.state_dict()), expected)


class _WithBuffers(torch.nn.Module):
    """A batch norm, for its buffers: two of floats and a counter."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(2)


@pytest.mark.unittest
def test_ding_leaves_buffers_out_of_its_target_updates():
    online = _WithBuffers()
    wrapper = TargetNetworkWrapper(_WithBuffers(), 'momentum', {'theta': 0.5})
    online.norm.running_mean += 1.
    wrapper.update(online.state_dict())
    assert wrapper._model.norm.running_mean.tolist() == [0., 0.]


@pytest.mark.unittest
@pytest.mark.parametrize(
    'learn, expected', [
        (dict(target_update_freq=1, target_update_theta=0.), 8.),
        (dict(target_update_freq=0, target_update_theta=0.25), 2.),
    ]
)
def test_target_update_includes_buffers(learn, expected):
    model = DingQMix(**SIZES)
    model.norm = torch.nn.BatchNorm1d(2)
    policy = make_policy(learn=learn, instance=model)
    policy._learn_model.norm.running_mean += 8.
    policy._learn_model.norm.num_batches_tracked += 5
    policy._forward_learn(random_batch())
    norm = policy._learn_target_model.norm
    assert norm.running_mean.tolist() == [expected] * 2 and norm.num_batches_tracked == 5


# 7. Weight decay nobody asked for; statistics that are no numbers.


@pytest.mark.unittest
def test_ding_decays_weights_unasked():
    assert make_ding_policy()._optimizer.param_groups[0]['weight_decay'] > 0.


@pytest.mark.unittest
@pytest.mark.parametrize('optimizer', ['rmsprop', 'adam'])
def test_weight_decay_is_off_by_default(optimizer):
    learn = dict(discount_factor=0., optimizer=optimizer)
    policy, batch = make_policy(dict(dueling=True), learn), random_batch()  # by autograd, as q_tots: the same bits
    chosen, _ = q_tots(policy, batch)
    before = fixed_parameters(policy._model)
    policy._forward_learn(batch._replace(reward=chosen.detach()))  # no error, no gradient
    assert same_tensors(before, policy._model.state_dict())


@pytest.mark.unittest
@pytest.mark.parametrize('optimizer', ['rmsprop', 'adam'])
def test_weight_decay_decays_when_asked(optimizer):
    learn = dict(discount_factor=0., optimizer=optimizer, weight_decay=0.1)
    policy, batch = make_policy(learn=learn), random_batch()
    chosen, _ = q_tots(policy, batch)
    before = fixed_parameters(policy._model)
    policy._forward_learn(batch._replace(reward=chosen.detach()))
    assert not same_tensors(before, policy._model.state_dict())


@pytest.mark.unittest
def test_learning_reports_plain_numbers_under_its_monitored_names():
    policy = make_policy()
    info = policy._forward_learn(random_batch())
    assert set(info) == set(policy._monitor_vars_learn())
    assert all(type(value) is float for value in info.values())


# 8. Sizes tied together.


@pytest.mark.unittest
def test_mixing_embed_dim_is_free():
    policy = make_policy(model=dict(mixing_embed_dim=20, hypernet_embed_dim=12))
    assert policy._model.mixer.w_final_layer.weight.shape == (20, 12) and policy._model.agent.hidden_dim == H
    policy._forward_learn(random_batch())


@pytest.mark.unittest
def test_mixing_embed_dim_is_dings_unless_given():
    assert make_policy(model=dict(hidden_size_list=[16, 24]))._model.mixer.embed_dim == 24
