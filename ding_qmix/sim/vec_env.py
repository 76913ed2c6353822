"""A batch of simulated battles on one map."""
from collections.abc import Sequence
from typing import Any, Optional, Union

import numba
import numpy as np

from ding_qmix.sim.allocation import make_output, make_request, make_scratch, make_state
from ding_qmix.sim.calibration import Calibration, rename_knobs
from ding_qmix.sim.checks import check_calibration, check_count
from ding_qmix.sim.entry import bind
from ding_qmix.sim.params import make_sim_params
from ding_qmix.sim.rng import seed_state
from ding_qmix.sim.state import TARGET
from ding_qmix.sim.state_check import check_state
from ding_qmix.sim.step import RESET, SHOW, STEP, find_illegal, play_envs
from ding_qmix.sim.thread_pool import ThreadPool
from ding_qmix.sim.version import SIM_VERSION
from ding_qmix.smac.checks import check_array, check_env_ids, make_smac_options
from ding_qmix.smac.scenarios import get_scenario, make_spec
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecStep

ENVS_PER_THREAD = 32  # fewer are played before another thread has woken up: a step of 32 battles takes 0.2 ms


class SimVecEnv:
    """
    Overview:
        E battles on one map, played by the simulator. Implements ``ding_qmix.spec.VecEnv``: env i plays the same
        episodes for the same seed whatever the number of envs, the threads, or its neighbours.
    Arguments:
        - map_name, n_envs: a SMAC map, and how many battles are played side by side
        - seed: env i gets ``seed + i``; or a sequence with one seed per env
        - obs_style: 'ding' or 'smac', see ``ding_qmix.smac.scenarios.make_spec``
        - n_threads: threads that share the envs, never more than there are envs; None for numba's number of them,
          but at least ``ENVS_PER_THREAD`` envs each
        - special_global_state: the state is one view per agent, laid end to end, see ``ding_qmix.smac.special_state``
        - death_mask: with special_global_state, a dead agent's view shows nothing but its id
        - calibration: uncertain facts, see ``ding_qmix.sim.calibration.Calibration``
        - smac_options: fields of ``ding_qmix.smac.reward.RewardOptions``, ``ding_qmix.smac.view_options.ViewOptions``
          and ``ding_qmix.smac.action_options.ActionOptions`` that differ from SMAC's defaults
    Raises:
        - ValueError: unknown map or obs style, n_envs or n_threads < 1, wrong number of seeds, a unit not simulated
        - TypeError: unknown option, n_envs not an integer
    """

    def __init__(
            self,
            map_name: str,
            n_envs: int,
            seed: Union[int, Sequence[int]] = 0,
            obs_style: str = 'ding',
            n_threads: Optional[int] = None,
            calibration: Optional[Calibration] = None,
            special_global_state: bool = False,
            death_mask: bool = False,
            **smac_options: Any
    ) -> None:
        self.n_envs = check_count('n_envs', n_envs)
        self._threads = ThreadPool(_count_threads(n_threads, self.n_envs), self.n_envs)
        if 'knobs' in smac_options:  # the former name of calibration
            smac_options = rename_knobs({'calibration': calibration, **smac_options})
            calibration = smac_options.pop('calibration')
        options, view, actions = make_smac_options(smac_options)
        self.spec: EnvSpec = make_spec(map_name, obs_style, 'sim', SIM_VERSION, special_global_state, view)
        self._params = make_sim_params(
            get_scenario(map_name),
            obs_style,
            check_calibration(calibration or Calibration()),
            options,
            actions,
            special_global_state=bool(special_global_state),
            death_mask=bool(death_mask),
            view=view
        )
        self._state = make_state(self.n_envs, self.spec)
        self._request = make_request(self.n_envs, self.spec)
        self._out = make_output(self.n_envs, self.spec)
        self._started = np.zeros(self.n_envs, dtype=np.bool_)
        scratch = make_scratch(self.n_envs, self.spec)
        self._arguments = (self._request, self._state, scratch, self._params, self._out)
        self._play_envs = bind(play_envs, (STEP, 0, 1, *self._arguments))
        self._find_illegal = bind(find_illegal, (*self._request, self._out.step.action_mask))
        seeds = [seed + i for i in range(self.n_envs)] if isinstance(seed, (int, np.integer)) else seed
        self.seed(np.asarray(seeds))

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """
        Overview:
            Begin a new episode in all envs, or in those of ``env_ids`` (int [k]). The others are left as they are:
            reward 0, no flag set.
        Raises:
            - IndexError: an env id is out of range
        """
        self._request.active[:] = env_ids is None
        if env_ids is not None:
            self._request.active[check_env_ids(env_ids, self.n_envs)] = True
        self._play(RESET)
        self._started |= self._request.active
        return self._out.step

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """
        Overview:
            Play one decision. Envs that are False in ``active`` are left as they are: reward 0, no flag set.
        Shapes:
            - actions: int [E, N], legal by the action mask of the step before
            - active: bool [E], None for all
        Raises:
            - TypeError, ValueError: actions or active of a wrong dtype or shape; an illegal action of an active env
            - RuntimeError: an active env was never reset
        """
        self._take_actions(actions)
        self._request.active[:] = True if active is None else check_array('active', active, np.bool_, (self.n_envs, ))
        if not self._started.all() and not self._started[self._request.active].all():
            e = int(np.flatnonzero(self._request.active & ~self._started)[0])
            raise RuntimeError(f'env {e} was never reset: call reset() before step()')
        illegal = self._find_illegal(*self._request, self._out.step.action_mask)
        if illegal >= 0:
            self._refuse(*divmod(illegal, self.spec.n_agents))
        self._play(STEP)
        return self._out.step

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """
        Overview:
            Seed each env's own generator (int [E], or one per entry of ``env_ids``); takes effect when its next episode
            begins, by ``reset`` or by itself.
        Raises:
            - ValueError: not one seed per env, or a seed out of range
            - IndexError: an env id is out of range
        """
        ids = np.arange(self.n_envs) if env_ids is None else check_env_ids(env_ids, self.n_envs)
        seeds = np.atleast_1d(np.asarray(seeds))
        if seeds.shape != ids.shape:
            raise ValueError(f'seed: got {seeds.size} seeds for {ids.size} envs; give one per env')
        for e, value in zip(ids, seeds):
            self._state.next_rng[e] = seed_state(int(value))

    def lost_cause(self, env_id: int) -> str:
        """Return '': the simulator loses no episode."""
        return ''

    def observe(self) -> VecStep:
        """Return the last step shown; after load_state_dict: what the agents see, without reward and flags."""
        return self._out.step

    def units(self) -> UnitSnapshot:
        """Copy the unit tables of the running episodes."""
        return self._snapshot(self._state.unit, self._state.unit_at, self._state.decision[:, TARGET])

    def final_units(self) -> UnitSnapshot:
        """Copy the unit tables as they were when the envs' last episodes ended; see ``VecEnv.final_units``."""
        return self._snapshot(*self._out.final_units)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, generators included, as plain Python values."""
        arrays = {name: array.tolist() for name, array in self._state._asdict().items()}
        return {'map_name': self.spec.map_name, 'sim_version': SIM_VERSION, 'started': self._started.tolist(), **arrays}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """
        Overview:
            Restore what ``state_dict`` returned; ``observe`` then shows what the agents see.
        Raises:
            - ValueError: it is of another map, SIM_VERSION or number of envs, lacks an entry, or holds what compiled
              code cannot take; the battles are as before then
        """
        missing = {'map_name', 'sim_version', 'started', *self._state._fields} - state_dict.keys()
        if missing:
            raise ValueError(
                f'load_state_dict: no {", ".join(sorted(missing))}; saved by another version of ding_qmix?'
            )
        for key, mine in (('map_name', self.spec.map_name), ('sim_version', SIM_VERSION)):
            if state_dict[key] != mine:
                raise ValueError(f'load_state_dict: {key} is {state_dict[key]!r}, this env has {mine!r}')
        started = np.asarray(state_dict['started'])
        if started.dtype != np.bool_ or started.ndim != 1:
            raise ValueError(f'load_state_dict: started is {state_dict["started"]!r}, expected one bool per env')
        if len(started) != self.n_envs:
            raise ValueError(f'load_state_dict: saved with {len(started)} envs, this one has {self.n_envs}')
        for array, saved in zip(self._state, check_state(state_dict, self._state, self.spec)):
            array[...] = saved
        self._started[:] = started
        self._request.active[:] = self._started
        self._play(SHOW)

    def close(self) -> None:
        """End the threads; there is nothing else to release."""
        self._threads.close()

    def _snapshot(self, unit: np.ndarray, unit_at: np.ndarray, target: np.ndarray) -> UnitSnapshot:
        """Copy unit tables, float64 [E, N_FIELDS, U], and targets, int32 [E, U], in the order of SMAC's numbers."""
        shown = np.take_along_axis(unit, unit_at[:, None], axis=2)
        number = np.argsort(unit_at, axis=1)  # of the unit at each place
        aims = np.take_along_axis(target, unit_at, axis=1)
        return UnitSnapshot(
            unit_type=self._params.rules.unit_type[unit_at],
            x=shown[:, X].copy(),
            y=shown[:, Y].copy(),
            health=shown[:, HEALTH].copy(),
            shield=shown[:, SHIELD].copy(),
            energy=shown[:, ENERGY].copy(),
            cooldown=shown[:, COOLDOWN].copy(),
            alive=shown[:, HEALTH] > 0.,
            target=np.where(aims >= 0, np.take_along_axis(number, aims, axis=1), -1).astype(np.int32),
        )

    def _play(self, command: int) -> None:
        """Run the compiled step."""
        self._threads.run(lambda first, last: self._play_envs(command, first, last, *self._arguments))

    def _take_actions(self, actions: np.ndarray) -> None:
        """Copy actions, integers [E, N], to where the compiled step reads them."""
        actions = np.asarray(actions)
        if actions.dtype.kind not in 'iu':
            raise TypeError(f'actions must be integers, got dtype {actions.dtype}')
        if actions.shape != self._request.actions.shape:
            raise ValueError(
                f'actions must have shape [n_envs, n_agents] = {self._request.actions.shape}, got {actions.shape}'
            )
        self._request.actions[...] = actions

    def _refuse(self, e: int, agent: int) -> None:
        """Raise the error for an illegal action."""
        action, legal = int(self._request.actions[e, agent]), np.flatnonzero(self._out.step.action_mask[e, agent])
        raise ValueError(
            f'illegal action {action} of agent {agent} in env {e} (map {self.spec.map_name}); '
            f'legal actions: {legal.tolist()}'
        )


def _count_threads(n_threads: Optional[int], n_envs: int) -> int:
    """Return how many threads share the envs; by default one per ENVS_PER_THREAD, no more than numba uses."""
    if n_threads is None:
        return max(1, min(numba.config.NUMBA_NUM_THREADS, n_envs // ENVS_PER_THREAD))
    return check_count('n_threads', n_threads)
