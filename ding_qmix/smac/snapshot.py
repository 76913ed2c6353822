"""
What SMAC's public getters tell, from a copy of the unit table: rows of the state, who sees whom.

Source: oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33 (__init__, get_state_dict, get_visibility_matrix)
"""
import numpy as np

from ding_qmix.smac.rules import MAP_CENTER, MAP_EXTENT, SIGHT_RANGE
from ding_qmix.smac.scenarios import Scenario
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS
from ding_qmix.spec import UnitSnapshot

_HEALTH_MAX = np.array([stats.health for stats in UNIT_STATS])
_SHIELD_MAX = np.array([stats.shield or 1. for stats in UNIT_STATS])  # 1: shields that are not there show as 0
_COOLDOWN_SCALE = np.array([stats.cooldown_scale for stats in UNIT_STATS])


def feature_names(scenario: Scenario) -> tuple[list[str], list[str]]:
    """Return the names of the features of an ally and of an enemy in the state, as SMAC calls them."""
    allies, enemies = ['health', 'energy/cooldown', 'rel_x', 'rel_y'], ['health', 'rel_x', 'rel_y']
    types = [f'type_{i}' for i in range(len(scenario.ally_slots))]
    return (
        allies + ['shield'] * (scenario.ally_race == 'P') + types,
        enemies + ['shield'] * (scenario.enemy_race == 'P') + types,
    )


def state_rows(units: UnitSnapshot, scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """
    Overview:
        Return the parts of the global state that tell of the units, the first env's; zeros for the dead.
    Shapes:
        - returns: float64 [N, ally features], float64 [M, enemy features], see ``feature_names``
    """
    n_agents = scenario.n_agents
    kind, alive = units.unit_type[0], units.alive[0]
    ready = np.where(kind == UNIT_NAMES.index('medivac'), units.energy[0], units.cooldown[0]) / _COOLDOWN_SCALE[kind]
    health, shield = units.health[0] / _HEALTH_MAX[kind], units.shield[0] / _SHIELD_MAX[kind]
    x, y = ((place[0] - MAP_CENTER) / MAP_EXTENT for place in (units.x, units.y))
    names = [UNIT_NAMES[k] for k in kind]
    rows = []
    for side, race, slots, columns in (
        (slice(None, n_agents), scenario.ally_race, scenario.ally_slots, [health, ready, x, y]),
        (slice(n_agents, None), scenario.enemy_race, scenario.enemy_slots, [health, x, y]),
    ):
        types = [np.array([name == slot for name in names], float) for slot in slots]
        table = np.stack([*columns, *[shield] * (race == 'P'), *types], axis=1)[side]
        rows.append(table * alive[side, None])
    return rows[0], rows[1]


def visibility(units: UnitSnapshot, n_agents: int) -> np.ndarray:
    """
    Overview:
        Return which units each agent sees, in the first env. Nobody sees the dead, the dead see nobody, and no agent
        counts as seeing itself.
    Shapes:
        - returns: bool [N, U]
    """
    x, y, alive = units.x[0], units.y[0], units.alive[0]
    near = np.hypot(x[:n_agents, None] - x, y[:n_agents, None] - y) < SIGHT_RANGE
    seen = near & alive[:n_agents, None] & alive
    np.fill_diagonal(seen, False)
    return seen
