"""The update: values and targets against a step-by-step computation, gradients, optimisers, time limits."""
import pytest
import torch
from policy_data import (
    A,
    chunk,
    fixed_parameters,
    make_policy,
    q_tots,
    random_batch,
    random_episode,
    same_tensors,
    whole,
)

GAMMA = 0.9


def _widen(policy, scale=0.3):
    """Give online and target network different, wide weights."""
    generator = torch.Generator().manual_seed(9)
    for model in (policy._learn_model, policy._learn_target_model):
        for parameter in model.parameters():
            parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    return policy


def _single_steps(model, episode, action=None):
    """Q_tot [T + 1] and Q-values [T + 1, N, A], one forward a step from zeros; action None is greedy."""
    state, q_tot, q_values = None, [], []
    for t in range(len(episode['obs'])):
        obs = {
            'agent_state': episode['obs'][t:t + 1],
            'global_state': episode['state'][t:t + 1],
            'action_mask': episode['action_mask'][t:t + 1],
        }
        given = None if action is None else action[t:t + 1]
        output = model({'obs': obs, 'prev_state': state, 'action': given}, single_step=True)
        state = output['next_state']
        q_tot.append(output['total_q'][0])
        q_values.append(output['logit'][0])
    return torch.stack(q_tot), torch.stack(q_values)


def _by_hand(policy, episode, double_q):
    """Chosen Q_tot and 1-step targets [T] of one episode."""
    online, target = policy._learn_model, policy._learn_target_model
    padded = torch.cat([episode['action'], episode['action'][-1:]])
    chosen, q_values = _single_steps(online, episode, padded)
    best = q_values.masked_fill(~episode['action_mask'], -1e9).argmax(-1) if double_q else None
    next_q, _ = _single_steps(target, episode, best)
    ended = torch.maximum(episode['terminated'], episode['truncated'])
    return chosen[:-1], episode['reward'] + GAMMA * (1. - ended) * next_q[1:]


