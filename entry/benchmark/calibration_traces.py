"""Traces: battles step by step, recorded from the real game or played here, in one form."""
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from ding_qmix.baselines.scripted import make_scripted_policy
from ding_qmix.smac.rules import NO_OP, STOP, created_units
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.spec import UnitSnapshot, VecEnv, VecStep

STAND_STILL = 'stand still'  # a policy besides the scripted ones: every living agent stops
LOOPS_PER_STEP = 8  # [game loops per env step]

MakeEnv = Callable[[str, int, int], VecEnv]  # (map_name, n_envs, seed)
Act = Callable[[VecStep, UnitSnapshot], np.ndarray]


class Trace(NamedTuple):
    """
    E battles of one map. Row t is what was seen before action t; the dead have health 0 and NaN as position.
    U = N + M units, allies first, in SMAC's order.
    """
    map_name: str
    unit_type: tuple[str, ...]  # [U]
    n_agents: int  # N
    x: np.ndarray  # float64 [E, T, U], [map units]
    y: np.ndarray  # float64 [E, T, U], [map units]
    health: np.ndarray  # float64 [E, T, U], [hit points]
    shield: np.ndarray  # float64 [E, T, U], [shield points]
    cooldown: np.ndarray  # float64 [E, T, N], [game loops]
    action: np.ndarray  # int64 [E, T, N], -1 after the end
    n_rows: np.ndarray  # int64 [E], rows that are filled
    n_steps: np.ndarray  # int64 [E], actions that were played
    won: np.ndarray  # bool [E]
    reward: np.ndarray  # float64 [E, T]
    legal: Optional[np.ndarray] = None  # bool [E, T, N, A], action masks, where they were recorded
    dead_allies: Optional[np.ndarray] = None  # int64 [E] at the end, where the end was seen
    dead_enemies: Optional[np.ndarray] = None  # int64 [E]

    @property
    def vitals(self) -> np.ndarray:
        """Health plus shield, [E, T, U]."""
        return self.health + self.shield

    @property
    def pairs(self) -> np.ndarray:
        """True where rows t and t + 1 are both filled, bool [E, T - 1]."""
        return np.arange(1, self.x.shape[1])[None] < self.n_rows[:, None]


def map_units(map_name: str) -> tuple[str, ...]:
    """Return the types of a map's units in SMAC's order: allies by type, enemies as created."""
    scenario = get_scenario(map_name)
    created, slots, n = created_units(scenario), scenario.ally_slots, scenario.n_agents
    allies = sorted(created[:n], key=lambda name: slots.index(name) if slots else 0)
    return (*allies, *created[n:])


def choose_actions(env: VecEnv, policy_name: str, seed: int) -> Act:
    """Return how a policy acts: a scripted one by name, or STAND_STILL."""
    if policy_name == STAND_STILL:
        return lambda step, units: np.where(step.action_mask[:, :, STOP], STOP, NO_OP)
    return make_scripted_policy(policy_name, env.spec, env.n_envs, seed).act


def record_trace(env: VecEnv, policy_name: str, n_rows: int, seed: int = 0) -> Trace:
    """
    Overview:
        Play a new episode in each env to its end, or for ``n_rows`` rows, and record what is seen.
    Arguments:
        - policy_name: a scripted policy, or STAND_STILL
    """
    act = choose_actions(env, policy_name, seed)
    n, n_agents = env.n_envs, env.spec.n_agents
    rows = _empty_rows(n, n_rows, n_agents, n_agents + env.spec.n_enemies)
    step, active, filled = env.reset(), np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.int64)
    won, dead = np.zeros(n, dtype=np.bool_), np.zeros((2, n), dtype=np.int64)
    for t in range(n_rows):
        if not active.any():
            break
        units = env.units()
        actions = act(step, units)
        _write_row(rows, t, active, units, actions)
        filled += active
        step = env.step(actions, active)
        rows['reward'][active, t] = step.reward[active]
        won |= active & step.won
        dead[0, active], dead[1, active] = step.dead_allies[active], step.dead_enemies[active]
        active &= ~(step.terminated | step.truncated)
    return Trace(
        map_name=env.spec.map_name,
        unit_type=map_units(env.spec.map_name),
        n_agents=n_agents,
        n_rows=filled,
        n_steps=filled,
        won=won,
        dead_allies=dead[0],
        dead_enemies=dead[1],
        **rows
    )


def _empty_rows(n_envs: int, n_rows: int, n_agents: int, n_units: int) -> dict[str, np.ndarray]:
    """Return a trace's arrays, empty."""
    rows = {name: np.zeros((n_envs, n_rows, n_units)) for name in ('x', 'y', 'health', 'shield')}
    rows['cooldown'] = np.zeros((n_envs, n_rows, n_agents))
    rows['action'] = np.full((n_envs, n_rows, n_agents), -1, dtype=np.int64)
    rows['reward'] = np.zeros((n_envs, n_rows))
    return rows


def _write_row(
        rows: dict[str, np.ndarray], t: int, active: np.ndarray, units: UnitSnapshot, actions: np.ndarray
) -> None:
    """Write what is seen before action t."""
    for name in ('x', 'y'):
        rows[name][active, t] = np.where(units.alive, getattr(units, name), np.nan)[active]
    for name in ('health', 'shield'):
        rows[name][active, t] = getattr(units, name)[active]
    rows['cooldown'][active, t] = units.cooldown[active, :actions.shape[1]]
    rows['action'][active, t] = actions[active]


def select_episodes(trace: Trace, n: int, seed: int) -> Trace:
    """Return at most n episodes of a trace, drawn at random."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(trace.x))[:n])
    arrays: dict[str, Any] = {
        name: value[chosen]
        for name, value in trace._asdict().items() if isinstance(value, np.ndarray)
    }
    return trace._replace(**arrays)
