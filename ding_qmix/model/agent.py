from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

RNN_TYPES = ('gru', 'lstm')


class RecurrentQNetwork(nn.Module):
    """
    Overview:
        The Q-network that all agents share: encoder, recurrence over the sequence, head.
        A row is one agent of one episode; the recurrence runs over T for all rows at once.
    Interfaces:
        ``forward``
    Source: QMIX (arXiv:1803.11485) section 4 and DI-engine's DRQN, whose layers it has.
    """

    def __init__(
            self,
            obs_dim: int,
            n_actions: int,
            hidden_dims: Sequence[int],
            rnn_type: str = 'gru',
            dueling: bool = False,
    ) -> None:
        """
        Arguments:
            - obs_dim: O, [features]
            - n_actions: A
            - hidden_dims: widths of the encoder; the last is H, the width of recurrence and head
            - rnn_type: 'gru' or 'lstm'
            - dueling: advantage and value streams in the head (arXiv:1511.06581)
        Raises:
            - ValueError: an unknown ``rnn_type``, or no hidden width
        """
        super().__init__()
        if rnn_type not in RNN_TYPES:
            raise ValueError(f'RecurrentQNetwork: rnn_type {rnn_type!r} is unknown, expected one of {RNN_TYPES}')
        if len(hidden_dims) == 0:
            raise ValueError('RecurrentQNetwork: hidden_dims is empty, expected at least one width')
        self.hidden_dim = hidden_dims[-1]
        self.n_state_tensors = 1 if rnn_type == 'gru' else 2
        widths = [obs_dim, *hidden_dims]
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(widths[:-1], widths[1:]):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)
        self.rnn = (nn.GRU if rnn_type == 'gru' else nn.LSTM)(self.hidden_dim, self.hidden_dim)
        self.head = DuelingHead(self.hidden_dim, n_actions) if dueling else QHead(self.hidden_dim, n_actions)

    def forward(self, obs: Tensor, hidden_state: Tensor, length: Optional[Tensor] = None) -> tuple[Tensor, Tensor]:
        """
        Overview:
            Unroll the network over a sequence.
        Arguments:
            - length: rows of each sequence, longest sequence first; what lies behind them is padding, on which nothing
              is computed. None for T rows each.
        Shapes:
            - obs: [T, K, O], K sequences; length: int64 [K]
            - hidden_state: [K, L, H], L = 1 (GRU: h) or 2 (LSTM: h, c), before step 0
            - returns: Q-values [T, K, A], zero on padding, and the hidden state [K, L, H] after the last row
        """
        states = [s.contiguous().unsqueeze(0) for s in hidden_state.unbind(1)]  # [K, L, H] -> L x [1, K, H]
        before = states[0] if self.n_state_tensors == 1 else (states[0], states[1])
        if length is None:
            x, after = self.rnn(self.encoder(obs), before)  # [T, K, H]
            q_values = self.head(x)
        else:
            rows = pack_padded_sequence(obs, length.cpu())
            x, after = self.rnn(rows._replace(data=self.encoder(rows.data)), before)
            q_values, _ = pad_packed_sequence(x._replace(data=self.head(x.data)), total_length=len(obs))
        new_states = [after] if self.n_state_tensors == 1 else list(after)
        return q_values, torch.cat(new_states).transpose(0, 1)  # L x [1, K, H] -> [K, L, H]


class QHead(nn.Module):
    """One hidden layer, then one value per action."""

    def __init__(self, hidden_dim: int, n_actions: int) -> None:
        super().__init__()
        self.q = _two_layers(hidden_dim, n_actions)

    def forward(self, x: Tensor) -> Tensor:
        """[..., H] -> [..., A]"""
        return self.q(x)


class DuelingHead(nn.Module):
    """Q = V + (A - mean of A): value and advantage streams. Source: arXiv:1511.06581 eq. 9."""

    def __init__(self, hidden_dim: int, n_actions: int) -> None:
        super().__init__()
        self.advantage = _two_layers(hidden_dim, n_actions)
        self.value = _two_layers(hidden_dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[..., H] -> [..., A]"""
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(dim=-1, keepdim=True)


def _two_layers(hidden_dim: int, out_dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(hidden_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, out_dim))
