"""The loop between env and actor: how many episodes, whose they are, what is recorded, and what an interrupt leaves."""
import numpy as np
import pytest
import torch
from fake_vec_env import SPEC, A, ClockActor, End, FakeVecEnv, N, returns

from ding_qmix.worker.recorder import EpisodeRecorder
from ding_qmix.worker.rollout import Rollout

SCRIPT = (
    (End('win', 2), End('loss', 5)),
    (End('timeout', 9), End('win', 1)),
    (End('loss', 3), ),
    (End('win', 4), End('win', 1), End('timeout', 6)),
)


def _rollout(script=SCRIPT):
    env = FakeVecEnv(script)
    return env, Rollout(env), ClockActor(env.n_envs)


def _recorder(n_envs=4, **kwargs):
    return EpisodeRecorder(SPEC, n_envs, **kwargs)


def _played(samples):
    """(env, episode) of each recorded episode."""
    return [tuple(sample['state'][0, :2].int().tolist()) for sample in samples]


# ------------------------------------------------------- which episodes


@pytest.mark.unittest
@pytest.mark.parametrize('keep', [True, False])
def test_env_that_never_ends_is_stopped_at(keep):
    _, rollout, actor = _rollout(((End('win', 2), ), (End('win', SPEC.episode_limit + 1), )))
    with pytest.raises(RuntimeError, match=r'env 1 on map fake goes on after 9 env steps, expected an end by'):
        rollout.play(actor, 2, recorder=_recorder(2) if keep else None)


@pytest.mark.unittest
@pytest.mark.parametrize('n_episode', [1, 3, 4, 5, 11])
def test_exactly_n_episodes_are_begun_and_played_to_their_end(n_episode):
    env, rollout, actor = _rollout()
    stats = rollout.play(actor, n_episode)
    assert all(len(field) == n_episode for field in stats)
    assert stats.length.sum() == env.n_steps.sum() and not env.step_in_episode.any()


@pytest.mark.unittest
def test_long_episodes_are_waited_for():
    _, rollout, actor = _rollout(((End('win', 1), ), (End('loss', 9), )))
    assert sorted(rollout.play(actor, 3).length.tolist()) == [1, 1, 9]  # the first three to end: 1, 1, 1


@pytest.mark.unittest
def test_short_episodes_are_no_more_likely_than_long_ones():
    rng = np.random.default_rng(0)
    script = [[End('win', int(n)) for n in rng.choice([1, 9], 1000)] for _ in range(4)]
    _, rollout, actor = _rollout(script)
    lengths = np.concatenate([rollout.play(actor, 5).length for _ in range(200)])
    assert abs(lengths.mean() - 5.) < 0.4  # 3 standard errors; the first five to end of four envs: below 3.5


@pytest.mark.unittest
def test_statistics_are_those_of_the_episodes():
    env, rollout, actor = _rollout()
    stats = rollout.play(actor, 7)
    for i in range(7):
        e, k = stats.dead_allies[i], stats.dead_enemies[i]  # the fake env shows (env, episode) here
        end = env.script[e][k % len(env.script[e])]
        assert stats.length[i] == end.length and stats.won[i] == (end.kind == 'win')
        assert stats.truncated[i] == (end.kind == 'timeout')
        assert stats.episode_return[i] == returns(e, k, end.length)
    assert len(set(zip(stats.dead_allies, stats.dead_enemies))) == 7


@pytest.mark.unittest
def test_envs_without_an_episode_to_play_are_skipped():
    env, rollout, actor = _rollout()
    rollout.play(actor, 2)
    assert env.n_steps.tolist() == [2, 9, 0, 0]
    assert {e for env_ids, _ in actor.calls for e in env_ids} == {0, 1}


@pytest.mark.unittest
def test_only_running_envs_are_asked_for_actions():
    _, rollout, actor = _rollout()
    rollout.play(actor, 4)
    assert [env_ids for env_ids, _ in actor.calls] == [[0, 1, 2, 3]] * 2 + [[1, 2, 3], [1, 3]] + [[1]] * 5


