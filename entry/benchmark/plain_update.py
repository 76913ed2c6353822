"""
QMIX's update with torch's own parts: nn.GRU over the whole sequence, one forward pass of each network over the padded
batch, autograd, torch's own threads. It is the baseline of ``pipeline.py`` and, as it shares no code with the policy
but the names of its parameters, the tests' reference implementation for the policy's gradients.
"""
import copy
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from ding_qmix.spec import EpisodeBatch


class PlainAgent(nn.Module):
    """Encoder, GRU over the sequence, head."""

    def __init__(self, obs_dim: int, n_actions: int, hidden_dim: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(obs_dim, hidden_dim), nn.ReLU())
        self.rnn = nn.GRU(hidden_dim, hidden_dim)
        head = nn.Sequential(nn.Linear(hidden_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, n_actions))
        self.head = nn.ModuleDict({'q': head})

    def forward(self, obs: Tensor, hidden_state: Tensor) -> Tensor:
        """obs [T, K, O], hidden_state [K, H] -> Q-values [T, K, A]"""
        x, _ = self.rnn(self.encoder(obs), hidden_state.unsqueeze(0))
        return self.head['q'](x)


class PlainMixer(nn.Module):
    """Monotonic mixing network; the four hypernetworks' first layers are one. Source: arXiv:1803.11485 section 4.1"""

    def __init__(self, n_agents: int, state_dim: int, embed_dim: int, hypernet_dim: int) -> None:
        super().__init__()
        self.n_agents, self.embed_dim, self.hypernet_dim = n_agents, embed_dim, hypernet_dim
        self.state_layer = nn.Linear(state_dim, 2 * hypernet_dim + 2 * embed_dim)
        self.w1_layer = nn.Linear(hypernet_dim, n_agents * embed_dim)
        self.w_final_layer = nn.Linear(hypernet_dim, embed_dim)
        self.v_layer = nn.Linear(embed_dim, 1)

    def forward(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """agent_q [T, B, N], state [T, B, S] -> Q_tot [T, B]"""
        h, e = self.hypernet_dim, self.embed_dim
        w1_in, w_final_in, v_in, b1 = self.state_layer(state).split([h, h, e, e], dim=-1)
        w1 = self.w1_layer(w1_in.relu()).abs().unflatten(-1, (self.n_agents, e))  # [T, B, N, embed]
        hidden = F.elu(torch.matmul(agent_q.unsqueeze(-2), w1).squeeze(-2) + b1)  # [T, B, embed]
        w_final = self.w_final_layer(w_final_in.relu()).abs()  # [T, B, embed]
        return (hidden * w_final).sum(dim=-1) + self.v_layer(v_in.relu()).squeeze(-1)


class PlainQMix(nn.Module):
    """Agents' network and mixer; parameters are named as in model ``ding_qmix``, so that each loads the other's."""

    def __init__(self, sizes: Mapping[str, Any]) -> None:
        """``sizes``: section ``policy.model``"""
        super().__init__()
        hidden_dim = sizes['hidden_size_list'][-1]
        embed_dim, hypernet_dim = sizes.get('mixing_embed_dim') or hidden_dim, sizes.get('hypernet_embed_dim', 64)
        self.hidden_dim = hidden_dim
        self.agent = PlainAgent(sizes['obs_shape'], sizes['action_shape'], hidden_dim)
        self.mixer = PlainMixer(sizes['agent_num'], sizes['global_obs_shape'], embed_dim, hypernet_dim)

    def forward(self, batch: EpisodeBatch) -> Tensor:
        """Q-values [T + 1, B, N, A] of a batch."""
        n_rows, n_episodes, n_agents = batch.obs.shape[:3]
        hidden_state = batch.obs.new_zeros(n_episodes * n_agents, self.hidden_dim)
        if batch.hidden_state is not None:
            hidden_state = batch.hidden_state.reshape(n_episodes * n_agents, self.hidden_dim)  # [B, N, 1, H] -> [K, H]
        return self.agent(batch.obs.flatten(1, 2), hidden_state).view(n_rows, n_episodes, n_agents, -1)


class PlainUpdate:
    """
    Overview:
        Online and target network with their update.
    Interfaces:
        ``forward``, ``gradients``
    """

    def __init__(self, sizes: Mapping[str, Any], learn: Mapping[str, Any]) -> None:
        """
        Arguments:
            - sizes: section ``policy.model``
            - learn: section ``policy.learn`` of policy ``ding_qmix``, soft target updates
        """
        self.online = PlainQMix(sizes)
        self.target = copy.deepcopy(self.online).requires_grad_(False)
        self._learn = learn
        self._parameters: list[Tensor] = list(self.online.parameters())
        self._target_parameters: list[Tensor] = list(self.target.parameters())
        options = dict(lr=learn['learning_rate'], weight_decay=learn['weight_decay'])
        if learn['optimizer'] == 'adam':
            self._optimizer: torch.optim.Optimizer = torch.optim.Adam(self._parameters, fused=True, **options)
        else:
            self._optimizer = torch.optim.RMSprop(self._parameters, alpha=0.99, eps=1e-5, foreach=True, **options)

    def forward(self, batch: EpisodeBatch) -> float:
        """Do one update and return its loss."""
        self._optimizer.zero_grad()
        loss = self._loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, self._learn['clip_value'])
        self._optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self._target_parameters, self._parameters, self._learn['target_update_theta'])
        return loss.item()

    def gradients(self, online: Mapping[str, Tensor], target: Mapping[str, Tensor],
                  batch: EpisodeBatch) -> dict[str, Tensor]:
        """Return the loss's gradients, by the parameters' names, for state dicts of both networks."""
        self.online.load_state_dict(online)
        self.target.load_state_dict(target)
        gradients = torch.autograd.grad(self._loss(batch), self._parameters)
        return {name: gradient for (name, _), gradient in zip(self.online.named_parameters(), gradients)}

    def _loss(self, batch: EpisodeBatch) -> Tensor:
        """Mean squared TD error over the real steps."""
        q_values = self.online(batch)  # [T + 1, B, N, A]
        chosen_q = q_values[:-1].gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)  # [T, B, N]
        q_tot = self.online.mixer(chosen_q, batch.state[:-1])  # [T, B]
        with torch.no_grad():
            target = self._targets(batch, q_values.detach())
        return (batch.mask * (q_tot - target)).square().sum() / batch.mask.sum()

    def _targets(self, batch: EpisodeBatch, q_values: Tensor) -> Tensor:
        """1-step targets or lambda-returns [T, B]."""
        target_q = self.target(batch)[1:]  # [T, B, N, A]
        judge = q_values[1:] if self._learn['double_q'] else target_q
        best = judge.masked_fill(~batch.action_mask[1:], -torch.inf).argmax(dim=-1, keepdim=True)
        next_q_tot = self.target.mixer(target_q.gather(-1, best).squeeze(-1), batch.state[1:])  # [T, B]
        terminal = batch.terminated
        if self._learn['timeout_is_terminal']:
            terminal = torch.maximum(terminal, batch.truncated)
        discount, td_lambda = self._learn['discount_factor'] * (1. - terminal), self._learn['td_lambda']
        if td_lambda == 0.:
            return batch.reward + discount * next_q_tot
        goes_on = torch.cat([batch.mask[1:], torch.zeros_like(batch.mask[:1])])  # a real step follows
        returns, later = [], torch.zeros_like(next_q_tot[0])
        for t in reversed(range(len(discount))):
            weight = td_lambda * goes_on[t]
            later = batch.reward[t] + discount[t] * ((1. - weight) * next_q_tot[t] + weight * later)
            returns.append(later)
        return torch.stack(returns[::-1])
