"""
A folder that looks like StarCraft II, of which the binary is our test server.

``python tests/support/game_install.py FOLDER`` makes one.
"""
import json
import sys
from pathlib import Path
from typing import Any

from ding_qmix.smac.scenarios import SCENARIOS

SERVER = Path(__file__).resolve().parent.parent / 'starcraft2' / 'server' / 'serve.py'
BUILD = 75689


class GameInstall:
    """The folder, what its games are to do wrong, and which were started."""

    def __init__(self, root: Path, builds: tuple[int, ...] = (BUILD, )) -> None:
        self.root = root
        for build in builds:
            binary = root / 'Versions' / f'Base{build}' / 'SC2_x64'
            binary.parent.mkdir(parents=True)
            binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SERVER}" "$@"\n')
            binary.chmod(0o755)
        self.map_dir = root / 'Maps' / 'SMAC_Maps'
        self.map_dir.mkdir(parents=True)
        for name in SCENARIOS:
            (self.map_dir / f'{name}.SC2Map').write_bytes(b'a map')

    def plan(self, *faults: dict[str, Any], **options: Any) -> None:
        """Tell the games that are started from now on what to do wrong; see ``Fault`` in game_faults.py."""
        (self.root / 'faults.json').write_text(json.dumps({'faults': faults, **options}))

    def pids(self) -> list[int]:
        """Return the process ids of all games that were started, in their order."""
        files = sorted((self.root / 'starts').glob('*'), key=lambda file: int(file.name))
        return [int(file.read_text()) for file in files]

    def options(self, **others: Any) -> dict[str, Any]:
        """Return the option ``game`` of the backend for this folder: tests wait for nothing long."""
        return dict(dict(path=str(self.root), start_timeout=60., answer_timeout=20., restart_wait=0.), **others)


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != 'Z'


if __name__ == '__main__':
    GameInstall(Path(sys.argv[1]).absolute())