@pytest.mark.unittest
def test_next_call_goes_on_without_a_reset_and_skips_no_episode():
    env, rollout, actor = _rollout()
    recorder = _recorder()
    for n_episode in (3, 5, 1, 4):
        rollout.play(actor, n_episode, recorder=recorder)
    assert env.n_resets.tolist() == [1] * 4
    played = _played(recorder.take())
    for e in range(4):
        assert sorted(k for env_id, k in played if env_id == e) == list(range(env.episode[e]))


@pytest.mark.unittest
def test_epsilon_reaches_the_actor():
    _, rollout, actor = _rollout()
    rollout.play(actor, 2, epsilon=0.3)
    assert {epsilon for _, epsilon in actor.calls} == {0.3}


# ------------------------------------------------------ what is recorded


@pytest.mark.unittest
def test_recorded_rows_are_what_the_env_showed():
    env, rollout, actor = _rollout()
    recorder = _recorder()
    rollout.play(actor, 9, recorder=recorder)
    for sample in recorder.take():
        e, k = sample['state'][0, :2].int().tolist()
        end = env.script[e][k % len(env.script[e])]
        moments = torch.tensor([[e, k, t] for t in range(end.length + 1)], dtype=torch.float32)  # the final row too
        assert torch.equal(sample['state'][:, :3], moments)
        assert torch.equal(sample['obs'][..., :3], moments.unsqueeze(1).expand(-1, N, -1))
        assert sample['reward'].tolist() == [100 * e + 10 * k + t for t in range(end.length)]
        assert sample['action'].tolist() == [env.actions[e, k, t].tolist() for t in range(end.length)]
        last = [0.] * (end.length - 1) + [1.]
        assert sample['truncated'].tolist() == [x * (end.kind == 'timeout') for x in last]
        assert sample['terminated'].tolist() == [x * (end.kind != 'timeout') for x in last]
        assert sample['mask'].tolist() == [1.] * end.length


@pytest.mark.unittest
def test_recorded_masks_are_what_the_env_allowed():
    _, rollout, actor = _rollout()
    recorder = _recorder()
    rollout.play(actor, 6, recorder=recorder)
    for sample in recorder.take():
        t = torch.arange(len(sample['obs'])).view(-1, 1, 1)
        illegal = (t + torch.arange(N).view(1, -1, 1)) % A
        assert torch.equal(~sample['action_mask'], illegal == torch.arange(A))


@pytest.mark.unittest
def test_recorded_types_are_those_of_training():
    _, rollout, actor = _rollout()
    recorder = _recorder()
    rollout.play(actor, 1, recorder=recorder)
    sample, = recorder.take()
    types = {name: value.dtype for name, value in sample.items()}
    assert types.pop('action') == torch.int64 and types.pop('action_mask') == torch.bool
    assert set(types) == {'obs', 'state', 'reward', 'terminated', 'truncated', 'mask'}
    assert set(types.values()) == {torch.float32}


@pytest.mark.unittest
def test_hidden_states_restart_with_every_episode():
    _, rollout, actor = _rollout()
    recorder = _recorder(keep_hidden_state=True)
    for n_episode in (5, 6):
        rollout.play(actor, n_episode, recorder=recorder)
    for sample in recorder.take():
        assert sample['hidden_state'].shape[1:] == (N, 1, 8)
        assert sample['hidden_state'][:, 0, 0, 0].tolist() == list(range(len(sample['mask'])))


@pytest.mark.unittest
def test_take_hands_out_every_episode_once():
    _, rollout, actor = _rollout()
    recorder = _recorder()
    rollout.play(actor, 3, recorder=recorder)
    assert len(recorder.take()) == 3 and recorder.take() == []


@pytest.mark.unittest
def test_recorded_episode_is_not_overwritten_by_the_next():
    _, rollout, actor = _rollout()
    recorder = _recorder()
    rollout.play(actor, 4, recorder=recorder)
    samples = recorder.take()
    before = [{name: value.clone() for name, value in sample.items()} for sample in samples]
    rollout.play(actor, 8, recorder=recorder)
    assert all(torch.equal(one[name], other[name]) for one, other in zip(before, samples) for name in one)


