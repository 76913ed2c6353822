"""SMAC's StarCraft2Env for code that was written for it: PyMARL, PyMARL2, and what was built on them."""
from collections.abc import Sequence
from typing import Any, Union

import numpy as np

from ding_qmix.envs.multi_agent_env import SMACMultiAgentEnv
from ding_qmix.smac.rules import SHOOT_RANGE, SIGHT_RANGE
from ding_qmix.smac.scenarios import N_ACTIONS_NO_ATTACK, get_scenario
from ding_qmix.smac.snapshot import feature_names, state_rows, visibility
from ding_qmix.smac.view_options import ViewOptions, make_view_options

MultiAgentEnv = SMACMultiAgentEnv  # as SMAC calls the methods that every framework uses


class StarCraft2Env(SMACMultiAgentEnv):
    """
    Overview:
        ``SMACMultiAgentEnv`` with the other public methods and attributes of SMAC's StarCraft2Env; those that speak to
        the game (``_controller``, SC2 units) are not here.
    Interfaces:
        ``get_state_dict``, ``get_visibility_matrix``, ``get_ally_num_attributes``, ``get_enemy_num_attributes``, \
        ``get_obs_move_feats_size``, ``get_obs_enemy_feats_size``, ``get_obs_ally_feats_size``, \
        ``get_obs_own_feats_size``, ``unit_shoot_range``, ``unit_sight_range``, and those of ``SMACMultiAgentEnv``
    Properties:
        ``last_action``, ``ally_state_attr_names``, ``enemy_state_attr_names``, ``battles_won``, ``battles_game``, \
        ``timeouts``, ``force_restarts``
    """

    def __init__(self, map_name: str = '8m', **options: Any) -> None:
        """
        Arguments:
            - map_name: a SMAC map
            - options: SMAC's, under SMAC's names and with SMAC's defaults, and those of ``SMACMultiAgentEnv``
        Raises:
            - ValueError: an unknown option, or a value that the simulator cannot honour
        """
        super().__init__(map_name, **options)
        scenario = get_scenario(map_name)
        self._scenario = scenario
        self._view: ViewOptions = make_view_options(options)
        self.ally_state_attr_names, self.enemy_state_attr_names = feature_names(scenario)
        self.n_actions_no_attack, self.n_actions_move = N_ACTIONS_NO_ATTACK, 4
        self.map_type, self.unit_type_bits = scenario.map_type, len(scenario.ally_slots)
        self.shield_bits_ally = int(scenario.ally_race == 'P')
        self.shield_bits_enemy = int(scenario.enemy_race == 'P')
        self.last_action = np.zeros((self.n_agents, self.n_actions))

    def reset(self) -> tuple[list[np.ndarray], np.ndarray]:
        """See ``SMACMultiAgentEnv.reset``."""
        self.last_action = np.zeros((self.n_agents, self.n_actions))
        return super().reset()

    def step(self, actions: Union[Sequence[int], np.ndarray]) -> tuple[float, bool, dict[str, Any]]:
        """See ``SMACMultiAgentEnv.step``."""
        result = super().step(actions)
        self.last_action = np.eye(self.n_actions)[[int(a) for a in actions]]
        return result

    def get_env_info(self) -> dict[str, Any]:
        """Return the sizes that PyMARL builds its networks from, and the names of the state's features."""
        return {
            **super().get_env_info(),
            'agent_features': self.ally_state_attr_names,
            'enemy_features': self.enemy_state_attr_names,
        }

    def get_state_dict(self) -> dict[str, Any]:
        """
        Overview:
            Return the global state by parts, whatever ``obs_instead_of_state`` says.
        Shapes:
            - allies, enemies: float64 [N, features], [M, features]
            - last_action: float64 [N, A], with ``state_last_action``
            - timestep: fraction of the episode limit that has passed, with ``state_timestep_number``
        """
        allies, enemies = state_rows(self.units(), self._scenario)
        state: dict[str, Any] = {'allies': allies, 'enemies': enemies}
        if self._view.state_last_action:
            state['last_action'] = self.last_action
        if self._view.state_timestep_number:
            state['timestep'] = int(self._env.last_step.episode_len[0]) / self.episode_limit
        return state

    def get_visibility_matrix(self) -> np.ndarray:
        """Return which units each agent sees, bool [N, N + M]; see ``ding_qmix.smac.snapshot.visibility``."""
        return visibility(self.units(), self.n_agents)

    def get_ally_num_attributes(self) -> int:
        """Return the number of an ally's features in the state."""
        return len(self.ally_state_attr_names)

    def get_enemy_num_attributes(self) -> int:
        """Return the number of an enemy's features in the state."""
        return len(self.enemy_state_attr_names)

    def get_obs_move_feats_size(self) -> int:
        """Return the length of the first block of the obs, where the agent can go."""
        return self._env.spec.obs_layout.move

    def get_obs_enemy_feats_size(self) -> tuple[int, int]:
        """Return the shape of the second block of the obs, (enemies, features)."""
        return self._env.spec.obs_layout.enemy

    def get_obs_ally_feats_size(self) -> tuple[int, int]:
        """Return the shape of the third block of the obs, (other allies, features)."""
        return self._env.spec.obs_layout.ally

    def get_obs_own_feats_size(self) -> int:
        """Return the length of the last block of the obs, the agent itself and the time step."""
        layout = self._env.spec.obs_layout
        return layout.own + layout.timestep

    def unit_shoot_range(self, agent_id: int) -> float:
        """Return within which distance an agent may choose a target, [map units]."""
        return SHOOT_RANGE

    def unit_sight_range(self, agent_id: int) -> float:
        """Return within which distance an agent sees a unit, [map units]."""
        return SIGHT_RANGE

    @property
    def battles_won(self) -> int:
        """Episodes that were won."""
        return self._stats['battles_won']

    @property
    def battles_game(self) -> int:
        """Episodes that have ended."""
        return self._stats['battles_game']

    @property
    def timeouts(self) -> int:
        """Episodes that the time limit ended."""
        return self._stats['timeouts']

    @property
    def force_restarts(self) -> int:
        """Restarts of the game."""
        return self._stats['restarts']

    def __repr__(self) -> str:
        return f'StarCraft2Env({self.map_name})'
