"""The game's units as SMAC numbers them: whose table the rules are for."""
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ding_qmix.numba_kernel import kernel
from ding_qmix.smac.rules import FIRST_TARGET, NORTH, STOP, Rules, agent_order, created_units, make_rules
from ding_qmix.smac.scenarios import Scenario
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, N_FIELDS, SHIELD, UNIT_NAMES, UNIT_STATS, X, Y
from ding_qmix.starcraft2 import messages, unit_decoder
from ding_qmix.starcraft2.errors import GameRefused
from ding_qmix.starcraft2.messages import MapInfo
from ding_qmix.starcraft2.unit_decoder import Units

ALLY, ENEMY = 1, 2  # owners
_DIRECTIONS = ((0., 1.), (0., -1.), (1., 0.), (-1., 0.))  # north south east west

# The game's numbers of the enemies' types; smac starcraft2.py get_unit_type_id. The allies' are numbers of the map's
# own, one after another in the order of the type one-hot.
_ENEMY_TYPES = {
    4: 'colossus',
    9: 'baneling',
    48: 'marine',
    51: 'marauder',
    54: 'medivac',
    73: 'zealot',
    74: 'stalker',
    98: 'spine_crawler',
    105: 'zergling',
    107: 'hydralisk'
}


class UnitTable:
    """
    Overview:
        Which of the game's units are the agents and enemies of the episode that runs, and how they are.

        Agents are sorted by type, x, y, enemies stand as in the game's list, as in SMAC. A unit that the game does not
        show is dead.
    Interfaces:
        ``enter_map``, ``retire``, ``number``, ``n_fresh``, ``update``, ``commands``
    Properties:
        ``rules``, ``unit``
    Source: oxwhirl/smac starcraft2.py init_units, update_units, get_agent_action @ d6aab33
    """

    def __init__(self, scenario: Scenario, unit_out: np.ndarray, obs_style: str, **layout: Any) -> None:
        """
        Arguments:
            - scenario: the map
            - unit_out: float64 [N_FIELDS, U], the unit table that is written
            - obs_style, layout: as in ``make_rules``
        """
        n_units = scenario.n_agents + scenario.n_enemies
        order = agent_order(scenario, np.zeros(n_units), np.zeros(n_units))
        self.rules: Rules = make_rules(scenario, order, obs_style, **layout)
        self.unit = unit_out
        self._scenario = scenario
        names = created_units(scenario)
        self._ally_names = [names[i] for i in order[:scenario.n_agents]]  # by type, as SMAC sorts them
        self._enemy_counts = Counter(names[scenario.n_agents:])
        self._tag = np.zeros(n_units, np.uint64)
        self._shown = self._retired = np.zeros(0, np.uint64)

    def enter_map(self, info: MapInfo) -> None:
        """Take over terrain and size of the map as the game says them, and forget the units of other games."""
        width, height = info.pathable.shape
        self.rules = self.rules._replace(
            pathable=info.pathable,
            center_x=width / 2,
            center_y=height / 2,
            extent_x=info.extent[0],
            extent_y=info.extent[1]
        )
        self._shown = self._retired = np.zeros(0, np.uint64)

    def retire(self) -> list[int]:
        """
        Return the tags of all units on the map, which must die for the next episode to begin. They are no units of it:
        where both sides die at once, the map has brought new ones within the last step.
        """
        self._retired = np.union1d(self._shown, self._tag)
        return self._shown.tolist()

    def number(self, units: Units) -> bool:
        """
        Overview:
            Number the units of a new episode; return whether all are there. Retired units are none of it.
        Raises:
            - GameRefused: there are more or other units than SMAC's map has
        """
        scenario, (allies, enemies) = self._scenario, self._fresh(units)
        self._shown = units.tag[(units.owner == ALLY) | (units.owner == ENEMY)]
        if len(allies) < scenario.n_agents or len(enemies) < scenario.n_enemies:
            return False
        if len(allies) > scenario.n_agents or len(enemies) > scenario.n_enemies:
            raise GameRefused(
                f'{len(allies)} allied and {len(enemies)} enemy units are on the map, but SMAC\'s {scenario.name} has '
                f'{scenario.n_agents} and {scenario.n_enemies}; take the maps from oxwhirl/smac'
            )
        x, y = units.real[allies, unit_decoder.X], units.real[allies, unit_decoder.Y]
        allies = allies[np.lexsort((y, x, units.unit_type[allies]))]
        self._check_allies(units.unit_type[allies])
        self._note_enemies(units.unit_type[enemies])
        rows = np.concatenate((allies, enemies))
        self.rules.health_max[:] = units.real[rows, unit_decoder.HEALTH_MAX]
        self.rules.shield_max[:] = units.real[rows, unit_decoder.SHIELD_MAX]
        self._tag[:] = units.tag[rows]
        self.update(units)
        return True

    def n_fresh(self, units: Units) -> tuple[int, int]:
        """Return how many allies and enemies of a new episode there are."""
        allies, enemies = self._fresh(units)
        return len(allies), len(enemies)

    def update(self, units: Units) -> None:
        """Write how the numbered units are."""
        self._shown = units.tag[(units.owner == ALLY) | (units.owner == ENEMY)]
        write_units(units.tag, units.real, self._tag, self.unit)

    def commands(self, actions: Sequence[int]) -> list[bytes]:
        """Return the commands for the agents' actions, one each but for the dead."""
        commands, tags = [], self._tag.tolist()
        way = 2. * self.rules.move_probe  # [map units] ahead that a move order aims
        for agent, action in enumerate(actions):
            if action >= FIRST_TARGET:
                heals = self.rules.healer[agent]
                target = action - FIRST_TARGET + (0 if heals else self.rules.n_agents)
                ability = messages.HEAL if heals else messages.ATTACK
                commands.append(messages.command_target(tags[agent], ability, tags[target]))
            elif action >= NORTH:
                dx, dy = _DIRECTIONS[action - NORTH]
                x, y = self.unit[X, agent] + way * dx, self.unit[Y, agent] + way * dy
                commands.append(messages.command_move(tags[agent], x, y))
            elif action == STOP:
                commands.append(messages.command_stop(tags[agent]))
        return commands

    def _fresh(self, units: Units) -> tuple[np.ndarray, np.ndarray]:
        """Return which allies and which enemies are not retired, int64 [K] each."""
        fresh = ~np.isin(units.tag, self._retired)
        return np.flatnonzero(fresh & (units.owner == ALLY)), np.flatnonzero(fresh & (units.owner == ENEMY))

    def _check_allies(self, types: np.ndarray) -> None:
        """Check that the sorted allies' types, uint32 [N], change where the map's do."""
        names = self._ally_names
        if any((types[i] == types[i - 1]) != (names[i] == names[i - 1]) for i in range(1, len(names))):
            raise GameRefused(
                f'the allies are of the types {dict(Counter(types.tolist()))}, but SMAC\'s {self._scenario.name} has '
                f'{dict(Counter(names))}; take the maps from oxwhirl/smac'
            )

    def _note_enemies(self, types: np.ndarray) -> None:
        """Note the enemies' types, uint32 [M], in the rules."""
        names = [_ENEMY_TYPES.get(kind, f'type {kind}') for kind in types.tolist()]
        if Counter(names) != self._enemy_counts:
            raise GameRefused(
                f'the enemies are {dict(Counter(names))}, but SMAC\'s {self._scenario.name} has '
                f'{dict(self._enemy_counts)}; take the maps from oxwhirl/smac'
            )
        slots, rules = self._scenario.enemy_slots, self.rules
        for u, name in enumerate(names, rules.n_agents):
            kind = UNIT_NAMES.index(name)
            rules.unit_type[u], rules.healer[u] = kind, name == 'medivac'
            rules.type_slot[u] = slots.index(name) if slots else 0
            rules.cooldown_scale[u] = UNIT_STATS[kind].cooldown_scale


