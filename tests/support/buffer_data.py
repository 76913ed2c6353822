"""Shared by the tests of the replay buffer: buffers, samples that can be told apart, and their whole content."""
from typing import Any

import torch
from easydict import EasyDict
from policy_data import H, N, random_episode, whole

from ding_qmix.policy.samples import Sample, collate_samples
from ding_qmix.replay.episode_buffer import EpisodeBuffer
from ding_qmix.spec import EpisodeBatch


def make_buffer(seed: int = 0, **cfg: Any) -> EpisodeBuffer:
    """An empty buffer of 20 samples."""
    torch.manual_seed(seed)
    return EpisodeBuffer(EasyDict({**EpisodeBuffer.config, 'replay_buffer_size': 20, **cfg}))


def numbered(number: int, n_steps: int = 2) -> Sample:
    """An episode that can be told by its rewards."""
    return dict(whole(random_episode(n_steps, seed=number)), reward=torch.full((n_steps, ), float(number)))


def numbers(batch: EpisodeBatch) -> list[float]:
    """The numbers of a batch's samples."""
    return batch.reward[0].tolist()


def all_of(buffer: EpisodeBuffer, samples: list[Sample]) -> tuple[EpisodeBatch, EpisodeBatch]:
    """The whole content as one batch, and what it should be: the longest first."""
    got = buffer.sample(len(samples))
    order = {round(s['reward'][0].item(), 4): s for s in samples}
    expected = [order[round(r, 4)] for r in got.reward[0].tolist()]
    return got, collate_samples(expected, torch.zeros(len(samples), N, 1, H))
