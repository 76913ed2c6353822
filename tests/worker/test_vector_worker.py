"""What collector and evaluator have in common: whom they refuse, and how they end."""
import pytest
import torch
from ding.policy.base_policy import Policy as DingPolicy
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from fake_vec_env import SIZES, End, FakeManager, FakeVecEnv, FakeWriter

from ding_qmix.policy import QMIXPolicy
from ding_qmix.worker import VectorCollector, WinRateEvaluator

KINDS = {'collector': VectorCollector, 'evaluator': WinRateEvaluator}
of_both = pytest.mark.parametrize('kind', KINDS)


class DingManager:
    """An env manager without a batched env, as DI-engine's."""
    closed = False

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _policy(**model):
    torch.manual_seed(0)
    given = dict(model={**SIZES, **model})
    return QMIXPolicy(EasyDict(deep_merge_dicts(QMIXPolicy.default_config(), given)))


def _mode(kind, policy):
    return policy.collect_mode if kind == 'collector' else policy.eval_mode


def _manager():
    return FakeManager(FakeVecEnv([[End('win', 2)]]))


@pytest.fixture
def make():
    """Builds collectors and evaluators, and closes them after the test, so that the signal handlers are as before."""
    made = []

    def make_one(kind, *args):
        made.append(KINDS[kind](EasyDict(KINDS[kind].config), *args, tb_logger=FakeWriter()))
        return made[-1]

    yield make_one
    for worker in made:
        worker.close()


@pytest.mark.unittest
@of_both
def test_close_closes_env_and_log_once(make, kind):
    worker = make(kind, _manager(), _mode(kind, _policy()))
    worker.close()
    worker.close()
    assert worker._vec_env.n_closed == 1 and worker._tb_logger.n_closed == 1


@pytest.mark.unittest
@of_both
def test_worker_without_an_env_yet_can_be_closed(make, kind):
    worker = make(kind)
    worker.close()
    assert worker._tb_logger.n_closed == 1


@pytest.mark.unittest
@of_both
def test_env_and_policy_may_come_later(make, kind):
    worker = make(kind)
    worker.reset(_mode(kind, _policy()), _manager())
    play = worker.collect if kind == 'collector' else worker.eval
    play(n_episode=1)
    assert worker._vec_env.n_steps.tolist() == [2]


# ---------------------------------------------------------------- errors


@pytest.mark.unittest
@of_both
def test_env_manager_without_a_batched_env_is_refused_with_the_way_out(make, kind):
    with pytest.raises(TypeError, match=r'DingManager has no batched env; set .*ding_smac_vector'):
        make(kind, DingManager(), _mode(kind, _policy()))


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kind, mode, came, expected', [
        ('collector', lambda: DingPolicy.collect_function(*[None] * 8), 'collect_function', 'CollectMode'),
        ('collector', lambda: _policy().eval_mode, 'EvalMode', 'CollectMode'),
        ('evaluator', lambda: DingPolicy.eval_function(*[None] * 6), 'eval_function', 'EvalMode'),
        ('evaluator', lambda: _policy().collect_mode, 'CollectMode', 'EvalMode'),
    ]
)
def test_mode_of_another_policy_is_refused_with_what_came_and_what_to_do(make, kind, mode, came, expected):
    with pytest.raises(TypeError, match=rf"{kind}: .*mode {came}, expected {expected} .* set .*type='ding_qmix'"):
        make(kind, _manager(), mode())


@pytest.mark.unittest
@of_both
@pytest.mark.parametrize(
    'size, message', [
        (dict(obs_shape=7), r'obs_shape=7 \(map: 6\)'),
        (dict(global_obs_shape=9), r'global_obs_shape=9 \(map: 5\)'),
    ]
)
def test_model_of_another_map_is_refused_with_both_numbers(make, kind, size, message):
    with pytest.raises(ValueError, match=message):
        make(kind, _manager(), _mode(kind, _policy(**size)))
