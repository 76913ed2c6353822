"""What the battles of a map look like in detail: the same measures of recorded and of simulated traces."""
from functools import partial
from typing import Any, Callable, NamedTuple, Optional

import calibration_damage as damage
import calibration_motion as motion
import calibration_shots as shots
import numpy as np
from calibration_figures import Estimate, Figure, estimate, real_estimate
from calibration_traces import STAND_STILL, MakeEnv, Trace, record_trace

from ding_qmix.smac.rules import MAP_EXTENT

_ROWS = 130  # [env steps] of a battle that are looked at


class Measure(NamedTuple):
    """One number that is read off a trace."""
    map_name: str
    policy: str  # who plays the simulated battles
    name: str  # with its unit in brackets
    samples: Callable[[Trace], np.ndarray]
    statistic: str = 'mean'
    any_play: bool = True  # False: depends on who plays, so recordings of trained play say nothing of it


def measures() -> list[Measure]:
    """Return all measures."""
    return [*_weapon_measures(), *_walk_measures(), *_target_measures(), *_start_measures(), *_damage_measures()]


def measure_trace(trace: Trace, policy: Optional[str] = None) -> dict[str, Optional[Estimate]]:
    """
    Overview:
        Return the measures of a map, by name: those that need a policy, or for None those that any play shows.
    """
    chosen = [
        m for m in measures()
        if m.map_name == trace.map_name and (m.any_play if policy is None else m.policy == policy)
    ]
    return {m.name: estimate(m.samples(trace), m.statistic) for m in chosen}


def distribution_figures(
        make_env: MakeEnv,
        n_envs: int,
        seed: int,
        targets: dict[str, Any],
        recorded: dict[str, Trace],
        maps: Optional[list[str]] = None
) -> list[Figure]:
    """
    Overview:
        Return all measures, and the layouts at the start, real beside simulated.
    Arguments:
        - targets: figures of the real game by map and name, each ``{"value": , "error": , "n": }``; and sources
        - recorded: recorded traces by map; a map's own recordings stand in for the figures of ``targets``
        - maps: only these
    """
    figures = [
        Figure(
            'distributions', 'all', 'positions in the state are divided by [map units]',
            real_estimate(targets['extent']), Estimate(MAP_EXTENT, 0., 1), targets['source']
        )
    ]
    real = {name: measure_trace(trace) for name, trace in recorded.items()}
    for map_name, policy in dict.fromkeys((m.map_name, m.policy) for m in measures()):
        if maps is not None and map_name not in maps:
            continue
        trace = record_trace(make_env(map_name, n_envs, seed), policy, _ROWS, seed)
        for name, sim in measure_trace(trace, policy).items():
            given = real_estimate(targets['figures'].get(map_name, {}).get(name))
            own = name in real.get(map_name, {})
            figures.append(
                Figure(
                    'distributions', map_name, name, real[map_name][name] if own else given, sim,
                    'recordings given' if own else targets['source']
                )
            )
    return figures + _layout_figures(make_env, n_envs, seed, targets)


def _layout_figures(make_env: MakeEnv, n_envs: int, seed: int, targets: dict[str, Any]) -> list[Figure]:
    """Compare where units stand at first with the commonest layouts of the game."""
    figures = []
    for map_name, sides in targets['layouts'].items():
        trace = record_trace(make_env(map_name, n_envs, seed), STAND_STILL, 1, seed)
        for side, entry in sides.items():
            error = motion.layout_error(trace, side, np.array(entry['points']))
            figures.append(
                Figure(
                    'distributions', map_name, f"{side}' farthest from the commonest layout [map units]",
                    Estimate(0., 0., entry['n']), estimate(error, 'q50'), targets['source']
                )
            )
            if 'share' not in entry:
                continue
            common, n = motion.commonest_layout(trace, side), entry['n']
            deviation = float(np.sqrt(entry['share'] * (1. - entry['share'])))
            figures.append(
                Figure(
                    'distributions', map_name, f"{side}' commonest layout, share of episodes",
                    Estimate(entry['share'], deviation / n ** .5, n, deviation), estimate(common), targets['source']
                )
            )
    return figures


def _weapon_measures() -> list[Measure]:
    """Return what concerns the time and range of shots."""
    found = []
    for map_name, policy, unit_type, reach in (('3m', 'closest', 'marine', 5.4), ('2m_vs_1z', 'kite', 'marine', 5.4),
                                               ('2s_vs_1sc', 'closest', 'stalker', 6.), ('3s_vs_4z', 'kite', 'stalker',
                                                                                         6.)):
        intervals = partial(shots.shot_intervals, unit_type=unit_type)
        found += [
            Measure(map_name, policy, f'{unit_type}: between shots, {percent} % [loops]', intervals, f'q{percent}')
            for percent in (1, 25, 50, 75, 99)
        ]
        found += [
            Measure(
                map_name, policy, f'{unit_type}: first shot after a walk {walk} [loops]',
                partial(shots.first_shot_loops, unit_type=unit_type, walk=walk, reach=reach)
            ) for walk in shots.WALKS
        ]
    found += [
        Measure(
            '3m', 'closest', 'marine: farthest shot between centres [map units]',
            partial(shots.firing_distance, unit_type='marine'), 'max'
        ),
        Measure(
            '2s_vs_1sc', 'closest', 'spine crawler: between hits [env steps]', partial(shots.damage_gaps, longest=5)
        ),
    ]
    return found


