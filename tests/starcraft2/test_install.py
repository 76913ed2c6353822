"""Finding the game and its maps, and what is said where they are not."""
from pathlib import Path

import pytest
from game_install import GameInstall

from ding_qmix.starcraft2.errors import GameRefused
from ding_qmix.starcraft2.install import VERSIONS, find_game, find_map


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return GameInstall(tmp_path / 'StarCraftII', builds=(69232, 75689, 80949)).root


@pytest.mark.unittest
@pytest.mark.parametrize(
    'version, build, data_version', [
        ('4.10', 75689, VERSIONS['4.10'][1]),
        ('4.6.2', 69232, VERSIONS['4.6.2'][1]),
        ('80949', 80949, ''),
        ('latest', 80949, ''),
    ]
)
def test_version_is_found_by_name_or_build(root: Path, version: str, build: int, data_version: str) -> None:
    install = find_game(version, str(root))
    assert install.binary == root / 'Versions' / f'Base{build}' / 'SC2_x64' and install.data_version == data_version


@pytest.mark.unittest
def test_folder_is_taken_from_sc2path_and_a_named_one_goes_first(root: Path, tmp_path: Path) -> None:
    assert find_game('4.10', environ={'SC2PATH': str(root)}).root == root
    assert find_game('4.10', str(root), environ={'SC2PATH': str(tmp_path)}).root == root


@pytest.mark.unittest
def test_usual_place_is_the_last_resort(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(root.parent))
    assert find_game('4.10', environ={}).root == root


@pytest.mark.unittest
def test_missing_game_says_where_it_was_looked_for_and_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(GameRefused, match=rf'{tmp_path}.*s2client-proto.*SC2PATH'):
        find_game('4.10', str(tmp_path))


@pytest.mark.unittest
def test_missing_version_says_which_are_there(tmp_path: Path) -> None:
    root = GameInstall(tmp_path / 'game', builds=(69232, 80949)).root
    with pytest.raises(GameRefused, match=r'4\.10 \(Base75689\) is not in .*installed there: 4\.6\.2, 80949'):
        find_game('4.10', str(root))


@pytest.mark.unittest
def test_unknown_version_names_the_nearest(root: Path) -> None:
    with pytest.raises(ValueError, match=r"'4\.10\.0'; did you mean '4\.10'"):
        find_game('4.10.0', str(root))


@pytest.mark.unittest
def test_map_is_taken_from_the_game_or_from_a_named_folder(root: Path, tmp_path: Path) -> None:
    assert find_map('3m', root) == root / 'Maps' / 'SMAC_Maps' / '3m.SC2Map'
    (tmp_path / '3m.SC2Map').write_bytes(b'mine')
    assert find_map('3m', root, str(tmp_path)) == tmp_path / '3m.SC2Map'


@pytest.mark.unittest
def test_missing_map_says_where_to_get_it(root: Path, tmp_path: Path) -> None:
    with pytest.raises(GameRefused, match=rf'3m\.SC2Map is not in {tmp_path}\. .*oxwhirl/smac'):
        find_map('3m', root, str(tmp_path))
    with pytest.raises(GameRefused, match=r'4m\.SC2Map is not in .*SMAC_Maps, '):
        find_map('4m', root)
