"""
Keeps a game from outliving its trainer. A program of its own, which needs Python's standard library only:

    guard.py TRAINER_PID TEMP_DIR COMMAND [ARGUMENT ...]

It runs the command as a child in a process group of its own, ends that group when the trainer is gone or when it is
itself told to end (SIGTERM), reaps it, and removes the temporary folder. Its exit code is the command's, 128 + n if
that was ended by signal n.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

_POLL = 0.2  # [seconds]
_GRACE = 3.  # [seconds] that the game gets to end by itself
_PR_SET_PDEATHSIG = 1  # Linux: the signal that a process gets when its parent dies


def main(trainer: int, temp_dir: str, command: list[str]) -> int:
    """Run a command until it ends, the trainer is gone, or SIGTERM comes; return its exit code."""
    told: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    try:
        return _watch(trainer, told, command)
    except OSError as error:
        print(error, file=sys.stderr)
        return 127  # as a shell says that a command cannot be run
    finally:
        shutil.rmtree(temp_dir, ignore_errors=True)


def _watch(trainer: int, told: list[bool], command: list[str]) -> int:
    """Run the command until it ends or must end."""
    with subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent) as game:
        while game.poll() is None and not told and os.getppid() == trainer:
            time.sleep(_POLL)
        _end_group(game)
        return game.returncode if game.returncode >= 0 else 128 - game.returncode


def _die_with_parent() -> None:
    """Ask the kernel to kill this process should the guard be killed; in the child, before the game begins."""
    if sys.platform.startswith('linux'):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_group(game: 'subprocess.Popen[bytes]') -> None:
    """End the game and what it started, and reap it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(game.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            game.wait(_GRACE)


if __name__ == '__main__':
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
