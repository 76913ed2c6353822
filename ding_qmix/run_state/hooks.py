"""The learner's hooks for the files of a run: checkpoints that are never torn, whole saves, and how a run resumes."""
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, Optional
from weakref import ref

from ding.worker.learner.base_learner import BaseLearner
from ding.worker.learner.learner_hook import LearnerHook, SaveCkptHook, register_learner_hook

from ding_qmix.run_state.run import RunState
from ding_qmix.run_state.saves import RUN_STATE_FOLDER, RunSaves, Save
from ding_qmix.run_state.whole_file import write_whole

_ANEW = 'networks and optimiser go on, replay buffer, envs and generators start anew'
_MOST_SHARE = 0.02  # of a run's time that goes into saves by time


class RunFiles(NamedTuple):
    """What a policy's config says about the files of its run; the learner's hooks read it from the learn mode."""
    save: bool  # keep the run's state
    checkpoint: str  # whose run goes on, '' for another run
    resume_from: str = ''  # folder of the run whose newest whole save goes on, '' for another run
    save_seconds: float = 300.  # [s] between saves; 0 leaves them to save_env_steps
    save_env_steps: int = 0  # [env steps] between saves; 0 leaves them to save_seconds

    @classmethod
    def from_config(cls, learn: Mapping[str, Any]) -> 'RunFiles':
        """Read section ``policy.learn``; DI-engine's pipeline fills in its part, the learner's hooks."""
        checkpoint = learn.get('learner', {}).get('hook', {}).get('load_ckpt_before_run', '')
        return cls(
            learn['save_run_state'], checkpoint if learn['resume_training'] else '', learn['resume_from'],
            learn['save_run_seconds'], learn['save_run_env_steps']
        )


class RunSaver:
    """
    Overview:
        Saves a learner's run when it is time, asked between two updates.
    Interfaces:
        ``of``, ``save_if_due``, ``save``, ``go_on_from``
    """

    def __init__(self, engine: BaseLearner) -> None:
        """
        Arguments:
            - engine: the learner, of rank 0
        """
        self._engine = ref(engine)  # which holds the run that holds this saver
        self._saves = RunSaves(_folder(engine.exp_name))
        self._duration = 0.  # [s] of the latest save
        self._last_time: Optional[float] = None  # [s] when the latest save ended; None before the first one
        self._last_env_step = 0

    @classmethod
    def of(cls, engine: BaseLearner) -> 'RunSaver':
        """Return the saver of the learner's run; the first call makes it."""
        run = RunState.of(engine.tb_logger)
        if run.saver is None:
            run.saver = cls(engine)
        return run.saver

    def go_on_from(self, folder: str, save: Save) -> None:
        """Later saves build on this one where it lies in the run's own folder."""
        engine = self._engine()
        if engine is not None and os.path.realpath(folder) == os.path.realpath(_folder(engine.exp_name)):
            self._saves.go_on_from(save)
            self._last_time, self._last_env_step = time.perf_counter(), save.env_step

    def save_if_due(self) -> None:
        """Save the run, if ``policy.learn.save_run_seconds`` or ``save_run_env_steps`` have passed."""
        engine = self._engine()
        if engine is not None and engine.policy.run_files.save and self._is_due(engine):
            self.save()

    def save(self) -> None:
        """Save the run as it is."""
        engine = self._engine()
        if engine is None:
            return
        start, run = time.perf_counter(), RunState.of(engine.tb_logger)
        path = self._saves.write(run, checkpoint_of(engine), engine.train_iter)
        self._last_time, self._last_env_step = time.perf_counter(), run.env_step
        self._duration = self._last_time - start
        engine.info(f'{engine.instance_name} save run state in {path} ({self._duration:.2f} s)')

    def _is_due(self, engine: BaseLearner) -> bool:
        files, run = engine.policy.run_files, RunState.of(engine.tb_logger)
        if self._last_time is None:
            return True  # so that a run can resume from its very start
        if files.save_env_steps > 0 and run.env_step - self._last_env_step >= files.save_env_steps:
            return True
        interval = max(files.save_seconds, self._duration / _MOST_SHARE)
        return files.save_seconds > 0 and time.perf_counter() - self._last_time >= interval


class SaveCheckpointHook(SaveCkptHook):
    """DI-engine's hook that saves a checkpoint, which is whole or not there."""

    def __call__(self, engine: BaseLearner) -> None:
        if engine.rank != 0 or engine.last_iter.val % self._freq != 0:
            return
        folder = 'ckpt' if engine.instance_name == 'learner' else f'ckpt_{engine.instance_name}'
        name = engine.ckpt_name or f'iteration_{engine.last_iter.val}.pth.tar'
        path = os.path.join('.', engine.exp_name, folder, name)
        write_whole(path, checkpoint_of(engine))
        engine.info(f'{engine.instance_name} save ckpt in {path}')


