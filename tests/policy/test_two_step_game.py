"""
The two-step game of the QMIX paper (arXiv:1803.11485 section 5, table 1): agent 1's first action picks the matrix game
2A, where everything pays 7, or 2B, which pays [[0, 1], [1, 8]]. The best is 8. A sum of the agents' values cannot show
that 2B is worth more than 7 after it has been fitted to all of 2B's pay-offs; a monotonic mixer can.
Doing nothing, that is always action 0, gets 7; random play gets 7 or 2.5 in the mean.
"""
import itertools

import pytest
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict

from ding_qmix.policy import QMIXPolicy

PAY_2A, PAY_2B = ((7., 7.), (7., 7.)), ((0., 1.), (1., 8.))
N_AGENTS, N_ACTIONS, START, IN_2A, IN_2B, OVER = 2, 2, 0, 1, 2, 3


def _obs(state):
    """Both agents see the state and who they are."""
    one_hot = torch.eye(4)[state]
    return torch.cat([one_hot.expand(N_AGENTS, 4), torch.eye(N_AGENTS)], dim=1), one_hot


def _episode(first, second):
    """One play of the game as a training sample."""
    states = [START, IN_2B if first[0] else IN_2A, OVER]
    pay = (PAY_2B if first[0] else PAY_2A)[second[0]][second[1]]
    seen = [_obs(state) for state in states]
    return {
        'obs': torch.stack([obs for obs, _ in seen]),
        'state': torch.stack([state for _, state in seen]),
        'action_mask': torch.ones(3, N_AGENTS, N_ACTIONS, dtype=torch.bool),
        'action': torch.tensor([first, second]),
        'reward': torch.tensor([0., pay]),
        'terminated': torch.tensor([0., 1.]),
        'truncated': torch.zeros(2),
        'mask': torch.ones(2),
    }


def _trained(mixer):
    """A policy trained on all plays of the game, as often as each other: what epsilon = 1 collects in the mean."""
    torch.manual_seed(0)
    cfg = dict(
        model=dict(
            agent_num=N_AGENTS,
            obs_shape=6,
            global_obs_shape=4,
            action_shape=N_ACTIONS,
            hidden_size_list=[32],
            mixer=mixer
        ),
        learn=dict(optimizer='adam', learning_rate=0.01, target_update_freq=20),
    )
    policy = QMIXPolicy(EasyDict(deep_merge_dicts(QMIXPolicy.default_config(), cfg)))
    joint = list(itertools.product(range(N_ACTIONS), repeat=N_AGENTS))
    batch = [_episode(first, second) for first in joint for second in joint]
    for _ in range(200):
        policy.learn_mode.forward(batch)
    return policy


def _greedy_pay(policy):
    """What the policy's greedy play gets."""
    policy.eval_mode.reset()
    actions, state = [], START
    for _ in range(2):
        obs, global_state = _obs(state)
        mask = torch.ones(N_AGENTS, N_ACTIONS)
        output = policy.eval_mode.forward({0: dict(agent_state=obs, global_state=global_state, action_mask=mask)})
        actions.append(output[0]['action'].tolist())
        state = IN_2B if actions[0][0] else IN_2A
    return _episode(*actions)['reward'].sum().item()


@pytest.mark.unittest
def test_qmix_finds_the_best_play():
    assert _greedy_pay(_trained(mixer=True)) == 8.


@pytest.mark.unittest
def test_vdn_settles_for_less():
    assert _greedy_pay(_trained(mixer=False)) == 7.
