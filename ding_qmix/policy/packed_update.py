"""Gradients of one shard by hand, for our own model on the CPU."""
from typing import List, Tuple

import numpy as np
import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.model import QMix
from ding_qmix.model.mixer import QMixer
from ding_qmix.model.packed_agent import PackedAgent, can_pack_agent
from ding_qmix.model.packed_mixer import PackedMixer
from ding_qmix.model.products import BFloat16Products, Products
from ding_qmix.model.workspace import Workspace
from ding_qmix.policy.shard_kernel import pack_rows, pick_values, spread_gradient, td_errors
from ding_qmix.spec import EpisodeBatch


def can_pack(model: torch.nn.Module) -> bool:
    """Say whether a model is ``QMix`` with the layers that are written by hand."""
    return type(model) is QMix and can_pack_agent(model.agent) and type(model.mixer) is QMixer


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
        self._products = BFloat16Products() if cfg.bf16 else Products()
        self._agent, self._target_agent = (PackedAgent(model.agent, self._products) for model in (online, target))
        self._mixer, self._target_mixer = (PackedMixer(model.mixer, self._products) for model in (online, target))

    def gradients(self, batch: EpisodeBatch, episode: Tensor, length: Tensor, n_steps: Tensor) -> Tuple[List[Tensor], Tensor]:
        """
        Overview:
            Compute a shard's part.
        Arguments:
            - batch: float32, longest episode first
            - episode, length: int64 [b], the shard's episodes and their lengths [env steps], longest first
            - n_steps: real steps of the whole batch, which the loss is a mean over
        Returns:
            - gradients: one a parameter, in the model's order; valid until the next call
            - sums: [b, 5] per episode: loss, sums of Q_tot, target, |TD error|, largest |TD error|
        """
        running = (length.numpy()[None, :] >= np.arange(int(length[0]) + 2)[:, None]).sum(1)  # [T + 2]; the last is 0
        starts = np.concatenate([[0], np.cumsum(running[:-1])])  # [T + 2]
        moves = np.concatenate([[0], np.cumsum(running[1:-1])])  # [T + 1]
        obs, state, next_state = self._rows(batch, episode.numpy(), starts, moves)
        N, hidden = batch.obs.shape[2], self._hidden(batch, episode)
        q = self._agent.forward(obs, starts * N, hidden, for_backward=True)[0].view(-1, N, self._n_actions)
        target_q = self._target_agent.forward(obs, starts * N, hidden)[0].view(q.shape)
        chosen, best = self._work.array('chosen', state.shape[0], N), self._work.array('best', state.shape[0], N)
        where = (batch.action.numpy(), batch.action_mask.numpy(), episode.numpy(), starts, moves)
        pick_values(q.numpy(), target_q.numpy(), *where, self._cfg.double_q, chosen.numpy(), best.numpy())
        q_tot = self._mixer.forward(chosen, state)
        next_q_tot = self._target_mixer.forward(best, next_state)
        grad_q_tot, sums = self._td(batch, q_tot, next_q_tot, episode.numpy(), moves, n_steps)
        gradients = self._agent.gradients + self._mixer.gradients  # the order of the model's parameters
        torch._foreach_zero_(gradients)
        grad_chosen = self._mixer.backward(chosen, state, grad_q_tot)
        grad_q = self._work.array('grad_q', *q.shape)
        spread_gradient(grad_chosen.numpy(), where[0], *where[2:], grad_q.numpy())
        self._agent.backward(obs, starts * N, grad_q.flatten(0, 1))
        return gradients, sums

    def _rows(self, batch: EpisodeBatch, episode: np.ndarray, starts: np.ndarray,
              moves: np.ndarray) -> Tuple[Tensor, Tensor, Tensor]:
        """Pack obs [R * N, O] of all rows, and the states [R, S] before and after each move."""
        N, O = batch.obs.shape[2:]
        obs = self._work.array('obs', int(starts[-1]), N * O)
        state = self._work.array('state', int(moves[-1]), batch.state.shape[2])
        next_state = self._work.array('next_state', *state.shape)
        pack_rows(batch.obs.flatten(2).numpy(), episode, starts, obs.numpy())
        pack_rows(batch.state.numpy(), episode, moves, state.numpy())
        pack_rows(batch.state[1:].numpy(), episode, moves, next_state.numpy())
        return tuple(self._products.factor(x) for x in (obs.view(-1, O), state, next_state))

    def _hidden(self, batch: EpisodeBatch, episode: Tensor) -> Tensor:
        """Hidden states before step 0, [b * N, H]."""
        if batch.hidden_state is None:
            return torch.zeros(len(episode) * batch.obs.shape[2], self._hidden_dim)
        return batch.hidden_state[episode].flatten(0, 2)  # [b, N, 1, H] -> [b * N, H]

    def _td(
            self, batch: EpisodeBatch, q_tot: Tensor, next_q_tot: Tensor, episode: np.ndarray, moves: np.ndarray,
            n_steps: Tensor
    ) -> Tuple[Tensor, Tensor]:
        """Gradient of the loss by Q_tot, [R], and sums per episode, [b, 5]."""
        cfg = self._cfg
        terminal = batch.terminated
        if cfg.timeout_is_terminal:
            terminal = torch.maximum(terminal, batch.truncated)
        weight = torch.ones(len(terminal[0])) if batch.weight is None else batch.weight
        grad, sums = self._work.array('grad_q_tot', q_tot.shape[0]), torch.empty(len(episode), 5)
        inputs = (q_tot, next_q_tot, batch.reward, terminal, batch.mask, weight)
        numbers = (np.float32(x) for x in (cfg.discount_factor, cfg.td_lambda, n_steps))
        td_errors(*(x.numpy() for x in inputs), episode, moves, *numbers, grad.numpy(), sums.numpy())
        return grad, sums
