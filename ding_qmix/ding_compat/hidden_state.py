"""DI-engine's recurrent state, a list over episodes of a list over agents of dicts, to one tensor and back."""
from typing import Any, Optional

import torch
from torch import Tensor

PrevState = list[list[Optional[dict[str, Tensor]]]]


def to_hidden_state(prev_state: PrevState, zeros: Tensor) -> Tensor:
    """
    Overview:
        Gather DI-engine's ``prev_state`` into one tensor; ``None`` is the zero state.
    Shapes:
        - prev_state: B lists of N entries, each None or dict(h, c) of [1, 1, H]
        - zeros: [B, N, L, H], gives shape, dtype and device
        - returns: [B, N, L, H]
    Raises:
        - ValueError: the lengths are not B and N
    """
    n_episodes, n_agents, n_tensors, hidden_dim = zeros.shape
    if len(prev_state) != n_episodes or any(len(agents) != n_agents for agents in prev_state):
        raise ValueError(
            f'to_hidden_state: prev_state is {len(prev_state)} x {sorted({len(a) for a in prev_state})}, '
            f'expected {n_episodes} episodes x {n_agents} agents'
        )
    if all(agent is None for agents in prev_state for agent in agents):
        return zeros
    zero = zeros.new_zeros(n_tensors * hidden_dim)
    rows = [
        zero if agent is None else torch.cat([t.reshape(-1) for t in _tensors(agent)[:n_tensors]])
        for agents in prev_state for agent in agents
    ]
    return torch.stack(rows).view_as(zeros)


def to_prev_state(hidden_state: Tensor) -> PrevState:
    """
    Overview:
        Spread a packed hidden state into DI-engine's form. A GRU's only tensor is both ``h`` and ``c``, as there.
    Shapes:
        - hidden_state: [B, N, L, H]
        - returns: B lists of N dict(h, c) of [1, 1, H]
    """
    last = hidden_state.shape[2] - 1
    return [
        [dict(h=agent[0].view(1, 1, -1), c=agent[last].view(1, 1, -1)) for agent in agents.unbind(0)]
        for agents in hidden_state.unbind(0)
    ]


def _tensors(agent_state: Any) -> list[Tensor]:
    """The tensors of one agent's state: dict(h, c), or a sequence of them."""
    return list(agent_state.values()) if hasattr(agent_state, 'values') else list(agent_state)
