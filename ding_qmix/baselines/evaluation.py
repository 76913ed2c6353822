"""How a scripted policy fares on a map."""
from typing import NamedTuple

import numpy as np

from ding_qmix.baselines.scripted import make_scripted_policy
from ding_qmix.sim.vec_env import SimVecEnv


class Yardstick(NamedTuple):
    """What n episodes of a policy came to, one entry an episode."""
    won: np.ndarray  # bool [n]
    truncated: np.ndarray  # bool [n], ended by the time limit
    episode_return: np.ndarray  # float64 [n], sum of rewards
    length: np.ndarray  # int64 [n], [env steps]
    dead_allies: np.ndarray  # int64 [n]
    dead_enemies: np.ndarray  # int64 [n]


def measure_policy(env: SimVecEnv, policy_name: str, seed: int = 0) -> Yardstick:
    """
    Overview:
        Let a scripted policy play one new episode in each env to its end, so that long and short ones count alike.
    Arguments:
        - env: the battles
        - policy_name, seed: see ``make_scripted_policy``
    """
    policy = make_scripted_policy(policy_name, env.spec, env.n_envs, seed)
    n = env.n_envs
    result = Yardstick(
        np.zeros(n, bool), np.zeros(n, bool), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
        np.zeros(n, np.int64)
    )
    active = np.ones(n, dtype=np.bool_)
    step = env.reset()
    while active.any():
        step = env.step(policy.act(step, env.units()), active)
        result.episode_return[active] += step.reward[active]
        result.length[active] += 1
        ended = active & (step.terminated | step.truncated)
        result.won[ended], result.truncated[ended] = step.won[ended], step.truncated[ended]
        result.dead_allies[ended], result.dead_enemies[ended] = step.dead_allies[ended], step.dead_enemies[ended]
        active &= ~ended
    return result
