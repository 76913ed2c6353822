"""The env that EPyMARL's runners take: its MultiAgentEnv differs from PyMARL's in reset, step and two arguments."""
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np

from ding_qmix.envs.pymarl import StarCraft2Env


class SMACWrapper:
    """
    Overview:
        One battle with the methods of EPyMARL's MultiAgentEnv, for its registry of envs.
    Interfaces:
        ``reset``, ``step``, ``seed``, and those of ``ding_qmix.envs.pymarl.StarCraft2Env``
    """

    def __init__(
            self,
            map_name: str = '8m',
            common_reward: bool = True,
            reward_scalarisation: str = 'sum',
            **options: Any
    ) -> None:
        """
        Arguments:
            - map_name, options: as in ``StarCraft2Env``
            - common_reward: must be True, a SMAC team shares one reward
            - reward_scalarisation: how rewards would be made one; there is one
        Raises:
            - ValueError: common_reward=False, an unknown option, or a value that the simulator cannot honour
        """
        if not common_reward:
            raise ValueError('common_reward=False: the agents of a SMAC team share one reward; set common_reward=True')
        self.env = StarCraft2Env(map_name, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__['env'], name)

    def reset(self,
              seed: Optional[int] = None,
              options: Optional[dict[str, Any]] = None) -> tuple[list[np.ndarray], dict[str, Any]]:
        """Begin the next episode, the first of ``seed`` if there is one; return ``get_obs()`` and an empty dict."""
        if seed is not None:
            self.env.seed(seed)
        return self.env.reset()[0], {}

    def step(self, actions: Union[Sequence[int],
                                  np.ndarray]) -> tuple[list[np.ndarray], float, bool, bool, dict[str, Any]]:
        """
        Overview:
            Play one decision of the whole team; see ``SMACMultiAgentEnv.step``.
        Returns:
            - obs: ``get_obs()``
            - reward: of the team
            - terminated: the episode is over, by the battle's end or the time limit
            - truncated: always False, as in EPyMARL's own wrapper of SMAC, whose learners ask the info for time limits
            - info: as in ``SMACMultiAgentEnv.step``
        """
        reward, terminated, info = self.env.step(actions)
        return self.env.get_obs(), reward, terminated, False, info
