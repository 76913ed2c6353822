"""Small recordings of the real game, made up, in the formats of the calibration benchmark."""
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np


def make_states(n_episodes: int = 4, n_rows: int = 6) -> dict[str, np.ndarray]:
    """Return arrays of 2m_vs_1z: the marines of each episode stand, the zealot walks down between them."""
    shape = (n_episodes, n_rows, 2)
    row = np.arange(n_rows, dtype=np.float32)[None, :, None]
    return {
        'ally_x': np.broadcast_to(np.array([13., 19.], np.float32), shape),
        'ally_y': np.full(shape, 12., np.float32),
        'ally_hp': np.ones(shape, np.float32),
        'ally_cd': np.zeros(shape, np.float32),
        'enemy_x': np.full((n_episodes, n_rows, 1), 16., np.float32),
        'enemy_y': np.broadcast_to(np.float32(19.) - np.float32(1.125) * row, (n_episodes, n_rows, 1)),
        'enemy_hp': np.ones((n_episodes, n_rows, 1), np.float32),
        'enemy_sh': np.ones((n_episodes, n_rows, 1), np.float32),
        'actions': np.ones(shape, np.int8),
        'reward': np.zeros((n_episodes, n_rows), np.float32),
        'T': np.full(n_episodes, n_rows),
    }


def make_orders() -> dict[str, Any]:
    """Return one battle on 3m that the allies won, as replays hold it."""
    units = [
        ['Marine_RL', 1, 9, 16], ['Marine_RL', 1, 9, 15], ['Marine_RL', 1, 9, 16], ['Marine', 2, 23, 16],
        ['Marine', 2, 23, 15], ['Marine', 2, 23, 16]
    ]
    east = {'kind': 'move', 'dir': 'E', 'pos': [9., 16.]}
    steps = [{'loop': 0, 'act': {'0': east, '1': {'kind': 'stop'}, '2': {'kind': 'attack', 'target': 4}}}] * 3
    deaths = [{'unit': unit, 'loop': 9 + unit, 'killer': 0} for unit in (3, 4, 5)]
    return {
        'episodes': [{
            'units': units,
            'steps': steps,
            'deaths': [*deaths, {
                'unit': 0,
                'loop': 30,
                'killer': None
            }]
        }]
    }


def write_recordings(folder: Path) -> None:
    """Write one file of each format."""
    np.savez(folder / '2m_vs_1z_some.npz', **make_states())
    (folder / '3m_some.json.gz').write_bytes(gzip.compress(json.dumps(make_orders()).encode()))
    (folder / 'notes.json').write_text('{}')
