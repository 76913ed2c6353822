"""A scripted ``ding_smac`` env, and random legal play of any."""
from typing import Any

from ding.envs import BaseEnvTimestep

from ding_qmix.envs import SMACEnv


def scripted_env(seed: int = 0, **cfg: Any) -> SMACEnv:
    env = SMACEnv(dict(map_name='3m', **cfg))
    env.seed(seed)
    env.reset()
    return env


def play(env: SMACEnv, n_steps: int) -> list[BaseEnvTimestep]:
    """Random legal play; the env is reset where an episode ends."""
    timesteps = []
    for _ in range(n_steps):
        timesteps.append(env.step(env.random_action()))
        if timesteps[-1].done:
            env.reset()
    return timesteps
