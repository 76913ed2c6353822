"""Finds StarCraft II and SMAC's maps on this machine."""
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Optional

from ding_qmix.starcraft2.errors import GameRefused
from ding_qmix.utils.keys import nearest_hint

# Builds and the hashes of their data; deepmind/pysc2 run_configs/lib.py @ 0df53d3
VERSIONS: dict[str, tuple[int, str]] = {
    '4.6.2': (69232, 'B3E14058F1083913B80C20993AC965DB'),
    '4.10': (75689, 'B89B5D6FA7CBF6452E721311BFBC6CB2'),
}
LATEST = 'latest'  # the newest build that is installed
_USUAL_ROOTS = {
    'linux': '~/StarCraftII',
    'win32': 'C:/Program Files (x86)/StarCraft II',
    'darwin': '/Applications/StarCraft II'
}
# Where the game notes its binary when it is run, and how many folders above that its own is.
_EXECUTE_INFO = {
    'win32': ('~/Documents/StarCraft II/ExecuteInfo.txt', 3),
    'darwin': ('~/Library/Application Support/Blizzard/StarCraft II/ExecuteInfo.txt', 6)
}
_BINARIES = {'linux': 'SC2_x64', 'win32': 'SC2_x64.exe', 'darwin': 'SC2.app/Contents/MacOS/SC2'}
_MAP_FOLDERS = ('Maps/SMAC_Maps', 'maps/SMAC_Maps', 'Maps')
_GET_GAME = (
    'Install it (Linux: the packages of Blizzard/s2client-proto, section "Linux Packages"; SMAC is played on 4.10), '
    'and set the environment variable SC2PATH to the folder that holds "Versions"'
)
_GET_MAPS = (
    'Take SMAC_Maps.zip from the releases of oxwhirl/smac and unpack it into the folder "Maps" of the game, or name '
    'its folder as game={"map_dir": ...}'
)


class Install(NamedTuple):
    """One build of the game."""
    root: Path  # holds Versions
    binary: Path
    version: str  # as asked for
    data_version: str  # hash of the game's data that the build is to use, '' for its own

    @property
    def work_dir(self) -> Optional[Path]:
        """Where the game must be started, if anywhere."""
        support = self.root / 'Support64'
        return support if sys.platform == 'win32' and support.is_dir() else None

    def environment(self) -> dict[str, str]:
        """Return the environment to start the game in: on Linux it finds its own libraries."""
        environment = dict(os.environ)
        if sys.platform.startswith('linux'):
            libraries = [environment.get('LD_LIBRARY_PATH', ''), f'{self.root / "Libs"}{os.sep}']
            environment['LD_LIBRARY_PATH'] = os.pathsep.join(filter(None, libraries))
        return environment


def find_game(version: str, path: Optional[str] = None, environ: Mapping[str, str] = os.environ) -> Install:
    """
    Overview:
        Find an installed build of the game.
    Arguments:
        - version: a name of ``VERSIONS``, the number of a build such as '75689', or 'latest'
        - path: folder of the game; None for SC2PATH, and without that the usual place
    Raises:
        - GameRefused: there is no game, or not this version of it; tells what to install and where
        - ValueError: an unknown version
    """
    platform = sys.platform if sys.platform in _BINARIES else 'linux'
    root = Path(path or environ.get('SC2PATH') or _noted_root(platform) or _USUAL_ROOTS[platform]).expanduser()
    builds = _find_builds(root, _BINARIES[platform])
    if not builds:
        raise GameRefused(f'no StarCraft II in {root}: there is no Versions/Base.../{_BINARIES[platform]}. {_GET_GAME}')
    if version == LATEST:
        return Install(root, builds[max(builds)], version, '')
    if version not in VERSIONS and not version.isdigit():
        raise ValueError(f'unknown game version {version!r}; {nearest_hint(version, (*VERSIONS, LATEST))}, or a build')
    build, data_version = VERSIONS.get(version) or (int(version), '')
    if build not in builds:
        installed = ', '.join(_name(b) for b in sorted(builds))
        raise GameRefused(
            f'StarCraft II {version} (Base{build}) is not in {root}; installed there: {installed}. {_GET_GAME}, or '
            'choose an installed version with game={"version": ...}'
        )
    return Install(root, builds[build], version, data_version)


def find_map(map_name: str, root: Path, map_dir: Optional[str] = None) -> Path:
    """
    Overview:
        Find the file of a SMAC map.
    Arguments:
        - root: the game's folder
        - map_dir: folder of the maps; None for the game's own folders of maps
    Raises:
        - GameRefused: there is none; tells where it was looked for and where to get it
    """
    folders = [Path(map_dir).expanduser()] if map_dir else [root / folder for folder in _MAP_FOLDERS]
    for folder in folders:
        path = folder / f'{map_name}.SC2Map'
        if path.is_file():
            return path
    looked = ', '.join(str(folder) for folder in folders)
    raise GameRefused(f'the map {map_name}.SC2Map is not in {looked}. {_GET_MAPS}')


def _noted_root(platform: str) -> Optional[str]:
    """Return the folder of the game that was run last, if the game notes it."""
    if platform not in _EXECUTE_INFO:
        return None
    path, n_above = _EXECUTE_INFO[platform]
    try:
        noted = re.search(r'=\s*(.+)', Path(path).expanduser().read_text('utf-8', 'replace'))
    except OSError:
        return None
    parents = Path(noted[1].strip()).parents if noted else ()
    return str(parents[n_above - 1]) if len(parents) >= n_above else None


def _find_builds(root: Path, binary: str) -> dict[int, Path]:
    """Return the binaries below a folder by the numbers of their builds."""
    found = {}
    for folder in root.glob('Versions/Base*'):
        match = re.fullmatch(r'Base(\d+)', folder.name)
        if match and (folder / binary).is_file():
            found[int(match[1])] = folder / binary
    return found


def _name(build: int) -> str:
    """Return how a build is asked for."""
    return next((name for name, (number, _) in VERSIONS.items() if number == build), str(build))
