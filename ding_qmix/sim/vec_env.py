"""A batch of simulated battles on one map."""
from typing import Any, Dict, Optional, Sequence, Union

import numba
import numpy as np

from ding_qmix.scenarios import get_scenario, make_spec
from ding_qmix.sim.buffers import make_state, make_step
from ding_qmix.sim.checks import check_array, check_count, check_env_ids, check_knobs, make_reward_options
from ding_qmix.sim.knobs import SimKnobs
from ding_qmix.sim.rng import seed_state
from ding_qmix.sim.state import TARGET
from ding_qmix.sim.step import LEAVE, RESET, SHOW, STEP, find_illegal, play_envs, play_envs_parallel
from ding_qmix.sim.version import SIM_VERSION
from ding_qmix.sim.world import make_world
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecStep


class SimVecEnv:
    """
    Overview:
        E battles on one map, played by the simulator. Implements ``ding_qmix.spec.VecEnv``: env i plays the same
        episodes for the same seed whatever the number of envs, the threads, or its neighbours.
    Arguments:
        - map_name, n_envs: a SMAC map, and how many battles are played side by side
        - seed: env i gets ``seed + i``; or a sequence with one seed per env
        - obs_style: 'ding' or 'smac', see ``ding_qmix.scenarios.make_spec``
        - n_threads: threads that share the envs, None for numba's number; 1 starts no threads, and so may be forked
        - knobs: uncertain facts, see ``ding_qmix.sim.knobs.SimKnobs``
        - reward_options: fields of ``ding_qmix.smac.reward.RewardOptions`` that differ from SMAC's defaults
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
            knobs: Optional[SimKnobs] = None,
            **reward_options: Any
    ) -> None:
        self.n_envs = check_count('n_envs', n_envs)
        self._n_threads = numba.config.NUMBA_NUM_THREADS if n_threads is None else check_count('n_threads', n_threads)
        options = make_reward_options(reward_options)
        self.spec: EnvSpec = make_spec(map_name, obs_style, 'sim', SIM_VERSION)
        self._world = make_world(get_scenario(map_name), obs_style, check_knobs(knobs or SimKnobs()), options)
        self._state = make_state(self.n_envs, self.spec)
        self._out = make_step(self.n_envs, self.spec)
        self._no_actions = np.zeros((self.n_envs, self.spec.n_agents), dtype=np.int64)
        self._all_active = np.ones(self.n_envs, dtype=np.bool_)
        self._started = np.zeros(self.n_envs, dtype=np.bool_)
        seeds = [seed + i for i in range(self.n_envs)] if isinstance(seed, (int, np.integer)) else seed
        self.seed(np.asarray(seeds))

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """
        Overview:
            Begin a new episode in all envs, or in those of ``env_ids`` (int [k]); the others are left as they are.
        Raises:
            - IndexError: an env id is out of range
        """
        chosen = self._all_active if env_ids is None else self._chosen(env_ids)
        self._play(np.where(chosen, RESET, LEAVE), self._no_actions)
        self._started |= chosen
        return self._out

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
        actions = self._check_actions(actions)
        active = self._all_active if active is None else check_array('active', active, np.bool_, (self.n_envs, ))
        if not self._started[active].all():
            e = int(np.flatnonzero(active & ~self._started)[0])
            raise RuntimeError(f'env {e} was never reset: call reset() before step()')
        illegal = find_illegal(actions, self._out.action_mask, active)
        if illegal >= 0:
            self._refuse(actions, *divmod(illegal, self.spec.n_agents))
        self._out.reward[~active] = 0.
        for flags in (self._out.terminated, self._out.truncated, self._out.won):
            flags[~active] = False
        self._play(np.where(active, STEP, LEAVE), actions)
        return self._out

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """
        Overview:
            Seed each env's own generator (int [E], or one per entry of ``env_ids``); takes effect at the next reset.
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

    def observe(self) -> VecStep:
        """Return the last step shown; after load_state_dict: what the agents see, without reward and flags."""
        return self._out

    def units(self) -> UnitSnapshot:
        """Copy the unit table of the running episodes."""
        unit = self._state.unit
        types = np.broadcast_to(self._world.rules.unit_type, (self.n_envs, unit.shape[2]))
        return UnitSnapshot(
            unit_type=types.copy(),
            x=unit[:, X].copy(),
            y=unit[:, Y].copy(),
            health=unit[:, HEALTH].copy(),
            shield=unit[:, SHIELD].copy(),
            energy=unit[:, ENERGY].copy(),
            cooldown=unit[:, COOLDOWN].copy(),
            alive=unit[:, HEALTH] > 0.,
            target=self._state.mind[:, TARGET].copy(),
        )

    def state_dict(self) -> Dict[str, Any]:
        """Return everything that changes, generators included, as plain Python values."""
        arrays = {name: array.tolist() for name, array in self._state._asdict().items()}
        return {'map_name': self.spec.map_name, 'sim_version': SIM_VERSION, 'started': self._started.tolist(), **arrays}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """
        Overview:
            Restore what ``state_dict`` returned; ``observe`` then shows what the agents see.
        Raises:
            - ValueError: it is of another map, SIM_VERSION or number of envs
        """
        for key, mine in (('map_name', self.spec.map_name), ('sim_version', SIM_VERSION)):
            if state_dict[key] != mine:
                raise ValueError(f'load_state_dict: {key} is {state_dict[key]!r}, this env has {mine!r}')
        if len(state_dict['started']) != self.n_envs:
            n_saved = len(state_dict['started'])
            raise ValueError(f'load_state_dict: saved with {n_saved} envs, this one has {self.n_envs}')
        for name, array in self._state._asdict().items():
            array[...] = np.array(state_dict[name], dtype=array.dtype)
        self._started[:] = state_dict['started']
        self._play(np.where(self._started, SHOW, LEAVE), self._no_actions)

    def close(self) -> None:
        """Release nothing: the simulator holds only memory."""

    def _play(self, commands: np.ndarray, actions: np.ndarray) -> None:
        """Run the compiled step on as many threads as are useful."""
        args = (commands.astype(np.int8), actions, self._state, self._out, *self._world)
        n_threads = min(self._n_threads, self.n_envs, numba.config.NUMBA_NUM_THREADS)
        if n_threads == 1:
            play_envs(*args)
            return
        before = numba.get_num_threads()
        numba.set_num_threads(n_threads)
        play_envs_parallel(*args)
        numba.set_num_threads(before)

    def _check_actions(self, actions: np.ndarray) -> np.ndarray:
        """Return actions as contiguous int64 [E, N]."""
        actions = np.asarray(actions)
        if not np.issubdtype(actions.dtype, np.integer):
            raise TypeError(f'actions must be integers, got dtype {actions.dtype}')
        shape = (self.n_envs, self.spec.n_agents)
        if actions.shape != shape:
            raise ValueError(f'actions must have shape [n_envs, n_agents] = {shape}, got {actions.shape}')
        return np.ascontiguousarray(actions, dtype=np.int64)

    def _refuse(self, actions: np.ndarray, e: int, agent: int) -> None:
        """Raise the error for an illegal action."""
        legal = np.flatnonzero(self._out.action_mask[e, agent]).tolist()
        raise ValueError(
            f'illegal action {int(actions[e, agent])} of agent {agent} in env {e} (map {self.spec.map_name}); '
            f'legal actions: {legal}'
        )

    def _chosen(self, env_ids: np.ndarray) -> np.ndarray:
        """Return env ids as a mask, bool [E]."""
        chosen = np.zeros(self.n_envs, dtype=np.bool_)
        chosen[check_env_ids(env_ids, self.n_envs)] = True
        return chosen
