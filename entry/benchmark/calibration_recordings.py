"""
Recordings of the real game that the simulator is compared with. A folder may hold any number of files of two formats.

**States**, ``<map>_<anything>.npz``: numpy arrays [episode, step, unit], row t is what was seen before action t.
    ally_x, ally_y, enemy_x, enemy_y    [map units]; anything for the dead
    ally_hp, enemy_hp                   hit points; or fractions, if none is greater than 1
    ally_sh, enemy_sh                   likewise, optional
    ally_cd                             [game loops] until the weapon is ready; or fractions of SMAC's scale
                                        (``unit_max_cooldown``), if ally_hp are fractions; optional
    actions, reward                     as played in SMAC; reward [episode, step]
    T                                   [episode] actions played; rows after it are padding
    or filled                           [episode, step] 1 for every row, the one after the last action included
    avail                               action masks [episode, step, ally, action], optional
    All of SMAC's state is in it: ``StarCraft2Env.agents`` and ``.enemies`` (pos, health, shield, weapon_cooldown).

**Orders**, ``<map>_<anything>.json.gz`` (or ``.json``): what replays hold (game and tracker events), by episode:
    {"episodes": [{"units": [[type, owner, x, y], ...],            owner 1 ally, 2 enemy; in order of birth
                   "steps": [{"loop": 8, "act": {"0": {"kind": "move", "dir": "E", "pos": [x, y]},
                                                 "1": {"kind": "attack", "target": 5}, "2": {"kind": "stop"}}}, ...],
                   "deaths": [{"unit": 3, "loop": 63, "killer": 2}, ...]}, ...]}
    Loops count from the episode's first; units are numbers of birth; kind is move, attack, heal or stop; killer is null
    for a unit that was removed when the episode was over.
"""
import gzip
import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from calibration_traces import Trace, map_units

from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS

_DECIDED_REWARD = 5.  # a step whose reward is greater than this holds the 200 points of a victory


class OrderBook(NamedTuple):
    """The orders of recorded battles of one map."""
    map_name: str
    episodes: list[dict[str, Any]]  # as in the file


def find_recordings(folder: str) -> Iterator[tuple[str, str]]:
    """
    Overview:
        Yield (map name, path) of each recording in a folder, by name; files of no SMAC map are passed over.
    Raises:
        - FileNotFoundError: there is no such folder
    """
    for name in sorted(os.listdir(folder)):
        if not name.endswith(('.npz', '.json.gz', '.json')):
            continue
        stem = name.split('.')[0]
        maps = [m for m in SCENARIOS if stem == m or stem.startswith(f'{m}_')]
        if maps:
            yield max(maps, key=len), os.path.join(folder, name)


def read_states(path: str, map_name: str) -> Trace:
    """
    Overview:
        Read a file of states.
    Raises:
        - ValueError: an array is missing, or is not of the map's number of units
    """
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    missing = {'ally_x', 'ally_y', 'enemy_x', 'enemy_y', 'ally_hp', 'enemy_hp', 'actions', 'reward'} - data.keys()
    if missing or not {'T', 'filled'} & data.keys():
        raise ValueError(f'{path}: no array {", ".join(sorted(missing)) or "T or filled"}')
    names, n_agents = map_units(map_name), data['ally_x'].shape[2]
    if n_agents != SCENARIOS[map_name].n_agents or n_agents + data['enemy_x'].shape[2] != len(names):
        shapes = f'{data["ally_x"].shape[2]} allies and {data["enemy_x"].shape[2]} enemies'
        raise ValueError(
            f'{path}: {shapes}, the map {map_name} has {SCENARIOS[map_name].n_agents} of {len(names)} units'
        )
    n_rows, n_steps = _lengths(data)
    filled = np.arange(data['ally_x'].shape[1])[None] < n_rows[:, None]  # [E, T]
    health, shield = _points(data, names, filled)
    x, y = (np.concatenate([data[f'ally_{k}'], data[f'enemy_{k}']], 2).astype(np.float64) for k in 'xy')
    dead = ~(health > 0.)
    reward = np.where(filled, np.nan_to_num(data['reward']), 0.).astype(np.float64)
    return Trace(
        map_name=map_name,
        unit_type=names,
        n_agents=n_agents,
        x=np.where(dead, np.nan, x),
        y=np.where(dead, np.nan, y),
        health=health,
        shield=shield,
        cooldown=_cooldown(data, names, filled),
        action=np.where(filled[..., None], data['actions'], -1).astype(np.int64),
        n_rows=n_rows,
        n_steps=n_steps,
        won=reward[np.arange(len(n_steps)), n_steps - 1] > _DECIDED_REWARD,
        reward=reward,
        legal=data['avail'] > 0 if 'avail' in data else None
    )


