"""A battle as one HTML file that plays in any browser, without a network or a server."""
import html
import json
import os
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple, Optional

import numpy as np

from ding_qmix.render import style
from ding_qmix.render.extent import map_extent
from ding_qmix.render.frame import BattleFrame
from ding_qmix.sim.unit_types import AIR, UNIT_TYPES
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.terrain import cliff_grid, pathing_grid
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS
from ding_qmix.spec import EnvSpec, UnitSnapshot

_ACTIONS = ('no-op', 'stop', 'move north', 'move south', 'move east', 'move west')  # before the targets
_SCRIPTS = ('battle.js', 'panels.js', 'player.js')
_GAME_LOOPS = 22.4  # per game second, at the speed that weapon periods are in


class Curve(NamedTuple):
    """How a run's test win rate went, shown beside a battle."""
    points: Sequence[tuple[int, float]]  # (env steps, win rate)
    env_step: Optional[int] = None  # of the policy that plays


def write_web_replay(
        path: str, spec: EnvSpec, frames: Sequence[BattleFrame], label: str = '', curve: Optional[Curve] = None
) -> int:
    """
    Overview:
        Write an episode to an HTML file that holds everything it needs. Folders are made.
    Arguments:
        - frames: of the episode, as ``BattleRecorder`` keeps them; ``q_values`` and ``q_tot`` are shown where they are
        - label: who plays
        - curve: of the run that the policy is from
    Returns:
        - n_frames: how many were written
    Raises:
        - ValueError: there is no frame
    """
    if len(frames) == 0:
        raise ValueError(f'write_web_replay: no frame to write to {path!r}')
    page = {name: files('ding_qmix.render').joinpath('web').joinpath(name).read_text('utf-8') for name in _names()}
    data = json.dumps(_battle(spec, frames, label, curve), separators=(',', ':'))
    parts = {
        '__TITLE__': html.escape(f'{spec.map_name} {frames[-1].result}'.strip()),
        '__STYLE__': page['player.css'],
        '__SCRIPT__': '\n'.join(page[name] for name in _SCRIPTS),
        '__DATA__': data.replace('</', '<\\/'),  # so that no text in it ends the script element
    }
    text = page['player.html']
    for name, part in parts.items():
        text = text.replace(name, part, 1)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return len(frames)


def _names() -> tuple[str, ...]:
    return ('player.html', 'player.css', *_SCRIPTS)


def _battle(spec: EnvSpec, frames: Sequence[BattleFrame], label: str, curve: Optional[Curve]) -> dict[str, Any]:
    """Return what the scripts know of an episode; the columns of a unit's row stand in battle.js."""
    terrain = get_scenario(spec.map_name).terrain
    grid, cliffs = pathing_grid(terrain), cliff_grid(terrain)
    left, right, bottom, top = map_extent(grid)
    rows = np.where(grid, '.', np.where(cliffs, '^', '#'))[left:right, bottom:top]
    first = frames[0].units
    used = sorted(set(first.unit_type[0].tolist()))
    return {
        'map_name': spec.map_name,
        'label': label,
        'result': frames[-1].result,
        'n_agents': spec.n_agents,
        'extent': [left, right, bottom, top],
        'terrain': [''.join(column) for column in rows],
        'types': [_type(UNIT_NAMES[i]) for i in used],
        'unit_type': [used.index(i) for i in first.unit_type[0]],
        'actions': _ACTIONS,
        'has_q': any(frame.q_values is not None for frame in frames),
        'has_q_tot': any(frame.q_tot is not None for frame in frames),
        'frames': [_frame(frame) for frame in frames],
        'win_rate': None if curve is None or not curve.points else [list(point) for point in curve.points],
        'env_step': None if curve is None else curve.env_step,
    }


def _type(name: str) -> dict[str, Any]:
    """Return what is drawn and written of a unit type."""
    kind, stats, icon = UNIT_TYPES[name], UNIT_STATS[UNIT_NAMES.index(name)], style.ICONS[name]
    weapon = kind.weapon
    return {
        'name': name.replace('_', ' '),
        'radius': kind.radius,
        'range': 0. if weapon is None else weapon.range,
        'period': 1. if weapon is None else weapon.period * _GAME_LOOPS,  # [game loops]
        'heals': kind.heals,
        'air': int(kind.layer == AIR),
        'health': stats.health,
        'shield': stats.shield,
        'energy': stats.energy_max,
        'icon': {
            'letter': icon.letter,
            'sides': icon.n_sides,
            'turn': icon.turn
        },
    }


def _frame(frame: BattleFrame) -> dict[str, Any]:
    shown: dict[str, Any] = {
        'step': frame.step,
        'reward': round(frame.reward, 3),
        'episode_return': round(frame.episode_return, 3),
        'units': _rows(frame.units),
    }
    if frame.actions is not None:
        shown['action'] = frame.actions.tolist()
    if frame.action_mask is not None:
        shown['legal'] = [''.join('1' if legal else '0' for legal in row) for row in frame.action_mask]
    if frame.q_values is not None:
        shown['q'] = [[round(float(q), 3) for q in row] for row in frame.q_values]
    if frame.q_tot is not None:
        shown['q_tot'] = round(frame.q_tot, 3)
    return shown


def _rows(units: UnitSnapshot) -> list[list[float]]:
    """One row per unit, in three digits, which is a thousandth of a map unit."""
    fields = (units.x, units.y, units.health, units.shield, units.energy, units.cooldown, units.alive, units.target)
    table = np.stack([field[0].astype(float) for field in fields], axis=1).round(3)  # [U, 8]
    return [[int(value) if value == int(value) else value for value in row] for row in table.tolist()]
