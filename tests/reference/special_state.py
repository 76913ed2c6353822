"""One view of the battle per agent, as plain Python over names and dicts: the slow twin of smac/special_state.py."""
import math
from typing import Any, Dict, List, Sequence

# Health, shield and what the cooldown is divided by, of each unit type.
MAXIMA = {
    'marine': (45, 0, 15),
    'marauder': (125, 0, 25),
    'medivac': (150, 0, 200),
    'stalker': (80, 80, 35),
    'zealot': (100, 50, 22),
    'colossus': (200, 150, 24),
    'zergling': (35, 0, 11),
    'baneling': (30, 0, 1),
    'hydralisk': (80, 0, 10),
    'spine_crawler': (300, 0, 15),
}
SIGHT = 9.
Unit = Dict[str, Any]  # name, x, y, health, shield, energy, cooldown, and for allies action (None before the first)


class Side:
    """What is shown of a side's units."""

    def __init__(self, race: str, slots: Sequence[str]) -> None:
        self.shield, self.slots = race == 'P', slots

    def vitals(self, unit: Unit) -> List[float]:
        health, shield, _ = MAXIMA[unit['name']]
        return [unit['health'] / health] + ([unit['shield'] / shield if shield else 0.] if self.shield else [])

    def kind(self, unit: Unit) -> List[float]:
        return [float(slot == unit['name']) for slot in self.slots]


def agent_views(
        allies: List[Unit], enemies: List[Unit], masks: List[List[bool]], ours: Side, theirs: Side, death_mask: bool
) -> List[List[float]]:
    """Return each agent's view; masks [N][A] are the legal actions."""
    n_actions = len(masks[0])
    views = []
    for i, agent in enumerate(allies):
        view: List[float] = []
        for other in allies[:i] + allies[i + 1:]:
            view += _other(agent, other, ours, n_actions)
        for j, enemy in enumerate(enemies):
            view += _enemy(agent, enemy, masks[i][6 + j], theirs)
        view += [1., 0., 0., 0.] + _ally(agent, ours, n_actions)
        if death_mask and agent['health'] <= 0:
            view = [0.] * len(view)
        views.append(view + [float(k == i) for k in range(len(allies))])
    return views


def _other(agent: Unit, other: Unit, ours: Side, n_actions: int) -> List[float]:
    blank = [0.] * (5 + len(_ally(other, ours, n_actions)))
    if other['health'] <= 0:
        return blank
    ready = other['energy'] if other['name'] == 'medivac' else other['cooldown']
    seen, *direction = _direction(agent, other)
    return [seen, *direction, ready / MAXIMA[other['name']][2], *_ally(other, ours, n_actions)]


def _enemy(agent: Unit, enemy: Unit, attackable: bool, theirs: Side) -> List[float]:
    shown = theirs.vitals(enemy) + theirs.kind(enemy) + _place(enemy)
    if enemy['health'] <= 0:
        return [0.] * (5 + len(shown))
    seen, *direction = _direction(agent, enemy)
    return [float(attackable and agent['health'] > 0), *direction, seen, *shown]


def _ally(unit: Unit, ours: Side, n_actions: int) -> List[float]:
    return ours.vitals(unit) + _place(unit) + ours.kind(unit) + [float(unit['action'] == a) for a in range(n_actions)]


def _direction(agent: Unit, other: Unit) -> List[float]:
    if agent['health'] <= 0:
        return [0.] * 4
    dx, dy = other['x'] - agent['x'], other['y'] - agent['y']
    distance = math.hypot(dx, dy)
    return [float(distance < SIGHT), distance / SIGHT, dx / SIGHT, dy / SIGHT]


def _place(unit: Unit) -> List[float]:
    return [(unit['x'] - 16.) / 32., (unit['y'] - 16.) / 32.]
