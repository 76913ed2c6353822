from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import torch

from ding_qmix.envs.recorded_env import RecordedVecEnv
from ding_qmix.run_state.checks import check_entries, check_tensor
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecEnv, VecStep
from ding_qmix.starcraft2.vec_env import StarCraft2VecEnv


class TrackedVecEnv:
    """
    Overview:
        A VecEnv whose ``reset`` discards no episode: an env that was not stepped since its episode began keeps that
        episode, untouched in its random stream. DI-engine resets twice (its env manager after every episode, its
        evaluator again before every evaluation).
    Interfaces:
        those of ``VecEnv``, and ``record_videos``
    Properties:
        ``spec``, ``n_envs``, ``last_step``
    """

    def __init__(self, env: VecEnv) -> None:
        self._env = env
        self._last_step: Optional[VecStep] = None
        self._begun = np.zeros(env.n_envs, bool)  # an episode runs
        self._seeded = np.zeros(env.n_envs, bool)  # a seed waits for the next reset
        self._stepped = np.zeros(env.n_envs, bool)  # the running episode has been stepped
        self._kept = np.zeros(env.n_envs, bool)  # a reset kept the running episode, which has not been stepped since

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

    def observe(self) -> VecStep:
        """Return ``last_step``, or after ``load_state_dict`` the running episodes."""
        return self.last_step

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """Begin a new episode in all envs, or in those of ``env_ids``, unless it has only just begun."""
        ids = np.arange(self.n_envs) if env_ids is None else np.asarray(env_ids, np.int64)
        due = ~self._begun[ids] | self._seeded[ids] | self._stepped[ids]
        self._kept[ids] = ~due
        if due.any():
            step = self._env.reset(ids[due])
            self._begun[ids[due]], self._seeded[ids[due]], self._stepped[ids[due]] = True, False, False
            self._stepped &= ~step.lost
            self._seeded &= ~step.lost
        else:
            nothing = np.zeros(self.n_envs, bool)
            reward = np.zeros(self.n_envs, np.float32)
            flags = dict(terminated=nothing, truncated=nothing, won=nothing, lost=nothing)
            step = self.last_step._replace(reward=reward, **flags)
        return self._show(step)

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """Play one decision; see ``VecEnv.step``."""
        step = self._env.step(actions, active)
        played = np.ones(self.n_envs, bool) if active is None else active
        done = step.terminated | step.truncated | step.lost
        self._stepped = (self._stepped | played) & ~done
        self._seeded &= ~done
        self._kept &= ~played
        return self._show(step)

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """Seed each env's own generator; the next ``reset`` begins its first episode."""
        self._env.seed(seeds, env_ids)
        self._seeded[slice(None) if env_ids is None else env_ids] = True

    def lost_cause(self, env_id: int) -> str:
        """Return why an env's latest lost episode could not be played on."""
        return self._env.lost_cause(env_id)

    def units(self) -> UnitSnapshot:
        """Copy the unit tables of the running episodes."""
        return self._env.units()

    def final_units(self) -> UnitSnapshot:
        """Copy the unit tables as they were when the envs' last episodes ended; see ``VecEnv.final_units``."""
        return self._env.final_units()

    def record_videos(self, folders: Sequence[str], labels: Optional[Sequence[str]] = None) -> None:
        """
        Write a video of every episode that begins from now on, see ``RecordedVecEnv``; where the game itself plays,
        its own replay files, see ``StarCraft2VecEnv.record_replays``.
        """
        if isinstance(self._env, StarCraft2VecEnv):
            labels = labels or [f'env{e:03}' for e in range(self.n_envs)]
            paths = [Path(folder, f'{self.spec.map_name}_{label}') for folder, label in zip(folders, labels)]
            self._env.record_replays(paths)
        else:
            self._env = RecordedVecEnv(self._env, folders, labels)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, generators included: tensors and plain Python values."""
        state = {name: torch.from_numpy(getattr(self, name).copy()) for name in _OWN}
        return {'env': _map_arrays(self._env.state_dict(), np.ndarray, lambda a: torch.from_numpy(a.copy())), **state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned, in the midst of its battles; ValueError if it is damaged."""
        check_entries('TrackedVecEnv', state_dict, ('env', *_OWN))
        for name in _OWN:
            check_tensor(f'TrackedVecEnv: {name}', state_dict[name], torch.bool, (self.n_envs, ))
        self._env.load_state_dict(_map_arrays(state_dict['env'], torch.Tensor, lambda t: t.cpu().numpy()))
        for name in _OWN:
            getattr(self, name)[:] = state_dict[name].cpu().numpy()
        self._kept[:] = False
        step = self._env.observe()
        self._stepped[:] = step.episode_len > 0
        self._last_step = step if self._begun.any() else None

    def close(self) -> None:
        """Release processes and memory; a second call does nothing."""
        self._env.close()

    def _show(self, step: VecStep) -> VecStep:
        """Return a step as the last one. An env below shows its ended episode until the next is stepped or reset."""
        if self._kept.any():
            begun = {name: np.where(self._kept, 0, getattr(step, name)) for name in _OF_EPISODE}
            step = step._replace(**begun)
        self._last_step = step
        return step


_OWN = ('_begun', '_seeded')
_OF_EPISODE = ('dead_allies', 'dead_enemies', 'episode_len', 'episode_return')


def _map_arrays(state_dict: dict[str, Any], kind: type, convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Convert the values of one kind; the others are plain Python values."""
    return {name: convert(value) if isinstance(value, kind) else value for name, value in state_dict.items()}
