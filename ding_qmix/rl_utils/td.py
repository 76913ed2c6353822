from typing import Optional

import torch
from torch import Tensor


def td_lambda_target(
        reward: Tensor, terminal: Tensor, mask: Tensor, next_q_tot: Tensor, gamma: float, td_lambda: float
) -> Tensor:
    """
    Overview:
        Lambda-returns, computed backwards from each episode's own last real step:
        G_t = r_t + gamma * (1 - terminal_t) * ((1 - lambda) * Q_{t+1} + lambda * G_{t+1}), and Q_{t+1} alone after the
        last real step. lambda = 0 gives 1-step targets, lambda = 1 Monte-Carlo returns with a bootstrap at a cut.
    Arguments:
        - gamma: discount factor
        - td_lambda: lambda, in [0, 1]
    Shapes:
        - reward, terminal, mask: [T, B]; terminal is 1. where nothing follows, mask 1. on real steps
        - next_q_tot: [T, B], the target network's Q_tot of the step after
        - returns: [T, B]; undefined on padding
    Source: TD(lambda) (Sutton 1988); with a greedy next_q_tot this is Peng's Q(lambda) (Peng & Williams 1994)
    """
    discount = gamma * (1. - terminal)  # [T, B]
    if td_lambda == 0.:
        return reward + discount * next_q_tot
    n_steps = reward.shape[0]
    is_last = torch.ones_like(mask)
    is_last[:-1] = 1. - mask[1:]  # the step after is padding, or does not exist
    carry = discount * td_lambda * (1. - is_last)  # weight of G_{t+1}
    target = reward + discount * next_q_tot - carry * next_q_tot  # what does not depend on G_{t+1}
    for t in range(n_steps - 2, -1, -1):
        target[t].addcmul_(carry[t], target[t + 1])
    return target


def masked_td_loss(chosen_q_tot: Tensor, target_q_tot: Tensor, mask: Tensor, weight: Optional[Tensor] = None) -> Tensor:
    """
    Overview:
        Mean squared TD error over the real steps; padding adds neither to the sum nor to the count.
    Shapes:
        - chosen_q_tot, target_q_tot, mask: [T, B]; mask is 1. on real steps, 0. on padding
        - weight: [B], importance weight of each episode, or None
        - returns: scalar, [reward units squared]
    Raises:
        - ValueError: the shapes differ
    Source: QMIX (arXiv:1803.11485) eq. 6; mask as in PyMARL learners/q_learner.py
    """
    if not chosen_q_tot.shape == target_q_tot.shape == mask.shape:
        raise ValueError(
            f'masked_td_loss: chosen_q_tot {tuple(chosen_q_tot.shape)}, target_q_tot {tuple(target_q_tot.shape)} and '
            f'mask {tuple(mask.shape)} must have one shape [T, B]'
        )
    squared_error = mask * (chosen_q_tot - target_q_tot).square()
    if weight is not None:
        squared_error = squared_error * weight
    return squared_error.sum() / mask.sum()