class SaveRunStateHook(LearnerHook):
    """After the run, also one stopped by Ctrl-C: save the run."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        if engine.rank == 0 and engine.policy.run_files.save and RunState.of(engine.tb_logger).part_names:
            RunSaver.of(engine).save()


class LoadRunStateHook(LearnerHook):
    """Before the run: restore the save that it resumes from, and keep it saved from then on."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        files = engine.policy.run_files
        if files.resume_from:
            _resume(engine, _folder(files.resume_from))
        elif files.checkpoint:
            _resume_beside(engine, os.path.join(os.path.dirname(files.checkpoint), RUN_STATE_FOLDER))
        if engine.rank == 0 and RunState.of(engine.tb_logger).part_names:
            RunSaver.of(engine)


def checkpoint_of(engine: BaseLearner) -> dict[str, Any]:
    """Return what DI-engine's checkpoints hold."""
    return {
        **engine.policy.state_dict(), 'last_iter': engine.last_iter.val,
        'last_step': RunState.of(engine.tb_logger).env_step or engine.collector_envstep
    }


def use_whole_checkpoints(hooks: dict[str, Any]) -> None:
    """
    Overview:
        Put ``SaveCheckpointHook`` where a learner's config asks for DI-engine's hooks by their short keys.
    Arguments:
        - hooks: section ``policy.learn.learner.hook``, changed in place
    """
    for key, position in (('save_ckpt_after_iter', 'after_iter'), ('save_ckpt_after_run', 'after_run')):
        value = hooks.get(key)
        if value is not None and not isinstance(value, dict):
            args = dict(freq=value) if position == 'after_iter' else {}
            hooks[key] = dict(name=key, type='ding_qmix_save_ckpt', priority=20, position=position, ext_args=args)


def newest_save(exp_name: str) -> Optional[Save]:
    """Return the newest whole save of a run."""
    return RunSaves(_folder(exp_name)).find(lambda line: None)


def _folder(exp_name: str) -> str:
    """Where the saves of a run lie."""
    return os.path.join('.', exp_name, 'ckpt', RUN_STATE_FOLDER)


def _resume(engine: BaseLearner, folder: str) -> None:
    """Go on from the newest whole save in a folder, or begin at the start where the run was killed before its first."""
    saves = RunSaves(folder)
    save = saves.find(partial(_tell, engine))
    if save is None:
        if saves.numbers:
            raise ValueError(f'config policy.learn.resume_from: no save in {folder} is whole; its files are damaged')
        _tell(engine, f'there is no save in {folder} yet: the run begins at its start')
        return
    if engine.rank == 0:
        _restore(engine, folder, saves, save)
    else:
        _tell(engine, f'the run state is that of rank 0: on rank {engine.rank} {_ANEW}')
    checkpoint = saves.checkpoint(save)
    engine.last_iter.update(checkpoint.pop('last_iter'))
    engine.collector_envstep = checkpoint.pop('last_step')
    engine.policy.load_state_dict(checkpoint)


def _resume_beside(engine: BaseLearner, folder: str) -> None:
    """Add the rest of the run to the checkpoint that DI-engine has loaded, from the save of the same train iter."""
    if engine.rank != 0:
        _tell(engine, f'the run state is that of rank 0: on rank {engine.rank} {_ANEW}')
        return
    saves = RunSaves(folder)
    save = saves.find(partial(_tell, engine), engine.train_iter)
    if save is None:
        newest = saves.find(partial(_tell, engine))
        found = None if newest is None else newest.train_iter
        _tell(engine, f'no run state of train iter {engine.train_iter} in {folder} (found: {found}): {_ANEW}')
        return
    _restore(engine, folder, saves, save)
    engine.collector_envstep = save.env_step


def _restore(engine: BaseLearner, folder: str, saves: RunSaves, save: Save) -> None:
    saves.restore(RunState.of(engine.tb_logger), save)
    RunSaver.of(engine).go_on_from(folder, save)
    _tell(
        engine,
        f'{engine.instance_name} load run state in {os.path.join(folder, f"save_{save.number}.json")}: train iter '
        f'{save.train_iter:,}, env step {save.env_step:,}'
    )


def _tell(engine: BaseLearner, line: str) -> None:
    """Log a line that a user must see: the terminal shows it with the run's progress."""
    engine.info(line)
    RunState.of(engine.tb_logger).progress.notes.append(line)


register_learner_hook('ding_qmix_save_ckpt', SaveCheckpointHook)
register_learner_hook('ding_qmix_save_run', SaveRunStateHook)
register_learner_hook('ding_qmix_load_run', LoadRunStateHook)
