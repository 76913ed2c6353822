"""The same code on a GPU: acting, learning from both kinds of data, restoring."""
import numpy as np
import pytest
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from fake_vec_env import SIZES, End, FakeManager, FakeVecEnv, FakeWriter
from policy_data import SIZES as DATA_SIZES
from policy_data import chunk, random_batch, random_episode

from ding_qmix.policy import QMIXPolicy
from ding_qmix.worker import EpisodeBuffer, VectorCollector

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')


def _policy(sizes, cuda=True, **collect):
    torch.manual_seed(0)
    given = dict(cuda=cuda, model=dict(sizes), collect=dict(n_episode=4, **collect))
    return QMIXPolicy(EasyDict(deep_merge_dicts(QMIXPolicy.default_config(), given)))


@pytest.mark.cudatest
@pytest.mark.parametrize('collect', [{}, dict(unroll_len=3, burnin_step=2)])
def test_fast_road_collects_and_learns(tmp_path, monkeypatch, collect):
    monkeypatch.chdir(tmp_path)
    policy = _policy(SIZES, **collect)
    env = FakeVecEnv([[End('win', 2), End('loss', 5)], [End('timeout', 9)]])
    collector = VectorCollector(
        EasyDict(VectorCollector.config), FakeManager(env), policy.collect_mode, tb_logger=FakeWriter()
    )
    buffer = EpisodeBuffer(EasyDict(EpisodeBuffer.config, replay_buffer_size=50))
    buffer.push(collector.collect(6, policy_kwargs={'eps': 0.5}))
    info = policy.learn_mode.forward(buffer.sample(4))
    assert np.isfinite(list(info.values())).all() and next(policy._model.parameters()).is_cuda


@pytest.mark.cudatest
def test_losses_are_those_of_the_cpu():
    losses = [
        [
            _policy(DATA_SIZES, cuda)._forward_learn(data)['total_loss']
            for data in (random_batch(), [chunk(random_episode(n, n)) for n in (2, 5)])
        ] for cuda in (True, False)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.cudatest
def test_state_goes_from_gpu_to_cpu_and_back():
    gpu, cpu = _policy(DATA_SIZES), _policy(DATA_SIZES, cuda=False)
    gpu._forward_learn(random_batch())
    cpu.learn_mode.load_state_dict(gpu.learn_mode.state_dict())
    gpu.learn_mode.load_state_dict(cpu.learn_mode.state_dict())
    losses = [policy._forward_learn(random_batch(seed=5))['total_loss'] for policy in (gpu, cpu)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
