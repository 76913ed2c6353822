"""SMAC's options of obs and state: what they change in the shapes, and which cannot be honoured."""
import numpy as np
import pytest

from ding_qmix.config import make_config
from ding_qmix.envs import SMACEnv, make_vec_env
from ding_qmix.sim import SimVecEnv
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.view_options import ViewOptions, make_view_options


@pytest.mark.unittest
@pytest.mark.parametrize(
    'options, obs_dim, state_dim', [
        (dict(), 80, 120),
        (dict(obs_all_health=False), 62, 120),
        (dict(obs_all_health=False, obs_own_health=False), 60, 120),
        (dict(obs_last_action=True), 124, 120),
        (dict(obs_pathing_grid=True), 88, 120),
        (dict(obs_timestep_number=True), 81, 120),
        (dict(obs_instead_of_state=True), 80, 400),
        (dict(state_last_action=False), 80, 65),
        (dict(state_timestep_number=True), 80, 121),
    ]
)
def test_view_options_change_sizes_as_smacs_formulas_do(options: dict, obs_dim: int, state_dim: int) -> None:
    spec = make_spec('2s3z', 'smac', view=make_view_options(options))
    step = make_vec_env('2s3z', 1, obs_style='smac', **options).reset()
    assert (spec.obs_dim, spec.state_dim) == (obs_dim, state_dim) == (step.obs.shape[2], step.state.shape[1])


@pytest.mark.unittest
def test_view_options_all_health_shows_the_agents_own() -> None:
    assert make_view_options(dict(obs_own_health=False)) == ViewOptions()


@pytest.mark.unittest
def test_view_options_terrain_height_is_refused() -> None:
    with pytest.raises(ValueError, match=r'obs_terrain_height=True.*leave it False'):
        SimVecEnv('3m', 1, obs_terrain_height=True)


@pytest.mark.unittest
def test_view_options_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match='state_last_action must be True or False, got 0'):
        SimVecEnv('3m', 1, state_last_action=0)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'option', [dict(obs_instead_of_state=True),
               dict(state_last_action=False),
               dict(state_timestep_number=True)]
)
def test_view_options_of_the_state_do_not_go_with_special_global_state(option: dict) -> None:
    with pytest.raises(ValueError, match='special_global_state=True lays the state out itself'):
        SimVecEnv('3m', 1, special_global_state=True, **option)


@pytest.mark.unittest
def test_view_options_reach_the_ding_env_and_config() -> None:
    options = dict(obs_last_action=True, state_last_action=False)
    obs = SMACEnv(dict(map_name='3m', **options)).reset()
    model = make_config('3m', env=options)[0].policy.model
    assert (model.obs_shape, model.global_obs_shape) == (obs['agent_state'].shape[1], obs['global_state'].shape[0])
    assert (model.obs_shape, model.global_obs_shape) == (42 + 2 * 9, 48 - 27)


@pytest.mark.unittest
def test_view_options_time_step_counts_the_ended_episode_to_its_end() -> None:
    env = make_vec_env('3m', 1, obs_style='smac', obs_timestep_number=True, state_timestep_number=True)
    step, stop = env.reset(), np.ones((1, 3), np.int64)
    n_steps = 0
    while not (step.terminated | step.truncated)[0]:
        assert step.obs[0, :, -1].tolist() == [np.float32(n_steps / 60)] * 3
        step = env.step(np.where(step.action_mask[:, :, 1], stop, 0))
        n_steps += 1
    assert step.final_state[0, -1] == step.final_obs[0, 0, -1] == np.float32(n_steps / 60) and step.state[0, -1] == 0.
