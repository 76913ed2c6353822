"""The entries around the speed page run with tiny settings and write what they say."""
import csv
import json
from pathlib import Path

import pytest
from tensorboardX import SummaryWriter

from ding_qmix.fast_cpu.blas import find_blas
from ding_qmix.fast_cpu.math_kernel import JIT


@pytest.mark.unittest
@pytest.mark.skipif(not JIT or find_blas() is None, reason='kernels need numba and the BLAS of torch')
def test_profile_accounts_for_the_whole_update(load, tmp_path: Path, capsys) -> None:
    out, page = tmp_path / 'profile.json', tmp_path / 'page.md'
    page.write_text('<!-- begin update_profile -->old<!-- end update_profile -->')
    args = ['--map', '3m', '--batch', '2', '--steps', '3', '--repeats', '1', '--out', str(out), '--doc', str(page)]
    load('profile_update').main(args)
    *parts, whole = json.loads(out.read_text())['parts']
    assert whole['part'] == 'whole update' and 'old' not in page.read_text()
    assert sum(part['seconds'] for part in parts) == pytest.approx(whole['seconds'])
    assert sum(part['flop'] for part in parts) == whole['flop'] > 0
    assert capsys.readouterr().out.startswith('| batch')


@pytest.mark.unittest
def test_evaluations_come_out_of_a_tensorboard_log(load, tmp_path: Path) -> None:
    log = SummaryWriter(str(tmp_path / 'serial'))
    for train_iter, env_step, win_rate in ((0, 0, 0.), (8, 1500, 0.25)):
        log.add_scalar('evaluator_iter/reward_mean', win_rate, train_iter)
        log.add_scalar('evaluator_step/reward_mean', win_rate, env_step)
        log.add_scalar('evaluator_step/reward_std', 9., env_step)
    log.close()
    out = tmp_path / 'evaluations.csv'
    load('evaluations_csv').main([str(tmp_path / 'serial'), str(out)])
    with open(out, newline='', encoding='utf-8') as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert [(row['train_iter'], row['env_step'], row['win_rate']) for row in rows] == [(0, 0, 0.), (8, 1500, 0.25)]


@pytest.mark.unittest
def test_folder_without_a_log_is_refused(load, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no TensorBoard log'):
        load('evaluations_csv').main([str(tmp_path), str(tmp_path / 'out.csv')])
