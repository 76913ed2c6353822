"""
SMAC's rules once more, in plain Python over plain unit records: legal actions, observation, state, reward, end.

Written from the rules of oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33 and, for style 'ding', of DI-engine
dizoo/smac/envs/smac_env.py. Shares nothing with ding_qmix.smac but the map's pathing grid.
"""
import math
from collections.abc import Sequence
from typing import NamedTuple, Optional

HEALTH_MAX = dict(
    marine=45,
    marauder=125,
    medivac=150,
    stalker=80,
    zealot=100,
    colossus=200,
    zergling=35,
    baneling=30,
    hydralisk=80,
    spine_crawler=300
)
SHIELD_MAX = dict(stalker=80, zealot=50, colossus=150)
COOLDOWN_MAX = dict(
    marine=15,
    marauder=25,
    medivac=200,
    stalker=35,
    zealot=22,
    colossus=24,
    hydralisk=10,
    zergling=11,
    baneling=1,
    spine_crawler=15
)
# (one-hot of allies, one-hot of enemies) by map type; the sides of maps of stalkers and zealots differ.
ONE_HOTS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    'stalkers_and_zealots': (dict(stalker=0, zealot=1), dict(zealot=0, stalker=1)),
    'colossi_stalkers_zealots': (dict(colossus=0, stalker=1, zealot=2), dict(colossus=0, stalker=1, zealot=2)),
    'MMM': (dict(marauder=0, marine=1, medivac=2), dict(marauder=0, marine=1, medivac=2)),
    'bane': (dict(baneling=0, zergling=1), dict(baneling=0, zergling=1)),
}
DEFAULT_OPTIONS = dict(
    obs_all_health=True,
    obs_own_health=True,
    obs_last_action=False,
    obs_pathing_grid=False,
    obs_timestep_number=False,
    obs_instead_of_state=False,
    state_last_action=True,
    state_timestep_number=False
)


class Unit(NamedTuple):
    """One unit as StarCraft II's API would report it."""
    name: str
    x: float
    y: float
    health: float
    shield: float
    energy: float
    cooldown: float


