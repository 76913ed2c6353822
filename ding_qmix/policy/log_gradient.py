from typing import Any

from ding.worker.learner.base_learner import BaseLearner
from ding.worker.learner.learner_hook import LearnerHook, register_learner_hook


class LogGradientHook(LearnerHook):
    """Before the run: log how the policy computes its gradients, and why."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        path = engine.policy.gradient_path
        engine.info(f'gradient: {path.name} ({path.reason})')


register_learner_hook('ding_qmix_log_gradient', LogGradientHook)
