"""Ctrl-C: the first one stops the training between two updates with a checkpoint, the second at once."""
import os
import signal
import threading

import pytest
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from fake_vec_env import SIZES, End, FakeManager, FakeVecEnv, FakeWriter

from ding_qmix.policy import QMIXPolicy
from ding_qmix.worker import WinRateEvaluator
from ding_qmix.worker.interrupt import InterruptFlag

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Heard(Exception):
    """Raised by the handlers of before."""


@pytest.fixture(autouse=True)
def _handlers_of_before(tmp_path, monkeypatch):
    """The handlers that a test must find again."""

    def handler(number, frame):
        raise Heard

    monkeypatch.chdir(tmp_path)
    previous = {number: signal.signal(number, handler) for number in SIGNALS}
    yield handler
    for number, before in previous.items():
        signal.signal(number, before)


def _handlers():
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.fixture
def evaluator():
    torch.manual_seed(0)
    cfg = deep_merge_dicts(QMIXPolicy.default_config(), dict(model=dict(SIZES)))
    evaluator = WinRateEvaluator(
        EasyDict(n_episode=1, stop_value=1.),
        FakeManager(FakeVecEnv([[End('win', 1)]])),
        QMIXPolicy(EasyDict(cfg)).eval_mode,
        tb_logger=FakeWriter()
    )
    yield evaluator
    evaluator.close()


# ------------------------------------------------------------------ flag


@pytest.mark.unittest
def test_hangup_stays_ignored_below_nohup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    flag = InterruptFlag()
    flag.install()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    flag.uninstall()


@pytest.mark.unittest
@pytest.mark.parametrize('number', SIGNALS)
def test_signal_raises_the_flag_instead_of_the_handler(number):
    flag = InterruptFlag()
    flag.install()
    assert not flag.raised
    os.kill(os.getpid(), number)
    assert flag.raised


@pytest.mark.unittest
@pytest.mark.parametrize('number', SIGNALS)
def test_second_signal_goes_to_the_handler_of_before(number):
    flag = InterruptFlag()
    flag.install()
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Heard):
        os.kill(os.getpid(), number)


@pytest.mark.unittest
def test_uninstall_puts_the_handlers_of_before_back(_handlers_of_before):
    flag = InterruptFlag()
    flag.install()
    assert _handlers_of_before not in _handlers()
    flag.uninstall()
    flag.uninstall()
    assert _handlers() == [_handlers_of_before] * len(SIGNALS)


@pytest.mark.unittest
def test_flag_outside_the_main_thread_is_never_raised(_handlers_of_before):
    flag, errors = InterruptFlag(), []

    def install():
        try:
            flag.install()
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()
    assert not errors and not flag.raised and _handlers() == [_handlers_of_before] * len(SIGNALS)


# ------------------------------------------------------------- evaluator


@pytest.mark.unittest
def test_ctrl_c_makes_an_evaluation_due(evaluator):
    evaluator.eval(train_iter=0, envstep=0)
    assert not evaluator.should_eval(2)
    os.kill(os.getpid(), signal.SIGINT)
    assert evaluator.should_eval(2)


@pytest.mark.unittest
def test_ctrl_c_saves_a_checkpoint_and_stops_without_playing(evaluator):
    saved = []
    os.kill(os.getpid(), signal.SIGINT)
    stop, _ = evaluator.eval(saved.append, train_iter=3, envstep=30)
    assert stop and saved == ['ckpt_interrupted.pth.tar'] and evaluator._vec_env.n_steps.sum() == 0


@pytest.mark.unittest
def test_ctrl_c_hands_out_the_latest_result(evaluator):
    _, latest = evaluator.eval(train_iter=0, envstep=0)
    os.kill(os.getpid(), signal.SIGINT)
    assert evaluator.eval(None, train_iter=3, envstep=30) == (True, latest)


@pytest.mark.unittest
def test_ctrl_c_before_any_evaluation_has_a_result_that_ding_engines_pipeline_can_read(evaluator):
    os.kill(os.getpid(), signal.SIGINT)
    _, info = evaluator.eval(None, train_iter=0, envstep=0)
    assert info['eval_episode_return'] == []


@pytest.mark.unittest
@pytest.mark.parametrize('end', ['close', 'stop_value', 'ctrl_c'])
def test_handlers_of_before_are_back_when_training_ends(evaluator, end, _handlers_of_before):
    assert _handlers_of_before not in _handlers()
    if end == 'close':
        evaluator.close()
    elif end == 'stop_value':
        evaluator.eval(train_iter=5, envstep=5)
    else:
        os.kill(os.getpid(), signal.SIGINT)
    assert _handlers() == [_handlers_of_before] * len(SIGNALS)


@pytest.mark.unittest
def test_forgotten_evaluator_gives_the_handlers_back(_handlers_of_before):
    cfg = deep_merge_dicts(QMIXPolicy.default_config(), dict(model=dict(SIZES, obs_shape=99)))
    with pytest.raises(ValueError, match='obs_shape=99'):
        WinRateEvaluator(
            EasyDict(),
            FakeManager(FakeVecEnv([[End('win', 1)]])),
            QMIXPolicy(EasyDict(cfg)).eval_mode,
            tb_logger=FakeWriter()
        )
    assert _handlers() == [_handlers_of_before] * len(SIGNALS)
