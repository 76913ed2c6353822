"""One update's gradients: a batch cut into shards for the processor's cores, and the shards' parts summed."""
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor

from ding_qmix.policy.fast_path import GradientPath
from ding_qmix.rl_utils import TDSums, concatenate_sums
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
        Gradients of QMIX's loss. A batch is cut into as many shards as threads; each thread runs its shard on one core
        from obs to gradient, which beats torch's own threads inside each small operation. The sum over shards is in
        fixed order, so the same batch gives the same bits.
    Interfaces:
        ``gradients``
    """

    def __init__(self, path: GradientPath, n_threads: int) -> None:
        """
        Arguments:
            - path: how a shard's gradient is computed
            - n_threads: shards per batch, each on a thread of its own
        """
        self._shards = [path.make() for _ in range(n_threads)]
        # The caller runs the first shard. Linear algebra libraries count threads per thread: each of these gets one.
        self._pool = ThreadPoolExecutor(n_threads, 'learn', torch.set_num_threads, (1, ))

    def gradients(self, batch: EpisodeBatch) -> UpdateResult:
        """
        Overview:
            Compute the gradients of one batch.
        Arguments:
            - batch: on the networks' device, longest episode first
        """
        n_steps, n_episodes = batch.mask.sum(), len(batch.length)
        n_shards = min(len(self._shards), n_episodes)
        episodes = [torch.arange(first, n_episodes, n_shards) for first in range(n_shards)]  # of like lengths

        def run(shard: int) -> tuple[Tensor, TDSums]:
            return self._shards[shard].gradient(batch, episodes[shard], n_steps)

        others = [self._pool.submit(run, shard) for shard in range(1, n_shards)]
        results = [run(0), *(other.result() for other in others)]
        gradient = results[0][0]
        for part, _ in results[1:]:
            gradient += part
        sums = concatenate_sums([sums for _, sums in results], torch.cat(episodes).argsort())
        means = torch.stack([sums.loss, sums.q_tot, sums.target_q_tot, sums.td_error_abs], dim=1).sum(0) / n_steps
        n_real = batch.mask.sum(0).clamp(min=1.)
        priority = _MAX_SHARE * sums.td_error_max + (1. - _MAX_SHARE) * sums.td_error_abs / n_real
        return UpdateResult(gradient, means, priority)


def longest_first(batch: EpisodeBatch, device: str) -> tuple[EpisodeBatch, Optional[Tensor]]:
    """
    Overview:
        Order a batch as ``TDUpdate`` wants it and move it to a device; also return the order, int64 [B], or None if it
        was in order already, in which case it is not copied.
    Raises:
        - ValueError: a field's shape does not fit the others', or an action or a length is none
    """
    _check_fields(batch)
    order = None
    if not bool((batch.length[:-1] >= batch.length[1:]).all()):
        order = batch.length.argsort(descending=True, stable=True)
        batch = _in_order(batch, order)
    return batch.map(lambda tensor: _ready(tensor, device)), order


def _in_order(batch: EpisodeBatch, order: Tensor) -> EpisodeBatch:
    """The batch's episodes in another order, int64 [B]."""
    fields: dict[str, Any] = batch._asdict()
    for name, value in fields.items():
        if value is not None:
            fields[name] = value[order] if name in ('length', 'hidden_state', 'weight') else value[:, order]
    return EpisodeBatch(**fields)


def _ready(value: Tensor, device: str) -> Tensor:
    """A tensor as compiled code takes it: floats are float32, no gaps."""
    return value.to(device, torch.float32 if value.is_floating_point() else value.dtype).contiguous()


def _check_fields(batch: EpisodeBatch) -> None:
    """Compiled code trusts them."""
    (rows, B, N), A, T = batch.obs.shape[:3], batch.action_mask.shape[-1], len(batch.obs) - 1
    expected = {
        'state': (rows, B, batch.state.shape[-1]),
        'action_mask': (rows, B, N, A),
        'action': (T, B, N),
        'length': (B, ),
        'hidden_state': (B, N, *batch.hidden_state.shape[2:]) if batch.hidden_state is not None else None,
        'weight': (B, ),
        **{name: (T, B)
           for name in ('reward', 'terminated', 'truncated', 'mask')},
    }
    for name, shape in expected.items():
        value = getattr(batch, name)
        if value is not None and tuple(value.shape) != shape:
            raise ValueError(f'EpisodeBatch: {name} has shape {tuple(value.shape)}, expected {shape} beside obs')
    for name, first, last in (('action', 0, A - 1), ('length', 1, T)):
        low, high = (int(x) for x in torch.aminmax(getattr(batch, name)))
        if low < first or high > last:
            raise ValueError(f'EpisodeBatch: {name} from {low} to {high}, expected {first} to {last}')
