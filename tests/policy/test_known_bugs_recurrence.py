"""
Mistakes known from implementations of QMIX, DI-engine 0.5.3 among them, with the hidden state: one test each
that fails on the mistake. The tests named ``test_ding_...`` show it in DI-engine's own classes, so that they tell when
it is mended there.
"""
import pytest
import torch
from ding.rl_utils import get_train_sample
from ding.utils import lists_to_dicts
from policy_data import (
    DING_MODEL,
    H,
    N,
    chunk,
    ding_transitions,
    fixed_parameters,
    make_ding_policy,
    make_policy,
    q_tots,
    random_episode,
    same_tensors,
    whole,
)

from ding_qmix.policy.samples import collate_samples, cut_chunks

# 3. The target network's hidden state is one step behind.


def _next_q_step_by_step(model, episode, hidden_state, action):
    """Q_tot of the next obs, one forward a step from the state before step 0; action [T + 1, N]."""
    q_tot = []
    for t in range(len(episode['obs'])):
        obs = {
            'agent_state': episode['obs'][t:t + 1],
            'global_state': episode['state'][t:t + 1],
            'action_mask': episode['action_mask'][t:t + 1],
        }
        output = model({'obs': obs, 'prev_state': hidden_state, 'action': action[t:t + 1]}, single_step=True)
        hidden_state = output['next_state']
        q_tot.append(output['total_q'])
    return torch.cat(q_tot)[1:]


def _perturbed_policy(**kwargs):
    """A policy whose online and target network differ, with wide weights."""
    policy = make_policy(**kwargs)
    generator = torch.Generator().manual_seed(9)
    for model in (policy._learn_model, policy._learn_target_model):
        for parameter in model.parameters():
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return policy


def _target_in_step_and_behind():
    """The policy's 1-step targets, the right ones, and those of a target network that is one step behind."""
    policy = _perturbed_policy(learn=dict(double_q=False, discount_factor=0.9))
    episode = random_episode(6, seed=1, end='cut')
    target_model, state = policy._learn_target_model, episode['hidden_state'][:1]
    _, got = q_tots(policy, [chunk(episode)])
    q_values, _ = target_model.q_values(episode['obs'].unsqueeze(1), state)
    best = q_values[:, 0].masked_fill(~episode['action_mask'], -1e9).argmax(-1)
    in_step = episode['reward'] + 0.9 * _next_q_step_by_step(target_model, episode, state, best)
    ding_data = {
        'obs': {
            'agent_state': episode['obs'][1:].unsqueeze(1),
            'global_state': episode['state'][1:].unsqueeze(1),
            'action_mask': episode['action_mask'][1:].unsqueeze(1),
        },
        'prev_state': state,
    }
    behind = episode['reward'] + 0.9 * target_model(ding_data, single_step=False)['total_q'][:, 0]
    return got[:, 0], in_step, behind


@pytest.mark.unittest
def test_target_network_unrolls_in_step_with_the_online_one():
    got, in_step, _ = _target_in_step_and_behind()
    torch.testing.assert_close(got, in_step, atol=1e-4, rtol=0)


@pytest.mark.unittest
def test_target_network_one_step_behind_would_be_noticed():
    _, in_step, behind = _target_in_step_and_behind()
    assert (in_step - behind).abs().max() > 0.1


@pytest.mark.unittest
def test_double_q_picks_with_the_online_state_of_the_same_step():
    policy = _perturbed_policy(learn=dict(double_q=True, discount_factor=0.9))
    episode = random_episode(6, seed=1, end='cut')
    state, q_values, hidden = episode['hidden_state'][:1], [], episode['hidden_state'][:1]
    for t in range(7):
        q, hidden = policy._learn_model.q_values(episode['obs'][t:t + 1].unsqueeze(1), hidden)
        q_values.append(q[0, 0])
    best = torch.stack(q_values).masked_fill(~episode['action_mask'], -1e9).argmax(-1)
    expected = episode['reward'] + 0.9 * _next_q_step_by_step(policy._learn_target_model, episode, state, best)
    _, got = q_tots(policy, [chunk(episode)])
    torch.testing.assert_close(got[:, 0], expected, atol=1e-4, rtol=0)


# 4. Stale hidden states without burn-in; chunks of one step and batches of another size fail.


