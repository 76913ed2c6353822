"""The batched pipeline: one rollout loop, with DI-engine's collector and evaluator around it."""
from ding_qmix.replay.episode_buffer import EpisodeBuffer
from ding_qmix.worker.collector import VectorCollector
from ding_qmix.worker.evaluator import WinRateEvaluator

__all__ = ['EpisodeBuffer', 'VectorCollector', 'WinRateEvaluator']
