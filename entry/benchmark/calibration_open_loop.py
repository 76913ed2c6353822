"""
Open loop: recorded orders are given from the recorded start on, whatever comes of them, and the course of the battle is
compared with the recorded one: who wins, when and in which order units die.

A recorded attack that is not legal in the simulator becomes a step towards its target, everything else a stop; how many
there were is one of the figures. A battle is stopped when its recorded orders end.
"""
from typing import NamedTuple

import numpy as np
from calibration_figures import Estimate, Figure, estimate
from calibration_recordings import OrderBook, recorded_winner
from calibration_state import Situation, place, unit_names
from calibration_traces import LOOPS_PER_STEP, MakeEnv, Trace, select_episodes

from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, SOUTH, STOP, WEST
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.spec import UnitSnapshot

_DIRECTIONS = {'N': NORTH, 'S': SOUTH, 'E': EAST, 'W': WEST}
_LOOP = 0.140625  # [map units] that enemies have walked at the first observation; measured on 3m
_SOURCE = 'recordings given'


class Orders(NamedTuple):
    """The actions of E battles, and what came of them."""
    action: np.ndarray  # int64 [E, T, N]
    n_steps: np.ndarray  # int64 [E]


class Course(NamedTuple):
    """The course of E battles; [env steps] count from 1, NaN for what did not happen."""
    won: np.ndarray  # bool [E]
    lost: np.ndarray  # bool [E]
    death: np.ndarray  # float64 [E, U], step in which a unit died
    first_hurt: np.ndarray  # float64 [E, 2], step in which an ally, an enemy was first hurt; all NaN if not recorded
    replaced: np.ndarray  # float64 [E], share of the orders that were not legal


