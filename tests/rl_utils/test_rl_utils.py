"""Targets, masked loss and exploration: hand numbers, then plain definitions on random data."""
import pytest
import torch

from ding_qmix.rl_utils import epsilon_greedy, greedy_action, masked_td_loss, td_lambda_target

REWARD, NEXT_Q, GAMMA = [1., 2., 3.], [10., 20., 30.], 0.5


def _column(values):
    """One episode, [T] -> [T, 1]."""
    return torch.tensor(values).unsqueeze(1)


# ---------------------------------------------------------------- targets


@pytest.mark.unittest
@pytest.mark.parametrize(
    'end, td_lambda, expected', [
        ('terminated', 0., [6., 12., 3.]),
        ('terminated', 0.6, [5.07, 6.9, 3.]),
        ('terminated', 1., [2.75, 3.5, 3.]),
        ('cut', 0., [6., 12., 18.]),
        ('cut', 0.6, [6.42, 11.4, 18.]),
        ('cut', 1., [6.5, 11., 18.]),
    ]
)
def test_target_of_three_steps_by_hand(end, td_lambda, expected):
    terminal = [0., 0., 1.] if end == 'terminated' else [0., 0., 0.]
    target = td_lambda_target(_column(REWARD), _column(terminal), torch.ones(3, 1), _column(NEXT_Q), GAMMA, td_lambda)
    torch.testing.assert_close(target, _column(expected))


def _forward_view(reward, terminal, next_q, gamma, td_lambda):
    """Lambda-returns of one unpadded episode as the weighted mean of its n-step returns (Sutton 1988)."""
    n_steps = len(reward)
    next_q = [q * (1. - end) for q, end in zip(next_q, terminal)]

    def n_step(t, n):
        return sum(gamma ** k * reward[t + k] for k in range(n)) + gamma ** n * next_q[t + n - 1]

    returns = []
    for t in range(n_steps):
        left = n_steps - t
        mean = sum((1 - td_lambda) * td_lambda ** (n - 1) * n_step(t, n) for n in range(1, left))
        returns.append(mean + td_lambda ** (left - 1) * n_step(t, left))
    return returns


def _ragged(seed, n_steps=9, n_episodes=12):
    """Random episodes with burn-in rows in front, padding behind and garbage in both; half of them end."""
    generator = torch.Generator().manual_seed(seed)
    reward, next_q = torch.randn(2, n_steps, n_episodes, dtype=torch.float64, generator=generator)
    mask, terminal = torch.zeros(2, n_steps, n_episodes, dtype=torch.float64)
    spans = []
    for b in range(n_episodes):
        first = int(torch.randint(0, 4, (), generator=generator))
        stop = int(torch.randint(first + 1, n_steps + 1, (), generator=generator))
        mask[first:stop, b] = 1.
        terminal[stop - 1, b] = b % 2
        spans.append((first, stop))
    garbage = 1000. * (1. - mask)
    return reward + garbage, terminal, mask, next_q + garbage, spans


@pytest.mark.unittest
@pytest.mark.parametrize('td_lambda', [0., 0.3, 0.8, 1.])
@pytest.mark.parametrize('seed', [0, 1])
def test_target_equals_the_forward_view_on_each_episodes_own_steps(td_lambda, seed):
    reward, terminal, mask, next_q, spans = _ragged(seed)
    target = td_lambda_target(reward, terminal, mask, next_q, 0.9, td_lambda)
    for b, (first, stop) in enumerate(spans):
        rows = [x[first:stop, b].tolist() for x in (reward, terminal, next_q)]
        expected = torch.tensor(_forward_view(*rows, 0.9, td_lambda), dtype=torch.float64)
        torch.testing.assert_close(target[first:stop, b], expected)


@pytest.mark.unittest
def test_target_leaves_its_inputs_as_they_are():
    reward, terminal, mask, next_q, _ = _ragged(2)
    before = [x.clone() for x in (reward, terminal, mask, next_q)]
    td_lambda_target(reward, terminal, mask, next_q, 0.9, 0.5)
    assert all(torch.equal(x, y) for x, y in zip(before, (reward, terminal, mask, next_q)))


# ------------------------------------------------------------------- loss


@pytest.mark.unittest
def test_loss_by_hand():
    chosen, target = torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([[0., 2.], [5., 1.]])
    assert masked_td_loss(chosen, target, torch.ones(2, 2)).item() == pytest.approx((1 + 0 + 4 + 9) / 4)


@pytest.mark.unittest
def test_padding_adds_neither_to_the_sum_nor_to_the_count():
    chosen, target = torch.tensor([[1., 2.], [3., 4000.]]), torch.tensor([[0., 2.], [5., 1.]])
    mask = torch.tensor([[1., 1.], [1., 0.]])
    assert masked_td_loss(chosen, target, mask).item() == pytest.approx((1 + 0 + 4) / 3)


@pytest.mark.unittest
def test_weight_scales_an_episodes_errors():
    chosen, target = torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([[0., 2.], [5., 1.]])
    loss = masked_td_loss(chosen, target, torch.ones(2, 2), weight=torch.tensor([0.5, 2.]))
    assert loss.item() == pytest.approx((0.5 * (1 + 4) + 2. * (0 + 9)) / 4)


@pytest.mark.unittest
@pytest.mark.parametrize('wrong', range(3))
def test_shapes_that_would_broadcast_are_refused(wrong):
    tensors = [torch.ones(4, 2) for _ in range(3)]
    tensors[wrong] = torch.ones(4, 1)
    with pytest.raises(ValueError, match=r'\(4, 1\)'):
        masked_td_loss(*tensors)


