"""The obs dict under DI-engine's options: layouts, what cannot stand together, illegal actions."""
import logging
from typing import Any

import numpy as np
import pytest

from ding_qmix.envs import SMACEnv, VectorEnvManager
from ding_qmix.smac.scenarios import SCENARIOS, make_spec

# Map -> length of an obs without the ally block, from the size formula of DI-engine's SMAC env.
ALONE_DIM = {'3m': 32, 'MMM': 114, '3s5z': 94, '2c_vs_64zg': 398, 'corridor': 162}


def _env(map_name: str = 'MMM', seed: int = 0, **cfg: Any) -> SMACEnv:
    env = SMACEnv(dict(map_name=map_name, n_threads=1, **cfg))
    env.seed(seed)
    return env


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ALONE_DIM)
def test_alone_state_has_ding_engines_size(map_name: str) -> None:
    start, stop = make_spec(map_name).obs_layout.ally_block
    assert make_spec(map_name).obs_dim - (stop - start) == ALONE_DIM[map_name]
    shown = _env(map_name, obs_alone=True).reset()
    assert shown['agent_alone_state'].shape == (SCENARIOS[map_name].n_agents, ALONE_DIM[map_name])


@pytest.mark.unittest
def test_obs_alone_drops_or_blanks_the_allies() -> None:
    shown = _env(obs_alone=True).reset()
    obs, alone, padded = (shown[f'agent_{name}state'] for name in ('', 'alone_', 'alone_padding_'))
    assert obs[:, 84:156].any() and not padded[:, 84:156].any()  # 4 moves, 10 enemies of 8 features; 9 allies of 8
    assert np.array_equal(padded[:, :84], obs[:, :84]) and np.array_equal(padded[:, 156:], obs[:, 156:])
    assert np.array_equal(alone, np.concatenate([obs[:, :84], obs[:, 156:]], axis=1))
    assert shown['global_state'].shape == (290, )


@pytest.mark.unittest
def test_independent_obs_shows_obs_for_the_state() -> None:
    shown = _env(independent_obs=True).reset()
    assert np.array_equal(shown['global_state'], shown['agent_state'])
    assert not np.shares_memory(shown['global_state'], shown['agent_state'])


@pytest.mark.unittest
def test_special_global_state_is_one_view_per_agent() -> None:
    shown = _env(special_global_state=True).reset()
    assert shown['global_state'].shape == (10, 389)
    assert np.array_equal(shown['global_state'][:, -10:], np.eye(10))


@pytest.mark.unittest
@pytest.mark.parametrize(
    'options', [
        dict(obs_alone=True),
        dict(independent_obs=True),
        dict(special_global_state=True),
        dict(special_global_state=True, death_mask=True)
    ]
)
def test_single_env_and_manager_show_the_same_to_the_end_of_an_episode(options: dict) -> None:
    env = _env('3m', seed=3, **options)
    manager = VectorEnvManager([lambda: SMACEnv(dict(map_name='3m', n_threads=1, **options))], {})
    manager.seed([3])
    manager.launch()
    shown, done = env.reset(), False
    while not done:
        assert env.observation_space.contains(shown)
        ready = manager.ready_obs[0]
        assert set(shown) == set(ready) and all(np.array_equal(shown[key], ready[key]) for key in shown)
        action = np.argmax(shown['action_mask'][:, ::-1], axis=1)
        timestep = env.step(shown['action_mask'].shape[1] - 1 - action)
        other = manager.step({0: shown['action_mask'].shape[1] - 1 - action})[0]
        shown, done = timestep.obs, timestep.done
        assert all(np.array_equal(shown[key], other.obs[key]) for key in shown)
    assert env.observation_space.contains(shown)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'options, word', [
        (dict(obs_alone=True, independent_obs=True), 'obs_alone and independent_obs'),
        (dict(obs_alone=True, special_global_state=True), 'obs_alone and special_global_state'),
        (dict(death_mask=True), 'special_global_state, which is False'),
        (dict(illegal_action='ignore'), "'ignore'"),
    ]
)
def test_env_refuses_options_that_make_no_sense(options: dict, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        _env(**options)


@pytest.mark.unittest
def test_illegal_action_stops_the_run_by_default() -> None:
    env = _env('3m')
    env.reset()
    with pytest.raises(ValueError, match='action 0 is illegal for agent 1'):
        env.step(np.array([1, 0, 1]))


@pytest.mark.unittest
def test_illegal_action_may_be_played_as_stop_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    env, other = _env('3m', illegal_action='stop'), _env('3m')
    env.reset(), other.reset()
    with caplog.at_level(logging.WARNING):
        shown = env.step(np.array([1, 0, 8])).obs  # no-op of a living agent, an enemy out of range
    assert 'action 0 is illegal for agent 1' in caplog.text and '2 illegal' in caplog.text
    assert np.array_equal(shown['global_state'], other.step(np.array([1, 1, 1])).obs['global_state'])
    with pytest.raises(ValueError, match='action 9'):
        env.step(np.array([1, 9, 1]))  # there is no such action
