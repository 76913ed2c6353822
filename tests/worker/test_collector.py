"""The batched collector: counts, samples as the policy cuts them, statistics, and what it refuses."""
import numpy as np
import pytest
import torch
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from fake_vec_env import SIZES, End, FakeManager, FakeVecEnv, FakeWriter, N

from ding_qmix.policy import QMIXCommandModePolicy
from ding_qmix.worker import EpisodeBuffer, VectorCollector

SCRIPT = (
    (End('win', 2), End('loss', 5)),
    (End('timeout', 9), End('win', 1)),
    (End('loss', 3), ),
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _policy(model=None, collect=None, seed=0):
    given = dict(model={**SIZES, **(model or {})}, collect=dict(n_episode=4, **(collect or {})))
    torch.manual_seed(seed)
    return QMIXCommandModePolicy(EasyDict(deep_merge_dicts(QMIXCommandModePolicy.default_config(), given)))


def _collector(policy=None, script=SCRIPT, **cfg):
    env = FakeVecEnv(script)
    collector = VectorCollector(
        EasyDict({
            **VectorCollector.config,
            **cfg
        }),
        FakeManager(env), (policy or _policy()).collect_mode,
        tb_logger=FakeWriter()
    )
    return collector, env


def _moments(sample):
    """(env, episode, first step) of a sample."""
    return tuple(sample['state'][0, :3].int().tolist())


@pytest.mark.unittest
@pytest.mark.parametrize('n_episode', [1, 3, 7])
def test_every_env_step_is_counted(n_episode):
    collector, env = _collector()
    collector.collect(n_episode)
    assert collector.envstep == env.n_steps.sum()
    collector.collect(n_episode)
    assert collector.envstep == env.n_steps.sum()


@pytest.mark.unittest
def test_number_of_episodes_is_the_policys_unless_given():
    collector, _ = _collector()
    assert len(collector.collect()) == 4 and len(collector.collect(n_episode=6)) == 6


@pytest.mark.unittest
def test_count_of_env_steps_can_be_set_on_resume():
    collector, env = _collector()
    collector.envstep = 1000
    collector.collect(2)
    assert collector.envstep == 1000 + env.n_steps.sum()


@pytest.mark.unittest
def test_whole_episodes_are_samples_without_hidden_state():
    samples = _collector()[0].collect(5)
    assert all('hidden_state' not in sample and _moments(sample)[2] == 0 for sample in samples)
    assert len({_moments(sample) for sample in samples}) == 5


@pytest.mark.unittest
def test_chunks_are_cut_as_the_policy_says():
    collector, env = _collector(_policy(collect=dict(unroll_len=4, burnin_step=1)))
    samples = collector.collect(3)
    assert sorted(_moments(sample)[2] for sample in samples) == [0, 0, 0, 3, 7]
    assert sum(sample['mask'].sum() for sample in samples) == env.n_steps.sum()


@pytest.mark.unittest
def test_chunks_start_from_the_state_of_their_collection():
    policy = _policy(collect=dict(unroll_len=4))
    chunk = next(s for s in _collector(policy)[0].collect(3) if _moments(s) == (1, 0, 4))
    env, obs = FakeVecEnv(SCRIPT[1:2]), []
    step = env.reset()
    for _ in range(4):
        obs.append(torch.from_numpy(step.obs.copy()))
        step = env.step(step.action_mask.argmax(-1))
    obs = torch.stack(obs)
    obs[..., 0] = 1.  # there it was env 1
    _, expected = policy._model.q_values(obs, policy._model.initial_state(1))
    torch.testing.assert_close(chunk['hidden_state'], expected[0].detach())


@pytest.mark.unittest
def test_chunks_from_zeros_have_no_hidden_state():
    samples = _collector(_policy(collect=dict(unroll_len=4, stored_state=False)))[0].collect(3)
    assert all('hidden_state' not in sample for sample in samples)


@pytest.mark.unittest
def test_epsilon_of_the_commander_reaches_the_policy():
    actions = [
        [sample['action'].tolist() for sample in _collector(_policy())[0].collect(6, policy_kwargs=kwargs)]
        for kwargs in (None, {
            'eps': 0.
        }, {
            'eps': 1.
        })
    ]
    assert actions[0] == actions[1] != actions[2]


@pytest.mark.unittest
def test_collection_is_the_same_twice():
    runs = [_collector(_policy(seed=3))[0].collect(6, policy_kwargs={'eps': 0.5}) for _ in range(2)]
    assert all(torch.equal(one[name], other[name]) for one, other in zip(*runs) for name in one)


@pytest.mark.unittest
def test_interrupted_collection_leaves_nothing_to_the_next():
    collector, _ = _collector()
    act, n_calls = collector._actor.act, []

    def interrupted(*args):
        n_calls.append(1)
        if len(n_calls) == 5:
            raise KeyboardInterrupt
        return act(*args)

    collector._actor.act = interrupted
    with pytest.raises(KeyboardInterrupt):
        collector.collect(6)
    samples = collector.collect(5)
    assert len(samples) == 5 and collector.envstep == sum(len(sample['mask']) for sample in samples)


@pytest.mark.unittest
@pytest.mark.parametrize('collect', [{}, dict(unroll_len=3, burnin_step=2)])
def test_what_is_collected_can_be_stored_and_learned_from(collect):
    policy = _policy(collect=collect)
    collector, _ = _collector(policy)
    buffer = EpisodeBuffer(EasyDict(EpisodeBuffer.config, replay_buffer_size=50))
    buffer.push(collector.collect(6, policy_kwargs={'eps': 0.5}))
    info = policy.learn_mode.forward(buffer.sample(4))
    assert np.isfinite(list(info.values())).all()


# -------------------------------------------------- DI-engine's interface


@pytest.mark.unittest
def test_env_is_launched_once():
    collector, _ = _collector()
    assert collector._env.n_launched == 1
    collector.reset()
    assert collector._env.n_launched == 1 and collector.envstep == 0


@pytest.mark.unittest
def test_reset_of_env_begins_new_episodes():
    collector, env = _collector()
    collector.collect(3)
    collector.reset_env()
    collector.collect(1)
    assert env.n_resets.tolist() == [2, 2, 2]


@pytest.mark.unittest
def test_reset_with_another_policy_takes_it_over():
    collector, _ = _collector()
    other = _policy(collect=dict(unroll_len=2))
    collector.reset_policy(other.collect_mode)
    assert all(len(sample['mask']) <= 2 for sample in collector.collect(3))


# ------------------------------------------------------------ statistics


@pytest.mark.unittest
def test_statistics_are_written_as_often_as_configured():
    collector, _ = _collector(collect_print_freq=10)
    for train_iter in (0, 5, 10, 15, 20):
        collector.collect(3, train_iter=train_iter)
    scalars = collector._tb_logger.scalars
    assert [step for step, _ in scalars['collector_iter/win_rate']] == [10, 20]
    assert [value for _, value in scalars['collector_iter/episode_count']] == [9, 6]


@pytest.mark.unittest
def test_statistics_are_those_of_the_episodes_since_the_latest_log():
    collector, env = _collector(collect_print_freq=1)
    collector.collect(3, train_iter=1, policy_kwargs={'eps': 0.25})
    scalars = {name: values[0][1] for name, values in collector._tb_logger.scalars.items()}
    expected = {
        'episode_count': 3,
        'envstep_count': 2 + 9 + 3,
        'avg_envstep_per_episode': 14 / 3,
        'win_rate': 1 / 3,
        'reward_mean': 1 / 3,
        'truncated_rate': 1 / 3,
        'dead_allies_mean': 1.,
        'dead_enemies_mean': 0.,
        'shaped_return_mean': (0 + 1 + sum(range(100, 109)) + 200 + 201 + 202) / 3,
        'epsilon': 0.25,
        'total_envstep_count': 14,
        'total_episode_count': 3,
    }
    assert {name: scalars[f'collector_iter/{name}'] for name in expected} == pytest.approx(expected)
    assert {name: scalars[f'collector_step/{name}'] for name in expected} == pytest.approx(expected)
    assert collector._tb_logger.scalars['collector_step/win_rate'][0][0] == env.n_steps.sum()


# ---------------------------------------------------------------- errors


@pytest.mark.unittest
def test_unknown_key_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="'collect_freq'; did you mean 'collect_print_freq'"):
        _collector(collect_freq=5)


@pytest.mark.unittest
def test_samples_of_two_agents_stay_two_agents():
    assert all(sample['action'].shape[1] == N for sample in _collector()[0].collect(3))


@pytest.mark.unittest
def test_lost_episodes_are_no_samples_and_are_counted_and_logged(monkeypatch):
    collector, env = _collector(script=((End('lost', 2), End('win', 3)), ), collect_print_freq=1)
    said = []
    monkeypatch.setattr(collector._logger, 'info', lambda line, **kwargs: said.append(line))  # all collectors' logger
    samples = collector.collect(2, train_iter=1)
    assert len(samples) == 2 and collector.envstep == 6 < env.n_steps.sum()
    assert collector._tb_logger.scalars['collector_step/lost_episode_count'] == [(6, 2.)]
    assert '2 lost and played anew' in said[0]
