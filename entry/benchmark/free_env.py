"""An env that costs nothing, to time what stands around an env: shapes of a SMAC map, episodes of one length."""
import copy
from typing import Any, ClassVar, Optional

import gym
import numpy as np
from ding.envs import BaseEnv, BaseEnvTimestep
from ding.utils import ENV_REGISTRY, deep_merge_dicts
from easydict import EasyDict

from ding_qmix.smac.scenarios import make_spec

_N_OBS = 64  # obs that all envs of a process show in turn; enough that they do not stay in the processor's cache


@ENV_REGISTRY.register('free_smac')
class FreeEnv(BaseEnv):
    """
    Overview:
        Shows obs drawn beforehand; every action is legal, none matters, and every episode has the same length.
    """
    config: ClassVar[dict[str, Any]] = dict(
        # (str) SMAC map whose shapes are shown.
        map_name='MMM',
        # (int) [env steps] Length of every episode.
        episode_len=60,
        # (int) Number of envs that collect.
        collector_env_num=16,
        # (int) Number of envs that evaluate.
        evaluator_env_num=8,
        # (int) Number of episodes of one evaluation.
        n_evaluator_episode=32,
        # (float) Not reached: the return is always 0.
        stop_value=2.,
        # (dict) Env manager.
        manager=dict(shared_memory=False),
    )

    @classmethod
    def default_config(cls) -> EasyDict:
        """Return a copy of the default config."""
        return EasyDict(copy.deepcopy(cls.config), cfg_type=cls.__name__ + 'Dict')

    def __init__(self, cfg: Optional[dict] = None) -> None:
        """As DI-engine's envs."""
        options = EasyDict(deep_merge_dicts(self.default_config(), cfg or {}))
        spec = make_spec(options.map_name)
        self._episode_len, self._t, self._shown = options.episode_len, 0, 0
        self._rows = _draw_obs(spec.n_agents, spec.obs_dim, spec.state_dim, spec.n_actions)
        self._reward = np.zeros(1, np.float32)
        self._observation_space = gym.spaces.Dict(
            {name: gym.spaces.Box(-np.inf, np.inf, value.shape, np.float32)
             for name, value in self._rows[0].items()}
        )
        self._action_space = gym.spaces.MultiDiscrete([spec.n_actions] * spec.n_agents)
        self._reward_space = gym.spaces.Box(-np.inf, np.inf, (1, ), np.float32)

    def reset(self) -> dict[str, np.ndarray]:
        """Begin the next episode."""
        self._t = 0
        return self._show()

    def step(self, action: np.ndarray) -> BaseEnvTimestep:
        """Count the step and show the next obs."""
        self._t += 1
        done = self._t == self._episode_len
        return BaseEnvTimestep(self._show(), self._reward, done, {'eval_episode_return': 0.} if done else {})

    def seed(self, seed: int, dynamic_seed: bool = True) -> None:
        """Begin at another of the obs."""
        self._shown = seed % _N_OBS

    def close(self) -> None:
        """Nothing to close."""

    def __repr__(self) -> str:
        return 'FreeEnv()'

    @staticmethod
    def create_collector_env_cfg(cfg: dict) -> list[dict]:
        """Return one env config per env that collects."""
        return [cfg] * cfg['collector_env_num']

    @staticmethod
    def create_evaluator_env_cfg(cfg: dict) -> list[dict]:
        """Return one env config per env that evaluates."""
        return [cfg] * cfg['evaluator_env_num']

    @property
    def observation_space(self) -> gym.spaces.Dict:
        """Space of the obs dict."""
        return self._observation_space

    @property
    def action_space(self) -> gym.spaces.MultiDiscrete:
        """Space of the team's actions."""
        return self._action_space

    @property
    def reward_space(self) -> gym.spaces.Box:
        """Space of a timestep's reward."""
        return self._reward_space

    def _show(self) -> dict[str, np.ndarray]:
        self._shown = (self._shown + 1) % _N_OBS
        return self._rows[self._shown]


def _draw_obs(n_agents: int, obs_dim: int, state_dim: int, n_actions: int) -> list[dict[str, np.ndarray]]:
    """Obs dicts as env ``ding_smac`` shows them, features in [-1, 1]."""
    rng = np.random.default_rng(0)
    return [
        {
            'agent_state': rng.uniform(-1., 1., (n_agents, obs_dim)).astype(np.float32),
            'global_state': rng.uniform(-1., 1., state_dim).astype(np.float32),
            'action_mask': np.ones((n_agents, n_actions), np.float32),
        } for _ in range(_N_OBS)
    ]
