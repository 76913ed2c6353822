"""The benchmark of the game, on the test server."""
import json
from pathlib import Path
from types import ModuleType
from typing import Callable

import pytest
from game_install import GameInstall


@pytest.mark.unittest
def test_speed_of_the_game_is_measured_per_number_of_games(
        load: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv('SC2PATH', str(GameInstall(tmp_path / 'game').root))
    load('benchmark/starcraft2').main(['3m', '--games', '1', '2', '--steps', '5'])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row['games'] for row in rows] == [1, 2]
    assert all(row['env_steps_per_s'] > 0 and row['client_ms_per_env_step'] > 0 for row in rows)