@pytest.mark.unittest
def test_burn_in_steps_warm_up_the_state_and_are_not_trained_on():
    episode = random_episode(7, seed=2)
    policy = make_policy()
    warm = cut_chunks(episode, chunk_len=3, burn_in=3)[1]
    chosen, _ = q_tots(policy, [warm])
    assert warm['mask'].tolist() == [0., 0., 0., 1., 1., 1.]
    whole_chosen, _ = q_tots(policy, [chunk(episode)])
    torch.testing.assert_close(chosen[3:], whole_chosen[3:6])


@pytest.mark.unittest
def test_burn_in_steps_change_neither_loss_nor_count():
    episode = random_episode(7, seed=2)
    policy = make_policy(learn=dict(td_lambda=0.6))
    warm = collate_samples(cut_chunks(episode, chunk_len=3, burn_in=3)[1:2], torch.zeros(1, N, 1, H))
    other = warm._replace(reward=warm.reward + 100. * (1. - warm.mask))
    losses = [make_policy(learn=dict(td_lambda=0.6))._forward_learn(batch)['total_loss'] for batch in (warm, other)]
    chosen, target = q_tots(policy, warm)
    assert losses[0] == losses[1] == pytest.approx((chosen - target)[3:].square().mean().item(), rel=1e-5)


@pytest.mark.unittest
def test_chunk_starts_from_the_stored_state_or_from_zeros_as_configured():
    episode, zeros = random_episode(6, seed=3), torch.zeros(1, N, 1, H)
    batches = [
        collate_samples(cut_chunks(episode, chunk_len=3, stored_state=stored)[1:], zeros) for stored in (True, False)
    ]
    assert torch.equal(batches[0].hidden_state[0], episode['hidden_state'][3]) and batches[1].hidden_state is None


@pytest.mark.unittest
def test_ding_trains_on_one_batch_size_only():
    policy = make_ding_policy(learn=dict(batch_size=4))
    samples = [get_train_sample(ding_transitions(random_episode(5, i)), 5)[0] for i in range(3)]
    with pytest.raises(AssertionError):
        policy._forward_learn(samples)


@pytest.mark.unittest
@pytest.mark.parametrize('n_samples', [1, 3, 7])
def test_batch_of_any_size_trains(n_samples):
    policy = make_policy(learn=dict(batch_size=4))
    before = fixed_parameters(policy._model)
    policy._forward_learn([whole(random_episode(5, i)) for i in range(n_samples)])
    assert not same_tensors(before, policy._model.state_dict())


@pytest.mark.unittest
def test_ding_fails_on_chunks_of_one_step():
    policy = make_ding_policy(learn=dict(batch_size=1, double_q=True))
    sample = lists_to_dicts(ding_transitions(random_episode(1, 0)), recursive=True)
    with pytest.raises(IndexError):
        policy._forward_learn([sample])


@pytest.mark.unittest
def test_chunks_of_one_step_train():
    policy = make_policy(collect=dict(unroll_len=1))
    episode = random_episode(4, seed=5)
    info = policy._forward_learn(policy._cut_episode(episode))
    one_step = [chunk({name: value[t:t + 2] for name, value in episode.items()}) for t in range(4)]
    for sample in one_step:
        sample.update({name: sample[name][:1] for name in ('action', 'reward', 'terminated', 'truncated', 'mask')})
    losses = [make_policy()._forward_learn([sample])['total_loss'] for sample in one_step]
    assert info['total_loss'] == pytest.approx(sum(losses) / 4, rel=1e-5)


# 9. A Python loop over time and agents around the recurrence.


def _rnn_inputs(policy, rnns):
    """Shapes that the recurrence sees in one update."""
    shapes = []
    for rnn in rnns:
        rnn.register_forward_hook(lambda module, args, output: shapes.append(tuple(args[0].data.shape)))
    policy._forward_learn([chunk(random_episode(6, seed=i, n_tensors=1)) for i in range(4)])
    return shapes


@pytest.mark.unittest
def test_ding_calls_its_recurrence_once_per_step():
    policy = make_policy(model=DING_MODEL)
    samples = [get_train_sample(ding_transitions(random_episode(6, i)), 6)[0] for i in range(4)]
    calls = []
    policy._learn_model.model._q_network.rnn.register_forward_hook(lambda *_: calls.append(1))
    policy._forward_learn(samples)
    assert len(calls) == 7


@pytest.mark.unittest
def test_sequence_is_one_rnn_call_per_network():
    policy = make_policy(dict(dueling=True))  # by autograd
    shapes = _rnn_inputs(policy, [policy._learn_model.agent.rnn, policy._learn_target_model.agent.rnn])
    assert shapes == [(7 * 4 * N, H)] * 2  # a packed sequence of all rows
