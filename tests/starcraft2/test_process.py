"""The game's process: it is ours alone, and ends with us. The process is a shell in the place of the game."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest
from game_install import is_running

from ding_qmix.starcraft2.errors import GameLost, GameRefused
from ding_qmix.starcraft2.install import Install
from ding_qmix.starcraft2.process import GameProcess

PATIENCE = 15.  # [seconds], on a busy machine


def make_install(root: Path, script: str) -> Install:
    """An install whose game is a shell script; it finds the folder of the test in $ROOT."""
    binary = root / 'game'
    binary.write_text(f'#!/bin/sh\nROOT={root}\n{script}\n')
    binary.chmod(0o755)
    return Install(root, binary, '4.10', 'HASH')


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, 'it never came to be'
        time.sleep(.02)


def read_pid(path: Path) -> int:
    """Wait for a process id in a file."""
    wait_for(lambda: path.exists() and path.read_text().endswith('\n'))
    return int(path.read_text())


SLEEP = 'echo $$ > $ROOT/pid; exec sleep 1000'


@pytest.mark.unittest
def test_game_gets_its_port_its_data_and_a_folder_of_its_own(tmp_path: Path) -> None:
    process = GameProcess(
        make_install(tmp_path, 'echo "$@" > $ROOT/args; echo $LD_LIBRARY_PATH > $ROOT/libs; ' + SLEEP)
    )
    process.start()
    read_pid(tmp_path / 'pid')
    arguments = (tmp_path / 'args').read_text().split()
    given = dict(zip(arguments[::2], arguments[1::2]))
    temp_dir = Path(given.pop('-tempDir'))
    assert given == {
        '-listen': '127.0.0.1',
        '-port': str(process.port),
        '-dataDir': f'{tmp_path}/',
        '-dataVersion': 'HASH'
    }
    assert temp_dir.is_dir() and f'{tmp_path}/Libs/' in (tmp_path / 'libs').read_text()
    process.stop()
    assert not temp_dir.exists()


@pytest.mark.unittest
def test_stop_ends_the_game_and_what_it_started_even_if_they_are_deaf(tmp_path: Path) -> None:
    script = 'trap "" TERM; sleep 1000 & echo $! > $ROOT/child; echo $$ > $ROOT/pid; while true; do sleep 1; done'
    process = GameProcess(make_install(tmp_path, script))
    process.start()
    pids = [read_pid(tmp_path / 'pid'), read_pid(tmp_path / 'child')]
    process.stop()
    process.stop()
    wait_for(lambda: not any(map(is_running, pids)))


@pytest.mark.unittest
def test_game_is_in_no_group_of_ours(tmp_path: Path) -> None:
    process = GameProcess(make_install(tmp_path, SLEEP))
    process.start()
    pid = read_pid(tmp_path / 'pid')
    assert os.getpgid(pid) not in (os.getpgrp(), os.getpgid(process.pid)) and os.getsid(pid) != os.getsid(0)
    process.stop()
    wait_for(lambda: not is_running(pid))


@pytest.mark.unittest
def test_game_that_has_ended_is_lost_with_what_it_said_last(tmp_path: Path) -> None:
    process = GameProcess(make_install(tmp_path, 'echo "no data at all" >&2; exit 3'))
    process.start()
    wait_for(lambda: process._process.poll() is not None)
    with pytest.raises(GameLost, match=r'has ended \(exit code 3\): no data at all'):
        process.check_running()
    process.stop()


@pytest.mark.unittest
def test_game_that_a_signal_ended_is_lost_with_its_number(tmp_path: Path) -> None:
    process = GameProcess(make_install(tmp_path, 'kill -SEGV $$'))
    process.start()
    wait_for(lambda: process._process.poll() is not None)
    with pytest.raises(GameLost, match=r'exit code 139\): it said nothing'):
        process.check_running()
    process.stop()


@pytest.mark.unittest
def test_binary_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    install = make_install(tmp_path, '')
    install.binary.chmod(0o644)
    process = GameProcess(install)
    process.start()
    wait_for(lambda: process._process.poll() is not None)
    with pytest.raises(GameRefused, match=r'cannot be run.*Permission denied'):
        process.check_running()
    process.stop()


TRAINER = '''
import sys, time, types
from pathlib import Path
package = types.ModuleType('ding_qmix')  # without torch and DI-engine, which take seconds
package.__path__ = ['ding_qmix']
sys.modules['ding_qmix'] = package
from ding_qmix.starcraft2.install import Install
from ding_qmix.starcraft2.process import GameProcess
root = Path(sys.argv[1])
process = GameProcess(Install(root, root / 'game', '4.10', ''))
process.start()
(root / 'guard').write_text(f'{process.pid}\\n')
time.sleep(1000)
'''


@pytest.mark.unittest
@pytest.mark.parametrize('victim', ['trainer', 'guard', 'trainer and guard'])
def test_kill_9_leaves_no_game_behind(tmp_path: Path, repo: Path, victim: str) -> None:
    make_install(tmp_path, 'echo "$8" > $ROOT/temp_dir; ' + SLEEP)
    trainer = subprocess.Popen([sys.executable, '-c', TRAINER, str(tmp_path)], cwd=repo)
    guard, game = read_pid(tmp_path / 'guard'), read_pid(tmp_path / 'pid')
    assert is_running(game)
    for name, pid in (('trainer', trainer.pid), ('guard', guard)):
        if name in victim:
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_running(game))
    if victim == 'trainer':
        wait_for(lambda: not Path((tmp_path / 'temp_dir').read_text().strip()).exists())
    trainer.kill()
    trainer.wait()
