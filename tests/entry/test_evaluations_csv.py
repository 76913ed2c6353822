"""Evaluations come out of DI-engine's TensorBoard log as this package writes them itself."""
import csv
from pathlib import Path

import pytest
from tensorboardX import SummaryWriter


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
def test_evaluations_of_a_resumed_run_follow_those_before(load, tmp_path: Path) -> None:
    for suffix, env_steps in (('.first', (0, 1500)), ('.second', (900, 1800))):
        log = SummaryWriter(str(tmp_path), filename_suffix=suffix)
        for env_step in env_steps:
            log.add_scalar('evaluator_iter/reward_mean', 0.5, env_step // 10)
            log.add_scalar('evaluator_step/reward_mean', 0.5, env_step)
        log.close()
    rows = list(load('evaluations_csv').read_evaluations(tmp_path))
    assert [(row['env_step'], row['train_iter']) for row in rows] == [(0, 0), (1500, 150), (900, 90), (1800, 180)]


@pytest.mark.unittest
def test_log_without_an_evaluation_is_refused_with_its_tags(load, tmp_path: Path) -> None:
    log = SummaryWriter(str(tmp_path))
    log.add_scalar('learner_step/loss_avg', 1., 0)
    log.close()
    with pytest.raises(ValueError, match=r"no evaluation .* found \['learner_step/loss_avg'\]"):
        load('evaluations_csv').main([str(tmp_path), str(tmp_path / 'out.csv')])


@pytest.mark.unittest
def test_folder_without_a_log_is_refused(load, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no TensorBoard log'):
        load('evaluations_csv').main([str(tmp_path), str(tmp_path / 'out.csv')])
