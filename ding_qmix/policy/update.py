"""One update's gradients: targets, loss and backward pass, over a batch cut into shards for the processor's cores."""
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, Iterator, List, NamedTuple, Tuple

import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.policy.unroll import by_length, episode_lengths, time_segments, unroll
from ding_qmix.rl_utils import greedy_action, masked_td_loss, td_lambda_target
from ding_qmix.spec import EpisodeBatch

_MEANS = ('total_loss', 'total_q', 'target_total_q', 'td_error_abs')


class _ShardResult(NamedTuple):
    """A shard's part of the batch mean."""
    gradients: Tuple[Tensor, ...]  # one a parameter
    means: Tensor  # [4], what _MEANS names


class TDUpdate:
    """
    Overview:
        Gradients of the masked TD loss. A batch is cut into as many shards as threads; each thread runs its shard on
        one core from obs to gradient, which beats torch's own threads inside each small operation. The sum over shards
        is in fixed order, so the same batch gives the same bits.
    Interfaces:
        ``gradients``, ``q_tots``
    """

    def __init__(self, online: torch.nn.Module, target: torch.nn.Module, cfg: EasyDict, n_threads: int) -> None:
        """
        Arguments:
            - online, target: ``QMix``, or DI-engine's model in ``HostQMix``
            - cfg: section ``policy.learn``
            - n_threads: shards a batch, each on a thread of its own
        """
        self._online, self._target, self._cfg = online, target, cfg
        self._parameters = list(online.parameters())
        self._pool = ThreadPoolExecutor(n_threads, 'learn') if n_threads > 1 else None
        self._n_threads = n_threads

    def gradients(self, batch: EpisodeBatch) -> Tuple[List[Tensor], Dict[str, Tensor]]:
        """
        Overview:
            Compute the gradients of one batch.
        Arguments:
            - batch: on the networks' device, longest episode first
        Returns:
            - gradients: one a parameter of the online network
            - means: over real steps: total_loss, total_q, target_total_q, td_error_abs; scalars on the device
        """
        n_steps = batch.mask.sum()
        n_shards = min(self._n_threads, batch.mask.shape[1])
        shards = [EpisodeBatch(*_every(batch, first, n_shards)) for first in range(n_shards)]
        run = map if self._pool is None else self._pool.map
        results = list(run(lambda shard: self._shard_gradients(shard, n_steps), shards))
        gradients = [sum(parts[1:], parts[0]) for parts in zip(*(r.gradients for r in results))]
        means = torch.stack([r.means for r in results]).sum(0)
        return gradients, dict(zip(_MEANS, means.unbind()))

    def q_tots(self, batch: EpisodeBatch) -> Tuple[Tensor, Tensor]:
        """Q_tot of the taken actions and its target, both [T, B]; only the first carries gradients."""
        cfg = self._cfg
        segments = time_segments(episode_lengths(batch.mask).cpu(), len(batch.obs))
        chosen_q_tot, q_values = unroll(self._online, batch, segments, _pad_row(batch.action))
        with torch.no_grad():
            # [T + 1, B, N]; without double Q the target network takes its own greedy legal actions
            best_action = greedy_action(q_values, batch.action_mask) if cfg.double_q else None
            best_q_tot, _ = unroll(self._target, batch, segments, best_action)
            terminal = batch.terminated
            if cfg.timeout_is_terminal:
                terminal = torch.maximum(terminal, batch.truncated)
            target_q_tot = td_lambda_target(
                batch.reward, terminal, batch.mask, best_q_tot[1:], cfg.discount_factor, cfg.td_lambda
            )
        return chosen_q_tot[:-1], target_q_tot

    def _shard_gradients(self, shard: EpisodeBatch, n_steps: Tensor) -> _ShardResult:
        """Forward and backward of one shard, scaled to its part of the whole batch's mean."""
        shard = _trim(shard)
        chosen, target = self.q_tots(shard)
        share = shard.mask.sum() / n_steps
        loss = masked_td_loss(chosen, target, shard.mask, shard.weight) * share
        gradients = torch.autograd.grad(loss, self._parameters, materialize_grads=True)
        with torch.no_grad():
            sums = [(shard.mask * x).sum() / n_steps for x in (chosen, target, (chosen - target).abs())]
        return _ShardResult(gradients, torch.stack([loss.detach(), *sums]))


def longest_first(batch: EpisodeBatch, device: str) -> EpisodeBatch:
    """Order a batch as ``TDUpdate`` wants it and move it to a device."""
    return EpisodeBatch(*(None if t is None else t.to(device) for t in by_length(batch)))


def _every(batch: EpisodeBatch, first: int, step: int) -> Iterator[Tensor]:
    """Every ``step``-th episode: shards of like lengths, each in order."""
    for name, value in batch._asdict().items():
        if value is None or name in ('hidden_state', 'weight'):
            yield None if value is None else value[first::step]
        else:
            yield value[:, first::step]


def _trim(batch: EpisodeBatch) -> EpisodeBatch:
    """Drop the rows behind the longest episode."""
    n_rows = int(episode_lengths(batch.mask)[0]) + 1
    rows = {name: getattr(batch, name)[:n_rows] for name in ('obs', 'state', 'action_mask')}
    timed = ('action', 'reward', 'terminated', 'truncated', 'mask')
    rows.update({name: getattr(batch, name)[:n_rows - 1] for name in timed})
    return batch._replace(**rows)


def _pad_row(action: Tensor) -> Tensor:
    """Add a last row of zeros, [T, B, N] -> [T + 1, B, N]: the step after the last has no action yet."""
    return torch.cat([action, action.new_zeros(1, *action.shape[1:])])
