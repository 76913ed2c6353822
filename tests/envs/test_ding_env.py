"""SMACEnv: DI-engine's env of one battle."""
import copy

import numpy as np
import pytest
import torch
from ding.envs import BaseEnvTimestep
from ding.torch_utils import to_tensor
from ding_play import play, scripted_env

from ding_qmix.envs import SMACEnv


def _end_of(env: SMACEnv, episode: int) -> BaseEnvTimestep:
    """Last timestep of the scripted episode of this number."""
    ends = [t for t in play(env, 11) if t.done]
    return ends[episode]


def _same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ['3m', 'MMM'])
def test_env_reset_obs_is_in_observation_space(map_name: str) -> None:
    env = SMACEnv(dict(map_name=map_name))
    env.seed(0)
    assert env.observation_space.contains(env.reset())


@pytest.mark.unittest
def test_env_step_is_in_its_spaces() -> None:
    env = SMACEnv(dict(map_name='3m'))
    env.seed(0)
    env.reset()
    for timestep in play(env, 70):
        assert env.observation_space.contains(timestep.obs) and env.reward_space.contains(timestep.reward)


@pytest.mark.unittest
def test_env_random_action_is_legal_and_in_action_space() -> None:
    env = SMACEnv(dict(map_name='3m'))
    env.seed(0)
    mask = env.reset()['action_mask']
    action = env.random_action()
    assert env.action_space.contains(action) and mask[np.arange(3), action].all()


@pytest.mark.unittest
def test_env_obs_styles_have_their_own_width() -> None:
    widths = [
        SMACEnv(dict(map_name='3m', obs_style=style)).reset()['agent_state'].shape[1] for style in ('ding', 'smac')
    ]
    assert widths == [42, 30]


@pytest.mark.unittest
def test_env_obs_is_a_copy(scripted: None) -> None:
    env = scripted_env()
    obs = env.reset()
    before = copy.deepcopy(obs)
    play(env, 2)
    assert _same(obs, before)


@pytest.mark.unittest
def test_env_double_reset_discards_no_episode(scripted: None) -> None:
    env = scripted_env(seed=2)
    env.reset()
    assert env.reset()['global_state'][0] == 200.


@pytest.mark.unittest
def test_env_reset_after_end_discards_no_episode(scripted: None) -> None:
    env = scripted_env(seed=2)
    play(env, 3)
    assert env.reset()['global_state'][0] == 210.


@pytest.mark.unittest
def test_env_double_resets_leave_the_sequence_of_battles() -> None:
    once, often = (SMACEnv(dict(map_name='3m')) for _ in range(2))
    once.seed(4), often.seed(4)
    once.reset(), often.reset(), often.reset()
    for _ in range(130):  # three episodes at least
        action = once.random_action()
        a, b = once.step(action), often.step(action)
        assert _same(a.obs, b.obs)
        if a.done:
            assert _same(once.reset(), often.reset()) and _same(often.reset(), often.reset())


@pytest.mark.unittest
def test_env_last_obs_belongs_to_the_ended_episode(scripted: None) -> None:
    env = scripted_env(seed=2)
    assert play(env, 3)[-1].obs['global_state'][0] == 203.


@pytest.mark.unittest
@pytest.mark.parametrize(
    'episode, flags', [
        (0, dict(battle_won=True, battle_lost=False, draw=False, terminated=True, truncated=False)),
        (1, dict(battle_won=False, battle_lost=True, draw=False, terminated=True, truncated=False)),
        (2, dict(battle_won=False, battle_lost=False, draw=True, terminated=True, truncated=False)),
        (3, dict(battle_won=False, battle_lost=False, draw=False, terminated=False, truncated=True)),
    ]
)
def test_env_info_tells_how_the_episode_ended(scripted: None, episode: int, flags: dict[str, bool]) -> None:
    info = _end_of(scripted_env(), episode).info
    assert {key: info[key] for key in flags} == flags


@pytest.mark.unittest
@pytest.mark.parametrize('episode, value', [(0, 1.), (1, 0.), (2, 0.), (3, 0.)])
def test_env_eval_episode_return_counts_wins(scripted: None, episode: int, value: float) -> None:
    assert _end_of(scripted_env(), episode).info['eval_episode_return'] == value


@pytest.mark.unittest
def test_env_episode_info_has_the_episodes_numbers(scripted: None) -> None:
    assert _end_of(scripted_env(), 3).info['episode_info'] == dict(
        battle_won=0., timeout=1., dead_allies=0., dead_enemies=1., episode_len=4., shaped_return=4.
    )


@pytest.mark.unittest
def test_env_info_within_an_episode_has_flags_alone(scripted: None) -> None:
    assert play(scripted_env(), 1)[0].info == dict(terminated=False, truncated=False)


@pytest.mark.unittest
def test_env_timestep_passes_ding_engines_tensor_conversion(scripted: None) -> None:
    timestep = to_tensor(_end_of(scripted_env(), 0), dtype=torch.float32)
    assert timestep.reward.shape == (1, ) and timestep.info['episode_info']['episode_len'].item() == 3.


@pytest.mark.unittest
def test_env_reward_is_float32_of_one() -> None:
    env = SMACEnv(dict(map_name='3m'))
    env.seed(0)
    env.reset()
    reward = play(env, 1)[0].reward
    assert reward.dtype == np.float32 and reward.shape == (1, )


@pytest.mark.unittest
@pytest.mark.parametrize(
    'action, words', [
        ([0, 1, 1], 'action 0 is illegal for agent 0.*legal are'),
        ([1, 9, 1], 'action 9 is illegal for agent 1'),
        ([1, 1, -1], 'action -1 is illegal for agent 2'),
        ([1, 1], 'expected 3 integers'),
        ([1., 1., 1.], 'float64, expected 3 integers'),
    ]
)
def test_env_refuses_bad_action(scripted: None, action: list, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        scripted_env().step(np.array(action))


@pytest.mark.unittest
def test_env_refused_action_leaves_the_battle_alone() -> None:
    env, other = (SMACEnv(dict(map_name='3m')) for _ in range(2))
    for e in (env, other):
        e.seed(0)
        e.reset()
    with pytest.raises(ValueError):
        env.step(np.array([0, 0, 0]))
    assert _same(env.step(np.array([1, 1, 1])).obs, other.step(np.array([1, 1, 1])).obs)


@pytest.mark.unittest
@pytest.mark.parametrize('method', ['random_action', 'step'])
def test_env_before_reset_raises(method: str) -> None:
    env = SMACEnv(dict(map_name='3m'))
    with pytest.raises(RuntimeError, match=r'SMACEnv.3m.*reset'):
        env.step(np.array([1, 1, 1])) if method == 'step' else env.random_action()