class ReferenceRules:
    """The rules of one map."""

    def __init__(
            self,
            map_type: str,
            ally_race: str,
            enemy_race: str,
            n_agents: int,
            n_enemies: int,
            pathable: Sequence[Sequence[bool]],
            limit: int = 1,
            move_amount: float = 2.,
            **options: bool
    ) -> None:
        self.limit, self.move_amount, self.options = limit, move_amount, dict(DEFAULT_OPTIONS, **options)
        self.ally_race, self.enemy_race, self.is_mmm = ally_race, enemy_race, map_type == 'MMM'
        self.n_agents, self.n_enemies, self.n_actions = n_agents, n_enemies, 6 + n_enemies
        self.pathable = pathable
        self.ally_bits, self.enemy_bits = ONE_HOTS.get(map_type, ({}, {}))

    def action_mask(self, units: list[Unit], agent: int) -> list[bool]:
        me = units[agent]
        if me.health == 0:
            return [True] + [False] * (self.n_actions - 1)
        mask = [False] * self.n_actions
        mask[1] = True
        for action, (dx, dy) in {2: (0, 1), 3: (0, -1), 4: (1, 0), 5: (-1, 0)}.items():
            ahead = self.move_amount / 2
            mask[action] = self._can_stand(me.x + ahead * dx, me.y + ahead * dy)
        targets = units[:self.n_agents] if me.name == 'medivac' else units[self.n_agents:]
        for number, target in enumerate(targets):
            heals_healer = me.name == 'medivac' and target.name == 'medivac'
            if target.health > 0 and not heals_healer and self._distance(me, target) <= 6:
                mask[6 + number] = True
        return mask

    def obs(self,
            units: list[Unit],
            agent: int,
            last_actions: Sequence[Optional[int]],
            style: str,
            n_steps: int = 0) -> list[float]:
        me, mask, options = units[agent], self.action_mask(units, agent), self.options
        row = [float(mask[a]) for a in (2, 3, 4, 5)]
        if options['obs_pathing_grid']:
            row += self._pathing_around(me)
        for number, enemy in enumerate(units[self.n_agents:]):
            own = self._vitals(enemy, self.enemy_race) if options['obs_all_health'] else []
            row += self._shown(me, enemy, float(mask[6 + number]), own + self._one_hot(enemy, self.enemy_bits))
        for i, ally in enumerate(units[:self.n_agents]):
            if i == agent:
                continue
            own = self._vitals(ally, self.ally_race) if options['obs_all_health'] else []
            own += self._one_hot(ally, self.ally_bits)
            if options['obs_last_action']:
                own += self._action_bits(last_actions[i])
            row += self._shown(me, ally, 1., own)
        if options['obs_own_health'] or options['obs_all_health']:
            row += self._vitals(me, self.ally_race)
        row += self._one_hot(me, self.ally_bits)
        if me.health == 0:
            row = [0.] * len(row)
        if options['obs_timestep_number']:
            row.append(n_steps / self.limit)
        if style == 'ding':
            row += [0.] * self.n_actions if me.health == 0 else self._action_bits(last_actions[agent])
            row += [float(i == agent) for i in range(self.n_agents)]
        return row

    def state(self,
              units: list[Unit],
              last_actions: Sequence[Optional[int]],
              style: str = 'smac',
              n_steps: int = 0) -> list[float]:
        row: list[float] = []
        if self.options['obs_instead_of_state']:
            agents = range(self.n_agents)
            return sum((self.obs(units, agent, last_actions, style, n_steps) for agent in agents), row)
        for u in units[:self.n_agents]:
            ready = (u.energy if u.name == 'medivac' else u.cooldown) / COOLDOWN_MAX[u.name]
            shield = self._vitals(u, self.ally_race)[1:]
            block = [
                u.health / HEALTH_MAX[u.name], ready, *self._centred(u), *shield, *self._one_hot(u, self.ally_bits)
            ]
            row += block if u.health > 0 else [0.] * len(block)
        for u in units[self.n_agents:]:
            shield = self._vitals(u, self.enemy_race)[1:]
            block = [u.health / HEALTH_MAX[u.name], *self._centred(u), *shield, *self._one_hot(u, self.enemy_bits)]
            row += block if u.health > 0 else [0.] * len(block)
        if self.options['state_last_action']:
            for last_action in last_actions:
                row += self._action_bits(last_action)
        return row + [n_steps / self.limit] * self.options['state_timestep_number']

    def visibility(self, units: list[Unit]) -> list[list[bool]]:
        agents = range(self.n_agents)
        return [
            [
                i != j and units[i].health > 0 and other.health > 0 and self._distance(units[i], other) < 9
                for j, other in enumerate(units)
            ] for i in agents
        ]

    def reward(self, before: list[Unit], after: list[Unit], only_positive: bool = True) -> float:
        """Return the scaled reward of one step, its end included."""
        enemy_loss = ally_loss = deaths = 0.
        for i, (old, new) in enumerate(zip(before, after)):
            if old.health == 0:
                continue
            loss = old.health + old.shield - new.health - new.shield
            if i >= self.n_agents:
                enemy_loss += loss
                deaths += 10 if new.health == 0 else 0
            else:
                ally_loss += .5 * loss
                if new.health == 0 and not only_positive:
                    deaths -= 5
        total = abs(enemy_loss + deaths) if only_positive else enemy_loss + deaths - ally_loss
        if self.result(after) == 'won':
            total += 200
        return total / (self.max_reward(after) / 20)

    def max_reward(self, units: list[Unit]) -> float:
        enemies = units[self.n_agents:]
        return 10 * len(enemies) + 200 + sum(HEALTH_MAX[u.name] + SHIELD_MAX.get(u.name, 0) for u in enemies)

    def result(self, units: list[Unit]) -> str:
        allies = [u.name for u in units[:self.n_agents] if u.health > 0]
        enemies = [u.name for u in units[self.n_agents:] if u.health > 0]
        if (not allies and enemies) or (self.is_mmm and all(name == 'medivac' for name in allies)):
            return 'lost'
        if (allies and not enemies) or (self.is_mmm and enemies == ['medivac']):
            return 'won'
        return 'drawn' if not allies and not enemies else 'ongoing'

    def _can_stand(self, x: float, y: float) -> bool:
        i, j = int(x), int(y)
        return 0 <= i < 32 and 0 <= j < 32 and bool(self.pathable[i][j])

    def _pathing_around(self, me: Unit) -> list[float]:
        """Straight ahead two move orders, diagonally one; in order N, S, E, W, NE, SW, SE, NW."""
        order = int(self.move_amount)
        steps = ((0, 2), (0, -2), (2, 0), (-2, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
        cells = [(int(me.x) + order * dx, int(me.y) + order * dy) for dx, dy in steps]
        return [float(not (0 <= i < 32 and 0 <= j < 32) or self.pathable[i][j]) for i, j in cells]

    def _shown(self, me: Unit, other: Unit, first: float, own: list[float]) -> list[float]:
        """Return four relative features of a unit and its own, zeros if it is not seen."""
        distance = self._distance(me, other)
        if other.health == 0 or distance >= 9:
            return [0.] * (4 + len(own))
        return [first, distance / 9, (other.x - me.x) / 9, (other.y - me.y) / 9, *own]

    def _action_bits(self, action: Optional[int]) -> list[float]:
        return [float(a == action) for a in range(self.n_actions)]

    @staticmethod
    def _distance(a: Unit, b: Unit) -> float:
        return math.hypot(a.x - b.x, a.y - b.y)

    @staticmethod
    def _vitals(unit: Unit, race: str) -> list[float]:
        health = unit.health / HEALTH_MAX[unit.name]
        return [health, unit.shield / SHIELD_MAX.get(unit.name, 1)] if race == 'P' else [health]

    @staticmethod
    def _one_hot(unit: Unit, bits: dict[str, int]) -> list[float]:
        return [float(bits[unit.name] == k) for k in range(len(bits))]

    @staticmethod
    def _centred(unit: Unit) -> list[float]:
        return [(unit.x - 16) / 28, (unit.y - 16) / 28]
