"""Gradients of one shard by hand, for our own model on the CPU."""
from typing import Any, NamedTuple

import numpy as np
import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.fast_cpu.agent import PackedAgent, can_pack_agent
from ding_qmix.fast_cpu.agent_kernel import AgentParameters
from ding_qmix.fast_cpu.mixer import PackedMixer
from ding_qmix.fast_cpu.mixer_kernel import MixerParameters
from ding_qmix.fast_cpu.scratch import Workspace
from ding_qmix.fast_cpu.shard_kernel import pack_rows, pick_values, spread_gradient, td_errors
from ding_qmix.model import QMix
from ding_qmix.model.mixer import QMixer
from ding_qmix.policy.flat import split_like
from ding_qmix.spec import EpisodeBatch


def can_pack(model: torch.nn.Module) -> bool:
    """Say whether a model is ``QMix`` with the layers that are written by hand and no more."""
    known = len(AgentParameters._fields) + len(MixerParameters._fields)
    return (
        type(model) is QMix and can_pack_agent(model.agent) and type(model.mixer) is QMixer
        and len(list(model.parameters())) == known
    )


class PackedUpdate:
    """
    Overview:
        From a shard of a batch to its part of the gradients, without autograd: some dozen large operations on arrays
        that are kept, where a graph has hundreds of small ones. One object serves one thread.
    Interfaces:
        ``gradients``
    """

    def __init__(self, online: QMix, target: QMix, cfg: EasyDict) -> None:
        """
        Arguments:
            - online, target: models for which ``can_pack`` holds
            - cfg: section ``policy.learn``
        """
        self._cfg, self._work = cfg, Workspace()
        self._n_actions, self._hidden_dim = online.action_dim, online.agent.hidden_dim
        parameters = list(online.parameters())
        self._gradient = torch.zeros(sum(p.numel() for p in parameters))
        parts, n_agent = split_like(self._gradient, parameters), len(AgentParameters._fields)
        self._agent = PackedAgent(online.agent, parts[:n_agent])
        self._mixer = PackedMixer(online.mixer, parts[n_agent:])
        self._target_agent, self._target_mixer = PackedAgent(target.agent), PackedMixer(target.mixer)

    def gradients(self, batch: EpisodeBatch, episode: Tensor, length: Tensor, n_steps: Tensor) -> tuple[Tensor, Tensor]:
        """
        Overview:
            Compute a shard's part.
        Arguments:
            - batch: float32, longest episode first
            - episode, length: int64 [b], the shard's episodes and their lengths [env steps], longest first
            - n_steps: real steps of the whole batch, which the loss is a mean over
        Returns:
            - gradient: [P], of all parameters in the model's order; valid until the next call
            - sums: [b, 5] per episode: loss, sums of Q_tot, target, |TD error|, largest |TD error|
        """
        host: Any = EpisodeBatch(*(None if x is None else x.numpy() for x in batch))  # arrays, as kernels take them
        shard, N = _Shard.of(episode.numpy(), length.numpy()), batch.obs.shape[2]
        obs, state, next_state = self._pack(host, shard)
        hidden = self._hidden(host, shard, N)
        moving = shard.starts[:-1] * N  # without the last rows of the longest episodes, which nobody acts on
        seen = obs if self._cfg.double_q else obs[:moving[-1]]  # double Q looks there for the best action
        q, _ = self._agent.forward(seen, shard.starts * N if self._cfg.double_q else moving, hidden, for_backward=True)
        target_q, _ = self._target_agent.forward(obs, shard.starts * N, hidden)
        q, target_q = q.reshape(-1, N, self._n_actions), target_q.reshape(-1, N, self._n_actions)
        chosen, best = (self._work.array(name, len(state), N) for name in ('chosen', 'best'))
        where = (shard.episode, shard.starts, shard.moves)
        pick_values(q, target_q, host.action, host.action_mask, *where, self._cfg.double_q, chosen, best)
        q_tot, next_q_tot = self._mixer.forward(chosen, state), self._target_mixer.forward(best, next_state)
        grad_q_tot, sums = self._td(host, shard, q_tot, next_q_tot, float(n_steps))
        self._gradient.zero_()
        grad_chosen = self._mixer.backward(chosen, state, grad_q_tot)
        grad_q = self._work.array('grad_q', moving[-1] // N, *q.shape[1:])
        spread_gradient(grad_chosen, host.action, *where, grad_q)
        self._agent.backward(obs[:moving[-1]], moving, grad_q.reshape(-1, self._n_actions))
        return self._gradient, torch.from_numpy(sums)

    def _pack(self, batch: Any, shard: '_Shard') -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Obs [R * N, O] of all rows, and the states [R, S] before and after each move."""
        (N, n_features), S = batch.obs.shape[2:], batch.state.shape[2]
        obs = self._work.array('obs', int(shard.starts[-1]), N * n_features)
        state, next_state = (self._work.array(name, int(shard.moves[-1]), S) for name in ('state', 'next_state'))
        pack_rows(batch.obs.reshape(*batch.obs.shape[:2], -1), shard.episode, shard.starts, obs)
        pack_rows(batch.state, shard.episode, shard.moves, state)
        pack_rows(batch.state[1:], shard.episode, shard.moves, next_state)
        return obs.reshape(-1, n_features), state, next_state

    def _hidden(self, batch: Any, shard: '_Shard', n_agents: int) -> np.ndarray:
        """Hidden states before step 0, [b * N, H]."""
        if batch.hidden_state is None:
            return np.zeros((len(shard.episode) * n_agents, self._hidden_dim), dtype=np.float32)
        return batch.hidden_state[shard.episode].reshape(-1, self._hidden_dim)  # [b, N, 1, H] -> [b * N, H]

    def _td(self, batch: Any, shard: '_Shard', q_tot: np.ndarray, next_q_tot: np.ndarray,
            n_steps: float) -> tuple[np.ndarray, np.ndarray]:
        """Gradient of the loss by Q_tot, [R], and sums per episode, [b, 5]."""
        cfg, terminal = self._cfg, batch.terminated
        if cfg.timeout_is_terminal:
            terminal = np.maximum(terminal, batch.truncated)
        weight = np.ones(terminal.shape[1], dtype=np.float32) if batch.weight is None else batch.weight
        numbers = (np.float32(x) for x in (cfg.discount_factor, cfg.td_lambda, n_steps))
        grad, sums = self._work.array('grad_q_tot', len(q_tot)), np.empty((len(shard.episode), 5), dtype=np.float32)
        td_errors(
            q_tot, next_q_tot, batch.reward, terminal, batch.mask, weight, shard.episode, shard.moves, *numbers, grad,
            sums
        )
        return grad, sums


class _Shard(NamedTuple):
    """Which episodes, and where their rows lie: see ``shard_kernel``."""
    episode: np.ndarray  # int64 [b]
    starts: np.ndarray  # int64 [T + 2]
    moves: np.ndarray  # int64 [T + 1]

    @classmethod
    def of(cls, episode: np.ndarray, length: np.ndarray) -> '_Shard':
        """From the episodes' lengths [env steps], int64 [b], longest first."""
        running = (length >= np.arange(length[0] + 2)[:, None]).sum(1)  # [T + 2] episodes with a row; the last is 0
        starts, moves = (np.concatenate([[0], np.cumsum(x)]) for x in (running[:-1], running[1:-1]))
        return cls(episode, starts, moves)
