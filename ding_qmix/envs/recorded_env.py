from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from ding_qmix.render.frame import BattleFrame
from ding_qmix.render.recorder import BattleRecorder, RecordingFiles
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecEnv, VecStep


class RecordedVecEnv:
    """
    Overview:
        A VecEnv that writes every episode it sees from its first step to its last to a video file.
    Interfaces:
        those of ``VecEnv``, and ``frames``
    Arguments:
        - env: the battles
        - folders: where the videos of each env go; None writes none, and only ``frames`` shows them
        - labels: what the names of each env's files say
    Raises:
        - ImportError: pillow is not installed
    """

    def __init__(
            self, env: VecEnv, folders: Optional[Sequence[str]] = None, labels: Optional[Sequence[str]] = None
    ) -> None:
        self._env = env
        self.spec: EnvSpec = env.spec
        self.n_envs: int = env.n_envs
        self._recorder = BattleRecorder(env)
        self._from_start = np.zeros(env.n_envs, dtype=bool)  # [E], the running episode began before our eyes
        self._folders = folders
        self._labels = labels or [f'env{e:03}' for e in range(env.n_envs)]
        self._files = {folder: RecordingFiles(env.spec, folder) for folder in set(folders or ())}

    def frames(self, env_id: int) -> list[BattleFrame]:
        """Return what was seen of an env's running or just ended episode."""
        return self._recorder.frames(env_id)

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """Begin new episodes; unfinished ones leave no file."""
        step = self._env.reset(env_ids)
        begun = np.arange(self.n_envs) if env_ids is None else env_ids
        self._begin(np.union1d(begun, np.flatnonzero(step.lost)))
        return step

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """Play one decision; write the episodes that it ends. Lost ones leave no file."""
        units, mask = self._env.units(), self._env.observe().action_mask.copy()
        step = self._env.step(actions, active)
        played = np.ones(self.n_envs, dtype=bool) if active is None else active
        for e in self._recorder.record(units, mask, actions, step, played & self._from_start & ~step.lost):
            if self._folders is not None:
                self._files[self._folders[e]].write(self._labels[e], self._recorder.frames(e))
        self._from_start |= played & (step.terminated | step.truncated)
        self._begin(np.flatnonzero(step.lost))
        return step

    def observe(self) -> VecStep:
        """Return what the env shows; see ``VecEnv.observe``."""
        return self._env.observe()

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """Seed each env's own generator; takes effect at the next reset."""
        self._env.seed(seeds, env_ids)

    def lost_cause(self, env_id: int) -> str:
        """Return why an env's latest lost episode could not be played on."""
        return self._env.lost_cause(env_id)

    def units(self) -> UnitSnapshot:
        """Copy the unit tables of the running episodes."""
        return self._env.units()

    def final_units(self) -> UnitSnapshot:
        """Copy the unit tables as they were when the envs' last episodes ended; see ``VecEnv.final_units``."""
        return self._env.final_units()

    def state_dict(self) -> dict[str, Any]:
        """Return the battles' state; recordings are no part of it."""
        return self._env.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the battles; those in their midst are not recorded."""
        self._env.load_state_dict(state_dict)
        self._recorder.drop(np.arange(self.n_envs))
        self._from_start[:] = False

    def close(self) -> None:
        """Release the battles; unfinished episodes leave no file."""
        self._env.close()

    def _begin(self, env_ids: np.ndarray) -> None:
        """In these envs an episode has begun before our eyes."""
        self._recorder.drop(env_ids)
        self._from_start[env_ids] = True
