"""What ``replay.py`` fills buffers with, and what it compares them to."""
from typing import Optional

import numpy as np
import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.baselines.scripted import make_scripted_policy
from ding_qmix.config import model_sizes
from ding_qmix.ding_compat import DingQMix
from ding_qmix.model import QMix
from ding_qmix.policy.actor import RecurrentActor
from ding_qmix.replay import EpisodeBuffer
from ding_qmix.replay.row_store import RowStore
from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.spec import EpisodeBatch
from ding_qmix.worker.recorder import EpisodeRecorder
from ding_qmix.worker.rollout import Rollout

Sample = dict[str, Tensor]

N_ENVS = 50
POLICIES = ('random', 'closest')  # half of the episodes each: long walks about the map, and fights
_SEEN = ('obs', 'state', 'action_mask')  # one row more than steps


class _Player:
    """A scripted policy whose hidden states are those of a network that watches."""

    def __init__(self, env: SimVecEnv, model: QMix, policy_name: str) -> None:
        self._env = env
        self._policy = make_scripted_policy(policy_name, env.spec, env.n_envs)
        self._watcher = RecurrentActor(model)

    def act(self, obs: Tensor, action_mask: Tensor, env_ids: np.ndarray, epsilon: float = 0.) -> tuple[Tensor, Tensor]:
        """Return the policy's actions [K, N] and the network's hidden states [K, N, L, H]."""
        _, hidden_state = self._watcher.act(obs, action_mask, env_ids.tolist())
        step = self._env.observe()
        return torch.from_numpy(self._policy.act(step, self._env.units())[env_ids]), hidden_state

    def reset(self, env_ids: Optional[np.ndarray] = None) -> None:
        """Forget what belongs to the ended episodes."""
        self._policy.reset(env_ids)
        self._watcher.reset(None if env_ids is None else env_ids.tolist())


def fresh_model(map_name: str) -> QMix:
    """Return a QMIX network as training starts from, always the same."""
    torch.manual_seed(0)
    return DingQMix(**model_sizes(make_spec(map_name)))


def play(map_name: str, n_episode: int) -> list[Sample]:
    """Play whole episodes on the simulator, with the hidden state before every step."""
    env = SimVecEnv(map_name, N_ENVS, seed=0)
    model = fresh_model(map_name)
    recorder = EpisodeRecorder(env.spec, env.n_envs, keep_hidden_state=True)
    episodes: list[Sample] = []
    for i, name in enumerate(POLICIES):
        n_more = n_episode * (i + 1) // len(POLICIES) - len(episodes)
        Rollout(env).play(_Player(env, model, name), n_more, recorder=recorder)
        episodes += recorder.take()
    env.close()
    return episodes


def make_buffer(n_samples: int, seed: int = 0, **cfg: object) -> EpisodeBuffer:
    """Return an empty buffer whose draws depend on the seed alone."""
    torch.manual_seed(seed)
    return EpisodeBuffer(EasyDict(EpisodeBuffer.config, replay_buffer_size=n_samples, **cfg))


def draw_batch(buffer: EpisodeBuffer, batch_size: int) -> EpisodeBatch:
    """Return a batch of a buffer without priorities that holds as many samples."""
    batch = buffer.sample(batch_size)
    assert isinstance(batch, EpisodeBatch)
    return batch


def storage_of(buffer: EpisodeBuffer) -> RowStore:
    """Return the storage of a buffer that holds something."""
    assert buffer._store is not None
    return buffer._store


def used_bytes(buffer: EpisodeBuffer) -> int:
    """Return how much of the storage holds something, up to the last row that does."""
    store, cfg = storage_of(buffer), buffer._cfg
    return buffer._rows.n_used * store.row_bytes + min(buffer.count(), cfg.replay_buffer_size) * store.slot_bytes


def pymarl_bytes(map_name: str, n_samples: int) -> int:
    """
    Overview:
        Return what PyMARL's ``EpisodeBatch`` reserves: every episode at the time limit plus one row, obs and state as
        float32 (without last action and agent id, which it adds to batches), avail_actions int32, actions int64 and
        as one-hot float32, reward float32, terminated uint8, filled int64.
    Source: oxwhirl/pymarl src/run.py (scheme), src/components/episode_buffer.py
    """
    spec = make_spec(map_name, obs_style='smac')
    per_agent = 4 * spec.obs_dim + 4 * spec.n_actions + 8 + 4 * spec.n_actions
    return n_samples * (spec.episode_limit + 1) * (spec.n_agents * per_agent + 4 * spec.state_dim + 4 + 1 + 8)


class PlainBuffer:
    """The baseline: one tensor per field, obs and state float32 or float16; a batch is one indexed copy per field."""

    def __init__(self, shapes: Sample, n_rows: int, n_slots: int, dtype: torch.dtype) -> None:
        compact = {'obs': dtype, 'state': dtype, 'action': torch.uint8}
        self._rows = {
            name: torch.empty((n_rows, *value.shape[1:]), dtype=compact.get(name, value.dtype))
            for name, value in shapes.items() if name != 'hidden_state'
        }
        self._hidden_state = torch.empty((n_slots, *shapes['hidden_state'].shape)) if 'hidden_state' in shapes else None
        self._places: list[tuple[int, int]] = []

    def push(self, samples: list[Sample]) -> None:
        """Append samples."""
        for sample in samples:
            n_steps = len(sample['mask'])
            first = sum(self._places[-1]) + 1 if self._places else 0
            for name, rows in self._rows.items():
                rows[first:first + len(sample[name])] = sample[name]
            if self._hidden_state is not None:
                self._hidden_state[len(self._places)] = sample['hidden_state']
            self._places.append((first, n_steps))

    def clear(self) -> None:
        """Forget all samples."""
        self._places = []

    def sample(self, batch_size: int) -> EpisodeBatch:
        """Draw uniformly."""
        picks = torch.randperm(len(self._places))[:batch_size]
        first, n_steps = torch.tensor([self._places[i] for i in picks.tolist()]).T  # [B]
        t = torch.arange(int(n_steps.max()) + 1).unsqueeze(1)  # [T + 1, 1]
        seen, done = first + torch.minimum(t, n_steps), first + torch.minimum(t[:-1], n_steps - 1)
        batch = {name: rows[seen if name in _SEEN else done] for name, rows in self._rows.items()}
        batch['obs'], batch['state'] = batch['obs'].float(), batch['state'].float()
        batch['action'], batch['mask'] = batch['action'].long(), batch['mask'] * (t[:-1] < n_steps)
        batch['length'] = n_steps
        if self._hidden_state is not None:
            batch['hidden_state'] = self._hidden_state[picks]
        return EpisodeBatch(**batch)
