"""Rows of a batched env in DI-engine's format: obs dicts, timesteps, spaces and seeds."""
import logging
from typing import Any

import gym
import numpy as np
from ding.envs import BaseEnvTimestep

from ding_qmix.envs.ding_view import DingObs, DingView, view_obs
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.smac.rules import NO_OP, STOP
from ding_qmix.spec import EnvSpec, VecStep

ILLEGAL_ACTION = ('error', 'stop')  # what an action does that the mask forbids
# Evaluation draws its battles this far from training's: DI-engine gives both the same seeds, and those lie below
# 2 ** 32 (it seeds numpy with them too), so that no seed of one is ever a seed of the other.
EVAL_SEED_OFFSET = 2 ** 32
_LOG = logging.getLogger(__name__)


def stream_seed(seed: int, eval_stream: bool) -> int:
    """
    Overview:
        Return the seed of a battle's generator for the seed that DI-engine gives to its env.
    Raises:
        - ValueError: the seed is not in [0, 2 ** 32)
    """
    if not 0 <= seed < EVAL_SEED_OFFSET:
        raise ValueError(f'seed {seed}: expected 0 <= seed < 2 ** 32')
    return int(seed) + (EVAL_SEED_OFFSET if eval_stream else 0)


def fresh_seed() -> int:
    """Return a seed from the operating system, for an env that is used without one."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def ding_obs(view: DingView, step: VecStep, i: int) -> DingObs:
    """Copy the obs of env i: the running episode's, which is the next one where an episode ended in this step."""
    return view_obs(view, step.obs[i], step.state[i], step.action_mask[i])


def ding_timestep(view: DingView, env: TrackedVecEnv, i: int) -> BaseEnvTimestep:
    """
    Overview:
        Return the last step of env i as DI-engine's timestep. At the end of an episode ``obs`` is that episode's last.
    Shapes:
        - obs: dict of float32, see ``DingView``
        - reward: float32 [1]
        - done: bool, the episode ended
        - info: terminated (the battle was decided), truncated (the time limit came first); at the end of an episode \
            also what ``episode_summary`` returns; abnormal=True, DI-engine's word, where the env was restarted and \
            the episode is lost, with its cause
    """
    step = env.last_step
    terminated, truncated = bool(step.terminated[i]), bool(step.truncated[i])
    done = terminated or truncated
    info: dict[str, Any] = {'terminated': terminated, 'truncated': truncated}
    if step.lost[i]:
        info.update(abnormal=True, cause=env.lost_cause(i))
    if done:
        info.update(episode_summary(env, i))
        obs = view_obs(view, step.final_obs[i], step.final_state[i], step.final_action_mask[i])
    else:
        obs = ding_obs(view, step, i)
    return BaseEnvTimestep(obs, np.array([step.reward[i]], np.float32), done, info)


def episode_summary(env: TrackedVecEnv, i: int) -> dict[str, Any]:
    """
    Overview:
        Return how the episode of env i went that ended in the last step.
    Returns:
        - eval_episode_return: 1. if the battle was won, else 0.: DI-engine's evaluators average it to the win rate
        - battle_won, battle_lost, draw: bool; a draw is both sides wiped out in one step. All three are False at the \
            time limit
        - episode_info: scalars whose means DI-engine's evaluator logs
    """
    step, spec = env.last_step, env.spec
    won = bool(step.won[i])
    wiped_out = step.dead_allies[i] == spec.n_agents and step.dead_enemies[i] == spec.n_enemies
    draw = bool(step.terminated[i] and not won and wiped_out)
    return {
        'eval_episode_return': float(won),
        'battle_won': won,
        'battle_lost': bool(step.terminated[i]) and not won and not draw,
        'draw': draw,
        'episode_info': {
            'battle_won': float(won),
            'timeout': float(step.truncated[i]),
            'dead_allies': float(step.dead_allies[i]),
            'dead_enemies': float(step.dead_enemies[i]),
            'episode_len': float(step.episode_len[i]),
            'shaped_return': float(step.episode_return[i]),
        },
    }


def joint_action(action: Any, mask: np.ndarray, owner: str, illegal: str = 'error') -> np.ndarray:
    """
    Overview:
        Return one action per agent as int64 [N].
    Arguments:
        - action: integers [N]
        - mask: bool [N, A], True = legal
        - owner: who was given the action, for the message
        - illegal: 'error' raises for an action that is not legal now; 'stop' plays stop, or no-op with a dead agent, \
            instead, and logs a warning each time
    Raises:
        - ValueError: wrong shape, no integers, an action that does not exist, or, unless ``illegal`` is 'stop', one \
            that is not legal now
    """
    action = np.asarray(action)
    n_agents, n_actions = mask.shape
    if action.shape != (n_agents, ) or action.dtype.kind not in 'iu':
        raise ValueError(
            f'{owner}: got actions of shape {action.shape} and dtype {action.dtype}, expected {n_agents} integers'
        )
    in_range = (action >= 0) & (action < n_actions)
    legal = in_range & mask[np.arange(n_agents), np.where(in_range, action, 0)]
    if legal.all():
        return action.astype(np.int64)
    agent = int(np.argmin(legal))
    message = (
        f'{owner}: action {action[agent]} is illegal for agent {agent} now; '
        f'legal are {np.flatnonzero(mask[agent]).tolist()}'
    )
    if illegal == 'error' or not in_range.all():
        raise ValueError(message)
    _LOG.warning('%s; played stop in place of %d illegal action(s)', message, int((~legal).sum()))
    return np.where(legal, action, np.where(mask[:, NO_OP], NO_OP, STOP)).astype(np.int64)


def random_legal_action(mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw a legal action for each agent: mask bool [N, A] -> int64 [N]."""
    return np.array([generator.choice(np.flatnonzero(row)) for row in mask], np.int64)


class JointActionSpace(list, gym.spaces.MultiDiscrete):
    """
    Overview:
        One Discrete space per agent. It is a list as well, because DI-engine's random policy (``random_collect_size``)
        draws legal actions by the action mask only where the action space is a list.
    """

    def __init__(self, spec: EnvSpec) -> None:
        list.__init__(self, [gym.spaces.Discrete(spec.n_actions) for _ in range(spec.n_agents)])
        gym.spaces.MultiDiscrete.__init__(self, [spec.n_actions] * spec.n_agents)


def reward_space() -> gym.spaces.Box:
    """Return the space of a timestep's reward."""
    return gym.spaces.Box(-float('inf'), float('inf'), (1, ), np.float32)
