"""
One view of the battle per agent once more, in plain Python over plain unit records.

Written from the rules of DI-engine dizoo/smac/envs/smac_env.py @ 0.5.3. Shares nothing with ding_qmix.smac.
"""
import math
from collections.abc import Sequence
from typing import Optional

from reference.smac import COOLDOWN_MAX, HEALTH_MAX, ONE_HOTS, SHIELD_MAX, Unit

SIGHT = 9.


class ReferenceViews:
    """The views of one map; a side's units show their shields if it is protoss."""

    def __init__(self, map_type: str, ally_race: str, enemy_race: str, death_mask: bool) -> None:
        self.ally_shield, self.enemy_shield = ally_race == 'P', enemy_race == 'P'
        self.ally_types, self.enemy_types = ONE_HOTS.get(map_type, ({}, {}))
        self.death_mask = death_mask

    def views(self, allies: list[Unit], enemies: list[Unit], actions: Sequence[Optional[int]],
              masks: list[list[bool]]) -> list[list[float]]:
        """Return each agent's view; actions [N] are the last ones, masks [N][A] the legal ones."""
        rows = [self._ally(unit, action, len(masks[0])) for unit, action in zip(allies, actions)]
        views = []
        for i, agent in enumerate(allies):
            view: list[float] = []
            for other in [k for k in range(len(allies)) if k != i]:
                view += self._other(agent, allies[other], rows[other])
            for j, enemy in enumerate(enemies):
                view += self._enemy(agent, enemy, masks[i][6 + j])
            view += [1., 0., 0., 0., *rows[i]]
            if self.death_mask and agent.health <= 0:
                view = [0.] * len(view)
            views.append(view + [float(k == i) for k in range(len(allies))])
        return views

    def _other(self, agent: Unit, other: Unit, row: list[float]) -> list[float]:
        if other.health <= 0:
            return [0.] * (5 + len(row))
        ready = other.energy if other.name == 'medivac' else other.cooldown
        return [*_direction(agent, other), ready / COOLDOWN_MAX[other.name], *row]

    def _enemy(self, agent: Unit, enemy: Unit, attackable: bool) -> list[float]:
        shown = [*_vitals(enemy, self.enemy_shield), *_one_hot(enemy, self.enemy_types), *_place(enemy)]
        if enemy.health <= 0:
            return [0.] * (5 + len(shown))
        seen, *direction = _direction(agent, enemy)
        return [float(attackable and agent.health > 0), *direction, seen, *shown]

    def _ally(self, unit: Unit, action: Optional[int], n_actions: int) -> list[float]:
        last = [float(action == a) for a in range(n_actions)]
        return [*_vitals(unit, self.ally_shield), *_place(unit), *_one_hot(unit, self.ally_types), *last]


def _vitals(unit: Unit, show_shield: bool) -> list[float]:
    shield_max = SHIELD_MAX.get(unit.name)
    shield = [unit.shield / shield_max if shield_max else 0.] if show_shield else []
    return [unit.health / HEALTH_MAX[unit.name], *shield]


def _one_hot(unit: Unit, types: dict[str, int]) -> list[float]:
    return [float(types[unit.name] == k) for k in range(len(types))]


def _direction(agent: Unit, other: Unit) -> list[float]:
    if agent.health <= 0:
        return [0.] * 4
    dx, dy = other.x - agent.x, other.y - agent.y
    distance = math.hypot(dx, dy)
    return [float(distance < SIGHT), distance / SIGHT, dx / SIGHT, dy / SIGHT]


def _place(unit: Unit) -> list[float]:
    return [(unit.x - 16.) / 28., (unit.y - 16.) / 28.]
