from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ding_qmix.envs.backends import backend_options, make_vec_env
from ding_qmix.envs.ding_format import fresh_seed, joint_action
from ding_qmix.envs.recorded_env import RecordedVecEnv
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.render.frame import BattleFrame
from ding_qmix.render.painter import BattlePainter
from ding_qmix.render.recorder import RecordingFiles
from ding_qmix.spec import UnitSnapshot, VecStep
from ding_qmix.starcraft2.vec_env import StarCraft2VecEnv
from ding_qmix.utils.keys import nearest_hint

# Arguments of SMAC's StarCraft2Env that no option here stands for, with the values that the simulator plays by.
_FIXED: dict[str, tuple[Any, ...]] = dict(
    difficulty=('7', ),
    game_version=(None, '4.10'),
    heuristic_ai=(False, ),
    debug=(False, ),
)
# Those that change nothing where no window is opened and no heuristic plays.
_WITHOUT_EFFECT = ('window_size_x', 'window_size_y', 'heuristic_rest')
_REPLAYS = 'replays'  # folder of videos where replay_dir is SMAC's default ''


class SMACMultiAgentEnv:
    """
    Overview:
        One battle with the methods of PyMARL's MultiAgentEnv. ``ding_qmix.envs.pymarl`` has all of SMAC's public
        methods, ``ding_qmix.envs.epymarl`` EPyMARL's form of ``reset`` and ``step``.
    Interfaces:
        ``reset``, ``step``, ``get_obs``, ``get_obs_agent``, ``get_obs_size``, ``get_state``, ``get_state_size``, \
        ``get_avail_actions``, ``get_avail_agent_actions``, ``get_total_actions``, ``get_env_info``, ``get_stats``, \
        ``render``, ``close``, ``seed``, ``save_replay``, ``units``
    """

    def __init__(
            self,
            map_name: str = '8m',
            backend: str = 'sim',
            seed: Optional[int] = None,
            obs_style: str = 'smac',
            continuing_episode: bool = False,
            replay_dir: str = '',
            replay_prefix: str = '',
            **options: Any
    ) -> None:
        """
        Arguments:
            - map_name, backend: as in ``make_vec_env``
            - seed: an integer that fixes the whole sequence of episodes; None takes one from the operating system
            - obs_style: 'smac', or 'ding' with the agent's own last action and id appended
            - continuing_episode: SMAC's rule for the time limit. PyMARL bootstraps through an end that is marked with \
                ``info['episode_limit']``. By default SMAC does not mark it and the time limit is an end like any \
                other; published results have that. True marks it.
            - replay_dir, replay_prefix: folder that ``save_replay`` writes videos to, '' for ./replays, and how their \
                names begin; the files are the game's own where StarCraft II plays
            - options: the backend's, under SMAC's names; SMAC's other arguments are accepted with the values that the \
                simulator plays by
        Raises:
            - TypeError: a seed that is no integer
            - ValueError: an argument of SMAC with a value that is not offered
            - ValueError: an unknown option; names the nearest one
        """
        options = _without_fixed(options, backend)
        battle = make_vec_env(map_name, 1, backend, obs_style=obs_style, **options)
        self._game = battle if isinstance(battle, StarCraft2VecEnv) else None  # it has replays of its own
        self._recorded = RecordedVecEnv(battle)
        self._files: Optional[RecordingFiles] = None  # from the first video on; needs pillow
        self._replays = (replay_dir or _REPLAYS, replay_prefix)
        self._env = TrackedVecEnv(self._recorded)
        self._seed = fresh_seed() if seed is None else _integer('seed', seed)
        self._env.seed(np.array([self._seed]))
        self._continuing_episode = continuing_episode
        self._ended = False  # the episode is over, and its last obs are still shown
        self._lost = False  # the game broke: the next episode is shown, and waits for reset
        self._stats = {'battles_won': 0, 'battles_game': 0, 'battles_draw': 0, 'timeouts': 0, 'restarts': 0}
        spec = self._env.spec
        self.map_name, self.episode_limit = map_name, spec.episode_limit
        self.n_agents, self.n_enemies, self.n_actions = spec.n_agents, spec.n_enemies, spec.n_actions

    def reset(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Begin the next episode, unless it has only just begun; return ``get_obs()`` and ``get_state()``."""
        self._env.reset()
        self._ended = self._lost = False
        return self.get_obs(), self.get_state()

    def step(self, actions: Union[Sequence[int], np.ndarray]) -> tuple[float, bool, dict[str, Any]]:
        """
        Overview:
            Play one decision of the whole team. After an episode's end the getters show its last obs until ``reset``.
            Where the game broke and was restarted, the episode ends as in SMAC: reward 0, no info, one restart more.
        Arguments:
            - actions: one legal action per agent, integers [N]: Python's, NumPy's, or a tensor's
        Returns:
            - reward: of the team
            - terminated: the episode is over, by the battle's end or the time limit
            - info: battle_won, dead_allies, dead_enemies; and episode_limit=True if the time limit ended a \
                ``continuing_episode``
        Raises:
            - TypeError: an action that is no integer
            - ValueError: wrong number of actions, or an illegal one
            - RuntimeError: the episode is over, or none has begun
        """
        if self._ended or self._lost:
            raise RuntimeError(f'{self!r}: the episode is over; call reset before the next step')
        step = self._env.last_step
        action = joint_action(
            [_integer(f'action of agent {i}', a) for i, a in enumerate(actions)], step.action_mask[0], repr(self)
        )
        step = self._env.step(action[None])
        if step.lost[0]:
            self._lost = True
            self._stats['restarts'] += 1
            return 0., True, {}
        won, timeout = bool(step.won[0]), bool(step.truncated[0])
        self._ended = bool(step.terminated[0]) or timeout
        info: dict[str, Any] = {
            'battle_won': won,
            'dead_allies': int(step.dead_allies[0]),
            'dead_enemies': int(step.dead_enemies[0]),
        }
        if timeout and self._continuing_episode:
            info['episode_limit'] = True
        if self._ended:
            self._count_battle(won, timeout)
        return float(step.reward[0]), self._ended, info

    def get_obs(self) -> list[np.ndarray]:
        """Return the agents' observations, N arrays float32 [O]."""
        step = self._env.last_step
        return list((step.final_obs if self._ended else step.obs)[0].copy())

    def get_obs_agent(self, agent_id: int) -> np.ndarray:
        """Return one agent's observation, float32 [O]."""
        return self.get_obs()[agent_id]

    def get_obs_size(self) -> int:
        """Return O."""
        return self._env.spec.obs_dim

    def get_state(self) -> np.ndarray:
        """Return the global state, float32 [S]."""
        step = self._env.last_step
        return (step.final_state if self._ended else step.state)[0].copy()

    def get_state_size(self) -> int:
        """Return S."""
        return self._env.spec.state_dim

    def get_avail_actions(self) -> list[list[int]]:
        """Return for every agent and action whether it is legal now, 1 or 0."""
        return self._mask().astype(int).tolist()

    def get_avail_agent_actions(self, agent_id: int) -> list[int]:
        """Return for every action of one agent whether it is legal now, 1 or 0."""
        return self._mask()[agent_id].astype(int).tolist()

    def get_total_actions(self) -> int:
        """Return A."""
        return self.n_actions

    def get_env_info(self) -> dict[str, int]:
        """Return the sizes that PyMARL builds its networks from."""
        return {
            'state_shape': self.get_state_size(),
            'obs_shape': self.get_obs_size(),
            'n_actions': self.n_actions,
            'n_agents': self.n_agents,
            'episode_limit': self.episode_limit,
        }

    def get_stats(self) -> dict[str, Union[int, float]]:
        """Return counts over all episodes so far; SMAC counts every time limit as a draw, and so does this."""
        return {**self._stats, 'win_rate': self._stats['battles_won'] / max(1, self._stats['battles_game'])}

    def units(self) -> UnitSnapshot:
        """Copy the unit table, [1, U] each; after an episode's end as it was then."""
        return self._env.final_units() if self._ended else self._env.units()

    def seed(self, seed: Optional[int] = None) -> int:
        """Return the seed. Given one, seed the battle with it; the next ``reset`` begins the first episode of it."""
        if seed is not None:
            self._seed = _integer('seed', seed)
            self._env.seed(np.array([self._seed]))
        return self._seed

    def render(self, mode: str = 'rgb_array') -> np.ndarray:
        """
        Overview:
            Draw the battle as it stands, uint8 [height, width, 3]; after an episode's end as it was then.
        Raises:
            - ValueError: another mode; no window is opened
            - ImportError: pillow is not installed
        """
        if mode != 'rgb_array':
            raise ValueError(f"{self!r}: render mode {mode!r} is not offered, only 'rgb_array'")
        step = self._env.last_step
        length, total = int(step.episode_len[0]), float(step.episode_return[0])
        frame = BattleFrame(self.units(), length, float(step.reward[0]), total)
        return BattlePainter(self._env.spec).paint(frame)

    def save_replay(self) -> str:
        """
        Overview:
            Write a video of the running episode up to now, or of the one that has just ended; from StarCraft II a file
            .SC2Replay with all that was played since its game began.
        Returns:
            - path: of the file, in ``replay_dir``
        Raises:
            - RuntimeError: no step was played yet
            - ImportError: pillow is not installed
        """
        if self._game is not None:
            return self._save_game_replay(self._game)
        frames = self._recorded.frames(0)
        if not frames:
            raise RuntimeError(f'{self!r}: there is no step to show yet; play one before save_replay')
        if self._files is None:
            folder, prefix = self._replays
            self._files = RecordingFiles(self._env.spec, folder, prefix=prefix)
        return self._files.write(f'seed{self._seed}', frames)

    def close(self) -> None:
        """Release the battlefield; a second call does nothing."""
        self._env.close()

    def __repr__(self) -> str:
        return f'SMACMultiAgentEnv({self.map_name})'

    def _mask(self) -> np.ndarray:
        step: VecStep = self._env.last_step
        return (step.final_action_mask if self._ended else step.action_mask)[0]

    def _save_game_replay(self, game: StarCraft2VecEnv) -> str:
        """Write a replay file of the game's own and return its path."""
        (folder, prefix), n_battles = self._replays, self._stats['battles_game']
        path = Path(folder, f'{prefix}{self.map_name}_seed{self._seed}_{n_battles:03}.SC2Replay')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(game.save_replay(0))
        return str(path)

    def _count_battle(self, won: bool, timeout: bool) -> None:
        self._stats['battles_game'] += 1
        self._stats['battles_won'] += won
        self._stats['timeouts'] += timeout
        self._stats['battles_draw'] += timeout


def _integer(name: str, value: Any) -> int:
    """Return an integer as Python's; TypeError for what would have to be rounded, and for True and False."""
    plain = value.item() if hasattr(value, 'item') else value  # of NumPy or torch
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise TypeError(f'SMACMultiAgentEnv: {name} is {value!r} of type {type(value).__name__}, expected an integer')
    return plain


def _without_fixed(options: dict[str, Any], backend: str) -> dict[str, Any]:
    """Take out SMAC's arguments that the backend has no option for, if their values are the ones it plays by."""
    known = backend_options(backend)
    others = [*_FIXED, *_WITHOUT_EFFECT]
    for name, value in options.items():
        if name not in known and name not in others:
            raise ValueError(f'SMACMultiAgentEnv: unknown option {name!r}; {nearest_hint(name, [*known, *others])}')
        if name not in known and value not in _FIXED.get(name, (value, )):
            allowed = ' or '.join(repr(v) for v in _FIXED[name])
            raise ValueError(f'SMACMultiAgentEnv: {name}={value!r} is not offered, only {allowed}')
    return {name: value for name, value in options.items() if name in known}
