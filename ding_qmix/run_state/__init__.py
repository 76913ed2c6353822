"""Saves and resumes a whole run: who takes part, what is written when, files that are never torn."""
from ding_qmix.run_state.hooks import (
    LoadRunStateHook,
    RunFiles,
    SaveCheckpointHook,
    SaveRunStateHook,
    newest_save,
    use_whole_checkpoints,
)
from ding_qmix.run_state.log_marks import DETAIL, TO_USER
from ding_qmix.run_state.progress import Evaluation, RunProgress
from ding_qmix.run_state.run import RunPart, RunState
from ding_qmix.run_state.whole_file import write_whole

__all__ = [
    'DETAIL', 'TO_USER', 'Evaluation', 'LoadRunStateHook', 'RunFiles', 'RunPart', 'RunProgress', 'RunState',
    'SaveCheckpointHook', 'SaveRunStateHook', 'newest_save', 'use_whole_checkpoints', 'write_whole'
]