def open_loop_figures(make_env: MakeEnv, recording: object, n_envs: int, seed: int) -> list[Figure]:
    """
    Overview:
        Play the orders of a recording (a Trace, or an OrderBook), in at most ``n_envs`` battles; few recorded ones are
        played several times.
    """
    assert isinstance(recording, (Trace, OrderBook))
    map_name = recording.map_name
    if isinstance(recording, Trace):
        trace = select_episodes(recording, n_envs, seed)
        env = make_env(map_name, len(trace.x), seed)
        assert isinstance(env, SimVecEnv)
        place(env, _first_situation(trace))
        real, orders, n_copies = course_of_trace(trace), Orders(trace.action, trace.n_steps), 1
    else:
        n_copies = max(1, n_envs // len(recording.episodes))
        env = make_env(map_name, n_copies * len(recording.episodes), seed)
        assert isinstance(env, SimVecEnv)
        book = recording._replace(episodes=recording.episodes * n_copies)
        real, orders = _prepare(env, book)
    return _figures(map_name, real, play_orders(env, orders), env.spec.n_agents, n_copies)


def play_orders(env: SimVecEnv, orders: Orders) -> Course:
    """Give orders to battles that have begun, until each has ended or has no more of them."""
    n, n_agents = env.n_envs, env.spec.n_agents
    n_units = n_agents + env.spec.n_enemies
    course = Course(
        np.zeros(n, bool), np.zeros(n, bool), np.full((n, n_units), np.nan), np.full((n, 2), np.nan), np.zeros(n)
    )
    n_orders, active = np.zeros(n), np.ones(n, dtype=np.bool_)
    before, mask = env.units(), env.observe().action_mask
    for t in range(orders.action.shape[1]):
        active &= t < orders.n_steps
        if not active.any():
            break
        actions, replaced = _legal_actions(orders.action[:, t], mask, before)
        course.replaced[active] += replaced[active]
        n_orders[active] += before.alive[active, :n_agents].sum(1)
        step = env.step(actions, active)
        after, mask = env.units(), step.action_mask
        ended = active & (step.terminated | step.truncated)
        course.won[ended] = step.won[ended]
        course.lost[ended] = (step.terminated & ~step.won)[ended]
        _note_step(course, t + 1, active & ~ended, before, after, n_agents)
        _note_end(course, t + 1, ended, n_agents)
        active, before = active & ~ended, after
    course.replaced[:] /= np.maximum(n_orders, 1.)
    return course


def course_of_trace(trace: Trace) -> Course:
    """Return the course of recorded battles whose states are known."""
    n_envs, n_rows, n_units = trace.x.shape
    alive = trace.health > 0.
    death = np.full((n_envs, n_units), np.nan)
    hurt = np.full((n_envs, 2), np.nan)
    drop = np.diff(trace.vitals, axis=1) < -.5
    for t in range(n_rows - 2, -1, -1):
        real = trace.pairs[:, t, None]
        died = alive[:, t] & ~alive[:, t + 1] & real
        death[died] = t + 1
        for side, units in enumerate((slice(None, trace.n_agents), slice(trace.n_agents, None))):
            hurt[(drop[:, t, units] & real).any(1), side] = t + 1
    last = np.repeat(trace.n_steps[:, None], n_units - trace.n_agents, 1)
    enemies = death[:, trace.n_agents:]
    death[:, trace.n_agents:] = np.where(trace.won[:, None] & np.isnan(enemies), last, enemies)
    lost = ~trace.won & ~np.isnan(death[:, :trace.n_agents]).any(1)
    return Course(trace.won, lost, death, hurt, np.zeros(n_envs))


def _first_situation(trace: Trace) -> Situation:
    """Return the situations in which episodes begin."""
    shape = trace.x[:, 0].shape
    nothing, never = np.zeros(shape), np.full(shape, np.inf)
    return Situation(
        trace.x[:, 0], trace.y[:, 0], trace.health[:, 0], trace.shield[:, 0], nothing, np.full(shape, -1), never,
        nothing, never
    )


def _prepare(env: SimVecEnv, book: OrderBook) -> tuple[Course, Orders]:
    """Put the units where the recorded ones stood, and translate orders and deaths."""
    env.reset()
    units, names, n = env.units(), unit_names(env), env.spec.n_agents
    n_rows = max(len(episode['steps']) for episode in book.episodes)
    action = np.full((env.n_envs, n_rows, n), STOP)
    death = np.full((env.n_envs, len(names)), np.nan)
    for e, episode in enumerate(book.episodes):
        slots = _slots(episode['units'], names, n)
        _place_allies(units, e, episode['steps'][0]['act'], slots, n)
        for t, step in enumerate(episode['steps']):
            for unit, act in step['act'].items():
                action[e, t, slots[int(unit)]] = _action(act, slots, n)
        for entry in episode['deaths']:
            if entry['killer'] is not None:
                death[e, slots[entry['unit']]] = -(-entry['loop'] // LOOPS_PER_STEP)
    _mirror_enemies(units, book.map_name, names, n)
    shape = units.x.shape
    nothing, never = np.zeros(shape), np.full(shape, np.inf)
    place(
        env,
        Situation(units.x, units.y, units.health, units.shield, nothing, np.full(shape, -1), never, nothing, never)
    )
    winner = np.array([recorded_winner(episode) for episode in book.episodes])
    n_steps = np.array([len(episode['steps']) for episode in book.episodes])
    hurt = np.full((env.n_envs, 2), np.nan)
    return Course(winner == 'allies', winner == 'enemies', death, hurt, np.zeros(env.n_envs)), Orders(action, n_steps)


def _slots(births: list[list], names: list[str], n_agents: int) -> list[int]:
    """Return which of SMAC's units each recorded one is: those of a type and side in order of birth."""
    free = {
        (side, name): [u for u in range(len(names)) if names[u] == name and (u >= n_agents) == (side == 2)]
        for side in (1, 2) for name in set(names)
    }
    return [free[owner, _type_name(kind)].pop(0) for kind, owner, *_ in births]


def _type_name(name: str) -> str:
    """Return our name of a unit type of the game: 'Marine_RL' -> 'marine'."""
    return {'spinecrawler': 'spine_crawler'}.get(name.lower().removesuffix('_rl'), name.lower().removesuffix('_rl'))


def _action(act: dict, slots: list[int], n_agents: int) -> int:
    """Return a recorded order as SMAC's action."""
    if act['kind'] == 'move':
        return _DIRECTIONS[act['dir']]
    if act['kind'] == 'attack':
        return FIRST_TARGET + slots[act['target']] - n_agents
    return FIRST_TARGET + slots[act['target']] if act['kind'] == 'heal' else STOP


def _place_allies(units: UnitSnapshot, e: int, act: dict, slots: list[int], n_agents: int) -> None:
    """Put the allies where they were when they got their first orders, those whose place is known."""
    for unit, order in act.items():
        if 'pos' in order and slots[int(unit)] < n_agents:
            units.x[e, slots[int(unit)]], units.y[e, slots[int(unit)]] = order['pos']


def _mirror_enemies(units: UnitSnapshot, map_name: str, names: list[str], n_agents: int) -> None:
    """Where both sides are alike, put the enemies as the allies stand, and one loop on their way."""
    scenario = get_scenario(map_name)
    if names[:n_agents] != names[n_agents:]:
        return
    shift_x = scenario.enemies[0].x - scenario.allies[0].x
    units.x[:, n_agents:] = units.x[:, :n_agents] + shift_x - np.sign(shift_x) * _LOOP
    units.y[:, n_agents:] = units.y[:, :n_agents]


def _legal_actions(actions: np.ndarray, mask: np.ndarray, units: UnitSnapshot) -> tuple[np.ndarray, np.ndarray]:
    """Return actions [E, N] with the illegal ones replaced, and how many each env had of those, [E]."""
    n = actions.shape[1]
    alive = units.alive[:, :n]
    actions = np.where(alive, np.maximum(actions, STOP), NO_OP)
    legal = np.take_along_axis(mask, actions[..., None], 2)[..., 0]
    target = np.where(actions >= FIRST_TARGET, np.minimum(actions - FIRST_TARGET + n, units.x.shape[1] - 1), 0)
    rows = np.arange(len(actions))[:, None]
    dx, dy = units.x[rows, target] - units.x[:, :n], units.y[rows, target] - units.y[:, :n]
    step = np.where(np.abs(dx) > np.abs(dy), np.where(dx > 0., EAST, WEST), np.where(dy > 0., NORTH, SOUTH))
    seeks = (actions >= FIRST_TARGET) & units.alive[rows, target]
    step = np.where(seeks & np.take_along_axis(mask, step[..., None], 2)[..., 0], step, STOP)
    return np.where(legal, actions, np.where(alive, step, NO_OP)), (alive & ~legal).sum(1)


def _note_step(
        course: Course, step: int, active: np.ndarray, before: UnitSnapshot, after: UnitSnapshot, n_agents: int
) -> None:
    """Note who died or was hurt in a step that ended nothing."""
    died = active[:, None] & before.alive & ~after.alive
    course.death[died] = step
    lost = (before.health + before.shield - after.health - after.shield > .5) & active[:, None]
    for side, units in enumerate((slice(None, n_agents), slice(n_agents, None))):
        new = lost[:, units].any(1) & np.isnan(course.first_hurt[:, side])
        course.first_hurt[new, side] = step


def _note_end(course: Course, step: int, ended: np.ndarray, n_agents: int) -> None:
    """Note the deaths of a step that ended the battle: the losing side's last units."""
    for over, units in ((ended & course.lost, slice(None, n_agents)), (ended & course.won, slice(n_agents, None))):
        death = course.death[:, units]
        death[over[:, None] & np.isnan(death)] = step


def _figures(map_name: str, real: Course, sim: Course, n_agents: int, n_copies: int) -> list[Figure]:
    """Return what two courses of the same battles have in common; the battles come ``n_copies`` times."""
    same = (real.won & sim.won) | (real.lost & sim.lost)
    pairs: list[tuple[str, np.ndarray, np.ndarray]] = [
        ('won, share', real.won, sim.won),
        ('lost, share', real.lost, sim.lost),
    ]
    exact = [
        ('battles with the recorded winner, share', np.where(real.won | real.lost, same, np.nan), 1.),
        ('orders that are not legal, share', sim.replaced, 0.),
    ]
    for index, (side, units) in enumerate((('ally', slice(None, n_agents)), ('enemy', slice(n_agents, None)))):
        a, b = real.death[:, units], sim.death[:, units]
        pairs += [
            (f'{side} is first hurt in [env step]', real.first_hurt[:, index], sim.first_hurt[:, index]),
            (f'first {side} dies in [env step]', _nth(a, 0), _nth(b, 0)),
            (f'last {side} dies in [env step]', _nth(a, -1), _nth(b, -1)),
            (f'{side}: dead, number', (~np.isnan(a)).sum(1), (~np.isnan(b)).sum(1)),
        ]
        exact.append((f'{side}: the same one dies first, share', _same_first(a, b), 1.))
    found = [(name, estimate(average_copies(a, n_copies)), b) for name, a, b in pairs]
    found += [(name, Estimate(value, 0., 0), samples) for name, samples, value in exact]
    return [
        Figure('open loop', map_name, name, value, estimate(average_copies(samples, n_copies)), _SOURCE)
        for name, value, samples in found
    ]


def average_copies(samples: np.ndarray, n_copies: int) -> np.ndarray:
    """
    Overview:
        Return the mean of each battle over its copies, so that copies do not count as battles; NaN are left out.
    Shapes:
        - samples: [n_copies * n], copy by copy
        - returns: float64 [n]
    """
    table = np.asarray(samples, dtype=np.float64).reshape(n_copies, -1)
    n_known = np.isfinite(table).sum(0)
    return np.where(n_known > 0, np.nansum(table, axis=0) / np.maximum(n_known, 1), np.nan)


def _nth(death: np.ndarray, position: int) -> np.ndarray:
    """Return the first (0) or last (-1) step in which one of the units died, NaN for the last while some live."""
    ordered = np.sort(death, axis=1)  # NaN last
    return ordered[:, position]


def _same_first(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 for battles in which the same unit of a side died first, 0 for others, NaN where none died in one."""
    both = ~np.isnan(a).all(1) & ~np.isnan(b).all(1)
    first_a, first_b = (np.where(np.isnan(death), np.inf, death).argmin(1) for death in (a, b))
    return np.where(both, first_a == first_b, np.nan)
