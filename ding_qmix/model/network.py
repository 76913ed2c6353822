from typing import Optional, Protocol

from torch import Tensor


class QNetwork(Protocol):
    """What the loss asks of a network: ``QMix``, or another model behind its interface."""

    def q_values(self, obs: Tensor, hidden_state: Optional[Tensor],
                 n_rows: Optional[Tensor]) -> tuple[Tensor, Optional[Tensor]]:
        """
        Return every agent's value of every action [T, B, N, A] and the last hidden state, for obs [T, B, N, O], the
        hidden state [B, N, L, H] before row 0 (None for zeros) and the rows int64 [B] of each episode (None for T).
        """

    def mixer(self, agent_q: Tensor, state: Tensor) -> Tensor:
        """Join the agents' values [T, B, N] to Q_tot [T, B], given the state [T, B, S]; it falls with none of them."""
