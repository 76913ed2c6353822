from typing import NamedTuple

import torch
from torch import Tensor


class TDSums(NamedTuple):
    """What is known of each episode of a batch after its TD errors, over its real steps."""
    loss: Tensor  # [B], weighted squared TD errors
    q_tot: Tensor  # [B]
    target_q_tot: Tensor  # [B]
    td_error_abs: Tensor  # [B]
    td_error_max: Tensor  # [B], the largest |TD error|, not a sum


def td_sums(q_tot: Tensor, target_q_tot: Tensor, mask: Tensor, weight: Tensor) -> TDSums:
    """
    Overview:
        Sum up what a batch's episodes came to.
    Shapes:
        - q_tot, target_q_tot, mask: [T, B]; mask is 1. on real steps, 0. on padding
        - weight: [B], importance weight of each episode
    """
    error = (q_tot - target_q_tot).abs() * mask  # [T, B]
    return TDSums(
        loss=(error.square() * weight).sum(0),
        q_tot=(q_tot * mask).sum(0),
        target_q_tot=(target_q_tot * mask).sum(0),
        td_error_abs=error.sum(0),
        td_error_max=error.amax(0),
    )


def concatenate_sums(parts: list[TDSums], order: Tensor) -> TDSums:
    """Join the episodes of several batches; ``order`` int64 [B] picks from them, one batch after another."""
    return TDSums(*(torch.cat(field)[order] for field in zip(*parts)))
