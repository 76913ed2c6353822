from typing import Sequence

import torch
from easydict import EasyDict
from torch import Tensor


def make_optimizer(cfg: EasyDict, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    """Build what ``policy.learn`` asks for: RMSprop with the paper's alpha and eps, or Adam."""
    if cfg.optimizer == 'rmsprop':
        return torch.optim.RMSprop(
            parameters, lr=cfg.learning_rate, alpha=0.99, eps=1e-5, weight_decay=cfg.weight_decay, foreach=True
        )
    return torch.optim.Adam(parameters, lr=cfg.learning_rate, weight_decay=cfg.weight_decay, fused=True)


@torch.no_grad()
def update_target(target: Sequence[Tensor], online: Sequence[Tensor], cfg: EasyDict, n_updates: int) -> None:
    """
    Overview:
        Bring the target network up after an update: a hard copy every ``target_update_freq`` updates, or a soft step of
        ``target_update_theta`` at every one.
    Arguments:
        - target, online: parameters and buffers of both networks; a buffer of integers, such as a counter, has no half
          way and is copied
        - cfg: section ``policy.learn``
        - n_updates: updates since the start, this one included
    """
    theta = cfg.target_update_theta
    if theta == 0. and n_updates % cfg.target_update_freq != 0:
        return
    pairs = [pair for pair in zip(target, online) if pair[0].is_floating_point()]
    torch._foreach_lerp_(*map(list, zip(*pairs)), theta or 1.)
    for counter, given in zip(target, online):
        if not counter.is_floating_point():
            counter.copy_(given)