@pytest.mark.unittest
@pytest.mark.parametrize('double_q', [True, False])
@pytest.mark.parametrize('model', [{}, dict(lstm_type='pytorch'), dict(mixer=False), dict(dueling=True)])
@pytest.mark.parametrize('end', ['terminated', 'truncated', 'cut'])
def test_values_and_targets_equal_single_steps(double_q, model, end):
    policy = _widen(make_policy(model=model, learn=dict(double_q=double_q, discount_factor=GAMMA)))
    episodes = [whole(random_episode(n, seed=n, end=end)) for n in (5, 4, 2)]
    chosen, target = q_tots(policy, episodes)
    for b, episode in enumerate(episodes):
        n_steps = len(episode['reward'])
        expected = _by_hand(policy, episode, double_q)
        torch.testing.assert_close(chosen[:n_steps, b], expected[0], atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(target[:n_steps, b], expected[1], atol=1e-4, rtol=1e-5)


@pytest.mark.unittest
def test_double_q_gives_other_targets_than_plain_q():
    targets = [
        q_tots(_widen(make_policy(learn=dict(double_q=double_q))), random_batch())[1] for double_q in (True, False)
    ]
    assert (targets[0] - targets[1]).abs().max() > 1e-2


def _target_change_by_action_4(double_q, network, legal):
    """How much the targets change when ``network`` values action 4 higher than all others."""
    policy = _widen(make_policy(learn=dict(double_q=double_q)))
    batch = random_batch(end='cut')
    batch.action_mask[..., 4] = legal
    batch.action[batch.action == 4] = 0
    before = q_tots(policy, batch)[1].clone()
    getattr(policy, network).agent.head.q[-1].bias.data[4] += 100.
    return (q_tots(policy, batch)[1] - before).abs().max().item()


@pytest.mark.unittest
@pytest.mark.parametrize('double_q, network', [(True, '_learn_model'), (False, '_learn_target_model')])
def test_illegal_action_never_wins_the_max(double_q, network):
    assert _target_change_by_action_4(double_q, network, legal=False) == 0.


@pytest.mark.unittest
@pytest.mark.parametrize('double_q, network', [(True, '_learn_model'), (False, '_learn_target_model')])
def test_legal_action_of_the_same_value_would_win_the_max(double_q, network):
    assert _target_change_by_action_4(double_q, network, legal=True) > 0.1


# ------------------------------------------------------- the time limit


def _last_target(end, timeout_is_terminal):
    """Target of an episode's last step, its reward, and its bootstrapped target."""
    policy = _widen(make_policy(learn=dict(timeout_is_terminal=timeout_is_terminal, discount_factor=GAMMA)))
    episode = whole(random_episode(4, seed=3, end=end))
    _, target = q_tots(policy, [episode])
    unended = dict(episode, terminated=torch.zeros(4), truncated=torch.zeros(4))
    return target[-1, 0].item(), episode['reward'][-1].item(), _by_hand(policy, unended, True)[1][-1].item()


@pytest.mark.unittest
@pytest.mark.parametrize('end, timeout_is_terminal', [('terminated', True), ('terminated', False), ('truncated', True)])
def test_nothing_follows_an_ended_episode(end, timeout_is_terminal):
    target, reward, _ = _last_target(end, timeout_is_terminal)
    assert target == reward


@pytest.mark.unittest
@pytest.mark.parametrize('end, timeout_is_terminal', [('truncated', False), ('cut', True), ('cut', False)])
def test_value_of_the_final_state_follows_where_the_battle_went_on(end, timeout_is_terminal):
    target, reward, bootstrapped = _last_target(end, timeout_is_terminal)
    assert target == pytest.approx(bootstrapped, rel=1e-4) and abs(target - reward) > 0.1


# ------------------------------------------------ gradients and updates


@pytest.mark.unittest
@pytest.mark.parametrize('model', [{}, dict(lstm_type='pytorch'), dict(mixer=False), dict(dueling=True)])
def test_gradients_reach_every_parameter(model):
    policy = make_policy(model=model)
    policy._forward_learn(random_batch())
    assert all(p.grad is not None and p.grad.abs().max() > 0. for p in policy._model.parameters())


@pytest.mark.unittest
def test_no_gradient_reaches_the_target_network():
    policy = make_policy(learn=dict(target_update_freq=100))
    before = fixed_parameters(policy._learn_target_model)
    for _ in range(3):
        policy._forward_learn(random_batch())
    assert all(p.grad is None and not p.requires_grad for p in policy._learn_target_model.parameters())
    assert same_tensors(before, policy._learn_target_model.state_dict())


@pytest.mark.unittest
def test_target_is_no_path_for_gradients():
    _, target = q_tots(make_policy(), random_batch())
    assert not target.requires_grad


def _grad_norm(policy):
    return torch.stack([p.grad.norm() for p in policy._model.parameters()]).norm().item()


@pytest.mark.unittest
def test_gradients_are_clipped_by_their_common_norm():
    free, clipped = make_policy(learn=dict(clip_value=1e6)), make_policy(learn=dict(clip_value=1e-3))
    infos = [policy._forward_learn(random_batch()) for policy in (free, clipped)]
    assert _grad_norm(clipped) == pytest.approx(1e-3, rel=1e-2)
    assert _grad_norm(free) == pytest.approx(infos[0]['grad_norm'], rel=1e-4)
    assert infos[0]['grad_norm'] == pytest.approx(infos[1]['grad_norm'], rel=1e-6)  # reported before clipping


@pytest.mark.unittest
@pytest.mark.parametrize(
    'model, learn', [
        ({}, dict(optimizer='adam')),
        ({}, dict(optimizer='rmsprop')),
        ({}, dict(optimizer='adam', td_lambda=0.6)),
        (dict(lstm_type='pytorch'), dict(optimizer='adam')),
        (dict(mixer=False), dict(optimizer='adam')),
        (dict(dueling=True), dict(optimizer='adam')),
    ]
)
def test_loss_falls_when_fitting_one_batch(model, learn):
    policy = make_policy(model=model, learn=dict(learn, learning_rate=0.01, target_update_freq=1000))
    batch = random_batch(lengths=(4, 2))
    losses = [policy._forward_learn(batch)['total_loss'] for _ in range(120)]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.unittest
def test_first_step_of_each_optimizer_is_the_one_its_name_says():
    batch, steps = random_batch(), {}
    for name in ('rmsprop', 'adam'):
        policy = make_policy(learn=dict(optimizer=name, learning_rate=0.01, clip_value=1e6))
        before = policy._model.mixer.v_layer.bias.item()
        policy._forward_learn(batch)
        parameter = policy._model.mixer.v_layer.bias
        steps[name] = (parameter.item() - before, parameter.grad.item())
    step, grad = steps['rmsprop']  # g / (sqrt(0.01 g^2) + eps)
    assert step == pytest.approx(-0.01 * grad / (0.1 * abs(grad) + 1e-5), rel=1e-3)
    step, grad = steps['adam']  # the sign of g
    assert step == pytest.approx(-0.01 * grad / abs(grad), rel=1e-3)


@pytest.mark.unittest
@pytest.mark.parametrize('lengths', [(5, 2), (2, 5)])
def test_weight_scales_the_loss_of_its_own_episode(lengths):
    batch = random_batch(lengths)
    loss = make_policy()._forward_learn(batch._replace(weight=torch.tensor([3., 0.])))['total_loss']
    alone = make_policy()._forward_learn(random_batch(lengths[:1]))['total_loss']
    assert loss == pytest.approx(3. * alone * lengths[0] / sum(lengths), rel=1e-5)


@pytest.mark.unittest
@pytest.mark.parametrize('td_lambda', [0., 0.6])
def test_order_of_episodes_in_the_batch_does_not_matter(td_lambda):
    episodes = [chunk(random_episode(n, seed=n)) for n in (9, 2, 6, 1)]
    infos = [
        make_policy(learn=dict(td_lambda=td_lambda))._forward_learn(data)
        for data in (episodes, [episodes[i] for i in (3, 0, 1, 2)])
    ]
    assert infos[0] == pytest.approx(infos[1], rel=1e-4)


@pytest.mark.unittest
def test_statistics_are_means_over_real_steps():
    policy, batch = _widen(make_policy()), random_batch(lengths=(6, 1))
    chosen, target = q_tots(policy, batch)
    info = policy._forward_learn(batch)
    real = batch.mask == 1.
    assert info['total_q'] == pytest.approx(chosen[real].mean().item(), rel=1e-4)
    assert info['target_total_q'] == pytest.approx(target[real].mean().item(), rel=1e-4)
    assert info['td_error_abs'] == pytest.approx((chosen - target)[real].abs().mean().item(), rel=1e-4)


@pytest.mark.unittest
def test_updates_are_the_same_twice():
    policies = [make_policy(seed=3), make_policy(seed=3)]
    for policy in policies:
        for seed in range(3):
            policy._forward_learn(random_batch(seed=seed))
    assert same_tensors(*(policy._model.state_dict() for policy in policies))


@pytest.mark.unittest
def test_batch_is_left_as_it_was():
    batch = random_batch()
    before = [None if x is None else x.clone() for x in batch]
    make_policy(learn=dict(td_lambda=0.6))._forward_learn(batch)
    assert all(x is y is None or torch.equal(x, y) for x, y in zip(before, batch))


@pytest.mark.unittest
def test_actions_are_told_apart():
    batch = random_batch()
    other = batch._replace(action=(batch.action + 1) % A)
    chosen = [q_tots(_widen(make_policy()), b)[0] for b in (batch, other)]
    assert (chosen[0] - chosen[1]).abs().max() > 1e-2
