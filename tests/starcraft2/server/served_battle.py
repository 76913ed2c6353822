"""A battle of the simulator as the game shows it: units with tags, orders, game loops, a map that brings new units."""
from typing import NamedTuple

import numpy as np

from ding_qmix.sim.allocation import make_scratch, make_state
from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.loop import play_loop
from ding_qmix.sim.orders import give_order
from ding_qmix.sim.params import make_sim_params
from ding_qmix.sim.rng import seed_state
from ding_qmix.sim.spawn import begin_battle
from ding_qmix.sim.state import Battle
from ding_qmix.smac.reward import RewardOptions
from ding_qmix.smac.rules import FIRST_TARGET, NORTH, STOP
from ding_qmix.smac.scenarios import get_scenario, make_spec
from ding_qmix.smac.units import HEALTH, SHIELD, UNIT_NAMES, UNIT_STATS, X, Y

ENEMY_TYPES = dict(
    colossus=4,
    baneling=9,
    marine=48,
    marauder=51,
    medivac=54,
    zealot=73,
    stalker=74,
    spine_crawler=98,
    zergling=105,
    hydralisk=107
)
FIRST_ALLY_TYPE = 1970  # the map's own types, in the order of the one-hot
MOVE, ATTACK, STOP_ABILITY, HEAL = 16, 23, 4, 386
_FIRST_TAG = 0x100000001
_DIRECTIONS = ((0., 2.), (0., -2.), (2., 0.), (-2., 0.))  # [map units], SMAC's default


class Command(NamedTuple):
    """What one unit is told."""
    ability: int
    tag: int
    target_tag: int
    target: tuple[float, float]


class ServedBattle:
    """
    The battle on a map, over and over: where both sides have no living unit, new units come (the maps' own trigger).
    ``respawn_at_once``: within the step in which the last unit dies, else at the beginning of the next.
    """

    def __init__(self, map_name: str, seed: int, respawn_at_once: bool = False) -> None:
        scenario, spec = get_scenario(map_name), make_spec(map_name, 'smac')
        self.params = make_sim_params(scenario, 'smac', Calibration(), RewardOptions())
        state, scratch = make_state(1, spec), make_scratch(1, spec)
        state.rng[0] = seed_state(seed)
        pathing = self.params.pathing
        self._battle = Battle(
            unit=state.unit[0],
            unit_at=state.unit_at[0],
            physical=state.physical[0],
            decision=state.decision[0],
            rng=state.rng,
            footing=pathing.footing,
            route=pathing.route,
            floats=scratch.floats[0],
            ints=scratch.ints[0]
        )
        names = [UNIT_NAMES[kind] for kind in self.params.rules.unit_type]
        self.n_agents, self.n_units = spec.n_agents, len(names)
        self.stats = [UNIT_STATS[UNIT_NAMES.index(name)] for name in names]
        slots = scenario.ally_slots
        self.types = [FIRST_ALLY_TYPE + (slots.index(name) if slots else 0) for name in names[:spec.n_agents]]
        self.types += [ENEMY_TYPES[name] for name in names[spec.n_agents:]]
        self._respawn_at_once = respawn_at_once
        self.first_tag, self.loops_since_spawn, self.game_loop = _FIRST_TAG, 0, 1
        self._spawn(is_fresh=True)

    @property
    def unit(self) -> np.ndarray:
        """The unit table, float64 [N_FIELDS, U]."""
        return self._battle.unit

    def tag(self, u: int) -> int:
        """Return the tag of a unit; each has one of its own over all battles."""
        return self.first_tag + u

    def in_order(self) -> list[int]:
        """Return the units in the order of SMAC's numbers, as which the game lists its enemies."""
        return self._battle.unit_at.tolist()

    def number(self, u: int) -> int:
        """Return the number of a unit, -1 if there is no such unit."""
        return self.in_order().index(u) if 0 <= u < self.n_units else -1

    def play(self, n_loops: int) -> None:
        """Play game loops."""
        for i in range(n_loops):
            if not (self.unit[HEALTH] > 0.).any() and (i == 0 or self._respawn_at_once):
                self.first_tag += self.n_units
                self._spawn(is_fresh=False)
                self.game_loop += n_loops - i
                return  # the new battle has had its first loops
            else:
                play_loop(self._battle, self.params.tables, self.params.calibration)
                self.loops_since_spawn += 1
            self.game_loop += 1

    def kill(self, tags: list[int]) -> None:
        """Let units die; tags of the dead and of former battles are nobody's."""
        for tag in tags:
            u = tag - self.first_tag
            if 0 <= u < self.n_units:
                self.unit[HEALTH, u] = self.unit[SHIELD, u] = 0.

    def order(self, ability: int, tag: int, target_tag: int, target: tuple[float, float]) -> bool:
        """Give an ally an order; return False if it is none of SMAC's, which alone the simulator knows."""
        command = Command(ability, tag, target_tag, target)
        agent = command.tag - self.first_tag
        if not 0 <= agent < self.n_agents or self.unit[HEALTH, agent] <= 0.:
            return False
        action = self._action(agent, command)
        if action < 0:
            return False
        give_order(self._battle, self.params.tables, agent, action)
        return True

    def _action(self, agent: int, command: Command) -> int:
        """Return SMAC's action for a command, -1 if there is none."""
        heals = bool(self.params.rules.healer[agent])
        target = self.number(command.target_tag - self.first_tag)
        if command.ability == STOP_ABILITY:
            return STOP
        if command.ability == MOVE:
            here = self.unit[X, agent], self.unit[Y, agent]
            for i, direction in enumerate(_DIRECTIONS):
                if all(abs(p + d - t) < 1e-3 for p, d, t in zip(here, direction, command.target)):
                    return NORTH + i
        elif command.ability == HEAL and heals and 0 <= target < self.n_agents:
            return FIRST_TARGET + target
        elif command.ability == ATTACK and not heals and self.n_agents <= target < self.n_units:
            return FIRST_TARGET + target - self.n_agents
        return -1

    def _spawn(self, is_fresh: bool) -> None:
        params = self.params
        begin_battle(self._battle, params.initial, params.tables, params.calibration, is_fresh)
        self.loops_since_spawn = 0
