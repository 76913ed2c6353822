from typing import Optional

import torch
from torch import Tensor


def greedy_action(q_values: Tensor, action_mask: Tensor) -> Tensor:
    """
    Overview:
        Take the legal action of the highest value; the first one on ties.
    Shapes:
        - q_values: [..., A]; action_mask: bool [..., A], at least one True in every row
        - returns: int64 [...]
    """
    return q_values.masked_fill(~action_mask, -torch.inf).argmax(dim=-1)


def epsilon_greedy(
        q_values: Tensor, action_mask: Tensor, epsilon: float, generator: Optional[torch.Generator] = None
) -> Tensor:
    """
    Overview:
        Explore with probability epsilon, by a coin of its own for every env and every agent; a random action is uniform
        over the legal ones, an illegal one has probability zero.
    Arguments:
        - epsilon: probability of a random action, in [0, 1]
        - generator: the source of all draws, on the device of ``q_values``; None is torch's global one
    Shapes:
        - q_values: [..., A]; action_mask: bool [..., A], at least one True in every row
        - returns: int64 [...]
    Source: PyMARL components/action_selectors.py (one coin per env and agent)
    """
    greedy = greedy_action(q_values, action_mask)
    if epsilon <= 0.:
        return greedy
    draws = torch.rand(q_values.shape, generator=generator, device=q_values.device)
    coin = torch.rand(greedy.shape, generator=generator, device=q_values.device)
    random_action = greedy_action(draws, action_mask)  # the largest of iid draws is uniform over the legal actions
    return torch.where(coin < epsilon, random_action, greedy)
