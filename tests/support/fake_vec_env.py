"""Shared by the tests of the workers: a VecEnv of known episodes, its manager, and an actor that keeps time."""
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import torch

from ding_qmix.spec import EnvSpec, ObsLayout, VecStep

N, OBS_DIM, S, A = 2, 6, 5, 4
SIZES = dict(agent_num=N, obs_shape=OBS_DIM, global_obs_shape=S, action_shape=A, hidden_size_list=[8])
SPEC = EnvSpec('fake', N, 1, A, OBS_DIM, S, 9, 'ding', ObsLayout(0, (0, 0), (0, 0), 0, 0, 0), 'sim', '')


class End(NamedTuple):
    """How an episode ends."""
    kind: str  # 'win', 'loss', 'timeout', or 'lost': the env breaks
    length: int  # [env steps]


class FakeVecEnv:
    """
    Env e plays the episodes ``script[e]`` one after another, over and over. Obs and state of a moment begin with
    (env, episode, step), the reward of a step is 100 * env + 10 * episode + step, action (step + agent) % A is illegal.
    Arrays are reused, as the contract allows; ``final_*`` is NaN where it is not defined.
    """
    spec = SPEC

    def __init__(self, script: Sequence[Sequence[End]]) -> None:
        self.script, self.n_envs = script, len(script)
        self.episode = np.full(self.n_envs, -1)
        self.step_in_episode = np.zeros(self.n_envs, int)
        self.n_resets = np.zeros(self.n_envs, int)
        self.n_steps = np.zeros(self.n_envs, int)  # played in all
        self.actions: dict[tuple[int, int, int], np.ndarray] = {}  # by (env, episode, step)
        E = self.n_envs
        flags = [np.zeros(E, bool) for _ in range(4)]
        dead = [np.zeros(E, np.int32) for _ in range(2)]
        score = [np.zeros(E, np.int64), np.zeros(E)]
        seen = [
            [np.zeros((E, N, OBS_DIM), np.float32),
             np.zeros((E, S), np.float32),
             np.ones((E, N, A), bool)] for _ in range(2)
        ]
        self._shown = VecStep(*seen[0], np.zeros(E, np.float32), *flags, *dead, *score, *seen[1])

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        for e in range(self.n_envs) if env_ids is None else env_ids:
            self._begin(e)
            self.n_resets[e] += 1
            for name in ('dead_allies', 'dead_enemies', 'episode_len', 'episode_return'):
                getattr(self._shown, name)[e] = 0
        for name in ('reward', 'terminated', 'truncated', 'won', 'lost'):
            getattr(self._shown, name)[:] = 0
        return self._shown

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        shown = self._shown
        for name in ('reward', 'terminated', 'truncated', 'won', 'lost'):
            getattr(shown, name)[:] = 0
        shown.final_obs[:], shown.final_state[:] = np.nan, np.nan
        for e in range(self.n_envs):
            if active is None or active[e]:
                self._step_one(e, actions[e])
        return shown

    def lost_cause(self, env_id: int) -> str:
        return f'the game of env {env_id} died'

    def observe(self) -> VecStep:
        return self._shown

    def state_dict(self) -> dict[str, list[int]]:
        return {'episode': self.episode.tolist(), 'step_in_episode': self.step_in_episode.tolist()}

    def load_state_dict(self, state_dict: dict[str, list[int]]) -> None:
        self.episode[:], self.step_in_episode[:] = state_dict['episode'], state_dict['step_in_episode']
        for name in ('reward', 'terminated', 'truncated', 'won', 'lost', 'dead_allies', 'dead_enemies'):
            getattr(self._shown, name)[:] = 0
        for e in range(self.n_envs):
            self._show(e, self._shown.obs, self._shown.state, self._shown.action_mask)
            self._shown.episode_len[e] = self.step_in_episode[e]
            self._shown.episode_return[e] = self._return(e)

    def close(self) -> None:
        self.n_closed = getattr(self, 'n_closed', 0) + 1

    def _step_one(self, e: int, action: np.ndarray) -> None:
        shown, k, t = self._shown, self.episode[e], self.step_in_episode[e]
        assert shown.action_mask[e, range(N), action].all(), 'illegal action'
        self.actions[e, int(k), int(t)] = action.copy()
        self.n_steps[e] += 1
        self.step_in_episode[e] += 1
        shown.reward[e] = 100 * e + 10 * k + t
        shown.dead_allies[e], shown.dead_enemies[e] = 0, 0
        shown.episode_len[e], shown.episode_return[e] = t + 1, self._return(e)
        end = self.script[e][k % len(self.script[e])]
        if t + 1 < end.length:
            self._show(e, shown.obs, shown.state, shown.action_mask)
            return
        if end.kind == 'lost':
            self._begin(e)
            shown.lost[e] = True
            for name in ('reward', 'episode_len', 'episode_return'):
                getattr(shown, name)[e] = 0
            return
        shown.won[e], shown.truncated[e] = end.kind == 'win', end.kind == 'timeout'
        shown.terminated[e] = end.kind != 'timeout'
        shown.dead_allies[e], shown.dead_enemies[e] = e, k
        self._show(e, shown.final_obs, shown.final_state, shown.final_action_mask)
        self._begin(e)

    def _return(self, e: int) -> float:
        """The rewards of the running episode of env e so far."""
        return returns(e, self.episode[e], self.step_in_episode[e])

    def _begin(self, e: int) -> None:
        self.episode[e] += 1
        self.step_in_episode[e] = 0
        self._show(e, self._shown.obs, self._shown.state, self._shown.action_mask)

    def _show(self, e: int, obs: np.ndarray, state: np.ndarray, action_mask: np.ndarray) -> None:
        moment = (e, self.episode[e], self.step_in_episode[e])
        obs[e], state[e], action_mask[e] = 0., 0., True
        obs[e, :, :3], obs[e, :, 3], state[e, :3] = moment, range(N), moment
        action_mask[e, range(N), (self.step_in_episode[e] + np.arange(N)) % A] = False


