"""The win-rate evaluator: when it is due, what it keeps and writes, and what it leaves alone."""
from pathlib import Path

import numpy as np
import pytest
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from fake_vec_env import SIZES, End, FakeManager, FakeVecEnv, FakeWriter

from ding_qmix.policy import QMIXCommandModePolicy, QMIXPolicy
from ding_qmix.utils.statistics import wilson_interval
from ding_qmix.worker import VectorCollector, WinRateEvaluator

SCRIPT = (
    (End('win', 2), End('loss', 5)),
    (End('timeout', 9), End('win', 1)),
    (End('loss', 3), End('win', 4)),
)

_numpy_state = np.random.get_state


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make_evaluator():
    """Builds evaluators and closes them after the test, so that the signal handlers are as before."""
    made = []

    def make(policy=None, script=SCRIPT, **cfg):
        policy = policy or _policy()
        evaluator = WinRateEvaluator(
            EasyDict(dict(n_episode=3, **cfg)),
            FakeManager(FakeVecEnv(script)),
            policy.eval_mode,
            tb_logger=FakeWriter()
        )
        made.append(evaluator)
        return evaluator

    yield make
    for evaluator in made:
        evaluator.close()


def _policy(model=None, seed=0):
    given = dict(model={**SIZES, **(model or {})})
    torch.manual_seed(seed)
    return QMIXCommandModePolicy(EasyDict(deep_merge_dicts(QMIXCommandModePolicy.default_config(), given)))


def _outcomes(*wins):
    """A script of one env whose evaluations of one episode are won (True) or lost one after another."""
    return ([End('win' if won else 'loss', 1) for won in wins], )


# ---------------------------------------------------------------- result


@pytest.mark.unittest
def test_result_lists_every_episode_won_or_not(make_evaluator):
    stop, info = make_evaluator().eval(train_iter=0, envstep=0)
    assert not stop and sorted(info['eval_episode_return']) == [0., 0., 1.]
    assert all(type(value) is float for value in info['eval_episode_return'])


@pytest.mark.unittest
@pytest.mark.parametrize('n_episode, expected', [(None, 3), (2, 2), (7, 7)])
def test_number_of_episodes_is_the_configs_unless_given(make_evaluator, n_episode, expected):
    evaluator = make_evaluator()
    _, info = evaluator.eval(train_iter=0, envstep=0, n_episode=n_episode)
    assert len(info['eval_episode_return']) == expected


@pytest.mark.unittest
def test_every_evaluation_plays_new_episodes_to_their_end(make_evaluator):
    evaluator = make_evaluator()
    env = evaluator._vec_env
    results = [sorted(evaluator.eval(train_iter=i, envstep=i)[1]['eval_episode_return']) for i in range(2)]
    assert results == [[0., 0., 1.], [0., 1., 1.]] and env.n_steps.tolist() == [7, 10, 7]


@pytest.mark.unittest
def test_evaluation_is_greedy(make_evaluator):
    policy = _policy()
    env = make_evaluator(policy)
    actor, epsilons = env._actor, []
    env._actor = type(
        'Spy', (), {
            'act': lambda self, *args: epsilons.append(args[3]) or actor.act(*args),
            'reset': lambda self, *args: None
        }
    )()
    env.eval(train_iter=0, envstep=0)
    assert set(epsilons) == {0.}


# -------------------------------------------------------------- when due


@pytest.mark.unittest
def test_first_evaluation_is_due_at_once(make_evaluator):
    assert make_evaluator().should_eval(0)


@pytest.mark.unittest
def test_interval_in_train_iters(make_evaluator):
    evaluator = make_evaluator(eval_freq=10)
    evaluator.eval(train_iter=5, envstep=0)
    assert [evaluator.should_eval(i) for i in (5, 14, 15, 16)] == [False, False, True, True]


@pytest.mark.unittest
def test_interval_in_env_steps(make_evaluator):
    policy = _policy()
    evaluator = make_evaluator(policy, eval_freq=1, eval_env_step_freq=100)
    evaluator.eval(train_iter=0, envstep=50)
    due = []
    for env_step in (50, 149, 150, 400):
        policy.command_mode.get_setting_collect({'envstep': env_step})
        due.append(evaluator.should_eval(1000))
    assert due == [False, False, True, True]


@pytest.mark.unittest
def test_reset_makes_an_evaluation_due_again(make_evaluator):
    evaluator = make_evaluator(eval_freq=10)
    evaluator.eval(train_iter=5, envstep=0)
    evaluator.reset()
    assert evaluator.should_eval(6)


# ------------------------------------------------- best and stop value


@pytest.mark.unittest
def test_checkpoint_is_kept_at_every_new_best_win_rate_only(make_evaluator):
    evaluator = make_evaluator(script=_outcomes(False, True, True, False))
    saved = []
    for i in range(4):
        evaluator.eval(lambda name, i=i: saved.append((i, name)), train_iter=i, envstep=i, n_episode=1)
    assert saved == [(0, 'ckpt_best.pth.tar'), (1, 'ckpt_best.pth.tar')]


@pytest.mark.unittest
@pytest.mark.parametrize(
    'stop_value, train_iter, stop', [(1., 10, True), (0.5, 10, True), (1., 0, False), (2., 10, False)]
)
def test_training_stops_at_the_stop_value_once_it_has_begun(make_evaluator, stop_value, train_iter, stop):
    evaluator = make_evaluator(script=_outcomes(True), stop_value=stop_value)
    assert evaluator.eval(train_iter=train_iter, envstep=0, n_episode=1)[0] == stop


