"""The command that draws learning curves: what it reads, and that it writes an image."""
from pathlib import Path

import pytest


def _write_evaluations(path: Path, rows: list[tuple[int, float]]) -> str:
    path.write_text('env_step,win_rate\n' + ''.join(f'{env_step},{win_rate}\n' for env_step, win_rate in rows))
    return str(path)


@pytest.mark.unittest
def test_curve_is_what_the_file_holds(load, tmp_path: Path) -> None:
    env_step, win_rate = load('plot').read_curve(_write_evaluations(tmp_path / 'a.csv', [(0, 0.), (1500, 0.25)]))
    assert env_step.tolist() == [0., 1500.] and win_rate.tolist() == [0., 0.25]


@pytest.mark.unittest
def test_runs_with_one_label_are_one_curve(load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plot, drawn = load('plot'), []
    monkeypatch.setattr(plot, 'draw', lambda groups, out, title: drawn.append((groups, out, title)))
    paths = [_write_evaluations(tmp_path / f'{name}.csv', [(0, 0.), (100, 1.)]) for name in 'abc']
    curves = [f'{label}={path}' for label, path in zip(('QMIX', 'QMIX', 'VDN'), paths)]
    plot.main([*curves, '--out', 'curve.png', '--title', 'MMM'])
    (groups, out, title), = drawn
    assert {label: len(runs) for label, runs in groups.items()} == {'QMIX': 2, 'VDN': 1}
    assert (out, title) == ('curve.png', 'MMM')


@pytest.mark.unittest
def test_plot_writes_an_image(load, tmp_path: Path) -> None:
    pytest.importorskip('matplotlib', reason='matplotlib is not installed')
    out = tmp_path / 'curve.png'
    load('plot').main([f'QMIX={_write_evaluations(tmp_path / "a.csv", [(0, 0.), (100, 1.)])}', '--out', str(out)])
    assert out.read_bytes().startswith(b'\x89PNG')
