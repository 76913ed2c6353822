import torch.nn as nn
from torch import Tensor


class VDNMixer(nn.Module):
    """The sum of the agents' values. Source: VDN (arXiv:1706.05296) eq. 3."""

    def forward(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """agent_q [..., N], state unused -> [...]"""
        return agent_q.sum(dim=-1)


class QMixer(nn.Module):
    """
    Overview:
        Monotonic mixing: a two-layer network from the agents' values to Q_tot. Its weights come from hypernetworks on
        the global state and are made non-negative, so that dQ_tot/dQ_a >= 0 for every agent; its biases are free.
    Source: QMIX (arXiv:1803.11485) section 4.1, fig. 2; two-layer hypernetworks and V(s) as in PyMARL mixers/qmix.py
    """

    def __init__(self, n_agents: int, state_dim: int, embed_dim: int = 64, hypernet_dim: int = 64) -> None:
        """
        Arguments:
            - n_agents: N
            - state_dim: S, [features]
            - embed_dim: width of the mixing network
            - hypernet_dim: hidden width of the two hypernetworks that make the weights
        """
        super().__init__()
        self.n_agents, self.state_dim, self.embed_dim = n_agents, state_dim, embed_dim
        # All four hypernetworks read the same state: their first layers are one GEMM.
        self._widths = [hypernet_dim, hypernet_dim, embed_dim, embed_dim]  # W1, W_final, V hidden layers; b1
        self.state_layer = nn.Linear(state_dim, sum(self._widths))
        self.w1_layer = nn.Linear(hypernet_dim, n_agents * embed_dim)
        self.w_final_layer = nn.Linear(hypernet_dim, embed_dim)
        self.v_layer = nn.Linear(embed_dim, 1)
        self.hypernet_activation, self.activation = nn.ReLU(), nn.ELU()

    def forward(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """
        Overview:
            Mix the agents' values.
        Shapes:
            - agent_q: [..., N]; state: [..., S]
            - returns: [...]
        Raises:
            - ValueError: the last axes are not N and S
        """
        if agent_q.shape[-1] != self.n_agents or state.shape[-1] != self.state_dim:
            raise ValueError(
                f'QMixer: agent_q has last axis {agent_q.shape[-1]} and state {state.shape[-1]}, expected n_agents='
                f'{self.n_agents} and state_dim={self.state_dim}; build the model from the spec of the map'
            )
        return self._mix(agent_q, state)

    def _mix(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """The mixing network, on checked input."""
        w1_in, w_final_in, v_in, b1 = self.state_layer(state).split(self._widths, dim=-1)
        w1 = self.w1_layer(self.hypernet_activation(w1_in)).abs()  # [..., N * embed]
        w1 = w1.unflatten(-1, (self.n_agents, self.embed_dim))  # [..., N * embed] -> [..., N, embed]
        hidden = self.activation((agent_q.unsqueeze(-1) * w1).sum(dim=-2) + b1)  # [..., embed]
        w_final = self.w_final_layer(self.hypernet_activation(w_final_in)).abs()  # [..., embed]
        v = self.v_layer(self.hypernet_activation(v_in)).squeeze(-1)  # [...], the state-dependent bias V(s)
        return (hidden * w_final).sum(dim=-1) + v
