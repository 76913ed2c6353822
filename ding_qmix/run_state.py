"""
The whole state of a training run beside the policy's checkpoint: envs, buffer, counters, generators. DI-engine's serial
pipeline hands one TensorBoard writer to learner, collector, evaluator and buffer, so the run's state is kept on it.
"""
import os
import random
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple, Optional, Protocol
from weakref import WeakValueDictionary

import numpy as np
import torch
from ding.worker.learner.base_learner import BaseLearner
from ding.worker.learner.learner_hook import LearnerHook, register_learner_hook
from tensorboardX import SummaryWriter

RUN_STATE_FILE = 'run_state.pth.tar'
_ANEW = 'networks and optimiser go on, replay buffer, envs and generators start anew'


class RunPart(Protocol):
    """A part of a run that changes while it runs."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes: tensors and plain Python values only."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned."""


class RunState:
    """
    Overview:
        The parts of one run, and their state together with that of the process-wide generators.
    Interfaces:
        ``of``, ``join``, ``state_dict``, ``load_state_dict``
    Properties:
        ``part_names``
    """

    def __init__(self) -> None:
        self._parts: MutableMapping[str, RunPart] = WeakValueDictionary()  # keeps no part alive

    @classmethod
    def of(cls, tb_logger: Optional[SummaryWriter]) -> 'RunState':
        """
        Overview:
            Return the run whose parts write to ``tb_logger``; the first call makes it. Without a writer, as in
            DI-engine's processes of rank > 0 or for parts used on their own, return a run that nobody else finds.
        """
        return cls() if tb_logger is None else vars(tb_logger).setdefault('ding_qmix_run_state', cls())

    @property
    def part_names(self) -> list[str]:
        """Names of the parts that there are, sorted."""
        return sorted(self._parts)

    def join(self, name: str, part: RunPart) -> None:
        """Make the state of ``part`` belong to the run's."""
        self._parts[name] = part

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all parts, and of the generators of torch, NumPy and Python."""
        numpy = np.random.get_state(legacy=False)  # noqa: NPY002, DI-engine draws from it
        keys = torch.from_numpy(numpy['state']['key'].astype(np.int64))
        return {
            'parts': {name: part.state_dict()
                      for name, part in sorted(self._parts.items())},
            'torch': torch.get_rng_state(),
            'numpy': [numpy['bit_generator'], keys, numpy['state']['pos'], numpy['has_gauss'], numpy['gauss']],
            'random': [list(random.getstate()[1]), random.getstate()[2]],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """
        Overview:
            Restore ``state_dict``.
        Raises:
            - ValueError: the run has other parts than were saved
        """
        saved = state_dict['parts']
        if self.part_names != sorted(saved):
            raise ValueError(
                f'run state: saved with parts {sorted(saved)}, now the run has {self.part_names}; resume with the '
                f'collector, evaluator and buffer of the saved run, or remove its {RUN_STATE_FILE} to begin them anew'
            )
        for name, part in self._parts.items():
            part.load_state_dict(saved[name])
        torch.set_rng_state(state_dict['torch'])
        algorithm, keys, position, has_gauss, gauss = state_dict['numpy']
        np.random.set_state((algorithm, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
        words, gauss_next = state_dict['random']
        random.setstate((random.getstate()[0], tuple(words), gauss_next))


class RunFiles(NamedTuple):
    """What a policy's config says about the files of its run; the learner's hooks read it from the learn mode."""
    save: bool  # keep the run's state beside the last checkpoint
    resume_from: str  # checkpoint whose run goes on, '' for a new run

    @classmethod
    def from_config(cls, learn: Mapping[str, Any]) -> 'RunFiles':
        """Read section ``policy.learn``; DI-engine's pipeline fills in its part, the learner's hooks."""
        checkpoint = learn.get('learner', {}).get('hook', {}).get('load_ckpt_before_run', '')
        return cls(learn['save_run_state'], checkpoint if learn['resume_training'] else '')


class SaveRunStateHook(LearnerHook):
    """After the run, also one stopped by Ctrl-C: write the run's state beside its last checkpoint."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        run = RunState.of(engine.tb_logger)
        if engine.rank != 0 or not engine.policy.run_files.save or not run.part_names:
            return
        path = os.path.join('.', engine.exp_name, 'ckpt', RUN_STATE_FILE)
        torch.save({'train_iter': engine.train_iter, **run.state_dict()}, path)
        engine.info(f'{engine.instance_name} save run state in {path}')


class LoadRunStateHook(LearnerHook):
    """Before a run that resumes: read the run's state from beside the checkpoint that DI-engine has loaded."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        checkpoint = engine.policy.run_files.resume_from
        if not checkpoint:
            return
        if engine.rank != 0:
            engine.info(f'the run state is that of rank 0: on rank {engine.rank} {_ANEW}')
            return
        path = os.path.join(os.path.dirname(checkpoint), RUN_STATE_FILE)
        state = torch.load(path, weights_only=True) if os.path.exists(path) else {'train_iter': None}
        if state['train_iter'] != engine.train_iter:
            engine.info(
                f'no run state of train iter {engine.train_iter} in {path} (found: {state["train_iter"]}): {_ANEW}'
            )
            return
        RunState.of(engine.tb_logger).load_state_dict(state)
        engine.info(f'{engine.instance_name} load run state in {path}')


register_learner_hook('ding_qmix_save_run', SaveRunStateHook)
register_learner_hook('ding_qmix_load_run', LoadRunStateHook)