@pytest.mark.unittest
def test_training_goes_on_below_the_stop_value(make_evaluator):
    assert not make_evaluator(stop_value=0.5).eval(train_iter=10, envstep=0)[0]  # 1 of 3


# ------------------------------------------------------------ what it writes


@pytest.mark.unittest
def test_statistics_of_the_evaluation_are_written(make_evaluator):
    evaluator = make_evaluator()
    evaluator.eval(train_iter=4, envstep=90)
    scalars = evaluator._tb_logger.scalars
    low, high = wilson_interval(1, 3)
    expected = {
        'episode_count': 3,
        'envstep_count': 14,
        'avg_envstep_per_episode': 14 / 3,
        'reward_mean': 1 / 3,
        'reward_std': (2 / 9) ** 0.5,
        'win_rate': 1 / 3,
        'win_rate_low': low,
        'win_rate_high': high,
        'shaped_return_mean': (0 + 1 + sum(range(100, 109)) + 200 + 201 + 202) / 3,
        'dead_allies_mean': 1.,
        'dead_enemies_mean': 0.,
    }
    for axis, step in (('iter', 4), ('step', 90)):
        written = {name: scalars[f'evaluator_{axis}/{name}'] for name in expected}
        assert {step for values in written.values() for step, _ in values} == {step}
        assert {name: values[0][1] for name, values in written.items()} == pytest.approx(expected)


@pytest.mark.unittest
def test_evaluations_are_kept_in_columns_of_a_fixed_order(make_evaluator):
    evaluator = make_evaluator()
    evaluator.eval(train_iter=4, envstep=90)
    head, row = Path('default_experiment/log/evaluator/evaluations.csv').read_text('utf-8').splitlines()
    assert head == (
        'env_step,train_iter,episode_count,envstep_count,avg_envstep_per_episode,evaluate_time,reward_mean,reward_std,'
        'win_rate,win_rate_low,win_rate_high,shaped_return_mean,dead_allies_mean,dead_enemies_mean,elapsed_time'
    )
    assert row.split(',')[:4] == ['90', '4', '3', '14']


# ------------------------------------------------- what it leaves alone


@pytest.mark.unittest
def test_evaluation_draws_from_no_generator_of_training(make_evaluator):
    policy = _policy()
    evaluator = make_evaluator(policy)
    before = torch.get_rng_state(), policy._collect_generator.get_state(), str(_numpy_state())
    evaluator.eval(train_iter=0, envstep=0)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(policy._collect_generator.get_state(), before[1])
    assert str(_numpy_state()) == before[2]


@pytest.mark.unittest
def test_collection_is_the_same_with_and_without_evaluations_in_between(make_evaluator):
    runs = []
    for with_evaluation in (True, False):
        policy = _policy(seed=5)
        collector = VectorCollector(
            EasyDict(VectorCollector.config),
            FakeManager(FakeVecEnv(SCRIPT)),
            policy.collect_mode,
            tb_logger=FakeWriter()
        )
        evaluator, samples = make_evaluator(policy), []
        for i in range(3):
            if with_evaluation:
                evaluator.eval(train_iter=i, envstep=i)
            samples += collector.collect(4, policy_kwargs={'eps': 0.5})
        runs.append(samples)
    assert all(torch.equal(one[name], other[name]) for one, other in zip(*runs) for name in one)


# ---------------------------------------------------------------- errors


@pytest.mark.unittest
@pytest.mark.parametrize(
    'cfg, error, message', [
        (dict(eval_freq=0), ValueError, r'policy\.eval\.evaluator\.eval_freq: 0, expected'),
        (dict(eval_env_step_freq=-1), ValueError, r'policy\.eval\.evaluator\.eval_env_step_freq: -1, expected'),
        (dict(eval_envstep_freq=5), ValueError, "'eval_envstep_freq'; did you mean 'eval_env_step_freq'"),
    ]
)
def test_wrong_config_is_refused(make_evaluator, cfg, error, message):
    with pytest.raises(error, match=message):
        make_evaluator(**cfg)


@pytest.mark.unittest
def test_keys_of_ding_engines_evaluator_are_accepted(make_evaluator):
    make_evaluator(cfg_type='x', render={'render_freq': -1}, figure_path=None)


@pytest.mark.unittest
def test_interval_in_env_steps_without_a_commander_is_refused_with_the_way_out(make_evaluator):
    policy = QMIXPolicy(_policy()._cfg)
    evaluator = make_evaluator(policy, eval_env_step_freq=100)
    evaluator.eval(train_iter=0, envstep=0)
    with pytest.raises(ValueError, match=r"eval_env_step_freq=100, but .* 'ding_qmix_command'.* or set eval_freq"):
        evaluator.should_eval(1)


@pytest.mark.unittest
def test_lost_episodes_are_no_result_and_are_counted_and_logged(make_evaluator, monkeypatch):
    evaluator, said = make_evaluator(script=((End('lost', 2), End('win', 3)), )), []
    monkeypatch.setattr(evaluator._logger, 'info', lambda line, **kwargs: said.append(line))  # all evaluators' logger
    _, info = evaluator.eval(train_iter=0, envstep=0)
    assert info['eval_episode_return'] == [1., 1., 1.]
    assert evaluator._tb_logger.scalars['evaluator_step/lost_episode_count'] == [(0, 3.)]
    assert '3 lost and played anew' in said[0]
