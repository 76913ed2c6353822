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
    active, n_envs = np.ones(env.n_envs, bool), env.n_envs
    types = (np.float64, bool, bool, np.int64, np.int32, np.int32, np.int64)
    stats = EpisodeStats(*(np.zeros(n_envs, dtype) for dtype in types))
    step = env.reset()
    while active.any():
        step = env.step(policy.act(step, env.units()), active)
        done = active & (step.terminated | step.truncated)
        shown = (
            step.episode_return, step.won, step.truncated, step.episode_len, step.dead_allies, step.dead_enemies,
            stats.n_lost + (active & step.lost)
        )
        for kept, value in zip(stats, shown):
            kept[done] = value[done]
        stats.n_lost[:] = shown[-1]
        active &= ~done
    return stats
