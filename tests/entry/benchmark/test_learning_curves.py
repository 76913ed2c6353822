"""Learning curves of the real game beside simulated ones: windows, blocks, table and picture."""
import csv
from pathlib import Path
from types import ModuleType
from typing import Callable

import pytest

Load = Callable[[str], ModuleType]
EVALUATIONS = [{'env_step': k * 10_000 + 50, 'win_rate': k / 50} for k in range(50)]


@pytest.mark.unittest
def test_simulated_runs_are_averaged_over_the_real_ones_windows(load: Load) -> None:
    curves = load('benchmark/learning_curves')
    run = curves.simulated({'map_name': '3m', 'seed': 7, 'evaluations': EVALUATIONS})
    assert run.window_mean == pytest.approx(sum(range(10, 30)) / 20 / 50)  # evaluations at 100,050 to 290,050
    assert len(run.block_means) == 6 and run.block_means[1] == pytest.approx((5 + 6 + 7 + 8 + 9) / 5 / 50)


@pytest.mark.unittest
def test_runs_without_evaluations_in_the_window_are_refused(load: Load) -> None:
    with pytest.raises(ValueError, match='no evaluation between 500,000 and 600,000'):
        load('benchmark/learning_curves').mean_win_rate(EVALUATIONS, 500_000, 600_000)


@pytest.mark.unittest
def test_every_map_has_real_runs_with_their_sources(load: Load) -> None:
    curves = load('benchmark/learning_curves')
    real = curves.read_real()
    assert {run.map_name for run in real} == set(curves.WINDOWS)
    assert all(run.source.startswith('github.com/') and 0. <= run.window_mean <= 1. for run in real)


@pytest.mark.unittest
def test_table_and_csv_name_both_games(load: Load, tmp_path: Path) -> None:
    curves = load('benchmark/learning_curves')
    runs = [curves.Run('3m', 'real', 'there', .8, [.1, .9]), curves.Run('3m', 'simulated', 'seed 0', .5, [.2])]
    text = curves.table([*runs, runs[1]._replace(window_mean=.7)], '1.2.3')
    assert '0.80 [0.80, 0.80], 1 runs | 0.60 [0.50, 0.70], 2 runs' in text and 'simulator 1.2.3' in text
    curves.write_csv(str(tmp_path / 'a.csv'), runs)
    rows = list(csv.reader(open(tmp_path / 'a.csv', encoding='utf-8')))
    assert rows[1] == ['3m', 'real', 'there', '0.8', '0.1 0.9']


@pytest.mark.unittest
def test_picture_is_written(load: Load, tmp_path: Path) -> None:
    pytest.importorskip('matplotlib', reason='matplotlib is not installed')
    curves = load('benchmark/learning_curves')
    runs = [curves.Run('3m', 'real', 'there', .8, [.1, .9]), curves.Run('3m', 'simulated', 'seed 0', .5, [.2])]
    curves.draw(runs, str(tmp_path / 'a.png'), '1.2.3')
    assert (tmp_path / 'a.png').read_bytes().startswith(b'\x89PNG')
