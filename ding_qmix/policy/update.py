"""One update's gradients: a batch cut into shards for the processor's cores, and the shards' parts summed."""
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Optional

import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.fast_cpu.gradient import PackedUpdate, can_pack
from ding_qmix.policy.graph_update import GraphUpdate
from ding_qmix.policy.unroll import by_length, episode_lengths
from ding_qmix.spec import EpisodeBatch

MEANS = ('total_loss', 'total_q', 'target_total_q', 'td_error_abs')
_MAX_SHARE = 0.9  # of a sample's largest TD error in its priority, the rest is the mean; R2D2 (Kapturowski et al. 2019)


class UpdateResult(NamedTuple):
    """What one batch gave."""
    gradient: Tensor  # [P], of all parameters of the online network, in its order; valid until the next update
    means: Tensor  # [4], what MEANS names, over the real steps
    priority: Tensor  # [B], of the samples in the batch's order: a mixture of largest and mean |TD error|


class TDUpdate:
    """
    Overview:
        Gradients of the masked TD loss. A batch is cut into as many shards as threads; each thread runs its shard on
        one core from obs to gradient, which beats torch's own threads inside each small operation. The sum over shards
        is in fixed order, so the same batch gives the same bits.
    Interfaces:
        ``gradients``
    """

    def __init__(self, online: torch.nn.Module, target: torch.nn.Module, cfg: EasyDict, n_threads: int) -> None:
        """
        Arguments:
            - online, target: ``QMix``, or DI-engine's model in ``HostQMix``
            - cfg: section ``policy.learn``
            - n_threads: shards a batch, each on a thread of its own
        """
        kind = PackedUpdate if can_pack(online) and can_pack(target) and not cfg.bf16 else GraphUpdate
        self._shards = [kind(online, target, cfg) for _ in range(n_threads)]
        # The caller runs the first shard. Linear algebra libraries count threads per thread: each of these gets one.
        self._pool = ThreadPoolExecutor(n_threads, 'learn', torch.set_num_threads, (1, ))

    def gradients(self, batch: EpisodeBatch) -> UpdateResult:
        """
        Overview:
            Compute the gradients of one batch.
        Arguments:
            - batch: on the networks' device, longest episode first
        """
        length = episode_lengths(batch.mask)  # [B]
        n_steps, n_shards = batch.mask.sum(), min(len(self._shards), len(length))
        episodes = [torch.arange(first, len(length), n_shards) for first in range(n_shards)]  # of like lengths

        def run(shard: int) -> tuple[Tensor, Tensor]:
            return self._shards[shard].gradients(batch, episodes[shard], length[episodes[shard]], n_steps)

        others = [self._pool.submit(run, shard) for shard in range(1, n_shards)]
        results = [run(0), *(other.result() for other in others)]
        gradient = results[0][0]
        for part, _ in results[1:]:
            gradient += part
        sums = torch.cat([sums for _, sums in results])[torch.cat(episodes).argsort()]  # [B, 5]
        n_real = batch.mask.sum(0).clamp(min=1.)
        priority = _MAX_SHARE * sums[:, 4] + (1. - _MAX_SHARE) * sums[:, 3] / n_real
        return UpdateResult(gradient, sums[:, :4].sum(0) / n_steps, priority)


def longest_first(batch: EpisodeBatch, device: str) -> tuple[EpisodeBatch, Optional[Tensor]]:
    """
    Overview:
        Order a batch as ``TDUpdate`` wants it and move it to a device; also return the order, None if it was as it is.
    Raises:
        - ValueError: a field's shape does not fit the others', or an action is none
    """
    _check_shapes(batch)
    batch, order = by_length(batch)
    return EpisodeBatch(*(None if t is None else _ready(t, device) for t in batch)), order


def _ready(value: Tensor, device: str) -> Tensor:
    """A tensor as compiled code takes it: floats are float32, no gaps."""
    return value.to(device, torch.float32 if value.is_floating_point() else value.dtype).contiguous()


def _check_shapes(batch: EpisodeBatch) -> None:
    """Compiled code trusts them."""
    (rows, B, N), A, T = batch.obs.shape[:3], batch.action_mask.shape[-1], len(batch.obs) - 1
    expected = {
        'state': (rows, B, batch.state.shape[-1]),
        'action_mask': (rows, B, N, A),
        'action': (T, B, N),
        'hidden_state': (B, N, *batch.hidden_state.shape[2:]) if batch.hidden_state is not None else None,
        'weight': (B, ),
        **{name: (T, B)
           for name in ('reward', 'terminated', 'truncated', 'mask')},
    }
    for name, shape in expected.items():
        value = getattr(batch, name)
        if value is not None and tuple(value.shape) != shape:
            raise ValueError(f'EpisodeBatch: {name} has shape {tuple(value.shape)}, expected {shape} beside obs')
    low, high = (int(x) for x in torch.aminmax(batch.action))
    if low < 0 or high >= A:
        raise ValueError(f'EpisodeBatch: actions from {low} to {high}, expected 0 to {A - 1}')
