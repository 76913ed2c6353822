"""Learning tests (``make algotest``): minutes each, so not part of ``make test``."""
import csv
import pickle
from pathlib import Path

import pytest
from ding.entry import serial_pipeline

from ding_qmix.config import make_config

# On 3m an untrained network wins about 0.00 of its greedy battles, random legal actions 0.00.
DOING_NOTHING = 0.05


def _final_win_rate(folder: Path, pipeline: str, learning_rate: float) -> float:
    """Train on 3m; return the mean win rate of the last three evaluations, in DI-engine's pipeline of the last one."""
    evaluator = dict(eval_env_step_freq=10000) if pipeline == 'batched' else dict(eval_freq=60)
    main_config, create_config = make_config(
        '3m',
        pipeline=pipeline,
        exp_name='run',
        env=dict(collector_env_num=16, evaluator_env_num=16, n_evaluator_episode=64, n_threads=1),
        policy=dict(
            learn=dict(
                update_per_collect=6,
                optimizer='adam',
                learning_rate=learning_rate,
                td_lambda=0.6,
                target_update_freq=50,
            ),
            collect=dict(n_episode=16),
            eval=dict(evaluator=evaluator),
            other=dict(eps=dict(decay=30000), replay_buffer=dict(replay_buffer_size=2000)),
        ),
    )
    serial_pipeline((main_config, create_config), seed=0, max_env_step=100000)
    if pipeline == 'batched':
        with open(folder / 'run/log/evaluator/evaluations.csv', newline='', encoding='utf-8') as file:
            rates = [float(row['win_rate']) for row in csv.DictReader(file)]
        return sum(rates[-3:]) / 3
    with open(folder / 'run/result.pkl', 'rb') as file:
        return float(pickle.load(file)['eval_value'])


@pytest.mark.algotest
@pytest.mark.parametrize('pipeline', ['batched', 'ding'])
def test_qmix_learns_3m(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert _final_win_rate(tmp_path, pipeline, learning_rate=0.001) > 0.6


@pytest.mark.algotest
def test_ablation_without_learning_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _final_win_rate(tmp_path, 'batched', learning_rate=1e-12) <= DOING_NOTHING
