"""What SMAC's rules need to know about a map, as flat arrays and numbers that compiled code can take."""
from typing import Any, NamedTuple

import numpy as np

from ding_qmix.smac.action_options import ActionOptions
from ding_qmix.smac.scenarios import Scenario, UnitGroup
from ding_qmix.smac.terrain import MAP_SIZE, pathing_grid
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS
from ding_qmix.smac.view_options import ViewOptions

NO_OP, STOP, NORTH, SOUTH, EAST, WEST, FIRST_TARGET = range(7)  # actions; FIRST_TARGET + i aims at unit i

SHOOT_RANGE = 6.  # [map units] between centres within which a target may be chosen, all units; smac starcraft2.py
SIGHT_RANGE = 9.  # [map units] between centres within which a unit is seen, all units; smac starcraft2.py

# SMAC centres positions in the state at half the map's size and divides them by the extents of the playable area. The
# client keeps a margin of 2 cells along every edge: recorded states of five maps on four grids are exact only with 28
# along x and y; the other maps have the same size and bounds (MapInfo).
MAP_CENTER = MAP_SIZE / 2  # [map units]
MAP_MARGIN = 2  # [cells]
MAP_EXTENT = float(MAP_SIZE - 2 * MAP_MARGIN)  # [map units]

# Where obs_pathing_grid looks, in move orders from the agent's cell; oxwhirl/smac starcraft2.py get_surrounding_points.
_PATHING_POINTS = ((0, 2), (0, -2), (2, 0), (-2, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
_DEFAULT_VIEW, _DEFAULT_ACTIONS = ViewOptions(), ActionOptions()


class Rules(NamedTuple):
    """One map in the order in which SMAC numbers its units."""
    n_agents: int
    n_enemies: int
    n_actions: int
    episode_limit: int  # [env steps]
    unit_type: np.ndarray  # int32 [U], index into UNIT_NAMES
    type_slot: np.ndarray  # int32 [U], index in the type one-hot of the unit's side
    n_slots: int  # length of the type one-hot, 0 without one
    ally_shield: int  # 1 if the allies' shields are shown, else 0
    enemy_shield: int
    health_max: np.ndarray  # float64 [U], [hit points]
    shield_max: np.ndarray  # float64 [U], [shield points]
    cooldown_scale: np.ndarray  # float64 [U], divides cooldown, or energy where healer
    healer: np.ndarray  # bool [U], medivacs
    medivac_map: bool  # the end rules of MMM hold
    pathable: np.ndarray  # bool [width, height], indexed [x, y]
    center_x: float  # [map units] half the size of the map, which the state takes for 0
    center_y: float
    extent_x: float  # [map units] of the playable area, which the state takes for 1
    extent_y: float
    own_last_action: bool  # obs style 'ding' appends the agent's own last action and its id
    special_state: bool  # the state is one view per agent, see ding_qmix.smac.special_state
    death_mask: bool  # a dead agent's view is empty
    move_probe: float  # [map units] ahead of the unit that must be pathable, 1/2 of a move order
    options: ViewOptions  # SMAC's options of obs and state
    pathing_points: np.ndarray  # int64 [N_PATHING_POINTS, 2], (x, y) from the agent's cell, [cells]


def make_rules(
        scenario: Scenario,
        creation_order: np.ndarray,
        obs_style: str,
        special_global_state: bool = False,
        death_mask: bool = False,
        view: ViewOptions = _DEFAULT_VIEW,
        actions: ActionOptions = _DEFAULT_ACTIONS
) -> Rules:
    """
    Overview:
        Lay a map out in flat arrays.
    Arguments:
        - creation_order: int [U]; entry u says which created unit (allies first) SMAC numbers u
        - obs_style, special_global_state: as in ``ding_qmix.smac.scenarios.make_spec``
        - death_mask: with ``special_global_state``, show a dead agent nothing but its id
        - view, actions: SMAC's options of obs and state, and of actions
    Raises:
        - ValueError: death_mask without special_global_state, or obs_pathing_grid with half a cell to look at
    """
    if death_mask and not special_global_state:
        raise ValueError('death_mask=True masks the views of special_global_state, which is False; set both or none')
    created = created_units(scenario)
    return Rules(
        **_unit_arrays(scenario, [created[i] for i in creation_order]),
        n_agents=scenario.n_agents,
        n_enemies=scenario.n_enemies,
        n_actions=scenario.n_actions,
        episode_limit=scenario.episode_limit,
        n_slots=len(scenario.ally_slots),
        ally_shield=int(scenario.ally_race == 'P'),
        enemy_shield=int(scenario.enemy_race == 'P'),
        medivac_map=scenario.map_type == 'MMM',
        pathable=pathing_grid(scenario.terrain),
        center_x=MAP_CENTER,
        center_y=MAP_CENTER,
        extent_x=MAP_EXTENT,
        extent_y=MAP_EXTENT,
        own_last_action=obs_style == 'ding',
        special_state=special_global_state,
        death_mask=death_mask,
        move_probe=actions.move_amount / 2,
        options=view,
        pathing_points=pathing_points(actions.move_amount, view),
    )


def created_units(scenario: Scenario) -> list[str]:
    """Return the names of all units in order of creation, allies first."""
    return _created(scenario.allies) + _created(scenario.enemies)


def agent_order(scenario: Scenario, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """
    Overview:
        Return which created unit (allies first) SMAC numbers u: allies sorted by type, x, y; enemies as created.
    Shapes:
        - x, y: float [U], where each unit is at the start, in order of creation
        - returns: int64 [U]
    Source: oxwhirl/smac starcraft2.py init_units. The order of the enemies is not documented (uncertain).
    """
    names, slots, n_agents = created_units(scenario), scenario.ally_slots, scenario.n_agents
    key = [(slots.index(names[i]) if slots else 0, x[i], y[i]) for i in range(n_agents)]
    allies = sorted(range(n_agents), key=key.__getitem__)
    return np.array(allies + list(range(n_agents, len(names))), dtype=np.int64)


def pathing_points(move_amount: float, view: ViewOptions) -> np.ndarray:
    """Return where obs_pathing_grid looks, int64 [N_PATHING_POINTS, 2], [cells] from the agent's; or ValueError."""
    if view.obs_pathing_grid and move_amount != int(move_amount):
        raise ValueError(
            f'config env: obs_pathing_grid=True looks at whole cells; move_amount must be whole, got {move_amount}'
        )
    return np.array(_PATHING_POINTS) * int(move_amount)


def _unit_arrays(scenario: Scenario, names: list[str]) -> dict[str, Any]:
    """Return the fields of Rules that have an entry per unit, for units of these types."""
    stats = [UNIT_STATS[UNIT_NAMES.index(name)] for name in names]
    slots = [scenario.ally_slots] * scenario.n_agents + [scenario.enemy_slots] * scenario.n_enemies
    return {
        'unit_type': np.array([UNIT_NAMES.index(name) for name in names], dtype=np.int32),
        'type_slot': np.array([slot.index(name) if slot else 0 for slot, name in zip(slots, names)], dtype=np.int32),
        'health_max': np.array([s.health for s in stats]),
        'shield_max': np.array([s.shield for s in stats]),
        'cooldown_scale': np.array([s.cooldown_scale for s in stats]),
        'healer': np.array([name == 'medivac' for name in names]),
    }


def _created(groups: tuple[UnitGroup, ...]) -> list[str]:
    """Return the unit names of groups, one by one."""
    return [group.unit for group in groups for _ in range(group.n_units)]
