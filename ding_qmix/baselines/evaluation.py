"""How a scripted policy fares on a map."""
import numpy as np

from ding_qmix.baselines.scripted import make_scripted_policy
from ding_qmix.spec import EpisodeStats, VecEnv


def measure_policy(env: VecEnv, policy_name: str, seed: int = 0) -> EpisodeStats:
    """
    Overview:
        Let a scripted policy play one new episode in each env to its end, so that long and short ones count alike.
    Arguments:
        - env: the battles
        - policy_name, seed: see ``make_scripted_policy``
    Returns:
        - stats: entry e is of env e
    """
    policy = make_scripted_policy(policy_name, env.spec, env.n_envs, seed)
    active, won, truncated = np.ones(env.n_envs, bool), np.zeros(env.n_envs, bool), np.zeros(env.n_envs, bool)
    step = env.reset()
    while active.any():
        step = env.step(policy.act(step, env.units()), active)
        won |= step.won
        truncated |= step.truncated
        active &= ~(step.terminated | step.truncated)
    return EpisodeStats(  # envs that have ended keep what their episodes came to
        step.episode_return.copy(), won, truncated, step.episode_len.copy(), step.dead_allies.copy(),
        step.dead_enemies.copy()
    )
