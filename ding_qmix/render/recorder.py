"""Keeps what happens in battles and writes finished episodes to video files."""
import os
from typing import Any, Optional

import numpy as np

from ding_qmix.render.frame import BattleFrame
from ding_qmix.render.painter import BattlePainter
from ding_qmix.render.video import write_video
from ding_qmix.render.web_replay import write_web_replay
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecEnv, VecStep

RECORDING_FORMAT = 'html'  # of recordings where none is asked for: plays anywhere, shows most
FPS = 8.  # [pictures per second], one per env step: four times the game's normal speed
_NO_SCORE = (0, 0., 0.)


class BattleRecorder:
    """
    Overview:
        Keeps the running episode of every env of a batch, as unit tables and not as pictures, and hands it out whole
        when it has ended: as many frames as it had steps, and one more.
    Interfaces:
        ``record``, ``drop``, ``frames``
    Arguments:
        - env: the batch, which is asked for the units of episodes that have ended
    """

    def __init__(self, env: VecEnv) -> None:
        self._env = env
        self._frames: list[list[BattleFrame]] = [[] for _ in range(env.n_envs)]
        self._ended = np.zeros(env.n_envs, dtype=bool)
        # Of the running episode, before the step that is noted: (length, last reward, return).
        self._score: list[tuple[int, float, float]] = [_NO_SCORE] * env.n_envs

    def record(
            self,
            units: UnitSnapshot,
            action_mask: np.ndarray,
            actions: np.ndarray,
            step: VecStep,
            active: Optional[np.ndarray] = None,
            q_values: Optional[np.ndarray] = None,
            q_tot: Optional[np.ndarray] = None
    ) -> np.ndarray:
        """
        Overview:
            Note one step of the envs that are True in ``active``.
        Arguments:
            - units, action_mask: the unit tables and legal actions before the step, bool [E, N, A]
            - actions, step: what was done, int64 [E, N], and what came of it
            - q_values, q_tot: float [E, N, A] that the actions were chosen by, float [E] what they are worth together
        Returns:
            - env_ids: of the episodes that ended; ``frames`` shows them until these envs' next step
        """
        played = np.ones(len(self._frames), bool) if active is None else active
        for e in np.flatnonzero(played):
            if self._ended[e]:
                self.drop(np.array([e]))
            values = None if q_values is None else q_values[e].copy()
            team_value = None if q_tot is None else float(q_tot[e])
            shown = dict(actions=actions[e].copy(), action_mask=action_mask[e].copy())
            self._append(e, units, **shown, q_values=values, q_tot=team_value)
            self._score[e] = int(step.episode_len[e]), float(step.reward[e]), float(step.episode_return[e])
        ended = np.flatnonzero(played & (step.terminated | step.truncated))
        if len(ended) > 0:
            units = self._env.final_units()
        for e in ended:
            self._append(e, units, result=_result(step, e, self._env.spec))
            self._ended[e] = True
        return ended

    def drop(self, env_ids: np.ndarray) -> None:
        """Forget the episodes of these envs."""
        for e in env_ids:
            self._frames[e] = []
            self._ended[e], self._score[e] = False, _NO_SCORE

    def frames(self, env_id: int) -> list[BattleFrame]:
        """Return the frames of an env's running or just ended episode."""
        return list(self._frames[env_id])

    def _append(self, e: int, units: UnitSnapshot, **shown: Any) -> None:
        """Add a frame with the units and the score of env e, and what else it shows."""
        length, reward, total = self._score[e]
        self._frames[e].append(BattleFrame(_row(units, e), length, reward, total, **shown))


class RecordingFiles:
    """
    Overview:
        Draws episodes and writes each to a file of its own:
        ``<prefix><map>_<label>_episode<number>_<result>.<format>``.
    Interfaces:
        ``write``
    Arguments:
        - spec, folder: of the env; where the files go
        - video_format: 'html', 'mp4' or 'gif'; None for HTML, which plays in any browser and shows more
        - prefix, scale: put before every name; [pixels per map unit]
    Raises:
        - ImportError: a video is asked for, but pillow is not installed
    """

    def __init__(
            self,
            spec: EnvSpec,
            folder: str,
            video_format: Optional[str] = None,
            prefix: str = '',
            scale: int = 22
    ) -> None:
        self._spec, self._folder, self._prefix, self._scale = spec, folder, prefix, scale
        self._format = video_format or RECORDING_FORMAT
        self._painter = None if self._format == 'html' else BattlePainter(spec, scale)
        self._n_written: dict[str, int] = {}

    def write(self, label: str, frames: list[BattleFrame]) -> str:
        """Write one episode and return the path of the file; episodes are numbered by label."""
        number = self._n_written.get(label, 0)
        self._n_written[label] = number + 1
        result = frames[-1].result.replace(' ', '-') or 'unfinished'
        name = f'{self._prefix}{self._spec.map_name}_{label}_episode{number:03}_{result}.{self._format}'
        path = os.path.join(self._folder, name)
        if self._painter is None:
            write_web_replay(path, self._spec, frames, label)
        else:
            write_video(path, map(self._painter.paint, frames), FPS)
        return path


def _row(units: UnitSnapshot, e: int) -> UnitSnapshot:
    """Copy the unit table of one env, [1, U] each."""
    return UnitSnapshot(*(field[e:e + 1].copy() for field in units))


def _result(step: VecStep, e: int, spec: EnvSpec) -> str:
    """Return how the episode of env e ended."""
    if step.won[e]:
        return 'won'
    if step.truncated[e]:
        return 'time limit'
    both_died = step.dead_allies[e] == spec.n_agents and step.dead_enemies[e] == spec.n_enemies
    return 'draw' if both_died else 'lost'
