"""One running game: a process that ends with us, whatever happens to us."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional

from ding_qmix.starcraft2.errors import GameLost, GameRefused
from ding_qmix.starcraft2.install import Install

_GUARD = Path(__file__).with_name('guard.py')
_STOP_TIME = 10.  # [seconds] for the guard to end the game; it gives the game 3 of them
_LOG_TAIL = 600  # [characters] of what the game has said that an error shows
# What the dynamic linker and the shell say where a binary cannot be run at all: exit codes 126 and 127.
_CANNOT_RUN = (126, 127)


class GameProcess:
    """
    Overview:
        A game that was started and listens, or will, on a port of this machine.
    Interfaces:
        ``start``, ``check_running``, ``stop``
    Properties:
        ``port``, ``pid``
    """

    def __init__(self, install: Install) -> None:
        """Note what to start."""
        self._install = install
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._temp_dir: Optional[Path] = None
        self.port = 0

    @property
    def pid(self) -> Optional[int]:
        """Process id of the game's guard, None while none runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """
        Overview:
            Start a game on a free port; the one before must be stopped.

            It gets a temporary folder of its own. It is not in our process group, so that a Ctrl-C is for us alone,
            and ends when we are gone, also by ``kill -9`` (see ``guard.py``; not on Windows).
        """
        self._temp_dir = Path(tempfile.mkdtemp(prefix='ding_qmix_sc2_'))
        self.port = _free_port()
        command = [str(self._install.binary), *self._arguments()]
        if sys.platform != 'win32':
            command = [sys.executable, '-I', '-S', str(_GUARD), str(os.getpid()), str(self._temp_dir), *command]
        with open(self._log, 'wb') as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._install.work_dir,
                env=self._install.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True
            )

    def check_running(self) -> None:
        """
        Raises:
            - GameLost: the game has ended; tells how and what it said last
            - GameRefused: it cannot be run on this machine at all
        """
        code = self._process.poll() if self._process is not None else None
        if self._process is not None and code is None:
            return
        said = self._said()
        if code in _CANNOT_RUN:
            raise GameRefused(f'{self._install.binary} cannot be run (exit code {code}): {said}')
        raise GameLost(f'the game has ended (exit code {code}): {said}')

    def stop(self) -> None:
        """End the game, and what it started, and remove its folder; a second call does nothing."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIME)
            except subprocess.TimeoutExpired:
                self._process.kill()  # the kernel ends the game with its guard
                self._process.wait()
            self._process = None
        if self._temp_dir is not None:
            shutil.rmtree(self._temp_dir, ignore_errors=True)
            self._log.unlink(missing_ok=True)
            self._temp_dir = None

    @property
    def _log(self) -> Path:
        """What the game says: beside its folder, which the guard removes when the game ends."""
        assert self._temp_dir is not None
        return self._temp_dir.with_suffix('.log')

    def _arguments(self) -> list[str]:
        """Return the game's command line, as deepmind/pysc2 sc_process.py @ 0df53d3 makes it."""
        arguments = ['-listen', '127.0.0.1', '-port', str(self.port), '-dataDir', f'{self._install.root}{os.sep}']
        arguments += ['-tempDir', f'{self._temp_dir}{os.sep}']
        if not sys.platform.startswith('linux'):  # there it opens no window
            arguments += ['-displayMode', '0', '-windowwidth', '640', '-windowheight', '480']
        if self._install.data_version:
            arguments += ['-dataVersion', self._install.data_version]
        return arguments

    def _said(self) -> str:
        """Return the end of what the game has said."""
        try:
            return self._log.read_text('utf-8', 'replace').strip()[-_LOG_TAIL:] or 'it said nothing'
        except OSError:
            return 'it said nothing'


def _free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])
