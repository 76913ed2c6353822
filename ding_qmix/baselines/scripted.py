"""
Scripted policies: baselines for what is learned, and for the simulator itself.

They see what every user of a VecEnv sees, the last step and ``units()``, besides what is known of unit types.
"""
import difflib
from abc import ABC, abstractmethod
from typing import Optional

import numpy as np

from ding_qmix.baselines.tactics import pick_closest, pick_focus, pick_kite
from ding_qmix.numba_kernel import kernel
from ding_qmix.sim.rng import draw_below, seed_state
from ding_qmix.sim.unit_tables import UnitTables, make_unit_tables
from ding_qmix.smac.rules import created_units
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.units import UNIT_NAMES
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecStep


class ScriptedPolicy(ABC):
    """
    Overview:
        Acts for all envs of a batch at once.
    Interfaces:
        ``act``, ``reset``
    Arguments:
        - spec: of the env it will play
        - n_envs: number of battles, E
        - seed: for what is drawn at random; env i draws from a generator of its own, seeded with ``seed + i``
    """

    def __init__(self, spec: EnvSpec, n_envs: int, seed: int = 0) -> None:
        self._spec = spec
        self._shape = (n_envs, spec.n_agents)
        self._seed = seed
        self._tables: Optional[UnitTables] = None
        self.reset()

    def act(self, step: VecStep, units: UnitSnapshot) -> np.ndarray:
        """
        Overview:
            Choose a legal action for every agent of every env. Where ``step`` ended an episode, what was remembered of
            it is forgotten first.
        Arguments:
            - step, units: what the env showed last, and its unit table now
        Shapes:
            - returns: int64 [E, N]
        Raises:
            - ValueError: the step is of another number of envs or agents
        """
        if step.action_mask.shape[:2] != self._shape:
            n_envs, n_agents = step.action_mask.shape[:2]
            raise ValueError(
                f'{type(self).__name__}: built for {self._shape[0]} envs of {self._shape[1]} agents '
                f'({self._spec.map_name}), got a step of {n_envs} envs of {n_agents} agents'
            )
        if self._tables is None:
            self._tables = _make_known_tables(self._spec, units)
        ended = step.terminated | step.truncated | step.lost
        if ended.any():
            self.reset(np.flatnonzero(ended))
        actions = np.empty(self._shape, dtype=np.int64)
        self._choose(step.action_mask, units, self._tables, actions)
        return actions

    def reset(self, env_ids: Optional[np.ndarray] = None) -> None:  # noqa: B027, most remember nothing
        """Forget what is remembered of the running episodes of the given envs, or of all. Generators run on."""

    @abstractmethod
    def _choose(
            self, action_mask: np.ndarray, units: UnitSnapshot, tables: UnitTables, actions_out: np.ndarray
    ) -> None:
        """Write an action int64 [E, N] for every agent, given the legal ones bool [E, N, A]."""


class RandomPolicy(ScriptedPolicy):
    """Every agent draws one of its legal actions, all equally likely."""

    def __init__(self, spec: EnvSpec, n_envs: int, seed: int = 0) -> None:
        super().__init__(spec, n_envs, seed)
        self._rng = np.array([seed_state(seed + e) for e in range(n_envs)], dtype=np.uint64)

    def _choose(
            self, action_mask: np.ndarray, units: UnitSnapshot, tables: UnitTables, actions_out: np.ndarray
    ) -> None:
        draw_legal(action_mask, self._rng, actions_out)


class ClosestPolicy(ScriptedPolicy):
    """
    Every agent sticks to the nearest enemy until it dies, a medivac to the nearest hurt ally until it is whole; where
    the target is too far to be aimed at, the agent walks along the axis on which it is farther off.

    Source: heuristic_ai with heuristic_rest, oxwhirl/smac smac/env/starcraft2/starcraft2.py @ d6aab33
    """

    def reset(self, env_ids: Optional[np.ndarray] = None) -> None:
        if env_ids is None:
            self._target = np.full(self._shape, -1, dtype=np.int64)  # [E, N], unit
        else:
            self._target[env_ids] = -1

    def _choose(
            self, action_mask: np.ndarray, units: UnitSnapshot, tables: UnitTables, actions_out: np.ndarray
    ) -> None:
        _choose_closest(units, action_mask, tables, self._target, actions_out)


