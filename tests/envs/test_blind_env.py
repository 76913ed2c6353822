"""BlindVecEnv: obs tell time and agent id alone, everything else is the battle's own; and the option that makes it."""
import numpy as np
import pytest
from easydict import EasyDict

from ding_qmix.config import make_config
from ding_qmix.envs.backends import make_vec_env
from ding_qmix.envs.blind_env import BlindVecEnv
from ding_qmix.envs.ding_env import SMACEnv, build_battles
from ding_qmix.spec import VecEnv, VecStep

pytestmark = pytest.mark.usefixtures('scripted')
N_ENVS, N_STEPS, N_AGENTS, LIMIT = 3, 11, 3, 60


def _play(env: VecEnv, step: int) -> VecStep:
    """Play one step in all envs but one, which waits in every second step."""
    active = np.arange(N_ENVS) != (0 if step % 2 else N_ENVS)
    return env.step(np.ones((N_ENVS, N_AGENTS), np.int64), active)


@pytest.mark.unittest
def test_obs_tell_time_and_id_alone() -> None:
    blind, seeing = BlindVecEnv(make_vec_env('3m', N_ENVS)), make_vec_env('3m', N_ENVS)
    shown, real = blind.reset(), seeing.reset()
    time = np.zeros(N_ENVS, int)  # of the running episodes
    for i in range(N_STEPS):
        assert np.allclose(shown.obs[:, :, 0], (time / LIMIT)[:, None]) and not shown.obs[:, :, 1:-N_AGENTS].any()
        assert (shown.obs[:, :, -N_AGENTS:] == np.eye(N_AGENTS)).all()
        for name in ('state', 'action_mask', 'reward', 'terminated', 'truncated', 'won', 'final_state', 'episode_len'):
            assert np.array_equal(getattr(shown, name), getattr(real, name)), name
        shown, real = _play(blind, i), _play(seeing, i)
        done = real.terminated | real.truncated
        assert np.allclose(shown.final_obs[done][:, :, 0], (real.episode_len[done] / LIMIT)[:, None])
        time[np.arange(N_ENVS) != (0 if i % 2 else N_ENVS)] += 1
        time[done] = 0


@pytest.mark.unittest
def test_reset_begins_the_time_of_the_given_envs_anew() -> None:
    env = BlindVecEnv(make_vec_env('3m', N_ENVS))
    env.reset()
    _play(env, 0)
    assert np.allclose(env.reset(np.array([1])).obs[:, 0, 0] * LIMIT, [1, 0, 1])


@pytest.mark.unittest
def test_blind_needs_the_agents_id() -> None:
    with pytest.raises(ValueError, match="obs_style 'smac' shows no agent id"):
        BlindVecEnv(make_vec_env('3m', 1, obs_style='smac'))


@pytest.mark.unittest
def test_env_option_builds_it() -> None:
    main, _ = make_config('3m', env=dict(blind=True))
    env = build_battles(EasyDict(SMACEnv(main.env).cfg), 2)
    assert not env.reset().obs[:, :, :-N_AGENTS].any()


@pytest.mark.unittest
def test_state_goes_on_at_the_same_time() -> None:
    one, other = (BlindVecEnv(make_vec_env('3m', N_ENVS)) for _ in range(2))
    one.reset()
    other.reset()
    _play(one, 1)
    other.load_state_dict(one.state_dict())
    assert np.array_equal(other.observe().obs, one.observe().obs) and one.observe().obs[1, 0, 0] > 0.
