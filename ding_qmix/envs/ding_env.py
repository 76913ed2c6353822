import copy
from typing import Any, ClassVar, Optional

import gym
import numpy as np
from ding.envs import BaseEnv, BaseEnvTimestep
from ding.utils import ENV_REGISTRY, deep_merge_dicts
from easydict import EasyDict

from ding_qmix.config_check import check_part
from ding_qmix.envs.backends import BACKENDS, backend_options, make_vec_env
from ding_qmix.envs.blind_env import BlindVecEnv
from ding_qmix.envs.ding_format import (
    ILLEGAL_ACTION,
    JointActionSpace,
    ding_obs,
    ding_timestep,
    fresh_seed,
    joint_action,
    random_legal_action,
    reward_space,
    stream_seed,
)
from ding_qmix.envs.ding_view import DingObs, DingView, make_ding_view, observation_space
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.schema import (
    FLAG,
    SECTION,
    TEXT,
    Key,
    Schema,
    check_section,
    check_value,
    choice,
    defaults,
    integer,
    merge,
    optional,
)
from ding_qmix.schema.ding_engine import EVALUATIONS, MOST_ENVS, PART
from ding_qmix.sim.calibration import Calibration, rename_knobs
from ding_qmix.sim.checks import check_calibration
from ding_qmix.sim.ranges import CALIBRATION_RULES
from ding_qmix.smac.action_options import ACTION_RULES, ActionOptions
from ding_qmix.smac.reward import REWARD_RULES, RewardOptions
from ding_qmix.smac.rules import pathing_points
from ding_qmix.smac.scenarios import OBS_STYLES, SCENARIOS
from ding_qmix.smac.view_options import VIEW_RULES, ViewOptions, make_view_options
from ding_qmix.spec import EnvSpec
from ding_qmix.starcraft2.options import GAME_RULES


