"""Keeps what happens in battles and writes finished episodes to video files."""
import os
from typing import Optional

import numpy as np

from ding_qmix.render.painter import BattleFrame, BattlePainter
from ding_qmix.render.video import default_format, write_video
from ding_qmix.smac.rules import MAP_CENTER, MAP_EXTENT
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.units import UNIT_STATS
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecStep

FPS = 8.  # [pictures per second], one per env step: four times the game's normal speed


class BattleRecorder:
    """
    Overview:
        Keeps the running episode of every env of a batch, as unit tables and not as pictures, and hands it out whole
        when it has ended: as many frames as it had steps, and one more.
    Interfaces:
        ``record``, ``drop``, ``frames``
    Arguments:
        - spec, n_envs: of the batch
    """

    def __init__(self, spec: EnvSpec, n_envs: int) -> None:
        self._spec = spec
        self._frames: list[list[BattleFrame]] = [[] for _ in range(n_envs)]
        self._ended = np.zeros(n_envs, dtype=bool)
        self._reward = np.zeros(n_envs)
        self._return = np.zeros(n_envs)

    def record(
            self,
            units: UnitSnapshot,
            action_mask: np.ndarray,
            actions: np.ndarray,
            step: VecStep,
            active: Optional[np.ndarray] = None,
            q_values: Optional[np.ndarray] = None
    ) -> np.ndarray:
        """
        Overview:
            Note one step of the envs that are True in ``active``.
        Arguments:
            - units, action_mask: the unit tables and legal actions before the step, bool [E, N, A]
            - actions, step: what was done, int64 [E, N], and what came of it
            - q_values: float [E, N, A] that the actions were chosen by
        Returns:
            - env_ids: of the episodes that ended; ``frames`` shows them until these envs' next step
        """
        played = np.ones(len(self._frames), bool) if active is None else active
        for e in np.flatnonzero(played):
            if self._ended[e]:
                self.drop(np.array([e]))
            self._frames[e].append(
                BattleFrame(
                    _row(units, e), len(self._frames[e]), self._reward[e], self._return[e], '', actions[e].copy(),
                    action_mask[e].copy(), None if q_values is None else q_values[e].copy()
                )
            )
            self._reward[e] = step.reward[e]
            self._return[e] += step.reward[e]
        ended = np.flatnonzero(played & (step.terminated | step.truncated))
        for e in ended:
            before, result = self._frames[e][-1].units, _result(step, e, self._spec)
            if self._spec.special_global_state:
                last = beaten_units(before, result, self._spec)
            else:
                last = final_units(step.final_state[e], before, self._spec)
            self._frames[e].append(BattleFrame(last, len(self._frames[e]), self._reward[e], self._return[e], result))
            self._ended[e] = True
        return ended

    def drop(self, env_ids: np.ndarray) -> None:
        """Forget the episodes of these envs."""
        for e in env_ids:
            self._frames[e] = []
            self._ended[e], self._reward[e], self._return[e] = False, 0., 0.

    def frames(self, env_id: int) -> list[BattleFrame]:
        """Return the frames of an env's running or just ended episode."""
        return list(self._frames[env_id])


class ReplayFiles:
    """
    Overview:
        Draws episodes and writes each to a file of its own:
        ``<prefix><map>_<label>_episode<number>_<result>.<format>``.
    Interfaces:
        ``write``
    Arguments:
        - spec, folder: of the env; where the files go
        - video_format: 'mp4' or 'gif'; None for MP4 if it can be written, else GIF
        - prefix, scale: put before every name; [pixels per map unit]
    Raises:
        - ImportError: pillow is not installed
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
        self._format = video_format or default_format()
        self._painter = BattlePainter(spec, scale)
        self._n_written: dict[str, int] = {}

    def write(self, label: str, frames: list[BattleFrame]) -> str:
        """Write one episode and return the path of the file; episodes are numbered by label."""
        number = self._n_written.get(label, 0)
        self._n_written[label] = number + 1
        result = frames[-1].result.replace(' ', '-') or 'unfinished'
        name = f'{self._prefix}{self._spec.map_name}_{label}_episode{number:03}_{result}.{self._format}'
        path = os.path.join(self._folder, name)
        write_video(path, (self._painter.paint(frame) for frame in frames), FPS)
        return path


def final_units(state: np.ndarray, before: UnitSnapshot, spec: EnvSpec) -> UnitSnapshot:
    """
    Overview:
        Rebuild the unit table from a global state: an env that has ended an episode shows the next one's units, but
        keeps the last state. What a state does not tell (the enemies' cooldown, where units died, who aims at whom) is
        kept from the table before, or left out.
    Arguments:
        - state: float [S], SMAC's own; from DI-engine's ``special_global_state`` see ``beaten_units``
        - before: the same battle one step earlier, [1, U] each
    """
    scenario, units = get_scenario(spec.map_name), _row(before, 0)
    units.target[:] = -1
    start = 0
    for u in range(spec.n_agents + spec.n_enemies):
        is_ally = u < spec.n_agents
        slots = scenario.ally_slots if is_ally else scenario.enemy_slots
        protoss = (scenario.ally_race if is_ally else scenario.enemy_race) == 'P'
        stats = UNIT_STATS[units.unit_type[0, u]]
        units.health[0, u] = state[start] * stats.health
        units.alive[0, u] = state[start] > 0.
        place = start + (2 if is_ally else 1)
        if units.alive[0, u]:
            units.x[0, u], units.y[0, u] = state[place:place + 2] * MAP_EXTENT + MAP_CENTER
        units.shield[0, u] = state[place + 2] * stats.shield if protoss else 0.
        if is_ally:
            clock = units.energy if stats.energy_max > 0. else units.cooldown
            clock[0, u] = state[start + 1] * stats.cooldown_scale
        start = place + 2 + protoss + len(slots)
    return units


def beaten_units(before: UnitSnapshot, result: str, spec: EnvSpec) -> UnitSnapshot:
    """Return the unit table of one step before, [1, U] each, with the side dead that the result says is beaten."""
    units = _row(before, 0)
    units.target[:] = -1
    beaten = {'won': slice(spec.n_agents, None), 'lost': slice(spec.n_agents), 'draw': slice(None)}
    units.alive[0, beaten.get(result, slice(0))] = False
    return units


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
