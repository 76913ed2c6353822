"""
One step ahead: recorded situations are put into the simulator, the recorded actions are played for one env step, and
what comes of it is compared with the recorded next row.

Left out are situations in which the episode ended, in the recording or in the simulator, and those whose recorded
actions are not legal in the simulator.
"""
from typing import Any

import calibration_motion as motion
import numpy as np
from calibration_figures import Estimate, Figure, estimate
from calibration_inference import infer_attacks, situations
from calibration_state import place
from calibration_traces import MakeEnv, Trace, select_episodes

from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.rules import FIRST_TARGET, NORTH, STOP, WEST

EXACT = 1. / 1024.  # [map units]
_EPISODES = 200  # of a recording that situations are drawn from

Row = tuple[str, np.ndarray, str, float]  # (name, samples, statistic, the game's own value)


def one_step_figures(make_env: MakeEnv, trace: Trace, n_states: int, seed: int, measured: dict[str,
                                                                                               Any]) -> list[Figure]:
    """
    Overview:
        Compare what the simulator makes of ``n_states`` situations of a recording with what the game made of them.
    Arguments:
        - measured: 'period' and 'hit' by unit type, as measured in the game
    """
    trace = select_episodes(trace, _EPISODES, seed)
    pairs = np.argwhere(trace.pairs & (np.arange(trace.x.shape[1] - 1) < trace.n_steps[:, None] - 1))
    rng = np.random.default_rng(seed)
    chosen = pairs[rng.permutation(len(pairs))[:n_states]]
    envs, rows = chosen[:, 0], chosen[:, 1]
    env = make_env(trace.map_name, len(chosen), seed)
    assert isinstance(env, SimVecEnv)
    place(env, situations(trace, envs, rows, infer_attacks(trace, measured), measured))
    mask, actions = env.observe().action_mask.copy(), trace.action[envs, rows]
    legal = np.take_along_axis(mask, actions[..., None], 2)[..., 0]
    step = env.step(np.where(legal, actions, np.where(mask[..., STOP], STOP, 0)))
    kept = legal.all(1) & ~(step.terminated | step.truncated)
    after = _add_row(trace, envs, rows, env)
    found = _position_rows(trace, envs, rows, after, kept) + _damage_rows(trace, envs, rows, after, kept)
    found.append(
        ('recorded actions that are legal, share', legal[trace.health[envs, rows, :trace.n_agents] > 0.], 'mean', 1.)
    )
    if trace.legal is not None:
        same = (mask == trace.legal[envs, rows]).all((1, 2))
        found.append(('action masks that are the same, share', same, 'mean', 1.))
    return [_figure(trace.map_name, *row) for row in found] + _damage_figures(trace, envs, rows, after, kept)


def _add_row(trace: Trace, envs: np.ndarray, rows: np.ndarray, env: SimVecEnv) -> Trace:
    """Return a trace of two rows for each situation: as recorded before the step, as simulated after it."""
    units = env.units()

    def join(name: str, after: np.ndarray) -> np.ndarray:
        return np.stack([getattr(trace, name)[envs, rows], after], 1)

    two = np.full(len(envs), 2)
    return trace._replace(
        x=join('x', np.where(units.alive, units.x, np.nan)),
        y=join('y', np.where(units.alive, units.y, np.nan)),
        health=join('health', units.health),
        shield=join('shield', units.shield),
        n_rows=two,
        n_steps=two
    )


def _position_rows(trace: Trace, envs: np.ndarray, rows: np.ndarray, after: Trace, kept: np.ndarray) -> list[Row]:
    """Return the errors of positions, [map units], of units that live on in both."""
    error = np.hypot(after.x[:, 1] - trace.x[envs, rows + 1], after.y[:, 1] - trace.y[envs, rows + 1])  # [k, U]
    error[~kept] = np.nan
    n, actions = trace.n_agents, trace.action[envs, rows]
    free = motion.free_units(trace)
    free = free[envs, rows] & free[envs, rows + 1] & motion.free_units(after)[:, 1]
    walks, attacks = (actions >= NORTH) & (actions <= WEST), actions >= FIRST_TARGET
    moved = np.hypot(trace.x[envs, rows + 1] - trace.x[envs, rows], trace.y[envs, rows + 1] - trace.y[envs, rows])
    groups = {
        'walking allies that touch nobody': (error[:, :n][walks & free[:, :n]]),
        'allies that attack': error[:, :n][attacks],
        'enemies that touch nobody': error[:, n:][free[:, n:] & (moved[:, n:] > EXACT)],
        'enemies': error[:, n:].ravel(),
    }
    found: list[Row] = []
    for name, samples in groups.items():
        samples = samples[np.isfinite(samples)]
        found.append((f'{name}: exact to 1/1024, share', samples <= EXACT, 'mean', 1.))
        for statistic, text in (('q50', '50 %'), ('q95', '95 %'), ('max', 'max')):
            found.append((f'{name}: error of position, {text} [map units]', samples, statistic, 0.))
    return found


def _damage_rows(trace: Trace, envs: np.ndarray, rows: np.ndarray, after: Trace, kept: np.ndarray) -> list[Row]:
    """Return in which share of the situations in which somebody was hit a side lost exactly what it did."""
    found: list[Row] = []
    for side, real, sim in _losses(trace, envs, rows, after, kept):
        hurt = (real > .5) | (sim > .5)
        found.append((f'{side}: the same damage where there was any, share', np.abs(real - sim)[hurt] < .5, 'mean', 1.))
    return found


def _damage_figures(trace: Trace, envs: np.ndarray, rows: np.ndarray, after: Trace, kept: np.ndarray) -> list[Figure]:
    """Return the mean damage that each side took in a step."""
    return [
        Figure(
            'one step', trace.map_name, f'damage to {side} per step [points]', estimate(real), estimate(sim),
            'recordings given'
        ) for side, real, sim in _losses(trace, envs, rows, after, kept)
    ]


def _losses(trace: Trace, envs: np.ndarray, rows: np.ndarray, after: Trace,
            kept: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return (side, lost in the game, lost in the simulator), [points] of each situation that is kept."""
    before = trace.vitals[envs, rows]
    lost_real, lost_sim = before - trace.vitals[envs, rows + 1], before - after.vitals[:, 1]
    n = trace.n_agents
    return [
        (side, lost_real[kept][:, units].sum(1), lost_sim[kept][:, units].sum(1))
        for side, units in (('allies', slice(None, n)), ('enemies', slice(n, None)))
    ]


def _figure(map_name: str, name: str, samples: np.ndarray, statistic: str, value: float) -> Figure:
    """Return a figure of which the game's own value is known without error."""
    return Figure('one step', map_name, name, Estimate(value, 0., 0), estimate(samples, statistic), 'recordings given')