# --------------------------------------------------------- interruptions


@pytest.mark.unittest
@pytest.mark.parametrize('fail_at', [0, 1, 4])
def test_interrupted_call_is_followed_by_a_clean_one(fail_at):
    _, rollout, actor = _rollout()
    actor.fail_at = fail_at
    recorder = _recorder(keep_hidden_state=True)
    with pytest.raises(KeyboardInterrupt):
        rollout.play(actor, 6, recorder=recorder)
    recorder.take()
    stats = rollout.play(actor, 6, recorder=recorder)
    samples = recorder.take()
    assert len(samples) == len(stats.length) == 6
    for sample in samples:
        assert sample['state'][:, 2].tolist() == list(range(len(sample['state'])))
        assert sample['hidden_state'][:, 0, 0, 0].tolist() == list(range(len(sample['mask'])))
        assert sample['reward'].sum() == returns(*sample['state'][0, :2].int().tolist(), len(sample['mask']))
    assert stats.episode_return.sum() == pytest.approx(sum(sample['reward'].sum().item() for sample in samples))


@pytest.mark.unittest
def test_only_unfinished_episodes_are_replaced_after_an_interruption():
    env, rollout, actor = _rollout()
    actor.fail_at = 3  # envs 0 and 2 are through their first episode, 0 plays no other one
    with pytest.raises(KeyboardInterrupt):
        rollout.play(actor, 4)
    rollout.play(actor, 4)
    assert env.n_resets.tolist() == [1, 2, 1, 2]


@pytest.mark.unittest
def test_env_interrupted_in_its_first_step_is_reset():
    env, rollout, actor = _rollout()
    play_one = env.step

    def interrupted(actions, active):
        play_one(actions, active)
        env.step = play_one
        raise KeyboardInterrupt

    env.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        rollout.play(actor, 2)
    recorder = _recorder()
    rollout.play(actor, 4, recorder=recorder)
    assert all(sample['state'][0, 2] == 0. for sample in recorder.take())


# ---------------------------------------------------------- lost episodes

LOSING = (
    (End('lost', 3), End('win', 2), End('lost', 1), End('lost', 4), End('loss', 5)),
    (End('win', 4), ),
)


@pytest.mark.unittest
def test_lost_episodes_are_dropped_and_others_played_in_their_place():
    env, rollout, actor = _rollout(LOSING)
    recorder = _recorder(2, keep_hidden_state=True)
    stats = rollout.play(actor, 6, recorder=recorder)
    samples = recorder.take()
    assert len(stats.length) == len(samples) == 6
    played = _played(samples)
    assert all(LOSING[e][k % len(LOSING[e])].kind != 'lost' for e, k in played)
    assert stats.n_lost.sum() == sum(end.kind == 'lost' for end in LOSING[0][:env.episode[0] + 1])
    for sample, (e, k) in zip(samples, played):
        length = LOSING[e][k % len(LOSING[e])].length
        assert sample['reward'].tolist() == [100 * e + 10 * k + t for t in range(length)]
        assert sample['state'][:, 2].tolist() == list(range(length + 1))
        assert sample['hidden_state'][:, 0, 0, 0].tolist() == list(range(length))


@pytest.mark.unittest
def test_lost_episodes_are_counted_where_they_were_to_be_played():
    _, rollout, actor = _rollout(LOSING)
    stats = rollout.play(actor, 6)
    counts = {(e, k): n for e, k, n in zip(stats.dead_allies, stats.dead_enemies, stats.n_lost)}
    assert counts[0, 1] == 1 and counts[0, 4] == 2 and counts[1, 0] == 0


@pytest.mark.unittest
def test_loss_of_a_waiting_env_changes_nothing():
    env, rollout, actor = _rollout(((End('win', 1), ), (End('win', 4), )))
    play_one = env.step

    def step(actions, active):
        shown = play_one(actions, active)
        shown.lost[0] = not active[0]
        return shown

    env.step = step
    stats = rollout.play(actor, 2)
    assert stats.n_lost.tolist() == [0, 0] and sorted(stats.length) == [1, 4]