@ENV_REGISTRY.register('ding_smac')
class SMACEnv(BaseEnv):
    """
    Overview:
        One battle of SMAC as an env of DI-engine. It runs in DI-engine's env managers ``base`` and ``subprocess``; in
        the manager ``ding_smac_vector`` all battles of a batch run as one.
    Interfaces:
        ``reset``, ``step``, ``seed``, ``close``, ``random_action``, ``enable_save_replay``, \
        ``create_collector_env_cfg``, ``create_evaluator_env_cfg``, ``default_config``
    Properties:
        ``observation_space``, ``action_space``, ``reward_space``, ``env_spec``, ``view``
    """
    schema: ClassVar[Schema] = dict(
        PART,
        # SMAC map, such as '3m' or 'MMM'. There is no default map.
        map_name=Key(None, optional(choice(*SCENARIOS, noun='map'))),
        # Who plays the battle: 'sim', the embedded simulator, or 'starcraft2', the game.
        backend=Key('sim', choice(*BACKENDS, noun='backend')),
        # 'ding': DI-engine's layout, with the agent's own last action and its id. 'smac': oxwhirl's, without.
        obs_style=Key('ding', choice(*OBS_STYLES, noun='obs_style')),
        # What DI-engine's other policies take, see ``DingView``; at most one of the first three. The options change
        # DI-engine's obs dict only, except that special_global_state changes the state in both pipelines.
        # Also show each agent's obs without its allies (CollaQ).
        obs_alone=Key(False, FLAG),
        # Show each agent's obs in place of the state.
        independent_obs=Key(False, FLAG),
        # Show one view of the whole battle per agent in place of the state (MAPPO, MASAC, MADQN).
        special_global_state=Key(False, FLAG),
        # With special_global_state: show a dead agent nothing but its id.
        death_mask=Key(False, FLAG),
        # Show each agent the time and its id alone, see ``BlindVecEnv``: a baseline. Needs obs_style 'ding'.
        blind=Key(False, FLAG),
        # What an action that the mask forbids does: 'error' raises; 'stop' plays stop (no-op when dead) and logs a
        # warning. DI-engine's samplers give each illegal action a chance of 1e-8, so its policies need 'stop'.
        illegal_action=Key('error', choice(*ILLEGAL_ACTION)),
        # SMAC's reward options with SMAC's defaults, such as reward_only_positive; see ``RewardOptions``.
        **{name: Key(value, REWARD_RULES[name])
           for name, value in RewardOptions._field_defaults.items()},
        # SMAC's options of obs and state with SMAC's defaults, such as obs_last_action; see ``ViewOptions``.
        **{name: Key(value, VIEW_RULES[name])
           for name, value in ViewOptions._field_defaults.items()},
        # SMAC's options of actions with SMAC's defaults; see ``ActionOptions``.
        **{name: Key(value, ACTION_RULES[name])
           for name, value in ActionOptions._field_defaults.items()},
        # Threads that share a batch of simulated battles; None for numba's number. A single battle takes one.
        n_threads=Key(None, optional(integer(1, 1024))),
        # What differs from the simulator's default calibration, see ``Calibration``.
        calibration=CALIBRATION_RULES,
        # Where StarCraft II is, which version of it, how long to wait for it; what differs from the defaults of
        # ``GameOptions``.
        game=GAME_RULES,
        # Draw battles from evaluation's seeds, apart from training's. ``create_evaluator_env_cfg`` sets it.
        eval_stream=Key(False, FLAG),
        # Number of envs that collect.
        collector_env_num=Key(8, integer(1, MOST_ENVS)),
        # Number of envs that evaluate.
        evaluator_env_num=Key(8, integer(1, MOST_ENVS)),
        # Number of episodes of one evaluation.
        n_evaluator_episode=Key(32, EVALUATIONS['n_episode']),
        # Training stops at this mean win rate of an evaluation. More than 1 runs the full budget.
        stop_value=Key(2., EVALUATIONS['stop_value']),
        # Env manager. Battles show a dict, so DI-engine's subprocess manager copies through pipes by default.
        manager=Key(dict(shared_memory=False), SECTION),
        replay_path=optional(TEXT),  # DI-engine's: folder of videos
    )
    config: ClassVar[dict[str, Any]] = defaults(schema)

    @classmethod
    def default_config(cls) -> EasyDict:
        """Return a copy of the default config."""
        cfg = EasyDict(copy.deepcopy(cls.config))
        cfg.cfg_type = cls.__name__ + 'Dict'
        return cfg

    def __init__(self, cfg: Optional[dict] = None) -> None:
        """
        Overview:
            Check the config; the battlefield itself is built by the first ``reset``, in the process that plays it.
        Arguments:
            - cfg: what differs from ``config``
        Raises:
            - ValueError: an unknown key; names the nearest one
            - ValueError: an unknown map, backend or obs style, or options of the obs that cannot stand together
        """
        cfg = {} if cfg is None else cfg
        check_value('env', cfg, SECTION)
        cfg = rename_knobs(cfg)
        self.check_config(cfg)
        self.cfg = EasyDict(deep_merge_dicts(self.default_config(), cfg))
        if self.cfg.map_name is None:
            raise ValueError("config env.map_name is missing; name a SMAC map, such as '3m' or 'MMM'")
        self._view = make_ding_view(self.cfg)
        self._seed: Optional[int] = None
        self._action_rng = np.random.default_rng()
        self._env: Optional[TrackedVecEnv] = None
        self._replay_path: Optional[str] = None
        self._observation_space = observation_space(self._view)
        self._action_space = JointActionSpace(self._view.spec)
        self._reward_space = reward_space()

    @classmethod
    def check_config(cls, given: Any, path: str = 'env') -> None:
        """Check section ``env`` of a config, or what is given of it: ValueError names the key's path."""
        check_value(path, given, SECTION)
        given = rename_knobs(given) if 'knobs' in given else given
        check_section(path, given, cls.schema)
        cfg = merge(cls.config, given)
        check_calibration(Calibration(**cfg['calibration']))
        check_part('env_manager', f'{path}.manager', cfg['manager'])
        pathing_points(cfg['move_amount'], make_view_options(cfg))
        if cfg['map_name'] is not None:
            make_ding_view(cfg)
        if cfg['blind'] and cfg['obs_style'] != 'ding':
            raise ValueError(f"config {path}.blind: True, but obs_style {cfg['obs_style']!r} shows no agent id")

    def reset(self) -> DingObs:
        """
        Overview:
            Begin the next episode and show its first obs. An episode that has not been stepped yet is kept, so that
            resetting twice neither discards a battle nor moves the random stream.
        Shapes:
            - agent_state float32 [N, O], global_state float32 [S], action_mask float32 [N, A] (1. = legal), and what \
                the options add, see ``DingView``
        """
        if self._env is None:
            self._env = self._build()
        return ding_obs(self._view, self._env.reset(), 0)

    def step(self, action: np.ndarray) -> BaseEnvTimestep:
        """
        Overview:
            Play one decision of the whole team; see ``ding_timestep`` for what comes back.
        Arguments:
            - action: integers [N], each legal by the last ``action_mask``
        Raises:
            - ValueError: wrong shape or dtype, or, with illegal_action='error', an illegal action
            - RuntimeError: no episode runs
        """
        env = self._running()
        mask = env.last_step.action_mask[0]
        env.step(joint_action(action, mask, repr(self), self.cfg.illegal_action)[None])
        return ding_timestep(self._view, env, 0)

    def seed(self, seed: int, dynamic_seed: bool = False) -> None:
        """
        Overview:
            Seed the battle's own generator; the next ``reset`` begins the first episode of that seed.
        Arguments:
            - seed: fixes the whole sequence of episodes, which all differ from one another
            - dynamic_seed: DI-engine's word for episodes that differ, which ours always do; without effect
        """
        self._seed = stream_seed(seed, self.cfg.eval_stream)
        self._action_rng = np.random.default_rng(self._seed)
        if self._env is not None:
            self._env.seed(np.array([self._seed]))

    def random_action(self) -> np.ndarray:
        """Draw one legal action for each agent, int64 [N]."""
        return random_legal_action(self._running().last_step.action_mask[0], self._action_rng)

    def close(self) -> None:
        """Release the battlefield; a second call does nothing, and a ``reset`` builds it again."""
        if self._env is not None:
            self._env.close()
            self._env = None

    def enable_save_replay(self, replay_path: str) -> None:
        """
        Overview:
            Write a video of every episode that begins from now on.
        Arguments:
            - replay_path: folder; the files' names tell map, seed, number of the episode and how it ended
        Raises:
            - ImportError: pillow is not installed
        """
        self._replay_path = replay_path
        if self._env is not None:
            self._env.record_videos([replay_path], [f'seed{self._seed}'])

    @staticmethod
    def create_collector_env_cfg(cfg: dict) -> list[dict]:
        """Return one env config per env that collects."""
        return _env_cfgs(cfg, 'collector_env_num', eval_stream=False)

    @staticmethod
    def create_evaluator_env_cfg(cfg: dict) -> list[dict]:
        """Return one env config per env that evaluates; these draw from evaluation's seeds."""
        return _env_cfgs(cfg, 'evaluator_env_num', eval_stream=True)

    @property
    def env_spec(self) -> EnvSpec:
        """Shapes of the map."""
        return self._view.spec

    @property
    def view(self) -> DingView:
        """What is shown."""
        return self._view

    @property
    def observation_space(self) -> gym.spaces.Dict:
        """Space of the obs dict."""
        return self._observation_space

    @property
    def action_space(self) -> JointActionSpace:
        """Space of the team's actions; not every point of it is legal at every step."""
        return self._action_space

    @property
    def reward_space(self) -> gym.spaces.Box:
        """Space of a timestep's reward."""
        return self._reward_space

    def __repr__(self) -> str:
        return f'SMACEnv({self.cfg.map_name}, {self.cfg.backend})'

    __str__ = __repr__

    def _build(self) -> TrackedVecEnv:
        """The battlefield, seeded; from the operating system if nobody gave a seed."""
        env = build_battles(self.cfg, 1)
        self._seed = fresh_seed() if self._seed is None else self._seed
        env.seed(np.array([self._seed]))
        if self._replay_path is not None:
            env.record_videos([self._replay_path], [f'seed{self._seed}'])
        return env

    def _running(self) -> TrackedVecEnv:
        if self._env is None:
            raise RuntimeError(f'{self!r}: no battle has begun yet; call reset first')
        return self._env


def build_battles(cfg: EasyDict, n_envs: int) -> TrackedVecEnv:
    """Build the battles that an env config describes, as one batch."""
    options = {name: cfg[name] for name in backend_options(cfg.backend)}
    battles = make_vec_env(cfg.map_name, n_envs, cfg.backend, **options)
    return TrackedVecEnv(BlindVecEnv(battles) if cfg.blind else battles)


def _env_cfgs(cfg: dict, num_key: str, eval_stream: bool) -> list[dict]:
    """As many copies of an env config as its ``num_key`` says, checked before the pipeline builds anything."""
    SMACEnv.check_config(cfg)
    cfg = copy.deepcopy(cfg)
    n_envs: int = cfg.get(num_key, SMACEnv.config[num_key])
    env_cfg: dict[str, Any] = EasyDict(cfg, eval_stream=eval_stream)
    return [copy.deepcopy(env_cfg) for _ in range(n_envs)]