@kernel
def write_units(tag: np.ndarray, real: np.ndarray, known_tag: np.ndarray, unit_out: np.ndarray) -> None:
    """
    Write the units of known tags, uint64 [U], into a unit table, float64 [N_FIELDS, U], from an observation: tag uint64
    [K], real float32 [K, N_COLUMNS]. Those that are not in it are dead.
    """
    for u in range(known_tag.shape[0]):
        for row in (HEALTH, SHIELD, ENERGY, COOLDOWN):
            unit_out[row, u] = 0.
        for k in range(tag.shape[0]):
            if tag[k] == known_tag[u]:
                unit_out[X, u], unit_out[Y, u] = real[k, unit_decoder.X], real[k, unit_decoder.Y]
                unit_out[HEALTH, u] = real[k, unit_decoder.HEALTH]
                unit_out[SHIELD, u] = real[k, unit_decoder.SHIELD]
                unit_out[ENERGY, u] = real[k, unit_decoder.ENERGY]
                unit_out[COOLDOWN, u] = real[k, unit_decoder.COOLDOWN]
                break


def make_units(n_envs: int, n_units: int) -> np.ndarray:
    """Return unit tables of E battles, float64 [E, N_FIELDS, U]."""
    return np.zeros((n_envs, N_FIELDS, n_units))
