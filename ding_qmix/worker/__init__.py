"""The fast road: one rollout loop, and DI-engine's collector, buffer and evaluator around it."""
from ding_qmix.replay.episode_buffer import EpisodeBuffer
from ding_qmix.worker.collector import VectorCollector
from ding_qmix.worker.evaluator import WinRateEvaluator

__all__ = ['EpisodeBuffer', 'VectorCollector', 'WinRateEvaluator']