def _walk_measures() -> list[Measure]:
    """Return what concerns walking."""
    found = []
    for map_name, policy, unit_type in (('3m', 'random', 'marine'), ('2m_vs_1z', 'kite', 'marine'),
                                        ('2s_vs_1sc', 'random', 'stalker'), ('3s_vs_4z', 'kite', 'stalker')):
        found += [
            Measure(
                map_name, policy, f'{unit_type}: way per step [map units]',
                partial(motion.ally_walks, unit_type=unit_type), 'q50'
            ),
            Measure(
                map_name, policy, f'{unit_type}: way in the step after an attack [map units]',
                partial(motion.ally_walks, unit_type=unit_type, after_attack=True), 'q50'
            ),
        ]
    found.append(
        Measure(
            'MMM', 'random', 'medivac: way in the first step [map units]',
            partial(motion.first_walks, unit_type='medivac'), 'q50'
        )
    )
    for map_name, unit_type in (('MMM', 'marauder'), ('2s3z', 'zealot'), ('2c_vs_64zg', 'colossus')):
        found.append(
            Measure(
                map_name, 'random', f'{unit_type}: way per step [map units]',
                partial(motion.ally_walks, unit_type=unit_type), 'q50'
            )
        )
    for map_name in ('3m', '3s_vs_4z'):
        found += [
            Measure(map_name, STAND_STILL, 'enemies: way per step of the march [map units]', motion.march_walks),
            Measure(map_name, STAND_STILL, 'enemies: heading of the march [degrees]', motion.march_heading),
            Measure(map_name, STAND_STILL, 'enemies: headings differ by [degrees]', motion.march_fan),
        ]
    return found


def _target_measures() -> list[Measure]:
    """Return what concerns whom the enemies choose."""
    found = [
        Measure(
            '3m', 'closest', f'enemies: nearest ally when they halt, {percent} % [map units]', motion.halt_distance,
            f'q{percent}'
        ) for percent in (5, 50, 95)
    ]
    for map_name in ('2m_vs_1z', '3s_vs_4z'):
        found += [
            Measure(
                map_name, 'kite', 'enemies: walk towards the nearest if it attacks them, or nobody does, share',
                motion.heads_for_nearest
            ),
            Measure(
                map_name, 'kite', 'enemies: walk towards who attacks them, not the nearest, share',
                motion.heads_for_attacker
            ),
        ]
    return found


def _start_measures() -> list[Measure]:
    """Return what concerns the first observation."""
    found = []
    for map_name in ('3m', '2m_vs_1z', '2s_vs_1sc', '3s_vs_4z'):
        found += [
            Measure(
                map_name, STAND_STILL, f'{side}: mean {axis} at first [map units]',
                partial(motion.first_positions, axis=axis, side=side)
            ) for side in ('allies', 'enemies') for axis in ('x', 'y')
        ]
    found += [
        Measure(
            '3m',
            STAND_STILL,
            f'{name} ally of passive ones dies in [env step]',
            partial(damage.nth_ally_death, position=i),
            any_play=False
        ) for i, name in enumerate(('first', 'second'))
    ]
    for map_name in ('3m', '3s_vs_4z'):
        found += [
            Measure(map_name, STAND_STILL, 'enemies: orders in which they are numbered', motion.n_enemy_orders),
            Measure(map_name, STAND_STILL, 'enemies: commonest of these orders, share', motion.commonest_enemy_order),
        ]
    return found


def _damage_measures() -> list[Measure]:
    """Return what concerns hits and what grows back."""
    found = []
    for map_name, policy, side, layer, name in (
        ('3m', 'closest', 'enemies', 'health', 'marine hits marine'),
        ('2m_vs_1z', 'kite', 'enemies', 'shield', "marine hits zealot's shield"),
        ('2m_vs_1z', 'kite', 'enemies', 'health', 'marine hits zealot'),
        ('2m_vs_1z', 'kite', 'allies', 'health', 'zealot hits marine'),
        ('3s_vs_4z', 'kite', 'enemies', 'shield', "stalker hits zealot's shield"),
        ('3s_vs_4z', 'kite', 'enemies', 'health', 'stalker hits zealot'),
        ('3s_vs_4z', 'kite', 'allies', 'shield', "zealot hits stalker's shield"),
        ('3s_vs_4z', 'kite', 'allies', 'health', 'zealot hits stalker'),
        ('2s_vs_1sc', 'closest', 'enemies', 'health', 'stalker hits spine crawler, less regeneration'),
        ('2s_vs_1sc', 'closest', 'allies', 'shield', "spine crawler hits stalker's shield"),
        ('2s_vs_1sc', 'closest', 'allies', 'health', 'spine crawler hits stalker'),
    ):
        found.append(
            Measure(map_name, policy, f'{name} [points]', partial(damage.smallest_drop, side=side, layer=layer))
        )
    return [
        *found,
        Measure(
            '2m_vs_1z', 'kite', 'zealot: one of its two hits in a step, share', partial(damage.single_hits, hit=8.)
        ),
        Measure(
            '3s_vs_4z', 'kite', 'shields grow per step [points]',
            partial(damage.regrowth, side='allies', layer='shield'), 'q50'
        ),
        Measure(
            '2s_vs_1sc', 'closest', 'spine crawler grows per step [points]',
            partial(damage.regrowth, side='enemies', layer='health'), 'q50'
        ),
    ]