class FocusPolicy(ScriptedPolicy):
    """Every agent shoots the weakest enemy in its weapon range, or goes to the nearest; medivacs heal the weakest."""

    def _choose(
            self, action_mask: np.ndarray, units: UnitSnapshot, tables: UnitTables, actions_out: np.ndarray
    ) -> None:
        _choose_focus(units, action_mask, tables, actions_out)


class KitePolicy(ScriptedPolicy):
    """Every agent with a ranged weapon steps back from close melee enemies between its shots; else as FocusPolicy."""

    def _choose(
            self, action_mask: np.ndarray, units: UnitSnapshot, tables: UnitTables, actions_out: np.ndarray
    ) -> None:
        _choose_kite(units, action_mask, tables, actions_out)


SCRIPTED_POLICIES: dict[str, type[ScriptedPolicy]] = {
    'random': RandomPolicy,
    'closest': ClosestPolicy,
    'focus': FocusPolicy,
    'kite': KitePolicy,
}


def make_scripted_policy(name: str, spec: EnvSpec, n_envs: int, seed: int = 0) -> ScriptedPolicy:
    """
    Overview:
        Build the scripted policy of this name: 'random', 'closest', 'focus' or 'kite'.
    Raises:
        - ValueError: there is none of this name
    """
    if name not in SCRIPTED_POLICIES:
        near = difflib.get_close_matches(str(name), SCRIPTED_POLICIES, n=1, cutoff=0.)[0]
        known = ', '.join(SCRIPTED_POLICIES)
        raise ValueError(f'unknown scripted policy {name!r}; did you mean {near!r}? They are: {known}')
    return SCRIPTED_POLICIES[name](spec, n_envs, seed)


@kernel
def draw_legal(action_mask: np.ndarray, rng: np.ndarray, actions_out: np.ndarray) -> None:
    """Draw a legal action for every agent: mask bool [E, N, A], rng uint64 [E] -> int64 [E, N]."""
    n_envs, n_agents, n_actions = action_mask.shape
    for e in range(n_envs):
        for agent in range(n_agents):
            row = action_mask[e, agent]
            n_legal = 0
            for action in range(n_actions):
                n_legal += row[action]
            skip = draw_below(rng[e:e + 1], n_legal)
            for action in range(n_actions):
                if row[action]:
                    if skip == 0:
                        actions_out[e, agent] = action
                        break
                    skip -= 1


def _make_known_tables(spec: EnvSpec, units: UnitSnapshot) -> UnitTables:
    """Return the tables of the map's unit types, in SMAC's order of units."""
    names = [UNIT_NAMES[i] for i in units.unit_type[0]]
    assert sorted(names) == sorted(created_units(get_scenario(spec.map_name)))
    return make_unit_tables(names, spec.n_agents)


@kernel
def _choose_closest(
        units: UnitSnapshot, action_mask: np.ndarray, tables: UnitTables, target: np.ndarray, actions_out: np.ndarray
) -> None:
    """Write ``pick_closest`` of every agent, int64 [E, N]."""
    for e in range(actions_out.shape[0]):
        for u in range(actions_out.shape[1]):
            actions_out[e, u] = pick_closest(units, e, u, action_mask, tables, target)


@kernel
def _choose_focus(units: UnitSnapshot, action_mask: np.ndarray, tables: UnitTables, actions_out: np.ndarray) -> None:
    """Write ``pick_focus`` of every agent, int64 [E, N]."""
    for e in range(actions_out.shape[0]):
        for u in range(actions_out.shape[1]):
            actions_out[e, u] = pick_focus(units, e, u, action_mask, tables)


@kernel
def _choose_kite(units: UnitSnapshot, action_mask: np.ndarray, tables: UnitTables, actions_out: np.ndarray) -> None:
    """Write ``pick_kite`` of every agent, int64 [E, N]."""
    for e in range(actions_out.shape[0]):
        for u in range(actions_out.shape[1]):
            actions_out[e, u] = pick_kite(units, e, u, action_mask, tables)
