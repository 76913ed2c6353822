"""A battle of any units on open terrain, loop by loop, for tests of the simulator's physics."""
from typing import Optional

import numpy as np

from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.loop import play_loop, play_step
from ding_qmix.sim.orders import give_order
from ding_qmix.sim.params import SimParams, make_sim_params
from ding_qmix.sim.rng import seed_state
from ding_qmix.sim.spawn import begin_battle
from ding_qmix.sim.state import N_DECISION, N_FLOATS, N_INTS, N_PHYSICAL, Battle
from ding_qmix.smac.reward import RewardOptions
from ding_qmix.smac.scenarios import EnemyOrder, Scenario, UnitGroup
from ding_qmix.smac.units import COOLDOWN, HEALTH, N_FIELDS, SHIELD, X, Y

Place = tuple[str, float, float]  # unit, [map units], [map units]


class Battlefield:
    """Units at given places; enemies stand guard unless a destination is given; no loop has been played."""

    def __init__(
            self,
            allies: list[Place],
            enemies: list[Place],
            goal: Optional[tuple[float, float]] = None,
            seed: int = 0,
            terrain: str = 'OPEN',
            map_type: str = 'none',
            race: str = 'P',
            **calibration: float
    ) -> None:
        order = EnemyOrder('point', (goal, )) if goal else EnemyOrder('none')
        groups = [tuple(UnitGroup(unit, 1, x, y) for unit, x, y in side) for side in (allies, enemies)]
        scenario = Scenario('test', terrain, 100, race, race, map_type, groups[0], groups[1], order)
        options = dict(
            reset_loops=0, late_resets=0., permute_enemies=False, jitter_low=0., jitter_high=0., look_period=1
        )
        options.update(calibration)
        self.params: SimParams = make_sim_params(scenario, 'smac', Calibration(**options), RewardOptions())
        n_units = scenario.n_agents + scenario.n_enemies
        self.n_agents = scenario.n_agents
        self.battle = Battle(
            unit=np.zeros((N_FIELDS, n_units)),
            unit_at=np.arange(n_units, dtype=np.int32),
            physical=np.zeros((N_PHYSICAL, n_units)),
            decision=np.zeros((N_DECISION, n_units), dtype=np.int32),
            rng=np.array([seed_state(seed)], dtype=np.uint64),
            footing=self.params.pathing.footing,
            route=self.params.pathing.route,
            floats=np.zeros((N_FLOATS, n_units + 4)),
            ints=np.zeros((N_INTS, n_units + 4), dtype=np.int32),
        )
        begin_battle(self.battle, self.params.initial, self.params.tables, self.params.calibration, False)

    def order(self, u: int, action: int) -> None:
        """Give one ally an action of SMAC."""
        give_order(self.battle, self.params.tables, u, action)

    def play(self, n_loops: int = 1) -> None:
        """Play game loops."""
        for _ in range(n_loops):
            play_loop(self.battle, self.params.tables, self.params.calibration)

    def step(self, actions: list[int]) -> None:
        """Play one env step."""
        play_step(self.battle, self.params.tables, self.params.calibration, np.array(actions, dtype=np.int64))

    def health(self, u: int) -> float:
        """Return a unit's health, [hit points]."""
        return float(self.battle.unit[HEALTH, u])

    def shield(self, u: int) -> float:
        """Return a unit's shield, [shield points]."""
        return float(self.battle.unit[SHIELD, u])

    def cooldown(self, u: int) -> float:
        """Return the game loops until a unit's weapon is ready."""
        return float(self.battle.unit[COOLDOWN, u])

    def place(self, u: int) -> tuple[float, float]:
        """Return where a unit is, [map units]."""
        return float(self.battle.unit[X, u]), float(self.battle.unit[Y, u])
