from typing import Any, Callable, ClassVar, Optional, Union

import numpy as np
from ding.envs import BaseEnvManager, BaseEnvTimestep, SyncSubprocessEnvManager
from ding.envs.env_manager.base_env_manager import EnvState
from ding.utils import ENV_MANAGER_REGISTRY, deep_merge_dicts
from easydict import EasyDict

from ding_qmix.envs.ding_env import SMACEnv, build_battles
from ding_qmix.envs.ding_format import (
    ding_obs,
    ding_timestep,
    fresh_seed,
    joint_action,
    random_legal_action,
    stream_seed,
)
from ding_qmix.envs.ding_view import DingObs
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.schema import FLAG, Key, Schema, check_section, defaults, number
from ding_qmix.schema.ding_engine import MANAGER
from ding_qmix.spec import VecStep


@ENV_MANAGER_REGISTRY.register('ding_smac_vector')
class VectorEnvManager(BaseEnvManager):
    """
    Overview:
        Env manager of ``SMACEnv`` that plays all its battles as one batch. DI-engine's collectors, evaluators and
        entries run on it as on their own managers; battle i is bit for bit the one that a single ``SMACEnv`` with the
        same seed plays. Our own collector and evaluator use ``vec_env``, where no battle is handled on its own.
    Interfaces:
        ``launch``, ``reset``, ``step``, ``seed``, ``close``, ``random_action``, ``enable_save_replay``, \
        ``default_config``
    Properties:
        ``vec_env``, ``vec_step``, and those of ``BaseEnvManager``
    """
    schema: ClassVar[Schema] = dict(
        MANAGER,
        # Number of episodes after which an env is done; inf for no limit.
        episode_num=Key(float('inf'), number(1, float('inf'))),
        # Begin the next episode where one ends. If not, an ended env waits for ``reset``.
        auto_reset=Key(True, FLAG),
    )
    config: ClassVar[dict[str, Any]] = defaults(schema)
    _env_seed: Any  # BaseEnvManager's, a list or dict
    # What BaseEnvManager needs and does not apply here: there is no process to wait for and nothing to retry.
    _BASE: ClassVar[dict[str, Any]] = dict(
        max_retry=1, retry_type='reset', step_timeout=None, reset_timeout=None, retry_waiting_time=0.1
    )

    def __init__(self, env_fn: list[Callable[[], SMACEnv]], cfg: Optional[dict] = None) -> None:
        """
        Overview:
            Note what to play; ``launch`` builds the battles.
        Arguments:
            - env_fn: one function per battle that makes its ``SMACEnv``; their configs must be the same
            - cfg: what differs from ``config``
        Raises:
            - ValueError: an unknown key; those of DI-engine's own managers are accepted and have no effect
            - TypeError: an env is no ``SMACEnv``
            - ValueError: the envs' configs differ
        """
        self.check_config(cfg or {})
        cfg = deep_merge_dicts(EasyDict(self._BASE, **self.default_config()), cfg or {})
        self._vec_env: Optional[TrackedVecEnv] = None
        super().__init__(env_fn, cfg)
        _check_same_config([fn() for fn in env_fn])
        self._seeds = np.array([fresh_seed() for _ in env_fn], np.int64)  # used as they are where nobody seeds
        self._action_rng = np.random.default_rng(int(self._seeds[0]))

    @classmethod
    def check_config(cls, given: Any, path: str = 'env.manager') -> None:
        """Check this part's section of a config, or what is given of it: ValueError names the key's path."""
        check_section(path, given, cls.schema, SyncSubprocessEnvManager.config)

    @property
    def vec_env(self) -> TrackedVecEnv:
        """The running battles, to be stepped as a batch. RuntimeError before ``launch`` and after ``close``."""
        if self._vec_env is None:
            raise RuntimeError(f'{type(self).__name__}: the env manager is closed; call launch first')
        return self._vec_env

    @property
    def vec_step(self) -> VecStep:
        """What the battles show now."""
        return self.vec_env.last_step

    @property
    def ready_obs(self) -> dict[int, DingObs]:
        """Obs of the envs that wait for an action, {env_id: obs}; copies."""
        return {i: ding_obs(self._env_ref.view, self.vec_step, i) for i in self.ready_obs_id}

    def reset(self, reset_param: Optional[dict[int, Optional[dict]]] = None) -> None:
        """
        Overview:
            Begin a new episode in all envs, or in those that are keys of ``reset_param``; an env whose episode has
            not been stepped yet keeps it.
        Raises:
            - TypeError: parameters for a ``reset`` that takes none
        """
        env_ids = list(range(self.env_num)) if reset_param is None else list(reset_param)
        for i, param in (reset_param or {}).items():
            if param:
                raise TypeError(f'{type(self).__name__}: reset of env {i} takes no parameters, got {param}')
        self.vec_env.reset(np.array(env_ids, np.int64))
        for i in env_ids:
            self._env_states[i] = EnvState.RUN

    def step(self, actions: dict[int, Any]) -> dict[int, BaseEnvTimestep]:
        """
        Overview:
            Play one decision in the given envs; the others are skipped.
        Arguments:
            - actions: {env_id: integers [N]}, each legal by that env's ``action_mask``
        Returns:
            - timesteps: {env_id: timestep}, see ``ding_timestep``
        Raises:
            - ValueError: wrong shape or dtype, or, with illegal_action='error', an illegal action
            - RuntimeError: an env does not run
        """
        env, spec = self.vec_env, self.vec_env.spec
        batch = np.zeros((self.env_num, spec.n_agents), np.int64)  # [E, N]
        active = np.zeros(self.env_num, bool)  # [E]
        for i, action in actions.items():
            if self._env_states.get(i) != EnvState.RUN:
                raise RuntimeError(f'env {i} does not run, its state is {self._env_states.get(i)!r}; reset it first')
            mask = env.last_step.action_mask[i]
            batch[i] = joint_action(action, mask, f'env {i} ({spec.map_name})', self._env_ref.cfg.illegal_action)
            active[i] = True
        env.step(batch, None if active.all() else active)
        timesteps = {i: ding_timestep(self._env_ref.view, env, i) for i in actions}
        for i, timestep in timesteps.items():
            if timestep.done:
                self._count_episode(i)
        return timesteps

    def seed(self, seed: Union[dict[int, int], list[int], int], dynamic_seed: Optional[bool] = None) -> None:
        """
        Overview:
            Seed the battles; takes effect at their next ``reset``, or at ``launch``. A battle's seed fixes its whole
            sequence of episodes.
        Arguments:
            - seed: of all envs (env i gets ``seed + i``), one per env, or {env_id: seed}
            - dynamic_seed: without effect, see ``SMACEnv.seed``
        """
        super().seed(seed, dynamic_seed)
        given = self._env_seed if isinstance(self._env_seed, dict) else dict(enumerate(self._env_seed))
        env_ids = [i for i, s in given.items() if s is not None]
        self._seeds[env_ids] = [stream_seed(given[i], self._env_ref.cfg.eval_stream) for i in env_ids]
        self._env_seed = {i: None for i in range(self.env_num)}
        self._action_rng = np.random.default_rng(int(self._seeds[0]))
        if self._vec_env is not None:
            self._vec_env.seed(self._seeds[env_ids], np.array(env_ids))

    def random_action(self) -> dict[int, np.ndarray]:
        """Draw one legal action for each agent of the envs that wait for one, {env_id: int64 [N]}."""
        mask = self.vec_step.action_mask
        return {i: random_legal_action(mask[i], self._action_rng) for i in self.ready_obs_id}

    def close(self) -> None:
        """Release the battles; a second call does nothing. ``launch`` afterwards plays them anew from their seeds."""
        if self._vec_env is not None:
            self._vec_env.close()
            self._vec_env = None
        self._env_states = {i: EnvState.VOID for i in range(self.env_num)}
        self._closed = True

    def enable_save_replay(self, replay_path: Union[list[str], str]) -> None:
        """
        Overview:
            Write a video of every episode that begins from now on, one file each.
        Arguments:
            - replay_path: folder, or one per env; the files' names tell map, env, number of the episode and its end
        Raises:
            - ImportError: pillow is not installed
            - ValueError: not one folder per env
        """
        folders = [replay_path] * self.env_num if isinstance(replay_path, str) else list(replay_path)
        if len(folders) != self.env_num:
            raise ValueError(f'{type(self).__name__}: got {len(folders)} folders for {self.env_num} envs')
        self._env_replay_path = folders
        if self._vec_env is not None:
            self._vec_env.record_videos(folders)

    def _create_state(self) -> None:
        """Build the battles; ``launch`` calls this and then ``reset``."""
        self._env_episode_count = {i: 0 for i in range(self.env_num)}
        self._env_states = {i: EnvState.INIT for i in range(self.env_num)}
        self._vec_env = build_battles(self._env_ref.cfg, self.env_num)
        self._vec_env.seed(self._seeds)
        if self._env_replay_path is not None:
            self._vec_env.record_videos(self._env_replay_path)
        self._closed = False

    def _count_episode(self, env_id: int) -> None:
        """The battles have begun the next episode by themselves; who may not play it waits or is done."""
        self._env_episode_count[env_id] += 1
        if self._env_episode_count[env_id] >= self._episode_num:
            self._env_states[env_id] = EnvState.DONE
        elif not self._auto_reset:
            self._env_states[env_id] = EnvState.NEED_RESET

    def __getattr__(self, key: str) -> Any:
        """An attribute of the envs, once per env, as in ``BaseEnvManager``; all envs are alike."""
        if key.startswith('_') or not hasattr(self._env_ref, key):
            raise AttributeError(f'{type(self).__name__} has no attribute {key!r}')
        return [getattr(self._env_ref, key)] * self.env_num


def _check_same_config(envs: list[SMACEnv]) -> None:
    """One batch has one map and one set of options."""
    for i, env in enumerate(envs):
        if not isinstance(env, SMACEnv):
            raise TypeError(f'VectorEnvManager: env {i} is a {type(env).__name__}, expected SMACEnv')
        for key, value in envs[0].cfg.items():
            if env.cfg.get(key) != value:
                raise ValueError(
                    f'VectorEnvManager: env {i} has {key}={env.cfg.get(key)!r}, but env 0 has {value!r}; '
                    'all envs of one manager play the same map with the same options'
                )
