from typing import NamedTuple

import torch
from torch import Tensor

from ding_qmix.model import QNetwork
from ding_qmix.rl_utils import greedy_action, masked_td_loss, td_lambda_target
from ding_qmix.spec import EpisodeBatch


class QMIXLoss(NamedTuple):
    """The loss and what it compares."""
    loss: Tensor  # scalar
    q_tot: Tensor  # [T, B], of the actions taken
    target_q_tot: Tensor  # [T, B], G without gradient


def qmix_loss(
        online: QNetwork,
        target: QNetwork,
        batch: EpisodeBatch,
        gamma: float,
        td_lambda: float,
        double_q: bool = True,
        timeout_is_terminal: bool = True,
) -> QMIXLoss:
    """
    Overview:
        The loss of QMIX (arXiv:1803.11485 eq. 6), with lambda-returns and double Q-learning:

            L(theta) = sum_{b,t} m w (Q_tot(s_t, u_t; theta) - G_t)^2 / sum_{b,t} m
            G_t      = r_t + gamma (1 - d_t) [(1 - lambda) Q_tot(s_{t+1}, u*_{t+1}; theta') + lambda G_{t+1}]
            u*_{a,t} = argmax over the legal u of Q_a(o_{a,t}, u; theta)       (theta' without double Q)

        theta online, theta' target network; m 1 on real steps, w importance weight, d 1 where nothing follows. Q_a are
        the agents' values, Q_tot = mixer(Q_1, ..., Q_N; s) grows with each of them, so each agent's best action is part
        of the best joint action.
    Shapes:
        - batch: T steps of B episodes, longest first; see ``EpisodeBatch``
    """
    n_rows = batch.length + 1  # [B], an episode of T steps has T + 1 rows of obs
    q, _ = online.q_values(batch.obs, batch.hidden_state, n_rows)  # [T + 1, B, N, A]
    q_tot = online.mixer(_pick(q[:-1], batch.action), batch.state[:-1])  # [T, B]
    with torch.no_grad():
        target_q, _ = target.q_values(batch.obs, batch.hidden_state, n_rows)  # [T + 1, B, N, A]
        best_action = greedy_action((q if double_q else target_q)[1:], batch.action_mask[1:])  # [T, B, N]
        next_q_tot = target.mixer(_pick(target_q[1:], best_action), batch.state[1:])  # [T, B]
        terminal = torch.maximum(batch.terminated, batch.truncated) if timeout_is_terminal else batch.terminated
        target_q_tot = td_lambda_target(batch.reward, terminal, batch.mask, next_q_tot, gamma, td_lambda)
    return QMIXLoss(masked_td_loss(q_tot, target_q_tot, batch.mask, batch.weight), q_tot, target_q_tot)


def _pick(q: Tensor, action: Tensor) -> Tensor:
    """The values of actions: [..., A] and int64 [...] -> [...]"""
    return q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
