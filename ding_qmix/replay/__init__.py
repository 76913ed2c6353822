"""The replay buffer of episodes: storage in compact types, exact lengths, priorities."""
from ding_qmix.replay.episode_buffer import EpisodeBuffer

__all__ = ['EpisodeBuffer']