# ------------------------------------------------------------ exploration


def _masked_rows(n_rows, n_actions=6, seed=0):
    """Random values and masks; the highest value of every row is illegal."""
    generator = torch.Generator().manual_seed(seed)
    q_values = torch.randn(n_rows, n_actions, generator=generator)
    mask = torch.rand(n_rows, n_actions, generator=generator) < 0.5
    mask[:, 2] = True
    illegal = torch.randint(3, n_actions, (n_rows, ), generator=generator)
    rows = torch.arange(n_rows)
    mask[rows, illegal], q_values[rows, illegal] = False, 100.
    return q_values, mask


@pytest.mark.unittest
def test_greedy_action_is_the_best_legal_one():
    q_values = torch.tensor([[1., 9., 3.], [-5., -7., 0.]])
    mask = torch.tensor([[True, False, True], [True, True, False]])
    assert greedy_action(q_values, mask).tolist() == [2, 0]


@pytest.mark.unittest
def test_greedy_action_takes_the_first_on_ties():
    assert greedy_action(torch.zeros(1, 4), torch.tensor([[False, True, True, True]])).tolist() == [1]


@pytest.mark.unittest
def test_greedy_action_is_legal_however_low_its_value():
    q_values = torch.tensor([[-1e9, -2e9, 5.]])  # below DI-engine's -9999999 for illegal actions
    assert greedy_action(q_values, torch.tensor([[True, True, False]])).tolist() == [0]


@pytest.mark.unittest
@pytest.mark.parametrize('epsilon', [0., 0.5, 1.])
def test_illegal_action_is_never_drawn(epsilon):
    q_values, mask = _masked_rows(100000)
    action = epsilon_greedy(q_values, mask, epsilon, torch.Generator().manual_seed(1))
    assert mask.gather(1, action.unsqueeze(1)).all()


@pytest.mark.unittest
def test_random_action_is_uniform_over_the_legal_ones():
    n_draws, mask = 60000, torch.tensor([True, False, True, False, True, True])
    q_values = torch.arange(6.).expand(n_draws, 6)
    action = epsilon_greedy(q_values, mask.expand(n_draws, 6), 1., torch.Generator().manual_seed(2))
    counts = action.bincount(minlength=6)[mask].double()
    sigma = (n_draws * 0.25 * 0.75) ** 0.5
    assert ((counts - n_draws / 4).abs() < 4 * sigma).all()


def _explored(n_envs, n_agents, epsilon):
    """Which agents took a random action, bool [E, N]; a random one is the greedy one in 1 of 500 cases."""
    q_values = torch.zeros(n_envs, n_agents, 500)
    q_values[..., 0] = 1.
    mask = torch.ones(n_envs, n_agents, 500, dtype=torch.bool)
    return epsilon_greedy(q_values, mask, epsilon, torch.Generator().manual_seed(3)) != 0


@pytest.mark.unittest
def test_every_agent_has_a_coin_of_its_own():
    explored = _explored(n_envs=400, n_agents=10, epsilon=0.5)
    mixed = explored.any(dim=1) & ~explored.all(dim=1)
    assert mixed.float().mean() > 0.98  # one coin an env: 0


@pytest.mark.unittest
def test_coins_of_agents_and_of_envs_are_uncorrelated():
    explored = _explored(n_envs=2000, n_agents=4, epsilon=0.5).double()
    agents = torch.corrcoef(explored.T)
    envs = torch.corrcoef(explored.reshape(2, -1))
    assert (agents - torch.eye(4)).abs().max() < 0.1 and envs[0, 1].abs() < 0.1


@pytest.mark.unittest
@pytest.mark.parametrize('epsilon', [0.05, 0.3])
def test_share_of_random_actions_is_epsilon(epsilon):
    share = _explored(n_envs=2000, n_agents=5, epsilon=epsilon).float().mean().item()
    assert share == pytest.approx(epsilon * 499 / 500, abs=0.015)


@pytest.mark.unittest
def test_epsilon_one_ignores_the_values():
    mask = torch.ones(300, 4, dtype=torch.bool)
    actions = [
        epsilon_greedy(q.expand(300, 4), mask, 1.,
                       torch.Generator().manual_seed(4))
        for q in (torch.tensor([9., 0., 0., 0.]), torch.tensor([0., 0., 0., 9.]))
    ]
    assert torch.equal(*actions)


@pytest.mark.unittest
def test_epsilon_zero_is_greedy_and_draws_nothing():
    q_values, mask = _masked_rows(50)
    generator = torch.Generator().manual_seed(5)
    before = generator.get_state()
    action = epsilon_greedy(q_values, mask, 0., generator)
    assert torch.equal(action, greedy_action(q_values, mask)) and torch.equal(generator.get_state(), before)


@pytest.mark.unittest
def test_draws_come_from_the_given_generator_only():
    q_values, mask = _masked_rows(50)
    torch.manual_seed(6)
    before = torch.get_rng_state()
    epsilon_greedy(q_values, mask, 0.5, torch.Generator().manual_seed(7))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.unittest
def test_without_a_generator_draws_come_from_torchs():
    q_values, mask = _masked_rows(50)
    torch.manual_seed(8)
    first = epsilon_greedy(q_values, mask, 0.5)
    torch.manual_seed(8)
    assert torch.equal(epsilon_greedy(q_values, mask, 0.5), first)
