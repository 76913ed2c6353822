from collections.abc import Sequence
from typing import Any, Callable, Optional

import numpy as np
import torch

from ding_qmix.envs.recorded_env import RecordedVecEnv
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecEnv, VecStep


class TrackedVecEnv:
    """
    Overview:
        A VecEnv that keeps the length and return of its episodes, and whose ``reset`` burns no episode: an env that
        was not stepped since its episode began keeps that episode, untouched in its random stream. DI-engine resets
        twice (its env manager after every episode, its evaluator again before every evaluation).
    Interfaces:
        ``reset``, ``step``, ``seed``, ``units``, ``save_replays``, ``state_dict``, ``load_state_dict``, ``close``
    Properties:
        ``spec``, ``n_envs``, ``last_step``
        - episode_len, episode_return: of the running episodes, int64 [E] in [env steps] and float64 [E]
        - ended_len, ended_return: of each env's last ended episode
    """

    def __init__(self, env: VecEnv) -> None:
        self._env = env
        self._last_step: Optional[VecStep] = None
        self._begun = np.zeros(env.n_envs, bool)  # an episode runs
        self._seeded = np.zeros(env.n_envs, bool)  # a seed waits for the next reset
        self.episode_len = np.zeros(env.n_envs, np.int64)
        self.episode_return = np.zeros(env.n_envs)
        self.ended_len = np.zeros(env.n_envs, np.int64)
        self.ended_return = np.zeros(env.n_envs)

    @property
    def spec(self) -> EnvSpec:
        """Shapes of the map."""
        return self._env.spec

    @property
    def n_envs(self) -> int:
        """Number of battles, E."""
        return self._env.n_envs

    @property
    def last_step(self) -> VecStep:
        """What the last ``reset`` or ``step`` returned. RuntimeError before the first ``reset``."""
        if self._last_step is None:
            raise RuntimeError(f'VecEnv({self.spec.map_name}): no battle has begun yet; call reset first')
        return self._last_step

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """Begin a new episode in all envs, or in those of ``env_ids``, unless it has only just begun."""
        ids = np.arange(self.n_envs) if env_ids is None else np.asarray(env_ids, np.int64)
        ids = ids[~self._begun[ids] | self._seeded[ids] | (self.episode_len[ids] > 0)]
        if len(ids) > 0:
            self._last_step = self._env.reset(ids)
            self._begun[ids], self._seeded[ids] = True, False
            self.episode_len[ids], self.episode_return[ids] = 0, 0.
        nothing = np.zeros(self.n_envs, bool)
        self._last_step = self.last_step._replace(
            reward=np.zeros(self.n_envs, np.float32), terminated=nothing, truncated=nothing, won=nothing
        )
        return self._last_step

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """Play one decision; see ``VecEnv.step``."""
        step = self._env.step(actions, active)
        self.episode_len += 1 if active is None else active
        self.episode_return += step.reward
        done = step.terminated | step.truncated
        if done.any():
            self.ended_len[done], self.ended_return[done] = self.episode_len[done], self.episode_return[done]
            self.episode_len[done], self.episode_return[done] = 0, 0.
            self._seeded[done] = False
        self._last_step = step
        return step

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """Seed each env's own generator; the next ``reset`` begins its first episode."""
        self._env.seed(seeds, env_ids)
        self._seeded[slice(None) if env_ids is None else env_ids] = True

    def units(self) -> UnitSnapshot:
        """Copy the unit table of the running episodes."""
        return self._env.units()

    def save_replays(self, folders: Sequence[str], labels: Optional[Sequence[str]] = None) -> None:
        """Write a video of every episode that begins from now on; see ``RecordedVecEnv``."""
        self._env = RecordedVecEnv(self._env, folders, labels)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, generators included: tensors and plain Python values."""
        state = {name: torch.from_numpy(getattr(self, name).copy()) for name in _OWN}
        return {'env': _map_arrays(self._env.state_dict(), np.ndarray, lambda a: torch.from_numpy(a.copy())), **state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned, in the midst of its battles."""
        self._env.load_state_dict(_map_arrays(state_dict['env'], torch.Tensor, lambda t: t.cpu().numpy()))
        for name in _OWN:
            getattr(self, name)[:] = state_dict[name].cpu().numpy()
        if self._begun.any():
            self._last_step = self._env.reset(np.array([], np.int64))  # resets none, shows all

    def close(self) -> None:
        """Release processes and memory; a second call does nothing."""
        self._env.close()


_OWN = ('_begun', '_seeded', 'episode_len', 'episode_return', 'ended_len', 'ended_return')


def _map_arrays(state_dict: dict[str, Any], kind: type, convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Convert the values of one kind; the others are plain Python values."""
    return {name: convert(value) if isinstance(value, kind) else value for name, value in state_dict.items()}
