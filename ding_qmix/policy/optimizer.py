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
def update_target(target_model: torch.nn.Module, model: torch.nn.Module, cfg: EasyDict, n_updates: int) -> None:
    """
    Overview:
        Bring the target network up after an update: a hard copy every ``target_update_freq`` updates, or a soft step of
        ``target_update_theta`` at every one. Buffers, such as batch norm's, go with the parameters.
    Arguments:
        - cfg: section ``policy.learn``
        - n_updates: updates since the start, this one included
    """
    theta = cfg.target_update_theta
    if theta == 0. and n_updates % cfg.target_update_freq != 0:
        return
    targets, onlines = ([*m.parameters(), *m.buffers()] for m in (target_model, model))
    for target, online in zip(targets, onlines):
        if not target.is_floating_point():
            target.copy_(online)  # a counter has no half way
    weights = [[t for t in tensors if t.is_floating_point()] for tensors in (targets, onlines)]
    torch._foreach_lerp_(*weights, theta or 1.)
