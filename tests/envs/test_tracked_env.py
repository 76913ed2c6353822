"""TrackedVecEnv: resets that discard nothing, what is shown of the episodes, state."""
import io

import numpy as np
import pytest
import torch

from ding_qmix.envs import TrackedVecEnv, make_vec_env


def _scripted(n_envs: int = 2) -> TrackedVecEnv:
    env = TrackedVecEnv(make_vec_env('3m', n_envs))
    env.reset()
    return env


def _step(env: TrackedVecEnv, n: int = 1, active: np.ndarray = None) -> None:
    for _ in range(n):
        env.step(np.ones((env.n_envs, env.spec.n_agents), np.int64), active)


@pytest.mark.unittest
def test_tracked_reset_twice_keeps_episode(scripted: None) -> None:
    env = _scripted()
    env.reset()
    assert env._env.n_resets.tolist() == [1, 1]


@pytest.mark.unittest
def test_tracked_reset_after_end_keeps_next_episode(scripted: None) -> None:
    env = _scripted()
    _step(env, 3)  # the first scripted episode has 3 steps
    env.reset()
    assert env._env.episode.tolist() == [1, 1]


@pytest.mark.unittest
def test_tracked_reset_halfway_begins_next_episode(scripted: None) -> None:
    env = _scripted()
    _step(env, 1, np.array([True, False]))
    env.reset()
    assert env._env.episode.tolist() == [1, 0]


@pytest.mark.unittest
def test_tracked_reset_of_some_leaves_others(scripted: None) -> None:
    env = _scripted()
    _step(env, 1)
    step = env.reset(np.array([1]))
    assert step.episode_len.tolist() == [1, 0]


@pytest.mark.unittest
def test_tracked_reset_shows_no_flags(scripted: None) -> None:
    env = _scripted()
    _step(env, 3)
    step = env.reset()
    assert not (step.terminated | step.truncated | step.won).any() and not step.reward.any()


@pytest.mark.unittest
def test_tracked_seed_makes_reset_real(scripted: None) -> None:
    env = _scripted()
    env.seed(np.array([7]), np.array([1]))
    env.reset()
    assert env._env.n_resets.tolist() == [1, 2]


@pytest.mark.unittest
def test_tracked_seed_halfway_lets_episode_run_on(scripted: None) -> None:
    env = _scripted()
    _step(env, 2)
    env.seed(np.array([7, 8]))
    _step(env, 1)
    assert env.last_step.episode_len.tolist() == [3, 3]


@pytest.mark.unittest
def test_tracked_ended_episode_has_its_length_and_return(scripted: None) -> None:
    env = _scripted()
    _step(env, 3)
    step = env.last_step
    assert (step.episode_len.tolist(), step.episode_return.tolist()) == ([3, 3], [3., 3.])


@pytest.mark.unittest
def test_tracked_running_episode_counts_from_zero(scripted: None) -> None:
    env = _scripted()
    _step(env, 4)
    step = env.last_step
    assert (step.episode_len.tolist(), step.episode_return.tolist()) == ([1, 1], [1., 1.])


@pytest.mark.unittest
def test_tracked_reset_that_keeps_the_episode_shows_its_beginning(scripted: None) -> None:
    env = _scripted()
    _step(env, 3)  # both episodes end
    step = env.reset(np.array([0]))
    shown = (step.episode_len.tolist(), step.episode_return.tolist(), step.dead_enemies.tolist())
    assert shown == ([0, 3], [0., 3.], [0, 3])
    _step(env, 1, np.array([False, True]))
    assert env.observe().episode_len.tolist() == [0, 1]


@pytest.mark.unittest
def test_tracked_reset_after_idling_keeps_the_begun_episode(scripted: None) -> None:
    env = _scripted()
    _step(env, 3)
    _step(env, 1, np.array([True, False]))  # env 1 still shows its ended episode's length
    env.reset()
    assert env._env.n_resets.tolist() == [2, 1]


@pytest.mark.unittest
def test_tracked_last_step_before_reset_raises(scripted: None) -> None:
    env = TrackedVecEnv(make_vec_env('3m', 1))
    with pytest.raises(RuntimeError, match=r'3m.*reset'):
        env.last_step  # noqa: B018


@pytest.mark.unittest
def test_tracked_state_dict_restores_midst_of_battle() -> None:
    env, other = (TrackedVecEnv(make_vec_env('3m', 2, seed=seed)) for seed in (1, 5))
    env.reset()
    for _ in range(3):
        env.step(np.argmax(env.last_step.action_mask, -1))
    stream = io.BytesIO()
    torch.save(env.state_dict(), stream)
    stream.seek(0)
    other.load_state_dict(torch.load(stream, weights_only=True))
    lengths: list[int] = []
    for _ in range(60):  # past the end of the episode
        action = np.argmax(env.last_step.action_mask, -1)
        step, same = env.step(action), other.step(action)
        assert all(np.array_equal(a, b) for a, b in zip(step, same))
        lengths += same.episode_len[same.terminated | same.truncated].tolist()
    assert len(lengths) >= 2 and min(lengths) > 3  # counted on from before the state was saved


@pytest.mark.unittest
def test_tracked_restored_env_keeps_an_episode_not_stepped_yet(scripted: None) -> None:
    env, other = _scripted(), _scripted()
    _step(env, 3)  # both episodes end, the next ones begin
    _step(env, 1, np.array([True, False]))
    other.load_state_dict(env.state_dict())
    assert other.observe().episode_len.tolist() == [1, 0]
    other.reset()
    assert other._env.episode.tolist() == [2, 1]


@pytest.mark.unittest
def test_tracked_load_state_dict_shows_the_running_episode() -> None:
    env, other = (TrackedVecEnv(make_vec_env('3m', 2, seed=seed)) for seed in (1, 5))
    env.reset()
    env.step(np.argmax(env.last_step.action_mask, -1))
    other.load_state_dict(env.state_dict())
    assert np.array_equal(other.last_step.obs, env.last_step.obs)
    assert other.observe() is other.last_step and other.last_step.episode_len.tolist() == [1, 1]


@pytest.mark.unittest
def test_tracked_close_reaches_the_battlefield(scripted: None) -> None:
    env = _scripted()
    env.close()
    assert env._env.closed == 1
