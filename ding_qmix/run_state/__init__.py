"""Saves and resumes a whole run: who takes part, what is written when, files that are never torn."""
from ding_qmix.run_state.hooks import (
    LoadRunStateHook,
    RunFiles,
    SaveCheckpointHook,
    SaveRunStateHook,
    newest_save,
    use_whole_checkpoints,
)
from ding_qmix.run_state.run import RunPart, RunState
from ding_qmix.run_state.whole_file import write_whole

__all__ = [
    'LoadRunStateHook', 'RunFiles', 'RunPart', 'RunState', 'SaveCheckpointHook', 'SaveRunStateHook', 'newest_save',
    'use_whole_checkpoints', 'write_whole'
]