def read_orders(path: str, map_name: str) -> OrderBook:
    """
    Overview:
        Read a file of orders.
    Raises:
        - ValueError: it has no episodes
    """
    opener = gzip.open if path.endswith('.gz') else open
    with opener(path, 'rt', encoding='utf-8') as file:
        data = json.load(file)
    if not isinstance(data, dict) or not data.get('episodes'):
        raise ValueError(f'{path}: no "episodes"; see the formats in {os.path.basename(__file__)}')
    return OrderBook(map_name, data['episodes'])


def recorded_winner(episode: dict[str, Any]) -> str:
    """Return 'allies' or 'enemies', whoever was not killed to the last unit; 'nobody' if both lived."""
    owners = [unit[1] for unit in episode['units']]
    killed = [owners[death['unit']] for death in episode['deaths'] if death['killer'] is not None]
    for side, winner in ((2, 'allies'), (1, 'enemies')):
        if killed.count(side) == owners.count(side):
            return winner
    return 'nobody'


def _lengths(data: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many rows and how many actions each episode has."""
    if 'T' in data:
        n_steps = data['T'].astype(np.int64)
        return np.minimum(n_steps, data['ally_x'].shape[1]), n_steps
    n_rows = data['filled'].astype(np.int64).reshape(len(data['filled']), -1).sum(1)
    return n_rows, n_rows - 1


def _points(data: dict[str, np.ndarray], names: tuple[str, ...], filled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return health and shield of all units in points, 0 after the end."""
    tables: list[np.ndarray] = []
    for key, field in (('hp', 'health'), ('sh', 'shield')):
        if f'ally_{key}' not in data and f'enemy_{key}' not in data:
            tables.append(np.zeros_like(tables[0]))
            continue
        sides = [data.get(f'{side}_{key}', np.zeros(data[f'{side}_x'].shape)) for side in ('ally', 'enemy')]
        table = np.nan_to_num(np.concatenate(sides, 2).astype(np.float64))
        if _fractions(data):
            table *= [getattr(UNIT_STATS[UNIT_NAMES.index(name)], field) for name in names]
        tables.append(np.where(filled[..., None], table, 0.))
    tables[1][tables[0] <= 0.] = 0.
    return tables[0], tables[1]


def _cooldown(data: dict[str, np.ndarray], names: tuple[str, ...], filled: np.ndarray) -> np.ndarray:
    """Return the allies' cooldowns in game loops, NaN if they were not recorded."""
    if 'ally_cd' not in data:
        return np.full(data['ally_x'].shape, np.nan)
    cooldown = np.nan_to_num(data['ally_cd'].astype(np.float64))
    if _fractions(data):
        n_agents = cooldown.shape[2]
        cooldown = cooldown * [UNIT_STATS[UNIT_NAMES.index(name)].cooldown_scale for name in names[:n_agents]]
    return np.where(filled[..., None], cooldown, 0.)


def _fractions(data: dict[str, np.ndarray]) -> bool:
    """Return whether health is given as a fraction of the unit type's."""
    return bool(np.nanmax(data['ally_hp']) <= 1.)
