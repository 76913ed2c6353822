import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.policy.flat_parameters import FlatParameters
from ding_qmix.utils.user_name import ensure_user_name


def make_optimizer(cfg: EasyDict, parameters: Tensor) -> torch.optim.Optimizer:
    """Build what ``policy.learn`` asks for: RMSprop with the paper's alpha and eps, or Adam."""
    ensure_user_name()
    if cfg.optimizer == 'rmsprop':
        return torch.optim.RMSprop(
            [parameters], lr=cfg.learning_rate, alpha=0.99, eps=1e-5, weight_decay=cfg.weight_decay
        )
    return torch.optim.Adam([parameters], lr=cfg.learning_rate, weight_decay=cfg.weight_decay, fused=True)


@torch.no_grad()
def update_target(target: FlatParameters, online: FlatParameters, cfg: EasyDict, n_updates: int) -> None:
    """
    Overview:
        Let the target network follow an update of the online one: a hard copy every ``target_update_freq`` updates, or
        a soft step of ``target_update_theta`` at every one. Buffers, such as batch norm's, go with the parameters.
    Arguments:
        - cfg: section ``policy.learn``
        - n_updates: updates since the start, this one included
    """
    theta = cfg.target_update_theta
    if theta == 0. and n_updates % cfg.target_update_freq != 0:
        return
    target.vector.lerp_(online.vector, theta or 1.)
    for old, new in zip(target.buffers, online.buffers):
        if old.is_floating_point():
            old.lerp_(new, theta or 1.)
        else:
            old.copy_(new)  # a counter has no half way