class FakeManager:
    """An env manager as our collector and evaluator take it."""

    def __init__(self, env: FakeVecEnv) -> None:
        self._env, self.closed, self.n_launched = env, True, 0

    @property
    def vec_env(self) -> FakeVecEnv:
        return self._env

    def launch(self) -> None:
        self.closed, self.n_launched = False, self.n_launched + 1

    def close(self) -> None:
        self.closed = True
        self._env.close()


class ClockActor:
    """Acts randomly; its hidden state counts the decisions since the reset of each env."""

    def __init__(self, n_envs: int, fail_at: Optional[int] = None) -> None:
        self.clock, self.calls, self.fail_at = torch.zeros(n_envs), [], fail_at
        self._generator = torch.Generator().manual_seed(0)

    def act(self, obs: torch.Tensor, action_mask: torch.Tensor, env_ids: np.ndarray, epsilon: float = 0.) -> Any:
        if len(self.calls) == self.fail_at:
            self.fail_at = None
            raise KeyboardInterrupt
        self.calls.append((list(env_ids), epsilon))
        hidden_state = self.clock[env_ids].view(-1, 1, 1, 1).expand(-1, N, 1, 8).clone()
        self.clock[env_ids] += 1
        draws = torch.rand(action_mask.shape, generator=self._generator)
        return draws.masked_fill(~action_mask, -1.).argmax(-1), hidden_state

    def reset(self, env_ids: Optional[np.ndarray] = None) -> None:
        self.clock[slice(None) if env_ids is None else env_ids] = 0.


class FakeWriter:
    """A TensorBoard writer that remembers."""

    def __init__(self) -> None:
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self.n_closed = 0

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.setdefault(name, []).append((step, float(value)))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.n_closed += 1


def returns(env: int, episode: int, length: int) -> float:
    """The sum of an episode's rewards."""
    return float(sum(100 * env + 10 * episode + t for t in range(length)))
