from typing import Sequence

import torch
from easydict import EasyDict
from torch import Tensor


def make_optimizer(cfg: EasyDict, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    """Build what ``policy.learn`` asks for: RMSprop with the paper's alpha and eps, or Adam."""
    if cfg.optimizer == 'rmsprop':
        return torch.optim.RMSprop(
            parameters, lr=cfg.learning_rate, alpha=0.99, eps=1e-5, weight_decay=cfg.weight_decay
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
    target, online = target_model.state_dict(), model.state_dict()
    if cfg.target_update_theta > 0.:
        for name in [name for name, value in target.items() if not value.is_floating_point()]:
            target.pop(name).copy_(online.pop(name))  # a counter has no half way
        torch._foreach_lerp_(list(target.values()), list(online.values()), cfg.target_update_theta)
    elif n_updates % cfg.target_update_freq == 0:
        torch._foreach_copy_(list(target.values()), list(online.values()))
