"""SMAC's options of what agents and the global state show, with SMAC's names and defaults."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.schema import FLAG, Rule, choice

N_PATHING_POINTS = 8  # points around an agent whose pathing obs_pathing_grid shows; oxwhirl/smac starcraft2.py


class ViewOptions(NamedTuple):
    """
    What is shown besides SMAC's default, or left out of it.

    Source: oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33 (__init__, get_obs_agent, get_state)
    """
    obs_all_health: bool = True  # obs: health and shield of the units in sight; True also shows the agent's own
    obs_own_health: bool = True  # obs: the agent's own health and shield
    obs_last_action: bool = False  # obs: last actions of the other allies in sight
    obs_pathing_grid: bool = False  # obs: whether 8 points around the agent are pathable
    obs_terrain_height: bool = False  # obs: height of 9 points; the simulator does not know it
    obs_timestep_number: bool = False  # obs: fraction of the episode limit that has passed
    obs_instead_of_state: bool = False  # state: all agents' obs end to end
    state_last_action: bool = True  # state: last actions of all agents
    state_timestep_number: bool = False  # state: fraction of the episode limit that has passed


VIEW_RULES: dict[str, Rule] = {
    **dict.fromkeys(ViewOptions._fields, FLAG),
    'obs_terrain_height': choice(False, expected='False: the simulator does not know heights'),
}


def make_view_options(given: Mapping[str, Any]) -> ViewOptions:
    """
    Overview:
        Return SMAC's options of obs and state with those set that are among ``given``; other names are passed over.
    Raises:
        - TypeError: an option is no bool
        - ValueError: obs_terrain_height=True
    """
    chosen = ViewOptions()._asdict()
    for name in chosen.keys() & given.keys():
        if not isinstance(given[name], (bool, np.bool_)):
            raise TypeError(f'{name} must be True or False, got {given[name]!r}')
        chosen[name] = bool(given[name])
    if chosen['obs_terrain_height']:
        raise ValueError(
            'obs_terrain_height=True: the simulator has the cliffs of the maps but not the heights that StarCraft II '
            'reports; leave it False'
        )
    chosen['obs_own_health'] |= chosen['obs_all_health']
    return ViewOptions(**chosen)
