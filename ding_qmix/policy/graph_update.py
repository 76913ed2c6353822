import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.policy.unroll import time_segments, unroll
from ding_qmix.rl_utils import greedy_action, masked_td_loss, td_lambda_target
from ding_qmix.spec import EpisodeBatch


class GraphUpdate:
    """
    Overview:
        From a shard of a batch to its part of the gradients by autograd: for any model, on any device.
    Interfaces:
        ``gradients``, ``q_tots``
    """

    def __init__(self, online: torch.nn.Module, target: torch.nn.Module, cfg: EasyDict) -> None:
        """
        Arguments:
            - online, target: ``QMix``, or DI-engine's model in ``HostQMix``
            - cfg: section ``policy.learn``
        """
        self._online, self._target, self._cfg = online, target, cfg
        self._parameters = list(online.parameters())

    def gradients(self, batch: EpisodeBatch, episode: Tensor, length: Tensor, n_steps: Tensor) -> tuple[Tensor, Tensor]:
        """
        Overview:
            Compute a shard's part.
        Arguments:
            - batch: longest episode first
            - episode, length: int64 [b], the shard's episodes and their lengths [env steps], longest first
            - n_steps: real steps of the whole batch, which the loss is a mean over
        Returns:
            - gradient: [P], of all parameters in the model's order
            - sums: [b, 5] per episode: loss, sums of Q_tot, target, |TD error|, largest |TD error|
        """
        shard = _select(batch, episode, int(length[0]))
        with torch.autocast(shard.obs.device.type, torch.bfloat16, enabled=self._cfg.bf16):
            chosen, target = self.q_tots(shard, length)
        loss = masked_td_loss(chosen, target, shard.mask, shard.weight) * (shard.mask.sum() / n_steps)
        gradients = torch.autograd.grad(loss, self._parameters, materialize_grads=True)
        return torch.cat([g.flatten() for g in gradients]), _sums(chosen.detach(), target, shard)

    def q_tots(self, batch: EpisodeBatch, length: Tensor) -> tuple[Tensor, Tensor]:
        """Q_tot of the taken actions and its target, both [T, B]; only the first carries gradients."""
        cfg = self._cfg
        segments = time_segments(length.cpu(), len(batch.obs))
        chosen_q_tot, q_values = unroll(self._online, batch, segments, _pad_row(batch.action))
        with torch.no_grad():
            # [T + 1, B, N]; without double Q the target network takes its own greedy legal actions
            best_action = greedy_action(q_values, batch.action_mask) if cfg.double_q else None
            best_q_tot, _ = unroll(self._target, batch, segments, best_action)
            terminal = batch.terminated
            if cfg.timeout_is_terminal:
                terminal = torch.maximum(terminal, batch.truncated)
            target_q_tot = td_lambda_target(
                batch.reward, terminal, batch.mask, best_q_tot[1:].float(), cfg.discount_factor, cfg.td_lambda
            )
        return chosen_q_tot[:-1].float(), target_q_tot


def _select(batch: EpisodeBatch, episode: Tensor, n_steps: int) -> EpisodeBatch:
    """Some of the episodes, without the rows behind the longest."""
    everyone = len(episode) == batch.mask.shape[1]
    fields = {}
    for name, value in batch._asdict().items():
        if value is None or name in ('hidden_state', 'weight'):
            fields[name] = value if value is None or everyone else value[episode]
        else:
            rows = value[:n_steps + (name in ('obs', 'state', 'action_mask'))]
            fields[name] = rows if everyone else rows[:, episode]
    return EpisodeBatch(**fields)


def _sums(chosen: Tensor, target: Tensor, shard: EpisodeBatch) -> Tensor:
    """Per episode, [B, 5], over real steps: loss, sums of Q_tot, target, |TD error|, largest |TD error|."""
    error = (chosen - target).abs() * shard.mask
    loss = error.square() if shard.weight is None else error.square() * shard.weight
    sums = [x.sum(0) for x in (loss, chosen * shard.mask, target * shard.mask, error)]
    return torch.stack([*sums, error.amax(0)], dim=1)


def _pad_row(action: Tensor) -> Tensor:
    """Add a last row of zeros, [T, B, N] -> [T + 1, B, N]: the step after the last has no action yet."""
    return torch.cat([action, action.new_zeros(1, *action.shape[1:])])
