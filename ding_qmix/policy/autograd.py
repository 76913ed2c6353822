from typing import Any

import torch
from torch import Tensor

from ding_qmix.ding_compat import Network
from ding_qmix.policy.loss import qmix_loss
from ding_qmix.rl_utils import TDSums, td_sums
from ding_qmix.spec import EpisodeBatch

_PER_EPISODE = ('length', 'hidden_state', 'weight')
_ONE_ROW_MORE = ('obs', 'state', 'action_mask')


class AutogradGradient:
    """
    Overview:
        The gradient of ``qmix_loss`` on a shard of a batch by autograd: for any network, on any device.
    Interfaces:
        ``gradient``
    """

    def __init__(self, online: Network, target: Network, bf16: bool = False, **options: Any) -> None:
        """
        Arguments:
            - bf16: large matrix products in bfloat16
            - options: of ``qmix_loss``
        """
        self._online, self._target, self._bf16, self._options = online, target, bf16, options
        self._parameters = list(online.parameters())

    def gradient(self, batch: EpisodeBatch, episode: Tensor, n_steps: Tensor) -> tuple[Tensor, TDSums]:
        """
        Overview:
            Compute a shard's part.
        Arguments:
            - batch: longest episode first
            - episode: int64 [b], the shard's episodes, longest first
            - n_steps: real steps of the whole batch, which the loss is a mean over
        Returns:
            - gradient: [P], of all parameters in the network's order, zero of frozen ones
            - sums: of the shard's episodes
        """
        shard = select_episodes(batch, episode)
        with torch.autocast(shard.obs.device.type, torch.bfloat16, enabled=self._bf16):
            loss, q_tot, target_q_tot = qmix_loss(self._online, self._target, shard, **self._options)
        share = shard.mask.sum() / n_steps  # of the shard's steps in the batch's
        trained = [p for p in self._parameters if p.requires_grad]
        found = iter(torch.autograd.grad(loss * share, trained, materialize_grads=True))
        gradients = [next(found) if p.requires_grad else torch.zeros_like(p) for p in self._parameters]
        weight = torch.ones_like(shard.mask[0]) if shard.weight is None else shard.weight
        sums = td_sums(q_tot.detach().float(), target_q_tot, shard.mask, weight)
        return torch.cat([g.flatten() for g in gradients]), sums


def select_episodes(batch: EpisodeBatch, episode: Tensor) -> EpisodeBatch:
    """Return some of a batch's episodes, int64 [b], longest first, without the rows behind the longest."""
    n_steps, everyone = int(batch.length[episode[0]]), len(episode) == len(batch.length)
    fields: dict[str, Any] = {}
    for name, value in batch._asdict().items():
        if value is None or name in _PER_EPISODE:
            fields[name] = value if value is None or everyone else value[episode]
        else:
            rows = value[:n_steps + (name in _ONE_ROW_MORE)]
            fields[name] = rows if everyone else rows[:, episode]
    return EpisodeBatch(**fields)
