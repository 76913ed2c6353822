"""
The whole state of a training run beside the policy's checkpoint: envs, buffer, counters, generators. DI-engine hands
its learner's hooks the learner alone, so the parts of a run find each other by its name, as DI-engine's own loggers do.
"""
import os
import random
from collections.abc import MutableMapping
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from ding.worker.learner.base_learner import BaseLearner
from ding.worker.learner.learner_hook import LearnerHook, register_learner_hook

_PARTS: dict[str, MutableMapping[str, Any]] = {}  # {exp_name: {part name: part}}; a part leaves when it is deleted

RUN_STATE_FILE = 'run_state.pth.tar'


def join_run(exp_name: str, name: str, part: Any) -> None:
    """Make a part's ``state_dict`` belong to the state of the run ``exp_name``."""
    _PARTS.setdefault(exp_name, WeakValueDictionary())[name] = part


def run_state(exp_name: str) -> dict[str, Any]:
    """Return the state of all parts that joined a run, and of the process-wide generators."""
    parts = {name: part.state_dict() for name, part in sorted(_PARTS.get(exp_name, {}).items())}
    algorithm, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002, DI-engine draws from it
    return {
        'parts': parts,
        'torch': torch.get_rng_state(),
        'numpy': [algorithm, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        'random': [list(random.getstate()[1]), random.getstate()[2]],
    }


def load_run_state(exp_name: str, state: dict[str, Any]) -> None:
    """
    Overview:
        Restore ``run_state``.
    Raises:
        - ValueError: the run has other parts than were saved
    """
    parts = _PARTS.get(exp_name, {})
    if set(parts) != set(state['parts']):
        raise ValueError(f'run {exp_name}: saved with parts {sorted(state["parts"])}, now it has {sorted(parts)}')
    for name, part in parts.items():
        part.load_state_dict(state['parts'][name])
    torch.set_rng_state(state['torch'])
    algorithm, keys, position, has_gauss, gauss = state['numpy']
    np.random.set_state((algorithm, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    words, gauss_next = state['random']
    random.setstate((random.getstate()[0], tuple(words), gauss_next))


class SaveRunStateHook(LearnerHook):
    """After the run, also one stopped by Ctrl-C: write the run's state beside its last checkpoint."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        wanted = engine.policy.get_attribute('cfg').learn.get('save_run_state', True)
        if engine.rank != 0 or not wanted or not _PARTS.get(engine.exp_name):
            return
        path = os.path.join('.', engine.exp_name, 'ckpt', RUN_STATE_FILE)
        torch.save({'train_iter': engine.train_iter, **run_state(engine.exp_name)}, path)
        engine.info(f'{engine.instance_name} save run state in {path}')


class LoadRunStateHook(LearnerHook):
    """Before a run that resumes: read the run's state from beside the checkpoint that DI-engine has loaded."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        cfg = engine.policy.get_attribute('cfg').learn
        checkpoint = cfg.learner.hook.load_ckpt_before_run
        if not cfg.get('resume_training', False) or not checkpoint:
            return
        path = os.path.join(os.path.dirname(checkpoint), RUN_STATE_FILE)
        state = torch.load(path, weights_only=True) if os.path.exists(path) else {'train_iter': None}
        if state['train_iter'] != engine.train_iter:
            engine.info(
                f'no run state of train iter {engine.train_iter} in {path} (found: {state["train_iter"]}): networks '
                'and optimiser go on, replay buffer, envs and generators start anew'
            )
            return
        load_run_state(engine.exp_name, state)
        engine.info(f'{engine.instance_name} load run state in {path}')


register_learner_hook('ding_qmix_save_run', SaveRunStateHook)
register_learner_hook('ding_qmix_load_run', LoadRunStateHook)
